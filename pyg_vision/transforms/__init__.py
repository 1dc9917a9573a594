r"""Transforms from images to graphs, with PyG's functional names of our own."""

from pyg_vision.transforms.knn_edges import KNNEdges
from pyg_vision.transforms.to_grid_graph import ToGridGraph
from pyg_vision.transforms.to_patch_nodes import ToPatchNodes, ToPixelNodes

__all__ = ["KNNEdges", "ToGridGraph", "ToPatchNodes", "ToPixelNodes"]
