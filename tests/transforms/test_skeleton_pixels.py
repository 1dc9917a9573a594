import numpy as np
import pytest
import torch

from pyg_vision.data import skeleton_sequence
from pyg_vision.data.readers import pyskl_sequence
from pyg_vision.transforms import JointToBone, KeepCoordinates, NormalizePixels


def pre_normalize_2d(keypoint, score, mode, shape=(1080, 1920), threshold=0.01):
    """pyskl's PreNormalize2D, step by step."""
    keypoint = np.concatenate([keypoint, score[..., None]], axis=-1)
    mask, out = keypoint[..., 2] > threshold, keypoint[..., 2] <= threshold
    if mode == "auto":
        x_max, x_min = (
            (0, 0) if not mask.any() else (keypoint[mask, 0].max(), keypoint[mask, 0].min())
        )
        y_max, y_min = (
            (0, 0) if not mask.any() else (keypoint[mask, 1].max(), keypoint[mask, 1].min())
        )
        if (x_max - x_min) > 10 and (y_max - y_min) > 10:
            keypoint[..., 0] = (keypoint[..., 0] - (x_max + x_min) / 2) / (x_max - x_min) * 2
            keypoint[..., 1] = (keypoint[..., 1] - (y_max + y_min) / 2) / (y_max - y_min) * 2
    else:
        h, w = shape
        keypoint[..., 0] = (keypoint[..., 0] - (w / 2)) / (w / 2)
        keypoint[..., 1] = (keypoint[..., 1] - (h / 2)) / (h / 2)
    keypoint[..., 0][out] = 0
    keypoint[..., 1][out] = 0
    return keypoint


def sequence(scale):
    random = np.random.default_rng(0)
    keypoint = random.uniform(0.1, 0.9, (2, 5, 17, 2)) * scale
    score = random.uniform(-0.2, 1, (2, 5, 17)).clip(0)
    return skeleton_sequence(keypoint, "coco", score=score), keypoint, score


@pytest.mark.parametrize("mode", ["fix", "auto"])
@pytest.mark.parametrize("scale", [[1920.0, 1080.0], [40.0, 30.0], [300.0, 9.0]])
def test_as_in_pyskl(mode, scale):
    data, keypoint, score = sequence(scale)
    out = NormalizePixels(mode)(data)
    wanted = torch.from_numpy(pre_normalize_2d(keypoint, score, mode))
    torch.testing.assert_close(out.x.view(2, 5, 17, 3), wanted)
    assert torch.equal(out.pos, out.x[:, :2])


@pytest.mark.parametrize("mode", ["fix", "auto", "share"])
def test_shares_of_a_frame_and_pixels_become_the_same(mode):
    data, keypoint, score = sequence([1.0, 1.0])
    pixels = skeleton_sequence(keypoint * [640, 480], "coco", score=score)
    pixels.frame_size = (640, 480)
    found = NormalizePixels(mode)(pixels)
    assert "frame_size" not in found
    shares = NormalizePixels(mode)(data)
    there = (score > 0.01).flatten()
    wanted = {"fix": 2 * data.pos - 1, "auto": data.pos, "share": data.pos}[mode]
    torch.testing.assert_close(shares.pos[there], wanted[there])
    if mode != "auto":
        torch.testing.assert_close(found.pos, shares.pos)


def test_pixels_need_the_size_of_a_frame():
    data = skeleton_sequence(torch.rand(1, 2, 17, 2) * 500, "coco")
    with pytest.raises(ValueError, match="does not tell the size of a frame"):
        NormalizePixels("share", size=None)(data)
    data.frame_size = (0, 0)
    with pytest.raises(ValueError, match="'size' must be width and height"):
        NormalizePixels("share", size=None)(data)
    with pytest.raises(TypeError, match="'size' must be width and height"):
        NormalizePixels(size=5)


def test_nobody_found():
    data = skeleton_sequence(torch.rand(1, 2, 17, 2) * 500, "coco", score=torch.zeros(1, 2, 17))
    assert not NormalizePixels("auto")(data).x.any()


def test_the_size_of_the_frames_of_a_file():
    annotation = {
        "frame_dir": "a",
        "keypoint": np.full((1, 2, 17, 2), 80.0),
        "img_shape": (240, 320),
    }
    data = pyskl_sequence(annotation, "coco")
    assert data.frame_size == (320, 240)
    torch.testing.assert_close(NormalizePixels()(data).pos[0], torch.tensor([-0.5, -1 / 3]))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="'mode' must be"):
        NormalizePixels("box")
    with pytest.raises(ValueError, match="'size' must be width and height"):
        NormalizePixels(size=(0, 1))
    with pytest.raises(ValueError, match="two coordinates"):
        NormalizePixels()(skeleton_sequence(torch.rand(1, 2, 21, 3), "hand"))


@pytest.mark.parametrize("score", [None, torch.rand(1, 4, 33)])
@pytest.mark.parametrize("keep", [True, False])
def test_coordinates_are_kept(score, keep):
    keypoints = torch.rand(1, 4, 33, 3)
    data = KeepCoordinates(2, score=keep)(skeleton_sequence(keypoints, "mediapipe", score=score))
    assert torch.equal(data.pos.view(1, 4, 33, 2), keypoints[..., :2])
    rest = data.x[:, 2:].view(-1)
    wanted = score.view(-1) if keep and score is not None else torch.empty(0)
    assert torch.equal(rest, wanted)


def test_what_cannot_be_kept():
    data = skeleton_sequence(torch.rand(1, 4, 21, 2), "hand")
    with pytest.raises(ValueError, match="has 2 coordinates of 3"):
        KeepCoordinates(3)(data)
    with pytest.raises(ValueError, match="'dims' must be 2 or 3"):
        KeepCoordinates(1)
    with pytest.raises(ValueError, match="before they become the bone stream"):
        KeepCoordinates(2)(JointToBone()(data))
