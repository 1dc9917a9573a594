import numpy as np
import pytest

from pyg_vision.data import skeleton_layout
from pyg_vision.data.readers import SkeletonFileError
from pyg_vision.data.readers.skeleton_file import (
    NoPersonError,
    check_score,
    field,
    known_layout,
    numbers,
    read_json,
    show,
)


def test_an_error_says_where(tmp_path):
    path = tmp_path / "a.json"
    error = SkeletonFileError(path, "is wrong", frame=3, person=1)
    assert str(error).startswith(f"'{path}'")
    assert "frame 3" in str(error)
    assert "person 1" in str(error)
    assert issubclass(NoPersonError, SkeletonFileError)
    assert issubclass(SkeletonFileError, ValueError)


@pytest.mark.parametrize("content", ["", "[1, 2]", "{", "nan", "1" * 5000])
def test_what_is_no_object_is_refused(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(SkeletonFileError, match="a.json"):
        read_json(path)


def test_what_is_shown_is_short():
    assert show(3) == "3"
    assert len(show("a" * 10_000)) < 100
    assert len(show(10**5000)) < 100


def test_fields_and_numbers(tmp_path):
    path = tmp_path / "a.json"
    assert field(path, {"data": [1]}, "data", list) == [1]
    with pytest.raises(SkeletonFileError, match="'data'"):
        field(path, {}, "data", list)
    assert numbers(path, [1, 2.5], 2).tolist() == [1, 2.5]
    for wrong in ([1, "2"], [1, None], [1, float("nan")], [1, True], [1], (1, 2), [1, 10**400]):
        with pytest.raises(SkeletonFileError, match="frame 4"):
            numbers(path, wrong, 2, 4)


def test_layouts_and_scores():
    assert known_layout("coco", 17) == skeleton_layout("coco")
    with pytest.raises(ValueError, match="these 17 joints are"):
        known_layout(None, 17)
    check_score(np.array([0.0, 1.02]), skeleton_layout("coco"))
    with pytest.raises(ValueError, match="a score is negative"):
        check_score(np.array([-0.5]), skeleton_layout("coco"))
