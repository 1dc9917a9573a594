import pytest
import torch

from pyg_vision.nn import (
    DenseMRConv,
    DenseViGEdgeConv,
    DenseViGGINConv,
    DenseViGSAGEConv,
    MRConv,
    ViGEdgeConv,
    ViGGINConv,
    ViGSAGEConv,
)
from pyg_vision.nn.dense.dense_conv import batched_index_select
from pyg_vision.ops import knn

TWINS = [
    (lambda *a, **k: MRConv(*a, interleave=True, **k), DenseMRConv),
    (ViGEdgeConv, DenseViGEdgeConv),
    (ViGSAGEConv, DenseViGSAGEConv),
    (ViGGINConv, DenseViGGINConv),
]


def to_dense(x):
    return x.mT.unsqueeze(-1)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm", ["batch", "instance"])
@pytest.mark.parametrize("bipartite", [False, True])
@pytest.mark.parametrize(("sparse", "dense"), TWINS)
def test_twins_agree_in_value_and_gradient(sparse, dense, bipartite, norm, training):
    options = {"groups": 4, "norm": norm, "act": "gelu"}
    conv = sparse(8, 16, **options).double().train(training)
    twin = dense(8, 16, **options).double().train(training)
    twin.load_state_dict(conv.state_dict())
    assert [(k, v.shape) for k, v in conv.state_dict().items()] == [
        (k, v.shape) for k, v in twin.state_dict().items()
    ]
    x = torch.randn(2, 10, 8, dtype=torch.double, requires_grad=True)
    y = torch.randn(2, 7, 8, dtype=torch.double, requires_grad=True) if bipartite else None
    table = knn(x, 3, y)
    center = torch.arange(10).view(1, -1, 1).expand_as(table.index)
    out = conv((y, x) if bipartite else x, table)
    expected = twin(
        to_dense(x), torch.stack([table.index, center]), to_dense(y) if bipartite else None
    )
    torch.testing.assert_close(to_dense(out), expected, rtol=1e-10, atol=1e-10)
    inputs = [x, y] if bipartite else [x]
    grad = torch.randn_like(out)
    actual = torch.autograd.grad(out, [*inputs, *conv.parameters()], grad)
    # Contiguous: torch's batch norm misreads a channels-last gradient of maps of width one.
    dense_grad = to_dense(grad).contiguous()
    wanted = torch.autograd.grad(expected, [*inputs, *twin.parameters()], dense_grad)
    for a, b in zip(actual, wanted, strict=True):
        torch.testing.assert_close(a, b.view_as(a), rtol=1e-8, atol=1e-9)
    for name, buffer in conv.named_buffers():
        torch.testing.assert_close(buffer, twin.get_buffer(name))


def test_batched_index_select():
    x = torch.randn(2, 3, 5, 1)
    index = torch.randint(0, 5, (2, 4, 6))
    out = batched_index_select(x, index)
    assert out.shape == (2, 3, 4, 6)
    assert torch.equal(out[1, :, 2, 3], x[1, :, index[1, 2, 3], 0])
