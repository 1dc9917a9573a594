import pytest
import torch

from benchmarks.model_times import COMPILED, DENSE, measure
from pyg_vision.nn import list_models


def test_all_builders_are_measured():
    assert sorted(DENSE) == list_models(["*vig*", "*wignet*"])
    assert set(COMPILED) <= set(DENSE)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vig_ti", "pvig_ti", "mobilevig_ti", "wignet_ti"])
def test_each_contender_has_a_time(name):
    threads = torch.get_num_threads()
    found = measure(name, rounds=1)
    assert set(found) == {"eager", "fused", "dense", "gmacs"}
    assert min(found.values()) > 0
    assert torch.get_num_threads() == threads


@pytest.mark.slow
def test_models_of_timm_are_measured_beside_them():
    found = measure("mobilenetv3_large_100", rounds=1)
    assert set(found) == {"eager", "gmacs"}
    assert found["gmacs"] == pytest.approx(0.22, abs=0.02)
