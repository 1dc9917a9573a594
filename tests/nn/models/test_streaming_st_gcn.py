"""Frame by frame as all at once: against the dense twin with convolutions that are not padded, and
against the model itself where tracks are.
"""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from pyg_vision.nn import STGCN, DenseSTGCN, STGCNBlock, StreamingSTGCN

SMALL = {"in_channels": 3, "num_classes": 5, "layout": "coco", "kernel_size": 5,
         "stages": [(8, 2), (12, 2, 2), (16, 1, 2)]}  # fmt: skip


def make(**options):
    torch.manual_seed(0)
    model = STGCN(**SMALL | options).double().eval()
    for module in model.modules():
        if isinstance(module, _BatchNorm) and module.running_var is not None:
            torch.nn.init.uniform_(module.running_var, 0.5, 2.0)
            torch.nn.init.normal_(module.running_mean)
    for importance in model.edge_importance:
        torch.nn.init.uniform_(importance, 0.5, 1.5)
    return model


def unpadded(model, x):
    """The logits of the dense twin whose convolutions see no zeros: residuals are cut to match."""
    twin = DenseSTGCN(**SMALL).double().eval()
    twin.load_state_dict(model.state_dict())
    h = model.data_bn(x.reshape(len(x), -1)).view(x.shape).permute(2, 0, 1)[None]
    for block, weight in zip(twin.blocks, model._edge_weights(), strict=True):
        norm, _, conv, norm_after, _ = block.tcn
        out = F.relu(norm(block.gcn(h, model.adjacency(weight))))
        out = norm_after(F.conv2d(out, conv.weight, conv.bias, conv.stride, padding=0))
        if block.has_residual:
            middle = h[:, :, 2:-2]
            out = out + (middle if block.residual is None else block.residual(middle))
        h = F.relu(out)
    features = h[0].mean(dim=2).t()  # frames, channels
    means = features.cumsum(0) / torch.arange(1, len(features) + 1)[:, None]
    return features, model.fcn(means)


@torch.no_grad()
@pytest.mark.parametrize("pieces", [[120], [1] * 120, [7, 1, 50, 2, 60]])
@pytest.mark.parametrize("fuse", [False, True])
def test_frame_by_frame_as_all_at_once(pieces, fuse):
    model = make()
    x = torch.randn(120, 17, 3, dtype=torch.double)
    features, expected = unpadded(model, x)
    streaming = StreamingSTGCN(model.fuse() if fuse else model)
    assert streaming.receptive_field == 1 + 2 * (2 + 2 + 2 + 4 + 4)
    assert streaming.stride == 4
    assert len(features) == (120 - streaming.receptive_field) // 4 + 1
    state, found = None, []
    for piece in x.split(pieces):
        logits, state = streaming(piece, state)
        found.append(logits)
    torch.testing.assert_close(torch.cat(found), expected, atol=1e-9, rtol=1e-9)
    assert state.count == len(features)


@torch.no_grad()
def test_a_window_of_features():
    model = make()
    x = torch.randn(120, 17, 3, dtype=torch.double)
    features, _ = unpadded(model, x)
    streaming, state, found = StreamingSTGCN(model, window=20), None, []
    for frame in x.split(1):
        logits, state = streaming(frame, state)
        found.append(logits)
        assert state.features is None or len(state.features) <= 4
    windows = [features[max(i - 4, 0) : i + 1].mean(0) for i in range(len(features))]
    torch.testing.assert_close(torch.cat(found), model.fcn(torch.stack(windows)))


@torch.no_grad()
@pytest.mark.parametrize("norm", [torch.nn.LayerNorm, torch.nn.BatchNorm1d])
def test_other_norms_and_parametrized_weights(norm):
    model = make(norm_layer=norm)
    torch.nn.utils.parametrizations.weight_norm(model.blocks[0].gcn)
    x = torch.randn(40, 17, 3, dtype=torch.double)
    expected = model(x.permute(2, 0, 1)[None, ..., None])[0]
    found, _ = StreamingSTGCN(model, padded=True)(x, finish=True)
    torch.testing.assert_close(found[-1], expected, atol=1e-9, rtol=1e-9)


