import dataclasses
import io
from unittest.mock import patch

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import resnet18

from pyg_vision.data import skeleton_sequence
from pyg_vision.data.skeleton import read_shapes
from pyg_vision.nn import STGCN, PyramidViG, ViG
from pyg_vision.prediction import (
    Predictor,
    TrainedModel,
    draw_blocks,
    draw_class,
    draw_prediction,
    joint_response,
    make_transforms,
)


def pixels(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=50)
    return np.asarray(Image.open(buffer).convert("RGB")).astype(int)


def stgcn():
    torch.manual_seed(0)
    model = STGCN(2, 3, layout="coco", stages=[(4, 1, 1), (8, 1, 2)]).eval()
    return TrainedModel.of(model, ["clap", "wave", "sit"])


def test_the_response_is_the_score_of_each_joint():
    trained = stgcn()
    data = skeleton_sequence(torch.rand(2, 9, 17, 2), "coco")
    found = joint_response(trained, data, 1)
    assert found.shape == (2, 9, 17)
    assert (float(found.min()), float(found.max())) == (0.0, 1.0)
    with torch.no_grad():
        scores = trained.model.extract_feature(data).scores[:, 1].view(2, 5, 17)
    expected = (scores - scores.min()) / (scores.max() - scores.min())
    torch.testing.assert_close(found, expected[:, [0, 0, 1, 1, 2, 2, 3, 3, 4]])


def looked_at(steps):
    """The response where a model's score is the number of the frame and the person that it saw."""
    trained = stgcn()
    data = skeleton_sequence(torch.rand(2, 6, 17, 2) + 0.1, "coco")
    number = torch.arange(2)[:, None] * 10 + torch.arange(6) + 1
    data.x[:, 0] = number.repeat_interleave(17, 1).flatten()
    data.pos[:, 0] = data.x[:, 0]
    trained = dataclasses.replace(trained, transform=make_transforms(steps))

    def scores(model, batch):
        shape = read_shapes(batch)[0]
        return batch.x[:, :1].view(*shape, 1).expand(*shape, 3)

    with patch("pyg_vision.prediction.drawing.node_scores", scores):
        return joint_response(trained, data, 1)


@pytest.mark.parametrize(
    "steps",
    [
        [{"PadFrames": {"num_frames": 20, "mode": "loop"}}],
        [{"PadFrames": {"num_frames": 20, "mode": "loop_persons"}}],
        [{"UniformSampleFrames": {"num_frames": 9, "num_clips": 3, "seed": 1}}],
        [{"CropResizeFrames": {"num_frames": 18, "share": 1.0}}],
        [{"TopPersons": {"num_persons": 2}}],
    ],
)
def test_each_frame_shows_its_own_response(steps):
    found = looked_at(steps)
    assert found.shape == (2, 6, 17)
    expected = torch.arange(2)[:, None] * 10 + torch.arange(6.0)
    expected = (expected / 15)[..., None].expand(2, 6, 17)
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0)


def test_frames_and_persons_that_were_left_out():
    found = looked_at([{"SampleFrames": {"num_frames": 2}}])
    near = torch.tensor([[0, 0, 0, 5, 5, 5], [10, 10, 10, 15, 15, 15]]) / 15
    torch.testing.assert_close(found, near[..., None].expand(2, 6, 17))
    found = looked_at([{"TopPersons": {"num_persons": 1}}])
    assert (found == 0).flatten(1).all(dim=1).sum() == 1


def test_a_sequence_has_discs():
    trained = stgcn()
    data = skeleton_sequence(torch.rand(1, 9, 17, 2), "coco")
    (prediction,) = Predictor(trained)(data, window=9)
    found = pixels(draw_prediction(trained, data, prediction))
    yellow = (abs(found - [0xF2, 0xB9, 0x0C]) < 12).all(axis=-1)
    assert yellow.sum() > 20
    response = torch.zeros(1, 9, 17)
    from pyg_vision.visualization import draw_skeleton

    with pytest.raises(ValueError, match="'response' must be from 0 to 1"):
        draw_skeleton(data, response=response + 2)
    with pytest.raises(ValueError, match=r"must be \[persons, frames, joints\] = \[1, 9, 17\]"):
        draw_skeleton(data, response=response[:, :3])
    plain, empty = draw_skeleton(data), draw_skeleton(data, response=response)
    assert (pixels(plain) == pixels(empty)).all()


