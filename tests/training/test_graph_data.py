import torch

from pyg_vision.datasets import DigitsGraphs
from pyg_vision.training import DigitsData


def test_digits_as_batches_of_graphs():
    data = DigitsData(64, eval_batch_size=200)
    data.setup("fit")
    assert data.classes == [str(i) for i in range(10)]
    batch = next(iter(data.train_dataloader()))
    assert (batch.num_graphs, batch.x.shape) == (64, (64 * 16, 4))
    found = list(data.val_dataloader())
    numbers = torch.cat([b.sample_number for b in found])
    digits = DigitsGraphs("test")
    assert numbers.tolist() == list(range(len(digits)))
    assert torch.equal(torch.cat([b.y for b in found]), digits.labels)
