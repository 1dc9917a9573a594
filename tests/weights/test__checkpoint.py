import argparse
import collections

import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from pyg_vision.nn import STGCN, ViG
from pyg_vision.weights import load_published
from pyg_vision.weights._checkpoint import find_state, looks_like, read_checkpoint

PLAIN, AVERAGED = torch.zeros(3), torch.ones(3)
OPTIONS = {"channels": 16, "depth": 2, "k": 3, "num_classes": 4, "image_size": 64}


def of_mmpretrain(state):
    """The names that mmpretrain gives to a ViG."""
    names = {}
    for name, value in state.items():
        top, _, rest = name.partition(".")
        if top == "blocks":
            block, part, rest = rest.split(".", 2)
            rest = rest.replace("conv.nn.", "graph_conv.gconv.nn.") if part == "grapher" else rest
            new = f"backbone.blocks.{block}.{0 if part == 'grapher' else 1}.{rest}"
            value = value[:, :, None, None] if value.dim() == 2 else value
        elif top == "head":
            layer, rest = rest.split(".")
            new = f"head.{ {'0': 'fc1', '1': 'bn', '4': 'fc2'}[layer] }.{rest}"
        else:
            new = f"backbone.{name}"
        names[new] = value
    return names


def test_options_of_a_training_script_are_read(tmp_path):
    path = tmp_path / "checkpoint.pth.tar"
    args = argparse.Namespace(model="vig_ti_224_gelu", lr=2e-3, aa=None)
    content = {"epoch": 3, "arch": "vig", "args": args, "state_dict": {"module.a": PLAIN}}
    torch.save(content, path)
    state, entry = find_state(read_checkpoint(path), "it")
    assert list(state) == ["a"]
    assert entry == "state_dict"


class Options(argparse.Namespace):
    pass


@pytest.mark.parametrize("foreign", [Options(lr=1), collections.Counter("ab"), torch.nn.ReLU()])
def test_no_other_class_is_read(foreign, tmp_path):
    path = tmp_path / "checkpoint.pth"
    torch.save({"args": foreign, "state_dict": {"a": PLAIN}}, path)
    if isinstance(foreign, collections.Counter):  # torch itself knows it
        assert find_state(read_checkpoint(path), "it").entry == "state_dict"
    else:
        with pytest.raises(ValueError, match=r"checkpoint\.pth' could not be read"):
            read_checkpoint(path)


@pytest.mark.parametrize("key", ["state_dict_ema", "model_ema", "ema", "ema_state_dict"])
@pytest.mark.parametrize("plain", ["state_dict", "model", "net"])
def test_averaged_weights_come_first(plain, key):
    content = {plain: {"a": PLAIN}, key: {"a": AVERAGED}, "epoch": 3}
    state, entry = find_state(content, "it")
    assert (state["a"].sum().item(), entry) == (3, key)
    state, entry = find_state(content, "it", averaged=False)
    assert (state["a"].sum().item(), entry) == (0, plain)


@pytest.mark.parametrize("hint", [{"message_hub": {}}, {"meta": {"mmengine_version": "0.10.4"}}])
def test_mmengine_swaps_the_two(hint):
    content = {"state_dict": {"a": AVERAGED}, "ema_state_dict": {"a": PLAIN, "steps": PLAIN}} | hint
    assert find_state(content, "it").state["a"].sum() == 3
    state, entry = find_state(content, "it", averaged=False)
    assert (list(state), entry) == (["a"], "ema_state_dict")


@pytest.mark.parametrize(
    ("content", "entry"),
    [
        ({"module.a": PLAIN, "module.b.c": PLAIN}, ""),
        ({"_orig_mod.a": PLAIN, "_orig_mod.b.c": PLAIN}, ""),
        ({"module._orig_mod.model.a": PLAIN, "module._orig_mod.model.b.c": PLAIN}, ""),
        ({"model.module.a": PLAIN, "model.module.b.c": PLAIN}, ""),
        ({"a": PLAIN, "b._orig_mod.c": PLAIN}, ""),
        ({"n_averaged": torch.tensor(1), "module.a": PLAIN, "module.b.c": PLAIN}, ""),
        ({"net": {"a": PLAIN, "b.c": PLAIN}}, "net"),
        ({"model": {"net": {"module.a": PLAIN, "module.b.c": PLAIN}}}, "model.net"),
        ({"model": {"state_dict": {"a": PLAIN, "b.c": PLAIN}}, "epoch": 1}, "model.state_dict"),
        ({"model_ema": {"module": {"net.a": PLAIN, "net.b.c": PLAIN}}}, "model_ema.module"),
    ],
)
def test_prefixes_and_wrappers_in_any_nesting(content, entry):
    found = find_state(content, "it")
    assert list(found.state) == ["a", "b.c"]
    assert found.entry == entry


