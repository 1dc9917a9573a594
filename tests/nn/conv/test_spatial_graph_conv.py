import copy

import pytest
import torch
from torch_geometric.data import Batch
from torch_geometric.explain import Explainer, GNNExplainer
from torch_geometric.nn import RGCNConv

from pyg_vision.data import skeleton_graph, skeleton_sequence
from pyg_vision.nn import DenseSpatialGraphConv, SpatialGraphConv
from pyg_vision.nn.conv.relation_plan import RelationPlan
from pyg_vision.transforms import SkeletonEdges
from tests.laws import close, generated_propagate_is_its_own

R, N, E = 3, 9, 30
SIZES = [(4, 6), (6, 6), (6, 4), (2, 12)]  # aggregates first, or transforms first


def graph(num_nodes=N, num_edges=E):
    edge_index = torch.randint(num_nodes, (2, num_edges))
    return edge_index, torch.randint(R, (num_edges,)), torch.randn(num_edges).double()


def layer(*sizes, **options):
    return SpatialGraphConv(*sizes, R, **options).double()


def specification(conv, *inputs, **options):
    """The same layer by message passing."""
    handle = conv.register_message_forward_hook(lambda *_: None)
    assert not conv.fusible
    out = conv(*inputs, **options)
    handle.remove()
    return out


def by_hand(conv, x, edge_index, edge_type, edge_weight):
    out = torch.zeros(x.size(0), conv.out_channels, dtype=x.dtype)
    for (j, i), r, w in zip(edge_index.t().tolist(), edge_type, edge_weight, strict=True):
        out[i] += w * (x[j] @ conv.weight[r] + (0 if conv.bias is None else conv.bias[r]))
    return out


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("bias", [True, False])
def test_both_paths_are_the_formula(sizes, bias):
    conv, edges = layer(*sizes, bias=bias), graph()
    x = torch.randn(N, sizes[0], dtype=torch.double)
    expected = by_hand(conv, x, *edges)
    close(specification(conv, x, *edges), expected)
    close(conv(x, *edges), expected)
    ones = torch.ones(E, dtype=torch.double)
    close(conv(x, *edges[:2]), by_hand(conv, x, *edges[:2], ones))
    close(specification(conv, x, *edges[:2]), conv(x, *edges[:2]))


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("shape", [(N,), (5, N), (20, N)])
@pytest.mark.parametrize("planned", [True, False])
def test_fast_path_is_the_specification_in_value_and_gradient(sizes, shape, planned):
    conv, (edge_index, edge_type, weight) = layer(*sizes), graph()
    edge_type[edge_index[0] > 1] = edge_type[edge_index[0] > 1].clamp(max=1)  # 2 has few sources
    weight.requires_grad_()
    x = torch.randn(*shape, sizes[0], dtype=torch.double, requires_grad=True)
    plan = RelationPlan(edge_index, edge_type, R, N) if planned else None
    probe = torch.randn(*shape, sizes[1], dtype=torch.double)
    inputs = [x, weight, *conv.parameters()]
    expected = specification(conv, x, edge_index, edge_type, weight)
    wanted = torch.autograd.grad((expected * probe).sum(), inputs)
    out = conv(x, edge_index, edge_type, weight, plan=plan)
    close(out, expected)
    for actual, grad in zip(torch.autograd.grad((out * probe).sum(), inputs), wanted, strict=True):
        close(actual, grad)


def test_float32_goes_through_convolutions_and_agrees():
    conv, edges = layer(8, 8), graph()
    x = torch.randn(34, N, 8, dtype=torch.double)
    plan = RelationPlan(*edges[:2], R, N)
    expected = conv(x, *edges)
    single = copy.deepcopy(conv).float()
    out = single(x.float(), *edges[:2], edges[2].float(), plan=plan)
    torch.testing.assert_close(out.double(), expected, rtol=1e-4, atol=1e-5)
    prime = single(x[:31].float(), *edges[:2], edges[2].float(), plan=plan)  # no divisor
    torch.testing.assert_close(prime.double(), expected[:31], rtol=1e-4, atol=1e-5)


def test_equals_rgcn_with_unit_weights_and_no_bias():
    conv, (edge_index, edge_type, _) = layer(5, 7, bias=False), graph()
    rgcn = RGCNConv(5, 7, R, aggr="sum", root_weight=False, bias=False).double()
    rgcn.weight.data = conv.weight.data.clone()
    x = torch.randn(N, 5, dtype=torch.double)
    close(conv(x, edge_index, edge_type), rgcn(x, edge_index, edge_type))


