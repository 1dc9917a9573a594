"""Neighbours and their order against differences in float64, on data that products get wrong."""

import math
import warnings

import pytest
import torch

from pyg_vision.ops import _knn_exact, _rank, knn, knn_graph
from pyg_vision.ops._knn_query import AS_ANY, EXCLUDED, FIRST, Query
from pyg_vision.ops._knn_search import search_as_graph, search_blocks

INF = math.inf


def distances(x, y=None, metric="euclidean", bias=None):
    """All distances from differences in float64, row by row, and the size of their parts."""
    x, y = (None if v is None else v.double() for v in (x, y))
    y = x if y is None else y
    if metric == "cosine":
        largest = [v.abs().amax(-1, keepdim=True) for v in (x, y)]
        x, y = (v / top.masked_fill(top == 0, 1) for v, top in zip((x, y), largest, strict=True))
        x, y = (v / v.norm(dim=-1, keepdim=True).clamp(min=0.5) for v in (x, y))
    dist = torch.stack([(row - y).square().sum(-1) for row in x])
    if metric == "cosine":
        zero = [(v == 0).all(-1).double() for v in (x, y)]
        dist = (dist + zero[0].unsqueeze(1) + zero[1]) / 2
    if bias is None:
        return dist, dist
    return dist + bias.double(), dist + bias.double().abs()


def assert_nearest(index, x, y=None, loop=True, metric="euclidean", bias=None):
    """The k-th neighbour is as far as the k-th of a full sort, and equal ones are in order."""
    dist, scale = distances(x, y, metric, bias)
    ranked = dist.clone()
    if y is None and not loop:
        ranked.fill_diagonal_(INF)
    elif y is None and bias is None:
        ranked.fill_diagonal_(-INF)
        assert torch.equal(index[:, 0], torch.arange(len(x)))
    expected = ranked.sort(dim=-1, stable=True).indices[:, : index.size(1)]
    found, wanted = (dist.gather(1, i) for i in (index, expected))
    size = torch.maximum(scale.gather(1, index), scale.gather(1, expected))
    assert ((found - wanted).abs() <= 2e-6 * size).all()
    # Where the full sort has exactly equal distances, it has the lower index first.
    tied = (found.diff(dim=1) == 0) & (index[:, :-1] != torch.arange(len(x)).view(-1, 1))
    assert (index.diff(dim=1)[tied] > 0).all()
    assert all(len(set(row.tolist())) == len(row) for row in index)
    clear = (wanted.diff(dim=1) > 4e-6 * size[:, 1:]).all(1)
    assert torch.equal(index[clear], expected[clear])


def missing_points():
    x = torch.rand(400, 3)
    x[:40] = 1e4
    return x


def clusters():
    return (torch.rand(20, 1, 3) * 1000 + torch.rand(20, 100, 3) * 0.05).reshape(-1, 3)


def near_duplicates():
    return torch.rand(1, 1000) + torch.rand(300, 1000) * 1e-6


def one_unit_apart():
    return torch.rand(1, 1000) * (1 + torch.randint(-1, 2, (260, 1000)) * 6e-8)


def flat_half():
    x = torch.rand(784, 48)
    x[:392] = 0.5 + torch.rand(392, 48) * 1e-4
    return x


def extremes():
    return torch.cat([torch.rand(300, 8), torch.rand(30, 8) * 1e30])


def twins():
    x = torch.rand(300, 4)
    x[::3] = x[0].clone()
    x[1::7] = 0
    return x


def grid():
    rows, columns = torch.arange(16.0) * 0.1, torch.arange(20.0) * 0.1
    return torch.cartesian_prod(rows, columns)


DATA = [missing_points, clusters, near_duplicates, one_unit_apart, flat_half, extremes, twins, grid]


@pytest.mark.parametrize("loop", [True, False])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("make", DATA)
def test_mixed_scale(make, metric, loop):
    torch.manual_seed(0)
    x = make()
    assert_nearest(knn(x, 9, loop=loop, metric=metric).index, x, loop=loop, metric=metric)


