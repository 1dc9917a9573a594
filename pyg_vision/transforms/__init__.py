r"""Transforms from images to graphs, with PyG's functional names of our own."""

from pyg_vision.transforms.knn_edges import KNNEdges
from pyg_vision.transforms.skeleton_align import AlignSkeleton
from pyg_vision.transforms.skeleton_augment import (
    RandomFlipSkeleton,
    RandomMoveSkeleton,
    RandomRotateSkeleton,
    RandomScaleSkeleton,
)
from pyg_vision.transforms.skeleton_edges import SkeletonEdges
from pyg_vision.transforms.skeleton_features import JointToBone, JointToMotion, SkeletonStream
from pyg_vision.transforms.skeleton_frames import (
    CropResizeFrames,
    PadFrames,
    RandomChooseFrames,
    RandomShiftFrames,
    SampleFrames,
    UniformSampleFrames,
)
from pyg_vision.transforms.skeleton_joints import InterpolateJoints, SmoothJoints, ToLayout
from pyg_vision.transforms.skeleton_normalize import CenterByScore, CenterSkeleton, ScaleSkeleton
from pyg_vision.transforms.skeleton_persons import FirstPersons, TopPersons, TrackPersons
from pyg_vision.transforms.skeleton_pixels import KeepCoordinates, NormalizePixels
from pyg_vision.transforms.skeleton_windows import Window, cut_windows
from pyg_vision.transforms.to_grid_graph import ToGridGraph
from pyg_vision.transforms.to_patch_nodes import ToPatchNodes, ToPixelNodes

__all__ = [
    "KNNEdges",
    "ToGridGraph",
    "ToPatchNodes",
    "ToPixelNodes",
    "SkeletonEdges",
    "SmoothJoints",
    "ToLayout",
    "InterpolateJoints",
    "JointToBone",
    "JointToMotion",
    "SkeletonStream",
    "AlignSkeleton",
    "NormalizePixels",
    "KeepCoordinates",
    "CenterSkeleton",
    "CenterByScore",
    "ScaleSkeleton",
    "SampleFrames",
    "UniformSampleFrames",
    "CropResizeFrames",
    "RandomChooseFrames",
    "RandomShiftFrames",
    "PadFrames",
    "RandomRotateSkeleton",
    "RandomScaleSkeleton",
    "RandomFlipSkeleton",
    "RandomMoveSkeleton",
    "TopPersons",
    "FirstPersons",
    "TrackPersons",
    "Window",
    "cut_windows",
]