def test_an_averaged_model_of_torch_is_loaded():
    model, target = ViG(**OPTIONS), ViG(**OPTIONS)
    wrapped = torch.compile(AveragedModel(model), backend="eager")
    named = {"_orig_mod.n_averaged", "_orig_mod.module.pos_embed"}
    assert named <= set(wrapped.state_dict())
    state = find_state(wrapped.state_dict(), "it").state
    target.load_state_dict(state)


def test_checkpoint_of_mmpretrain():
    torch.manual_seed(0)
    model, target = ViG(**OPTIONS), ViG(**OPTIONS)
    content = {"meta": {}, "state_dict": of_mmpretrain(model.state_dict())}
    report = load_published(target, content)
    assert (report.skipped, report.missing, report.entry) == ({}, [], "state_dict")
    assert "from 'state_dict'" in str(report)
    assert "backbone.blocks.1.0.graph_conv.gconv.nn.0.weight" in report.loaded
    for name, value in model.state_dict().items():
        assert torch.equal(target.state_dict()[name], value), name


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("make", [lambda: ViG(**OPTIONS), lambda: STGCN(3, 4, layout="coco")])
def test_own_state_dict_is_named(make, strict):
    model = make()
    name = type(model).__name__
    for content in (model.state_dict(), {"model": model.state_dict()}):
        with pytest.raises(ValueError, match=rf"own state dict of a {name}; use model\.load_state"):
            load_published(make(), content, strict=strict)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("blocks.0.grapher.fc1.0.weight", "pyg_vision's own ViG"),
        ("blocks.0.gcn.weight", "pyg_vision's own STGCN"),
        ("backbone.1.0.relative_pos", "Pyramid ViG"),
        ("backbone.0.0.graph_conv.gconv.nn.0.weight", "ViG"),
        ("stages.0.layers.0.pw1.0.weight", "pyg_vision's own MobileViG"),
        ("stages.0.blocks.0.grapher.graph.relative_pos.table", "pyg_vision's own WiGNet"),
        ("local_backbone.0.mlp.fc1.weight", "MobileViG"),
        ("backbone.0.1.mixer.graph_conv.temperature", "AdaptViG"),
        ("backbone.0.1.mixer.graph_conv.nn.0.weight", "MobileViGv2 or GreedyViG"),
        ("st_gcn_networks.0.gcn.conv.weight", "ST-GCN"),
        ("backbone.gcn.0.gcn.A", "pyskl"),
        ("l1.gcn1.conv_a.0.weight", "2s-AGCN"),
        ("l1.gcn1.PA", "CTR-GCN"),
        ("gcn3d1.gcn3d.0.weight", "MS-G3D"),
        ("blocks.0.attn.qkv.weight", "vision transformer"),
        ("layer1.0.conv1.weight", "ResNet"),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_another_family_is_named(name, family, strict):
    assert family in looks_like([name])
    model = ViG(**OPTIONS) if not family.startswith(("pyg_vision's own ViG", "ViG")) else None
    model = model or STGCN(3, 4, layout="coco")
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(ValueError, match=f"looks like a checkpoint of .*{family}"):
        load_published(model, {name: PLAIN}, strict=strict)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_unknown_names_are_not_guessed():
    assert looks_like(["weight", "bias"]) is None
    with pytest.raises(ValueError, match=r"0 of its 1 tensors fit.*first of the file: what\)"):
        load_published(ViG(**OPTIONS), {"what": PLAIN}, strict=False)


def test_a_checkpoint_that_holds_itself_is_refused(tmp_path):
    content: dict = {}
    content["model"] = content
    torch.save(content, tmp_path / "model.pth")
    with pytest.raises(ValueError, match=r"model\.pth' holds entries that are no tensors"):
        load_published(ViG(**OPTIONS), tmp_path / "model.pth")


@pytest.mark.parametrize("meta", [5, PLAIN, "mmengine_version", None])
def test_other_notes_do_not_matter(meta):
    assert find_state({"meta": meta, "state_dict": {"a": PLAIN}}, "it").entry == "state_dict"
