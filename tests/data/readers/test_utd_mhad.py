import random
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import scipy.io
import torch

from pyg_vision.data.readers import SkeletonFileError, read_utd_mhad, utd_mhad_name

NAME = "a27_s8_t4_skeleton.mat"
# As the authors of the data set number them.
JOINTS = """
    head shoulder_center spine hip_center left_shoulder left_elbow left_wrist left_hand
    right_shoulder right_elbow right_wrist right_hand left_hip left_knee left_ankle left_foot
    right_hip right_knee right_ankle right_foot
""".split()


def skeleton(frames=5):
    return np.random.default_rng(0).normal(size=(20, 3, frames))


def write(folder, name=NAME, compress=False, **variables):
    path = folder / name
    scipy.io.savemat(path, variables, do_compression=compress)
    return path


@pytest.mark.parametrize("compress", [False, True])
def test_a_file_becomes_a_sequence(tmp_path, compress):
    values = skeleton()
    data = read_utd_mhad(write(tmp_path, d_skel=values, compress=compress))
    assert data.skeleton_shape == (1, 5, 20)
    assert data.layout.name == "kinect"
    assert data.y.tolist() == [26]
    found = data.x.view(5, 20, 3)
    for i, joint in enumerate(JOINTS):
        expected = torch.from_numpy(values[i].T).float()
        torch.testing.assert_close(found[:, data.layout.joint(joint)], expected)


def test_a_single_frame(tmp_path):
    data = read_utd_mhad(write(tmp_path, d_skel=skeleton(1)))
    assert data.skeleton_shape == (1, 1, 20)
    data = read_utd_mhad(write(tmp_path, d_skel=skeleton(1)[..., 0]))
    assert data.skeleton_shape == (1, 1, 20)


@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_other_types_become_floats(tmp_path, dtype):
    values = (10 * skeleton()).astype(dtype)
    data = read_utd_mhad(write(tmp_path, d_skel=values))
    assert data.x.dtype == torch.float32
    head = data.x.view(5, 20, 3)[:, data.layout.joint("head")]
    assert torch.equal(head, torch.from_numpy(values[0].T).float())


def test_other_variables_are_ignored(tmp_path):
    others = {"a": np.array([1.0, "a"], object), "b": {"c": 1.0}, "e": "abc", "f": 1j}
    for compress in (False, True):
        path = write(tmp_path, compress=compress, **others, d_skel=skeleton(), g=2.0)
        assert read_utd_mhad(path).num_nodes == 100


def test_the_name_is_read():
    name = utd_mhad_name("somewhere/a1_s2_t3_skeleton.mat")
    assert name == (1, 2, 3)
    assert (name.action, name.subject, name.trial) == (1, 2, 3)


@pytest.mark.parametrize("name", ["", "a1_s1_t1_inertial", "a1_s1_skeleton", "a1_s1_t1_skeleton2"])
def test_other_names(name):
    with pytest.raises(SkeletonFileError, match=r"the name must be aX_sY_tZ_skeleton.mat"):
        utd_mhad_name(f"{name}.mat")


@pytest.mark.parametrize("action", [0, 28, 99])
def test_actions_that_do_not_exist(action):
    with pytest.raises(SkeletonFileError, match=rf"must be 1 to 27 \(got {action}\)"):
        utd_mhad_name(f"a{action}_s1_t1_skeleton.mat")


def bad(value):
    values = skeleton()
    values[3, 1, 2] = value
    return values


