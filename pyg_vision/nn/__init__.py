r"""Graph layers, blocks and models."""

from pyg_vision.nn.blocks.ffn import FFN
from pyg_vision.nn.blocks.grapher import Grapher
from pyg_vision.nn.blocks.grapher2d import Grapher2d
from pyg_vision.nn.blocks.stem import Stem
from pyg_vision.nn.blocks.stgcn_block import STGCNBlock
from pyg_vision.nn.conv.mr_conv import MRConv
from pyg_vision.nn.conv.relation_plan import RelationGroup, RelationPlan
from pyg_vision.nn.conv.spatial_graph_conv import SpatialGraphConv
from pyg_vision.nn.conv.vig_edge_conv import ViGEdgeConv
from pyg_vision.nn.conv.vig_gin_conv import ViGGINConv
from pyg_vision.nn.conv.vig_sage_conv import ViGSAGEConv
from pyg_vision.nn.dense.dense_blocks import DenseFFN, DenseGrapher
from pyg_vision.nn.dense.dense_conv import (
    DenseMRConv,
    DenseViGEdgeConv,
    DenseViGGINConv,
    DenseViGSAGEConv,
)
from pyg_vision.nn.dense.dense_graph import DenseDilatedKNNGraph
from pyg_vision.nn.dense.dense_spatial_graph_conv import DenseSpatialGraphConv
from pyg_vision.nn.dense.dense_stgcn_block import DenseSTGCNBlock
from pyg_vision.nn.graph.dilated_knn_graph import DilatedKNNGraph
from pyg_vision.nn.graph.relative_position import RelativePosition
from pyg_vision.nn.layers.drop_path import DropPath
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.layers.temporal_conv import TemporalConv
from pyg_vision.nn.models.dense_pyramid_vig import DensePyramidViG
from pyg_vision.nn.models.dense_st_gcn import DenseSTGCN
from pyg_vision.nn.models.dense_vig import DenseViG
from pyg_vision.nn.models.feature_maps import BackboneWithFPN, FeatureMaps
from pyg_vision.nn.models.pyramid_vig import (
    PViG_B_Weights,
    PViG_M_Weights,
    PViG_S_Weights,
    PViG_Ti_Weights,
    PyramidViG,
    pvig_b,
    pvig_m,
    pvig_s,
    pvig_ti,
)
from pyg_vision.nn.models.registry import (
    find_builder,
    get_model,
    get_model_weights,
    list_models,
    register_model,
)
from pyg_vision.nn.models.st_gcn import STGCN, Stage, STGCN_Weights, stgcn
from pyg_vision.nn.models.two_stream import TwoStream
from pyg_vision.nn.models.vig import (
    ViG,
    ViG_B_Weights,
    ViG_S_Weights,
    ViG_Ti_Weights,
    vig_b,
    vig_s,
    vig_ti,
)

__all__ = [
    "ViG",
    "vig_ti",
    "vig_s",
    "vig_b",
    "PyramidViG",
    "pvig_ti",
    "pvig_s",
    "pvig_m",
    "pvig_b",
    "STGCN",
    "stgcn",
    "TwoStream",
    "Stage",
    "list_models",
    "find_builder",
    "get_model",
    "get_model_weights",
    "register_model",
    "ViG_Ti_Weights",
    "ViG_S_Weights",
    "ViG_B_Weights",
    "PViG_Ti_Weights",
    "PViG_S_Weights",
    "PViG_M_Weights",
    "PViG_B_Weights",
    "STGCN_Weights",
    "FeatureMaps",
    "BackboneWithFPN",
    "Grapher",
    "Grapher2d",
    "FFN",
    "Stem",
    "STGCNBlock",
    "MRConv",
    "ViGEdgeConv",
    "ViGSAGEConv",
    "ViGGINConv",
    "SpatialGraphConv",
    "RelationPlan",
    "RelationGroup",
    "GroupedLinear",
    "DilatedKNNGraph",
    "RelativePosition",
    "DropPath",
    "TemporalConv",
    "DenseMRConv",
    "DenseViGEdgeConv",
    "DenseViGSAGEConv",
    "DenseViGGINConv",
    "DenseDilatedKNNGraph",
    "DenseGrapher",
    "DenseFFN",
    "DenseViG",
    "DensePyramidViG",
    "DenseSpatialGraphConv",
    "DenseSTGCNBlock",
    "DenseSTGCN",
]
