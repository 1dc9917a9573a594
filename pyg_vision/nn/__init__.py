r"""Graph layers, blocks and models."""

from pyg_vision.nn.blocks.ffn import FFN
from pyg_vision.nn.blocks.graph_mixer import GraphMixer
from pyg_vision.nn.blocks.graph_unit import GraphUnit, SpaceTimeBlock
from pyg_vision.nn.blocks.grapher import Grapher
from pyg_vision.nn.blocks.grapher2d import Grapher2d
from pyg_vision.nn.blocks.inverted_residual import InvertedResidual
from pyg_vision.nn.blocks.msg3d_block import MSG3DBlock, WindowGraphConv
from pyg_vision.nn.blocks.stem import Stem
from pyg_vision.nn.blocks.stgcn_block import STGCNBlock
from pyg_vision.nn.conv.adaptive_graph_conv import AdaptiveGraphConv
from pyg_vision.nn.conv.channel_topology_conv import ChannelTopologyConv
from pyg_vision.nn.conv.dynamic_graph_conv import DynamicGraphConv
from pyg_vision.nn.conv.gated_mr_conv import GatedMRConv
from pyg_vision.nn.conv.hop_graph_conv import HopGraphConv
from pyg_vision.nn.conv.learned_graph_conv import LearnedGraphConv
from pyg_vision.nn.conv.mr_conv import MRConv
from pyg_vision.nn.conv.relation_plan import RelationGroup, RelationPlan
from pyg_vision.nn.conv.relative_attention import RelativeAttention
from pyg_vision.nn.conv.spatial_graph_conv import SpatialGraphConv
from pyg_vision.nn.conv.vig_edge_conv import ViGEdgeConv
from pyg_vision.nn.conv.vig_gin_conv import ViGGINConv
from pyg_vision.nn.conv.vig_sage_conv import ViGSAGEConv
from pyg_vision.nn.dense.dense_adaptive import DenseAdaptiveGraphConv, DenseSkeletonAttention
from pyg_vision.nn.dense.dense_blocks import DenseFFN, DenseGrapher
from pyg_vision.nn.dense.dense_channel_topology import DenseChannelTopologyConv
from pyg_vision.nn.dense.dense_conv import (
    DenseMRConv,
    DenseViGEdgeConv,
    DenseViGGINConv,
    DenseViGSAGEConv,
)
from pyg_vision.nn.dense.dense_dynamic import DenseDynamicGraphConv
from pyg_vision.nn.dense.dense_graph import DenseDilatedKNNGraph
from pyg_vision.nn.dense.dense_msg3d_block import DenseMSG3DBlock, DenseWindowGraphConv
from pyg_vision.nn.dense.dense_rules import (
    DenseAxialConv,
    DenseDynamicAxialConv,
    DenseGatedAxialConv,
    DenseGraphMixer,
    DenseRelativeAttention,
)
from pyg_vision.nn.dense.dense_space_time import (
    DenseGraphUnit,
    DenseLearnedGraphConv,
    DenseMultiScaleTemporalConv,
    DenseSpaceTimeBlock,
)
from pyg_vision.nn.dense.dense_spatial_graph_conv import DenseSpatialGraphConv
from pyg_vision.nn.dense.dense_stgcn_block import DenseSTGCNBlock
from pyg_vision.nn.dense.dense_window_mixer import DenseWindowMixer
from pyg_vision.nn.graph.axial_graph import AxialGraph
from pyg_vision.nn.graph.complete_graph import CompleteGraph
from pyg_vision.nn.graph.dilated_knn_graph import DilatedKNNGraph
from pyg_vision.nn.graph.dynamic_axial_graph import DynamicAxialGraph
from pyg_vision.nn.graph.relative_position import RelativePosition
from pyg_vision.nn.graph.windowed_knn_graph import WindowedKNNGraph
from pyg_vision.nn.layers.conditional_position import ConditionalPosition
from pyg_vision.nn.layers.distilled_head import DistilledHead
from pyg_vision.nn.layers.drop_path import DropPath
from pyg_vision.nn.layers.grouped_linear import GroupedLinear
from pyg_vision.nn.layers.layer_scale import LayerScale
from pyg_vision.nn.layers.multi_scale_temporal_conv import MultiScaleTemporalConv
from pyg_vision.nn.layers.person_norm import PersonNorm
from pyg_vision.nn.layers.skeleton_attention import SkeletonAttention
from pyg_vision.nn.layers.streaming_temporal_conv import StreamingFrames, StreamingMultiScaleConv
from pyg_vision.nn.layers.temporal_conv import TemporalConv
from pyg_vision.nn.layers.temporal_max_pool import TemporalMaxPool
from pyg_vision.nn.layers.temporal_windows import TemporalWindows
from pyg_vision.nn.models.adaptive_gcn import AAGCN, AGCN, AAGCN_Weights, AGCN_Weights, aagcn, agcn
from pyg_vision.nn.models.adaptvig import (
    AdaptViG,
    AdaptViG_B_Weights,
    AdaptViG_M_Weights,
    AdaptViG_S_Weights,
    adaptvig_b,
    adaptvig_m,
    adaptvig_s,
)
from pyg_vision.nn.models.ctr_gcn import CTRGCN, CTRGCN_Weights, ctrgcn
from pyg_vision.nn.models.dense_adaptive_gcn import DenseAAGCN, DenseAGCN
from pyg_vision.nn.models.dense_axial_vision_gnns import (
    DenseAdaptViG,
    DenseGreedyViG,
    DenseMobileViG,
    DenseMobileViGv2,
)
from pyg_vision.nn.models.dense_ctr_gcn import DenseCTRGCN
from pyg_vision.nn.models.dense_dg_stgcn import DenseDGSTGCN
from pyg_vision.nn.models.dense_ms_g3d import DenseMSG3D
from pyg_vision.nn.models.dense_pyramid_vig import DensePyramidViG
from pyg_vision.nn.models.dense_st_gcn import DenseSTGCN
from pyg_vision.nn.models.dense_st_gcn_pp import DenseSTGCNPP
from pyg_vision.nn.models.dense_vig import DenseViG
from pyg_vision.nn.models.dense_wignet import DenseWiGNet
from pyg_vision.nn.models.dg_stgcn import DGSTGCN, DGSTGCN_Weights, dgstgcn
from pyg_vision.nn.models.feature_maps import BackboneWithFPN, FeatureMaps
from pyg_vision.nn.models.greedyvig import (
    GreedyViG,
    GreedyViG_B_Weights,
    GreedyViG_M_Weights,
    GreedyViG_S_Weights,
    greedyvig_b,
    greedyvig_m,
    greedyvig_s,
)
from pyg_vision.nn.models.mobilevig import (
    MobileViG,
    MobileViG_B_Weights,
    MobileViG_M_Weights,
    MobileViG_S_Weights,
    MobileViG_Ti_Weights,
    mobilevig_b,
    mobilevig_m,
    mobilevig_s,
    mobilevig_ti,
)
from pyg_vision.nn.models.mobilevigv2 import (
    MobileViGv2,
    MobileViGv2_B_Weights,
    MobileViGv2_M_Weights,
    MobileViGv2_S_Weights,
    MobileViGv2_Ti_Weights,
    mobilevigv2_b,
    mobilevigv2_m,
    mobilevigv2_s,
    mobilevigv2_ti,
)
from pyg_vision.nn.models.ms_g3d import MSG3D, MSG3D_Weights, msg3d
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
from pyg_vision.nn.models.st_gcn import STGCN, STGCN_Weights, stgcn
from pyg_vision.nn.models.st_gcn_pp import STGCNPP, STGCNPP_Weights, stgcnpp
from pyg_vision.nn.models.stage import Stage
from pyg_vision.nn.models.streaming_st_gcn import StreamingState, StreamingSTGCN
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
from pyg_vision.nn.models.wignet import (
    WiGNet,
    WiGNet_B_Weights,
    WiGNet_M_Weights,
    WiGNet_S_Weights,
    WiGNet_Ti_Weights,
    wignet_b,
    wignet_m,
    wignet_s,
    wignet_ti,
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
    "MobileViG",
    "mobilevig_ti",
    "mobilevig_s",
    "mobilevig_m",
    "mobilevig_b",
    "MobileViGv2",
    "mobilevigv2_ti",
    "mobilevigv2_s",
    "mobilevigv2_m",
    "mobilevigv2_b",
    "GreedyViG",
    "greedyvig_s",
    "greedyvig_m",
    "greedyvig_b",
    "AdaptViG",
    "adaptvig_s",
    "adaptvig_m",
    "adaptvig_b",
    "WiGNet",
    "wignet_ti",
    "wignet_s",
    "wignet_m",
    "wignet_b",
    "STGCN",
    "stgcn",
    "STGCNPP",
    "stgcnpp",
    "AGCN",
    "agcn",
    "AAGCN",
    "aagcn",
    "CTRGCN",
    "ctrgcn",
    "DGSTGCN",
    "dgstgcn",
    "MSG3D",
    "msg3d",
    "StreamingSTGCN",
    "StreamingState",
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
    "MobileViG_Ti_Weights",
    "MobileViG_S_Weights",
    "MobileViG_M_Weights",
    "MobileViG_B_Weights",
    "MobileViGv2_Ti_Weights",
    "MobileViGv2_S_Weights",
    "MobileViGv2_M_Weights",
    "MobileViGv2_B_Weights",
    "GreedyViG_S_Weights",
    "GreedyViG_M_Weights",
    "GreedyViG_B_Weights",
    "AdaptViG_S_Weights",
    "AdaptViG_M_Weights",
    "AdaptViG_B_Weights",
    "WiGNet_Ti_Weights",
    "WiGNet_S_Weights",
    "WiGNet_M_Weights",
    "WiGNet_B_Weights",
    "STGCN_Weights",
    "STGCNPP_Weights",
    "AGCN_Weights",
    "AAGCN_Weights",
    "CTRGCN_Weights",
    "DGSTGCN_Weights",
    "MSG3D_Weights",
    "FeatureMaps",
    "BackboneWithFPN",
    "Grapher",
    "Grapher2d",
    "FFN",
    "Stem",
    "STGCNBlock",
    "SpaceTimeBlock",
    "GraphUnit",
    "GraphMixer",
    "InvertedResidual",
    "RelativeAttention",
    "CompleteGraph",
    "ConditionalPosition",
    "DistilledHead",
    "LayerScale",
    "MRConv",
    "GatedMRConv",
    "ViGEdgeConv",
    "ViGSAGEConv",
    "ViGGINConv",
    "SpatialGraphConv",
    "LearnedGraphConv",
    "AdaptiveGraphConv",
    "ChannelTopologyConv",
    "DynamicGraphConv",
    "HopGraphConv",
    "WindowGraphConv",
    "MSG3DBlock",
    "RelationPlan",
    "RelationGroup",
    "GroupedLinear",
    "DilatedKNNGraph",
    "AxialGraph",
    "DynamicAxialGraph",
    "WindowedKNNGraph",
    "RelativePosition",
    "DropPath",
    "StreamingFrames",
    "StreamingMultiScaleConv",
    "TemporalConv",
    "TemporalMaxPool",
    "TemporalWindows",
    "MultiScaleTemporalConv",
    "PersonNorm",
    "SkeletonAttention",
    "DenseMRConv",
    "DenseViGEdgeConv",
    "DenseViGSAGEConv",
    "DenseViGGINConv",
    "DenseDilatedKNNGraph",
    "DenseGrapher",
    "DenseFFN",
    "DenseViG",
    "DensePyramidViG",
    "DenseWiGNet",
    "DenseWindowMixer",
    "DenseMobileViG",
    "DenseMobileViGv2",
    "DenseGreedyViG",
    "DenseAdaptViG",
    "DenseAxialConv",
    "DenseDynamicAxialConv",
    "DenseGatedAxialConv",
    "DenseGraphMixer",
    "DenseRelativeAttention",
    "DenseSpatialGraphConv",
    "DenseSTGCNBlock",
    "DenseSTGCN",
    "DenseSTGCNPP",
    "DenseAGCN",
    "DenseAAGCN",
    "DenseCTRGCN",
    "DenseDGSTGCN",
    "DenseMSG3D",
    "DenseMSG3DBlock",
    "DenseWindowGraphConv",
    "DenseAdaptiveGraphConv",
    "DenseChannelTopologyConv",
    "DenseDynamicGraphConv",
    "DenseSkeletonAttention",
    "DenseSpaceTimeBlock",
    "DenseGraphUnit",
    "DenseLearnedGraphConv",
    "DenseMultiScaleTemporalConv",
]