VARIABLES = {
    "nothing": ({}, r"'d_skel' is missing \(got \[\]\)"),
    "another": ({"d_iner": np.zeros((3, 6))}, r"'d_skel' is missing \(got \['d_iner'\]\)"),
    "19 joints": ({"d_skel": skeleton()[1:]}, r"must be \[20, 3, frames\] \(got \[19, 3, 5\]\)"),
    "two coordinates": ({"d_skel": skeleton()[:, 1:]}, r"\(got \[20, 2, 5\]\)"),
    "coordinates first": ({"d_skel": skeleton().transpose(1, 0, 2)}, r"\(got \[3, 20, 5\]\)"),
    "no frames": ({"d_skel": skeleton()[..., :0]}, r"\(got \[20, 3, 0\]\)"),
    "four axes": ({"d_skel": np.zeros((20, 3, 2, 2))}, r"\(got \[20, 3, 2, 2\]\)"),
    "a number": ({"d_skel": 5.0}, r"\(got \[1, 1\]\)"),
    "a text": ({"d_skel": "abc"}, "'d_skel' must hold real numbers"),
    "texts": ({"d_skel": np.full((20, 3), "abc", object)}, "'d_skel' must hold real numbers"),
    "complex": ({"d_skel": skeleton() + 1j}, "'d_skel' must hold real numbers"),
    "NaN": ({"d_skel": bad(np.nan)}, "holds a value that is NaN or infinite"),
    "infinite": ({"d_skel": bad(-np.inf)}, "holds a value that is NaN or infinite"),
    "beyond float": ({"d_skel": bad(1e39)}, "holds a value that is NaN or infinite"),
}


@pytest.mark.parametrize("name", VARIABLES)
def test_malformed_variables_are_named(tmp_path, name):
    variables, message = VARIABLES[name]
    path = write(tmp_path, **variables)
    with pytest.raises(SkeletonFileError, match=message) as info:
        read_utd_mhad(path)
    assert str(info.value).startswith(f"'{path}'")


def test_declared_sizes_are_refused_before_memory_is_taken(tmp_path):
    path = write(tmp_path, d_skel=skeleton())
    raw = bytearray(path.read_bytes())
    place = raw.index((20).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"\x05\x00\x00\x00")
    raw[place + 8 : place + 12] = (2**30).to_bytes(4, "little")
    path.write_bytes(raw)
    message = r"needs an array of 1 × 1073741824 × 20 × 3 values"
    with pytest.raises(SkeletonFileError, match=message):
        read_utd_mhad(path)


@pytest.mark.parametrize("compress", [False, True])
def test_damaged_files_are_refused_or_read(tmp_path, compress):
    path = write(tmp_path, d_skel=skeleton(2), compress=compress)
    raw = path.read_bytes()
    generator = random.Random(0)
    refused = 0
    for _ in range(200):
        damaged = bytearray(raw[: generator.choice((None, generator.randrange(len(raw))))])
        for _ in range(generator.randint(0, 3)):
            if damaged:
                place = min(generator.randrange(220), len(damaged) - 1)
                damaged[place] = generator.randrange(256)
        path.write_bytes(damaged)
        try:
            read_utd_mhad(path)
        except ValueError:
            refused += 1
    assert 20 < refused < 200


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / NAME).mkdir()
    with pytest.raises(SkeletonFileError, match=r"cannot be read \(IsADirectoryError\)"):
        read_utd_mhad(tmp_path / NAME)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_utd_mhad(tmp_path / NAME)
    with pytest.raises(FileNotFoundError):
        read_utd_mhad(tmp_path / NAME.replace(".mat", ""))


def element(kind, content, order="<", small=False):
    if small and len(content) <= 4:
        return struct.pack(f"{order}I", len(content) << 16 | kind) + content.ljust(4, b"\0")
    padding = bytes(-len(content) % 8)
    return struct.pack(f"{order}II", kind, len(content)) + content + padding


def matlab(values, order="<", kind=9, flags=6, small=True, name=b"d_skel", compress=False):
    """What MATLAB itself writes: numbers in the smallest type that holds them, short tags."""
    array = element(6, struct.pack(f"{order}II", flags, 0), order)
    array += element(5, struct.pack(f"{order}{values.ndim}i", *values.shape), order)
    array += element(1, name, order, small)
    array += element(kind, values.tobytes(order="F"), order, small)
    array = struct.pack(f"{order}II", 14, len(array)) + array
    if compress:
        packed = zlib.compress(array)
        array = struct.pack(f"{order}II", 15, len(packed)) + packed
    version = struct.pack(f"{order}H", 0x0100) + (b"IM" if order == "<" else b"MI")
    return b"MATLAB 5.0 MAT-file".ljust(124) + version + array


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("kind", "dtype"), [(9, "f8"), (7, "f4"), (3, "i2"), (2, "u1")])
def test_files_as_matlab_writes_them(tmp_path, compress, order, kind, dtype):
    values = np.arange(20 * 3 * 4).reshape(20, 3, 4).astype(order + dtype)
    path = tmp_path / NAME
    path.write_bytes(matlab(values, order, kind, compress=compress))
    data = read_utd_mhad(path)
    head = data.x.view(4, 20, 3)[:, data.layout.joint("head")]
    assert torch.equal(head, torch.from_numpy(values[0].T.astype(np.float32)))
    assert np.array_equal(scipy.io.loadmat(path)["d_skel"], values)  # which reads them the same


