"""Runs the search kernel in Triton's interpreter and compares it with the search in float64.

A script of its own, since Triton reads TRITON_INTERPRET when it is imported. Prints one line for
each case; any disagreement raises. Every sixth case, or with --all each of them.
"""

import os

os.environ["TRITON_INTERPRET"] = "1"

import itertools
import math
import sys

import torch

from pyg_vision.ops import _knn_triton as gpu
from pyg_vision.ops._knn_exact import search_exactly
from pyg_vision.ops._knn_query import AS_ANY, EXCLUDED, FIRST, Query

NUMBER = itertools.count()
OWN = {"first": FIRST, "excluded": EXCLUDED, "as any": AS_ANY}
Tensor = torch.Tensor


def compare(name: str, num: int, x: Tensor, y: Tensor | None = None, **options: object) -> None:
    if next(NUMBER) % 6 and "--all" not in sys.argv:
        return
    settings = {"bias": None, "mask": None, "num_valid": None, "first": 0, "own": FIRST, **options}
    query = Query(x, x if y is None else y, **settings, cosine=False)  # type: ignore[arg-type]
    assert gpu.suits(query, num)
    found = gpu.search(query, num)
    expected = search_exactly(query, num, 2**24)
    assert torch.equal(found < 0, expected < 0), f"{name}: other entries are missing"
    near, far = (distances(query, index) for index in (found, expected))
    differ = found != expected
    if query.num_valid is not None:  # rows of padding may be anything
        inside = torch.arange(x.size(1)) < query.num_valid.view(-1, 1)
        differ &= inside.unsqueeze(-1)
    # Only where distances are less than a millionth part apart may neighbours differ.
    wrong = differ & ~((near - far).abs() <= 1e-6 * far.abs())
    assert not wrong.any(), f"{name}: {int(wrong.sum())} of {found.numel()} neighbours differ"
    repeated = found.sort(-1).values.diff(dim=-1) == 0
    assert not (repeated & (found.sort(-1).values[..., 1:] >= 0)).any(), f"{name}: repeated"
    if "ties" in name:
        assert torch.equal(found, expected), name
    print("agrees:", name, f"({int(differ.sum())} indices differ)" if differ.any() else "")


def distances(query: Query, index: Tensor) -> Tensor:
    graph = torch.arange(index.size(0)).view(-1, 1, 1)
    place = index.clamp(min=0)
    value = (query.x.double().unsqueeze(2) - query.y.double()[graph, place]).square().sum(-1)
    bias = query.bias_rows()
    if bias is not None:
        value = value + bias.double().expand(index.size(0), -1, -1).gather(-1, place)
    return value


def mixed(kind: str) -> Tensor:
    """Features of which |x|^2 - 2xy + |y|^2 in float32 would leave no order."""
    x = torch.randn(1, 16, 6, dtype=torch.double)
    if kind == "far beside near":
        x[:, ::2] *= 1e4
        x[:, 1::2] = 1.0 + 1e-3 * x[:, 1::2]
    elif kind == "common offset":
        x += 1e4
    elif kind == "half nearly flat":
        x[:, :8] = 0.5 + 1e-6 * x[:, :8]
    elif kind == "tiny":
        x *= 1e-25
    elif kind == "huge":
        x *= 1e25
    elif kind == "tiny beside huge":
        x[:, ::2] *= 1e-14
        x[:, 1::2] *= 1e3
    return x.float()


def main() -> None:
    for dtype in gpu.DTYPES:
        for name, own in list(OWN.items())[: 3 if dtype == torch.float32 else 1]:
            compare(f"{dtype}, itself {name}", 5, torch.randn(2, 15, 5).to(dtype), own=own)
    x, y = torch.randn(1, 19, 35).bfloat16(), torch.randn(1, 70, 35).bfloat16()
    compare("other sources", 9, x, y, own=AS_ANY)
    x = torch.randn(2, 15, 4)
    compare("one neighbour", 1, x)
    compare("one node", 1, x[:, :1])
    compare("all nodes", 15, x)
    compare("128 neighbours of 200", 128, torch.randn(1, 4, 3), torch.randn(1, 200, 3), own=AS_ANY)
    compare("rows of a block", 4, x[:, 7:12], x, first=7)
    compare("strided features", 4, torch.randn(1, 5, 15).transpose(1, 2))
    compare("every second row", 4, torch.randn(1, 30, 5)[:, ::2])

    for kind in ("far beside near", "common offset", "half nearly flat", "tiny", "huge",
                 "tiny beside huge"):  # fmt: skip
        compare(kind, 9, mixed(kind))
        if kind in ("tiny", "huge", "tiny beside huge"):
            zero = torch.zeros(1, 16, 16)
            compare(f"{kind}, with a bias of zero", 9, mixed(kind), own=AS_ANY, bias=zero)
    grid = torch.cartesian_prod(torch.arange(5.0), torch.arange(4.0)).unsqueeze(0)
    compare("ties: the lowest index first", 7, grid, own=AS_ANY)
    compare("ties: itself first", 7, torch.zeros(1, 20, 3))

    for graphs, dtype in ((1, torch.float32), (2, torch.bfloat16), (2, torch.float64)):
        bias = torch.randn(graphs, 15, 15).to(dtype)
        bias[..., 2] = math.inf
        compare(f"{graphs} bias(es) of {dtype}", 6, x, bias=bias, own=AS_ANY)
    compare("a transposed bias", 6, x, bias=torch.randn(2, 15, 15).mT, own=FIRST)
    large = 1e6 * torch.randn(1, 15, 15)
    compare("a bias larger than all distances", 6, x, bias=large, own=AS_ANY)
    cancels = 1e-3 * torch.randn(2, 15, 15).double() - torch.cdist(x.double(), x.double()) ** 2
    compare("a bias that cancels", 6, x, bias=cancels, own=AS_ANY)
    taps = torch.randint(0, 7, (15, 4)), torch.randn(15, 4)
    for dtype in (torch.float32, torch.float64):
        table = torch.randn(1, 7, 15).to(dtype)
        compare(f"rows made of a table of {dtype}", 6, x, bias=table, taps=taps, own=AS_ANY)
    one = taps[0][:, :1], torch.ones(15, 1)
    compare("rows that are those of a table", 6, x, bias=table, taps=one, own=AS_ANY)
    mask = torch.rand(2, 15, 15) < 0.4
    compare("a mask that leaves too few", 12, x, mask=mask, own=AS_ANY)
    compare("a shared mask", 3, x, mask=mask[:1], own=EXCLUDED)
    compare("nothing allowed", 3, x, mask=torch.zeros(1, 15, 15, dtype=torch.bool))
    compare("graphs of different sizes", 6, x, num_valid=torch.tensor([15, 8]))
    compare("smaller than what is wanted", 6, x, num_valid=torch.tensor([3, 8]), own=EXCLUDED)

    bad = x.clone()
    bad[0, 3, 2], bad[1, 4, 1] = math.nan, math.inf
    index = gpu.search(Query(bad, bad, None, None, None, 0, FIRST, False), 15)
    assert torch.equal(index.sort(-1).values, torch.arange(15).expand(2, 15, 15))
    print("stays in range: what is not finite")
    for query, num in (
        (Query(x.double(), x.double(), None, None, None, 0, FIRST, False), 3),
        (Query(x, x, None, None, None, 0, FIRST, True), 3),
        (Query(x, x, None, None, None, 0, FIRST, False), 129),
    ):
        assert not gpu.suits(query, num)
    print("leaves the rest to others")


if __name__ == "__main__":
    torch.manual_seed(0)
    main()