@pytest.mark.parametrize("aggr", ["mean", "max"])
def test_other_aggregations_are_over_all_messages(aggr):
    conv, (edge_index, edge_type, weight) = layer(4, 6, aggr=aggr), graph()
    assert not conv.fusible
    x = torch.randn(N, 4, dtype=torch.double)
    out = conv(x, edge_index, edge_type, weight)
    for i in range(N):
        edges = (edge_index[1] == i).nonzero().flatten()
        if edges.numel() == 0:
            assert (out[i] == 0).all()
            continue
        messages = torch.stack(
            [
                weight[e]
                * (x[edge_index[0, e]] @ conv.weight[edge_type[e]] + conv.bias[edge_type[e]])
                for e in edges
            ]
        )
        close(out[i], messages.mean(dim=0) if aggr == "mean" else messages.amax(dim=0))


def test_laws_of_a_layer():
    conv, (edge_index, edge_type, weight) = layer(4, 6), graph()
    x = torch.randn(N, 4, dtype=torch.double)
    out = conv(x, edge_index, edge_type, weight)
    order = torch.randperm(N)
    close(conv(x[order], order.argsort()[edge_index], edge_type, weight), out[order])
    edges = torch.randperm(E)
    close(conv(x, edge_index[:, edges], edge_type[edges], weight[edges]), out)
    # Static graphs are batches, and batches are one by one.
    signals = torch.randn(3, N, 4, dtype=torch.double)
    static = conv(signals, edge_index, edge_type, weight)
    close(static, torch.stack([conv(s, edge_index, edge_type, weight) for s in signals]))
    many = torch.cat([edge_index + N * i for i in range(3)], dim=1)
    flat = conv(signals.flatten(0, 1), many, edge_type.repeat(3), weight.repeat(3))
    close(flat.view(3, N, 6), static)
    generated_propagate_is_its_own(conv)


@pytest.mark.parametrize("path", ["fast", "specification"])
def test_bipartite(path):
    conv = layer(4, 6)
    x, more = torch.randn(5, 4, dtype=torch.double), torch.randn(3, 4, dtype=torch.double)
    edge_index = torch.stack([torch.randint(5, (E,)), torch.randint(3, (E,))])
    _, edge_type, weight = graph()
    run = conv if path == "fast" else lambda *a, **k: specification(conv, *a, **k)
    square = torch.cat((more, x))
    shifted = torch.stack((edge_index[0] + 3, edge_index[1]))
    expected = conv(square, shifted, edge_type, weight)[:3]
    close(run((x, more), edge_index, edge_type, weight), expected)
    close(run((x, None), edge_index, edge_type, weight, size=(5, 3)), expected)


def test_reversed_flow_is_refused():
    with pytest.raises(ValueError, match="flip 'edge_index' instead"):
        SpatialGraphConv(4, 6, R, flow="target_to_source")


