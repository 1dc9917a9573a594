r"""Learning rates as functions of the epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pyg_vision._checks import check_int

Kind = Literal["cosine", "steps", "constant"]


class Schedule:
    r"""The learning rate over the epochs, relative to its largest value.

    After a linear warm-up, along a cosine

    .. math::
        \eta(e) = \eta_{\min} + \frac{1 - \eta_{\min}}{2} \Big( 1 + \cos \Big( \pi \,
        \frac{e - w}{E - w} \Big) \Big),

    in steps of a factor at given epochs, or constant. Epochs are counted in fractions, a step of
    the optimiser being one over their number.

    Args:
        kind (str): :obj:`"cosine"`, :obj:`"steps"` or :obj:`"constant"`.
        epochs (int): The epochs :math:`E` of the training.
        warm_up (float, optional): The epochs :math:`w` of the warm-up. (default: :obj:`0.0`)
        warm_up_from (float, optional): Where it begins. (default: :obj:`0.0`)
        lowest (float, optional): Where the cosine ends :math:`\eta_{\min}`. (default: :obj:`0.0`)
        milestones (list of int, optional): After how many epochs the rate steps down.
            (default: :obj:`()`)
        factor (float, optional): By which. (default: :obj:`0.1`)
        from_start (bool, optional): Whether the cosine runs beneath the warm-up from epoch 0 on,
            as in timm, rather than from its end. (default: :obj:`False`)
        by_epoch (bool, optional): Whether the rate is that of the begin of an epoch throughout, as
            in timm, rather than another one in each step. (default: :obj:`False`)

    Raises:
        ValueError: If there is no such kind, or the warm-up takes all epochs.

    Example:
        >>> from pyg_vision.training import Schedule
        >>> schedule = Schedule("steps", 80, milestones=[10, 50])
        >>> [round(schedule(epoch), 4) for epoch in (0, 9.5, 10, 60)]
        [1.0, 1.0, 0.1, 0.01]
    """

    def __init__(
        self,
        kind: Kind,
        epochs: int,
        warm_up: float = 0.0,
        warm_up_from: float = 0.0,
        lowest: float = 0.0,
        milestones: Sequence[int] = (),
        factor: float = 0.1,
        from_start: bool = False,
        by_epoch: bool = False,
    ) -> None:
        if kind not in ("cosine", "steps", "constant"):
            raise ValueError(f"a schedule is 'cosine', 'steps' or 'constant' (got {kind!r})")
        if (kind == "steps") != bool(milestones):
            raise ValueError(
                f"a schedule in steps needs 'milestones', another takes none (got {kind!r} and "
                f"{list(milestones)})"
            )
        self.epochs = check_int("epochs", epochs)
        if not 0 <= warm_up < epochs:
            raise ValueError(f"a warm-up must be shorter than {epochs} epochs (got {warm_up})")
        self.kind, self.milestones, self.factor = kind, tuple(milestones), factor
        self.warm_up, self.warm_up_from = warm_up, warm_up_from
        self.lowest, self.from_start, self.by_epoch = lowest, from_start, by_epoch

    def __call__(self, epoch: float) -> float:
        r"""Returns the rate at an epoch, relative to the largest.

        Args:
            epoch (float): How many epochs are over.
        """
        if self.by_epoch:
            epoch = math.floor(epoch)
        if epoch < self.warm_up:
            return self.warm_up_from + (1 - self.warm_up_from) * epoch / self.warm_up
        if self.kind == "steps":
            return float(self.factor ** sum(epoch >= m for m in self.milestones))
        if self.kind == "constant":
            return 1.0
        begin = 0.0 if self.from_start else self.warm_up
        share = min((epoch - begin) / (self.epochs - begin), 1.0)
        return self.lowest + (1 - self.lowest) * 0.5 * (1 + math.cos(math.pi * share))
