r"""Predictions on a camera or a stream of pictures, while it goes on."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from torch_geometric.data import Data

from pyg_vision.pose import FoundPeople, Frame, PoseSource, read_frames
from pyg_vision.pose.pose_source import best_people, people_to_sequence
from pyg_vision.prediction._prediction import Prediction
from pyg_vision.prediction.inputs import as_shares

Value = TypeVar("Value")
_NO_PICTURE = np.zeros((0, 0, 3), dtype=np.uint8)


@dataclass(frozen=True)
class LivePrediction:
    r"""What is known as a picture has been looked at.

    Args:
        frame (Frame): The picture.
        people (FoundPeople): Who was found in it.
        prediction (Prediction, optional): What is predicted of the window that ends with it,
            :obj:`None` where nobody is in it.
        latency (float): The seconds since the picture came in.
        dropped (int): How many pictures until now came in and were not looked at, since later ones
            were there.

    Example:
        >>> import numpy as np
        >>> from pyg_vision.pose import FoundPeople, Frame
        >>> from pyg_vision.prediction import LivePrediction
        >>> nobody = FoundPeople(np.zeros((0, 17, 2)), np.zeros((0, 17)))
        >>> frame = Frame(np.zeros((48, 64, 3), np.uint8), 0.5)
        >>> LivePrediction(frame, nobody, None, latency=0.04, dropped=0).latency
        0.04
    """

    frame: Frame
    people: FoundPeople
    prediction: Prediction | None
    latency: float
    dropped: int


class _ClosedError(Exception):
    r"""Says that nothing more comes."""


class _Box(Generic[Value]):
    r"""Holds one value from a thread to the next: a newer one takes the place of one that was not
    taken, or waits for it.
    """

    def __init__(self, waits: bool) -> None:
        self.waits, self.dropped = waits, 0
        self._held: list[Value] = []
        self._closed = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def put(self, value: Value) -> None:
        with self._changed:
            while self.waits and self._held and not self._closed:
                self._changed.wait()
            if self._closed:
                raise _ClosedError
            self.dropped += len(self._held)
            self._held = [value]
            self._changed.notify_all()

    def get(self) -> Value:
        with self._changed:
            while not self._held and not self._closed:
                self._changed.wait()
            if not self._held:
                raise self._error or _ClosedError
            value = self._held.pop()
            self._changed.notify_all()
            return value

    def close(self, error: BaseException | None = None) -> None:
        r"""Lets no more come in; what is held may still be taken."""
        with self._changed:
            self._closed = True
            self._error = self._error or error
            self._changed.notify_all()


@dataclass(frozen=True)
class _Seen:
    frame: Frame
    people: FoundPeople
    came: float


class LiveStream:
    r"""Reads pictures, finds people in them and predicts, each in a thread of its own.

    Args:
        frames: The pictures, see :func:`~pyg_vision.pose.read_frames`.
        pose (PoseSource): What finds people.
        predict (Callable): Returns what is predicted of a sequence.
        window (int): The pictures of a window.
        stride (int): The pictures from one window to the next.
        persons (int, optional): The most persons of a picture.
        max_gap (int): The longest gap that is filled.
        realtime (bool): Whether pictures are left out where later ones are there.
    """

    def __init__(
        self,
        frames: Any,
        pose: PoseSource,
        predict: Callable[[Data], Prediction],
        window: int,
        stride: int,
        persons: int | None,
        max_gap: int,
        realtime: bool,
    ) -> None:
        self.frames, self.pose, self.predict = frames, pose, predict
        self.window, self.stride = window, stride
        self.persons, self.max_gap = persons, max_gap
        self._pictures: _Box[tuple[Frame, float]] = _Box(not realtime)
        self._windows: _Box[list[_Seen]] = _Box(not realtime)
        self._found: _Box[LivePrediction] = _Box(waits=True)

    def __iter__(self) -> Iterator[LivePrediction]:
        works = ((self._read, self._pictures), (self._look, self._windows),
                 (self._classify, self._found))  # fmt: skip
        threads = [
            threading.Thread(target=_work, args=work, daemon=True, name=work[0].__name__)
            for work in works
        ]
        for thread in threads:
            thread.start()
        try:
            while True:
                yield self._found.get()
        except _ClosedError:
            return
        finally:
            for box in (self._pictures, self._windows, self._found):
                box.close()
            for thread in threads[1:]:  # a camera may not give the picture that the first waits for
                thread.join()

    def _read(self) -> None:
        for frame in read_frames(self.frames):
            self._pictures.put((frame, time.monotonic()))

    def _look(self) -> None:
        self.pose.reset()
        ring: deque[_Seen] = deque(maxlen=self.window)
        count = 0
        while True:
            frame, came = self._pictures.get()
            if ring and ring[-1].frame.image.shape != frame.image.shape:
                raise ValueError(
                    f"all pictures must be of one size (got {list(frame.image.shape)} after "
                    f"{list(ring[-1].frame.image.shape)})"
                )
            people = best_people(self.pose.find(frame), self.persons)
            if ring:  # of those before only the joints are needed
                before = ring[-1]
                ring[-1] = _Seen(Frame(_NO_PICTURE, before.frame.time), before.people, before.came)
            ring.append(_Seen(frame, people, came))
            count += 1
            if len(ring) == self.window and (count - self.window) % self.stride == 0:
                self._windows.put(list(ring))

    def _classify(self) -> None:
        while True:
            seen = self._windows.get()
            last = seen[-1]
            data = self._sequence(seen)
            prediction = None if data is None else self.predict(data)
            self._found.put(
                LivePrediction(
                    last.frame,
                    last.people,
                    prediction,
                    time.monotonic() - last.came,
                    self._pictures.dropped,
                )
            )

    def _sequence(self, seen: list[_Seen]) -> Data | None:
        people = [one.people for one in seen]
        if not any(len(one.joints) for one in people):
            return None
        height, width = seen[-1].frame.image.shape[:2]
        times = [one.frame.time for one in seen]
        layout = self.pose.layout
        return as_shares(
            people_to_sequence(people, layout, times, (width, height), True, self.max_gap)
        )


def _work(run: Callable[[], None], out: _Box[Any]) -> None:
    r"""Runs a step until its input ends, and passes on what ended it."""
    try:
        run()
    except _ClosedError:
        out.close()
    except Exception as error:  # raised again where results are awaited
        out.close(error)
    else:
        out.close()
