import math

import pytest
import torch

from examples import classification, detection, segmentation
from examples.shapes import CLASSES, Shapes
from examples.training import BACKBONES, small_pyramid


def test_shapes_are_the_same_again_and_their_targets_agree():
    data = Shapes(20, seed=3)
    for i in range(20):
        image, target = data[i]
        again, _ = Shapes(20, seed=3)[i]
        assert torch.equal(image, again)
        assert 1 <= len(target["labels"]) <= 5
        for box, mask, label in zip(
            *(target[n] for n in ("boxes", "masks", "labels")), strict=True
        ):
            left, top, right, bottom = box.int().tolist()
            assert int(mask[top:bottom, left:right].sum()) == int(mask.sum()) > 0
            assert set(target["classes"][mask.bool()].tolist()) == {int(label)}
    assert not torch.equal(Shapes(1, seed=4)[0][0], data[0][0])


@pytest.mark.slow
@pytest.mark.parametrize("name", detection.MODELS)
def test_detectors_learn(name):
    torch.manual_seed(0)
    model = detection.make_detector(name)
    losses = [sum(step.values()) for step in detection.train(model, Shapes(16), 20, 4)]
    assert sum(losses[-5:]) < sum(losses[:5])
    scores = detection.evaluate(model, Shapes(4, seed=1))
    assert all(-1 <= value <= 1 for value in scores.values())
    assert ("segm mAP@50" in scores) == (name == "mask_rcnn")


@pytest.mark.slow
def test_mask_rcnn_in_bfloat16_stays_finite():
    torch.manual_seed(0)
    model = detection.make_detector("mask_rcnn")
    steps = list(detection.train(model, Shapes(400), 100, 4, dtype=torch.bfloat16))
    assert len(steps) == 100
    assert all(math.isfinite(value) for step in steps for value in step.values())
    assert all(bool(p.isfinite().all()) for p in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("name", segmentation.MODELS)
def test_segmenters_learn(name):
    torch.manual_seed(0)
    model = segmentation.make_segmenter(name)
    losses = [step["loss"] for step in segmentation.train(model, Shapes(16), 20, 4)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    assert model.eval()(torch.rand(1, 3, 96, 160)).shape == (1, len(CLASSES), 96, 160)


OTHERS = pytest.mark.parametrize("backbone", [name for name in BACKBONES if name != "pvig"])


@pytest.mark.slow
@OTHERS
def test_other_backbones_detect(backbone):
    torch.manual_seed(0)
    model = detection.make_detector("faster_rcnn", backbone=backbone)
    losses = [sum(step.values()) for step in detection.train(model, Shapes(16), 20, 4)]
    assert sum(losses[-5:]) < sum(losses[:5])


@pytest.mark.slow
@OTHERS
def test_other_backbones_segment(backbone):
    torch.manual_seed(0)
    model = segmentation.make_segmenter("semantic_fpn", backbone=backbone)
    losses = [step["loss"] for step in segmentation.train(model, Shapes(16), 20, 4)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    assert model.eval()(torch.rand(1, 3, 96, 160)).shape == (1, len(CLASSES), 96, 160)


def test_unknown_backbones_are_named():
    with pytest.raises(ValueError, match="the backbone must be one of pvig, .*'resnet'"):
        small_pyramid(64, "resnet")


@pytest.mark.slow
@pytest.mark.parametrize("name", classification.MODELS)
def test_classifiers_learn(name):
    torch.manual_seed(0)
    model, make_data = classification.make(name)
    losses = [step["loss"] for step in classification.train(model, make_data(320, False), 20, 16)]
    assert sum(losses[-5:]) < sum(losses[:5])
    assert 0 <= classification.evaluate(model, make_data(8, True)) <= 1
