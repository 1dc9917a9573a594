"""The small files that the examples of docstrings read, under the names that they have there."""

import io
import json
import pickle
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from PIL import Image

# The first three classes of Kinetics-400, one video of each, the last one without a skeleton.
VIDEOS = ("abseiling", "air drumming", "answering questions")


def write(folder: Path) -> None:
    """Writes them into a folder."""
    write_openpose(folder / "clips" / "walk", "walk", num_frames=3)
    for gesture in ("clap", "wave"):
        for take in ("take_1", "take_2"):
            write_openpose(folder / "gestures" / gesture / take, take, num_frames=2)
    write_kinetics(folder / "kinetics")
    data = folder / "data"
    # The last one is a sample that the authors of the data set list as incomplete.
    write_ntu(data / "ntu" / "S001C001P001R001A001.skeleton", num_frames=3)
    write_ntu(data / "ntu" / "S001C001P002R001A050.skeleton", num_frames=4, num_bodies=2)
    write_ntu(data / "ntu" / "S001C002P005R002A008.skeleton", num_frames=2)
    write_nw_ucla(data / "nw_ucla" / "a01_s01_e00_v01.json")
    write_nw_ucla(data / "nw_ucla" / "a04_s01_e00_v02.json")
    write_nw_ucla(data / "nw_ucla" / "a04_s01_e00_v03.json")
    write_nw_ucla(data / "broken" / "a04_s01_e00_v01.json", joints_of_the_last=19)
    write_utd_mhad(data / "utd_mhad" / "a1_s1_t1_skeleton.mat")
    write_utd_mhad(data / "utd_mhad" / "a3_s1_t2_skeleton.mat")
    write_utd_mhad(data / "utd_mhad" / "a3_s2_t1_skeleton.mat")
    write_pyskl(data / "ucf101.pkl")
    write_arrays(data)
    write_formats(data / "formats")
    for split in ("train", "val"):
        (folder / "arrays").mkdir(exist_ok=True)
        for end in ("data.npy", "label.pkl"):
            shutil.copy(data / f"train_{end}", folder / "arrays" / f"{split}_{end}")
    write_images(folder / "photos")
    write_images(folder / "pictures")
    (folder / "pictures" / "dog" / "dog_2.png").unlink()
    write_shards(folder / "shards")


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_openpose(folder: Path, video: str, num_frames: int) -> None:
    """One person of 18 joints, whose pixels are far from the corner of the frame."""
    person = {"pose_keypoints_2d": [value for i in range(18) for value in (960, 30 * i, 0.5)]}
    for t in range(num_frames):
        write_json(folder / f"{video}_{t:012d}_keypoints.json", {"people": [person]})


def write_kinetics(folder: Path) -> None:
    person = {"pose": [0.5] * 36, "score": [0.5] * 18}
    labels = {}
    for label, action in enumerate(VIDEOS):
        video, found = f"video_{label}", label < len(VIDEOS) - 1
        labels[video] = {"has_skeleton": found, "label": action, "label_index": label}
        frames = [{"frame_index": t + 1, "skeleton": [person] * found} for t in range(4)]
        record = {"data": frames, "label": action, "label_index": label}
        write_json(folder / "kinetics_train" / f"{video}.json", record)
    write_json(folder / "kinetics_train_label.json", labels)


def write_ntu(path: Path, num_frames: int, num_bodies: int = 1) -> None:
    lines = [str(num_frames)]
    for t in range(num_frames):
        lines.append(str(num_bodies))
        for m in range(num_bodies):
            lines += [f"{m + 1} 0 1 1 1 1 0 0.02 -0.23 2", "25"]
            lines += [f"{m} 0.1 {3 + t} 277 191 1036 519 -0.2 0 1 0 2"] * 25
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")


def write_nw_ucla(path: Path, joints_of_the_last: int = 20) -> None:
    frames = [[[0.0, 0.1 * v, 2.0] for v in range(20)] for _ in range(3)]
    frames[-1] = frames[-1][:joints_of_the_last]
    write_json(path, {"skeletons": frames})


