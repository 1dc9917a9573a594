r"""The released weights of MobileViG and the models after it, and what is known of them."""

from __future__ import annotations

from functools import partial
from typing import Any

from pyg_vision.nn.models._axial_names import describe_axial
from pyg_vision.nn.models._vig_weights import categories
from pyg_vision.weights import Described, Weights, image_transform, register_family

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
INPUT = {
    "kind": "image", "crop": 0.9, "interpolation": "bicubic", "mean": MEAN, "std": STD,
    "image_size": 224,
}  # fmt: skip


def released(
    repository: str, file: str, top1: float | None, source: str, *, num_params: int, paper: str,
    licence: str, gmacs: float | None = None,
) -> Weights:  # fmt: skip
    r"""Returns weights as the authors released them, of which they publish no hash.

    Args:
        repository (str): Their name on Hugging Face.
        file (str): The file in it.
        top1 (float, optional): The accuracy, :obj:`None` if none was published.
        source (str): Where the accuracy is from.
        num_params (int): The number of parameters.
        paper (str): The address of the paper.
        licence (str): The licence.
        gmacs (float, optional): Billions of multiplications and additions at 224 pixels, as
            published. (default: :obj:`None`)
    """
    meta: dict[str, Any] = {
        "categories": categories,
        "num_params": num_params,
        "gmacs": gmacs,
        "min_size": (32, 32),
        "metrics": {"ImageNet-1K": {} if top1 is None else {"acc@1": top1}},
        "metrics_source": source,
        "source": f"https://huggingface.co/{repository}",
        "licence": licence,
        "paper": paper,
    }
    url = f"https://huggingface.co/{repository}/resolve/main/{file}"
    transforms = partial(image_transform, 224, 0.9, "bicubic", MEAN, STD)
    # The authors evaluate the weights that are not averaged.
    return Weights(url, transforms, meta, averaged=False)


def register_axial(family: str) -> None:
    r"""Makes a family known by the names and shapes of its published checkpoints.

    Args:
        family (str): The name of its class.
    """

    def describe(state: Any) -> Described | None:
        found = describe_axial(state)
        if found is None or found[0] != family:
            return None
        return Described(found[1], dict(INPUT))

    register_family(f"pyg_vision.nn.{family}", describe)
