import pytest
import torch

from pyg_vision.nn import FFN, DenseFFN, DenseGrapher, Grapher
from pyg_vision.ops import NeighborTable

CONVS = ["mr", "edge", "sage", "gin"]


def to_map(x, grid=(5, 6)):
    return x.mT.unflatten(-1, grid)


@pytest.mark.parametrize("conv", CONVS)
def test_grapher_twins(conv):
    sparse = Grapher(16, k=3, dilation=2, conv=conv).double()
    dense = DenseGrapher(16, k=3, dilation=2, conv=conv).double()
    dense.load_state_dict(sparse.state_dict())
    x = torch.randn(2, 30, 16, dtype=torch.double)
    for training in (True, False):
        out, table = sparse.train(training)(x, return_graph=True)
        expected, graph = dense.train(training)(to_map(x), return_graph=True)
        assert torch.equal(table.index, graph.index)
        assert table.num_sources == graph.num_sources == 30
        torch.testing.assert_close(to_map(out), expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(dense(to_map(x), table), expected)


@pytest.mark.parametrize("conv", CONVS)
def test_grapher_reproduces_the_published_training_step(conv, load_golden):
    config, tensors = load_golden(f"vig_grapher_train_{conv}")
    state = {
        name.removeprefix("state.").replace("graph_conv.gconv.", "conv."): value
        for name, value in tensors.items()
        if name.startswith("state.")
    }
    state = {k: v.flatten(1) if v.dim() == 4 else v for k, v in state.items()}
    for cls in (Grapher, DenseGrapher):
        block = cls(**config).double()
        block.load_state_dict(state)
        x = tensors["input"].double().requires_grad_()
        if cls is Grapher:
            out = to_map(block(x.flatten(2).mT), (7, 7))
        else:
            out = block(x)
        out.square().mean().backward()
        published = {
            name.replace("graph_conv.gconv.", "conv."): value for name, value in tensors.items()
        }
        compared = {"output": out, "grad.input": x.grad}
        compared |= {f"grad.{name}": p.grad for name, p in block.named_parameters()}
        compared |= {
            f"buffer.{name}": b
            for name, b in block.named_buffers()
            if not name.endswith("num_batches_tracked")
        }
        wanted = {name for name in published if name.startswith("train.")}
        assert {f"train.{name}" for name in compared} == wanted
        for name, value in compared.items():
            expected = published[f"train.{name}"].reshape(value.shape)
            # The gradient of a bias before batch norm is zero but for rounding.
            scale = max(expected.abs().max().item(), 1e-6)
            assert (value - expected).abs().max().item() <= 1e-9 * scale, (cls.__name__, name)


def test_ffn_twins():
    sparse, dense = FFN(8, act="relu").double(), DenseFFN(8, act="relu").double()
    dense.load_state_dict(sparse.state_dict())
    x = torch.randn(2, 30, 8, dtype=torch.double)
    torch.testing.assert_close(to_map(sparse(x)), dense(to_map(x)))


def test_a_graph_that_does_not_fit_is_named():
    table = NeighborTable(torch.zeros(2, 9, 3).long(), 9)
    with pytest.raises(ValueError, match=r"2 graphs of 30 nodes.*\[2, 9, 3\]"):
        DenseGrapher(8)(torch.randn(2, 8, 5, 6), table)
    with pytest.raises(ValueError, match="one of 30 nodes"):
        DenseGrapher(8)(torch.randn(2, 8, 5, 6), NeighborTable(torch.full((2, 30, 3), 31), 30))
