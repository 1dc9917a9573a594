"""Every builder's structure in every form that a model is used in: a quarter of its width, and two
blocks a stage; vig_ti and pvig_ti also as they are.
"""

import io

import numpy as np
import onnxruntime
import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from pyg_vision.nn import (
    PyramidViG,
    adaptvig_s,
    greedyvig_s,
    mobilevig_ti,
    mobilevigv2_ti,
    pvig_b,
    pvig_m,
    pvig_s,
    pvig_ti,
    vig_b,
    vig_s,
    vig_ti,
    wignet_ti,
)

SMALL = {
    "vig_ti": (vig_ti, {"channels": 48, "depth": 2}),
    "vig_s": (vig_s, {"channels": 80, "depth": 2}),
    "vig_b": (vig_b, {"channels": 160, "depth": 2}),
    **{
        build.__name__: (
            build,
            {"channels": channels, "depths": (2, 2, 2, 2)},
        )
        for build, channels in (
            (pvig_ti, (12, 24, 60, 96)),
            (pvig_s, (20, 40, 100, 160)),
            (pvig_m, (24, 48, 96, 192)),
            (pvig_b, (32, 64, 128, 256)),
        )
    },
    **{
        build.__name__: (build, {"channels": (12, 24, 48, 64), "blocks": blocks})
        for build, blocks in (
            (mobilevig_ti, ((1, 0), (1, 0), (1, 0), (0, 2))),
            (mobilevigv2_ti, ((1, 0), (1, 1), (1, 1), (1, 1))),
            (greedyvig_s, ((1, 1), (1, 1), (1, 1), (1, 1))),
            (adaptvig_s, ((1, 1), (1, 1), (1, 1), (1, 1))),
        )
    },
    "wignet_ti": (wignet_ti, {"channels": (12, 24, 60, 96), "depths": (2, 2, 2, 2)}),
}
FULL = {"vig_ti, full": (vig_ti, {}), "pvig_ti, full": (pvig_ti, {})}
# Of these, the tests of each family tell most.
SELDOM = ("mobilevigv2_ti", "adaptvig_s", "pvig_s", "pvig_m", "pvig_b", "vig_b")
ALL = [
    pytest.param(name, marks=[pytest.mark.slow] if name in FULL or name in SELDOM else [])
    for name in (*SMALL, *FULL)
]
# What compiles for long is tried once in every run of the tests.
ONE = [
    pytest.param(name, marks=[] if name == "vig_s" else [pytest.mark.slow])
    for name in (*SMALL, *FULL)
]
SIZE = 96  # the pyramids' stages have 24, 12, 6 and 3 rows

pytestmark = pytest.mark.filterwarnings("ignore:an image of", "ignore::DeprecationWarning")


def make(name):
    """A model whose statistics are those of its inputs, so that logits are small."""
    torch.manual_seed(0)
    build, options = (SMALL | FULL)[name]
    model = build(num_classes=7, **options)
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    model.train()
    for momentum in (1.0, 0.1):
        for norm in norms:
            norm.momentum = momentum
        model(torch.rand(2, 3, SIZE, SIZE))
    return model.eval()


def images(count=2, height=SIZE, width=SIZE):
    torch.manual_seed(count)
    return torch.rand(count, 3, height, width)


def near(actual, expected, tolerance):
    assert actual.isfinite().all()
    assert (actual.float() - expected).abs().max() <= tolerance * expected.abs().max()


@pytest.mark.parametrize("name", ALL)
def test_fused(name):
    model = make(name).double()
    x = images(2, 64, 80).double()
    near(model.fuse()(x).float(), model(x).float(), 1e-6)


@pytest.mark.parametrize("name", ALL)
def test_channels_last(name):
    model, x = make(name).double(), images().double()
    expected = model(x)
    out = model.to(memory_format=torch.channels_last)(
        x.contiguous(memory_format=torch.channels_last)
    )
    torch.testing.assert_close(out, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(name, dtype):
    model, x = make(name), images()
    _, graphs = model.forward_graphs(x)
    expected = model(x)
    with torch.autocast("cpu", dtype):
        near(model(x, neighbors=graphs), expected, 0.15)
        assert model(x).isfinite().all()
    half = model.to(dtype)
    out = half(x.to(dtype), neighbors=graphs)
    assert out.dtype == dtype
    assert (out.float() - expected).norm() <= 0.3 * expected.norm()
    assert half(x.to(dtype)).isfinite().all()


@pytest.mark.parametrize("name", ALL)
def test_computed_again(name):
    model, x = make(name).train(), images()
    torch.manual_seed(0)
    model(x).sum().backward()
    expected = {key: p.grad.clone() for key, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    model.set_grad_checkpointing()
    torch.manual_seed(0)
    model(x).sum().backward()
    for key, value in expected.items():
        assert torch.equal(model.get_parameter(key).grad, value), key


@pytest.mark.parametrize("name", ONE)
def test_compiled(name):
    model, x = make(name).double(), images(2, 64, 80).double()
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), model(x), rtol=1e-9, atol=1e-9)
    torch._dynamo.reset()


@pytest.mark.parametrize("name", ONE)
def test_exported_for_any_number(name):
    model, x = make(name).double(), images().double()
    shapes = {"x": {0: torch.export.Dim("batch", min=1, max=64)}}
    program = torch.export.export(model, (x,), dynamic_shapes=shapes).module()
    other = images(3).double()
    torch.testing.assert_close(program(other), model(other), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("size", [(SIZE, SIZE), pytest.param((64, 80), marks=pytest.mark.slow)])
def test_onnx(name, size, tmp_path):
    model, x = make(name), images(2, *size)
    file = tmp_path / "model.onnx"
    shapes = {"x": {0: torch.export.Dim("batch")}}
    torch.onnx.export(
        model, (x,), file, dynamo=True, dynamic_shapes=shapes, opset_version=18, verbose=False
    )
    session = onnxruntime.InferenceSession(str(file))
    other = images(7, *size)
    (out,) = session.run(None, {session.get_inputs()[0].name: other.numpy()})
    expected = model(other).detach()
    apart = (torch.from_numpy(np.asarray(out)) - expected).abs().amax(1) / expected.abs().max()
    # In float32 the rounding of another program may make another neighbour the nearest, which
    # random weights amplify to any size; all other images agree.
    assert apart.isfinite().all()
    assert (apart <= 1e-4).sum() >= 5


@pytest.mark.parametrize("name", ALL)
def test_state_dicts_are_files(name):
    model, x = make(name), images()
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    build, options = (SMALL | FULL)[name]
    again = build(num_classes=7, **options).eval()
    again.load_state_dict(torch.load(file, weights_only=True))
    assert torch.equal(again(x), model(x))
    assert isinstance(model, PyramidViG) == name.startswith("p")
