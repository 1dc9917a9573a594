"""The checks that timm makes of its own models, TorchScript aside, written from its behaviour."""

import subprocess
import sys

import pytest
import timm
import torch
from timm.models import load_checkpoint
from torchvision.models.feature_extraction import create_feature_extractor

import pyg_vision.timm
from pyg_vision.nn import PyramidViG, ViG
from pyg_vision.timm import TimmPyramidViG, TimmViG
from tests.weights.test__pretrained import published

NAMES = ["vig_ti_224", "vig_s_224", "vig_b_224", "pvig_ti_224", "pvig_s_224", "pvig_m_224",
         "pvig_b_224"]  # fmt: skip
SMALL = {
    "vig_ti_224": {"channels": 32, "depth": 3},
    "pvig_ti_224": {"channels": (8, 16, 24, 32), "depths": (1, 1, 2, 1)},
    "greedyvig_s_224": {"channels": (8, 16, 24, 32), "blocks": ((1, 1), (1, 0), (0, 2), (1, 1))},
    "wignet_ti_224": {"channels": (8, 16, 24, 32), "depths": (1, 1, 2, 1)},
}
LAST = dict.fromkeys(SMALL, (32, 7)) | {"vig_ti_224": (32, 14)}


def create(name, **options):
    torch.manual_seed(0)
    return timm.create_model(f"{name}.pyg", **SMALL[name] | options)


def images(size=224, channels=3, count=2):
    torch.manual_seed(count)
    return torch.rand(count, channels, size, size)


def test_all_are_known():
    for name in NAMES:
        assert f"{name}.pyg" in timm.list_pretrained(f"*vig*{name.split('_')[1]}*")
        assert timm.is_model(name)
        cfg = timm.get_pretrained_cfg(f"{name}.pyg")
        assert cfg.mean == cfg.std == (0.5, 0.5, 0.5)
        assert cfg.crop_pct == (0.95 if name == "pvig_b_224" else 0.9)
        assert cfg.url.startswith("https://github.com/huawei-noah/")
    with torch.device("meta"):
        model = timm.create_model("pvig_s_224.pyg")
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 27_251_912


@pytest.mark.parametrize("name", SMALL)
def test_forward_and_backward(name):
    model = create(name, num_classes=7, drop_path_rate=0.1, drop_rate=0.1).train()
    out = model(images())
    assert out.shape == (2, 7)
    assert not out.isnan().any()
    out.mean().backward()
    for key, parameter in model.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, key
    with torch.no_grad():
        assert model.eval()(images(160)).shape == (2, 7)


@pytest.mark.parametrize("name", SMALL)
def test_default_cfg_is_consistent(name):
    model = create(name).eval()
    cfg = model.default_cfg
    channels, side = LAST[name]
    assert model.num_features == model.head_hidden_size == channels
    assert model.num_classes == cfg["num_classes"] == 1000
    assert f"{cfg['first_conv']}.weight" in model.state_dict()
    layers, found = cfg["classifier"], model.get_classifier()
    if isinstance(layers, str):  # or one of labels and one of a teacher
        layers, found = (layers,), (found,)
    assert all(f"{layer}.weight" in model.state_dict() for layer in layers)
    assert all(a is model.get_submodule(b) for a, b in zip(found, layers, strict=True))
    x = images(cfg["input_size"][-1])
    with torch.no_grad():
        features = model.forward_features(x)
        assert features.shape == (2, channels, *cfg["pool_size"]) == (2, channels, side, side)
        assert torch.equal(model.forward_head(features), model(x))
        assert model.forward_head(features, pre_logits=True).shape == (2, channels)
        model.reset_classifier(0)
        assert model(x).shape == (2, channels)
        model.reset_classifier(0, "")
        assert torch.equal(model(x), features)
        bare = create(name, num_classes=0).eval()
        assert bare(x).shape == (2, channels)
        assert create(name, num_classes=0, global_pool="").eval()(x).shape == features.shape
        model.reset_classifier(5, "avg")
        assert model(x).shape == (2, 5)
    state = model.state_dict()
    create(name, num_classes=5).load_state_dict(state)


