"""Faster R-CNN, Mask R-CNN and RetinaNet of torchvision on a small Pyramid ViG, or another
backbone.

They learn to find shapes on textured noise, from scratch, within ten minutes on two cores:

    python -m examples.detection --model faster_rcnn

For images of your own, give the data set of `main` another class, and take a whole model with its
weights, whose images are scaled to [-1, 1]:

    model = pvig_s(weights="IMAGENET1K_V1", num_classes=0)
    backbone = BackboneWithFPN(model)
    detector = FasterRCNN(backbone, num_classes, image_mean=[0.5] * 3, image_std=[0.5] * 3)
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import GroupNorm, Module
from torch.utils.data import DataLoader, Dataset
from torchvision.models.detection import FasterRCNN, MaskRCNN, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from examples import training
from examples.shapes import CLASSES, Shapes, collate
from examples.training import BACKBONES, small_pyramid
from pyg_vision.nn import BackboneWithFPN

STEPS = {"faster_rcnn": 1000, "mask_rcnn": 1000, "retinanet": 1500}
MODELS = tuple(STEPS)
RATIOS = (0.5, 1.0, 2.0)
# A backbone without trained weights finds boxes first: of its gradient, masks have a small part.
MASK_WEIGHT = 0.2


def make_detector(
    name: str, image_size: int = 128, channels: int = 64, backbone: str = "pvig"
) -> Module:
    """Returns a detector on a backbone of a few channels.

    Args:
        name: One of `MODELS`.
        image_size: Height and width of the images.
        channels: The channels of the feature pyramid.
        backbone: One of `BACKBONES`.
    """
    model = small_pyramid(image_size, backbone)
    options: dict[str, Any] = {
        "num_classes": len(CLASSES),
        "min_size": image_size,
        "max_size": image_size,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
    }
    # Strides 8, 16 and 32 of the model; the objects are none that need 4.
    if name == "retinanet":
        # And 64 and 128, made of the last.
        pyramid = BackboneWithFPN(
            model, channels, indices=3, extra_blocks=LastLevelP6P7(channels, channels)
        )
        sizes = tuple((s, int(s * 2 ** (1 / 3)), int(s * 2 ** (2 / 3))) for s in (16, 32, 64))
        sizes += ((128,) * 3, (256,) * 3)
        anchors = AnchorGenerator(sizes, (RATIOS,) * len(sizes))
        # With norms, as torchvision's second version of the model.
        head = RetinaNetHead(
            channels,
            anchors.num_anchors_per_location()[0],
            len(CLASSES),
            norm_layer=partial(GroupNorm, 8),
        )
        return RetinaNet(pyramid, anchor_generator=anchors, head=head, **options)
    # And 64, as the maximum of the last.
    pyramid = BackboneWithFPN(model, channels, indices=3)
    anchors = AnchorGenerator(((16,), (32,), (64,), (128,)), (RATIOS,) * 4)
    kinds = {"faster_rcnn": FasterRCNN, "mask_rcnn": MaskRCNN}
    if name not in kinds:
        raise ValueError(f"the model must be one of {', '.join(MODELS)} (got {name!r})")
    classes = options.pop("num_classes")
    options |= {
        "rpn_anchor_generator": anchors,
        "rpn_pre_nms_top_n_train": 400,
        "rpn_post_nms_top_n_train": 200,
        "rpn_pre_nms_top_n_test": 200,
        "rpn_post_nms_top_n_test": 100,
        "box_batch_size_per_image": 64,
        # Heads of torchvision's kind, of fewer channels.
        "box_head": TwoMLPHead(channels * 7**2, 4 * channels),
        "box_predictor": FastRCNNPredictor(4 * channels, classes),
        # The gradient of RoI align runs on one thread: one sample of each bin in place of four.
        "box_roi_pool": MultiScaleRoIAlign(["0", "1", "2"], 7, sampling_ratio=1),
    }
    if name == "mask_rcnn":
        options["mask_roi_pool"] = MultiScaleRoIAlign(["0", "1", "2"], 14, sampling_ratio=1)
        options["mask_head"] = MaskRCNNHeads(channels, (channels // 2,) * 2, 1)
        options["mask_predictor"] = MaskRCNNPredictor(channels // 2, channels // 2, classes)
    return kinds[name](pyramid, **options)


def train(
    model: Module,
    data: Dataset[Any],
    steps: int,
    batch_size: int = 8,
    lr: float = 2e-3,
    dtype: torch.dtype = torch.float32,
) -> Iterator[dict[str, float]]:
    """Trains a detector and yields the losses of each step.

    Args:
        model: The detector.
        data: Pairs of an image and its target.
        steps: How many batches.
        batch_size: The images of each.
        lr: The largest learning rate.
        dtype: `torch.bfloat16` for autocast.
    """

    def losses(batch: tuple[list[Tensor], list[Any]]) -> dict[str, Tensor]:
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            found: dict[str, Tensor] = model(*batch)
        if "loss_mask" in found:
            found["loss_mask"] = MASK_WEIGHT * found["loss_mask"]
        return found

    loader = DataLoader(data, batch_size, shuffle=True, drop_last=True, collate_fn=collate)
    return training.train(model, loader, steps, losses, lr, clip=10.0)


@torch.inference_mode()
def evaluate(model: Module, data: Dataset[Any], batch_size: int = 20) -> dict[str, float]:
    """Returns the mean average precision of boxes, and of masks if there are some.

    Args:
        model: The detector.
        data: Pairs of an image and its target.
        batch_size: How many images at once.
    """
    from torchmetrics.detection import MeanAveragePrecision

    model.eval()
    kinds: tuple[tuple[Literal["bbox", "segm"], str], ...] = (("bbox", "boxes"), ("segm", "masks"))
    found: dict[str, Any] = {}
    for images, targets in DataLoader(data, batch_size, collate_fn=collate):
        outputs = model(images)
        for kind, key in kinds:
            if key in outputs[0]:
                metric = found.setdefault(kind, MeanAveragePrecision(iou_type=kind))
                metric.update([_for_metric(o) for o in outputs], [_for_metric(t) for t in targets])
    scores: dict[str, float] = {}
    for name, metric in found.items():
        values = metric.compute()
        scores |= {f"{name} mAP": float(values["map"]), f"{name} mAP@50": float(values["map_50"])}
    return scores


def _for_metric(values: dict[str, Tensor]) -> dict[str, Tensor]:
    names = ("boxes", "scores", "labels")
    found: dict[str, Tensor] = {name: values[name] for name in names if name in values}
    if "masks" in values:
        masks = values["masks"]
        # A predicted mask is a probability, [n, 1, H, W].
        found["masks"] = masks[:, 0] > 0.5 if masks.dim() == 4 else masks.bool()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, default="faster_rcnn")
    parser.add_argument("--backbone", choices=BACKBONES, default="pvig")
    parser.add_argument("--steps", type=int, help="batches (1000; 1500 of RetinaNet)")
    parser.add_argument("--batch_size", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bf16", action="store_true", help="train in bfloat16 by autocast")
    values = parser.parse_args()
    steps = values.steps or STEPS[values.model]
    torch.manual_seed(values.seed)
    model = make_detector(values.model, backbone=values.backbone)
    data = Shapes(steps * values.batch_size, seed=values.seed)
    dtype = torch.bfloat16 if values.bf16 else torch.float32
    training.show(train(model, data, steps, values.batch_size, dtype=dtype))
    print(training.as_text(evaluate(model, Shapes(200, seed=values.seed + 1_000_000))))


if __name__ == "__main__":
    main()