def test_gradcheck():
    conv, (edge_index, edge_type, weight) = layer(2, 3), graph()
    weight.requires_grad_()
    x = torch.randn(2, N, 2, dtype=torch.double, requires_grad=True)
    plan = RelationPlan(edge_index, edge_type, R, N)
    assert torch.autograd.gradcheck(
        lambda x, w: conv(x, edge_index, edge_type, w, plan=plan), (x, weight)
    )
    assert torch.autograd.gradcheck(
        lambda x, w: specification(conv, x, edge_index, edge_type, w), (x, weight)
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_compiled_is_eager(dims):
    conv, edges = layer(4, 6), graph()
    x = torch.randn(*(3, N, 4)[3 - dims :], dtype=torch.double)
    compiled = torch.compile(conv, fullgraph=True, backend="aot_eager")
    close(compiled(x, *edges), conv(x, *edges))
    torch._dynamo.reset()


def test_compiled_is_eager_in_float32():
    conv, (edge_index, edge_type, weight) = layer(4, 4).float(), graph()
    plan = RelationPlan(edge_index, edge_type, R, N)
    compiled = torch.compile(conv, fullgraph=True, backend="aot_eager")
    for frames in (16, 34):
        x = torch.randn(frames, N, 4)
        expected = conv(x, edge_index, edge_type, weight.float(), plan=plan)
        out = compiled(x, edge_index, edge_type, weight.float(), plan=plan)
        torch.testing.assert_close(out, expected, rtol=1e-4, atol=1e-5)
    torch._dynamo.reset()


def test_both_paths_have_the_type_of_the_features():
    conv, edges = SpatialGraphConv(4, 6, R), graph()  # weights of edges in float64
    x = torch.randn(N, 4)
    assert conv(x, *edges).dtype == specification(conv, x, *edges).dtype == torch.float32


def test_skeleton_with_edges_equals_static_frames():
    data = skeleton_sequence(torch.randn(2, 4, 18, 3).double(), "openpose")
    edged = SkeletonEdges(temporal=False)(data)
    conv = layer(3, 5)
    edge_index, edge_type, weight = skeleton_graph("openpose")
    frames = conv(data.x.view(8, 18, 3), edge_index, edge_type, weight.float().double())
    batch = Batch.from_data_list([edged, edged])
    out = conv(batch.x, batch.edge_index, batch.edge_type, batch.edge_weight.double())
    close(out, frames.view(-1, 5).repeat(2, 1))


def test_dense_twin_shares_its_state_and_agrees():
    conv, dense = layer(4, 6), DenseSpatialGraphConv(4, 6, R).double()
    dense.load_state_dict(conv.state_dict())
    edge_index, edge_type, weight = skeleton_graph("openpose")
    adj = torch.zeros(R, 18, 18, dtype=torch.double)
    adj[edge_type, edge_index[0], edge_index[1]] = weight
    x = torch.randn(7, 18, 4, dtype=torch.double)
    out = conv(x, edge_index, edge_type, weight)
    close(dense(x.permute(2, 0, 1).unsqueeze(0), adj)[0].permute(1, 2, 0), out)
    back = layer(4, 6)
    back.load_state_dict(dense.state_dict())
    close(back.weight, conv.weight)


def test_an_explainer_sees_the_messages():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = SpatialGraphConv(4, 2, R)

        def forward(self, x, edge_index, edge_type):
            return self.conv(x, edge_index, edge_type)

    edge_index, edge_type, _ = graph()
    explainer = Explainer(
        Net(),
        GNNExplainer(epochs=3),
        explanation_type="model",
        edge_mask_type="object",
        model_config={"mode": "regression", "task_level": "node", "return_type": "raw"},
    )
    mask = explainer(torch.randn(N, 4), edge_index, edge_type=edge_type).edge_mask
    assert mask.shape == (E,)
    assert mask.unique().numel() > 1


def test_reset_parameters_and_repr():
    conv = SpatialGraphConv(4, 6, R)
    assert str(conv) == "SpatialGraphConv(4, 6, num_relations=3)"
    before = conv.weight.clone()
    conv.reset_parameters()
    assert not torch.equal(before, conv.weight)
    assert conv.weight.abs().max() <= 0.5  # as a convolution of four channels
    assert conv.bias.abs().max() <= 0.5


X, (INDEX, TYPE, WEIGHT) = torch.randn(N, 4), graph()
SPARSE = torch.sparse_coo_tensor(INDEX, TYPE, (N, N), check_invariants=True)


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        (
            (torch.randn(N, 5), INDEX, TYPE),
            ValueError,
            r"in_channels=4 features \(got shape \[9, 5",
        ),
        ((torch.randn(4), INDEX, TYPE), ValueError, "must be node features"),
        ((X, INDEX.float(), TYPE), TypeError, "must be integers"),
        ((X, INDEX, TYPE.float()), TypeError, "must be integers"),
        ((X, INDEX[:1], TYPE), ValueError, r"'edge_index' must be \[2, edges\]"),
        ((X, INDEX, TYPE[:3]), ValueError, r"one entry for each of 30 edges \(got shape \[3\]"),
        ((X, INDEX, TYPE, WEIGHT[:3]), ValueError, "'edge_weight' must have one entry"),
        ((X, INDEX, TYPE + 1), ValueError, "edge_type must lie in 0 … 2"),
        ((X, INDEX + N, TYPE), ValueError, "sources of 'edge_index' must lie in 0 … 8"),
        (
            (X, torch.sparse_coo_tensor(INDEX, TYPE, (N, N), check_invariants=True), TYPE),
            TypeError,
            "tells no types",
        ),
        (((X, None), INDEX, TYPE), ValueError, "'size' must tell how many"),
        (((X, None), INDEX, TYPE, None, (8, 9)), ValueError, r"must fit 9 sources \(got \(8, 9"),
        ((X, INDEX, TYPE, None, (9, 8)), ValueError, "must fit 9 destinations"),
    ],
)
def test_wrong_inputs_are_named(inputs, error, message):
    with pytest.raises(error, match=message):
        SpatialGraphConv(4, 6, R)(*inputs)


def test_a_plan_for_other_edges_is_refused():
    plan = RelationPlan(INDEX, TYPE, R, N)
    with pytest.raises(ValueError, match="'plan' is for 9 nodes, 30 edges and 3 relations"):
        SpatialGraphConv(4, 6, R)(X, INDEX[:, 1:], TYPE[1:], plan=plan)
    order = torch.arange(E).flip(0)
    with pytest.raises(ValueError, match="'plan' is for other edges, or for these in another ord"):
        SpatialGraphConv(4, 6, R)(X, INDEX[:, order], TYPE[order], plan=plan)


@pytest.mark.parametrize("sizes", [(0, 4, 3), (4, -1, 3), (4, 4, 0), (4.0, 4, 3)])
def test_wrong_sizes_are_named(sizes):
    with pytest.raises((TypeError, ValueError), match="must be (at least 1|an integer)"):
        SpatialGraphConv(*sizes)
