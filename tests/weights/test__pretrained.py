import json
import logging

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import Linear

from pyg_vision.nn import PyramidViG, ViG
from pyg_vision.prediction import CheckpointError, load_trained
from pyg_vision.weights import (
    convert,
    describe_checkpoint,
    from_pretrained,
    from_published,
    load_published,
    load_weights,
)

VIG = {
    "channels": 16, "depth": 2, "num_classes": 7, "in_channels": 3, "image_size": (64, 32),
    "patch_size": 8, "k": 9,
}  # fmt: skip
PYRAMID = {
    "channels": (8, 16, 24), "depths": (1, 2, 1), "reduce_ratios": (4, 2, 1), "num_classes": 7,
    "in_channels": 4, "image_size": (64, 96),
}  # fmt: skip
MODELS = {ViG: VIG, PyramidViG: PYRAMID}


def random_model(cls, **options):
    torch.manual_seed(0)
    model = cls(**MODELS[cls] | options)
    with torch.no_grad():
        for value in model.state_dict().values():
            if value.is_floating_point():
                value.uniform_(0.1, 1.0)
    return model


def published(model, dialect="official"):
    """The names of the authors or of mmpretrain, which count blocks in their own way."""
    depths = getattr(model, "depths", None)
    state = {}
    for name, value in model.state_dict().items():
        name = name.replace(".grapher.conv.", ".0.graph_conv.gconv.")
        name = name.replace(".grapher.relative_pos.table", ".0.relative_pos")
        name = name.replace(".grapher.", ".0.").replace(".ffn.", ".1.")
        parts = name.split(".")
        if parts[0] == "stages":
            stage = int(parts[1])
            first = sum(depths[:stage]) + stage
            if parts[2] == "downsample":
                new = ["backbone", str(first - 1), "conv", *parts[3:]]
                other = ["backbone", "stages", str(stage), "0", *parts[3:]]
            else:
                new = ["backbone", str(first + int(parts[3])), *parts[4:]]
                place = int(parts[3]) + (stage > 0)
                other = ["backbone", "stages", str(stage), str(place), *parts[4:]]
            name = ".".join(new if dialect == "official" else other)
        elif dialect == "official":
            name = name.replace("blocks.", "backbone.").replace("head.", "prediction.")
            name = name.replace("stem.", "stem.convs.") if parts[0] == "stem" else name
        elif parts[0] == "head":
            name = f"head.{ {'0': 'fc1', '1': 'bn', '4': 'fc2'}[parts[1]] }.{parts[2]}"
        else:
            name = f"backbone.{name}"
        if value.dim() == 2 and (dialect == "official" or not name.startswith("head")):
            value = value[:, :, None, None]
        state[name] = value
    return state


def equal(first, second):
    assert type(first) is type(second)
    for (name, a), b in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


@pytest.mark.parametrize("cls", MODELS)
@pytest.mark.parametrize("dialect", ["official", "mmpretrain"])
@pytest.mark.parametrize("conv", ["mr", "sage", "gin"])
def test_a_file_tells_its_model(cls, dialect, conv, tmp_path):
    source = random_model(cls, conv=conv)
    state = published(source, dialect)
    load_published(cls(**MODELS[cls] | {"conv": conv}), state)  # which are its names
    torch.save({"state_dict": state}, tmp_path / "weights.pth")
    save_file(
        {name: value.contiguous() for name, value in state.items()}, tmp_path / "w.safetensors"
    )
    for given in (state, tmp_path / "weights.pth", tmp_path / "w.safetensors"):
        model = from_published(given)
        equal(model, source)
        x = torch.rand(1, MODELS[cls]["in_channels"], 64, 96)
        assert torch.equal(model.eval()(x), source.eval()(x))


