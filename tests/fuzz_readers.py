"""Damages skeleton files at random: every one is read as what it says, or named in an error.

    python -m tests.fuzz_readers            # 1,000 damaged files for each reader
    python -m tests.fuzz_readers -n 50 -s 7 # 50, from another seed

A reader may raise a ``ValueError`` of one line that names the file, or a ``FileNotFoundError``.
Anything else is a fault: another error, a sequence that is no sequence, values that the file does
not hold, or more than ten seconds.
"""

from __future__ import annotations

import argparse
import atexit
import copy
import json
import logging
import pickle
import random
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow
import scipy.io
import torch
from pyarrow import parquet
from torch_geometric.data import Data

from pyg_vision.data.readers import (
    read_alphapose,
    read_bvh,
    read_coco_results,
    read_csv,
    read_ctr_gcn,
    read_h36m,
    read_hand_pictures,
    read_jhmdb,
    read_kinect_csv,
    read_kinetics,
    read_mediapipe,
    read_mmpose,
    read_msr_action3d,
    read_npy,
    read_ntu,
    read_nw_ucla,
    read_openpose,
    read_pyskl,
    read_table,
    read_utd_mhad,
    read_utkinect,
    read_yolo_pose,
)
from tests.docstring_files import write_formats

SECONDS = 10
# What a damaged JSON file may hold in the place of anything else.
ODD = (
    None, True, False, 0, -1, 1, 2**31, -(2**63), 10**400, 0.5, -0.0, 1e39, 1e308, float("nan"),
    float("inf"), "", "a", "1", "\x00", [], [[]], [1], {}, {"people": []}, {"a": [1, 2, 3]},
)  # fmt: skip


class Reader(NamedTuple):
    """How a sound file is made and read, and which values it holds.

    Args:
        name: The name of the file, or of a file in the folder that is read.
        content: The bytes of a sound file.
        read: Reads it.
        folder: Whether the reader takes the folder of the file.
    """

    name: str
    content: bytes
    read: Callable[[Path], list[Data]]
    folder: bool = False


def _values(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0.1, 0.9, shape).round(3)


def _openpose() -> bytes:
    people = [{"person_id": [-1], "pose_keypoints_2d": v.tolist()} for v in _values(2, 54)]
    return json.dumps({"version": 1.3, "people": people}).encode()


def _kinetics() -> bytes:
    frames = [
        {"frame_index": t + 1, "skeleton": [{"pose": v[:36].tolist(), "score": v[36:].tolist()}]}
        for t, v in enumerate(_values(3, 54))
    ]
    return json.dumps({"data": frames, "label": "a", "label_index": 3}).encode()


def _nw_ucla() -> bytes:
    return json.dumps({"skeletons": _values(3, 20, 3).tolist(), "label": 1}).encode()


def _ntu() -> bytes:
    lines = ["2"]
    for frame in _values(2, 25, 11):
        lines += ["1", "72057594037931101 0 1 1 0 0 0 0.1 -0.2 2", "25"]
        lines += [" ".join(f"{v:.3f}" for v in joint) + " 2" for joint in frame]
    return "\n".join(lines).encode() + b"\n"


