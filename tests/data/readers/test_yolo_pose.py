import pytest

from pyg_vision.data.readers import read_yolo_pose
from tests.data.readers.listed import person, write


def line(value=0.1, dims=3, rest=()):
    joints = [value, value / 2, 0.9][:dims] * 17
    return " ".join(map(str, [0, value, value / 2, 0.2, 0.2, *joints, *rest]))


@pytest.mark.parametrize(("dims", "channels"), [(2, 2), (3, 3)])
def test_a_picture(tmp_path, dims, channels):
    path = write(tmp_path, "a.txt", f"{line(0.1, dims)}\n{line(0.2, dims)}\n")
    data = read_yolo_pose(path, size=(100, 200))
    assert data.skeleton_shape == (2, 1, 17)
    assert data.x.size(1) == channels
    assert data.pos[::17].tolist() == [pytest.approx([10, 10]), pytest.approx([20, 20])]


@pytest.mark.parametrize(
    ("rests", "places"),
    [
        ([(2,), (1,)], [1, 0]),  # tracks
        ([(1.0,), (0.8,)], [0, 1]),  # confidences
        ([(0.9, 2), (0.8, 1)], [1, 0]),  # both
    ],
)
def test_tracks(tmp_path, rests, places):
    path = write(tmp_path, "a.txt", "\n".join(line(0.1 + i, 3, r) for i, r in enumerate(rests)))
    found = read_yolo_pose(path).pos[::17, 0]
    assert [round(float(found[place]) - 0.1) for place in places] == [0, 1]


def test_a_video(tmp_path):
    for t in (9, 10, 12):
        write(tmp_path, f"clip_{t}.txt", line(t / 10))
    data = read_yolo_pose(tmp_path)
    assert data.pos.view(4, 17, 2)[:, 0, 0].tolist() == pytest.approx([0.9, 1.0, 0, 1.2])


def test_a_file_of_another_video(tmp_path):
    write(tmp_path, "a_1.txt", line())
    write(tmp_path, "b_2.txt", line())
    with pytest.raises(ValueError, match="must hold one video"):
        read_yolo_pose(tmp_path)


def test_json(tmp_path):
    columns = {"x": [x for x, _ in person()], "y": [y for _, y in person()]}
    both = [{"keypoints": columns, "track_id": 4}, {"keypoints": columns, "track_id": 2}]
    data = read_yolo_pose(write(tmp_path, "a.json", both), size=(10, 10))
    assert data.skeleton_shape == (2, 1, 17)
    assert data.x[1].tolist() == pytest.approx([0.2, 0.3])


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.txt", "1 2 3", "line 1: expected 39, 40, 41, 56, 57, 58 numbers"),
        ("a.txt", line().replace("0.9", "x", 1), "line 1: a value must be a number"),
        ("a.txt", f"{line()}\n{line(0.1, 2)}", "as many numbers"),
        ("a.txt", "", "there is no person"),
        ("a.json", {}, "must hold a list of persons"),
        ("a.json", [{"keypoints": []}], "'keypoints' must be a dict"),
        ("a.json", [{"keypoints": {"x": [1] * 17, "y": [1]}}], "expected 17 numbers"),
        ("a.txt", f"{line(0.1, 3, (0.5, 2))}\n{line(0.2, 3, (0.5, 2))}", "lists person 2 twice"),
    ],
)
def test_malformed_files(tmp_path, name, content, problem):
    with pytest.raises(ValueError, match=problem):
        read_yolo_pose(write(tmp_path, name, content))


def test_joints_of_another_skeleton_are_not_taken_for_coco(tmp_path):
    joints = [value for v in range(12) for value in (0.4 + 0.01 * v, 0.5, 2)]
    text = " ".join(map(str, [0, 0.45, 0.5, 0.2, 0.2, *joints]))
    path = write(tmp_path, "a.txt", text)
    with pytest.raises(ValueError, match="are not in their box"):
        read_yolo_pose(path)


def test_a_file_that_was_written_twice(tmp_path):
    with pytest.raises(ValueError, match="line 2 is that of another person once more"):
        read_yolo_pose(write(tmp_path, "a.txt", f"{line()}\n{line()}\n"))
