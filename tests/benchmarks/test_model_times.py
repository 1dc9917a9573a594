import pytest
import torch

from benchmarks.model_times import PYRAMIDS, SIZES, measure
from pyg_vision.nn import list_models


def test_all_builders_are_measured():
    assert sorted((*SIZES, *PYRAMIDS)) == list_models("*vig*")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vig_ti", "pvig_ti"])
def test_each_contender_has_a_time(name):
    threads = torch.get_num_threads()
    found = measure(name, batch=1, rounds=1)
    assert set(found) == {"sparse", "fused", "dense"}
    assert min(found.values()) > 0
    assert torch.get_num_threads() == threads