def _saved(write: Callable[[Path], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        with path.open("wb") as file:
            write(file)  # type: ignore[arg-type]
        return path.read_bytes()


def _utd_mhad() -> bytes:
    return _saved(lambda file: scipy.io.savemat(file, {"d_skel": _values(20, 3, 4)}))


def _npy() -> bytes:
    return _saved(lambda file: np.save(file, _values(2, 3, 4, 25, 2)))  # type: ignore[arg-type]


def _pyskl() -> bytes:
    values = _values(2, 3, 17, 3).astype(np.float16)
    record = {
        "frame_dir": "a",
        "label": 3,
        "total_frames": 3,
        "keypoint": values[..., :2],
        "keypoint_score": values[..., 2],
    }
    return pickle.dumps({"split": {"train": ["a"]}, "annotations": [record]})


def _csv() -> bytes:
    lines = ["frame,person,joint,x,y,score"]
    for t, frame in enumerate(_values(3, 17, 3)):
        lines += [f"{t},0,{v},{x},{y},{s}" for v, (x, y, s) in enumerate(frame)]
    return "\n".join(lines).encode()


SAMPLES = Path(tempfile.mkdtemp(prefix="fuzz_samples_"))
atexit.register(shutil.rmtree, SAMPLES, ignore_errors=True)
write_formats(SAMPLES)


def _sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def _parquet() -> bytes:
    table = pyarrow.table({"frame": [0, 0, 1], "joint": [0, 1, 1], "x": [0.5] * 3, "y": [0.25] * 3})
    return _saved(lambda file: parquet.write_table(table, file))


def _detections() -> bytes:
    poses = {"S1": {"Walking": [np.ones((4, 17, 2), np.float32)] * 2}}
    about = {"layout_name": "coco", "num_joints": 17}
    return _saved(
        lambda file: np.savez(
            file,  # type: ignore[arg-type]
            positions_2d=np.array(poses, dtype=object),
            metadata=np.array(about, dtype=object),
        )
    )


READERS = {
    "openpose": Reader(
        "clip_000000000001_keypoints.json", _openpose(), lambda p: [read_openpose(p)], True
    ),
    "kinetics": Reader("video.json", _kinetics(), lambda p: [read_kinetics(p)]),
    "nw_ucla": Reader("a01_s01_e01_v01.json", _nw_ucla(), lambda p: [read_nw_ucla(p)]),
    "ntu": Reader("S001C001P001R001A001.skeleton", _ntu(), lambda p: [read_ntu(p)]),
    "utd_mhad": Reader("a1_s1_t1_skeleton.mat", _utd_mhad(), lambda p: [read_utd_mhad(p)]),
    "npy": Reader("data.npy", _npy(), lambda p: read_npy(p, layout="ntu")),
    "pyskl": Reader("data.pkl", _pyskl(), lambda p: read_pyskl(p, "coco")),
    "mediapipe": Reader("hands.json", _sample("hands.json"), lambda p: [read_mediapipe(p)]),
    "hand_pictures": Reader("keypoint.csv", _sample("keypoint.csv"), read_hand_pictures),
    "mmpose": Reader("walk.json", _sample("results_walk.json"), lambda p: [read_mmpose(p)]),
    "alphapose": Reader(
        "walk.json", _sample("alphapose-results.json"), lambda p: [read_alphapose(p)]
    ),
    "coco_results": Reader(
        "walk.json", _sample("person_keypoints_results.json"), read_coco_results
    ),
    "yolo_pose": Reader("1.txt", _sample("labels/walk_1.txt"), lambda p: [read_yolo_pose(p)]),
    "ctr_gcn": Reader("NTU60_CV.npz", _sample("NTU60_CV.npz"), read_ctr_gcn),
    "h36m": Reader("data_3d_h36m.npz", _sample("data_3d_h36m.npz"), read_h36m),
    "h36m_2d": Reader("data_2d_h36m_gt.npz", _detections(), read_h36m),
    "msr_action3d": Reader(
        "a13_s02_e02_skeleton3D.txt",
        _sample("a13_s02_e02_skeleton3D.txt"),
        lambda p: [read_msr_action3d(p)],
    ),
    "utkinect": Reader(
        "joints_s01_e01.txt", _sample("joints_s01_e01.txt"), lambda p: [read_utkinect(p)]
    ),
    "kinect_csv": Reader("kinect.csv", _sample("kinect.csv"), lambda p: [read_kinect_csv(p)]),
    "jhmdb": Reader("GT_test_1.pkl", _sample("GT_test_1.pkl"), read_jhmdb),
    "bvh": Reader("walk.bvh", _sample("walk.bvh"), lambda p: [read_bvh(p)]),
    "table": Reader("wave.csv", _csv(), lambda p: read_table(p, "coco")),
    "parquet": Reader("wave.parquet", _parquet(), lambda p: read_table(p, "coco")),
    "csv": Reader("wave.csv", _csv(), lambda p: [read_csv(p, "coco")]),
}


def damaged(content: bytes, generator: random.Random) -> bytes:
    """Returns a file with a few changes, in its bytes or in what its JSON says."""
    if content[:1] in (b"{", b"[") and generator.random() < 0.7:
        record = json.loads(content)
        for _ in range(generator.randint(1, 3)):
            record = _damage_value(record, generator)
        return json.dumps(record).encode()
    data = bytearray(content)
    for _ in range(generator.randint(1, 4)):
        _damage_bytes(data, generator)
    return bytes(data)


def _damage_bytes(data: bytearray, generator: random.Random) -> None:
    # The head of a file tells how to read the rest.
    reach = min(len(data), 256) if generator.random() < 0.5 else len(data)
    at = generator.randrange(reach) if reach else 0
    kind = generator.choice(("set", "digit", "insert", "delete", "cut", "repeat"))
    if kind == "set" and data:
        data[at] = generator.randrange(256)
    elif kind == "digit" and data:
        data[at] = generator.choice(b"0123456789-.eE ,[]{}\n")
    elif kind == "insert":
        data[at:at] = bytes(generator.randrange(256) for _ in range(generator.randint(1, 8)))
    elif kind == "delete":
        del data[at : at + generator.randint(1, 64)]
    elif kind == "cut":
        del data[at:]
    else:
        data[at:at] = data[at : at + generator.randint(1, 64)]


def _damage_value(value: Any, generator: random.Random) -> Any:
    """Returns a value with one change somewhere inside."""
    if not isinstance(value, dict | list) or not value or generator.random() < 0.15:
        return copy.deepcopy(generator.choice(ODD))
    keys = list(value) if isinstance(value, dict) else range(len(value))
    key = generator.choice(list(keys))
    kind = generator.random()
    if kind < 0.1:
        del value[key]
    elif kind < 0.2 and isinstance(value, list):
        value.insert(key, copy.deepcopy(generator.choice((value[key], *ODD))))
    elif kind < 0.2:
        value[str(generator.choice(ODD))] = value.pop(key)
    else:
        value[key] = _damage_value(value[key], generator)
    return value


def check(reader: Reader, path: Path, content: bytes) -> str:
    """Reads a file and says what is wrong with what came out, nothing if that is right."""
    path.write_bytes(content)
    try:
        with _time_limit():
            sequences = reader.read(path.parent if reader.folder else path)
    except FileNotFoundError:
        return ""
    except ValueError as error:
        text = str(error)
        if "\n" in text:
            return f"an error of several lines: {text!r}"
        if path.name not in text and path.parent.name not in text and "annotation" not in text:
            return f"an error that names no file: {text!r}"
        return ""
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"{type(error).__name__}: {error}"
    known = _numbers_of(content) if path.suffix == ".json" else None
    return next(filter(None, (_wrong(data, known) for data in sequences)), "")


def _wrong(data: Data, known: set[float] | None) -> str:
    persons, frames, joints = data.skeleton_shape
    if data.x.dtype != torch.float32 or data.x.size(0) != persons * frames * joints:
        return f"features {data.x.dtype} {list(data.x.shape)} for {data.skeleton_shape}"
    if joints != data.layout.num_joints or not bool(data.x.isfinite().all()):
        return "a sequence of other joints, or of values that are not finite"
    if not torch.equal(data.x[:, : data.pos.size(1)], data.pos):
        return "features that are not the coordinates"
    if known is not None:
        foreign = set(data.x.flatten().tolist()) - known - {0.0}
        if foreign:
            return f"a value that the file does not hold: {min(foreign)}"
    return ""


def _numbers_of(content: bytes) -> set[float]:
    """Returns all numbers of a JSON file, as float32."""
    found: list[float] = []

    def number(text: str) -> float:
        value = float(text)
        found.append(value)
        return value

    json.loads(content, parse_float=number, parse_int=lambda text: _integer(text, found))
    with np.errstate(over="ignore"):
        return set(np.array(found, dtype=np.float32).tolist())


def _integer(text: str, found: list[float]) -> int:
    value = int(text)
    with suppress(OverflowError):
        found.append(float(value))
    return value


@contextmanager
def _time_limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {SECONDS} seconds")

    if not hasattr(signal, "SIGALRM"):  # Windows
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fuzz(name: str, count: int, seed: int) -> list[tuple[bytes, str]]:
    """Returns the damaged files that a reader did not take rightly, and how."""
    reader = READERS[name]
    generator = random.Random(f"{name} {seed}")
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz_{name}_"))
    faults = []
    try:
        path = folder / reader.name
        problem = check(reader, path, reader.content)
        if problem or not reader.read(folder if reader.folder else path):
            return [(reader.content, f"the sound file: {problem}")]
        for _ in range(count):
            content = damaged(reader.content, generator)
            problem = check(reader, path, content)
            if problem:
                faults.append((content, problem))
    finally:
        shutil.rmtree(folder)
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", "--count", type=int, default=1000, help="files for each reader")
    parser.add_argument("-s", "--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="a folder for the files with faults")
    arguments = parser.parse_args()
    logging.disable()
    total = 0
    for name, reader in READERS.items():
        faults = fuzz(name, arguments.count, arguments.seed)
        total += len(faults)
        print(f"{name}: {arguments.count} files, {len(faults)} faults")
        for i, (content, problem) in enumerate(faults[:10]):
            print(f"  {problem[:300]}")
            if arguments.out is not None:
                arguments.out.mkdir(parents=True, exist_ok=True)
                (arguments.out / f"{name}_{i}_{reader.name}").write_bytes(content)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