def test_the_reported_clouds():
    torch.manual_seed(0)
    for x, k in ((missing_points(), 3), (clusters(), 3)):
        dist = distances(x)[0].fill_diagonal_(INF)
        expected = dist.sort(dim=-1, stable=True).indices[:, :k]
        found = knn_graph(x, k)[0].view(-1, k)
        assert torch.equal(dist.gather(1, found), dist.gather(1, expected))
        assert torch.equal(knn_graph(x, k, loop=True)[0].view(-1, k)[:, 0], torch.arange(len(x)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("nodes", [255, 256, 257, 320, 703, 705])
def test_ties_go_to_the_lowest_index_on_both_sides_of_every_threshold(dtype, nodes):
    side = torch.arange(27.0, dtype=dtype)
    x = torch.cartesian_prod(side, side)[:nodes]
    for loop in (True, False):
        dist = (x.unsqueeze(1) - x).double().square().sum(-1)
        dist.fill_diagonal_(-1 if loop else INF)
        expected = dist.sort(dim=-1, stable=True).indices[:, :9]
        assert torch.equal(knn(x, 9, loop=loop).index, expected)
        assert torch.equal(knn(x.repeat(2, 1, 1), 9, loop=loop).index[1], expected)


@pytest.mark.parametrize("scale", [1e-45, 1e-40, 1e-25, 1e15, 1e25, 3e38])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_any_scale_of_float32(scale, metric):
    torch.manual_seed(0)
    x = torch.rand(270, 5) * scale
    assert_nearest(knn(x, 5, metric=metric).index, x, metric=metric)
    both = torch.stack((x, torch.rand(270, 5)))  # one graph of a batch is of another scale
    assert torch.equal(knn(both, 5, metric=metric).index[0], knn(x, 5, metric=metric).index)


def test_any_scale_of_float64():
    x = torch.rand(40, 3, dtype=torch.double)
    expected = knn(x, 5).index
    for exponent in (-1000, -600, 600, 1000):
        assert torch.equal(knn(torch.ldexp(x, torch.tensor(exponent)), 5).index, expected)


@pytest.mark.parametrize("size", [0.1, 1e6, -1e6, 1e38])
@pytest.mark.parametrize("loop", [True, False])
def test_bias_of_any_size(size, loop):
    torch.manual_seed(0)
    x, bias = torch.rand(270, 16), (torch.rand(270, 270) > 0.5) * size + torch.rand(270, 270)
    assert_nearest(knn(x, 9, bias=bias, loop=loop).index, x, loop=loop, bias=bias)
    rows = knn(x, 9, bias=lambda start, end: bias[start:end], loop=loop, memory_budget=50_000)
    assert torch.equal(rows.index, knn(x, 9, bias=bias, loop=loop).index)
    wide = bias.double() * 1e200  # beyond float32, and still an order
    assert_nearest(knn(x, 9, bias=wide, loop=loop).index, x, loop=loop, bias=wide)


def test_sources_of_mixed_scale():
    torch.manual_seed(0)
    x, y = missing_points(), missing_points()[30:]
    assert_nearest(knn(x, 5, y).index, x, y)
    # A node that is among the sources has no right to be first.
    same = torch.zeros(6, 2)
    assert knn(same, 3, same.clone()).index.tolist() == [[0, 1, 2]] * 6
    assert knn(same, 3).index.tolist() == [
        [0, 1, 2], [1, 0, 2], [2, 0, 1], [3, 0, 1], [4, 0, 1], [5, 0, 1],
    ]  # fmt: skip


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("make", DATA)
def test_every_way_to_search_is_the_same(make, metric):
    """The one for a CPU, the one for a GPU, and (where extents allow) the one that is exported."""
    torch.manual_seed(0)
    x = make()
    x, cosine = torch.stack((x, x.flip(0))), metric == "cosine"
    mask = torch.rand(1, x.size(1), x.size(1)) < 0.5
    for own in (FIRST, EXCLUDED, AS_ANY):
        for allowed in (None, mask):
            query = Query(x, x, None, allowed, None, 0, own, cosine)
            found = _knn_exact.search_exactly(query, 6, 2**18)
            expected = search_blocks(x, None, 6, None, allowed, None, 0, own, cosine, 2**18)
            assert torch.equal(found, expected)
            if make in (clusters, flat_half):  # the last has no more ties than spare candidates
                again = search_as_graph(x, None, 6, None, allowed, None, 0, own, cosine, 2**18)
                assert torch.equal(again, expected)


def test_candidates_are_put_in_order_and_completed():
    torch.manual_seed(0)
    x = twins().unsqueeze(0)
    query = Query(x, x, None, None, None, 0, FIRST, False)
    expected = _knn_exact.search_exactly(query, 5, 2**20)
    few = torch.arange(300).expand(1, 300, -1).flip(-1)
    assert torch.equal(_knn_exact.search_candidates(query, few, 5, 2**20), expected)
    # Of a hundred twins these thirteen are the wrong ones.
    wrong = torch.arange(0, 300, 3)[-13:].expand(1, 300, -1)
    assert torch.equal(
        _knn_exact.search_candidates(query, wrong, 5, 2**20)[0, ::3], expected[0, ::3]
    )


def test_the_error_that_is_allowed_for_covers_that_of_products():
    """What is called certain must be so: the bound against the errors that occur."""
    for channels in (3, 48, 192, 640):
        for make in (torch.randn, lambda *size: torch.rand(*size) ** 8 * 50):
            x = make(300, channels)
            x = x - x.mean(0)
            norm = torch.linalg.vecdot(x, x)
            dist = torch.baddbmm(norm[None, None], x[None], x[None].mT, alpha=-2.0)[0]
            exact = distances(x)[0] - x.double().square().sum(-1, keepdim=True)
            error = (dist - exact).abs().amax()
            assert error < _knn_exact.rounding_error(2 * norm.max(), channels)


def test_an_order_that_is_certain_needs_no_second_look(monkeypatch):
    x = torch.arange(40.0).square().view(-1, 1)
    monkeypatch.setattr(_knn_exact, "_pair_distances", None)
    monkeypatch.setattr(_knn_exact, "_search_rows", None)
    assert knn(x, 2).index[:, 1].tolist() == [1, *range(39)]


@pytest.mark.parametrize("nodes", [256, 257])
@pytest.mark.parametrize("value", [math.nan, -math.nan, -INF])
def test_bias_that_has_no_rank_is_named(nodes, value):
    x, bias = torch.rand(nodes, 4), torch.zeros(nodes, nodes)
    bias[7, 5] = torch.tensor(0.0) / 0 if math.isnan(value) else value
    message = r"'bias' may hold \+inf.* no NaN or -inf \(got (nan|-inf) at \[7, 5\], 1 such"
    with pytest.raises(ValueError, match=message):
        knn(x, 3, bias=bias)
    with pytest.raises(ValueError, match=r"'bias\(start, end\)'.*at \[7, 5\]"):
        knn(x, 3, bias=lambda start, end: bias[start:end], memory_budget=8 * nodes * 3)
    batch = torch.zeros(nodes, dtype=torch.long)
    with pytest.raises(ValueError, match=message):
        knn(x, 3, batch=batch, bias=bias)
    bias[7, 5] = INF
    assert 5 not in knn(x, nodes - 1, bias=bias).index[7]


@pytest.mark.parametrize("nodes", [256, 257])
def test_default_dtype_and_device_change_nothing(nodes):
    x = torch.randn(nodes, 4)
    expected = knn(x, 3).index
    try:
        torch.set_default_dtype(torch.float64)
        assert torch.equal(knn(x, 3).index, expected)
        torch.set_default_device("meta")
        assert torch.equal(knn(x, 3).index, expected)
        assert torch.equal(
            knn(x, 3, mask=torch.ones(nodes, nodes, device="cpu") > 0).index, expected
        )
        batch = torch.zeros(nodes, dtype=torch.long, device="cpu")
        assert torch.equal(knn(x, 3, batch=batch).index, expected)
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("nodes", [256, 257])
def test_tensors_without_values(nodes):
    from torch._subclasses.fake_tensor import FakeTensorMode

    x = torch.randn(nodes, 4)
    assert knn(x.to("meta"), 3).index.shape == (nodes, 3)
    assert knn(x.to("meta").expand(2, -1, -1), 3, dilation=2).index.device.type == "meta"
    with FakeTensorMode() as mode:
        assert knn(mode.from_tensor(x), 3).index.shape == (nodes, 3)
    with warnings.catch_warnings(action="ignore"):  # tracing is deprecated in torch
        traced = torch.jit.trace(lambda x: knn(x, 3).index, (torch.randn(nodes, 4),))
    assert torch.equal(traced(x), knn(x, 3).index)


@pytest.mark.parametrize("fast", [True, False])
def test_the_sort_of_numpy_changes_no_result(fast, monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr(_rank, "sorts_vectorised", lambda: fast)
    x = twins()
    assert_nearest(knn(x, 9).index, x)


def test_vmap_is_a_batch():
    x, y = torch.randn(3, 2, 9, 4), torch.randn(2, 7, 4)
    bias, mask = torch.randn(3, 9, 7), torch.rand(2, 9, 7) < 0.7
    mask[..., :3] = True

    def search(x, bias):
        return knn(x, 2, y, bias=bias, mask=mask).index

    expected = torch.stack([search(a, b) for a, b in zip(x, bias, strict=True)])
    assert torch.equal(torch.func.vmap(search)(x, bias), expected)
    single = torch.func.vmap(lambda x: knn(x, 3).index, in_dims=1)(x[0].transpose(0, 1))
    assert torch.equal(single, knn(x[0], 3).index)
