import json

import pytest
import torch
from torch_geometric.data import Batch

from pyg_vision.data import skeleton_sequence
from pyg_vision.nn import STGCNPP, DenseSTGCNPP, get_model
from pyg_vision.weights import from_published
from tests.nn import skeleton_families as families

RECORDED = {
    "ntu": {"layout": "ntu_pyskl", "stages": [(16, 2), (32, 2, 2)]},
    "coco": {"layout": "coco", "stages": [(18, 2), (36, 2, 2)]},
    "hand": {"layout": "hand", "stages": [(12, 2), (24, 1, 2)]},
}


@pytest.mark.parametrize("cls", [STGCNPP, DenseSTGCNPP])
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_numbers(cls, name, load_golden):
    made = families.recorded(cls, f"stgcnpp_{name}", load_golden, **RECORDED[name])
    families.check_evaluation(*made)
    families.check_training(*made)


def test_published_size():
    assert families.count(get_model("stgcnpp")) == 1_403_144
    assert families.count(get_model("stgcnpp", layout="coco")) == 1_393_016


@pytest.mark.parametrize("options", [{}, {"partition": "stgcn"}])
def test_equals_the_dense_twin_in_evaluation_and_training(options):
    families.check_dense_twin(STGCNPP, DenseSTGCNPP, **options)


def test_batches():
    families.check_batches(STGCNPP)


def test_fused_and_two_streams():
    families.check_tools(STGCNPP)


@pytest.mark.parametrize("name", RECORDED)
def test_a_file_tells_its_model(name, load_golden, tmp_path):
    made = families.recorded(STGCNPP, f"stgcnpp_{name}", load_golden, **RECORDED[name])
    families.check_file(*made, tmp_path / "published.pth")


def test_the_published_weights_name_all_hands(shared):
    path = shared / "data" / "weights" / "stgcnpp_hagrid.pth"
    found = json.loads((shared / "data" / "hand_gestures" / "hands.json").read_text())
    made = from_published(path, layout="hand").eval()
    hands = [
        skeleton_sequence(torch.tensor(hand["keypoints"]).expand(10, 21, 2), "hand")
        for hand in found["hands"]
    ]
    said = made(Batch.from_data_list(hands)).argmax(1).tolist()
    assert [found["classes"][i] for i in said] == [hand["gesture"] for hand in found["hands"]]


@pytest.mark.slow
def test_compiled_once_for_any_lengths():
    families.check_compiled(STGCNPP)
