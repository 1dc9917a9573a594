import json
import re

import pytest
import torch
from torch_geometric.data import Batch

from pyg_vision.data import skeleton_sequence
from pyg_vision.data.readers import read_hand_pictures
from pyg_vision.nn import get_model, get_model_weights
from pyg_vision.nn.models._skeleton_weights import GESTURES
from pyg_vision.prediction import Predictor, load_trained, make_transforms
from pyg_vision.training import count_macs
from pyg_vision.weights import WeightsEnum, describe_checkpoint, from_published
from pyg_vision.weights._download import cache_name

COUNTS = {"stgcn": 48, "stgcnpp": 33, "aagcn": 32, "ctrgcn": 32, "msg3d": 32, "dgstgcn": 16}
WEIGHTS = [weights for name in COUNTS for weights in get_model_weights(name)]
SMALL = {"stages": [(8, 2), (16, 1, 2)]}


def recording(layout):
    joints, dims = {"coco": (17, 2), "hand": (21, 3), "ntu_pyskl": (25, 3)}[layout]
    keypoints = torch.rand(2, 40, joints, dims)
    score = torch.rand(2, 40, joints) if layout == "coco" else None
    return skeleton_sequence(keypoints, layout, score=score)


@pytest.mark.parametrize("name", COUNTS)
def test_every_cell_is_there_once(name):
    weights = list(get_model_weights(name))
    assert len(weights) == len({w.url for w in weights}) == COUNTS[name]
    assert get_model_weights(name)["DEFAULT"].name == "NTU60_XSUB_3D_JOINT"


@pytest.mark.parametrize("weights", WEIGHTS, ids=str)
def test_what_is_known_of_each(weights):
    meta = weights.meta
    assert weights.url.startswith("https://")
    assert meta["licence"] == "Apache-2.0"
    assert meta["stream"] in ("joint", "bone", "joint motion", "bone motion")
    if weights.name == "HAGRID":
        return
    part = weights.url.split("/")[-2]
    match = re.search(r"(ntu60|ntu120)_(xsub|xview|xset)_(3dkp|hrnet)$", part)
    assert match is not None
    assert weights.name.startswith(f"{match[1]}_{match[2]}_".upper())
    assert meta["layout"] == {"3dkp": "ntu_pyskl", "hrnet": "coco"}[match[3]]
    assert len(meta["categories"]) == {"ntu60": 60, "ntu120": 120}[match[1]]
    stream = {"j": "JOINT", "b": "BONE", "jm": "JOINT_MOTION", "bm": "BONE_MOTION"}
    ending = stream[weights.url.split("/")[-1].removesuffix(".pth")]
    assert weights.name.endswith(f"_{ending}")
    assert meta["stream"] == ending.lower().replace("_", " ")
    ((_, metrics),) = meta["metrics"].items()
    assert 75 < metrics["acc@1"] < 99


KINDS = {(w.meta["layout"], w.meta["stream"], "VANILLA" in w.name): w for w in reversed(WEIGHTS)}


@pytest.mark.parametrize("weights", KINDS.values(), ids=str)
def test_what_is_done_to_a_recording(weights):
    meta = weights.meta
    clips = weights.transforms()(recording(meta["layout"]))
    again = make_transforms(meta["input"]["transforms"])(recording(meta["layout"]))
    several = not ("VANILLA" in weights.name or weights.name == "HAGRID")
    assert isinstance(clips, list) == isinstance(again, list) == several
    clip = clips[0] if several else clips
    frames = {True: 100, False: 300}[several] if weights.name != "HAGRID" else 10
    assert clip.skeleton_shape.num_frames == frames
    assert (clip.stream if "stream" in clip else "joint") == meta["stream"].removeprefix("joint ")
    assert clip.x.size(1) == meta["options"].get("in_channels", 3)


@pytest.mark.parametrize("name", COUNTS)
def test_what_is_done_to_a_recording_fits_the_model(name):
    weights = get_model_weights(name).DEFAULT
    options = weights.meta["options"]
    model = get_model(name, **options, **({} if name == "msg3d" else SMALL)).eval()
    clip = weights.transforms()(recording(weights.meta["layout"]))[0]
    with torch.no_grad():
        assert model(clip).shape == (1, 60)


