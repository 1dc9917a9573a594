import random

import numpy as np
import pytest
import torch

from pyg_vision.training import KeyedBatches, KeyedDataset, SampleKey, Share


class Noise:
    """Draws from every generator that a transform may draw from."""

    def __len__(self):
        return 20

    def __getitem__(self, index):
        return index, random.random(), float(np.random.rand()), float(torch.rand(()))


def passes(batches, epochs):
    found = []
    for epoch in range(epochs):
        batches.set_epoch(epoch)
        found += list(batches)
    return found


def test_random_numbers_follow_from_the_key_alone():
    data = KeyedDataset(Noise(), seed=1)
    first = data[SampleKey(0, 3, 7)]
    torch.rand(5), random.random(), np.random.rand()
    assert data[SampleKey(0, 3, 7)] == first
    others = [SampleKey(1, 3, 7), SampleKey(0, 4, 7)]
    assert all(data[key] != first for key in others)
    assert KeyedDataset(Noise(), seed=2)[SampleKey(0, 3, 7)] != first


def test_the_generators_go_on_as_before():
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    expected = torch.rand(()), random.random(), np.random.rand()
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)
    KeyedDataset(Noise(), seed=1)[SampleKey(0, 0, 0)]
    assert (torch.rand(()), random.random(), np.random.rand()) == expected


def test_an_epoch_has_each_sample_once_in_another_order_each_time():
    batches = KeyedBatches(10, 3, drop_last=False)
    orders = []
    for epoch in range(3):
        batches.set_epoch(epoch)
        keys = [key for batch in batches for key in batch]
        assert [key.position for key in keys] == list(range(10))
        assert {key.epoch for key in keys} == {epoch}
        assert sorted(key.sample for key in keys) == list(range(10))
        orders.append([key.sample for key in keys])
    assert orders[0] != orders[1] != orders[2]
    assert len(batches) == 4
    assert len(KeyedBatches(10, 3)) == 3


@pytest.mark.parametrize("epoch", [0, 2])
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_the_rest_of_a_training_from_anywhere(epoch, batch):
    whole = passes(KeyedBatches(11, 3, seed=5), 4)
    batches = KeyedBatches(11, 3, seed=5)
    batches.start(epoch, batch)
    iter(batches)  # as loaders with workers do
    first = iter(batches)  # before the epoch is announced, as Lightning does
    batches.set_epoch(epoch)
    rest = list(first)
    for later in range(epoch + 1, 4):
        batches.set_epoch(later)
        rest += list(batches)
    assert rest == whole[3 * epoch + batch :]


@pytest.mark.parametrize("repeats", [1, 3])
def test_global_batches_are_the_same_on_any_number_of_processes(repeats):
    alone = list(KeyedBatches(24, 6, repeats=repeats))
    ranks = [
        list(KeyedBatches(24, 2, repeats=repeats, rank=rank, world_size=3)) for rank in range(3)
    ]
    together = [sorted(a + b + c) for a, b, c in zip(*ranks, strict=True)]
    assert together == [sorted(batch) for batch in alone]


def test_repeats_stand_in_a_row_and_an_epoch_is_no_longer():
    keys = [key for batch in KeyedBatches(12, 4, repeats=3) for key in batch]
    assert len(keys) == 12
    samples = [key.sample for key in keys]
    assert [samples[i] for i in range(0, 12, 3)] == [samples[i + 2] for i in range(0, 12, 3)]
    assert len(set(samples)) == 4


def test_shares_have_each_sample_once():
    shares = [Share(7, rank, 3) for rank in range(3)]
    assert sorted(key.sample for share in shares for key in share) == list(range(7))
    assert [len(share) for share in shares] == [3, 2, 2]


def test_a_batch_that_is_too_large_is_named():
    with pytest.raises(ValueError, match="no full batch of 8 in 5 samples"):
        KeyedBatches(5, 4, world_size=2)
