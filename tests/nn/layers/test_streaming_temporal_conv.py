import pytest
import torch
import torch.nn.functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from pyg_vision.nn import MultiScaleTemporalConv, StreamingFrames, StreamingMultiScaleConv

FORMS = {
    "six": {},
    "mean": {"num_joints": 3},
    "four": {"kernels": [(5, 1), (5, 2)], "merge": False},
    "residual": {"kernels": [(3, 1), (3, 3)], "merge": False, "residual": True, "relu": True},
}


def make(form, stride=1, channels=16):
    torch.manual_seed(0)
    conv = MultiScaleTemporalConv(channels, 16, stride, **FORMS[form]).double().eval()
    for module in conv.modules():
        if isinstance(module, _BatchNorm):
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            torch.nn.init.normal_(module.running_mean)
    if conv.add_coeff is not None:
        torch.nn.init.uniform_(conv.add_coeff)
    return conv


@torch.no_grad()
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("stride", "channels"), [(1, 16), (2, 16), (1, 12)])
@pytest.mark.parametrize("frames", [1, 4, 17, 18])
def test_a_padded_track_is_that_of_the_layer(form, stride, channels, frames):
    conv = make(form, stride, channels)
    x = torch.randn(frames, 3, channels, dtype=torch.double)
    expected = conv(x.flatten(0, 1), [(1, frames, 3)]).view(-1, 3, 16)
    streaming, memory, found = StreamingMultiScaleConv(conv, padded=True), None, []
    for i, frame in enumerate(x.split(1)):
        out, memory = streaming(frame, memory, finish=i == frames - 1)
        found.append(out)
    torch.testing.assert_close(torch.cat(found), expected, atol=1e-9, rtol=1e-9)
    whole, _ = streaming(x, finish=True)
    torch.testing.assert_close(whole, expected, atol=1e-9, rtol=1e-9)


@torch.no_grad()
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stride", [1, 2])
def test_without_zeros_the_middle_is_the_same(form, stride):
    """Where the layer itself sees no zeros, both are the same."""
    conv = make(form, stride)
    x = torch.randn(30, 3, 16, dtype=torch.double)
    streaming, memory, found = StreamingMultiScaleConv(conv), None, []
    for piece in x.split([1] * 11 + [19]):
        out, memory = streaming(piece, memory)
        found.append(out)
    # Centres begin at the reach, those of the layer at its first frame: here one of zeros.
    shift = streaming.reach % stride
    shifted = F.pad(x, (0, 0, 0, 0, shift, 0))
    expected = conv(shifted.flatten(0, 1), [(1, 30 + shift, 3)]).view(-1, 3, 16)
    begin = (streaming.reach + shift) // stride
    found = torch.cat(found)
    assert len(found) == (30 - 2 * streaming.reach - 1) // stride + 1
    torch.testing.assert_close(found, expected[begin : begin + len(found)], atol=1e-9, rtol=1e-9)
    rest, _ = streaming(x[:0], memory, finish=True)
    assert len(rest) == 0


def test_windows_of_frames():
    frames = StreamingFrames(2, stride=3)
    x = torch.arange(20.0).view(20, 1, 1)
    expected = F.unfold(x.view(1, 1, 20, 1), (5, 1), stride=(3, 1))[0].t()
    found, memory = [], None
    for piece in x.split([1, 2, 3, 4, 10]):
        windows, memory = frames(piece, memory)
        found.append(windows[:, 0, 0])
    assert torch.equal(torch.cat(found), expected)
    assert len(memory) < 5


def test_what_is_wrong():
    with pytest.raises(ValueError, match="'stride' must be at most"):
        StreamingFrames(0, stride=2)
    frames = StreamingFrames(1)
    with pytest.raises(ValueError, match="of one person"):
        frames(torch.zeros(3, 2))
    _, memory = frames(torch.zeros(1, 3, 2))
    with pytest.raises(ValueError, match=r"like those before, \[3, 2\]"):
        frames(torch.zeros(1, 4, 2), memory)
    streaming = StreamingMultiScaleConv(make("six"))
    with pytest.raises(RuntimeError, match="call eval"):
        streaming.train()(torch.zeros(1, 3, 16))
