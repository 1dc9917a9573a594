import pytest
import torch
import torch.nn.functional as F

from pyg_vision.data import SkeletonLayout, Tracks, skeleton_sequence
from pyg_vision.nn import TemporalConv
from pyg_vision.nn.layers import temporal_conv as module
from tests.laws import close

RAGGED = [(1, 5, 3), (2, 12, 3), (1, 1, 3), (2, 2, 3), (1, 20, 3)]
REGULAR = [(2, 7, 3), (1, 7, 3)]
STICK = SkeletonLayout("stick", ("a", "b", "c"), ((1, 0), (2, 1)), center=0)


def one_by_one(conv, x, shapes):
    """The published convolution, for each person of each sequence alone."""
    outs = []
    sizes = [(t, v) for m, t, v in shapes for _ in range(m)]
    for part, (t, v) in zip(x.split([t * v for t, v in sizes]), sizes, strict=True):
        maps = part.view(1, t, v, -1).permute(0, 3, 1, 2)
        padding, dilation = (conv.reach, 0), (conv.dilation, 1)
        out = F.conv2d(maps, conv.weight, conv.bias, (conv.stride, 1), padding, dilation)
        outs.append(out[0].permute(1, 2, 0).reshape(-1, conv.out_channels))
    return torch.cat(outs)


@pytest.mark.parametrize("shapes", [RAGGED, REGULAR])
@pytest.mark.parametrize("kernel_size", [1, 3, 9])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2, 4])
def test_tracks_never_mix(shapes, kernel_size, stride, dilation):
    conv = TemporalConv(4, 5, kernel_size, stride, dilation=dilation).double()
    assert conv.reach == kernel_size // 2 * dilation
    tracks = Tracks.of(shapes)
    x = torch.randn(tracks.num_nodes, 4, dtype=torch.double, requires_grad=True)
    expected = one_by_one(conv, x, shapes)
    out = conv(x, tracks)
    close(out, expected)
    assert out.size(0) == tracks.strided(stride).num_nodes
    probe = torch.randn_like(out)
    inputs = [x, *conv.parameters()]
    wanted = torch.autograd.grad((expected * probe).sum(), inputs)
    for actual, grad in zip(torch.autograd.grad((out * probe).sum(), inputs), wanted, strict=True):
        close(actual, grad)


