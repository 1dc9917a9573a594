"""The graph convolution of ST-GCN alone."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from pyg_vision._benchmarks.baselines.st_gcn import BestSpatialGraphConv
from pyg_vision._benchmarks.core import (
    BEST,
    DENSE,
    SPARSE,
    Case,
    Options,
    SkeletonCase,
    Suite,
    Trial,
)
from pyg_vision._benchmarks.suites import _modules
from pyg_vision._benchmarks.suites._modules import Entry, share_state
from pyg_vision.data import skeleton_graph
from pyg_vision.data.partition import SkeletonGraph, adjacency_stack
from pyg_vision.nn import DenseSpatialGraphConv, RelationPlan, SpatialGraphConv

RELATIONS = 3
LAYOUTS = {18: "openpose", 25: "ntu", 33: "mediapipe"}


def cases(quick: bool) -> list[Case]:
    shapes = [(4, 150, 18, 64), (4, 75, 18, 128), (4, 38, 18, 256)]
    shapes += [(4, frames, 18, 64) for frames in (50, 300)]
    if not quick:
        shapes += [(4, 150, joints, 64) for joints in (25, 33)]
        shapes += [(32, 150, 18, 64), (32, 75, 25, 128), (4, 1000, 18, 64)]
    return [
        SkeletonCase(mode, b, t * v, c, RELATIONS, frames=t)
        for mode in ("forward", "training")
        for b, t, v, c in shapes
    ]


def trial(case: Case, options: Options) -> Trial:
    assert isinstance(case, SkeletonCase)
    joints, device = case.joints, options.device
    graph = skeleton_graph(LAYOUTS[joints], "stgcn", dtype=torch.float)
    graph = SkeletonGraph(*(value.to(device) for value in graph))
    adj = adjacency_stack(graph, RELATIONS, joints)
    plan = RelationPlan(graph.edge_index, graph.edge_type, RELATIONS, joints)
    sizes = (case.channels, case.channels, RELATIONS)
    ours = SpatialGraphConv(*sizes)
    dense, best = DenseSpatialGraphConv(*sizes), BestSpatialGraphConv(*sizes)
    share_state(ours, dense, best)

    x = torch.randn(case.batch * case.frames, joints, case.channels, device=device)
    grad = torch.randn_like(x)
    maps = _to_maps(x, case)
    edges = graph._asdict()
    entries = {
        DENSE: _entry(_Given(dense, adj=adj), maps, _to_maps(grad, case), _from_maps),
        BEST: _entry(_Given(best, **edges), x, grad, torch.clone),
        SPARSE: _entry(_Given(ours, **edges, plan=plan), x, grad, torch.clone),
    }
    training = case.mode == "training"
    for entry in entries.values():
        entry.module.to(device)
    contenders = [
        _modules.contender(name, entry, training, options) for name, entry in entries.items()
    ]
    return Trial(contenders, _modules.compare(training, options))


class _Given(torch.nn.Module):
    """A convolution together with the graph that it is timed on; a check in float64 casts both."""

    def __init__(self, conv: torch.nn.Module, **given: Any) -> None:
        super().__init__()
        self.conv = conv
        self.given = given

    def forward(self, x: Tensor) -> Tensor:
        given = {
            name: value.to(x.dtype)
            if isinstance(value, Tensor) and value.is_floating_point()
            else value
            for name, value in self.given.items()
        }
        out: Tensor = self.conv(x, **given)
        return out


def _entry(module: _Given, x: Tensor, grad: Tensor, from_layout: Any) -> Entry:
    x.requires_grad_()

    def backward(grad: Tensor, out: Tensor) -> None:
        torch.autograd.backward(out, grad.to(out.dtype))
        x.grad = None

    return Entry(module, x, x, {}, from_layout, partial(backward, grad))


def _to_maps(x: Tensor, case: SkeletonCase) -> Tensor:
    maps = x.view(case.batch, case.frames, case.joints, -1).permute(0, 3, 1, 2)
    return maps.contiguous().detach()


def _from_maps(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).flatten(0, 1)


SUITE = Suite(
    name="spatial_conv",
    title="typed graph convolution of skeletons",
    notes=(
        "forward: without gradients. training: forward and backward, to features and parameters. "
        "The graph is the published spatial partition; C channels in and out, three relations.",
        "dense is the 1x1 convolution and einsum as published; dense-best shares the layout and "
        "the linear map of ours, and multiplies every frame with one dense matrix.",
        f"{_modules.SAME_STATE}.",
    ),
    cases=cases,
    trial=trial,
    case_type=SkeletonCase,
)
