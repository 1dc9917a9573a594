import pytest
import torch

from pyg_vision.nn import CTRGCN, DenseCTRGCN, get_model
from pyg_vision.weights import from_published, load_published
from tests.nn import skeleton_families as families
from tests.nn.golden_st_gcn import relative, starting_with

RECORDED = {"layout": "ntu_pyskl", "stages": [(16, 2), (32, 2, 2)]}


@pytest.mark.parametrize("cls", [CTRGCN, DenseCTRGCN])
def test_recorded_numbers(cls, load_golden):
    made = families.recorded(cls, "ctrgcn_ntu", load_golden, temporal_relu=True, **RECORDED)
    families.check_evaluation(*made)
    families.check_training(*made)


def test_a_checkpoint_of_the_authors(load_golden):
    """The four changes between the two codes, applied backwards to what was recorded."""
    _, x, found = families.recorded(
        CTRGCN, "ctrgcn_ntu", load_golden, temporal_relu=True, **RECORDED
    )
    official = {}
    for name, value in starting_with("state.", found).items():
        name = name.replace("backbone.data_bn.", "data_bn.").replace("cls_head.fc_cls.", "fc.")
        if name.startswith("backbone.net."):
            number, rest = name.removeprefix("backbone.net.").split(".", 1)
            if rest == "gcn1.A":
                rest, value = "gcn1.PA", value.mT
            if ".conv1." in rest:
                rest, value = rest.replace(".conv1.", ".conv2."), -value
            elif ".conv2." in rest:
                rest, value = rest.replace(".conv2.", ".conv1."), -value
            name = f"l{int(number) + 1}.{rest}"
        if name != "backbone.A":
            official[name] = value
    made = CTRGCN(3, 7, **RECORDED)
    load_published(made, official)
    told = from_published(official)
    assert not told.temporal_relu
    assert all(torch.equal(told.state_dict()[k], v) for k, v in made.state_dict().items())
    made = made.double().eval()
    # With the ReLU of pyskl switched on again, it is the recorded model.
    twin = CTRGCN(3, 7, temporal_relu=True, **RECORDED).double().eval()
    twin.load_state_dict(made.state_dict())
    assert relative(twin(x), found["output"]) < 1e-9
    assert relative(made(x), found["output"]) > 1e-3


def test_published_sizes():
    assert families.count(get_model("ctrgcn")) == 1_446_672
    small = get_model("ctrgcn", layout="kinect", num_classes=10, num_persons=1)
    assert families.count(small) == 1_426_892


@pytest.mark.parametrize("options", [{}, {"temporal_relu": True, "num_persons": None}])
def test_equals_the_dense_twin_in_evaluation_and_training(options):
    families.check_dense_twin(CTRGCN, DenseCTRGCN, **options)


def test_batches():
    families.check_batches(CTRGCN)


def test_fused_and_two_streams():
    families.check_tools(CTRGCN, start=1e-6)


def test_a_file_tells_its_model(load_golden, tmp_path):
    made = families.recorded(CTRGCN, "ctrgcn_ntu", load_golden, temporal_relu=True, **RECORDED)
    families.check_file(*made, tmp_path / "published.pth")


@pytest.mark.slow
def test_compiled_once_for_any_lengths():
    families.check_compiled(CTRGCN)
