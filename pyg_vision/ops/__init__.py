r"""Operators on tensors: graph construction and aggregation."""

from pyg_vision.ops.knn import knn
from pyg_vision.ops.knn_graph import knn_graph
from pyg_vision.ops.max_relative import max_relative
from pyg_vision.ops.neighbor_table import NeighborTable
from pyg_vision.ops.relation_plan import RelationGroup, RelationPlan
from pyg_vision.ops.typed_sum import relation_sum, typed_sum

__all__ = [
    "NeighborTable",
    "RelationGroup",
    "RelationPlan",
    "knn",
    "knn_graph",
    "max_relative",
    "relation_sum",
    "typed_sum",
]
