r"""Datasets of image and skeleton graphs for PyG's loaders."""

from pyg_vision.datasets.ctr_gcn import CTRGCNDataset
from pyg_vision.datasets.digits import DigitsGraphs
from pyg_vision.datasets.image_folder import ImageFolderGraphs, load_rgb
from pyg_vision.datasets.image_graph_dataset import ImageDataset, ImageGraphDataset
from pyg_vision.datasets.kinetics_skeleton import KineticsSkeleton
from pyg_vision.datasets.npy import SkeletonArrays
from pyg_vision.datasets.ntu_rgbd import NTURGBD
from pyg_vision.datasets.nw_ucla import NWUCLA
from pyg_vision.datasets.pyskl import PysklDataset
from pyg_vision.datasets.skeleton_dataset import SkeletonDataset
from pyg_vision.datasets.skeleton_folder import SkeletonFolder
from pyg_vision.datasets.synthetic_motion import SyntheticMotion
from pyg_vision.datasets.utd_mhad import UTDMHAD

__all__ = [
    "DigitsGraphs",
    "ImageDataset",
    "ImageFolderGraphs",
    "ImageGraphDataset",
    "load_rgb",
    "SkeletonDataset",
    "SkeletonFolder",
    "SkeletonArrays",
    "KineticsSkeleton",
    "NTURGBD",
    "CTRGCNDataset",
    "NWUCLA",
    "PysklDataset",
    "UTDMHAD",
    "SyntheticMotion",
]
