"""Several processes train as one does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch.nn import BatchNorm1d, BatchNorm2d, Sequential

from pyg_vision.training import AnyBatchNorm, ProcessBatchNorm, SyncNorms
from tests.faults import write_images
from tests.training.two_processes import STEPS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def one_process(tmp_path):
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize("shape", [(7, 3), (5, 3, 4), (4, 3, 2, 5)])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_one_process_is_a_batch_norm(one_process, shape, momentum):
    torch.manual_seed(0)
    kind = BatchNorm2d if len(shape) == 4 else BatchNorm1d
    plain = kind(3, momentum=momentum, dtype=torch.float64)
    torch.nn.init.normal_(plain.weight)
    ours = ProcessBatchNorm(3, momentum=momentum).double()
    ours.load_state_dict(plain.state_dict())
    for _ in range(2):
        x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
        other = x.detach().clone().requires_grad_()
        weight = torch.randn(shape, dtype=torch.float64)
        expected, found = plain(x), ours(other)
        torch.testing.assert_close(found, expected)
        (expected * weight).sum().backward()
        (found * weight).sum().backward()
        torch.testing.assert_close(other.grad, x.grad)
    for (name, a), b in zip(plain.state_dict().items(), ours.state_dict().values(), strict=True):
        torch.testing.assert_close(b, a, msg=name)
    torch.testing.assert_close(ours.weight.grad, plain.weight.grad)
    plain.eval(), ours.eval()
    torch.testing.assert_close(ours(x), plain(x))


def test_norms_are_replaced_and_put_back():
    model = Sequential(BatchNorm1d(3, eps=1e-3), Sequential(BatchNorm2d(4, affine=False)))
    names, weight = list(model.state_dict()), model[0].weight
    found = SyncNorms().apply(model)
    assert [type(found[0]), type(found[1][0])] == [ProcessBatchNorm] * 2
    assert list(found.state_dict()) == names
    assert found[0].weight is weight
    assert (found[0].eps, found[1][0].affine) == (1e-3, False)
    back = SyncNorms().revert(found)
    assert [type(back[0]), type(back[1][0])] == [AnyBatchNorm] * 2
    with pytest.raises(ValueError, match="of 2 dimensions or more"):
        ProcessBatchNorm(3)(torch.ones(3))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["images", "skeletons"])
def test_two_processes_have_the_losses_of_one(kind, tmp_path):
    write_images(tmp_path / "images", per_class=10)
    script = ["-m", "tests.training.two_processes", kind, str(tmp_path)]
    several = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    for command in (script, [*several, *script]):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", *command],
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr[-3000:]
    one, two = (json.loads((tmp_path / f"{kind}_{n}.json").read_text()) for n in (1, 2))
    assert len(one["losses"]) == STEPS
    assert two["losses"] == pytest.approx(one["losses"], abs=1e-8)
    assert len(set(one["losses"])) == STEPS
    # Every test sample once, whatever the number of processes.
    assert two["index"] == one["index"] == list(range(len(one["index"])))
    assert two["loss"] == pytest.approx(one["loss"], abs=1e-8)
    assert two["top1"] == one["top1"]
