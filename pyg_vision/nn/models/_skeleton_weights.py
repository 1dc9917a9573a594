r"""The released weights of models of skeletons, and what is known of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from pyg_vision.weights import Weights

PYSKL = "https://download.openmmlab.com/mmaction/pyskl/ckpt/"
SOURCE = "https://github.com/kennymckormick/pyskl"

Stream = Literal["j", "b", "jm", "bm"]
Steps = list[dict[str, dict[str, Any]]]

# As pyskl names the folder of a model.
_FOLDERS = {
    "stgcn": "stgcn/stgcn_pyskl_",
    "stgcn_vanilla": "stgcn/stgcn_vanilla_",
    "stgcnpp": "stgcnpp/stgcnpp_",
    "aagcn": "aagcn/aagcn_pyskl_",
    "ctrgcn": "ctrgcn/ctrgcn_pyskl_",
    "msg3d": "msg3d/msg3d_pyskl_",
    "dgstgcn": "dgstgcn/",
}
_STREAMS: dict[Stream, tuple[str, list[str]]] = {
    "j": ("joint", []),
    "b": ("bone", ["JointToBone"]),
    "jm": ("joint motion", ["JointToMotion"]),
    "bm": ("bone motion", ["JointToBone", "JointToMotion"]),
}
_BENCHMARKS = {
    "ntu60_xsub": "NTU RGB+D, cross-subject",
    "ntu60_xview": "NTU RGB+D, cross-view",
    "ntu120_xsub": "NTU RGB+D 120, cross-subject",
    "ntu120_xset": "NTU RGB+D 120, cross-setup",
}


def pyskl(model: str, cell: str, stream: Stream, top1: float) -> Weights:
    r"""Returns weights of pyskl, of which it publishes no hash.

    Args:
        model (str): The name of the model here; :obj:`"stgcn_vanilla"` for ST-GCN by its first
            recipe.
        cell (str): Its data, as pyskl names them, such as :obj:`"ntu60_xsub_3dkp"`.
        stream (str): Joints, bones, or the motion of either.
        top1 (float): The accuracy in its README, of ten clips.
    """
    benchmark, _, kind = cell.rpartition("_")
    vanilla = model == "stgcn_vanilla"
    name, streams = _STREAMS[stream]
    steps: Steps = [{"NormalizePixels": {}}, {"FirstPersons": {"num_persons": 2}}]
    if kind == "3dkp":
        steps = [steps[1], {"AlignSkeleton": {"spine": False} if model == "dgstgcn" else {}}]
    steps += [{step: {}} for step in streams]
    frames = 300 if vanilla else 100
    if vanilla:
        steps.append({"PadFrames": {"num_frames": frames, "mode": "zero"}})
    else:
        clips = {"num_frames": frames, "num_clips": 10, "seed": 255}
        steps.append({"UniformSampleFrames": clips})
    count = 120 if benchmark.startswith("ntu120") else 60
    layout = "ntu_pyskl" if kind == "3dkp" else "coco"
    return _weights(
        f"{PYSKL}{_FOLDERS[model]}{cell}/{stream}.pth",
        partial(_ntu_actions, count),
        steps,
        options={
            "layout": layout,
            "num_classes": count,
            "padding": "published",
            "window": (frames, 2),
        },
        stream=name,
        metrics={_BENCHMARKS[benchmark]: {"acc@1": top1}},
        metrics_source="pyskl's README" + ("" if vanilla else ", of ten clips"),
        poses="Kinect v2, 3D" if kind == "3dkp" else "HRNet, 2D",
        source=SOURCE,
    )


def hagrid(sha256: str) -> Weights:
    r"""Returns ST-GCN++ on gestures of a hand, the model of pyskl's demonstration.

    Args:
        sha256 (str): The hash of the file.
    """
    # It was trained on landmarks in [0, 1].
    steps: Steps = [
        {"KeepCoordinates": {"dims": 2, "score": False}},
        {"NormalizePixels": {"mode": "share", "size": None}},
        {"FirstPersons": {"num_persons": 1}},
        {"UniformSampleFrames": {"num_frames": 10, "seed": 255}},
    ]
    stages = [(64, 5), (128, 1, 2)]
    return _weights(
        f"{SOURCE}/raw/main/demo/hagrid.pth",
        lambda: list(GESTURES),
        steps,
        options={"layout": "hand", "in_channels": 2, "num_classes": 40, "stages": stages},
        sha256=sha256,
        stream="joint",
        metrics={},
        metrics_source="none is published",
        poses="MediaPipe, 2D",
        source=f"{SOURCE}/tree/main/demo",
    )


def _weights(
    url: str,
    categories: Callable[[], list[str]],
    steps: Steps,
    options: dict[str, Any],
    sha256: str | None = None,
    **meta: Any,
) -> Weights:
    given = {"kind": "skeleton", "transforms": steps}
    meta |= {
        "categories": categories,
        "options": options,
        "layout": options["layout"],
        "input": given,
        "licence": "Apache-2.0",
    }
    return Weights(url, partial(_transforms, steps), meta, sha256)


def _transforms(steps: Steps) -> Callable[[Any], Any]:
    # Models know nothing of transforms, of which these are the names.
    make: Callable[[Steps], Callable[[Any], Any]]
    make = importlib.import_module("pyg_vision.prediction").make_transforms
    return make(steps)


def _ntu_actions(count: int) -> list[str]:
    actions: tuple[str, ...] = importlib.import_module("pyg_vision.datasets.ntu_rgbd").ACTIONS
    return list(actions[:count])


# Those of Jester and of HaGRID, in the order of the classes.
GESTURES = (
    "Doing other things", "Drumming Fingers", "No gesture", "Pulling Hand In",
    "Pulling Two Fingers In", "Pushing Hand Away", "Pushing Two Fingers Away",
    "Rolling Hand Backward", "Rolling Hand Forward", "Shaking Hand", "Sliding Two Fingers Down",
    "Sliding Two Fingers Left", "Sliding Two Fingers Right", "Sliding Two Fingers Up", "Stop Sign",
    "Swiping Down", "Swiping Left", "Swiping Right", "Swiping Up", "Dislike", "Like",
    "Turning Hand Clockwise", "Turning Hand Counterclockwise", "Zooming In With Full Hand",
    "Zooming In With Two Fingers", "Zooming Out With Full Hand", "Zooming Out With Two Fingers",
    "Call", "Fist", "Four", "Mute", "OK", "One", "Palm", "Peace", "Rock", "Three-Middle",
    "Three-Left", "Two Up", "No Gesture",
)  # fmt: skip