OPTIONS = [
    {"num_classes": 0},
    {"bias": False},
    {"act": "prelu"},
    {"norm": "instance"},
    {"conv": "edge"},
    {"image_size": 224},
]


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        *((cls, options) for cls in MODELS for options in OPTIONS),
        (PyramidViG, {"relative_pos": None}),
    ],
)
def test_options_that_names_and_shapes_tell(cls, options):
    source = random_model(cls, **options)
    told = {"conv": "edge"} if options.get("conv") == "edge" else {}
    if "relative_pos" in options:  # nothing tells the ratios then
        told = options | {"reduce_ratios": PYRAMID["reduce_ratios"]}
    equal(from_published(published(source), **told), source)
    equal(from_published(source.state_dict(), **told), source)  # in our names


def test_other_classes_channels_and_size(caplog):
    caplog.set_level(logging.INFO, logger="pyg_vision")
    for cls in MODELS:
        source = random_model(cls)
        before = source.state_dict()
        model = from_published(published(source), num_classes=3, in_channels=1, image_size=128)
        state = model.state_dict()
        assert model.num_classes == 3
        first = state["stem.0.weight"]
        torch.testing.assert_close(first, before["stem.0.weight"].sum(1, keepdim=True))
        assert torch.equal(state["head.0.weight"], before["head.0.weight"])
        assert model.image_size == (128, 128)
        assert "resampled pos_embed" in caplog.text
        assert "resampled stem.0.weight" in caplog.text
        assert "left out prediction.4.weight" in caplog.text
        caplog.clear()
        bare = from_published(published(source), num_classes=0)
        assert isinstance(bare.head, torch.nn.Identity)
        wide = from_published(published(source), in_channels=7).state_dict()["stem.0.weight"]
        channels = before["stem.0.weight"].size(1)
        expected = before["stem.0.weight"][:, [i % channels for i in range(7)]] * channels / 7
        torch.testing.assert_close(wide, expected)


def test_what_differs_without_being_asked_for_is_an_error():
    source = random_model(ViG)
    with pytest.raises(ValueError, match=r"prediction\.4\.weight: shape \[7, 1024, 1, 1\]"):
        load_published(ViG(**VIG | {"num_classes": 3}), published(source))
    with pytest.raises(ValueError, match=r"stem\.convs\.0\.weight: shape"):
        load_weights(ViG(**VIG | {"in_channels": 1}), published(source), adapt=["head"])
    with pytest.raises(ValueError, match="head"):
        load_published(ViG(**VIG | {"num_classes": 3}), published(source), adapt=["input"])


def test_what_is_unknown_is_described(tmp_path):
    state = Linear(2, 3).state_dict()
    message = r"is of no known model: 2 tensors, the first are weight \[3, 2\], bias \[3\]"
    with pytest.raises(ValueError, match=message):
        from_published(state)
    with pytest.raises(ValueError, match="looks like a checkpoint of a ResNet"):
        from_published({"layer1.0.conv1.weight": torch.ones(2, 2, 1, 1)})
    with pytest.raises(FileNotFoundError, match="nowhere.pth"):
        from_published(tmp_path / "nowhere.pth")
    (tmp_path / "broken.safetensors").write_bytes(b"12345678")
    with pytest.raises(ValueError, match="could not be read"):
        describe_checkpoint(tmp_path / "broken.safetensors")
    cut = {k: v for k, v in published(random_model(ViG)).items() if "backbone.1.1" not in k}
    with pytest.raises(ValueError, match="missing"):
        from_published(cut)


@pytest.mark.parametrize("cls", MODELS)
def test_converted_files_say_how_their_model_is_built(cls, tmp_path):
    source = random_model(cls)
    torch.save(published(source), tmp_path / "published.pth")
    classes = [f"class {i}" for i in range(7)]
    out = convert(tmp_path / "published.pth", tmp_path / "own.safetensors", classes, k=5)
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["own.safetensors", "published.pth"]
    model = from_pretrained(out)
    equal(model, source)
    assert {reach.k for reach in model.reaches} == {5} if cls is PyramidViG else {5, 10}
    info = describe_checkpoint(out)
    assert info.classes == classes
    assert info.input["crop"] == 0.9
    assert info.model == f"pyg_vision.nn.{cls.__name__}"
    assert from_pretrained(out, image_size=96).image_size == (96, 96)
    trained = load_trained(out)
    assert trained.classes == classes
    assert trained.kind == "image"
    assert load_trained(tmp_path / "published.pth").classes == [str(i) for i in range(7)]


