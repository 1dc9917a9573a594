"""What all families of skeleton models must keep, stated once; the test of each calls it."""

import copy

import torch
import torch.nn.functional as F
from torch_geometric.data import Batch

from pyg_vision.data import skeletons_to_dense
from pyg_vision.nn import TwoStream
from pyg_vision.weights import describe_checkpoint, from_published, load_published
from tests.laws import close
from tests.nn.golden_st_gcn import relative, starting_with
from tests.nn.models.test_st_gcn import BODY, sequence

SMALL = ((12, 2), (24, 2, 2))


def ragged():
    return [sequence(1, 9), sequence(2, 14), sequence(1, 1), sequence(2, 30), sequence(2, 2)]


def sizes(options):
    return options if "channels" in options else {"stages": SMALL, **options}


def adjacency(made):
    return next(p for name, p in made.named_parameters() if name.endswith("adjacency"))


def small(cls, **options):
    """A small model whose every weight matters, in float64 and evaluation."""
    torch.manual_seed(0)
    made = cls(3, 4, layout=BODY, **sizes(options)).double()
    with torch.no_grad():
        for name, value in [*made.named_parameters(), *made.named_buffers()]:
            if "running_var" in name:
                value.uniform_(0.5, 1.5)
            elif "running_mean" in name or name.endswith("bias"):
                value.normal_(0, 0.3)
            elif name.rpartition(".")[2] in ("adjacency", "alpha", "beta", "add_coeff"):
                value.add_(torch.randn_like(value), alpha=0.2)
    return made.eval()


def recorded(cls, name, load_golden, **options):
    _, found = load_golden(f"skeleton_{name}")
    x = found["input"].double().permute(0, 4, 2, 3, 1)
    made = cls(x.size(1), 7, **options)
    load_published(made, starting_with("state.", found))
    return made.double(), x, found


def check_evaluation(made, x, found):
    made.eval()
    assert relative(made(x), found["output"]) < 1e-9
    features = made.extract_feature(x)[1].permute(0, 4, 1, 2, 3)
    assert relative(features, found["feature"]) < 1e-9


def check_training(made, x, found):
    out = made.train()(x)
    assert relative(out, found["train.output"]) < 1e-9
    out.square().mean().backward()
    state, grads, buffers = (
        starting_with(name, found) for name in ("state.", "train.grad.", "train.buffer.")
    )
    assert len(buffers) > 20
    # Gradients and statistics under our names, as a state dict that is loaded.
    wanted = copy.deepcopy(made)
    load_published(wanted, {**state, **buffers, **grads})
    largest = max(float(value.abs().max()) for value in grads.values())
    for key, value in wanted.named_parameters():
        if key.startswith("fcn."):  # whose gradients are not recorded
            continue
        # The gradient of a bias before a norm is zero but for rounding, which is no scale.
        grad = made.get_parameter(key).grad
        grad = torch.zeros_like(value) if grad is None else grad
        assert relative(grad, value.detach(), 1e-3 * largest) < 1e-9, key
    for key, value in wanted.named_buffers():
        if "running" in key:
            assert relative(made.get_buffer(key), value) < 1e-9, key


def check_dense_twin(cls, dense_cls, **options):
    """Outputs, features, gradients and running statistics."""
    sparse, dense = small(cls, **options), small(dense_cls, **options)
    assert {k: v.shape for k, v in sparse.state_dict().items()} == {
        k: v.shape for k, v in dense.state_dict().items()
    }
    dense.load_state_dict(sparse.state_dict())
    x = torch.randn(3, 3, 21, 6, 2, dtype=torch.double)
    close(sparse(x), dense(x))
    for ours, theirs in zip(sparse.extract_feature(x), dense.extract_feature(x), strict=True):
        close(ours, theirs)
    sparse.train(), dense.train()
    for one in (sparse, dense):
        F.cross_entropy(one(x), torch.tensor([0, 1, 3])).backward()
    wanted = dict(dense.named_parameters())
    for name, parameter in sparse.named_parameters():
        expected = wanted[name].grad
        assert (parameter.grad is None) == (expected is None), name
        if expected is not None:
            torch.testing.assert_close(parameter.grad, expected, rtol=1e-8, atol=1e-10)
    for name, value in dense.state_dict().items():
        close(sparse.state_dict()[name], value)


def check_batches(cls, **options):
    """A batch is its sequences one by one, and filled up as published where that is wanted."""
    made, sequences = small(cls, **options), ragged()
    alone = torch.cat([made(one) for one in sequences])
    batch = Batch.from_data_list(sequences)
    close(made(batch), alone)
    close(made(Batch.from_data_list(sequences[::-1])), alone.flip(0))
    features = made.extract_feature(batch)
    for one, part in zip(sequences, features.to_data_list(), strict=True):
        close(part.x, made.extract_feature(one).x)
    padded = small(cls, **options, padding="published", window=(16, 2))
    close(padded(Batch.from_data_list(sequences[:3])), made(skeletons_to_dense(
        Batch.from_data_list(sequences[:3]), 16, 2)))  # fmt: skip
    # In training, gradients reach all that is used.
    made.train()
    F.cross_entropy(made(batch), torch.arange(5) % 4).backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in made.parameters())
    assert adjacency(made).grad.abs().sum() > 0


def check_compiled(cls, **options):
    """Compiled once for batches of any lengths."""
    made, sequences = small(cls, **options), ragged()
    batch, other = Batch.from_data_list(sequences), Batch.from_data_list(sequences[1:])
    compiled = torch.compile(made, backend="eager", fullgraph=True)
    close(compiled(batch), made(batch))
    close(compiled(other), made(other))
    torch._dynamo.reset()


def check_tools(cls, start=1.0, **options):
    """Fused, in two streams, and with another head."""
    made, batch = small(cls, **options), Batch.from_data_list(ragged())
    close(made.fuse()(batch), made(batch))
    assert TwoStream(made).eval()(batch).shape == (5, 4)
    made.reset_classifier(9)
    assert made(batch).shape == (5, 9)
    made.reset_classifier(0)
    assert made(batch).shape == (5, made.num_features)
    before = adjacency(made).clone()
    made.reset_parameters()
    assert not torch.equal(adjacency(made), before)
    for one in (made, cls(3, 4, layout=BODY, **sizes(options))) if start else ():
        for value in one.blocks[1].gcn.bn.weight.tolist():
            assert abs(value - start) <= 1e-6 * start


def check_file(made, x, found, path):
    """A published file tells its model, and computes the same."""
    torch.save(starting_with("state.", found), path)
    info = describe_checkpoint(path)
    assert info.model == f"pyg_vision.nn.{type(made).__name__}"
    close(from_published(path).double().eval()(x), made.eval()(x))


def count(model):
    return sum(p.numel() for p in model.parameters())
