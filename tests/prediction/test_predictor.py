from dataclasses import replace

import pytest
import torch
from PIL import Image
from torch_geometric.data import Batch
from torch_geometric.transforms import Compose

from pyg_vision.data import skeleton_sequence
from pyg_vision.nn import STGCN, ViG
from pyg_vision.prediction import Predictor, TrainedModel, open_model
from pyg_vision.transforms import UniformSampleFrames


def stgcn(seed=0, classes=4):
    torch.manual_seed(seed)
    return STGCN(2, classes, layout="coco", stages=[(4, 1, 1), (8, 1, 2)]).eval()


def vig():
    torch.manual_seed(0)
    options = {"channels": 16, "depth": 2, "k": 3, "image_size": 16, "patch_size": 4}
    return ViG(num_classes=3, **options, use_dilation=False).eval()


def sequences(*shapes):
    torch.manual_seed(1)
    return [skeleton_sequence(torch.rand(m, t, 17, 2), "coco") for m, t in shapes]


def test_probabilities_are_those_of_the_model_alone():
    model, data = stgcn(), sequences((1, 9), (2, 30), (1, 5))
    found = Predictor(TrainedModel.of(model, list("abcd")), batch_size=2)(data, top_k=4)
    assert [p.source for p in found] == ["0", "1", "2"]
    with torch.no_grad():
        for one, prediction in zip(data, found, strict=True):
            expected = model(Batch.from_data_list([one])).softmax(-1)[0]
            values, order = expected.sort(descending=True)
            assert prediction.classes == ["abcd"[i] for i in order]
            torch.testing.assert_close(torch.tensor(prediction.probabilities), values)
            assert prediction.label == prediction.classes[0]


def test_images_are_resized_and_normalised():
    model = vig()
    image = Image.effect_noise((40, 30), 80).convert("RGB")
    (found,) = Predictor(TrainedModel.of(model))(image, top_k=9)
    assert len(found.classes) == 3
    trained = TrainedModel.of(model)
    with torch.no_grad():
        expected = model(trained.transform(image)[None]).softmax(-1)[0]
    torch.testing.assert_close(
        torch.tensor(found.probabilities), expected.sort(descending=True).values
    )


def test_several_clips_are_averaged():
    model, data = stgcn(), sequences((1, 20), (1, 31))
    clips = UniformSampleFrames(8, num_clips=3, seed=5)
    trained = TrainedModel(model, list("abcd"), Compose([clips]), {"kind": "skeleton"})
    found = Predictor(trained, batch_size=2).probabilities(data)
    with torch.no_grad():
        for row, one in zip(found, data, strict=True):
            each = [model(Batch.from_data_list([clip])).softmax(-1) for clip in clips(one)]
            torch.testing.assert_close(row, torch.cat(each).mean(0))


def test_an_ensemble_averages_by_weight():
    a, b = TrainedModel.of(stgcn(0)), TrainedModel.of(stgcn(1))
    data = sequences((1, 9), (1, 12))
    expected = (2 * Predictor(a).probabilities(data) + Predictor(b).probabilities(data)) / 3
    found = Predictor([a, b], weights=[2, 1]).probabilities(data)
    torch.testing.assert_close(found, expected)


def test_windows_and_persons():
    predictor = Predictor(TrainedModel.of(stgcn()))
    (data,) = sequences((2, 10))
    found = predictor(data, window=4, stride=3, per_person=True)
    assert [(p.frames, p.person) for p in found][:3] == [((0, 4), 0), ((0, 4), 1), ((3, 7), 0)]
    assert found[0].as_dict()["frames"] == [0, 4]
    alone = skeleton_sequence(data.x.view(2, 10, 17, 2)[1, :4], "coco")
    assert found[1].probabilities == pytest.approx(predictor(alone)[0].probabilities)


@pytest.mark.parametrize("name", ["window", "stride"])
def test_a_window_of_no_frames_is_none(name):
    with pytest.raises(ValueError, match=f"'{name}' must be"):
        Predictor(TrainedModel.of(stgcn()))(sequences((1, 9)), **{name: 0})


def test_persons_are_followed():
    predictor = Predictor(TrainedModel.of(stgcn()))
    still = torch.rand(2, 8, 17, 2)
    still[:] = still[:, :1] + torch.tensor([0.0, 9.0]).view(2, 1, 1, 1)
    mixed = still.clone()
    mixed[:, 1::2] = still.flip(0)[:, 1::2]
    found = predictor(skeleton_sequence(mixed, "coco"), per_person=True, track=True)
    expected = predictor(skeleton_sequence(still, "coco"), per_person=True)
    assert found[1].probabilities == pytest.approx(expected[1].probabilities)


