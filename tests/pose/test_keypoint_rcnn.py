"""The plumbing alone: the weights are random."""

import numpy as np
import pytest
import torch
from torchvision.models.detection import keypointrcnn_resnet50_fpn

from pyg_vision.pose import Frame, KeypointRCNN, estimate_pose
from tests.pose.fakes import Detector, picture


def test_people_above_the_score():
    data = estimate_pose([picture((8, 8))] * 2, KeypointRCNN(Detector(), min_score=0.5))
    assert tuple(data.skeleton_shape) == (2, 2, 17)
    found = data.x.view(2, 2, 17, 3)[:, 0, 0]
    expected = [[1, 1, 0.9 * 0.5], [2, 2, 0.8 * float(torch.tensor(1.0).sigmoid())]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    one = KeypointRCNN(Detector(), 0.0, num_persons=1).find(Frame(picture((8, 8)), 0.0))
    assert one.joints.shape == (1, 17, 2)


@pytest.mark.slow
def test_weights_of_a_file(tmp_path):
    torch.manual_seed(0)
    made = keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    torch.save(made.state_dict(), tmp_path / "w.pth")
    source = KeypointRCNN(tmp_path / "w.pth", min_score=0.0)
    frame = Frame(picture((8, 8)), 0.0)
    with torch.no_grad():
        (expected,) = made.eval()([torch.from_numpy(frame.image).permute(2, 0, 1) / 255])
    found = source.find(frame)
    np.testing.assert_array_equal(found.joints, expected["keypoints"][..., :2].numpy())
    torch.save({"a.weight": torch.ones(2, 2)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match="is no state dict of keypointrcnn_resnet50_fpn"):
        KeypointRCNN(tmp_path / "other.pth")


def test_wrong_options():
    with pytest.raises(ValueError, match="'min_score'"):
        KeypointRCNN(Detector(), min_score=1.5)
    with pytest.raises(FileNotFoundError):
        KeypointRCNN("nowhere.pth")
