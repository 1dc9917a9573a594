import copy
import warnings

import pytest
import torch

from pyg_vision.nn import stgcnpp
from pyg_vision.prediction import CheckpointError, load_trained, write_checkpoint
from pyg_vision.prediction._preprocess import make_input
from pyg_vision.weights import convert
from tests.training import small

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def trained():
    """A checkpoint as a training writes it, and the module that it is of."""
    module, data = small.skeletons()
    module.build(["a", "b", "c"])
    with torch.no_grad():
        for value in module.ema.module.parameters():
            value.add_(0.5)  # so that the average is not the model
    given = {"model": {"init_args": {"model": "stgcn", "options": module.hparams["options"]}}}
    about = {"config": given, "classes": module.classes, "input": data.preprocessing()}
    return {"state_dict": module.state_dict(), "pyg_vision": about}, module


def test_the_average_of_the_weights_is_loaded(tmp_path, trained):
    checkpoint, module = trained
    write_checkpoint(checkpoint, tmp_path / "checkpoints" / "last.ckpt")
    for path in (tmp_path, tmp_path / "checkpoints" / "last.ckpt"):
        found = load_trained(path)
        assert not found.model.training
        assert found.classes == ["a", "b", "c"]
        expected = module.ema.module.state_dict()
        state = found.model.state_dict()
        assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_the_transform_is_that_of_test_data(tmp_path, trained):
    checkpoint, _ = trained
    write_checkpoint(checkpoint, tmp_path / "a.ckpt")
    assert "CenterSkeleton" in repr(load_trained(tmp_path / "a.ckpt").transform)


def test_hostile_and_foreign_files_are_one_line(tmp_path, trained):
    checkpoint, _ = trained
    path = tmp_path / "a.ckpt"
    for change, message in (
        (lambda c: c.pop("pyg_vision"), "is not known; name its --model"),
        (lambda c: given(c).update(model="os.system"), "there is no model 'os.system'"),
        (lambda c: given(c).update(options={"stages": 3}), "cannot be made"),
        (lambda c: c["state_dict"].clear(), "cannot be made"),
        (lambda c: c["pyg_vision"].update(input={"kind": "sound"}), "no inputs of the kind"),
        (lambda c: c["pyg_vision"].pop("classes"), "cannot be made"),
    ):
        changed = copy.deepcopy(checkpoint)
        change(changed)
        write_checkpoint(changed, path)
        with pytest.raises(CheckpointError, match=message) as error:
            load_trained(path)
        assert "\n" not in str(error.value)
    with pytest.raises(CheckpointError, match="there is no checkpoint"):
        load_trained(tmp_path)


def given(checkpoint):
    return checkpoint["pyg_vision"]["config"]["model"]["init_args"]


def test_inputs_of_every_kind():
    image = {"kind": "image", "image_size": 8, "crop": 1.0, "interpolation": "bilinear"}
    transform = make_input({**image, "mean": [0.5] * 3, "std": [0.5] * 3})
    assert transform(torch.zeros(3, 16, 16, dtype=torch.uint8)).eq(-1).all()
    assert make_input({"kind": "digits", "patch_size": 2})(torch.zeros(1, 8, 8)).x.shape == (16, 4)


def test_weights_that_do_not_say_how_sequences_are_prepared(tmp_path):
    path = tmp_path / "renamed.pth"
    model = stgcnpp(num_classes=3, layout="coco", stages=[(16, 1), (32, 1, 2)]).eval()
    torch.save(model.state_dict(), path)
    with pytest.warns(UserWarning, match=r"renamed\.pth' does not say how sequences are prepared"):
        found = load_trained(path)
    assert found.input["transforms"] == []
    given = {"kind": "skeleton", "transforms": [{"SampleFrames": {"num_frames": 8}}]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = load_trained(path, input=given)
    assert "SampleFrames" in repr(found.transform)
    convert(path, tmp_path / "own.safetensors", input=given)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_trained(tmp_path / "own.safetensors").input == given


def test_another_preparation_than_that_of_the_training(tmp_path, trained):
    checkpoint, _ = trained
    write_checkpoint(checkpoint, tmp_path / "a.ckpt")
    given = {"kind": "skeleton", "transforms": []}
    assert load_trained(tmp_path / "a.ckpt", input=given).input == given


@pytest.mark.parametrize("given", [{"kind": "skeleton"}, [], {"kind": "image", "foo": 1}])
def test_a_wrong_input_is_not_the_fault_of_the_file(tmp_path, trained, given):
    checkpoint, _ = trained
    write_checkpoint(checkpoint, tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match="no input is what") as error:
        load_trained(tmp_path / "a.ckpt", input=given)
    assert "\n" not in str(error.value)
