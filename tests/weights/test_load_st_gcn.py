"""Checkpoints of ST-GCN: the published code's, and pyskl's and mmaction2's."""

import pytest
import torch

from pyg_vision.data import SkeletonLayout
from pyg_vision.nn import STGCN, DenseSTGCN, TwoStream
from pyg_vision.weights import load_published

STICK = SkeletonLayout("stick", ("a", "b", "c"), ((1, 0), (2, 1)), center=0)


def model(cls=STGCN, **options):
    torch.manual_seed(1)
    made = cls(3, 4, layout=STICK, **options)
    with torch.no_grad():
        for name, value in [*made.named_parameters(), *made.named_buffers()]:
            if value.is_floating_point() and not name.endswith("edge_weight"):
                value.uniform_(0.1, 1.0)
    return made


def adjacency(made):
    adj = torch.zeros(3, 3, 3)
    adj[made.edge_type, made.edge_index[0], made.edge_index[1]] = made.edge_weight
    return adj


def as_convolution(name, value):
    """The weight of a spatial convolution in the shape of the published one."""
    if name.endswith("gcn.weight"):
        return value.mT.flatten(0, 1)[:, :, None, None]
    return value.flatten() if name.endswith("gcn.bias") else value


def published(made, prefix=""):
    state = {f"{prefix}A": adjacency(made)}
    for name, value in made.state_dict().items():
        new, value = name, as_convolution(name, value)
        if name.startswith("blocks."):
            new = name.replace("blocks.", "st_gcn_networks.").replace(".gcn.", ".gcn.conv.")
        elif name == "fcn.weight":
            value = value[:, :, None, None]
        state[prefix + new] = value
    return state


PYSKL = {"tcn.0.": "gcn.bn.", "tcn.2.": "tcn.conv.", "tcn.3.": "tcn.bn.", "gcn.": "gcn.conv.",
         "residual.0.": "residual.conv.", "residual.1.": "residual.bn."}  # fmt: skip


def pyskl(made, head="fc_cls"):
    state = {}
    for name, value in made.state_dict().items():
        value = as_convolution(name, value)
        if name.startswith("blocks."):
            _, block, rest = name.split(".", 2)
            old = next(key for key in PYSKL if rest.startswith(key))
            state[f"backbone.gcn.{block}.{PYSKL[old]}{rest.removeprefix(old)}"] = value
        elif name.startswith("edge_importance."):
            state[f"backbone.gcn.{name.split('.')[1]}.gcn.PA"] = value
        elif name.startswith("fcn."):
            state[name.replace("fcn.", f"cls_head.{head}.")] = value
        else:
            state[f"backbone.{name}"] = value
    for block in range(10):
        state[f"backbone.gcn.{block}.gcn.A"] = adjacency(made)
    return state


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize("cls", [STGCN, DenseSTGCN])
@pytest.mark.parametrize(
    "names",
    [published, pyskl, lambda made: pyskl(made, "fc")],
    ids=["st-gcn", "pyskl", "mmaction2"],
)
def test_every_key_is_loaded_or_checked(cls, names, tmp_path):
    source, target = model(), cls(3, 4, layout=STICK)
    state = names(source)
    torch.save({"state_dict": state}, tmp_path / "checkpoint.pth")
    report = load_published(target, tmp_path / "checkpoint.pth")
    assert same(target.state_dict(), source.state_dict())
    assert len(report.loaded) + len(report.checked) == len(state)
    assert report.checked == [name for name in state if name.split(".")[-1] == "A"]
    assert report.skipped == {}
    assert report.missing == []
    assert f"  equal {report.checked[0]}" in str(report)


def test_two_streams():
    source = TwoStream(model())
    state = {
        **published(source.origin_stream, "origin_stream."),
        **published(source.motion_stream, "motion_stream."),
    }
    target = TwoStream(STGCN(3, 4, layout=STICK))
    report = load_published(target, state)
    assert report.checked == ["origin_stream.A", "motion_stream.A"]
    assert same(target.state_dict(), source.state_dict())


@pytest.mark.parametrize("names", [published, pyskl])
def test_the_graph_of_another_partition_is_refused(names):
    target = STGCN(3, 4, layout=STICK, partition="stgcn_paper")
    before = {k: v.clone() for k, v in target.state_dict().items()}
    with pytest.raises(ValueError, match="graph of another layout or partition strategy"):
        load_published(target, names(model()))
    assert same(target.state_dict(), before), "nothing was loaded"
    report = load_published(target, names(model()), strict=False)
    assert all(name.split(".")[-1] == "A" for name in report.skipped)
    assert "another layout" in next(iter(report.skipped.values()))


def test_importance_that_the_model_does_not_have_is_named():
    target = STGCN(3, 4, layout=STICK, edge_importance=False)
    with pytest.raises(ValueError, match="the model has no 'edge_importance.0'"):
        load_published(target, published(model()))


def test_other_architectures_are_named():
    state = pyskl(model())
    state["backbone.gcn.0.tcn.branches.0.conv.weight"] = torch.zeros(1)  # of ST-GCN++
    with pytest.raises(ValueError, match=r"branches\.0\.conv\.weight: unknown"):
        load_published(STGCN(3, 4, layout=STICK), state)


def test_shapes_and_missing_keys_are_named():
    state = published(model())
    del state["data_bn.weight"]
    with pytest.raises(ValueError, match="data_bn.weight: missing"):
        load_published(STGCN(3, 4, layout=STICK), state)
    state = published(model())
    state["st_gcn_networks.4.gcn.conv.weight"] = torch.zeros(384, 32, 1, 1)
    with pytest.raises(ValueError, match=r"shape \[384, 32, 1, 1\] does not fit 'blocks.4.gcn"):
        load_published(STGCN(3, 4, layout=STICK), state)
    with pytest.raises(ValueError, match="does not fit 'fcn.weight'"):
        load_published(STGCN(3, 5, layout=STICK), published(model()))
