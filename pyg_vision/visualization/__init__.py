r"""Drawings of graphs. Nothing here is imported with the package, and matplotlib only to draw."""

from pyg_vision.visualization.attribution import draw_attribution
from pyg_vision.visualization.block_graphs import draw_block_graphs
from pyg_vision.visualization.image_graph import draw_image_graph, draw_vig_graphs
from pyg_vision.visualization.skeleton_animation import animate_skeleton
from pyg_vision.visualization.skeleton_graph import draw_skeleton
from pyg_vision.visualization.skeleton_overlay import SkeletonOverlay

__all__ = [
    "SkeletonOverlay",
    "animate_skeleton",
    "draw_attribution",
    "draw_block_graphs",
    "draw_image_graph",
    "draw_skeleton",
    "draw_vig_graphs",
]
