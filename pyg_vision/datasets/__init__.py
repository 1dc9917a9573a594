r"""Datasets of image and skeleton graphs for PyG's loaders."""

from pyg_vision.datasets.digits import DigitsGraphs
from pyg_vision.datasets.image_folder import ImageFolderGraphs, load_rgb
from pyg_vision.datasets.image_graph_dataset import ImageDataset, ImageGraphDataset
from pyg_vision.datasets.nw_ucla import NWUCLA
from pyg_vision.datasets.skeleton_dataset import SkeletonDataset

__all__ = [
    "DigitsGraphs",
    "ImageDataset",
    "ImageFolderGraphs",
    "ImageGraphDataset",
    "load_rgb",
    "NWUCLA",
    "SkeletonDataset",
]