@pytest.mark.parametrize("name", SMALL)
def test_intermediates(name):
    model = create(name, num_classes=4).eval()
    x = images()
    count = len(model.feature_info)
    with torch.no_grad():
        last, maps = model.forward_intermediates(x)
        assert len(maps) == count
        assert torch.equal(last, model.forward_features(x))
        for m, info in zip(maps, model.feature_info, strict=True):
            assert m.shape[1] == info["num_chs"]
            assert m.shape[2] == 224 // info["reduction"]
            assert model.get_submodule(info["module"]) is not None
        only = model.forward_intermediates(x, indices=2, intermediates_only=True)
        assert all(torch.equal(a, b) for a, b in zip(only, maps[-2:], strict=True))
        turned = model.forward_intermediates(x, [0], output_fmt="NHWC", intermediates_only=True)
        assert torch.equal(turned[0], maps[0].permute(0, 2, 3, 1))
        with pytest.raises(ValueError, match="'NCHW' or 'NHWC'"):
            model.forward_intermediates(x, output_fmt="NLC")
        before = sum(p.numel() for p in model.parameters())
        assert model.prune_intermediate_layers([0, 1]) == [0, 1]
        assert sum(p.numel() for p in model.parameters()) < before
        again = model.forward_intermediates(x, [0, 1], intermediates_only=True)
        assert all(torch.equal(a, b) for a, b in zip(again, maps[:2], strict=True))


