import pytest
import torch
from torch.func import jvp, vmap

from pyg_vision.nn import AxialGraph, GatedMRConv
from pyg_vision.nn.conv.gated_mr_conv import _Signs, edge_distances, gated_maximum
from tests import laws


@laws.cases({}, {"norm": "batch", "act": "gelu"}, {"groups": 2, "bias": False, "act": "relu"})
def test_laws(law, options):
    conv = GatedMRConv(8, 12, **options).double()
    torch.nn.init.constant_(conv.temperature, -3.0)
    law(conv)


def test_lazy():
    laws.lazy_is_eager(GatedMRConv)


def formula(conv, x, index, ungated):
    difference = x[index] - x.unsqueeze(1)
    gate = torch.exp(-difference.abs().sum(-1, keepdim=True) / (conv.temperature.abs() + 1e-6))
    gate = torch.where(ungated.view(1, -1, 1), 1.0, gate)
    return conv.nn(torch.cat([x, (gate * difference).amax(1)], -1))


@pytest.mark.parametrize("open_slots", [(), (0,), (0, 2), (0, 1, 2)])
def test_is_the_formula_with_open_gates(open_slots):
    torch.manual_seed(0)
    conv = GatedMRConv(8, 5).double()
    x, table = laws.example(B=1)
    x = x[0].requires_grad_()
    ungated = torch.tensor([slot in open_slots for slot in range(table.k)])
    expected = formula(conv, x, table.index[0], ungated)
    wanted = laws.gradients(conv, expected, x)
    edges = ungated.repeat(x.size(0))
    for out in (conv(x, table, ungated), conv(x, table.edge_index, edges)):
        laws.close(out, expected)
        for found, grad in zip(laws.gradients(conv, out, x), wanted, strict=True):
            laws.close(found, grad)
    handle = conv.register_message_forward_hook(lambda *_: None)
    laws.close(conv(x, table, ungated), expected)
    handle.remove()


def test_all_derivatives():
    torch.manual_seed(0)
    conv = GatedMRConv(4, 3).double()
    x, table = laws.example(B=1, N=6, C=4)
    x = x[0].requires_grad_()
    ungated = torch.tensor([True, False, False])

    def run(x):
        return conv(x, table, ungated)

    assert torch.autograd.gradcheck(run, x, check_forward_ad=True, check_batched_grad=True)
    assert torch.autograd.gradgradcheck(run, x)
    tangent = torch.randn_like(x)
    expected = jvp(lambda x: formula(conv, x, table.index[0], ungated), (x,), (tangent,))
    for found, wanted in zip(jvp(run, (x,), (tangent,)), expected, strict=True):
        laws.close(found, wanted)
    many = torch.randn(3, *x.shape, dtype=x.dtype)
    laws.close(vmap(run)(many), torch.stack([run(v) for v in many]))
    grad = torch.func.grad(lambda x: run(x).pow(2).sum())
    laws.close(vmap(grad)(many), torch.stack([grad(v) for v in many]))


def test_distances_have_no_gradient_at_zero():
    x = torch.ones(3, 4, requires_grad=True)
    index = torch.tensor([[0, 1], [1, 2], [2, 0]])
    edge_distances(x, x, index).sum().backward()
    assert torch.equal(x.grad, torch.zeros(3, 4))


def test_no_tensor_of_all_edges_is_kept():
    """What autograd saves is of the size of the nodes, however many neighbours there are."""
    x = torch.randn(1, 64, 32, requires_grad=True)
    graph = AxialGraph("svga", step=1)
    saved = []

    def pack(v):
        saved.append(v.numel())
        return v

    conv = GatedMRConv(32, 32)
    table = graph(x, (8, 8))
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda v: v):
        conv(x, table).sum().backward()
    assert max(saved) <= 2 * x.numel()  # of the linear map
    assert table.k * x.numel() > 10 * x.numel()


@pytest.mark.parametrize(
    ("ungated", "message"),
    [
        (torch.ones(4, dtype=torch.bool), r"'ungated' must be boolean of shape \[3\].*\[4\]"),
        (torch.ones(3), r"'ungated' must be boolean.*torch.float32"),
    ],
)
def test_wrong_gates_are_named(ungated, message):
    x, table = laws.example()
    with pytest.raises(ValueError, match=message):
        GatedMRConv(8, 4).double()(x, table, ungated)


def test_repr_and_reset():
    conv = GatedMRConv(8, 16)
    assert str(conv) == "GatedMRConv(8, 16)"
    torch.nn.init.constant_(conv.temperature, 5.0)
    conv.reset_parameters()
    assert conv.temperature == 1


@pytest.mark.slow
def test_compiled_gradients():
    conv = GatedMRConv(8, 5).double()
    x, table = laws.example()
    x.requires_grad_()
    wanted = laws.gradients(conv, conv(x, table), x)
    out = torch.compile(conv, fullgraph=True, backend="aot_eager")(x, table)
    for found, expected in zip(laws.gradients(conv, out, x), wanted, strict=True):
        laws.close(found, expected)
    torch._dynamo.reset()


def test_gradients_of_sums_in_float32_of_half_features():
    """As autocast on a GPU makes them."""
    x = torch.randn(5, 4).half()
    index = torch.tensor([[0, 1], [1, 2], [2, 3], [3, 4], [4, 0]])
    grad = torch.randn(5, 2)
    found = _Signs.apply(grad, x, x, index)
    expected = _Signs.apply(grad, x.float(), x.float(), index)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == torch.half
        torch.testing.assert_close(one.float(), other, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("autocast", [False, True])
def test_trains_in_half_precision(autocast):
    torch.manual_seed(0)
    conv = GatedMRConv(8, 4)
    x, table = laws.example()
    x = x.float() if autocast else x.bfloat16()
    conv = conv if autocast else conv.bfloat16()
    x.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        conv(x, table).float().pow(2).sum().backward()
    grads = [x.grad, *(p.grad for p in conv.parameters())]
    assert all(grad.isfinite().all() for grad in grads)


def test_nan_is_seen_with_gradients_and_without():
    x = torch.randn(4, 3)
    x[3, 1] = torch.nan
    index, gate = torch.tensor([[0, 3]]), torch.ones(1, 2)
    plain = gated_maximum(x, x[:1], index, gate)
    traced = gated_maximum(x.clone().requires_grad_(), x[:1], index, gate)
    assert plain.isnan().tolist() == traced.isnan().tolist() == [[False, True, False]]
