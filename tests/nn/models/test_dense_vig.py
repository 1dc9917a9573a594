"""Parity of both twins with the numbers recorded from the published code."""

import pytest
import torch
import torch.nn.functional as F

from pyg_vision.nn import DenseViG, ViG
from pyg_vision.ops import NeighborTable
from pyg_vision.weights import load_published

RECORDED = ["mr", "edge", "sage", "gin", "mr_relu_nodilation"]


def relative(actual, expected):
    return ((actual - expected).abs().max() / expected.abs().max()).item()


def build(cls, config):
    names = {
        "n_filters": "channels", "n_blocks": "depth", "n_classes": "num_classes",
        "use_stochastic": "stochastic",
    }  # fmt: skip
    assert config.pop("emb_dims") == 1024  # the width of the head
    return cls(**{names.get(name, name): value for name, value in config.items()})


@pytest.mark.parametrize("cls", [ViG, DenseViG])
@pytest.mark.parametrize("name", RECORDED)
def test_reproduces_the_published_model(cls, name, load_golden):
    config, tensors = load_golden(f"vig_isotropic_{name}")
    model = build(cls, config).eval()
    state = {k.removeprefix("state."): v for k, v in tensors.items() if k.startswith("state.")}
    report = load_published(model, state)
    assert set(report.loaded) == set(state)
    pictures = tensors["input_small_uint8"].double() / 255
    x = F.interpolate(pictures, size=224, mode="bilinear", align_corners=False)
    neighbors = [
        NeighborTable(tensors[f"neighbors.{i}"].long(), 196) for i in range(config["n_blocks"])
    ]
    with torch.no_grad():
        single = model(x.float(), neighbors=neighbors)
        out, graphs = model.double().forward_graphs(x)
    assert relative(single, tensors["output"]) < 1e-4
    assert relative(out, tensors["output"]) < 1e-9
    for graph, expected in zip(graphs, neighbors, strict=True):
        assert torch.equal(graph.index, expected.index)


@pytest.mark.parametrize("cls", [ViG, DenseViG])
def test_features_of_every_block_are_the_published_ones(cls, load_golden):
    config, tensors = load_golden("vig_isotropic_mr")
    model = build(cls, config).double().eval()
    load_published(
        model, {k.removeprefix("state."): v for k, v in tensors.items() if k.startswith("state.")}
    )
    means = []
    for block in model.blocks:
        block["ffn"].register_forward_hook(
            lambda _, __, out: means.append(out.mean(1) if out.dim() == 3 else out.mean((2, 3)))
        )
    pictures = tensors["input_small_uint8"].double() / 255
    model(F.interpolate(pictures, size=224, mode="bilinear", align_corners=False))
    for i, mean in enumerate(means):
        assert relative(mean, tensors[f"block_mean.{i}"]) < 1e-9


@pytest.mark.parametrize("conv", ["mr", "edge", "sage", "gin"])
def test_one_state_dict_for_both_twins(conv):
    options = {"channels": 16, "depth": 2, "k": 3, "conv": conv, "num_classes": 4}
    sparse, dense, back = ViG(**options), DenseViG(**options), ViG(**options)
    torch.nn.init.normal_(sparse.pos_embed)
    first = sparse.state_dict()
    dense.load_state_dict(first, strict=True)
    second = dense.state_dict()
    back.load_state_dict(second, strict=True)
    third = back.state_dict()
    assert list(first) == list(second) == list(third)
    for name in first:
        assert first[name].shape == second[name].shape
        assert torch.equal(first[name], third[name])


def test_dense_features_are_maps():
    model = DenseViG(channels=16, depth=2, k=3, num_classes=4).eval()
    x = torch.randn(2, 3, 224, 224)
    features = model.forward_features(x)
    assert features.shape == (2, 16, 14, 14)
    assert torch.equal(model.forward_head(features), model(x))
    assert model.forward_head(features, pre_logits=True).shape == (2, 16)
    model.reset_classifier(0)
    assert model(x).shape == (2, 16)


def test_searches_as_published_only():
    with pytest.raises(ValueError, match="no 'knn_backend'.*'torch_cluster'"):
        DenseViG(knn_backend="torch_cluster")
