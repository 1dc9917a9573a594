r"""The conventions of image graphs and of skeleton graphs.

An image graph is a :class:`~torch_geometric.data.Data` whose nodes are the patches of an image
in row-major order, with :obj:`x`, :obj:`pos`, and the Python tuples :obj:`grid_size` and
:obj:`patch_size`; see :func:`image_graph`.

A skeleton graph is a :class:`~torch_geometric.data.Data` whose nodes are the joints of a skeleton
sequence in the order person, frame, joint, with :obj:`x`, :obj:`pos`, the Python tuple
:obj:`skeleton_shape`, and its :obj:`layout`; see :func:`skeleton_sequence`.
"""

from pyg_vision.data.convert import image_to_rgb, image_to_tensor
from pyg_vision.data.grid import grid_edge_index, grid_pos, patch_grid
from pyg_vision.data.hops import hop_adjacency
from pyg_vision.data.image import (
    fold_batch,
    fold_images,
    image_graph,
    image_to_patches,
    patches_to_image,
)
from pyg_vision.data.joint_maps import joint_map
from pyg_vision.data.layout import SkeletonLayout
from pyg_vision.data.layouts import skeleton_layout
from pyg_vision.data.partition import (
    SkeletonGraph,
    adjacency_stack,
    num_relations,
    skeleton_graph,
)
from pyg_vision.data.size import Size2D, read_sizes
from pyg_vision.data.skeleton import (
    SkeletonShape,
    dense_to_skeletons,
    skeleton_sequence,
    skeletons_to_dense,
)
from pyg_vision.data.tracks import Spacing, Tracks
from pyg_vision.data.writers import write_skeleton

__all__ = [
    "Size2D",
    "fold_batch",
    "fold_images",
    "grid_edge_index",
    "grid_pos",
    "image_graph",
    "image_to_patches",
    "image_to_rgb",
    "image_to_tensor",
    "patch_grid",
    "patches_to_image",
    "read_sizes",
    "SkeletonLayout",
    "skeleton_layout",
    "SkeletonGraph",
    "skeleton_graph",
    "adjacency_stack",
    "hop_adjacency",
    "joint_map",
    "write_skeleton",
    "num_relations",
    "SkeletonShape",
    "Spacing",
    "skeleton_sequence",
    "skeletons_to_dense",
    "dense_to_skeletons",
    "Tracks",
]