@pytest.mark.parametrize("graphs", [True, False])
def test_an_image_with_or_without_graphs(graphs):
    torch.manual_seed(0)
    vig = ViG(
        channels=16, depth=2, k=3, image_size=32, patch_size=4, num_classes=2, use_dilation=False
    ).eval()
    about = {"kind": "image", "image_size": 32, "crop": 1.0, "interpolation": "bilinear",
             "mean": [0.2] * 3, "std": [0.5] * 3}  # fmt: skip
    model = vig if graphs else resnet18(num_classes=2).eval()
    trained = TrainedModel.of(model, ["cat", "dog"], about)
    image = Image.new("RGB", (40, 40), (200, 40, 40))
    (prediction,) = Predictor(trained)(image)
    found = pixels(draw_prediction(trained, image, prediction))
    # In the colours of the image, not in those that the model sees.
    assert (abs(found - [200, 40, 40]) < 8).all(axis=-1).sum() > 100


def test_a_pyramid_is_drawn_where_its_patches_can_be_seen():
    """Its later blocks have fewer patches than the first, and neighbours of pooled ones."""
    torch.manual_seed(0)
    options = {"channels": (8, 16, 24), "depths": (1, 1, 1), "reduce_ratios": (4, 2, 1)}
    model = PyramidViG(**options, k=4, num_classes=3, image_size=192).eval()
    trained = TrainedModel.of(model)
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 300, 3), np.uint8))
    figure = draw_prediction(trained, image, Predictor(trained)(image)[0])
    assert [ax.get_title(loc="left") for ax in figure.axes[:2]] == ["Block 2", "Last block"]
    assert model.block_grids(192, 192) == [
        ((48, 48), (12, 12)), ((24, 24), (12, 12)), ((12, 12), (12, 12))
    ]  # fmt: skip


def vision_model(multi_label=False):
    torch.manual_seed(0)
    model = ViG(
        channels=16, depth=2, k=3, image_size=32, patch_size=4, num_classes=2, use_dilation=False
    )
    about = {"kind": "image", "image_size": 32, "crop": 1.0, "interpolation": "bilinear",
             "mean": [0.2, 0.3, 0.4], "std": [0.5] * 3}  # fmt: skip
    return TrainedModel.of(model, ["cat", "dog"], about, multi_label)


def test_the_blocks_of_a_trained_model_are_drawn_as_it_saw_the_image():
    trained = vision_model()
    image = Image.new("RGB", (60, 40), (200, 40, 90))
    figure = draw_blocks(trained, image, points=[(0.1, 0.1)], blocks=[-1])
    (ax,) = figure.axes
    assert ax.get_title(loc="left") == "Block 2, 8×8 patches"
    shown = ax.images[0].get_array()
    assert shown.shape == (32, 32, 3)  # resized and cropped
    assert abs(shown.astype(int) - [200, 40, 90]).max() <= 1
    with pytest.raises(TypeError, match="must be one of images"):
        draw_blocks(stgcn(), image)
    plain = TrainedModel.of(resnet18(num_classes=2), ["cat", "dog"])
    with pytest.raises(
        TypeError, match=r"'model' must be a ViG, PyramidViG or another image model"
    ):
        draw_blocks(plain, image)


def test_what_speaks_for_a_class_is_drawn_for_the_class_that_is_named():
    trained = vision_model()
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8))
    (prediction,) = Predictor(trained)(image)
    title = draw_class(trained, image).axes[0].get_title(loc="left")
    assert title == f"{prediction.label}, {100 * prediction.probabilities[0]:.0f}%"
    cat, dog = (draw_class(trained, image, name, method="occlusion") for name in ("cat", "dog"))
    assert cat.axes[0].get_title(loc="left").startswith("cat, ")
    assert (pixels(cat) != pixels(dog)).any()
    with pytest.raises(ValueError, match=r"'label' must be one of 2 classes \(got 'owl'\)"):
        draw_class(trained, image, "owl")


def test_all_labels_of_an_image_are_named():
    trained = vision_model(multi_label=True)
    image = Image.new("RGB", (32, 32))
    for value, expected in ((4.0, "cat, 98%, dog, 98%"), (-4.0, "no label")):
        with torch.no_grad():
            trained.model.head[-1].weight.zero_()
            trained.model.head[-1].bias.fill_(value)
        (prediction,) = Predictor(trained)(image)
        texts = [text.get_text() for text in draw_prediction(trained, image, prediction).texts]
        assert expected in texts


def test_saliency_has_no_sign():
    image = Image.new("RGB", (32, 32))
    (text,) = draw_class(vision_model(), image, "cat", method="saliency").texts
    assert text.get_text() == "Orange: the pixels that change the class most."
