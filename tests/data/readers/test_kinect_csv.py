import pytest

from pyg_vision.data.readers import read_kinect_csv
from pyg_vision.data.readers.kinect_csv import KINECT_JOINTS
from tests.data.readers.listed import write


def table(*rows):
    return "\n".join(",".join(map(str, row)) for row in rows)


def test_a_row_for_each_frame(tmp_path):
    row = [value for v in range(25) for value in (v, 0.5, 2.5, v % 3)]
    data = read_kinect_csv(write(tmp_path, "a.csv", table(row, row)))
    assert data.skeleton_shape == (1, 2, 25)
    assert data.x[27].tolist() == [2, 0.5, 2.5, 2]
    short = [value for v in range(25) for value in (v, 0.5, 2.5)]
    assert read_kinect_csv(write(tmp_path, "a.csv", table(short))).x.shape == (25, 3)


def test_frames_end_where_the_first_joint_returns(tmp_path):
    states = {1: "INFERRED", 2: "NotTracked"}
    rows = [[j, v, 0, 2, states.get(v, "TRACKED")] for v, j in enumerate(KINECT_JOINTS)]
    data = read_kinect_csv(write(tmp_path, "a.csv", table(*rows, rows[0], *reversed(rows[1:]))))
    assert data.skeleton_shape == (1, 2, 25)
    assert data.x.view(2, 25, 4)[1, :3].tolist() == [[0, 0, 2, 2], [1, 0, 2, 1], [2, 0, 2, 0]]


def test_named_columns_in_any_order(tmp_path):
    header = ["time", *(f"{j}_{a}" for j in reversed(KINECT_JOINTS) for a in "zyx"), "age"]
    row = [0.1, *(value for v in range(25) for value in (2, 1, 24 - v)), 70]
    data = read_kinect_csv(write(tmp_path, "a.csv", table(header, row)))
    assert data.pos[:3].tolist() == [[0, 1, 2], [1, 1, 2], [2, 1, 2]]


def test_semicolons(tmp_path):
    text = table([0.5] * 75).replace(",", ";")
    assert read_kinect_csv(write(tmp_path, "a.csv", text)).skeleton_shape == (1, 1, 25)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "holds no rows"),
        (table([1] * 76), "not those of the 25 joints"),
        (table([1] * 75, [1] * 74), "line 2: expected 75 columns"),
        (table([1, 1, 1, 3] * 25), "a state must be 0, 1, 2"),
        (table(["SpineBase", 1, 2, 3, "TRACKED"]), "frame 0: 'SpineMid' is missing"),
        (table(["SpineBase", 1, 2, 3], ["Tail", 1, 2, 3]), "line 2: expected a joint"),
        (
            table(["SpineBase", 1, 2, 3], ["Neck", 1, 2, 3], ["Neck", 1, 2, 3]),
            "line 3: 'Neck' is listed twice",
        ),
        (table(["SpineBase_x", "SpineBase_y"], [1, 2]), "the column 'SpineBase_z' is missing"),
        (table(["SpineBase_x", "SpineBase_x"], [1, 2]), "is listed twice"),
    ],
)
def test_malformed_files(tmp_path, content, problem):
    with pytest.raises(ValueError, match=problem):
        read_kinect_csv(write(tmp_path, "a.csv", content))


def test_frames_without_anybody_stay(tmp_path):
    row = [0.5] * 75
    data = read_kinect_csv(write(tmp_path, "a.csv", table(row, [""] * 75, row)))
    assert data.pos.view(3, -1).any(dim=1).tolist() == [True, False, True]


def test_the_header_of_pandas_is_no_frame(tmp_path):
    data = read_kinect_csv(write(tmp_path, "a.csv", table(range(75), [0.5] * 75)))
    assert data.skeleton_shape == (1, 1, 25)


def test_states_as_numpy_writes_them(tmp_path):
    row = [0.5, 0.5, 0.5, "2.000000e+00"] * 25
    assert read_kinect_csv(write(tmp_path, "a.csv", table(row))).x[0, 3] == 2
