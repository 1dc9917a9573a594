import pytest
import torch
from torch.nn import Conv2d, Flatten, Linear, Sequential

from pyg_vision.explain import attribute
from pyg_vision.nn import PyramidViG

SMALL = {"channels": (8, 16), "depths": (1, 1), "reduce_ratios": (2, 1), "num_classes": 3}


def small():
    torch.manual_seed(0)
    return PyramidViG(**SMALL, image_size=64).double().eval()


def test_integrated_gradients_add_up_with_the_graphs_of_the_image():
    model = small()
    x = torch.randn(3, 64, 64, dtype=torch.float64)
    found = attribute(model, x, target=1, steps=400)
    with torch.no_grad():
        logits, graphs = model.forward_graphs(x[None])
        nothing = model(torch.zeros_like(x)[None], graphs)
    expected = float((logits - nothing)[0, 1])
    assert float(found.sum()) == pytest.approx(expected, rel=1e-3)


def test_of_a_linear_model_all_are_its_terms():
    model = Sequential(Flatten(), Linear(3 * 8 * 8, 4)).double()
    x = torch.randn(3, 8, 8, dtype=torch.float64)
    weight = model[1].weight[2].view(3, 8, 8)
    torch.testing.assert_close(attribute(model, x, 2, steps=3), (weight * x).sum(0).detach())
    found = attribute(model, x, 2, method="saliency")
    torch.testing.assert_close(found, weight.abs().amax(0).detach())
    found = attribute(model, x, 2, method="occlusion", patch_size=5)
    squares = (weight * x).sum(0).detach()
    torch.testing.assert_close(found[0, 0], squares[:5, :5].sum())
    torch.testing.assert_close(found[6, 7], squares[5:, 5:].sum())


def test_the_baseline_has_nothing_to_say():
    x = torch.rand(3, 64, 64, dtype=torch.float64)
    assert attribute(small(), x, 0, baseline=x).abs().max() == 0


def test_the_largest_class_by_default_and_modes_stay():
    model = small()
    model.head.train()
    x = torch.rand(3, 64, 64, dtype=torch.float64)
    label = int(model.eval()(x[None]).argmax())
    model.train()
    model.head.eval()
    torch.testing.assert_close(attribute(model, x, steps=2), attribute(model, x, label, steps=2))
    assert model.training
    assert not model.head.training
    assert all(p.grad is None for p in model.parameters())


def test_wrong_input():
    model, x = small(), torch.rand(3, 64, 64, dtype=torch.float64)
    with pytest.raises(ValueError, match="'target' must be one of 3 classes"):
        attribute(model, x, 3)
    with pytest.raises(ValueError, match="'method' must be one of"):
        attribute(model, x, 0, method="gradcam")
    with pytest.raises(ValueError, match="'baseline' must be a number or an image"):
        attribute(model, x, 0, baseline=x[:1])
    with pytest.raises(ValueError, match="'image' must be one floating-point image"):
        attribute(model, torch.rand(2, 3, 64, 64), 0)
    with pytest.raises(TypeError, match="'image' must be a tensor"):
        attribute(model, "photo.jpg", 0)
    with pytest.raises(ValueError, match="must return a logit for each class"):
        attribute(Conv2d(3, 1, 1).double(), x)


def test_a_nan_is_an_error():
    model, x = small(), torch.rand(3, 64, 64, dtype=torch.float64)
    wrong = x.clone()
    wrong[1, 2, 3] = torch.nan
    with pytest.raises(ValueError, match="'image' must be finite"):
        attribute(model, wrong, 0)
    with pytest.raises(ValueError, match="'baseline' must be finite"):
        attribute(model, x, 0, baseline=wrong)


def test_in_inference_mode_it_is_the_same():
    model = small()
    with torch.inference_mode():
        x = torch.rand(3, 64, 64, dtype=torch.float64)
        found = attribute(model, x, 0, steps=2)
    torch.testing.assert_close(found, attribute(model, x, 0, steps=2))
