from functools import partial

import pytest
import torch
from torch.nn import Linear, Sequential

from pyg_vision.nn import ViG
from pyg_vision.weights import Weights, WeightsEnum

OPTIONS = {"channels": 16, "depth": 2, "k": 3, "num_classes": 3, "patch_size": 4, "image_size": 16}


@pytest.fixture
def enum(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))

    class Toy_Weights(WeightsEnum):  # noqa: N801
        DIGITS_V1 = Weights(
            url=(tmp_path / "toy.pth").as_uri(),
            transforms=partial(Linear, 2, 3),
            meta={"categories": ["a", "b", "c"], "metrics": {"digits": {"acc@1": 97.0}}},
        )
        DIGITS_V2 = Weights(url=(tmp_path / "other.pth").as_uri(), transforms=Sequential)
        DEFAULT = DIGITS_V1

    return Toy_Weights


def test_a_member_tells_what_is_known(enum):
    assert enum.DEFAULT is enum.DIGITS_V1
    assert enum.DEFAULT.url.endswith("toy.pth")
    assert enum.DEFAULT.meta["categories"] == ["a", "b", "c"]
    assert enum.DEFAULT.transforms().out_features == 3
    assert [weights.name for weights in enum] == ["DIGITS_V1", "DIGITS_V2"]


def test_a_member_may_be_named(enum):
    for name in ("DIGITS_V1", "DEFAULT", "Toy_Weights.DIGITS_V1", enum.DIGITS_V1):
        assert enum.verify(name) is enum.DIGITS_V1
    assert enum.verify(None) is None
    with pytest.raises(ValueError, match="one of Toy_Weights: DIGITS_V1, .* \\(got 'IMAGENET'\\)"):
        enum.verify("IMAGENET")
    for wrong in (3, WeightsEnum("Other_Weights", {"V1": Weights("a", Sequential)}).V1):
        with pytest.raises(TypeError, match="a member of Toy_Weights or its name"):
            enum.verify(wrong)


@pytest.mark.parametrize("kind", ["own", "published", "wrapped"])
def test_files_in_our_names_or_their_own(enum, tmp_path, kind):
    source = ViG(**OPTIONS)
    state = source.state_dict()
    if kind == "published":
        state = {
            name.replace("stem.", "stem.convs.").replace("head.", "prediction.")
            .replace(".grapher.conv.", ".0.graph_conv.gconv.").replace(".grapher.", ".0.")
            .replace(".ffn.", ".1.").replace("blocks.", "backbone."): value
            for name, value in state.items()
        }  # fmt: skip
    torch.save({"state_dict": state} if kind == "wrapped" else state, tmp_path / "toy.pth")
    model = ViG(**OPTIONS)
    assert enum.DEFAULT.load_into(model, progress=False) is model
    for name, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_a_file_of_another_model_is_refused(enum, tmp_path):
    torch.save(Linear(2, 3).state_dict(), tmp_path / "toy.pth")
    with pytest.raises(ValueError, match="is no checkpoint of ViG"):
        enum.DEFAULT.load_into(ViG(**OPTIONS), progress=False)
    with pytest.raises(ConnectionError, match="other.pth"):
        enum.DIGITS_V2.load_into(ViG(**OPTIONS), progress=False)
