"""A fused model is the model, without norms."""

import copy
import pickle

import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch_geometric.data import Batch

from pyg_vision.data import skeleton_sequence
from pyg_vision.nn import (
    STGCN,
    DensePyramidViG,
    DenseSTGCN,
    DenseViG,
    PyramidViG,
    SpatialGraphConv,
    STGCNBlock,
    TwoStream,
    ViG,
)

VIG = {"channels": 16, "depth": 2, "k": 3, "num_classes": 5, "image_size": 32, "patch_size": 8}
PYRAMID = {
    "channels": (8, 16), "depths": (1, 1), "reduce_ratios": (2, 1), "k": 3, "num_classes": 5,
    "image_size": 32,
}  # fmt: skip
STAGES = {"stages": [(8, 1), (8, 1), (16, 1, 2)], "layout": "coco"}
MODELS = {
    **{
        f"ViG, {conv}, {norm}": lambda conv=conv, norm=norm: ViG(**VIG, conv=conv, norm=norm)
        for conv in ("mr", "edge", "sage", "gin")
        for norm in ("batch", "instance")
    },
    **{
        f"PyramidViG, {conv}": lambda conv=conv: PyramidViG(**PYRAMID, conv=conv)
        for conv in ("mr", "edge")
    },
    "DensePyramidViG": lambda: DensePyramidViG(**PYRAMID),
    "DenseViG": lambda: DenseViG(**VIG),
    "no classes": lambda: ViG(**{**VIG, "num_classes": 0}),
    "STGCN": lambda: STGCN(3, 5, **STAGES),
    "STGCN without importance": lambda: STGCN(3, 5, edge_importance=False, **STAGES),
    "DenseSTGCN": lambda: DenseSTGCN(3, 5, **STAGES),
    "TwoStream": lambda: TwoStream(STGCN(3, 5, **STAGES)),
}


def make(name):
    """A model as after training: no statistic, bias or importance has its first value."""
    torch.manual_seed(0)
    model = MODELS[name]().double().eval()
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if key.endswith("running_var") or "edge_importance" in key:
                value.uniform_(0.5, 2.0)
            elif value.is_floating_point() and value.dim() == 1:
                value.normal_()
    return model


def example(name):
    shape = (2, 3, 32, 32) if "ViG" in name or name == "no classes" else (2, 3, 6, 17, 2)
    return torch.randn(shape, dtype=torch.double)


@pytest.mark.parametrize("name", MODELS)
def test_equals_the_model(name):
    model, x = make(name), example(name)
    fused = model.fuse()
    assert type(fused) is type(model)
    assert not any(isinstance(module, _BatchNorm) for module in fused.modules())
    expected = model(x).detach()
    limit = 1e-10 * expected.abs().max().item()
    torch.testing.assert_close(fused(x), expected, rtol=0, atol=limit)
    if "edge" not in name:  # in float32 another neighbour may be the nearest
        single = model.float().fuse()(x.float()).double()
        assert (single - model(x.float())).abs().max() <= 1e-5 * expected.abs().max()


def test_packed_sequences_and_features():
    model = make("STGCN")
    x = [torch.randn(1, frames, 17, 3, dtype=torch.double) for frames in (4, 9)]
    batch = Batch.from_data_list([skeleton_sequence(value, "coco") for value in x])
    fused = model.fuse()
    torch.testing.assert_close(fused(batch), model(batch), rtol=1e-10, atol=1e-10)
    theirs, ours = model.extract_feature(batch), fused.extract_feature(batch)
    torch.testing.assert_close(ours.x, theirs.x, rtol=1e-10, atol=1e-10)


def test_layers_in_two_places():
    model = make("STGCN")
    blocks = [STGCNBlock(3, 3), STGCNBlock(3, 3), STGCNBlock(3, 16, stride=2)]
    blocks[1].gcn = blocks[0].gcn = SpatialGraphConv(3, 3, 3)
    model.blocks = torch.nn.ModuleList(blocks).double()
    for norm in model.modules():
        if isinstance(norm, _BatchNorm):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2.0)
    x = example("STGCN")
    torch.testing.assert_close(model.eval().fuse()(x), model(x), rtol=1e-9, atol=1e-9)

    twice = TwoStream(model, model).eval()
    torch.testing.assert_close(twice.fuse()(x), twice(x), rtol=1e-9, atol=1e-9)


def test_the_model_is_left_as_it_is():
    model = make("STGCN").train()
    before = copy.deepcopy(model.state_dict())
    fused = model.fuse()
    assert model.training
    assert not fused.training
    assert not any(parameter.requires_grad for parameter in fused.parameters())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


@pytest.mark.parametrize("name", ["ViG, mr, batch", "TwoStream"])
def test_it_serves_inference_alone(name):
    model, x = make(name), example(name)
    for fused in (model.fuse(), model.fuse().fuse(), pickle.loads(pickle.dumps(model.fuse()))):
        with pytest.raises(RuntimeError, match=r"made by fuse\(\) and serves inference alone"):
            fused.train()
        torch.testing.assert_close(fused.eval()(x), model(x), rtol=1e-9, atol=1e-9)
    with pytest.raises(RuntimeError, match="unexpected key|Missing key|Unexpected key"):
        model.fuse().load_state_dict(model.state_dict())
    if name == "TwoStream":
        with pytest.raises(RuntimeError, match="inference alone"):
            model.fuse().origin_stream.train()


def test_a_model_that_was_never_run():
    model = ViG(**VIG)
    model.blocks[0]["ffn"].fc1[1] = torch.nn.LazyBatchNorm1d()
    with pytest.raises(ValueError, match="'blocks.0.ffn.fc1.1.weight' has no size yet"):
        model.fuse()


def test_gradients_flow_to_the_input():
    model, x = make("STGCN"), example("STGCN").requires_grad_()
    (expected,) = torch.autograd.grad(model(x).square().sum(), x)
    (actual,) = torch.autograd.grad(model.fuse()(x).square().sum(), x)
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9)


def test_it_compiles_and_exports():
    model, x = make("STGCN"), example("STGCN")
    fused = model.fuse()
    compiled = torch.compile(fused, backend="aot_eager")
    torch.testing.assert_close(compiled(x), model(x), rtol=1e-9, atol=1e-9)
    torch._dynamo.reset()