def test_classes_and_inputs_of_a_file_are_those_of_what_is_made_of_it(tmp_path):
    from pyg_vision.prediction import write_checkpoint

    classes = [f"label {i}" for i in range(7)]
    given = {"kind": "image", "image_size": 64, "crop": 1.0,
             "interpolation": "bilinear", "mean": [0.1] * 3, "std": [0.2] * 3}  # fmt: skip
    about = {"classes": classes, "input": given, "multi_label": True}
    state = random_model(ViG).state_dict()
    write_checkpoint({"state_dict": state, "pyg_vision": about}, tmp_path / "last.ckpt")
    out = convert(tmp_path / "last.ckpt", tmp_path / "own.safetensors")
    again = convert(out, tmp_path / "again.safetensors")
    for path in (out, again):
        info, trained = describe_checkpoint(path), load_trained(path)
        assert info.classes == trained.classes == classes
        assert info.multi_label
        assert trained.multi_label
        assert info.input == trained.input == given
        assert "any number of them" in str(info)
    assert not describe_checkpoint(convert(out, again, multi_label=False)).multi_label
    # A head of other classes has no names.
    assert describe_checkpoint(convert(out, again, num_classes=3)).classes is None


def test_errors_of_conversion(tmp_path):
    state = published(random_model(ViG))
    for arguments, message in (
        ((tmp_path / "a.pth",), "must end with .safetensors"),
        ((tmp_path / "a.safetensors", ["a"]), r"has 7 classes \(got 1 names\)"),
    ):
        with pytest.raises(ValueError, match=message):
            convert(state, *arguments)
    with pytest.raises(ValueError, match="cannot be made.*kk"):
        convert(state, tmp_path / "a.safetensors", kk=3)
    save_file(load_file(convert(state, tmp_path / "a.safetensors")), tmp_path / "b.safetensors")
    with pytest.raises(ValueError, match="does not say how its model is built"):
        from_pretrained(tmp_path / "b.safetensors")
    for config in ("[]", "no json", '{"model": 3, "options": {}}', '{"model": "a"}'):
        save_file(state, tmp_path / "c.safetensors", metadata={"pyg_vision": config})
        with pytest.raises(ValueError, match="carries a configuration that cannot be read"):
            from_pretrained(tmp_path / "c.safetensors")
    config = json.dumps({"model": "os.system", "options": {}})
    save_file(state, tmp_path / "c.safetensors", metadata={"pyg_vision": config})
    with pytest.raises(ValueError, match=r"'os\.system' cannot be made"):
        from_pretrained(tmp_path / "c.safetensors")
    with pytest.raises(CheckpointError, match=r"'os\.system' cannot be made"):
        load_trained(tmp_path / "c.safetensors")


@pytest.mark.parametrize("cls", MODELS)
@pytest.mark.parametrize("part", ["pos_embed", "stem.convs.0.weight", "prediction.4.weight", "fc1"])
def test_files_whose_parts_are_missing_or_misshapen_are_unknown(cls, part):
    """They are described or refused in one line, whatever is wrong with them."""
    state = published(random_model(cls))
    names = [name for name in state if part in name]
    without = {name: value for name, value in state.items() if name not in names}
    scalars = state | {name: torch.tensor(1.0) for name in names}
    for wrong in (without, scalars):
        describe_checkpoint(wrong)
        with pytest.raises(ValueError, match="is of no known model|does not fit|cannot be made"):
            from_published(wrong)
