r"""Pictures of graphs. Nothing here is imported with the package, and matplotlib only to draw."""

from pyg_vision.visualization.image_graph import draw_image_graph, draw_vig_graphs

__all__ = ["draw_image_graph", "draw_vig_graphs"]
