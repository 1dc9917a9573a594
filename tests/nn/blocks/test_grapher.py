import pytest
import torch

from pyg_vision.nn import Grapher, MRConv
from pyg_vision.ops import knn

CONVS = ["mr", "edge", "sage", "gin"]


@pytest.mark.parametrize("conv", CONVS)
def test_is_its_parts(conv):
    grapher = Grapher(8, k=3, dilation=2, conv=conv)
    x = torch.randn(2, 20, 8)
    grapher.eval()
    h = grapher.fc1(x)
    table = grapher.graph(h)
    expected = x + grapher.fc2(grapher.conv(h, table))
    out, graph = grapher(x, return_graph=True)
    assert torch.equal(graph.index, table.index)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(grapher(x, table), expected)
    torch.testing.assert_close(grapher(x, k=3, dilation=2), expected)


@pytest.mark.parametrize("conv", CONVS)
def test_a_ragged_batch_is_one_by_one(conv):
    grapher = Grapher(8, k=3, conv=conv).eval()
    sizes = [5, 9, 4]
    x = torch.randn(sum(sizes), 8)
    batch = torch.arange(3).repeat_interleave(torch.tensor(sizes))
    out = grapher(x, batch=batch, batch_size=3)
    torch.testing.assert_close(out, torch.cat([grapher(part) for part in x.split(sizes)]))


def test_uses_the_public_convolution():
    conv = Grapher(8).conv
    assert type(conv) is MRConv
    assert conv.interleave
    assert conv.nn[0].groups == 4


def test_gradient_flows_through_features_but_not_through_the_graph():
    grapher = Grapher(8, k=3)
    x = torch.randn(1, 12, 8, requires_grad=True)
    grapher(x).sum().backward()
    assert x.grad.abs().sum() > 0
    assert all(p.grad is not None for p in grapher.parameters())


def test_compiles_without_graph_break():
    grapher = Grapher(8, k=3).eval()
    x = torch.randn(2, 12, 8)
    compiled = torch.compile(grapher, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x), grapher(x))


def test_a_ragged_batch_compiles_without_graph_break():
    grapher = Grapher(8, k=3).eval()
    x, batch = torch.randn(12, 8), torch.tensor([0] * 5 + [1] * 7)

    def run(x, batch):
        return grapher(x, batch=batch, batch_size=2, max_num_nodes=7)

    compiled = torch.compile(run, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, batch), grapher(x, batch=batch))
    small = grapher(x, batch=torch.tensor([0] * 2 + [1] * 10), small_graphs="self")
    assert small.shape == (12, 8)


def test_instance_norm_cannot_tell_graphs_of_a_batch_apart():
    with pytest.raises(ValueError, match="norm='instance'"):
        Grapher(8, k=3, norm="instance")(torch.randn(8, 8), batch=torch.arange(8) // 4)


def test_unknown_convolution_is_named():
    with pytest.raises(ValueError, match="'conv' must be one of mr, edge, sage, gin.*'gat'"):
        Grapher(8, conv="gat")


@pytest.mark.ext
def test_runs_on_torch_cluster():
    ours = Grapher(8, k=3, dilation=2).double().eval()
    theirs = Grapher(8, k=3, dilation=2, knn_backend="torch_cluster").double().eval()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 20, 8, dtype=torch.double)
    torch.testing.assert_close(theirs(x), ours(x))
    assert torch.equal(
        theirs.graph(x).index, knn(torch.nn.functional.normalize(x, dim=-1), 3, dilation=2).index
    )
