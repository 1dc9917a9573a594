import pytest
import torch

from pyg_vision.nn import DenseWiGNet


def test_takes_multiples_of_the_window():
    model = DenseWiGNet((16, 32), (1, 1), num_classes=5, image_size=56).eval()
    assert model(torch.rand(1, 3, 56, 28)).shape == (1, 5)
    with pytest.raises(ValueError, match=r"multiples of window=7 \(got 16 x 16\)"):
        model(torch.rand(1, 3, 64, 64))
    with pytest.raises(TypeError, match="has no graphs"):
        model.forward_graphs(torch.rand(1, 3, 56, 56))
