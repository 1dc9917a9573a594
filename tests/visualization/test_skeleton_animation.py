import re
import sys

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image, ImageSequence
from torch_geometric.data import Batch

from pyg_vision.data import skeleton_sequence
from pyg_vision.datasets.synthetic_motion import SyntheticMotion
from pyg_vision.visualization._skeleton_canvas import PERSONS
from pyg_vision.visualization._style import ANY, FARTHER, GREY, NEARER, SELF, TEMPORAL
from pyg_vision.visualization.skeleton_animation import animate_skeleton


def dancer(num_frames=4, index=2, **kwargs):
    return SyntheticMotion(index + 1, num_frames=num_frames, **kwargs)[index]


def pixels(picture):
    return np.asarray(picture.convert("RGB")).astype(int)


def where(picture, color, tolerance=0):
    """The rows and columns of the pixels of a colour."""
    far = np.abs(pixels(picture) - np.array(to_rgb(color)) * 255).max(axis=-1)
    return np.argwhere(far <= tolerance)


def read(path):
    with Image.open(path) as file:
        frames = [
            (frame.convert("RGB"), frame.info["duration"]) for frame in ImageSequence.Iterator(file)
        ]
        return [frame for frame, _ in frames], [d for _, d in frames], file.info


def test_a_gif_has_the_frames_that_are_returned(tmp_path):
    pictures = animate_skeleton(dancer(6), tmp_path / "dancer.gif")
    frames, _, info = read(tmp_path / "dancer.gif")
    assert len(pictures) == len(frames) == 6
    for picture, frame in zip(pictures, frames, strict=True):
        assert np.array_equal(pixels(picture), pixels(frame))
    assert info["loop"] == 0  # for ever


def test_frames_that_look_the_same_are_not_lost(tmp_path):
    data = skeleton_sequence(torch.rand(1, 18, 2).expand(5, -1, -1), "openpose")
    animate_skeleton(data, tmp_path / "still.gif")
    frames, durations, _ = read(tmp_path / "still.gif")
    assert len(frames) == 5
    assert sum(durations) == 330


@pytest.mark.parametrize("fps", [5, 15.0, 24, 30, 50])
def test_time_runs_as_it_should(tmp_path, fps):
    animate_skeleton(dancer(12), tmp_path / "dancer.gif", fps, width=200, legend=False)
    _, durations, _ = read(tmp_path / "dancer.gif")
    assert sum(durations) == pytest.approx(12 / fps * 1000, abs=5)
    assert max(durations) - min(durations) <= 10


def test_sixty_frames_are_a_small_file(tmp_path):
    path = tmp_path / "dancer.gif"
    animate_skeleton(dancer(60), path, title="jumping jack")
    assert 50_000 < path.stat().st_size < 1_500_000
    frames, _, _ = read(path)
    assert len(frames) == 60
    assert {frame.size for frame in frames} == {frames[0].size}
    assert frames[0].size[0] == 420
    assert 420 <= frames[0].size[1] <= 660


def test_the_colors_of_all_relations_are_in_the_pixels():
    pictures = animate_skeleton(dancer(), partition="stgcn_paper", legend=False)
    for color in (SELF, NEARER[0], FARTHER[0], PERSONS[0]):
        assert len(where(pictures[3], color)) > 30, color
    for color in (NEARER[1], FARTHER[1]):
        assert len(where(pictures[3], color)) == 0, color
    assert [len(where(picture, TEMPORAL)) > 30 for picture in pictures] == [False, *[True] * 3]
    without = animate_skeleton(dancer(), legend=False, trail=0)
    assert all(len(where(picture, TEMPORAL)) == 0 for picture in without)


def test_partitions_are_drawn_differently():
    uniform, typed = (
        animate_skeleton(dancer(1), partition=partition, legend=False)[0]
        for partition in ("uniform", "inward_outward")
    )
    assert len(where(uniform, NEARER[0])) == len(where(uniform, FARTHER[0])) == 0
    assert len(where(uniform, ANY[0])) > 100
    assert len(where(typed, NEARER[0])) > 100


def test_the_picture_keeps_its_place_and_scale():
    data = dancer(3)
    joints = data.pos.view(3, 18, 2)
    joints[1:] = joints[0]
    joints[2, 4] = joints[0, 4] + torch.tensor([0.0, 0.3])  # only the right wrist has moved
    first, second, last = animate_skeleton(data, trail=0, legend=False)
    assert np.array_equal(where(first, PERSONS[0]), where(second, PERSONS[0]))
    same = {tuple(at) for at in where(first, PERSONS[0])} & {
        tuple(at) for at in where(last, PERSONS[0])
    }
    assert len(where(first, PERSONS[0])) > len(same) > 0.85 * len(where(first, PERSONS[0]))


def test_a_line_shows_how_much_time_has_passed():
    pictures = animate_skeleton(dancer(4), legend=False, width=400)
    bottom = pictures[0].size[1] - 10
    ends = []
    for picture in pictures:
        at = where(picture, GREY, 60)
        ends.append(at[at[:, 0] > bottom][:, 1].max())
    steps = np.diff(ends)
    assert steps.max() - steps.min() <= 2
    assert 90 <= steps.mean() <= 100
    assert ends[-1] > 380


