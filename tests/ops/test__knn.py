"""`knn` against one readable oracle: all distances in float64, sorted."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from pyg_vision import set_validation
from pyg_vision.ops import _knn_ragged, _knn_search, _rank, knn
from pyg_vision.ops._knn_query import AS_ANY, EXCLUDED, FIRST


def oracle(x, y, k, dilation=1, bias=None, mask=None, loop=True, metric="euclidean"):
    """The definition, for one graph or equal-size graphs, on inputs without ties."""
    x, y = x.double(), y.double()
    if metric == "cosine":
        x, y = (v / v.norm(dim=-1, keepdim=True) for v in (x, y))
        dist = 1 - x @ y.mT
    else:
        dist = (x.unsqueeze(-2) - y.unsqueeze(-3)).square().sum(-1)
    if bias is not None:
        dist = dist + bias
    if mask is not None:
        dist = dist.masked_fill(~mask, float("inf"))
    if not loop:
        dist = dist + torch.diag(torch.full((x.size(-2),), float("inf"))).nan_to_num(nan=0.0)
    return dist.argsort(dim=-1)[..., : k * dilation : dilation]


@given(
    st.integers(1, 3), st.integers(2, 14), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3),
    st.booleans(), st.booleans(), st.sampled_from(["euclidean", "cosine"]),
    st.sampled_from(["none", "shared", "each"]), st.integers(0, 2**16),
)  # fmt: skip
def test_equals_the_definition(B, N, C, k, d, loop, square, metric, bias, seed):
    generator = torch.Generator().manual_seed(seed)
    loop = loop or not square
    M = N if square else N + 3
    if k * d > M - (0 if loop else 1):
        return
    x = torch.randn(B, N, C, dtype=torch.double, generator=generator)
    y = x if square else torch.randn(B, M, C, dtype=torch.double, generator=generator)
    if metric == "cosine" and C == 1:
        return  # one channel has two directions only: all ties
    shape = {"none": None, "shared": (N, M), "each": (B, N, M)}[bias]
    b = None if shape is None else torch.randn(shape, dtype=torch.double, generator=generator)
    table = knn(
        x, k, None if square else y, bias=b, dilation=d, loop=loop, metric=metric, memory_budget=200
    )
    assert table.num_sources == M
    assert torch.equal(table.index, oracle(x, y, k, d, b, loop=loop, metric=metric))
    single = knn(
        x[0], k, None if square else y[0], dilation=d, loop=loop, metric=metric,
        bias=None if b is None else (b if b.dim() == 2 else b[0]),
    )  # fmt: skip
    assert torch.equal(single.index, table.index[0])


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 4), st.integers(1, 2),
    st.booleans(), st.booleans(), st.booleans(), st.integers(0, 2**16),
)  # fmt: skip
def test_ragged_batch_equals_one_by_one(sizes, k, d, loop, bipartite, biased, seed):
    generator = torch.Generator().manual_seed(seed)
    loop = loop or bipartite
    sources = [n % 5 + 1 for n in sizes] if bipartite else sizes
    longest, widest = max(sizes), max(sources)
    x = torch.randn(sum(sizes), 3, dtype=torch.double, generator=generator)
    y = torch.randn(sum(sources), 3, dtype=torch.double, generator=generator)
    bias = torch.randn(longest, widest, dtype=torch.double, generator=generator)
    options = {"dilation": d, "loop": loop, "small_graphs": "self"}
    alone, start, offset = [], 0, 0
    for n, m in zip(sizes, sources, strict=True):
        table = knn(
            x[start : start + n], k, y[offset : offset + m] if bipartite else None,
            bias=bias[:n, :m] if biased else None, **options,
        )  # fmt: skip
        alone.append(table.index + (offset if bipartite else start))
        start, offset = start + n, offset + m
    expected = torch.cat(alone)
    graphs = torch.arange(len(sizes))
    batch = graphs.repeat_interleave(torch.tensor(sizes))
    batch_y = graphs.repeat_interleave(torch.tensor(sources)) if bipartite else None
    arguments = {
        "batch": batch, "batch_sources": batch_y, "bias": bias if biased else None, **options
    }  # fmt: skip
    table = knn(x, k, y if bipartite else None, **arguments)
    assert torch.equal(table.index, expected)
    if biased:
        arguments["bias"] = lambda start, end: bias[start:end]
        assert torch.equal(knn(x, k, y if bipartite else None, **arguments).index, expected)
        # A matrix for each graph, and larger than any needs.
        arguments["bias"] = torch.nn.functional.pad(bias, (0, 2, 0, 1)).repeat(len(sizes), 1, 1)
        assert torch.equal(knn(x, k, y if bipartite else None, **arguments).index, expected)

    # The padded path, which a GPU takes, has the same result without reading any size.
    ragged = _knn_ragged.Ragged.make(
        x, y if bipartite else None, batch, batch_y, None, None, len(sizes), None
    )
    padded = _knn_ragged.Ragged(
        ragged.ptr, ragged.ptr_sources, None, (longest, longest if not bipartite else widest)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_knn_ragged.Ragged, "make", staticmethod(lambda *_, **__: padded))
        table = knn(x, k, y if bipartite else None, **arguments)
    assert torch.equal(table.index, expected)


def test_ptr_is_as_good_as_batch():
    x = torch.randn(9, 4)
    batch = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 1])
    expected = knn(x, 3, batch=batch).index
    assert torch.equal(knn(x, 3, ptr=torch.tensor([0, 4, 9])).index, expected)
    assert torch.equal(knn(x, 3, batch=batch, batch_size=2, max_num_nodes=5).index, expected)


def test_bias_and_mask_of_each_graph_in_a_batch():
    sizes = [5, 7, 5]
    batch = torch.arange(3).repeat_interleave(torch.tensor(sizes))
    x = torch.randn(17, 3, dtype=torch.double)
    bias = torch.randn(3, 7, 7, dtype=torch.double)
    mask = torch.rand(3, 7, 7) < 0.6
    mask[..., :3] = True
    parts = x.split(sizes)
    expected = [
        oracle(part, part, 3, bias=bias[i, :n, :n], mask=mask[i, :n, :n]) + start
        for i, (part, n, start) in enumerate(zip(parts, sizes, (0, 5, 12), strict=True))
    ]
    for form in (bias, lambda start, end: bias[:, start:end]):
        table = knn(x, 3, batch=batch, bias=form, mask=mask)
        assert torch.equal(table.index, torch.cat(expected))


def test_bias_function_and_mask_together():
    x = torch.randn(2, 20, 3, dtype=torch.double)
    bias, mask = torch.randn(20, 20, dtype=torch.double), torch.rand(2, 20, 20) < 0.6
    mask[..., :4] = True
    table = knn(x, 3, bias=lambda start, end: bias[start:end], mask=mask, memory_budget=5000)
    assert torch.equal(table.index, oracle(x, x, 3, bias=bias, mask=mask))


def test_bipartite_columns_are_filled_with_the_nearest_source():
    x, y = torch.tensor([[0.0]]), torch.tensor([[5.0], [1.0]])
    assert knn(x, 3, y, small_graphs="self").index.tolist() == [[1, 0, 1]]
    for seed in range(10):
        torch.manual_seed(seed)
        index = knn(x, 2, y, dilation=3, epsilon=1.0, training=True, small_graphs="self").index
        assert set(index.view(-1).tolist()) <= {0, 1}
        assert index[0, 1] in (0, 1)


def test_zero_vectors_have_no_similarity():
    x = torch.tensor([[1.0, 0.0]])
    sources = torch.tensor([[0.0, 0.0], [0.4, 0.9165], [-1.0, 0.0]])
    assert knn(x, 3, sources, metric="cosine").index.tolist() == [[1, 0, 2]]


def test_order_of_ties_does_not_depend_on_the_number_of_threads():
    x = torch.randn(100, 4)
    x[50:] = x[:50]
    threads = torch.get_num_threads()
    try:
        results = []
        for number in (1, 2, 5):
            torch.set_num_threads(number)
            results.append(knn(x.repeat(30, 1, 1), 9).index)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])
    assert torch.equal(results[0][0, :50, 0], torch.arange(50))  # the lower of twins first


def test_mask_forbids_edges():
    x = torch.randn(2, 8, 3, dtype=torch.double)
    mask = torch.rand(2, 8, 8) < 0.7
    mask[..., :3] = True
    assert torch.equal(knn(x, 3, mask=mask).index, oracle(x, x, 3, mask=mask))
    assert torch.equal(knn(x, 3, mask=mask[0]).index, oracle(x, x, 3, mask=mask[0]))
    as_bias = torch.zeros(2, 8, 8).masked_fill(~mask, float("inf"))
    assert torch.equal(knn(x, 3, bias=as_bias).index, oracle(x, x, 3, mask=mask))


def test_bias_function_equals_matrix():
    x = torch.randn(2, 30, 3, dtype=torch.double)
    bias = torch.randn(30, 30, dtype=torch.double)
    calls = []

    def block(start, end):
        calls.append((start, end))
        return bias[start:end]

    expected = oracle(x, x, 4, 2, bias, loop=False)
    budget = 2 * 2 * 30 * 8 * 7  # seven rows of distances and of bias
    table = knn(x, 4, bias=block, dilation=2, loop=False, memory_budget=budget)
    assert torch.equal(table.index, expected)
    assert calls == [(0, 7), (7, 14), (14, 21), (21, 28), (28, 30)]


class LargestTensor(TorchDispatchMode):
    nbytes = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for value in out if isinstance(out, tuple | list) else (out,):
            if isinstance(value, torch.Tensor):
                self.nbytes = max(self.nbytes, value.untyped_storage().nbytes())
        return out


def test_distance_matrix_stays_within_the_budget():
    x = torch.randn(3, 200, 2)
    budget = 40_000  # a full matrix takes 480,000 bytes
    with LargestTensor() as largest:
        index = _knn_search.search_blocks(x, None, 3, None, None, None, 0, AS_ANY, False, budget)
    assert torch.equal(index, knn(x, 3).index)
    assert largest.nbytes <= budget


def test_search_without_a_vectorised_sort(monkeypatch):
    x = torch.randn(2, 30, 6)
    expected = knn(x, 5).index
    monkeypatch.setattr(_rank, "sorts_vectorised", lambda: False)
    assert torch.equal(knn(x, 5).index, expected)


def test_large_common_offset_costs_no_precision():
    x = torch.randn(2, 196, 48) + 1e4
    assert torch.equal(knn(x, 9).index, oracle(x, x, 9))
    # Without centring, float32 has no digit left of these distances.
    norm = x.square().sum(-1)
    naive = (norm.unsqueeze(-1) + norm.unsqueeze(-2) - 2 * x @ x.mT).topk(9, largest=False).indices
    assert not torch.equal(naive, oracle(x, x, 9))


def test_offset_in_a_padded_batch():
    x = torch.randn(60, 8) + 1e4
    batch = torch.arange(60) // 25
    count = torch.tensor([25, 25, 10])
    padded = torch.zeros(3, 25, 8)
    padded.view(-1, 8)[:60] = x
    index = _knn_search.knn_search(
        padded, None, 5, None, None, count, 0, FIRST, False, 2**20
    ).flatten(0, 1)[:60]
    assert torch.equal(index + batch.view(-1, 1) * 25, knn(x, 5, batch=batch).index)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_precision_is_float32_whatever_the_setting(dtype):
    x = torch.randn(2, 100, 64)
    expected = knn(x, 9).index
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(knn(x, 9).index, expected)
    previous = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        setting = torch.backends.mkldnn.matmul.fp32_precision
        assert torch.equal(knn(x, 9).index, expected)
        assert torch.backends.mkldnn.matmul.fp32_precision == setting != "ieee"
    finally:
        torch.set_float32_matmul_precision(previous)
    half = x.to(dtype)
    assert torch.equal(knn(half, 9).index, knn(half.float(), 9).index)


def test_reduced_precision_is_off_inside_and_restored(monkeypatch):
    seen = []
    original = torch.baddbmm

    def spy(*args, **kwargs):
        seen.append((torch.backends.mkldnn.matmul.fp32_precision, torch.is_autocast_enabled("cpu")))
        return original(*args, **kwargs)

    monkeypatch.setattr(torch, "baddbmm", spy)
    x = torch.randn(1, 20, 4)
    torch.backends.fp32_precision = "tf32"
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            knn(x, 3)
        assert seen == [("ieee", False)]
        torch.backends.fp32_precision = "ieee"  # what was inherited still is
        assert torch.backends.mkldnn.matmul.fp32_precision == "ieee"
    finally:
        torch.backends.fp32_precision = "none"


def test_self_is_excluded_by_index_not_by_distance():
    x = torch.randn(6, 3).repeat_interleave(2, dim=0)  # every node has a twin at distance 0
    index = knn(x, 1, loop=False).index.view(-1)
    assert index.tolist() == [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10]
    everyone = knn(x, 11, loop=False).index
    assert not (everyone == torch.arange(12).view(-1, 1)).any()


def test_stochastic_dilation():
    x = torch.randn(1, 40, 3, dtype=torch.double)
    reach = oracle(x, x, 12)
    strided = knn(x, 4, dilation=3).index
    assert torch.equal(knn(x, 4, dilation=3, epsilon=1.0).index, strided)  # not in training
    assert torch.equal(knn(x, 4, dilation=3, epsilon=0.0, training=True).index, strided)
    drawn = [knn(x, 4, dilation=3, epsilon=1.0, training=True).index for _ in range(20)]
    ranks = [(row.unsqueeze(-1) == reach.unsqueeze(-2)).long().argmax(-1) for row in drawn]
    assert all((rank == rank[:, :1]).all() for rank in ranks)  # the same ranks for every node
    assert all((rank.diff(dim=-1) > 0).all() for rank in ranks)  # nearest first, no repetition
    assert len({tuple(rank[0, 0].tolist()) for rank in ranks}) > 10
    mixed = [knn(x, 4, dilation=3, epsilon=0.5, training=True).index for _ in range(40)]
    share = sum(torch.equal(index, strided) for index in mixed) / 40
    assert 0.2 < share < 0.8


def test_small_graphs_are_filled_with_the_node_itself():
    x = torch.tensor([[0.0], [1.0], [3.0], [10.0]])
    batch = torch.tensor([0, 0, 0, 1])
    table = knn(x, 4, batch=batch, small_graphs="self")
    assert table.index.tolist() == [[0, 1, 2, 0], [1, 0, 2, 1], [2, 1, 0, 2], [3, 3, 3, 3]]
    table = knn(x, 2, batch=batch, small_graphs="self", loop=False)
    assert table.index.tolist() == [[1, 2], [0, 2], [1, 0], [3, 3]]
    sources = torch.tensor([[0.1], [9.0], [2.0]])
    table = knn(x, 2, sources, batch=batch, batch_sources=torch.tensor([0, 0, 1]),
                dilation=2, small_graphs="self")  # fmt: skip
    assert table.index.tolist() == [[0, 0], [0, 0], [0, 0], [2, 2]]
    assert knn(x, 6, small_graphs="self").index.tolist()[0] == [0, 1, 2, 3, 0, 0]


def test_takes_no_gradient_and_keeps_none():
    x = torch.randn(2, 9, 3, requires_grad=True)
    assert not knn(x, 3).index.requires_grad


@pytest.mark.parametrize("arguments", [{}, {"loop": False}, {"dilation": 2}, {"metric": "cosine"}])
def test_compiles_without_graph_break(arguments):
    x = torch.randn(2, 20, 4)
    compiled = torch.compile(
        lambda x: knn(x, 3, **arguments).index, fullgraph=True, backend="aot_eager"
    )
    assert torch.equal(compiled(x), knn(x, 3, **arguments).index)


def test_ragged_batch_compiles_without_graph_break():
    x, batch = torch.randn(12, 4), torch.tensor([0] * 5 + [1] * 7)

    def search(x, batch):
        return knn(x, 3, batch=batch, batch_size=2, max_num_nodes=7).index

    compiled = torch.compile(search, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x, batch), search(x, batch))


def test_opcheck():
    x, y = torch.randn(2, 9, 3), torch.randn(2, 11, 3)
    bias, mask = torch.randn(1, 9, 11), torch.ones(2, 9, 11, dtype=torch.bool)
    for arguments in (
        (x, None, 3, None, None, None, 0, EXCLUDED, False, 2**20),
        (x, y, 3, bias, mask, torch.tensor([11, 8]), 0, AS_ANY, True, 100),
    ):
        torch.library.opcheck(torch.ops.pyg_vision.knn_search.default, arguments)


X = torch.randn(5, 3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"x": X.long(), "k": 2}, TypeError, "floating-point features.*int64"),
        ({"x": X.numpy(), "k": 2}, TypeError, "must be a tensor.*ndarray"),
        ({"x": X.view(-1), "k": 2}, ValueError, r"2 or 3 dimensions.*\[15\]"),
        ({"x": X[:0], "k": 2}, ValueError, r"'x' is empty.*\[0, 3\]"),
        ({"x": X, "k": 0}, ValueError, "'k' must be at least 1.*0"),
        ({"x": X, "k": 2.0}, TypeError, "'k' must be an integer.*2.0"),
        ({"x": X, "k": True}, TypeError, "'k' must be an integer"),
        ({"x": X, "k": 6}, ValueError, "k = 6.*only 5"),
        ({"x": X, "k": 5, "loop": False}, ValueError, "k = 5.*only 4 sources besides itself"),
        ({"x": X, "k": 2, "dilation": 3}, ValueError, r"2 \* 3 = 6.*only 5"),
        ({"x": X, "k": 2, "dilation": 0}, ValueError, "'dilation' must be at least 1"),
        ({"x": X, "k": 2, "metric": "l1"}, ValueError, "'metric'.*'l1'"),
        ({"x": X, "k": 2, "backend": "faiss"}, ValueError, "'backend'.*'faiss'"),
        ({"x": X, "k": 2, "small_graphs": "drop"}, ValueError, "'small_graphs'.*'drop'"),
        ({"x": X, "k": 2, "epsilon": 1.5}, ValueError, "'epsilon'.*1.5"),
        ({"x": X, "k": 2, "memory_budget": 0}, ValueError, "'memory_budget'"),
        ({"x": X, "k": 2, "sources": X.double()}, TypeError, "float32 and torch.float64"),
        ({"x": X, "k": 2, "sources": X[:, :2]}, ValueError, r"\[5, 3\] and \[5, 2\]"),
        ({"x": X, "k": 2, "sources": X.to("meta")}, ValueError, "cpu and meta"),
        ({"x": X, "k": 2, "sources": X, "loop": False}, ValueError, "sources=None"),
        ({"x": X, "k": 2, "bias": X}, ValueError, r"'bias' must have shape \[5, 5\].*\[5, 3\]"),
        ({"x": X, "k": 2, "bias": "near"}, TypeError, "'bias'.*'str'"),
        ({"x": X, "k": 2, "bias": X[:, :1].long() @ X[:, :1].long().T}, TypeError, "int64"),
        ({"x": X, "k": 2, "mask": torch.ones(5, 5)}, TypeError, "'mask' must be boolean.*float32"),
        ({"x": X, "k": 2, "mask": torch.eye(5) > 0}, ValueError, r"node 0 has only 1 allowed"),
        ({"x": X * float("nan"), "k": 2}, ValueError, r"'x' must be finite \(got nan at"),
        ({"x": X / 0, "k": 2}, ValueError, "'x' must be finite.*15 such"),
        ({"x": X, "k": 2, "batch": torch.tensor([0, 0, 1, 0, 1])}, ValueError, "sorted.*node 3"),
        ({"x": X, "k": 2, "batch": torch.zeros(4).long()}, ValueError, r"5 nodes.*\[4\]"),
        ({"x": X, "k": 2, "batch": torch.zeros(5)}, TypeError, "'batch' must be an int64"),
        ({"x": X, "k": 2, "batch": torch.tensor([0, 0, 0, 2, 2])}, ValueError, "graph 1.*empty"),
        ({"x": X, "k": 3, "batch": torch.tensor([0, 0, 0, 1, 1])}, ValueError,
         "graph 1 has only 2"),
        ({"x": X, "k": 1, "batch": torch.tensor([0, 0, 0, 1, 1]), "batch_size": 1}, ValueError,
         "graphs 0 … 0"),
        ({"x": X, "k": 2, "ptr": torch.empty(0).long()}, ValueError, "at least one graph"),
        ({"x": X, "k": 2, "batch": [0] * 5}, TypeError, "'batch' must be an int64 or int32.*list"),
        ({"x": X, "k": 2, "ptr": torch.tensor([0, 5]), "batch": torch.zeros(5).long()}, ValueError,
         "give one of them"),
        ({"x": X, "k": 2, "ptr": torch.tensor([0, 4])}, ValueError, "number of nodes, 5"),
        ({"x": X[None], "k": 2, "batch": torch.zeros(5).long()}, ValueError, "already apart"),
        ({"x": X, "k": 2, "sources": X, "batch": torch.zeros(5).long()}, ValueError,
         "'batch_sources' or 'ptr_sources'"),
        ({"x": X, "k": 2, "batch_sources": torch.zeros(5).long()}, ValueError, "need 'sources'"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        knn(**arguments)


def test_graph_without_source_is_named():
    with pytest.raises(ValueError, match="graph 1 of the batch has 2 node"):
        knn(X, 1, X[:2], batch=torch.tensor([0, 0, 0, 1, 1]), batch_sources=torch.zeros(2).long(),
            small_graphs="self")  # fmt: skip


def test_without_validation_nothing_is_out_of_range():
    x = torch.randn(2, 9, 3)
    x[0, 2] = float("nan")
    x[1, 3] = float("inf")
    with set_validation(False):
        for arguments in ({}, {"mask": torch.zeros(9, 9, dtype=torch.bool)}):
            index = knn(x, 4, **arguments).index
            assert index.min() >= 0
            assert index.max() < 9
        index = knn(x[0], 4, batch=torch.tensor([0] * 9), max_num_nodes=5).index
        assert index.min() >= 0
        assert index.max() < 9
