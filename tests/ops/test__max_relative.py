"""`max_relative` against PyG's own scatter, in value and gradient."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric import EdgeIndex
from torch_geometric.utils import (
    scatter,
    to_torch_coo_tensor,
    to_torch_csc_tensor,
    to_torch_csr_tensor,
)

from pyg_vision import set_validation
from pyg_vision.ops import NeighborTable, _neighbor_max, knn, max_relative


def oracle(x_src, x_dst, edge_index):
    """The formula, edge by edge."""
    source, target = edge_index
    difference = x_src[source] - x_dst[target]
    return scatter(difference, target, dim=0, dim_size=x_dst.size(0), reduce="max")


def first_wins(x_src, x_dst, edge_index, grad):
    """The gradient of the sources where the first of equal neighbours takes it all."""
    out = torch.zeros_like(x_src)
    for node in range(x_dst.size(0)):
        sources = edge_index[0][edge_index[1] == node]
        if sources.numel() == 0:
            continue
        for channel in range(x_src.size(1)):
            winner = max(sources.tolist(), key=lambda j: x_src[j, channel].item())
            out[winner, channel] += grad[node, channel]
    return out


def grads(out, inputs, grad):
    return torch.autograd.grad(out, inputs, grad, retain_graph=True)


@given(
    st.integers(1, 3), st.integers(1, 10), st.integers(1, 10), st.integers(1, 5),
    st.integers(1, 4), st.booleans(), st.integers(0, 2**16),
)  # fmt: skip
def test_table(B, N, M, k, C, flat, seed):
    generator = torch.Generator().manual_seed(seed)
    x_src = torch.randn(B, M, C, dtype=torch.double, generator=generator, requires_grad=True)
    x_dst = torch.randn(B, N, C, dtype=torch.double, generator=generator, requires_grad=True)
    table = NeighborTable(torch.randint(0, M, (B, N, k), generator=generator), M)
    pair = (x_src.flatten(0, 1), x_dst.flatten(0, 1))
    expected = oracle(*pair, table.edge_index)
    out = max_relative(pair if flat else (x_src, x_dst), table)
    assert torch.equal(out.view_as(expected), expected)
    grad = torch.randn(expected.shape, dtype=torch.double, generator=generator)
    actual = grads(out, (x_src, x_dst), grad.view_as(out))
    source = first_wins(*pair, table.edge_index, grad).view_as(x_src)
    torch.testing.assert_close(actual[0], source)
    torch.testing.assert_close(actual[1], -grad.view_as(x_dst))


@given(
    st.integers(1, 12), st.integers(0, 40), st.integers(1, 3), st.booleans(), st.integers(0, 2**16)
)  # fmt: skip
def test_edge_index_of_any_degree_and_order(N, E, C, ties, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(N, C, dtype=torch.double, generator=generator)
    x = (x.round() if ties else x).requires_grad_()
    edge_index = torch.randint(0, N, (2, E), generator=generator)
    out = max_relative(x, edge_index)
    assert torch.equal(out, oracle(x, x, edge_index))
    grad = torch.randn(N, C, dtype=torch.double, generator=generator)
    connected = torch.bincount(edge_index[1], minlength=N).view(-1, 1) > 0
    expected = first_wins(x, x, edge_index, grad) - grad * connected
    torch.testing.assert_close(grads(out, x, grad)[0], expected)


def test_isolated_nodes_get_zero_value_and_gradient():
    x = torch.randn(4, 3, dtype=torch.double, requires_grad=True)
    edge_index = torch.tensor([[0, 1], [2, 2]])
    out = max_relative(x, edge_index)
    assert torch.equal(out[[0, 1, 3]], torch.zeros(3, 3, dtype=torch.double))
    grad = grads(out, x, torch.ones_like(out))[0]
    assert torch.equal(grad[3], torch.zeros(3, dtype=torch.double))
    assert torch.equal(max_relative(x, torch.empty(2, 0, dtype=torch.long)), torch.zeros_like(x))


def test_ties_go_to_the_first_in_the_table():
    x = torch.tensor([[1.0], [2.0], [2.0], [0.0]], requires_grad=True)
    for row, winner in (([0, 2, 1], 2), ([1, 2, 0], 1), ([2, 2, 1], 2)):
        out = max_relative((x, x[3:]), NeighborTable(torch.tensor([row]), 4))
        expected = torch.zeros(4, 1)
        expected[winner] = 1
        expected[3] = -1
        assert torch.equal(grads(out, x, torch.ones_like(out))[0], expected)


def test_long_rows_and_many_degrees_agree_with_a_table():
    """Hubs take another path through the arg-max than ordinary nodes."""
    generator = torch.Generator().manual_seed(1)
    degree = torch.cat([torch.arange(0, 40), torch.tensor([65, 130, 700])])
    x = torch.randn(90, 5, dtype=torch.double, generator=generator).mul(2).round()
    target = torch.arange(degree.numel()).repeat_interleave(degree)
    edge_index = torch.stack([torch.randint(0, 90, target.shape, generator=generator), target])
    x_dst = torch.zeros(degree.numel(), 5, dtype=torch.double)
    x.requires_grad_()
    out = max_relative((x, x_dst), edge_index)
    assert torch.equal(out, oracle(x, x_dst, edge_index))
    grad = torch.randn(out.shape, dtype=torch.double, generator=generator)
    torch.testing.assert_close(
        grads(out, x, grad)[0], first_wins(x, x_dst, edge_index, grad), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("make", [to_torch_csr_tensor, to_torch_coo_tensor, to_torch_csc_tensor])
def test_sparse_matrices_are_transposed_adjacencies(make):
    edge_index = torch.tensor([[0, 1, 2, 0], [1, 0, 1, 3]])
    x_src, x_dst = torch.randn(3, 2), torch.randn(4, 2)
    adj_t = make(edge_index.flip(0), size=(4, 3))
    expected = max_relative((x_src, x_dst), edge_index)
    assert torch.equal(max_relative((x_src, x_dst), adj_t), expected)
    with pytest.raises(ValueError, match=r"transposed.*\[4, 3\].*\[3, 4\]"):
        max_relative((x_src, x_dst), make(edge_index, size=(3, 4)))


def test_edge_index_class_sorted_or_not():
    raw = torch.tensor([[0, 1, 2, 0], [1, 0, 1, 2]])
    x = torch.randn(3, 2)
    expected = max_relative(x, raw)
    assert torch.equal(max_relative(x, EdgeIndex(raw, sparse_size=(3, 3))), expected)
    by_target = EdgeIndex(raw, sparse_size=(3, 3)).sort_by("col").values
    assert torch.equal(max_relative(x, by_target), expected)


def test_several_signals_on_one_graph():
    x = torch.randn(3, 7, 2, dtype=torch.double)
    edge_index = torch.randint(0, 7, (2, 20))
    table = knn(x[0], 3)
    for graph in (edge_index, table):
        out = max_relative(x, graph)
        assert torch.equal(out, torch.stack([max_relative(signal, graph) for signal in x]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_precisions(dtype):
    x = torch.randn(2, 30, 8).to(dtype).requires_grad_()
    table = knn(x, 5)
    out = max_relative(x, table)
    assert out.dtype == dtype
    flat = x.flatten(0, 1)
    assert torch.equal(out.flatten(0, 1), oracle(flat, flat, table.edge_index))
    grad = torch.ones_like(out)
    expected = first_wins(flat, flat, table.edge_index, grad.flatten(0, 1).double()) - 1
    actual = grads(out, x, grad)[0].flatten(0, 1)
    torch.testing.assert_close(actual.double(), expected.double(), rtol=1e-2, atol=1e-1)


def test_gradcheck():
    x = torch.randn(8, 3, dtype=torch.double, requires_grad=True)
    table, edge_index = knn(x, 3), torch.randint(0, 8, (2, 15))
    for graph in (table, edge_index):
        assert torch.autograd.gradcheck(lambda x, g=graph: max_relative(x, g), x)
        assert torch.autograd.gradgradcheck(lambda x, g=graph: max_relative(x, g), x)


def test_opcheck():
    x = torch.randn(9, 3, requires_grad=True)
    table = torch.randint(0, 9, (7, 4))
    rowptr, col = torch.tensor([0, 2, 2, 5]), torch.randint(0, 9, (5,))
    for index, pointers in ((table, None), (col, rowptr)):
        ops = torch.ops.pyg_vision
        torch.library.opcheck(ops.neighbor_max.default, (x, index, pointers, True))
        out, arg = _neighbor_max.neighbor_max(x.detach(), index, pointers, True)
        value = torch.randn(9, 3)
        torch.library.opcheck(
            ops.neighbor_max_gather.default, (value, x.detach(), out, index, pointers)
        )
        turned = torch.randn(3, 9).t().requires_grad_()
        torch.library.opcheck(ops.neighbor_max.default, (turned, index, pointers, True))
        grad = torch.randn_like(out).requires_grad_()
        for value in (x.detach(), turned.detach()):
            arguments = (grad, value, out, arg, index, pointers)
            torch.library.opcheck(ops.neighbor_max_backward.default, arguments)


@pytest.mark.parametrize("form", ["table", "edges"])
def test_compiles_without_graph_break(form):
    x = torch.randn(2, 20, 4, requires_grad=True)
    table = knn(x, 3)

    def loss(x):
        if form == "table":
            return max_relative(x, table).square().sum()
        return max_relative(x.flatten(0, 1), table.edge_index).square().sum()

    expected = grads(loss(x), x, None)[0]
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(grads(compiled(x), x, None)[0], expected)


def test_makes_no_tensor_of_edges():
    class Largest(torch.utils._python_dispatch.TorchDispatchMode):
        numel = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor) and out.layout == torch.strided:
                self.numel = max(self.numel, out.numel())
            return out

    x, index = torch.randn(500, 32), torch.randint(0, 500, (500, 9))
    rowptr = torch.arange(0, 4501, 9)
    none = torch.empty(0, dtype=torch.uint8)
    with Largest() as largest:
        out = _neighbor_max._max_cpu(x, index, None)
        for graph in ((index, None), (index.view(-1), rowptr)):
            _neighbor_max.neighbor_max_backward._init_fn(torch.ones_like(x), x, out, none, *graph)
            _neighbor_max.neighbor_max_gather._init_fn(x, x, out, *graph)
    assert largest.numel <= x.numel()


def test_size_of_an_edge_index_is_checked():
    edges = EdgeIndex(torch.tensor([[0, 1], [1, 2]]), sparse_size=(3, 3))
    with pytest.raises(ValueError, match=r"\(3, 3\) does not fit 5 sources and 5"):
        max_relative(torch.randn(5, 2), edges)


def test_is_deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        x = torch.randn(50, 8, requires_grad=True)
        table = knn(x, 5)
        grad = torch.randn(50, 8)
        first = grads(max_relative(x, table), x, grad)[0]
        assert torch.equal(grads(max_relative(x, table), x, grad)[0], first)
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(
    ("options", "cases"), [((), 12), pytest.param(("--all",), 36, marks=pytest.mark.slow)]
)
def test_triton_kernels_in_the_interpreter(options, cases):
    probe = Path(__file__).with_name("triton_probe.py")
    command = [sys.executable, "-W", "ignore", str(probe), *options]
    run = subprocess.run(command, capture_output=True, text=True, cwd=probe.parents[2])
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("agrees:") == cases
    assert run.stdout.count("stays in range") == 1


@pytest.mark.cuda
@pytest.mark.parametrize("dtype", [torch.double, torch.float, torch.float16, torch.bfloat16])
def test_gpu_equals_cpu(dtype):
    x = torch.randn(4, 50, 24, dtype=torch.double).to(dtype)
    table, edge_index = knn(x, 6), torch.randint(0, 200, (2, 900))
    grad = torch.randn(4, 50, 24, dtype=torch.double).to(dtype)
    for deterministic in (False, True):
        torch.use_deterministic_algorithms(deterministic)
        try:
            on = {}
            for device in ("cpu", "cuda"):
                y = x.to(device).requires_grad_()
                out = max_relative(y, table.to(device))
                flat = max_relative(y.flatten(0, 1), edge_index.to(device)).view_as(out)
                both = grads(out + flat, y, grad.to(device))[0]
                on[device] = (out.cpu(), flat.cpu(), both.cpu())
        finally:
            torch.use_deterministic_algorithms(False)
        assert torch.equal(on["cuda"][0], on["cpu"][0])
        assert torch.equal(on["cuda"][1], on["cpu"][1])
        tolerance = {torch.double: 1e-12, torch.float: 1e-5}.get(dtype, 5e-2)
        torch.testing.assert_close(on["cuda"][2], on["cpu"][2], rtol=tolerance, atol=tolerance)


def test_32_bit_indices():
    x = torch.randn(6, 3)
    table = knn(x, 2)
    narrow = NeighborTable(table.index.int(), 6)
    assert torch.equal(max_relative(x, narrow), max_relative(x, table))
    assert torch.equal(max_relative(x, table.edge_index.int()), max_relative(x, table))


@pytest.mark.parametrize("validate", [True, False])
def test_edges_without_a_source_are_named(validate):
    nothing, x = torch.empty(0, 3), torch.randn(2, 3)
    with set_validation(validate):
        with pytest.raises(ValueError, match="no node to point to"):
            max_relative((nothing, x), torch.tensor([[0, 1], [0, 1]]))
        with pytest.raises(ValueError, match="no node to point to"):
            max_relative((nothing, x), NeighborTable(torch.zeros(2, 1).long(), 0))
        assert torch.equal(max_relative((nothing, x), torch.empty(2, 0).long()), 0 * x)


@pytest.mark.ext  # the default compiler needs a C++ compiler, as the extensions do
def test_gradient_under_the_default_compiler():
    x = torch.randn(2, 4, 20)  # node-major only as a view
    table = knn(x.mT, 3)

    def loss(x):
        return max_relative(x.transpose(1, 2), table).square().sum()

    x.requires_grad_()
    compiled = torch.compile(loss, fullgraph=True)
    torch.testing.assert_close(grads(compiled(x), x, None)[0], grads(loss(x), x, None)[0])


X = torch.randn(5, 3)
EDGES = torch.tensor([[0, 1], [1, 2]])


@pytest.mark.parametrize(
    ("x", "graph", "error", "message"),
    [
        (X.long(), EDGES, TypeError, "floating-point"),
        (X[0], EDGES, ValueError, "2 or 3 dimensions"),
        (X, EDGES.float(), TypeError, "int64 or int32.*float32"),
        (X, EDGES[0], ValueError, r"\[2, num_edges\].*\[2\]"),
        (X, "graph", TypeError, "NeighborTable, an edge_index.*'str'"),
        (X, EDGES + 4, ValueError, "5 nodes"),
        (X, EDGES - 1, ValueError, "from -1"),
        (X, EDGES.to("meta"), ValueError, "must be on cpu"),
        (X, NeighborTable(torch.zeros(4, 2).long(), 5), ValueError, r"\[4, 2\].*does not fit"),
        (X, NeighborTable(torch.zeros(5, 2).long(), 6), ValueError, "over 6 sources"),
        (X, NeighborTable(torch.full((5, 2), 5), 5), ValueError, "neighbors.index.*from 5 to 5"),
        (X, NeighborTable(torch.zeros(5, 0).long(), 5), ValueError, "k >= 1"),
        (X[None], NeighborTable(torch.zeros(2, 5, 2).long(), 5), ValueError, "does not fit"),
        ((X, X.double()), EDGES, TypeError, "float32 and torch.float64"),
        ((X, X[:, :2]), EDGES, ValueError, r"\[5, 3\] and \[5, 2\]"),
    ],
)
def test_wrong_arguments_are_named(x, graph, error, message):
    with pytest.raises(error, match=message):
        max_relative(x, graph)


def test_without_validation_nothing_is_read_out_of_range():
    bad = torch.tensor([[-7, 10**9], [3, 5], [0, 1], [0, 1], [0, 1]])
    with set_validation(False):
        x = X.clone().requires_grad_()
        out = max_relative(x, NeighborTable(bad, 5))
        assert torch.equal(out, max_relative(x, NeighborTable(bad.clamp(0, 4), 5)))
        assert grads(out, x, torch.ones_like(out))[0].isfinite().all()
        edges = torch.stack([bad.view(-1), torch.arange(5).repeat_interleave(2)])
        assert torch.equal(max_relative(x, edges), out)
