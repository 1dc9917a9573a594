import numpy as np
import pytest
import torch

from pyg_vision.data.readers import SkeletonFileError, ntu_name, read_ntu

NAME = "S001C002P003R002A013.skeleton"
STILL, LIVELY = "72057594037931101", "72057594037931368"


def pose(seed, motion):
    """The joints of a body that moves so much from one frame to the next."""
    generator = np.random.default_rng(seed)
    rest, step = generator.normal(size=(2, 25, 3))
    return lambda t: (rest + motion * t * step).round(6)


BODIES = {STILL: pose(1, 0.0), LIVELY: pose(2, 1.0)}


def body(name, joints, values="0 1 1 1 1 0 0.02 -0.23 2", tail="277.4 191.8 1036.1 519.1"):
    lines = [f"{name} {values}", str(len(joints))]
    for x, y, z in joints:
        lines.append(f"{x} {y} {z} {tail} -0.22 0.03 0.97 -0.05 2")
    return lines


def lines_of(frames):
    """The lines of a file, each frame being a list of the bodies seen in it."""
    lines = [str(len(frames))]
    for t, names in enumerate(frames):
        lines.append(str(len(names)))
        for name in names:
            lines += body(name, BODIES[name](t))
    return lines


FRAMES = [[STILL], [STILL, LIVELY], [], [LIVELY]]


def write(folder, lines, name=NAME, end="\n"):
    path = folder / name
    if isinstance(lines, bytes):
        path.write_bytes(lines)
    else:
        path.write_text(end.join(lines) + end)
    return path


def joints(data):
    return data.x.view(*data.skeleton_shape, 3)


def expected(name, t):
    return torch.tensor(BODIES[name](t), dtype=torch.float32)


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n"])
def test_a_file_becomes_a_sequence(tmp_path, end):
    path = tmp_path / NAME
    path.write_bytes((end.join(lines_of(FRAMES)) + end).encode())
    data = read_ntu(path)
    assert data.skeleton_shape == (2, 4, 25)
    assert data.layout.name == "ntu"
    assert data.y.tolist() == [12]
    assert torch.equal(data.x, data.pos)
    found = joints(data)
    # Bodies keep their place from frame to frame, and the one that moves more comes first.
    torch.testing.assert_close(found[0, 1], expected(LIVELY, 1))
    torch.testing.assert_close(found[0, 3], expected(LIVELY, 3))
    torch.testing.assert_close(found[1, 0], expected(STILL, 0))
    torch.testing.assert_close(found[1, 1], expected(STILL, 1))
    assert not found[0, [0, 2]].any()
    assert not found[1, 2:].any()


def test_the_order_in_a_frame_does_not_matter(tmp_path):
    a = read_ntu(write(tmp_path, lines_of([[STILL, LIVELY], [LIVELY, STILL]])))
    b = read_ntu(write(tmp_path, lines_of([[LIVELY, STILL], [STILL, LIVELY]])))
    assert torch.equal(a.x, b.x)


def test_motion_is_the_sum_of_deviations_over_the_frames_in_which_a_body_is_seen(tmp_path):
    data = read_ntu(write(tmp_path, lines_of([[STILL, LIVELY], [STILL], [STILL], [LIVELY]])))
    motion = [
        sum(person[person.any(dim=-1).any(dim=-1)].reshape(-1, 3).double().std(0, correction=0))
        for person in joints(data)
    ]
    assert motion[0] > motion[1]
    # With the empty frames the order would be the other one for bodies far from the origin.
    far = {STILL: lambda t: BODIES[STILL](t) + 100, LIVELY: BODIES[LIVELY]}
    lines = ["2", "2", *body(STILL, far[STILL](0)), *body(LIVELY, far[LIVELY](0))]
    lines += ["1", *body(LIVELY, far[LIVELY](1))]
    found = joints(read_ntu(write(tmp_path, lines)))
    torch.testing.assert_close(found[0, 0], expected(LIVELY, 0))


def test_bodies_that_move_alike_keep_the_order_of_appearance(tmp_path):
    here, there = [(1, 1, 1)] * 25, [(2, 2, 2)] * 25  # which do not move at all
    lines = ["2", "1", *body("9", here), "2", *body("4", there), *body("9", here)]
    found = joints(read_ntu(write(tmp_path, lines)))
    assert found[0].unique().tolist() == [1]
    assert found[1, 1].unique().tolist() == [2]


def test_only_the_coordinates_are_looked_at(tmp_path):
    lines = ["1", "1", *body(STILL, BODIES[STILL](0), tail="-1.#INF NaN -1.#IND inf")]
    torch.testing.assert_close(joints(read_ntu(write(tmp_path, lines)))[0, 0], expected(STILL, 0))


def test_the_name_is_read():
    name = ntu_name("somewhere/S032C003P106R002A120.skeleton")
    assert name == (32, 3, 106, 2, 120)
    assert (name.setup, name.camera, name.subject) == (32, 3, 106)
    assert (name.repetition, name.action) == (2, 120)
    assert ntu_name("S001C002P003R002A013") == (1, 2, 3, 2, 13)


@pytest.mark.parametrize(
    "stem", ["", "S1C2P3R2A13", "S001C002P003R002A013_rgb", "S001C002P003R002"]
)
def test_other_names(stem):
    with pytest.raises(SkeletonFileError, match=r"the name must be SxxxCxxxPxxxRxxxAxxx.skeleton"):
        ntu_name(f"{stem}.skeleton")


