import math

import pytest

from pyg_vision.training import Schedule


def test_the_cosine_falls_from_the_end_of_the_warm_up_to_the_lowest():
    schedule = Schedule("cosine", 30, warm_up=3, warm_up_from=0.25, lowest=0.1)
    assert [schedule(e) for e in (0, 1.5, 3)] == pytest.approx([0.25, 0.625, 1.0])
    assert schedule(16.5) == pytest.approx(0.55)
    assert schedule(30) == schedule(31) == pytest.approx(0.1)


def test_the_cosine_of_timm_is_that_of_its_scheduler():
    """CosineLRScheduler(t_initial=300, lr_min=1e-5, warmup_t=20, warmup_lr_init=1e-6), lr 2e-3."""
    schedule = Schedule("cosine", 300, 20, 5e-4, 5e-3, from_start=True, by_epoch=True)
    rate = 2e-3
    assert rate * schedule(0) == pytest.approx(1e-6)
    assert rate * schedule(10.7) == pytest.approx(1e-6 + 10 * (2e-3 - 1e-6) / 20)
    assert rate * schedule(20) == pytest.approx(
        1e-5 + 0.5 * 1.99e-3 * (1 + math.cos(math.pi * 20 / 300))
    )
    assert rate * schedule(150) == pytest.approx((2e-3 + 1e-5) / 2)
    assert rate * schedule(299.9) == pytest.approx(
        1e-5 + 0.5 * 1.99e-3 * (1 + math.cos(math.pi * 299 / 300))
    )


def test_steps():
    schedule = Schedule("steps", 50, milestones=(20, 30), factor=0.1)
    assert [schedule(e) for e in (0, 19.99, 20, 30)] == pytest.approx([1, 1, 0.1, 0.01])
    assert Schedule("constant", 3)(2.5) == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("linear", 3), "'cosine', 'steps' or 'constant'"),
        (("steps", 3), "needs 'milestones'"),
        (("cosine", 3, 0, 0, 0, (1,)), "another takes none"),
        (("cosine", 3, 3), "shorter than 3 epochs"),
        (("cosine", 0), "at least 1"),
    ],
)
def test_what_makes_no_schedule(arguments, message):
    with pytest.raises(ValueError, match=message):
        Schedule(*arguments)
