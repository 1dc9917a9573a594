"""A source of poses that needs no model, and videos whose people it finds."""

from types import SimpleNamespace

import numpy as np
import torch

from pyg_vision.data import skeleton_layout
from pyg_vision.pose import FoundPeople, Frame, PoseSource, VideoWriter

SIZE = (96, 64)  # width and height
SQUARE = 8


class Squares(PoseSource):
    """Finds white squares: all joints of a person are its middle, spread a little."""

    layout = skeleton_layout("coco")

    def __init__(self):
        self.resets, self.closed = 0, False

    def find(self, frame):
        columns = (frame.image.min(axis=2) > 128).any(axis=0).nonzero()[0]
        starts = [c for c in columns if c - 1 not in columns]
        joints = np.zeros((len(starts), 17, 2), np.float32)
        for i, start in enumerate(starts):
            rows = (frame.image[:, start + 3].min(axis=1) > 128).nonzero()[0]
            joints[i] = (start + SQUARE / 2, rows.mean() + 0.5)
        joints += np.linspace(0, 2, 17)[None, :, None]
        return FoundPeople(joints, np.full((len(starts), 17), 0.9, np.float32))

    def reset(self):
        self.resets += 1

    def close(self):
        self.closed = True


def picture(*places, size=SIZE):
    """A black picture with white squares at (column, row)."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for column, row in places:
        image[row : row + SQUARE, column : column + SQUARE] = 255
    return image


def walk(frames=12, gaps=()):
    """A person who walks to the right, and is away in some frames."""
    return [picture(*(() if t in gaps else [(8 + 4 * t, 24)])) for t in range(frames)]


def write_video(path, pictures, fps=10.0, times=None):
    with VideoWriter(path, fps) as video:
        for i, image in enumerate(pictures):
            video.write(Frame(image, i / fps if times is None else times[i]))
    return path


def marks(count, value):
    landmarks = [
        SimpleNamespace(x=value + i / 1000, y=0.5, z=-value, visibility=1 - i / 100)
        for i in range(count)
    ]
    return SimpleNamespace(landmark=landmarks)


class Solution:
    """A solution of MediaPipe that finds someone in every picture, or every other one."""

    def __init__(self, every=1, **options):
        self.every, self.options = every, options
        self.calls, self.resets, self.closed = 0, 0, False

    def process(self, image):
        self.calls += 1
        there = (self.calls - 1) % self.every == 0
        side = SimpleNamespace(classification=[SimpleNamespace(score=0.75)])
        return SimpleNamespace(
            pose_landmarks=marks(33, 0.25) if there else None,
            pose_world_landmarks=marks(33, 0.1) if there else None,
            multi_hand_landmarks=[marks(21, 0.25), marks(21, 0.5)] if there else None,
            multi_hand_world_landmarks=[marks(21, 0.1), marks(21, 0.2)] if there else None,
            multi_handedness=[side, side] if there else None,
        )

    def reset(self):
        self.resets += 1

    def close(self):
        self.closed = True


def fake_mediapipe(make=Solution):
    """A module in place of MediaPipe."""
    return SimpleNamespace(
        solutions=SimpleNamespace(
            pose=SimpleNamespace(Pose=make), hands=SimpleNamespace(Hands=make)
        )
    )


class Detector(torch.nn.Module):
    """What a detector returns, people in the order of their scores."""

    def forward(self, images):
        assert images[0].shape == (3, 64, 96)
        assert 0 <= float(images[0].min()) <= float(images[0].max()) == 1
        joints = torch.arange(1.0, 4)[:, None, None].expand(3, 17, 3)
        logits = torch.tensor([0.0, 1.0, 2.0])[:, None].expand(3, 17)
        return [{"scores": torch.tensor([0.9, 0.8, 0.3]), "keypoints": joints,
                 "keypoints_scores": logits}]  # fmt: skip
