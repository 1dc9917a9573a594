import pytest
import torch

from pyg_vision.nn import DistilledHead


def test_mean_of_both_and_one_linear_map_of_them():
    torch.manual_seed(0)
    head = DistilledHead(6, 8, 5).double().eval()
    x = torch.randn(3, 6, dtype=torch.double)
    labels, teacher = head.both(x)
    assert not torch.allclose(labels, teacher)
    expected = head(x)
    torch.testing.assert_close(expected, (labels + teacher) / 2)
    head.fuse_layers()
    assert head.dist is None
    torch.testing.assert_close(head(x), expected)


def test_one_classifier():
    head = DistilledHead(6, 8, 5, distilled=False)
    assert head(torch.randn(3, 6)).shape == (3, 5)
    with pytest.raises(RuntimeError, match="one classifier"):
        head.both(torch.randn(3, 6))
