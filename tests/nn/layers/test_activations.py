import pytest
import torch

from pyg_vision.nn.layers.activations import make_act


@pytest.mark.parametrize("name", ["relu", "leakyrelu", "prelu", "gelu", "hswish", "GELU"])
def test_activations(name):
    assert make_act(name)(torch.tensor([2.0])).item() == pytest.approx(2.0, rel=0.2)


def test_an_unknown_activation_is_named():
    with pytest.raises(ValueError, match="'act' must be one of relu.*'tanh'"):
        make_act("tanh")