@torch.no_grad()
def test_a_long_mean_in_half_precision():
    model = make().bfloat16()
    streaming, state = StreamingSTGCN(model), None
    x = torch.randn(1, 17, 3).bfloat16().expand(400, -1, -1)
    logits, state = streaming(x, state)
    for _ in range(20):
        later, state = streaming(x, state)
    assert later.dtype == torch.bfloat16
    torch.testing.assert_close(later[-1], logits[-1], atol=0.05, rtol=0.05)


@torch.no_grad()
@pytest.mark.parametrize("frames", [1, 2, 3, 13, 60, 61, 62, 63])
@pytest.mark.parametrize("fuse", [False, True])
def test_a_padded_motion_is_that_of_the_model(frames, fuse):
    model = make()
    x = torch.randn(frames, 17, 3, dtype=torch.double)
    expected = model(x.permute(2, 0, 1)[None, ..., None])[0]
    streaming, state, last = (
        StreamingSTGCN(model.fuse() if fuse else model, padded=True),
        None,
        None,
    )
    for frame in x.split(1):
        logits, state = streaming(frame, state)
        last = logits[-1] if len(logits) else last
    logits = streaming.finish(state)
    torch.testing.assert_close(logits[-1], expected, atol=1e-9, rtol=1e-9)
    whole, _ = streaming(x, finish=True)
    torch.testing.assert_close(whole[-1], expected, atol=1e-9, rtol=1e-9)
    assert len(whole) == (frames + 3) // 4
    assert (last is not None) == (frames > streaming.delay)


def test_persons_have_memories_of_their_own():
    model = make()
    streaming = StreamingSTGCN(model, window=40)
    first, second = torch.randn(2, 60, 17, 3, dtype=torch.double)
    alone = [streaming.step(frame) for frame in first]
    assert alone[0] is None
    assert alone[-1].shape == (5,)
    streaming.forget()
    for i in range(60):
        logits = streaming.step(first[i], "a")
        other = streaming.step(second[i - 5], "b") if i >= 5 else None
        assert (logits is None and alone[i] is None) or torch.equal(logits, alone[i])
    assert not torch.equal(logits, other)
    streaming.forget("a")
    assert streaming.step(first[0], "a") is None
    assert streaming.step(second[55], "b") is not None


def test_a_long_stream_needs_no_more_memory():
    streaming = StreamingSTGCN(make())
    state, sizes = None, set()
    for i in range(200):
        _, state = streaming(torch.randn(1, 17, 3, dtype=torch.double), state)
        if i >= 100:
            sizes.add(sum(m.numel() for pair in state.blocks for m in pair if m is not None)
                      + state.features.numel())  # fmt: skip
    assert max(sizes) < 60_000
    assert len(sizes) <= 4  # by the phase of the strides


def test_what_is_wrong():
    model = make()
    with pytest.raises(TypeError, match=r"must be an STGCN \(got 'DenseSTGCN'\)"):
        StreamingSTGCN(DenseSTGCN(**SMALL))
    with pytest.raises(ValueError, match="'window'"):
        StreamingSTGCN(model, window=0)
    with pytest.raises(ValueError, match="fills up sequences"):
        StreamingSTGCN(make(padding="published", window=(30, 2)))
    with pytest.raises(ValueError, match="by the statistics of what it is given"):
        StreamingSTGCN(make(norm_layer=partial(torch.nn.BatchNorm1d, track_running_stats=False)))

    class Block(STGCNBlock):
        pass

    with pytest.raises(TypeError, match=r"must be STGCNBlock \(got Block\)"):
        StreamingSTGCN(make(block=Block))
    streaming = StreamingSTGCN(model)
    with pytest.raises(ValueError, match=r"frames \[T, 17 joints, in_channels=3\]"):
        streaming(torch.zeros(1, 18, 3, dtype=torch.double))
    with pytest.raises(RuntimeError, match="serves inference alone"):
        streaming.train()


def test_features_without_classes():
    model = make()
    model.reset_classifier(0)
    logits, _ = StreamingSTGCN(model.eval())(torch.zeros(40, 17, 3, dtype=torch.double))
    assert logits.shape == (3, 16)
    assert StreamingSTGCN(model)(torch.zeros(2, 17, 3, dtype=torch.double))[0].shape == (0, 16)
