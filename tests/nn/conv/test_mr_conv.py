import pytest
import torch

from pyg_vision.nn import MRConv
from pyg_vision.ops import max_relative
from tests import laws

VIG = {"groups": 4, "interleave": True, "norm": "batch", "act": "gelu"}


@laws.cases({}, VIG, {"groups": 2, "bias": False, "act": "relu"}, {"reverse": True})
def test_laws(law, options):
    law(MRConv(8, 12, **options).double())


@pytest.mark.parametrize("options", [{}, VIG])
def test_lazy(options):
    laws.lazy_is_eager(lambda *sizes: MRConv(*sizes, **options))


def test_is_the_formula():
    conv = MRConv(8, 5).double()
    x, table = laws.example()
    m = max_relative(x, table)
    linear = conv.nn[0]
    laws.close(conv(x, table), torch.cat([x, m], -1) @ linear.weight.T + linear.bias)


def test_reversed_differences():
    conv = MRConv(8, 5, reverse=True).double()
    x, table = laws.example()
    difference = x.unsqueeze(2) - torch.stack([v[i] for v, i in zip(x, table.index, strict=True)])
    laws.close(conv(x, table), conv.nn(torch.cat([x, difference.amax(2)], -1)))


@pytest.mark.parametrize("channels", [8, 6])  # 6 channels in 4 groups of 3 split a pair
def test_interleaving_puts_both_parts_into_each_group(channels):
    conv = MRConv(channels, 8, groups=4, interleave=True).double()
    x, table = laws.example(C=channels)
    m = max_relative(x, table)
    pairs = torch.stack([x, m], dim=-1).flatten(-2)
    laws.close(conv(x, table), conv.nn(pairs))


def test_repr():
    assert str(MRConv(8, 16)) == "MRConv(8, 16)"
    assert str(MRConv((8, 8), 16)) == "MRConv(8, 16)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((8, 4), 16), r"same 'in_channels' \(got \(8, 4\)\)"),
        ((0, 16), "'in_channels' must be at least 1"),
        ((8, -1), "'out_channels' must be at least 1"),
        ((8, 10, True, 4), "'groups' must divide.*16 and 10"),
        ((8, 16, True, 1, False, "layer"), "'norm' must be one of batch, instance.*'layer'"),
        ((8, 16, True, 1, False, None, "swish"), "'act' must be one of relu.*'swish'"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        MRConv(*arguments)


def test_reset_parameters():
    conv = MRConv(8, 16, **VIG)
    conv.nn[1].weight.data.fill_(3.0)
    before = conv.nn[0].weight.clone()
    conv.reset_parameters()
    assert not torch.equal(conv.nn[0].weight, before)
    assert torch.equal(conv.nn[0].bias, torch.zeros(16))
    assert torch.equal(conv.nn[1].weight, torch.ones(16))
