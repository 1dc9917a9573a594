import pytest
import torch
import torch.nn.functional as F

from pyg_vision.nn import GroupedLinear


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("bias", [True, False])
def test_grouped_linear_is_a_grouped_convolution(groups, bias):
    linear = GroupedLinear(8, 12, groups, bias).double()
    x = torch.randn(2, 5, 8, dtype=torch.double)
    weight = linear.weight[:, :, None]
    expected = F.conv1d(x.mT, weight, linear.bias, groups=groups).mT
    torch.testing.assert_close(linear(x), expected)
    torch.testing.assert_close(linear(x[0]), expected[0])
    x.requires_grad_()
    assert torch.autograd.gradcheck(linear, x)


def test_grouped_linear_is_initialised_as_published():
    linear = GroupedLinear(400, 200, groups=4)
    assert torch.equal(linear.bias, torch.zeros(200))
    assert linear.weight.std().item() == pytest.approx((2 / 100) ** 0.5, rel=0.05)
    assert str(linear) == "GroupedLinear(400, 200, groups=4, bias=True)"


def test_groups_that_do_not_divide_are_named():
    with pytest.raises(ValueError, match="groups=3, 8 and 12"):
        GroupedLinear(8, 12, groups=3)
    with pytest.raises(ValueError, match="groups=4, 6 and 8"):
        GroupedLinear(-1, 8, groups=4)(torch.randn(2, 6))
