import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score, log_loss

from pyg_vision.training._evaluation import classification_loss, summarise


def test_several_labels_as_scikit_learn_scores_them():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(50, 4, generator=generator, dtype=torch.float64)
    labels = (logits + 2 * torch.randn(50, 4, generator=generator) > 0.5).float()
    found = summarise(logits, labels)
    goal, scores = labels.numpy(), logits.sigmoid().numpy()
    each = average_precision_score(goal, scores, average=None)
    assert found["per_class"] == pytest.approx(each, abs=1e-6)
    assert found["map"] == pytest.approx(each.mean(), abs=1e-6)
    assert found["f1"] == pytest.approx(f1_score(goal, scores >= 0.5, average="micro"), abs=1e-6)
    loss = np.mean([log_loss(goal[:, i], scores[:, i]) for i in range(4)])
    assert found["loss"] == pytest.approx(loss)
    assert found["samples"] == 50
    hits, false, _, missed = np.array(found["counts"]).T
    assert hits.tolist() == ((scores >= 0.5) & (goal == 1)).sum(0).tolist()
    assert false.tolist() == ((scores >= 0.5) & (goal == 0)).sum(0).tolist()
    assert missed.tolist() == ((scores < 0.5) & (goal == 1)).sum(0).tolist()


def test_a_label_that_no_sample_has_counts_nothing():
    logits = torch.tensor([[3.0, 0.0], [-3.0, 0.0], [1.0, 0.0]])
    labels = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    both = summarise(logits, labels)
    assert both["map"] == 1.0
    assert both["per_class"] == [1.0, None]
    assert summarise(logits[:, 1:], labels[:, 1:])["map"] == 0.0
    one = summarise(logits[:, :1], labels[:, :1])  # a single label
    assert one["map"] == 1.0
    assert one["counts"] == [[1, 1, 1, 0]]


def test_the_loss_and_its_smoothing():
    logits = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    loss = classification_loss(logits, labels, multi_label=True, smoothing=0.2)
    goal = labels.double() * 0.8 + 0.1
    p = logits.sigmoid()
    expected = -(goal * p.log() + (1 - goal) * (1 - p).log()).mean()
    torch.testing.assert_close(loss, expected)
    (gradient,) = torch.autograd.grad(loss, logits)
    torch.testing.assert_close(gradient, (p - goal) / 6)
    classes = torch.tensor([0, 1, 1])
    torch.testing.assert_close(
        classification_loss(logits, classes, multi_label=False),
        -logits.log_softmax(1)[torch.arange(3), classes].mean(),
    )


def test_a_class_that_no_sample_has_has_no_accuracy():
    found = summarise(torch.eye(3), torch.tensor([0, 1, 1]))
    assert found["top1"] == pytest.approx(2 / 3)
    assert found["per_class"] == [1.0, 0.5, None]