def test_nobody_to_predict_on():
    data = skeleton_sequence(torch.zeros(1, 9, 17, 2), "coco")
    for options in ({}, {"window": 3}):
        with pytest.raises(ValueError, match="nobody is seen in '0'"):
            Predictor(TrainedModel.of(stgcn()))(data, **options)


def test_names_must_be_as_many_as_the_classes(tmp_path):
    from torchvision.models import resnet18

    about = {"kind": "image", "image_size": 32, "crop": 1.0, "interpolation": "bilinear",
             "mean": [0.5] * 3, "std": [0.5] * 3}  # fmt: skip
    trained = TrainedModel.of(resnet18(num_classes=10), ["a", "b"], about)
    with pytest.raises(ValueError, match=r"gives 10 classes \(got 2 names\)"):
        Predictor(trained)(Image.new("RGB", (32, 32)))
    torch.save(stgcn().state_dict(), tmp_path / "a.pth")
    options = {"in_channels": 2, "layout": "coco", "stages": [(4, 1, 1), (8, 1, 2)]}
    with pytest.raises(ValueError, match=r"is of 4 classes \(got 2 names\)"):
        open_model(tmp_path / "a.pth", "stgcn", options, ["a", "b"])
    with pytest.raises(ValueError, match=r"must be a list of names \(got dict\)"):
        open_model(tmp_path / "a.pth", "stgcn", options, {"0": "a"})


def test_labels_and_names_of_some_inputs_do_not_matter():
    one, two = sequences((1, 9), (1, 9))
    one.y, two.name = torch.tensor([1]), "two"
    assert len(Predictor(TrainedModel.of(stgcn()))([one, two])) == 2


def test_what_is_wrong_is_named():
    a = TrainedModel.of(stgcn())
    with pytest.raises(ValueError, match="same classes and kind"):
        Predictor([a, TrainedModel.of(stgcn(classes=5))])
    with pytest.raises(ValueError, match="same classes and kind"):
        Predictor([a, TrainedModel.of(vig())])
    with pytest.raises(ValueError, match="2 positive numbers"):
        Predictor([a, a], weights=[1])
    with pytest.raises(ValueError, match="positive numbers"):
        Predictor(a, weights=[0])
    with pytest.raises(ValueError, match="at least one model"):
        Predictor([])
    with pytest.raises(ValueError, match="the model is of images"):
        Predictor(TrainedModel.of(vig()))("photo.jpg", window=3)
    with pytest.raises(ValueError, match=r"the model has 4 classes \(got 2 names\)"):
        TrainedModel.of(stgcn(), ["a", "b"])
    with pytest.raises(ValueError, match="'classes' must be given for a Linear"):
        TrainedModel.of(torch.nn.Linear(2, 2))


def test_files_that_do_not_say_what_they_hold(tmp_path):
    model = stgcn()
    torch.save({"model": model.state_dict()}, tmp_path / "a.pth")
    options = {"in_channels": 2, "layout": "coco", "stages": [(4, 1, 1), (8, 1, 2)]}
    opened = open_model(tmp_path / "a.pth", "stgcn", options)
    assert opened.classes == ["0", "1", "2", "3"]
    data = sequences((1, 9))
    a, b = (Predictor(one).probabilities(data) for one in (opened, TrainedModel.of(model)))
    assert torch.equal(a, b)
    from pyg_vision.prediction import CheckpointError

    with pytest.raises(CheckpointError, match="does not fit|no checkpoint of STGCN"):
        open_model(tmp_path / "a.pth", "stgcn", {**options, "stages": [(8, 1, 1)]})
    with pytest.raises(ValueError, match="there is no model 'gcn'"):
        open_model(tmp_path / "a.pth", "gcn")
    with pytest.raises(ValueError, match="'stgcn' cannot be made: .*'depth'"):
        open_model(tmp_path / "a.pth", "stgcn", {**options, "depth": 3})
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        open_model(tmp_path / "none.pth", "stgcn")


def test_all_labels_of_a_model_of_several_are_returned():
    options = {"channels": 16, "depth": 1, "k": 3, "image_size": 16, "patch_size": 4}
    trained = TrainedModel.of(ViG(num_classes=7, **options), multi_label=True)
    image = Image.new("RGB", (32, 32))
    (found,) = Predictor(trained)(image)
    assert sorted(found.classes) == sorted(trained.classes)
    assert len(Predictor(trained)(image, top_k=2)[0].classes) == 2
    assert len(Predictor(replace(trained, multi_label=False))(image)[0].classes) == 5
    one = replace(trained, multi_label=False)
    with pytest.raises(ValueError, match="all have one class an input, or all several"):
        Predictor([trained, one])
