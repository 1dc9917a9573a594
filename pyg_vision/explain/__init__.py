r"""What an image model looked at: the patches that each block listens to, and the pixels that speak
for a class.
"""

from pyg_vision.explain.attribution import attribute
from pyg_vision.explain.block_model import BlockModel
from pyg_vision.explain.listening import BlockGraph, listen

__all__ = ["BlockGraph", "BlockModel", "attribute", "listen"]
