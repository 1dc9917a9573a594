"""What all graph convolutions over frames must keep, stated once."""

import pytest
import torch

from pyg_vision.data import Tracks
from tests.laws import close

RAGGED = [(1, 5, 4), (2, 3, 4), (1, 1, 4)]


def make(cls, channels=(5, 8), relations=3, **options):
    torch.manual_seed(0)
    conv = cls(*channels, torch.rand(relations, 4, 4), **options).double()
    with torch.no_grad():
        for name, value in conv.named_parameters():
            if name in ("alpha", "beta"):
                value.normal_()
    return conv.eval()


def explicit(conv, x, tracks):
    """The same by messages along edges."""
    handle = conv.register_message_forward_hook(lambda *_: None)
    assert not conv.fusible
    out = conv(x, tracks)
    handle.remove()
    return out


def check_products(cls, **options):
    """Products with matrices are messages along the edges of a complete graph."""
    conv = make(cls, **options)
    for tracks in (Tracks.of(RAGGED), Tracks.of([(2, 6, 4)]), None):
        frames = 12 if tracks is None else tracks.num_frames
        x = torch.randn(frames, 4, 5, dtype=torch.double, requires_grad=True)
        out, slow = conv(x, tracks), explicit(conv, x, tracks)
        close(out, slow)
        probe = torch.randn_like(out)
        inputs = [x, *conv.parameters()]
        found, wanted = (torch.autograd.grad((y * probe).sum(), inputs) for y in (out, slow))
        for actual, gradient in zip(found, wanted, strict=True):
            close(actual, gradient)


def check_tracks(cls, **options):
    """Each track has graphs of its own."""
    conv, tracks = make(cls, **options), Tracks.of(RAGGED)
    x = torch.randn(tracks.num_frames, 4, 5, dtype=torch.double)
    parts = x.split(list(tracks.lengths))
    close(conv(x, tracks), torch.cat([conv(part) for part in parts]))
    close(conv(x[:1]), conv(x[0]).unsqueeze(0))  # a graph by itself


def check_edges(cls, **options):
    """All edges by name are the complete graph; fewer of them are fewer messages."""
    conv, x = make(cls, **options), torch.randn(6, 4, 5, dtype=torch.double)
    edges = torch.ones(4, 4).nonzero().t()
    named = cls(5, 8, torch.rand(3, 16), edge_index=edges, **options).double().eval()
    named.load_state_dict(
        {k: v.flatten(1) if k == "adjacency" else v for k, v in conv.state_dict().items()}
    )
    if hasattr(conv, "initial"):
        named.initial.copy_(conv.initial.flatten(1))
    close(named(x), conv(x))
    # A node to which no edge leads gets no messages.
    few = cls(5, 8, torch.rand(3, 2), edge_index=torch.tensor([[0, 2], [1, 1]]), **options)
    few = few.double().eval()
    sums = few.merged(torch.zeros(1, 3, 4, few.sent(x).size(-1)).double())[0, 0]
    close(few(x)[:, 0], sums.expand(6, -1))
    assert not torch.allclose(few(x)[:, 1], sums.expand(6, -1))
    y = x.clone()
    y[:, 3] = 0  # nobody listens to it
    close(few(y), few(x))


def check_errors(cls, **options):
    conv = make(cls, **options)
    for x, tracks, message in (
        (torch.randn(2, 3, 5), None, r"\[frames, 4 nodes, in_channels=5\]"),
        (torch.randn(2, 4, 6), None, r"\[frames, 4 nodes, in_channels=5\]"),
        (torch.randn(2, 4, 5), Tracks.of([(1, 3, 4)]), "of 3 frames"),
    ):
        with pytest.raises(ValueError, match=message):
            conv(x.double(), tracks)
    edges = torch.tensor([[0, 2], [1, 1]])
    for weights, index, message in (
        (torch.rand(3, 4), None, r"\[relations, nodes, nodes\]"),
        (torch.rand(3, 2, 2), edges, r"\[2, edges\]"),
        (torch.rand(3, 3), edges, "a weight for each of 2 edges"),
    ):
        with pytest.raises(ValueError, match=message):
            cls(5, 8, weights, edge_index=index, **options)
    few = cls(5, 8, torch.rand(3, 2), edge_index=edges, **options)
    with pytest.raises(ValueError, match="'edge_index' must lie in 0 … 1"):
        few(torch.randn(1, 2, 5))


def check_reset(cls, **options):
    conv = make(cls, **options)
    start = {name: value.clone() for name, value in conv.state_dict().items()}
    conv.reset_parameters()
    after = conv.state_dict()
    assert any(not torch.equal(value, after[name]) for name, value in start.items())
    assert "initial" not in start