def write_utd_mhad(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scipy.io.savemat(path, {"d_skel": np.ones((20, 3, 5))})


def write_pyskl(path: Path) -> None:
    annotations = [
        {
            "frame_dir": name,
            "label": label,
            "total_frames": 4,
            "img_shape": (240, 320),
            "keypoint": np.full((1, 4, 17, 2), 100, dtype=np.float16),
            "keypoint_score": np.full((1, 4, 17), 0.5, dtype=np.float16),
        }
        for label, name in enumerate(("v_Archery_g01", "v_Biking_g01", "v_Diving_g01"))
    ]
    names = [annotation["frame_dir"] for annotation in annotations]
    content = {"split": {"train1": names[:2], "test1": names[2:]}, "annotations": annotations}
    path.write_bytes(pickle.dumps(content))


def write_arrays(folder: Path) -> None:
    """Four sequences of up to six frames and two persons; the last one is shorter, of one."""
    array = np.ones((4, 3, 6, 25, 2), dtype=np.float32)
    array[-1, :, 4:] = array[-1, ..., 1] = 0
    np.save(folder / "train_data.npy", array)
    names = [f"S001C001P00{i}R001A00{i}.skeleton" for i in range(1, 5)]
    (folder / "train_label.pkl").write_bytes(pickle.dumps((names, [0, 1, 2, 3])))


def write_formats(folder: Path) -> None:
    """A small file of each format that other programs write."""
    person = [[float(v), 2.0 * v] for v in range(17)]
    flat = [value for x, y in person for value in (x, y, 0.5)]
    instance = {"keypoints": person, "keypoint_scores": [0.5] * 17}
    frames = [{"frame_id": t, "instances": [instance]} for t in range(3)]
    write_json(folder / "results_walk.json", frames)
    listed = [{"image_id": f"{t}.jpg", "keypoints": flat, "score": 1.5} for t in (0, 1, 3)]
    write_json(folder / "alphapose-results.json", listed)
    listed = [{"image_id": i, "keypoints": flat, "score": 0.9} for i in (136, 139)]
    write_json(folder / "person_keypoints_results.json", listed)
    hand = [{"x": 0.5, "y": 0.01 * v, "z": 0.0} for v in range(21)]
    write_json(folder / "hands.json", [hand] * 3)
    rows = [",".join(map(str, [label, 0.0, 0.0, *[0.1] * 40])) for label in (0, 2)]
    (folder / "keypoint.csv").write_text("\n".join(rows))
    (folder / "labels").mkdir()
    line = " ".join(map(str, [0, 0.5, 0.5, 0.2, 0.4, *[0.5] * 51]))
    for t in (1, 3):
        (folder / "labels" / f"walk_{t}.txt").write_text(line)
    x = np.zeros((2, 6, 150), dtype=np.float32)
    x[0, :, :75] = x[1, :4, :75] = 0.5
    y = np.eye(60)
    arrays = {"x_train": x, "y_train": y[1:3], "x_test": x[1:], "y_test": y[3:4]}
    np.savez(folder / "NTU60_CV.npz", **arrays)
    videos = {"S1": {name: np.ones((4, 32, 3), np.float32) for name in ("Directions", "Walking")}}
    np.savez(folder / "data_3d_h36m.npz", positions_3d=np.array(videos, dtype=object))
    (folder / "a13_s02_e02_skeleton3D.txt").write_text("0.1 0.2 2.5 1\n" * 40)
    lines = [" ".join(map(str, [250 + t, *[0.5] * 60])) for t in range(8)]
    (folder / "joints_s01_e01.txt").write_text("\n".join(lines))
    (folder / "actionLabel.txt").write_text("s01_e01\nwalk: 252 256\n")
    (folder / "kinect.csv").write_text("\n".join([",".join(["0.1,0.2,2.5,2"] * 25)] * 2))
    poses = [np.ones((frames, 15, 2)) for frames in (15, 20)]
    content = {"pose": poses, "label": ["catch", "wave"]}
    (folder / "GT_test_1.pkl").write_bytes(pickle.dumps(content))
    (folder / "walk.bvh").write_text(BVH)


# Hips 100 above the ground, and two legs.
BVH = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT LeftLeg
  {
    OFFSET 10 -10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 -80 0
    }
  }
  JOINT RightLeg
  {
    OFFSET -10 -10 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 -80 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
0 100 0 0 0 0 0 0 0 0 0 0
0 100 5 0 0 0 0 90 0 0 0 0
"""


def write_images(folder: Path) -> None:
    for name, color in {"cat": "gray", "dog": "brown"}.items():
        (folder / name).mkdir(parents=True)
        for i in range(2):
            Image.new("RGB", (48, 32), color).save(folder / name / f"{name}_{i}.png")
    (folder / "dog" / "dog_2.png").write_bytes(b"")


def write_shards(folder: Path) -> None:
    """Two training shards of four images, a test shard of three, of two classes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train-0", 4), ("train-1", 4), ("test-0", 3)):
        with tarfile.open(folder / f"{name}.tar", "w") as tar:
            for i in range(count):
                file = io.BytesIO()
                Image.new("RGB", (20, 16), (80 * i, 0, 0)).save(file, "PNG")
                for suffix, content in (("png", file.getvalue()), ("cls", str(i % 2).encode())):
                    info = tarfile.TarInfo(f"{name}/{i}.{suffix}")
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
    write_json(folder / "classes.json", ["cat", "dog"])