def test_persons_are_drawn_where_they_are_seen():
    data = dancer(4, two_persons=1.0)
    data.pos.view(2, 4, -1)[1, 2] = 0
    pictures = animate_skeleton(data, legend=False, trail=0)
    second = [len(where(picture, PERSONS[1])) for picture in pictures]
    assert [count > 30 for count in second] == [True, True, False, True]
    first = [where(picture, PERSONS[0]) for picture in pictures]
    assert min(len(at) for at in first) > 30
    assert max(at[:, 1].mean() for at in first) < where(pictures[0], PERSONS[1])[:, 1].mean()


def test_nobody_is_seen():
    data = dancer()
    data.pos.zero_()
    pictures = animate_skeleton(data, legend=False)
    assert [len(where(picture, PERSONS[0])) for picture in pictures] == [0] * 4


@pytest.mark.parametrize(("view", "wide"), [((0, 0), True), ((0, 90), False)])
def test_three_coordinates_are_projected(view, wide):
    flat = dancer().pos.view(4, 18, 2)
    data = skeleton_sequence(
        torch.stack((flat[..., 0], -flat[..., 1], torch.zeros(4, 18)), -1), "openpose"
    )
    front = animate_skeleton(dancer(), legend=False, trail=0)[0]
    picture = animate_skeleton(data, view=view, legend=False, trail=0)[0]
    columns = where(picture, PERSONS[0])[:, 1]
    assert (np.ptp(columns) > 60) == wide
    if wide:
        assert np.array_equal(pixels(front), pixels(picture))


def test_y_points_upwards_if_told_so():
    usual, turned = (
        animate_skeleton(dancer(), up=up, legend=False, trail=0)[0] for up in ("-y", "y")
    )
    rows = where(usual, PERSONS[0])[:, 0], where(turned, PERSONS[0])[:, 0]
    assert rows[0].mean() + rows[1].mean() == pytest.approx(usual.size[1], abs=8)
    assert abs(rows[0].mean() - rows[1].mean()) > 20


def test_title_and_legend_take_their_room_and_the_motion_stays():
    plain = animate_skeleton(dancer(), legend=False)[2]
    titled = animate_skeleton(dancer(), legend=False, title="jumping jack")[2]
    explained = animate_skeleton(dancer())[2]
    assert plain.size[0] == titled.size[0] == explained.size[0] == 420
    assert plain.size[1] < titled.size[1] < explained.size[1]
    assert np.array_equal(pixels(plain)[:-3], pixels(explained)[: plain.size[1] - 3])
    assert len(where(explained, NEARER[0])) > len(where(plain, NEARER[0]))


@pytest.mark.parametrize("partition", ["stgcn", "stgcn_paper", "uniform"])
@pytest.mark.parametrize("width", [200, 420])
def test_no_text_is_cut_off(partition, width):
    picture = animate_skeleton(dancer(1), width=width, partition=partition, max_hop=2)[0]
    plain = animate_skeleton(dancer(1), width=width, partition=partition, max_hop=2, legend=False)[
        0
    ]
    text = pixels(picture)[plain.size[1] + 3 :]
    assert text.min() < 60
    assert text[:, -2:].min() == 255
    assert text[-1].min() == 255


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"fps": 0}, ValueError, r"'fps' must be above 0 and at most 50 \(got 0\)"),
        ({"fps": -1.5}, ValueError, r"at most 50 \(got -1.5\)"),
        ({"fps": 60}, ValueError, r"at most 50 \(got 60\)"),
        ({"fps": float("nan")}, ValueError, r"\(got nan\)"),
        ({"width": 100}, ValueError, r"'width' must be at least 200 \(got 100\)"),
        ({"width": 420.5}, TypeError, r"'width' must be an integer \(got 420.5\)"),
        ({"path": "dancer.mp4"}, ValueError, r"'path' must be that of a GIF.*'dancer.mp4'"),
        ({"trail": -1}, ValueError, r"'trail' must be at least 0 \(got -1\)"),
        ({"partition": "spatial"}, ValueError, r"'partition' must be .*'spatial'"),
        ({"up": "x"}, ValueError, r"'up' must be .* \(got 'x'\)"),
        ({"data": None}, TypeError, r"Data or Batch of skeletons \(got 'NoneType'\)"),
        ({"data": Batch.from_data_list([dancer()])}, TypeError, r"\(got a Batch of 1\)"),
    ],
)
def test_errors_name_what_was_found(tmp_path, monkeypatch, kwargs, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        animate_skeleton(**{"data": dancer(), **kwargs})
    assert list(tmp_path.iterdir()) == []


def test_values_that_are_no_numbers_are_found():
    data = dancer()
    data.pos[18 * 2 + 5, 0] = float("inf")
    with pytest.raises(ValueError, match=r"frame 2 at joint 5 \('left_shoulder'\)"):
        animate_skeleton(data)


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=re.escape("pip install pyg-vision[vis]")):
        animate_skeleton(dancer())
