r"""What is done to an input before a model sees it, from plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch_geometric.transforms import Compose
from torchvision.transforms import v2

from pyg_vision import transforms
from pyg_vision.weights import image_transform

Steps = Sequence[Mapping[str, Mapping[str, Any]]]


def make_transforms(steps: Steps) -> Compose:
    r"""Returns the transforms of graphs that names and arguments stand for.

    Args:
        steps (list of dict): A name of :mod:`pyg_vision.transforms` with its arguments each.

    Raises:
        ValueError: If there is no such transform, or it takes no such arguments.

    Example:
        >>> from pyg_vision.prediction import make_transforms
        >>> make_transforms([{"SampleFrames": {"num_frames": 52}}])
        Compose([
          SampleFrames(num_frames=52, random=False)
        ])
    """
    made = []
    for step in steps:
        if not isinstance(step, Mapping) or len(step) != 1:
            raise ValueError(f"a transform is one name with its arguments (got {step!r})")
        ((name, arguments),) = step.items()
        kind = getattr(transforms, name, None)
        if not isinstance(kind, type):
            raise ValueError(f"pyg_vision.transforms has no '{name}'")
        try:
            made.append(kind(**(arguments or {})))
        except TypeError as error:
            raise ValueError(f"'{name}': {error}") from error
    return Compose(made)


def make_input(given: Mapping[str, Any]) -> Callable[[Any], Any]:
    r"""Returns the transform that the plain data of a checkpoint stand for.

    Args:
        given (dict): What a data module said of its inputs.

    Raises:
        ValueError: If it is of no known kind.
    """
    try:
        return _made(given)
    except (AttributeError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ValueError(f"no input is what {repr(given)[:80]} says ({reason})") from error


def _made(given: Mapping[str, Any]) -> Callable[[Any], Any]:
    rest = {key: value for key, value in given.items() if key != "kind"}
    if given.get("kind") == "image":
        return image_transform(**rest)
    if given.get("kind") == "skeleton":
        return make_transforms(rest["transforms"])
    if given.get("kind") == "digits":
        nodes = transforms.ToPatchNodes(rest["patch_size"])
        return v2.Compose([v2.Grayscale(), v2.Resize((8, 8), antialias=True), nodes])
    raise ValueError(f"there are no inputs of the kind {given.get('kind')!r}")
