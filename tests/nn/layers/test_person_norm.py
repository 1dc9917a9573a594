import pytest
import torch
from torch.nn import BatchNorm1d

from pyg_vision.data import Tracks
from pyg_vision.nn import PersonNorm
from pyg_vision.nn.layers.fold_norms import fold_all_norms
from tests.laws import close


def make():
    torch.manual_seed(0)
    norm = PersonNorm(2, 3).double()
    with torch.no_grad():
        for name, value in norm.named_parameters():
            value.normal_() if "bias" in name else value.uniform_(0.5, 1.5)
    norm.norm.running_var.uniform_(0.5, 1.5), norm.norm.running_mean.normal_()
    return norm


@pytest.mark.parametrize("training", [True, False])
def test_persons_are_features_as_published(training):
    norm, plain = make().train(training), BatchNorm1d(6).double().train(training)
    plain.load_state_dict(norm.norm.state_dict())
    x = torch.randn(4, 2, 5, 3, dtype=torch.double)  # sequences, persons, frames
    expected = plain(x.permute(0, 1, 3, 2).reshape(4, 6, 5))
    out = norm(x.view(-1, 3), Tracks.of([(2, 5, 1)] * 4)).view(x.shape)
    close(out, expected.view(4, 2, 3, 5).permute(0, 1, 3, 2))
    for name, value in plain.state_dict().items():
        close(norm.norm.state_dict()[name].double(), value.double())


def test_each_person_by_itself_where_some_are_absent():
    norm, shapes = make().train(), [(1, 5, 1), (2, 4, 1), (1, 3, 1)]
    x = torch.randn(16, 3, dtype=torch.double, requires_grad=True)
    first, second = [*range(9), 13, 14, 15], [9, 10, 11, 12]
    expected = torch.zeros(16, 3, dtype=torch.double)
    for person, rows in enumerate((first, second)):
        part = slice(3 * person, 3 * person + 3)
        mean, var = x[rows].mean(0), x[rows].var(0, unbiased=False)
        scaled = (x[rows] - mean) / (var + norm.norm.eps).sqrt()
        expected[rows] = scaled * norm.norm.weight[part] + norm.norm.bias[part]
    wanted = norm.norm.running_mean.clone() * 0.9
    wanted += 0.1 * torch.cat([x[first].mean(0), x[second].mean(0)]).detach()
    out = norm(x, Tracks.of(shapes))
    close(out, expected)
    close(norm.norm.running_mean, wanted)
    probe = torch.randn_like(out)
    grads = [torch.autograd.grad((y * probe).sum(), x)[0] for y in (out, expected)]
    close(*grads)
    assert norm.norm.num_batches_tracked == 1


def test_evaluation_and_its_fused_copy_do_not_depend_on_the_batch():
    norm, shapes = make().eval(), [(1, 5, 1), (2, 4, 1)]
    x = torch.randn(13, 3, dtype=torch.double)
    alone = [norm(part, Tracks.of([shape])) for part, shape in
             zip(x.split([5, 8]), shapes, strict=True)]  # fmt: skip
    close(norm(x, Tracks.of(shapes)), torch.cat(alone))
    expected = norm(x, Tracks.of(shapes))
    fold_all_norms(norm)
    close(norm(x, Tracks.of(shapes)), expected)
    close(norm(x[:8], Tracks.of([(2, 4, 1)])), make().eval()(x[:8], Tracks.of([(2, 4, 1)])))


def test_what_it_cannot_norm():
    with pytest.raises(ValueError, match=r"at most 2 persons \(got 3\)"):
        make()(torch.randn(3, 3).double(), Tracks.of([(3, 1, 1)]))
    odd = PersonNorm(2, 3, torch.nn.SyncBatchNorm).train()
    with pytest.raises(ValueError, match="trained with torch.nn.BatchNorm1d alone"):
        odd(torch.randn(13, 3), Tracks.of([(1, 5, 1), (2, 4, 1)]))
