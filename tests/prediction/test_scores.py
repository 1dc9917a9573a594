import pytest
import torch

from pyg_vision.prediction import average_precision


def test_it_is_the_mean_of_the_precisions_at_each_hit():
    labels = torch.tensor([[1, 1], [0, 1], [1, 1], [0, 1]])
    scores = torch.tensor([[0.1, 0.4], [0.2, 0.3], [0.3, 0.2], [0.4, 0.1]])
    expected = torch.tensor([(1 / 2 + 2 / 4) / 2, 1.0], dtype=torch.float64)
    torch.testing.assert_close(average_precision(scores, labels), expected)
    # Of one label, too, and by logits as well as by probabilities.
    one = average_precision(scores[:, :1].logit(), labels[:, :1].bool())
    torch.testing.assert_close(one, expected[:1])


def test_shapes_must_be_the_same():
    with pytest.raises(ValueError, match=r"one shape \(N, K\) \(got \[3, 2\] and \[3\]\)"):
        average_precision(torch.rand(3, 2), torch.zeros(3))


def test_large_logits_are_told_apart():
    labels = torch.tensor([[1], [0]])
    found = average_precision(torch.tensor([[300.0], [200.0]]), labels)
    assert found.tolist() == [1.0]
    assert average_precision(torch.tensor([[200.0], [300.0]]), labels).tolist() == [0.5]
    assert average_precision(torch.ones(2, 1), labels).tolist() == [0.5]  # of ties, all or none


def test_what_is_no_number_has_no_order():
    with pytest.raises(ValueError, match="'probabilities' must not be NaN"):
        average_precision(torch.tensor([[0.5], [torch.nan]]), torch.tensor([[1], [0]]))