@pytest.mark.parametrize("name", SMALL)
def test_features_only(name):
    model = create(name, features_only=True).eval()
    maps = model(images())
    channels, strides = model.feature_info.channels(), model.feature_info.reduction()
    assert [m.shape[1] for m in maps] == channels
    assert [224 // m.shape[2] for m in maps] == strides
    if name.startswith("p"):
        assert strides == [4, 8, 16, 32]
    some = create(name, features_only=True, out_indices=(0, 2), in_chans=1, img_size=96).eval()
    maps = some(images(96, 1))
    assert [m.shape[1] for m in maps] == some.feature_info.channels()
    assert len(maps) == 2


@pytest.mark.parametrize("name", SMALL)
def test_recorded_by_fx(name):
    model = create(name, num_classes=4)
    x = images(96)
    expected = model.eval()(x)
    recorded = create_feature_extractor(model, ["head"]).eval()
    assert torch.equal(recorded(x)["head"], expected)
    recorded.train()(x)["head"].mean().backward()
    used = [p for p in model.parameters() if p.requires_grad]
    assert all(p.grad is not None and not p.grad.isnan().any() for p in used)


@pytest.mark.parametrize("name", SMALL)
def test_features_by_fx(name):
    maps = create(name, features_only=True, out_indices=(0, 2)).eval()
    recorded = create(name, features_only=True, out_indices=(0, 2), feature_cls="fx").eval()
    recorded.load_state_dict(maps.state_dict(), strict=False)
    x = images(96)
    assert recorded.feature_info.channels() == maps.feature_info.channels()
    assert all(torch.equal(a, b) for a, b in zip(recorded(x), maps(x), strict=True))


@pytest.mark.parametrize("name", SMALL)
def test_groups_of_parameters(name):
    from timm.models import group_parameters
    from timm.optim import param_groups_layer_decay

    model = create(name, num_classes=3)
    for coarse in (False, True):
        groups = group_parameters(model, model.group_matcher(coarse))
        grouped = [key for keys in groups.values() for key in keys]
        assert sorted(grouped) == sorted(key for key, _ in model.named_parameters())
    assert len(param_groups_layer_decay(model, 0.05, layer_decay=0.7)) > 4
    assert ("pos_embed" in model.no_weight_decay()) == (name != "greedyvig_s_224")
    assert model.no_weight_decay() <= {key for key, _ in model.named_parameters()}


@torch.no_grad()
def test_a_file_of_the_authors_is_unwrapped(load_golden):
    """As timm hands what it downloaded to the filter: both entries, without touching them."""
    config, tensors = load_golden("vision_greedyvig")
    state = {k.removeprefix("state."): v for k, v in tensors.items() if k.startswith("state.")}
    options = {"channels": config["channels"], "blocks": config["blocks"], "steps": config["K"],
               "embed_channels": config["emb_dims"]}  # fmt: skip
    model = timm.create_model("greedyvig_s_224.pyg", num_classes=5, **options).double().eval()
    averaged = {k: v + 1 if v.is_floating_point() else v for k, v in state.items()}
    found = {"state_dict": state, "state_dict_ema": averaged, "epoch": 3}
    model.load_state_dict(pyg_vision.timm.checkpoint_filter_fn(found, model))
    x, expected = tensors["input.0"].double(), tensors["output.0"]
    torch.testing.assert_close(model(x), expected, rtol=1e-9, atol=1e-9)


def test_graph_blocks_are_grouped_behind_local_ones():
    from timm.models import group_parameters

    model = create("greedyvig_s_224")
    order = list(group_parameters(model, model.group_matcher()).values())
    first = {}
    for number, names in enumerate(order):
        for name in names:
            first[".".join(name.split(".")[:4])] = number
    assert first["stages.0.layers.0"] < first["stages.0.blocks.0"] < first["stages.1.layers.0"]
    assert first["stages.2.layers.0"] < first["stages.2.blocks.0"] < first["stages.2.blocks.1"]


def test_models_of_rules_are_known():
    for name, url in (
        ("greedyvig_b", "B_GreedyViG_83_9.pth"), ("adaptvig_m", "AdaptViG_M_model_best.pth"),
        ("mobilevig_s", "MobileViG_S_78_2.pth.tar"), ("mobilevigv2_ti", ""), ("wignet_b", ""),
    ):  # fmt: skip
        cfg = timm.get_pretrained_cfg(f"{name}_224.pyg")
        assert (cfg.url or "").endswith(url)
        assert bool(cfg.url) == bool(url)
        wignet = name.startswith("wignet")
        assert cfg.mean == ((0.5,) * 3 if wignet else (0.485, 0.456, 0.406))
        assert cfg.crop_pct == (0.95 if wignet else 0.9)
    with torch.device("meta"):
        model = timm.create_model("greedyvig_s_224.pyg")
    assert sum(p.numel() for p in model.parameters()) == 11_983_376


@pytest.mark.parametrize("name", ["vig_ti_224", "pvig_ti_224"])
def test_published_files(name, tmp_path):
    cls = ViG if name == "vig_ti_224" else PyramidViG
    torch.manual_seed(3)
    source = cls(**SMALL[name], num_classes=1000).eval()
    file = tmp_path / "published.pth"
    torch.save(published(source), file)
    overlay = {"file": str(file), "url": ""}
    model = create(name, pretrained=True, pretrained_cfg_overlay=overlay).eval()
    x = images()
    with torch.no_grad():
        assert torch.equal(model(x), _logits(source, x))
    other = create(
        name, pretrained=True, pretrained_cfg_overlay=overlay, num_classes=3, in_chans=1,
        img_size=96,
    ).eval()  # fmt: skip
    assert other(images(96, 1)).shape == (2, 3)
    first = source.state_dict()["stem.0.weight"]
    torch.testing.assert_close(other.state_dict()["stem.0.weight"], first.sum(1, keepdim=True))
    plain = create(name).eval()
    load_checkpoint(plain, str(file), filter_fn=pyg_vision.timm.checkpoint_filter_fn)
    assert torch.equal(plain(x), model(x))


def _logits(source, x):
    """The mean over a map instead of over nodes, which rounds otherwise."""
    _, (last,) = source.forward_intermediates(x, [-1])
    return source.head(last.mean(dim=(2, 3)))


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_checkpointing_and_export(name):
    model = create(name, num_classes=3).train()
    model.set_grad_checkpointing()
    model(images(96)).sum().backward()
    model.set_grad_checkpointing(False)
    x = images(96)
    program = torch.export.export(model.eval(), (x,)).module()
    torch.testing.assert_close(program(x), model(x), rtol=1e-4, atol=1e-4)


def test_wrong_options_are_named():
    for model, options in ((TimmViG, {}), (TimmPyramidViG, {})):
        with pytest.raises(ValueError, match="'global_pool' must be 'avg' or ''"):
            model(global_pool="max", **options)
        with pytest.raises(ValueError, match="without classes"):
            model(global_pool="", **options)


def test_without_timm():
    code = "import sys; sys.modules['timm'] = None\nimport pyg_vision.timm"
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True
    )
    assert "pip install pyg-vision[timm]" in run.stderr.strip().splitlines()[-1]
