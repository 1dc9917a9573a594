import pytest
import torch

from pyg_vision.data import Tracks
from pyg_vision.nn import DenseMultiScaleTemporalConv, MultiScaleTemporalConv
from tests.laws import close

RAGGED = [(1, 5, 3), (2, 12, 3), (1, 1, 3), (2, 2, 3), (1, 20, 3)]
FORMS = {
    "six branches": {},
    "with the mean of joints": {"num_joints": 3},
    "four branches": {"kernels": [(5, 1), (5, 2)], "merge": False},
}


def make(cls, form, stride=1, channels=(4, 15)):
    torch.manual_seed(0)
    made = cls(*channels, stride, **FORMS[form]).double()
    with torch.no_grad():
        for name, value in [*made.named_parameters(), *made.named_buffers()]:
            if value.is_floating_point():
                value.uniform_(0.5, 1.5) if "var" in name else value.normal_()
    return made


def maps(x, shape):
    return x.view(*shape, -1).permute(0, 3, 1, 2)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("form", FORMS)
def test_equals_the_dense_twin(form, stride, training):
    sparse, dense = (
        make(MultiScaleTemporalConv, form, stride),
        make(DenseMultiScaleTemporalConv, form, stride),
    )
    dense.load_state_dict(sparse.state_dict())
    x = torch.randn(3 * 7 * 3, 4, dtype=torch.double, requires_grad=True)
    out = sparse.train(training)(x, [(1, 7, 3)] * 3)
    expected = dense.train(training)(maps(x, (3, 7, 3)))
    expected = expected.permute(0, 2, 3, 1).reshape(out.shape)
    close(out, expected)
    probe = torch.randn_like(out)
    wanted = torch.autograd.grad((expected * probe).sum(), [x, *dense.parameters()])
    found = torch.autograd.grad((out * probe).sum(), [x, *sparse.parameters()])
    for actual, gradient in zip(found, wanted, strict=True):
        torch.testing.assert_close(actual, gradient, rtol=1e-8, atol=1e-9)
    for name, value in dense.state_dict().items():
        close(sparse.state_dict()[name], value)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("form", FORMS)
def test_tracks_never_mix(form, stride):
    conv, tracks = make(MultiScaleTemporalConv, form, stride).eval(), Tracks.of(RAGGED)
    x = torch.randn(tracks.num_nodes, 4, dtype=torch.double)
    sizes = [(t, 3) for m, t, _ in RAGGED for _ in range(m)]
    parts = x.split([t * v for t, v in sizes])
    alone = [conv(part, [(1, *size)]) for part, size in zip(parts, sizes, strict=True)]
    close(conv(x, tracks), torch.cat(alone))


def test_published_widths():
    def widths(conv):
        return [
            next(m.out_channels for m in branch if hasattr(m, "out_channels"))
            for branch in conv.branches
        ]

    for channels, first, rest in ((64, 14, 10), (128, 23, 21), (256, 46, 42), (96, 16, 16)):
        assert widths(MultiScaleTemporalConv(channels, channels)) == [first] + [rest] * 5
    four = MultiScaleTemporalConv(16, 18, kernels=[(5, 1), (5, 2)], merge=False)
    assert widths(four) == [4, 4, 4, 6]


def test_the_factors_of_the_mean_begin_with_zero():
    conv = MultiScaleTemporalConv(4, 12, num_joints=3)
    assert conv.add_coeff.tolist() == [0, 0, 0]
    torch.nn.init.ones_(conv.add_coeff)
    conv.reset_parameters()
    assert conv.add_coeff.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"out_channels": 5}, "at least 6, one for each branch"),
        ({"num_joints": 3, "merge": False}, "'num_joints' belongs to merge=True"),
        ({"dropout": 1.0}, "'dropout' must be in"),
        ({"kernels": [(2, 1)]}, "must be odd"),
    ],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        MultiScaleTemporalConv(**{"in_channels": 4, "out_channels": 12, **options})


def test_wrong_features():
    conv = MultiScaleTemporalConv(4, 12, num_joints=3)
    with pytest.raises(ValueError, match=r"'x' must be \[10 nodes, in_channels=4\]"):
        conv(torch.randn(10, 3), [(1, 5, 2)])
    with pytest.raises(ValueError, match="must be of 3 joints a frame"):
        conv(torch.randn(10, 4), [(1, 5, 2)])
