import numpy as np
import pytest

from pyg_vision.prediction import Prediction, frame_probabilities, merge_windows


def window(start, stop, sit, person=None, seconds=None, source="a"):
    names, values = ["sit", "run"], [sit, 1 - sit]
    if sit < 0.5:
        names, values = names[::-1], values[::-1]
    return Prediction(source, names, values, (start, stop), person, seconds)


def test_frames_are_the_mean_of_their_windows():
    found = frame_probabilities([window(0, 4, 0.8), window(2, 6, 0.4)], ["run", "sit"], 8)
    sit = [0.8, 0.8, 0.6, 0.6, 0.4, 0.4, 0, 0]
    np.testing.assert_allclose(found[:, 1], sit)
    np.testing.assert_allclose(found[:6].sum(axis=1), 1)
    assert not found[6:].any()


def test_neighbouring_frames_of_one_class_are_a_segment():
    rows = [window(0, 4, 0.9), window(2, 6, 0.7), window(4, 8, 0.1), window(10, 12, 0.2)]
    found = merge_windows(rows)
    assert [(row.frames, row.label) for row in found] == [
        ((0, 4), "sit"), ((4, 8), "run"), ((10, 12), "run"),
    ]  # fmt: skip
    np.testing.assert_allclose(found[0].probabilities, [0.85, 0.15])
    np.testing.assert_allclose(found[1].probabilities, [(0.6 + 0.6 + 0.9 + 0.9) / 4, 0.25])


def test_persons_and_sources_by_themselves():
    rows = [window(0, 4, 0.9, 0), window(0, 4, 0.1, 1), window(4, 8, 0.8, 0),
            window(0, 2, 0.3, None, None, "b")]  # fmt: skip
    found = [(row.source, row.person, row.frames, row.label) for row in merge_windows(rows)]
    assert found == [
        ("a", 0, (0, 8), "sit"), ("a", 1, (0, 4), "run"), ("b", None, (0, 2), "run"),
    ]  # fmt: skip


def test_seconds_are_those_of_the_frames():
    rows = [window(0, 10, 0.9, seconds=(0.0, 1.0)), window(10, 20, 0.1, seconds=(1.0, 3.0))]
    assert [row.seconds for row in merge_windows(rows)] == [(0, 1), (1, 3)]
    rows = [window(0, 10, 0.9, seconds=(0.0, 1.0)), window(5, 15, 0.4, seconds=(0.5, 1.5))]
    assert [row.seconds for row in merge_windows(rows)] == [(0, 1), (1, 1.5)]
    assert merge_windows([window(0, 2, 0.9)])[0].seconds is None


def test_what_cannot_be_merged():
    with pytest.raises(ValueError, match="the prediction of 'a' is of no window"):
        merge_windows([Prediction("a", ["sit"], [1.0])])
    rows = [window(0, 4, 0.9), Prediction("a", ["sit"], [0.9], (4, 8))]
    with pytest.raises(ValueError, match="of all 2 classes"):
        merge_windows(rows)
    assert merge_windows([]) == []
