import pytest
import torch
from torch.nn import Linear

import pyg_vision.nn.models.registry as registry
from pyg_vision.nn import (
    STGCN,
    ViG,
    ViG_Ti_Weights,
    agcn,
    get_model,
    get_model_weights,
    list_models,
    register_model,
    vig_ti,
)
from pyg_vision.nn.models.registry import build
from pyg_vision.weights import Weights, WeightsEnum


class Toy(Linear):
    def __init__(self, num_classes, width=2):
        super().__init__(width, num_classes)


class Toy_Weights(WeightsEnum):  # noqa: N801
    V1 = Weights("file:///nowhere/toy.pth", Toy, {"categories": ["a", "b", "c"]})


def toy(*, weights: Toy_Weights | str | None = None, progress: bool = True, **kwargs) -> Toy:
    options = {"num_classes": 7, **kwargs} if weights is None else kwargs
    return build(Toy, Toy_Weights.verify(weights), progress, options)


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr(registry, "_builders", dict(registry._builders))
    register_model("my_toy")(toy)


def test_models_are_listed(registered):
    names = list_models()
    assert names == sorted(names)
    assert {"vig_ti", "vig_s", "vig_b", "stgcn", "my_toy"} <= set(names)
    assert list_models("vig*") == ["vig_b", "vig_s", "vig_ti"]
    assert list_models(["vig*", "my*"], exclude=["*_s", "*_b"]) == ["my_toy", "vig_ti"]
    assert list_models(exclude="*") == []


def test_models_are_built_by_name(registered):
    assert get_model("my_toy").out_features == 7
    assert get_model("my_toy", width=5).in_features == 5
    model = get_model("vig_ti", num_classes=4, depth=2)
    assert isinstance(model, ViG)
    assert (model.channels, model.num_classes) == (192, 4)
    model = get_model("stgcn", num_classes=5)
    assert isinstance(model, STGCN)
    assert model.layout.name == "openpose"
    with pytest.raises(ValueError, match="'name' must be one of .*my_toy, .* \\(got 'vig_xl'\\)"):
        get_model("vig_xl")
    with pytest.raises(ValueError, match="there is a model 'my_toy' already"):
        register_model("my_toy")(toy)


def test_every_model_has_an_enum_of_weights(registered):
    assert get_model_weights("my_toy") is get_model_weights(toy) is Toy_Weights
    assert get_model_weights("vig_ti") is get_model_weights(vig_ti) is ViG_Ti_Weights
    for name in list_models(exclude="toy_for_docs"):  # of a docstring
        assert issubclass(get_model_weights(name), WeightsEnum)
    with pytest.raises(ValueError, match="must take 'weights' of one WeightsEnum"):
        get_model_weights(Toy)
    with pytest.raises(ValueError, match="none yet"):
        agcn(weights="DEFAULT")


def test_weights_are_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    source = Toy(3)
    torch.save(source.state_dict(), tmp_path / "toy.pth")
    weights = Weights((tmp_path / "toy.pth").as_uri(), Toy, {"categories": ["a", "b", "c"]})
    local = WeightsEnum("Local_Weights", {"V1": weights})
    model = build(Toy, local.V1, False, {})
    assert torch.equal(model.weight, source.weight)
    (tmp_path / "toy.pth").unlink()
    (kept,) = (tmp_path / "hub" / "checkpoints").glob("toy-*.pth")
    kept.unlink()
    with pytest.raises(ConnectionError, match=r"toy\.pth"):
        build(Toy, local.V1, False, {})
