r"""Checkpoints of ST-GCN, from yysijie/st-gcn, and from pyskl and mmaction2."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import Module

from pyg_vision.data.partition import SkeletonGraph, adjacency_stack
from pyg_vision.nn.models.st_gcn import STGCN
from pyg_vision.nn.models.two_stream import TwoStream
from pyg_vision.weights._family import Family, flatten_1x1

_STREAM = r"^((?:origin|motion)_stream\.)?"
_PYSKL = r"^backbone\.gcn\.(\d+)\."


def _fit(name: str, value: Tensor, own: Tensor) -> Tensor | None:
    value = flatten_1x1(value, own)
    if ".gcn." in name and value.numel() == own.numel():
        # A 1x1 convolution to all relations: [R * out, in, 1, 1] to [R, in, out].
        if own.dim() == 3 and value.shape[1:] == (own.size(1), 1, 1):
            value = value.flatten(1).view(own.size(0), own.size(2), own.size(1)).mT
        elif own.dim() == 2 and value.dim() == 1:
            value = value.view(own.shape)
    return value if value.shape == own.shape else None


def _adjacency(model: Module) -> Mapping[str, Tensor]:
    r"""The graph is no parameter of ours, but a checkpoint of another one would not fit."""
    one = model.origin_stream if isinstance(model, TwoStream) else model
    assert isinstance(one, STGCN)
    graph = SkeletonGraph(one.edge_index, one.edge_type, one.edge_weight.float())
    adj = adjacency_stack(graph, one.num_relations, one.layout.num_joints).cpu()
    return {_STREAM + r"A$": adj, _PYSKL + r"gcn\.A$": adj}


ST_GCN = Family(
    rules=(
        (_STREAM + r"data_bn\.", r"\1data_bn."),
        (_STREAM + r"st_gcn_networks\.(\d+)\.gcn\.conv\.", r"\1blocks.\2.gcn."),
        (_STREAM + r"st_gcn_networks\.(\d+)\.(tcn|residual)\.", r"\1blocks.\2.\3."),
        (_STREAM + r"edge_importance\.(\d+)$", r"\1edge_importance.\2"),
        (_STREAM + r"fcn\.", r"\1fcn."),
        (r"^backbone\.data_bn\.", "data_bn."),
        (_PYSKL + r"gcn\.conv\.", r"blocks.\1.gcn."),
        (_PYSKL + r"gcn\.bn\.", r"blocks.\1.tcn.0."),
        (_PYSKL + r"gcn\.PA$", r"edge_importance.\1"),
        (_PYSKL + r"tcn\.conv\.", r"blocks.\1.tcn.2."),
        (_PYSKL + r"tcn\.bn\.", r"blocks.\1.tcn.3."),
        (_PYSKL + r"residual\.conv\.", r"blocks.\1.residual.0."),
        (_PYSKL + r"residual\.bn\.", r"blocks.\1.residual.1."),
        (r"^cls_head\.(?:fc_cls|fc)\.", "fcn."),
    ),
    fit=_fit,
    constants=_adjacency,
)
