"""What every convolution does inside PyG."""

import pytest
import torch
from torch_geometric.data import Data
from torch_geometric.explain import Explainer, GNNExplainer
from torch_geometric.loader import DataLoader, NeighborLoader
from torch_geometric.nn import Sequential, global_mean_pool

from pyg_vision.nn import MRConv, ViGEdgeConv, ViGGINConv, ViGSAGEConv
from pyg_vision.ops import NeighborTable, knn_graph
from tests import laws

CONVS = (MRConv, ViGEdgeConv, ViGSAGEConv, ViGGINConv)


@pytest.mark.parametrize("cls", CONVS)
def test_in_a_pyg_sequential_with_a_loader(cls):
    graphs = [Data(x=(x := torch.randn(n, 4)), edge_index=knn_graph(x, 3)) for n in (6, 9, 7)]
    model = Sequential(
        "x, edge_index, batch",
        [
            (cls(4, 8), "x, edge_index -> x"),
            torch.nn.ReLU(),
            (cls(8, 8), "x, edge_index -> x"),
            (global_mean_pool, "x, batch -> x"),
        ],
    )
    batch = next(iter(DataLoader(graphs, batch_size=3)))
    out = model(batch.x, batch.edge_index, batch.batch)
    alone = [model(g.x, g.edge_index, torch.zeros(g.num_nodes).long()) for g in graphs]
    torch.testing.assert_close(out, torch.cat(alone))


@pytest.mark.parametrize("cls", CONVS)
def test_with_sampled_neighbourhoods(cls):
    """A loader that samples gives nodes of any degree, isolated ones included."""
    x = torch.randn(30, 4)
    data = Data(x=x, edge_index=torch.randint(0, 30, (2, 60)))
    conv = cls(4, 8)
    try:
        loader = NeighborLoader(data, num_neighbors=[2], batch_size=10)
        batches = list(loader)
    except ImportError:  # neither pyg-lib nor torch-sparse: sample by hand
        batches = [data.subgraph(torch.arange(start, start + 10)) for start in (0, 10, 20)]
    for batch in batches:
        out = conv(batch.x, batch.edge_index)
        assert out.shape == (batch.num_nodes, 8)
        assert out.isfinite().all()


@pytest.mark.parametrize("cls", CONVS)
def test_explainer_sees_the_messages(cls):
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = cls(4, 2)

        def forward(self, x, edge_index):
            return self.conv(x, edge_index)

    x = torch.randn(8, 4)
    edge_index = knn_graph(x, 2)
    net = Net()
    before = net(x, edge_index)
    explainer = Explainer(
        net,
        GNNExplainer(epochs=5),
        explanation_type="model",
        edge_mask_type="object",
        model_config={"mode": "regression", "task_level": "node", "return_type": "raw"},
    )
    explanation = explainer(x, edge_index)
    assert explanation.edge_mask.shape == (edge_index.size(1),)
    assert explanation.edge_mask.max() > 0
    torch.testing.assert_close(net(x, edge_index), before)  # and the fast path is back


@pytest.mark.parametrize("cls", CONVS)
def test_message_hooks_are_heard(cls):
    conv = cls(4, 2)
    x = torch.randn(5, 4)
    heard = []
    conv.register_message_forward_hook(lambda conv, inputs, out: heard.append(out.size(0)))
    conv(x, torch.tensor([[0, 1, 2], [1, 2, 3]]))
    conv(x, NeighborTable(torch.zeros(5, 2, dtype=torch.long), 5))
    assert heard == [3, 10]


@pytest.mark.parametrize("cls", CONVS)
def test_flow_and_aggregation_of_message_passing(cls):
    x, table = laws.example(B=1)
    x, edge_index = x[0], table.edge_index
    conv = cls(8, 4).double()
    turned = cls(8, 4, flow="target_to_source").double()
    turned.load_state_dict(conv.state_dict())
    laws.close(turned(x, edge_index.flip(0)), conv(x, edge_index))
    laws.close(turned(x, table.flatten()), conv(x, table.flatten()))
    other = cls(8, 4, aggr="mean").double()
    other.load_state_dict(conv.state_dict())
    assert not torch.allclose(other(x, edge_index), conv(x, edge_index))
    laws.close(other(x, table), other(x, edge_index))


@pytest.mark.parametrize("cls", CONVS)
def test_instance_norm_is_per_graph(cls):
    x, table = laws.example(B=3)
    conv = cls(8, 12, norm="instance").double()
    alone = [conv(x[i], NeighborTable(table.index[i], table.num_sources)) for i in range(3)]
    laws.close(conv(x, table), torch.stack(alone))


@pytest.mark.parametrize("cls", CONVS)
def test_an_overridden_message_is_used(cls):
    class Mine(cls):
        def message(self, x_j):
            return 0 * super().message(*[x_j] * (2 if cls in (MRConv, ViGEdgeConv) else 1))

    x, table = laws.example()
    conv = Mine(8, 4).double()
    assert not conv.fusible
    original = cls(8, 4).double()
    original.load_state_dict(conv.state_dict())
    assert original.fusible
    assert not torch.allclose(conv(x, table), original(x, table))


@pytest.mark.parametrize("cls", CONVS)
def test_uncoalesced_matrices(cls):
    x, table = laws.example(B=1, N=6)
    conv = cls(8, 4).double()
    indices = table.edge_index.flip(0)[:, torch.randperm(18)]
    adj_t = torch.sparse_coo_tensor(indices, torch.ones(18, dtype=torch.double), (6, 6))
    laws.close(conv(x[0], adj_t), conv(x[0], table.edge_index))


@pytest.mark.parametrize("cls", CONVS)
def test_what_cannot_be_is_named(cls):
    x, y = torch.randn(5, 4), torch.randn(7, 4)
    edges = torch.tensor([[0, 6], [1, 2]])
    with pytest.raises(ValueError, match=r"'size' must be \(7, 5\).*\(3, 2\)"):
        cls(4, 4)((y, x), edges, size=(3, 2))
    assert cls(4, 4)((y, x), edges, size=(7, 5)).shape == (5, 4)
    turned = cls(4, 4, flow="target_to_source")
    with pytest.raises(ValueError, match="over 7 sources needs flow='source_to_target'"):
        turned((y, x), NeighborTable(torch.zeros(5, 2).long(), 7))
    with pytest.raises(ValueError, match="one aggregation by name"):
        cls(4, 4, aggr=["max", "mean"])
    with pytest.raises(ValueError, match="node_dim=-2.*got 0"):
        cls(4, 4, node_dim=0)
    with pytest.raises(ValueError, match="decomposed"):
        cls(4, 4, decomposed_layers=2)


@pytest.mark.parametrize("cls", CONVS)
def test_a_missing_side_is_named(cls):
    with pytest.raises(TypeError, match=r"pair of tensors.*\['Tensor', 'NoneType'\]"):
        cls(4, 2)((torch.randn(5, 4), None), torch.zeros(2, 1).long())


@pytest.mark.parametrize("cls", CONVS)
def test_a_table_that_does_not_fit_is_named(cls):
    with pytest.raises(ValueError, match="does not fit"):
        cls(4, 2)(torch.randn(5, 4), NeighborTable(torch.zeros(4, 2).long(), 5))
    with pytest.raises(ValueError, match="5 nodes"):
        cls(4, 2)(torch.randn(5, 4), NeighborTable(torch.full((5, 2), 9), 5))