@pytest.mark.parametrize("action", ["000", "121", "999"])
def test_actions_that_do_not_exist(action):
    with pytest.raises(SkeletonFileError, match=rf"must be 1 to 120 \(got {int(action)}\)"):
        ntu_name(f"S001C002P003R002A{action}.skeleton")


def changed(number, line):
    lines = lines_of(FRAMES)
    if line is None:
        del lines[number]
    else:
        lines[number] = line
    return lines


# The lines: 0 frames; 1 bodies; 2 a body, 3 joints, 4-28 joints; 29 bodies; 30 a body, 31 joints,
# 32-56 joints; 57 a body, 58 joints, 59-83 joints; 84 bodies; 85 bodies; 86 a body, ...
JOINT = "1 2 3 4 5 6 7 8 9 10 11 12"
MALFORMED = {
    "empty": (b"", r"expected the number of frames \(got ''\)"),
    "no text": (b"\xff\xfe4\x00", r"is no text \(UnicodeDecodeError"),
    "binary": (bytes(range(128)), "expected the number of frames"),
    "a word": (changed(0, "four"), r"expected the number of frames \(got 'four'\)"),
    "a half frame": (changed(0, "4.5"), "expected the number of frames"),
    "fewer than none": (changed(0, "-4"), r"expected the number of frames \(got '-4'\)"),
    "no frames": (["0"], "holds no frames"),
    "too many frames": (changed(0, "5"), "frame 4: ends where the number of bodies should be"),
    "far too many": (changed(0, "9999999"), "declares 9999999 frames, but has only 112 more"),
    "many digits": (changed(0, "9" * 5000), "expected the number of frames"),
    "too few frames": (changed(0, "3"), "has 28 more lines behind its 3 frames"),
    "nobody": (["2", "0", "0"], "there is no body in any of 2 frames"),
    "no bodies": (changed(29, "x"), r", frame 1: expected the number of bodies \(got 'x'\)"),
    "a body more": (changed(29, "3"), r", frame 1, person 2: expected the 10 values of a body"),
    "a body less": (changed(29, "1"), r", frame 2: expected the number of bodies"),
    "a crowd": (changed(85, "99999999999"), ", frame 3, person 1: ends where the 10 values of"),
    "a short body": (changed(57, "7 8 9"), r", frame 1, person 1: .*10 values .*\(got 3\)"),
    "an ID of letters": (
        changed(57, "x 0 1 1 1 1 0 0.02 -0.23 2"),
        r", frame 1, person 1: the ID of a body must be an integer \(got 'x'\)",
    ),
    "an ID twice": (
        changed(57, f"{STILL} 0 1 1 1 1 0 0.02 -0.23 2"),
        f", frame 1, person 1: body {STILL} is there twice",
    ),
    "24 joints": (changed(58, "24"), r", frame 1, person 1: a body has 25 joints \(got 24\)"),
    "26 joints": (changed(58, "26"), r", frame 1, person 1: a body has 25 joints \(got 26\)"),
    "many joints": (changed(58, "9" * 19), r", frame 1, person 1: a body has 25 joints \(got 9"),
    "no joints": (changed(58, ""), r", frame 1, person 1: expected the number of joints \(got ''"),
    "a joint less": (changed(60, None), r", frame 1, person 1: .*12 values .*\(got 1\)"),
    "a short joint": (changed(60, JOINT[:-3]), r", frame 1, person 1: .*12 values .*\(got 11\)"),
    "a long joint": (changed(60, JOINT + " 13"), r", frame 1, person 1: .*12 values .*\(got 13\)"),
    "a word for x": (changed(60, "a" + JOINT[1:]), ", frame 1, person 1: .*is no number"),
    "NaN for x": (changed(60, "NaN" + JOINT[1:]), ", frame 1, person 1: a coordinate is NaN"),
    "infinite x": (changed(60, "-inf" + JOINT[1:]), ", frame 1, person 1: a coordinate is NaN"),
    "x beyond float": (changed(60, "1e39" + JOINT[1:]), ", frame 1, person 1: a coordinate is NaN"),
    "x beyond double": (changed(60, "1e999" + JOINT[1:]), ", frame 1, person 1: a coordinate is N"),
    "garbage behind": ([*lines_of(FRAMES), "", "garbage"], "has 2 more lines behind its 4 frames"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_are_named(tmp_path, name):
    content, message = MALFORMED[name]
    path = write(tmp_path, content)
    with pytest.raises(SkeletonFileError, match=message) as info:
        read_ntu(path)
    assert str(info.value).startswith(f"'{path}'")


def test_a_file_may_be_cut_off_anywhere(tmp_path):
    lines = lines_of(FRAMES)
    for count in range(len(lines)):
        with pytest.raises(SkeletonFileError):
            read_ntu(write(tmp_path, lines[:count]))
    assert read_ntu(write(tmp_path, lines)).skeleton_shape == (2, 4, 25)


def test_empty_lines_at_the_end(tmp_path):
    path = write(tmp_path, [*lines_of(FRAMES), "", "  ", ""])
    assert read_ntu(path).skeleton_shape == (2, 4, 25)


def test_a_new_body_in_each_frame_is_refused_before_memory_is_taken(tmp_path):
    # 1000 persons in 1000 frames would be 75 million coordinates, of a file of 3 MB.
    lines = ["1000"]
    for t in range(1000):
        lines += ["1", *(line for line in body(str(t), [(0, 0, 1)] * 25))]
    with pytest.raises(SkeletonFileError, match=r"needs an array of 1000 × 1000 × 25 × 3 values"):
        read_ntu(write(tmp_path, lines))


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_ntu(tmp_path / NAME)