VALUES = np.zeros((20, 3, 2))
FILES = {
    "empty": (b"", "is no MATLAB file of the versions 5 to 7.2"),
    "text": (b"<html>404 Not Found</html>", "is no MATLAB file"),
    "zeros": (bytes(200), "is no MATLAB file"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(600), "is no MATLAB file"),
    "version 7.3": (
        b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400),
        r"no sound MATLAB file \(its version is 0x0200; files of MATLAB 7.3 are HDF5",
    ),
    "no flags": (matlab(VALUES).replace(b"\x06\0\0\0\x08", b"\x05\0\0\0\x08", 1), "has no flags"),
    "no dimensions": (
        matlab(VALUES).replace(b"\x05\0\0\0\x0c", b"\x06\0\0\0\x0c", 1),
        "has no dimensions",
    ),
    "a negative dimension": (
        matlab(VALUES).replace(struct.pack("<i", 20), struct.pack("<i", -20), 1),
        r"has no name, or the shape \[-20, 3, 2\]",
    ),
    "a long short element": (
        matlab(VALUES, small=False).replace(b"\x01\0\0\0\x06", b"\x01\0\x06\0\x06", 1),
        "an element has the kind",
    ),
    "a header": (matlab(VALUES)[:128], r"'d_skel' is missing \(got \[\]\)"),
    "half a tag": (matlab(VALUES)[:131], "no sound MATLAB file"),
    "cut off": (matlab(VALUES)[:-9], r"\(it is cut off\)"),
    "compressed and cut off": (matlab(VALUES, compress=True)[:-9], r"\(it is cut off\)"),
    "another name": (matlab(VALUES, name=b"x"), r"'d_skel' is missing \(got \['x'\]\)"),
    "a cell": (matlab(VALUES, flags=1), "'d_skel' must hold real numbers"),
    "a text": (matlab(VALUES, flags=4), "'d_skel' must hold real numbers"),
    "complex": (matlab(VALUES, flags=0x806), "'d_skel' must hold real numbers"),
    "data of text": (matlab(VALUES, kind=16), "'d_skel' holds data of the kind 16"),
    "data of a structure": (matlab(VALUES, kind=14), "'d_skel' holds data of the kind 14"),
    "too few data": (matlab(VALUES.astype("f4")), "480 bytes for"),
}


@pytest.mark.parametrize("name", FILES)
def test_malformed_files_are_named(tmp_path, name):
    content, message = FILES[name]
    path = tmp_path / NAME
    path.write_bytes(content)
    with pytest.raises(SkeletonFileError, match=message) as info:
        read_utd_mhad(path)
    assert str(info.value).startswith(f"'{path}'")


def test_a_bomb_is_not_unpacked(tmp_path):
    """A compressed variable declares what it needs, and no more than that is taken."""
    array = element(6, struct.pack("<II", 6, 0)) + element(5, struct.pack("<3i", 20, 3, 1))
    array += element(1, b"d_skel") + struct.pack("<II", 9, 2**32 - 8)
    packed = zlib.compress(struct.pack("<II", 14, 2**32 - 8) + array + bytes(10**8))
    header = matlab(VALUES)[:128]
    path = tmp_path / NAME
    path.write_bytes(header + struct.pack("<II", 15, len(packed)) + packed)
    tracemalloc.start()
    with pytest.raises(SkeletonFileError, match="it is cut off"):
        read_utd_mhad(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10**7
