import pytest
import torch

from pyg_vision.nn import STGCN
from pyg_vision.weights import load_weights, read_weights


def model(classes=5):
    return STGCN(2, classes, layout="coco", stages=[(4, 1, 1)], edge_importance=False)


def published(state):
    return {
        name.replace("blocks.", "st_gcn_networks.").replace(".gcn.", ".gcn.conv."): value
        for name, value in state.items()
    }


@pytest.mark.parametrize("names", [dict, published])
def test_our_names_and_published_ones(tmp_path, names):
    source, target = model(), model()
    torch.save({"state_dict": names(source.state_dict())}, tmp_path / "a.pth")
    load_weights(target, tmp_path / "a.pth")
    for name, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], value), name


def test_what_does_not_fit(tmp_path):
    torch.save(model(6).state_dict(), tmp_path / "a.pth")
    target = model()
    before = {name: value.clone() for name, value in target.state_dict().items()}
    with pytest.raises(ValueError, match=r"does not fit STGCN: .*fcn") as error:
        load_weights(target, tmp_path / "a.pth")
    assert "\n" not in str(error.value)
    assert all(torch.equal(before[k], v) for k, v in target.state_dict().items() if "fcn" in k)
    with pytest.raises(FileNotFoundError):
        read_weights(tmp_path / "none.pth")
