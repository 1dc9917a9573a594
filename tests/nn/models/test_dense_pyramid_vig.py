"""Parity of both twins with the numbers recorded from the published code."""

import pytest
import torch
import torch.nn.functional as F

from pyg_vision.nn import DensePyramidViG, PyramidViG
from pyg_vision.weights import load_published
from tests.nn.models.test_dense_vig import relative
from tests.nn.models.test_pyramid_vig import SMALL


def build(cls, config):
    return cls(
        config["channels"], config["blocks"], k=config["k"], conv=config["conv"],
        num_classes=config["n_classes"],
    )  # fmt: skip


@pytest.mark.parametrize("cls", [PyramidViG, DensePyramidViG])
@pytest.mark.parametrize("name", ["mr", "edge"])
def test_reproduces_the_published_model(cls, name, load_golden):
    config, tensors = load_golden(f"vig_pyramid_{name}")
    model = build(cls, config).eval()
    made = {key: value.clone() for key, value in model.state_dict().items()}
    state = {k.removeprefix("state."): v for k, v in tensors.items() if k.startswith("state.")}
    report = load_published(model, state)
    assert set(report.loaded) == set(state)
    for key, value in model.state_dict().items():
        if key.endswith("relative_pos.table"):
            assert torch.equal(made[key], value)  # a new model has the published tables
    pictures = tensors["input_small_uint8"].double() / 255
    x = F.interpolate(pictures, size=224, mode="bilinear", align_corners=False)
    means = []

    def mean(_, __, out):
        means.append(out.mean(1) if out.dim() == 3 else out.mean((2, 3)))

    for stage in model.stages:
        if "downsample" in stage:
            stage["downsample"].register_forward_hook(mean)
        for block in stage["blocks"]:
            block["ffn"].register_forward_hook(mean)
    with torch.no_grad():
        out, graphs = model.double().forward_graphs(x)
    assert relative(out, tensors["output"]) < 1e-9
    for i, graph in enumerate(graphs):
        assert torch.equal(graph.index, tensors[f"neighbors.{i}"].long())
    assert len(means) == sum(name.startswith("block_mean.") for name in tensors)
    for i, found in enumerate(means):
        assert relative(found, tensors[f"block_mean.{i}"]) < 1e-9


def test_names_of_mmpretrain(load_golden):
    """Its converter counts within a stage, where the downsampling comes first."""
    config, tensors = load_golden("vig_pyramid_mr")
    state = {k.removeprefix("state."): v for k, v in tensors.items() if k.startswith("state.")}
    first, second = build(PyramidViG, config), build(PyramidViG, config)
    load_published(first, state)
    stage, start, renamed = 0, 0, {}
    for name, value in state.items():
        parts = name.split(".")
        if parts[0] == "backbone":
            if parts[2] == "conv":
                stage, start = {"1": (1, 1), "3": (2, 3), "6": (3, 6)}[parts[1]]
                name = ".".join(["backbone.stages", str(stage), "0", *parts[3:]])
            else:
                stage = sum(int(parts[1]) > i for i in (1, 3, 6))
                start = (0, 1, 3, 6)[stage]
                name = ".".join(
                    ["backbone.stages", str(stage), str(int(parts[1]) - start), *parts[2:]]
                )
        elif parts[0] == "prediction":
            name = f"head.{ {'0': 'fc1', '1': 'bn', '4': 'fc2'}[parts[1]] }.{parts[2]}"
            value = value.flatten(1) if value.dim() == 4 else value
        else:
            name = "backbone." + name.replace("stem.convs", "stem")
        renamed[name] = value
    report = load_published(second, renamed)
    assert len(report.loaded) == len(state)
    for (name, a), b in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_other_sizes_and_other_bias(load_golden):
    config, tensors = load_golden("vig_pyramid_mr")
    state = {k.removeprefix("state."): v for k, v in tensors.items() if k.startswith("state.")}
    options = {"channels": config["channels"], "depths": config["blocks"], "num_classes": 10}
    larger = PyramidViG(**options, image_size=(256, 192))
    report = load_published(larger, state)
    assert report.resampled["stages.0.blocks.0.grapher.relative_pos.table"] == (
        "[1, 3136, 196] -> [1, 3072, 192]"
    )
    assert report.resampled["pos_embed"] == "[1, 16, 56, 56] -> [1, 16, 64, 48]"
    grid = PyramidViG(**options, relative_pos="grid")
    report = load_published(grid, state)
    assert len(report.unused) == 5
    assert all(name.endswith("relative_pos") for name in report.unused)
    assert "unused backbone.0.0.relative_pos" in str(report)


def test_one_state_dict_for_both_twins():
    sparse, dense, back = PyramidViG(**SMALL), DensePyramidViG(**SMALL), PyramidViG(**SMALL)
    dense.load_state_dict(sparse.state_dict(), strict=True)
    back.load_state_dict(dense.state_dict(), strict=True)
    for (name, a), b in zip(sparse.state_dict().items(), back.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    x = torch.randn(2, 3, 64, 64)
    features = dense.eval().forward_features(x)
    assert features.shape == (2, 24, 4, 4)
    assert torch.equal(dense.forward_head(features), dense(x))
