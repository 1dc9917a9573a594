r"""What a model says of an input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Prediction:
    r"""What a model says of one input, or of one window of it.

    Args:
        source (str): Where the input comes from.
        classes (list of str): The most probable classes, the first one first.
        probabilities (list of float): Their probabilities, which sum to at most one; where an input
            has any number of labels, each is from 0 to 1 by itself.
        frames (tuple, optional): The first frame of the window, and the one behind its last.
            (default: :obj:`None`)
        person (int, optional): Whom it is about, if one person. (default: :obj:`None`)
        seconds (tuple, optional): When the window begins and ends, of a video.
            (default: :obj:`None`)

    Example:
        >>> from pyg_vision.prediction import Prediction
        >>> Prediction("cat.jpg", ["cat", "dog"], [0.9, 0.1]).label
        'cat'
    """

    source: str
    classes: list[str]
    probabilities: list[float]
    frames: tuple[int, int] | None = None
    person: int | None = None
    seconds: tuple[float, float] | None = None

    @property
    def label(self) -> str:
        r"""The most probable class."""
        return self.classes[0]

    def labels(self, threshold: float = 0.5) -> list[str]:
        r"""Returns the classes of at least a probability: what a model of any number of labels
        finds.

        Args:
            threshold (float, optional): The probability. (default: :obj:`0.5`)
        """
        pairs = zip(self.classes, self.probabilities, strict=True)
        return [name for name, value in pairs if value >= threshold]

    def as_dict(self) -> dict[str, Any]:
        r"""Returns it as plain data."""
        found: dict[str, Any] = {"source": self.source}
        if self.frames is not None:
            found["frames"] = list(self.frames)
        if self.person is not None:
            found["person"] = self.person
        if self.seconds is not None:
            found["seconds"] = [round(time, 3) for time in self.seconds]
        pairs = zip(self.classes, self.probabilities, strict=True)
        found["classes"] = [{"name": name, "probability": value} for name, value in pairs]
        return found
