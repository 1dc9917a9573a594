r"""The released weights of Vision GNNs, and what is known of them."""

from __future__ import annotations

from functools import partial
from typing import Any

from pyg_vision.weights import Weights, image_transform

RELEASES = "https://github.com/huawei-noah/Efficient-AI-Backbones/releases/download/"
MMPRETRAIN = "https://download.openmmlab.com/mmclassification/v0/vig/"
HALF = [0.5, 0.5, 0.5]


def categories() -> list[str]:
    r"""Returns the names of ImageNet's 1000 classes."""
    from torchvision.models import ResNet18_Weights

    names: list[str] = ResNet18_Weights.IMAGENET1K_V1.meta["categories"]
    return names


def released(
    file: str, top1: float, *, readme: float, num_params: int, gmacs: float, crop: float = 0.9
) -> Weights:
    r"""Returns weights as the authors released them, of which they publish no hash.

    Args:
        file (str): The file in their releases, whose name holds its accuracy.
        top1 (float): That accuracy.
        readme (float): The accuracy that their README gives.
        num_params (int): The number of trained parameters.
        gmacs (float): Billions of multiplications and additions at 224 pixels, as published.
        crop (float, optional): The share of an image that is seen. (default: :obj:`0.9`)
    """
    meta = _meta(top1, "the name of the released file", num_params, gmacs)
    meta["metrics_elsewhere"] = {"the README of the release": readme}
    meta["source"] = "https://github.com/huawei-noah/Efficient-AI-Backbones"
    return Weights(RELEASES + file, _transforms(crop), meta)


def reevaluated(
    name: str, sha256: str, top1: float, *, readme: float, num_params: int, gmacs: float,
    crop: float = 0.9,
) -> Weights:  # fmt: skip
    r"""Returns the same weights as mmpretrain converted and evaluated them.

    Args:
        name (str): Its name of the model.
        sha256 (str): The first digits of the hash of the file.
        top1 (float): The accuracy in its metafile.
        readme (float): The accuracy that its README gives.
        num_params (int): The number of trained parameters.
        gmacs (float): Billions of multiplications and additions at 224 pixels, as published.
        crop (float, optional): The share of an image that is seen. (default: :obj:`0.9`)
    """
    meta = _meta(top1, "mmpretrain's metafile", num_params, gmacs)
    meta["metrics_elsewhere"] = {"mmpretrain's README": readme}
    meta["source"] = "https://github.com/open-mmlab/mmpretrain/tree/main/configs/vig"
    file = f"{name}_3rdparty_in1k_20230117-{sha256}.pth"
    return Weights(MMPRETRAIN + file, _transforms(crop), meta, sha256)


def _transforms(crop: float) -> Any:
    return partial(image_transform, 224, crop, "bicubic", HALF, HALF)


def _meta(top1: float, source: str, num_params: int, gmacs: float) -> dict[str, Any]:
    return {
        "categories": categories,
        "num_params": num_params,
        "gmacs": gmacs,
        "min_size": (32, 32),
        "metrics": {"ImageNet-1K": {"acc@1": top1}},
        "metrics_source": source,
        "licence": "Apache-2.0",
        "paper": "https://arxiv.org/abs/2206.00272",
    }
