r"""Datasets of image graphs for PyG's loaders."""

from pyg_vision.datasets.digits import DigitsGraphs
from pyg_vision.datasets.image_folder import ImageFolderGraphs, load_rgb
from pyg_vision.datasets.image_graph_dataset import ImageDataset, ImageGraphDataset

__all__ = ["DigitsGraphs", "ImageDataset", "ImageFolderGraphs", "ImageGraphDataset", "load_rgb"]
