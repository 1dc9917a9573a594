"""ViG's graph block: linear, graph, max-relative convolution, linear."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from pyg_vision._benchmarks.baselines.vig import BestGrapher
from pyg_vision._benchmarks.core import BEST, DENSE, SPARSE, Case, Options, Suite, Trial, extension
from pyg_vision._benchmarks.suites import _modules
from pyg_vision._benchmarks.suites._modules import Entry, share_state
from pyg_vision.nn import DenseGrapher, Grapher


def cases(quick: bool) -> list[Case]:
    nodes = (64, 196, 784) if quick else (64, 196, 784, 3136, 12544)
    shapes = [(1, n, 192, 9, 1) for n in nodes] + [(8, 196, 192, 9, 1)]
    if not quick:
        shapes += [(8, 196, 192, 18, 3), (8, 196, 320, 9, 1), (8, 196, 640, 9, 1)]
        shapes += [(8, 784, 192, 9, 1), (32, 196, 192, 9, 1)]
    return [Case(mode, *shape) for mode in ("forward", "training") for shape in shapes]


def trial(case: Case, options: Options) -> Trial:
    side = round(case.nodes**0.5)
    x = torch.randn(case.batch, case.nodes, case.channels, device=options.device)
    grad = torch.randn_like(x)

    arguments = (case.channels, case.k, case.dilation)
    ours = Grapher(*arguments)
    dense, best = DenseGrapher(*arguments), BestGrapher(*arguments)
    share_state(ours, dense, best)
    nodes = {BEST: best, SPARSE: ours}
    if extension("torch_cluster") is not None:
        clustered = Grapher(*arguments, knn_backend="torch_cluster")
        share_state(ours, clustered)
        nodes["torch_cluster"] = clustered
    with torch.no_grad():
        exact = Grapher(*arguments).double()
        share_state(ours, exact)
        _, neighbors = exact.to(x.device)(x.double(), return_graph=True)

    def to_maps(x: Tensor) -> Tensor:
        return x.transpose(1, 2).reshape(*x.shape[::2], side, side).contiguous()

    def from_maps(x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)

    def backward(grad: Tensor, out: Tensor) -> None:
        torch.autograd.backward(out, grad.to(out.dtype))

    maps, given = to_maps(x), {"neighbors": neighbors}
    entries = {
        DENSE: Entry(
            dense.to(x.device),
            maps,
            maps,
            given,
            from_maps,
            partial(backward, to_maps(grad)),
            max(3 * 4 * case.batch * case.nodes**2, 3 * case.k * x.nbytes),
        )
    }
    for name, module in nodes.items():
        entries[name] = Entry(
            module.to(x.device),
            x,
            x,
            given,
            torch.clone,
            partial(backward, grad),
            4 * case.batch * case.nodes**2 if name == BEST else 0,
        )
    training = case.mode == "training"
    contenders = [
        _modules.contender(name, entry, training, options) for name, entry in entries.items()
    ]
    return Trial(contenders, _modules.compare(training, options))


SUITE = Suite(
    name="grapher",
    title="ViG's graph block",
    notes=(
        "forward: evaluation mode without gradients. training: forward and backward in training "
        "mode. dense works on maps as published; dense-best shares the node-major layout of ours "
        "and differs in the graph operators alone.",
        _modules.AGREEMENT_NOTE,
    ),
    cases=cases,
    trial=trial,
)