@pytest.mark.parametrize("channels", [3, 8, 12, 16])
@pytest.mark.parametrize("frames", [7, 158, 186])
def test_a_strided_kernel_of_one_frame(channels, frames):
    """oneDNN's gradient of its weight writes beyond its memory, for some of these sizes."""
    x = torch.randn(frames * 18, channels)
    conv = TemporalConv(channels, 16, 1, stride=2)
    grad = torch.randn((frames + 1) // 2 * 18, 16)
    for _ in range(5):
        out = conv(x, [(1, frames, 18)])
        found = torch.autograd.grad(out, list(conv.parameters()), grad)
    rows = x.view(frames, 18, channels)[::2].flatten(0, 1)
    weight = conv.weight.flatten(1)
    torch.testing.assert_close(out, rows @ weight.t() + conv.bias)
    torch.testing.assert_close(found[0].flatten(1), grad.t() @ rows, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found[1], grad.sum(0), rtol=1e-4, atol=1e-4)


def test_float32_agrees():
    conv, tracks = TemporalConv(8, 8), Tracks.of(RAGGED)
    x = torch.randn(tracks.num_nodes, 8)
    torch.testing.assert_close(conv(x, tracks), one_by_one(conv, x, RAGGED), rtol=1e-4, atol=1e-5)


def test_tracks_as_graph_shape_or_list():
    data = skeleton_sequence(torch.randn(2, 6, 3, 3), STICK)
    conv = TemporalConv(3, 4, bias=False)
    assert conv.bias is None
    expected = conv(data.x, Tracks.of(data))
    assert expected.shape == (36, 4)
    for tracks in (data, data.skeleton_shape, [(2, 6, 3)]):
        assert torch.equal(conv(data.x, tracks), expected)


@pytest.mark.parametrize("shapes", [RAGGED, REGULAR])
def test_strided_features(shapes):
    conv, tracks = TemporalConv(4, 5, 3).double(), Tracks.of(shapes)
    x = torch.randn(4, tracks.num_nodes, dtype=torch.double).t()
    assert not x.is_contiguous()
    close(conv(x, tracks), conv(x.contiguous(), tracks))


def test_gradcheck():
    conv, tracks = TemporalConv(2, 2, 3, 2).double(), Tracks.of([(1, 4, 2), (1, 3, 2)])
    x = torch.randn(tracks.num_nodes, 2, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: conv(x, tracks), x)


def test_compiled_is_eager():
    tracks = Tracks.of(REGULAR)
    conv, x = TemporalConv(4, 5).double(), torch.randn(tracks.num_nodes, 4, dtype=torch.double)
    close(torch.compile(conv, fullgraph=True, backend="aot_eager")(x, tracks), conv(x, tracks))
    torch._dynamo.reset()


def test_reset_parameters_and_repr():
    conv = TemporalConv(4, 5, 3, 2)
    assert str(conv) == "TemporalConv(4, 5, kernel_size=3, stride=2)"
    before = conv.weight.clone()
    conv.reset_parameters()
    assert not torch.equal(conv.weight, before)
    assert conv.weight.abs().max() <= 12**-0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 4), r"'in_channels' must be at least 1 \(got 0\)"),
        ((4, 4.0), "'out_channels' must be an integer"),
        ((4, 4, 8), r"'kernel_size' must be odd \(got 8\)"),
        ((4, 4, 9, 0), "'stride' must be at least 1"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        TemporalConv(*arguments)


@pytest.mark.parametrize("shape", [(10, 4), (9, 5), (1, 9, 4)])
def test_features_that_do_not_fit_are_named(shape):
    with pytest.raises(ValueError, match=r"must be \[9 nodes, in_channels=4\] for 1 track"):
        TemporalConv(4, 4)(torch.zeros(shape), (1, 3, 3))


SIZES = [(kernel, stride, dilation, shape) for kernel in (1, 3, 9) for stride in (1, 2, 3)
         for dilation in (1, 3)
         for shape in ((1, 5, 3), (3, 7, 2), (2, 1, 3), (2, 12, 1))]  # fmt: skip


@pytest.mark.parametrize(("kernel_size", "stride", "dilation", "shape"), SIZES)
def test_products_of_shifted_frames_are_the_gradient(kernel_size, stride, dilation, shape):
    x = torch.randn(*shape, 4, dtype=torch.double)
    weight = torch.randn(5, 4, kernel_size, 1, dtype=torch.double, requires_grad=True)
    out = module._convolve(x, weight, None, stride, dilation)
    grad = torch.randn_like(out)
    (expected,) = torch.autograd.grad(out, weight, grad)
    close(module.weight_gradient(grad, x, kernel_size, stride, dilation), expected)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("dilation", [1, 2])
def test_all_derivatives_of_the_faster_path(stride, with_bias, dilation):
    """First and second, forward and backward, and under vmap."""
    x = torch.randn(2, 5, 2, 3, dtype=torch.double, requires_grad=True)
    weight = torch.randn(2, 3, 3, 1, dtype=torch.double, requires_grad=True)
    bias = torch.randn(2, dtype=torch.double, requires_grad=True) if with_bias else None

    def fast(x, weight, bias):
        return module._ShiftedProducts.apply(x, weight, bias, stride, dilation)

    inputs = (x, weight, bias)
    assert torch.autograd.gradcheck(fast, inputs, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(fast, inputs)
    both = torch.stack((x, 2 * x)).detach()
    mapped = torch.func.vmap(lambda x: fast(x, weight, bias))(both)
    close(mapped[1], module._convolve(2 * x, weight, bias, stride, dilation))
    per_sample = torch.func.vmap(
        torch.func.grad(lambda w, x: fast(x, w, bias).square().sum()), in_dims=(None, 0)
    )(weight.detach(), both)
    for found, sample in zip(per_sample, both, strict=True):
        loss = module._convolve(sample, weight, bias, stride, dilation).square().sum()
        close(found, torch.autograd.grad(loss, weight)[0])


@pytest.mark.parametrize("shapes", [RAGGED, REGULAR])
@pytest.mark.parametrize("stride", [1, 2])
def test_both_choices_agree(shapes, stride, monkeypatch):
    """Whatever the processor, training by either path gives the same."""
    conv, tracks = TemporalConv(8, 6, 9, stride), Tracks.of(shapes)
    x = torch.randn(tracks.num_nodes, 8, requires_grad=True)
    applied, found = [], []
    apply = module._ShiftedProducts.apply
    monkeypatch.setattr(module._ShiftedProducts, "apply", lambda *a: applied.append(1) or apply(*a))
    for choice in (True, False):
        monkeypatch.setattr(module, "multiplies_shifted", lambda choice=choice: choice)
        out = conv(x, tracks)
        inputs = [x, *conv.parameters()]
        found.append((out, *torch.autograd.grad(out.square().sum(), inputs)))
    assert len(applied) == 1
    for fast, plain in zip(*found, strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-4, atol=1e-3)

    monkeypatch.setattr(module, "multiplies_shifted", lambda: True)
    with torch.no_grad():
        conv(x, tracks)
    with torch.autocast("cpu", torch.bfloat16):
        conv(x, tracks).float().sum().backward()
    torch.compile(conv, backend="aot_eager")(x, tracks)
    torch._dynamo.reset()
    assert len(applied) == 1, "only training in float32, eagerly, takes the faster path"
    frozen = conv.requires_grad_(False)
    frozen(x, tracks).sum().backward()
    assert len(applied) == 1
