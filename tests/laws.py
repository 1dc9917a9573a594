"""The laws of a graph layer, stated once; the test of a layer names those it keeps."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch_geometric import EdgeIndex
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import to_torch_csc_tensor, to_torch_csr_tensor

from pyg_vision.ops import NeighborTable, knn

Make = Callable[..., MessagePassing]


def example(B: int = 2, N: int = 9, C: int = 8, k: int = 3) -> tuple[Tensor, NeighborTable]:
    """Features without ties, and a table over them."""
    x = torch.randn(B, N, C, dtype=torch.double)
    return x, knn(x, k)


def close(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)


def gradients(conv: MessagePassing, out: Tensor, *inputs: Tensor) -> list[Tensor]:
    weight = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)
    return list(torch.autograd.grad((out * weight).sum(), [*inputs, *conv.parameters()]))


def fast_path_is_the_specification(conv: MessagePassing) -> None:
    """Table, edge_index and plain message passing agree in value and gradient."""
    x, table = example()
    x.requires_grad_()
    handle = conv.register_message_forward_hook(lambda *_: None)  # messages must be explicit
    assert not conv.fusible
    expected = conv(x, table)
    wanted = gradients(conv, expected, x)
    handle.remove()
    assert conv.fusible
    flat = x.flatten(0, 1)
    for out in (
        conv(x, table),
        conv(flat, table).view_as(expected),
        conv(flat, table.flatten()).view_as(expected),
        conv(flat, table.edge_index).view_as(expected),
    ):
        close(out, expected)
        for actual, grad in zip(gradients(conv, out, x), wanted, strict=True):
            close(actual, grad)


def every_form_of_a_graph(conv: MessagePassing) -> None:
    x, table = example(B=1, N=12)
    x, edge_index = x[0], table.edge_index
    expected = conv(x, edge_index)
    shuffled = edge_index[:, torch.randperm(edge_index.size(1))]
    forms = [shuffled, EdgeIndex(shuffled, sparse_size=(12, 12))]
    for make in (to_torch_csr_tensor, to_torch_csc_tensor):
        forms.append(make(edge_index.flip(0), size=(12, 12)).double())
    for form in forms:
        close(conv(x, form), expected)
        handle = conv.register_propagate_forward_hook(lambda *_: None)
        close(conv(x, form), expected)
        handle.remove()


def node_permutation_equivariance(conv: MessagePassing) -> None:
    x, table = example(B=1)
    x, edge_index = x[0], table.edge_index
    order = torch.randperm(x.size(0))
    position = order.argsort()
    close(conv(x[order], position[edge_index]), conv(x, edge_index)[order])


def batch_is_one_by_one(conv: MessagePassing) -> None:
    conv.eval()
    x, table = example(B=3)
    expected = torch.stack(
        [conv(x[i], NeighborTable(table.index[i], table.num_sources)) for i in range(3)]
    )
    close(conv(x, table), expected)
    close(conv(x.flatten(0, 1), table.edge_index).view_as(expected), expected)


def static_is_batched(conv: MessagePassing) -> None:
    conv.eval()
    x, table = example(B=1)
    signals = torch.cat([x, torch.randn_like(x), torch.randn_like(x)])
    for graph in (table.edge_index, table.flatten()):
        close(conv(signals, graph), torch.stack([conv(signal, graph) for signal in signals]))


def bipartite_is_square(conv: MessagePassing) -> None:
    x, table = example()
    close(conv((x, x.clone()), table), conv(x, table))
    flat, edge_index = x.flatten(0, 1), table.edge_index
    close(conv((flat, flat.clone()), edge_index), conv(flat, edge_index))
    sources = torch.randn(2, 5, x.size(-1), dtype=x.dtype)
    table = knn(x, 3, sources)
    out = conv((sources, x), table)
    pair = (sources.flatten(0, 1), flat)
    size = (10, x.shape[:2].numel())
    close(conv(pair, table.edge_index, size=size).view_as(out), out)


def compiled_is_eager(conv: MessagePassing) -> None:
    x, table = example()
    flat, edge_index = x.flatten(0, 1), table.edge_index
    for inputs in ((x, table), (flat, edge_index)):
        expected = conv(*inputs)
        compiled = torch.compile(conv, fullgraph=True, backend="aot_eager")
        close(compiled(*inputs), expected)
        torch._dynamo.reset()


def passes_gradcheck(conv: MessagePassing) -> None:
    x, table = example(B=1, N=5)
    x.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: conv(x, table), x)
    edge_index = table.edge_index
    assert torch.autograd.gradcheck(lambda x: conv(x[0], edge_index), x)


def lazy_is_eager(make: Make) -> None:
    x, table = example()
    lazy = make(-1, 12).double()
    shape = lazy(x, table).shape
    eager = make(x.size(-1), 12).double()
    eager.load_state_dict(lazy.state_dict())
    close(eager(x, table), lazy(x, table))
    assert shape == (*x.shape[:-1], 12)
    untouched = make(-1, 12).double()
    untouched.load_state_dict(eager.state_dict())
    close(untouched.eval()(x, table), eager.eval()(x, table))


def generated_propagate_is_its_own(conv: MessagePassing) -> None:
    """PyG falls back silently if it cannot generate code for a layer."""
    cls = type(conv)
    assert conv.propagate.__module__.startswith(f"{cls.__module__}_{cls.__name__}")


ALL = (
    fast_path_is_the_specification,
    every_form_of_a_graph,
    node_permutation_equivariance,
    batch_is_one_by_one,
    static_is_batched,
    bipartite_is_square,
    compiled_is_eager,
    passes_gradcheck,
    generated_propagate_is_its_own,
)


def cases(*options: dict) -> pytest.MarkDecorator:
    """Every law for every set of options; compiling all but the first is slow."""
    return pytest.mark.parametrize(
        ("law", "options"),
        [
            pytest.param(
                law,
                chosen,
                id=f"{law.__name__}-options{i}",
                marks=[pytest.mark.slow] if i > 0 and law is compiled_is_eager else [],
            )
            for i, chosen in enumerate(options)
            for law in ALL
        ],
    )
