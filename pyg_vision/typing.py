r"""The types of arguments that several functions and layers take."""

from collections.abc import Callable
from typing import Literal

from torch import Tensor

Adapt = Literal["input", "head"]
AxialRule = Literal["svga", "mgc", "lsgc", "powers"]
Backend = Literal["auto", "torch", "torch_cluster"]
Bias = Tensor | Callable[[int, int], Tensor]
Connectivity = Literal[4, 8]
EdgeScore = Literal["tanh", "softmax"]
Grid = tuple[int, int]  # rows and columns of patches
HopNorm = Literal["target", "symmetric"]
Interpolation = Literal["bilinear", "bicubic", "nearest"]
Metric = Literal["euclidean", "cosine"]
OnError = Literal["raise", "skip"]
Partition = Literal["stgcn", "stgcn_paper", "inward_outward", "uniform", "distance"]
Scaling = Literal["min_max", "max_abs", "bone"]
PositionBias = Literal["published", "grid"]
SmallGraphs = Literal["error", "self"]
Stream = Literal["joint", "bone", "joint_motion", "bone_motion", "k_bone", "k_bone_motion"]
Up = Literal["y", "-y", "z"]
