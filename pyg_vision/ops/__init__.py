r"""Operators on tensors: graph construction and aggregation."""

from pyg_vision.ops._knn import knn
from pyg_vision.ops._knn_graph import knn_graph
from pyg_vision.ops._max_relative import max_relative
from pyg_vision.ops._typed_sum import relation_sum, typed_sum
from pyg_vision.ops.neighbor_table import NeighborTable
from pyg_vision.ops.row_bias import RowBias

__all__ = [
    "NeighborTable",
    "RowBias",
    "knn",
    "knn_graph",
    "max_relative",
    "relation_sum",
    "typed_sum",
]
