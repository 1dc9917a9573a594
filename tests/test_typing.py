"""The names of options are those that functions take."""

from typing import get_args

import pytest
import torch

from pyg_vision import typing
from pyg_vision.data import grid_edge_index, skeleton_graph
from pyg_vision.ops import knn
from pyg_vision.transforms import ScaleSkeleton


def test_every_option_is_taken():
    x = torch.randn(6, 3)
    for metric in get_args(typing.Metric):
        assert knn(x, 2, metric=metric).k == 2
    for small in get_args(typing.SmallGraphs):
        assert knn(x, 6, small_graphs=small).k == 6
    for connectivity in get_args(typing.Connectivity):
        assert grid_edge_index((3, 3), connectivity).size(0) == 2
    for partition in get_args(typing.Partition):
        assert skeleton_graph("coco", partition).edge_type.min() == 0
    for scaling in get_args(typing.Scaling):
        assert scaling in repr(ScaleSkeleton(scaling))


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("metric", lambda: knn(torch.randn(6, 3), 2, metric="cityblock")),
        ("small_graphs", lambda: knn(torch.randn(6, 3), 2, small_graphs="skip")),
        ("backend", lambda: knn(torch.randn(6, 3), 2, backend="faiss")),
        ("partition", lambda: skeleton_graph("coco", "spatial")),
        ("connectivity", lambda: grid_edge_index((3, 3), 6)),
    ],
)
def test_no_other_is(name, call):
    with pytest.raises(ValueError, match=f"{name}.* must be "):
        call()