def test_the_options_of_weights_are_those_of_the_model(tmp_path, monkeypatch):
    loaded = []

    def load(self, model, progress=True, adapt=()):
        loaded.append((self, list(adapt)))
        return model

    monkeypatch.setattr(WeightsEnum, "load_into", load)
    model = get_model("ctrgcn", weights="NTU120_XSET_HRNET_BONE", **SMALL)
    assert (model.layout.name, model.num_classes, model.in_channels) == ("coco", 120, 3)
    model = get_model("ctrgcn", weights="NTU120_XSET_HRNET_BONE", num_classes=7, **SMALL)
    assert model.num_classes == 7
    assert [adapt for _, adapt in loaded] == [[], ["head"]]
    assert get_model("ctrgcn", **SMALL).layout.name == "ntu"


def test_a_published_file_is_known_by_its_hash(shared):
    path = shared / "data" / "weights" / "stgcnpp_hagrid.pth"
    info = describe_checkpoint(path)
    assert info.published == "STGCNPP_Weights.HAGRID"
    assert info.classes == list(GESTURES)
    assert "published: STGCNPP_Weights.HAGRID" in str(info)
    assert len(info.input["transforms"]) == 4
    assert from_published(path).layout.name == "hand"
    hands = json.loads((shared / "data" / "hand_gestures" / "hands.json").read_text())
    assert list(GESTURES) == hands["classes"]


def test_landmarks_of_mediapipe_are_named(shared):
    trained = load_trained(shared / "data" / "weights" / "stgcnpp_hagrid.pth")
    hands = json.loads((shared / "data" / "hand_gestures" / "hands.json").read_text())["hands"]
    pictures = []
    for hand in hands:
        points = torch.tensor(hand["keypoints"])
        depth = torch.randn(21, 1)  # which is not looked at
        pictures.append(skeleton_sequence(torch.cat((points, depth), 1)[None, None], "hand"))
    batch = Batch.from_data_list([trained.transform(picture) for picture in pictures])
    said = trained.model(batch).argmax(1).tolist()
    assert [trained.classes[i] for i in said] == [hand["gesture"] for hand in hands]


def test_hands_in_pixels_are_named_too(shared):
    trained = load_trained(shared / "data" / "weights" / "stgcnpp_hagrid.pth")
    hands = read_hand_pictures(shared / "data" / "hand_gestures" / "hands.json")
    for hand in hands:
        hand.x = hand.pos = hand.pos * torch.tensor([1080.0, 1920.0])
    with pytest.raises(ValueError, match="does not tell the size of a frame"):
        trained.transform(hands[0].clone())
    for hand in hands:
        hand.frame_size = (1080, 1920)
    batch = Batch.from_data_list([trained.transform(hand) for hand in hands])
    assert torch.equal(trained.model(batch).argmax(1), batch.y)


def test_a_file_in_the_cache_is_known_by_its_name(tmp_path):
    weights = get_model_weights("stgcnpp").NTU60_XSUB_HRNET_BONE
    model = get_model("stgcnpp", layout="coco", **SMALL)
    path = tmp_path / cache_name(weights.url)
    torch.save(model.state_dict(), path)
    info = describe_checkpoint(path)
    assert info.published == "STGCNPP_Weights.NTU60_XSUB_HRNET_BONE"
    assert info.classes[0] == "drink water"
    assert info.options["window"] == (100, 2)
    trained = load_trained(path)
    assert len(trained.transform(recording("coco"))) == 10
    assert trained.model.padding == "published"


def test_the_size_of_a_frame_reaches_the_model(tmp_path):
    weights = get_model_weights("stgcnpp").NTU60_XSUB_HRNET_JOINT
    path = tmp_path / cache_name(weights.url)
    torch.manual_seed(0)
    torch.save(get_model("stgcnpp", layout="coco", **SMALL).state_dict(), path)
    trained = load_trained(path)
    data = recording("coco")
    data.x[:, :2] = data.pos = data.pos * 250
    data.frame_size = (340, 256)
    (found,) = Predictor([trained])([data], top_k=60)
    clips = weights.transforms()(data.clone())
    with torch.no_grad():
        wanted = trained.model(Batch.from_data_list(clips)).softmax(1).mean(0)
    assert found.probabilities[0] == pytest.approx(float(wanted.max()), rel=1e-5)


@pytest.mark.parametrize("name", COUNTS)
def test_operations_are_counted(name):
    model = get_model(name, layout="ntu_pyskl", **({} if name == "msg3d" else SMALL)).eval()
    assert count_macs(model, recording("ntu_pyskl")) > 10**6
