r"""Skeletons, labels and scores drawn over the pictures of a video."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch_geometric.data import Data

from pyg_vision.typing import Partition
from pyg_vision.visualization._skeleton_scene import read_motion, read_relations
from pyg_vision.visualization._style import (
    ANY,
    DARK,
    FARTHER,
    GREY,
    GROUND,
    NEARER,
    RESPONSE,
    SELF,
    TEMPORAL,
)

Picture = np.ndarray[Any, np.dtype[np.uint8]]
Array = np.ndarray[Any, np.dtype[np.float64]]

_WIDEST = 640  # pictures are enlarged to about this many columns
_CURVES = (NEARER[0], FARTHER[1], TEMPORAL, SELF)
_LINES = len(_CURVES)  # of classes
_PANEL = 0.3  # the height of the chart as a share of the width
_SMOOTH = 2  # drawn so much larger, then reduced


class SkeletonOverlay:
    r"""Draws the skeletons of a sequence over the pictures that they were found in, with a chart of
    the scores of classes below.

    A bone has the colour of the edge from its joint nearer the centre of the body, as in
    :func:`draw_skeleton`, and a joint is the larger the larger its response.

    Args:
        data (torch_geometric.data.Data): The sequence, with the places of joints in pixels as
            :obj:`pixels`, or else as :obj:`pos`.
        response (torch.Tensor, optional): A value from 0 to 1 for each joint :math:`(M, T, V)`.
            (default: :obj:`None`)
        scores (numpy.ndarray, optional): The score of each class in each frame :math:`(T, K)`, from
            0 to 1. (default: no chart)
        classes (list of str, optional): The names of the classes. (default: :obj:`None`)
        labels (list, optional): A text for each person, for each frame, drawn beside the person.
            (default: :obj:`None`)
        partition (str, optional): The partition strategy. (default: :obj:`"stgcn"`)

    Raises:
        ImportError: If :obj:`matplotlib` is not installed.
        ValueError: If the shapes do not fit, or there is no place in a picture.

    Example:
        >>> import numpy as np, torch
        >>> from pyg_vision.data import skeleton_sequence
        >>> from pyg_vision.visualization import SkeletonOverlay
        >>> data = skeleton_sequence(60 * torch.rand(1, 9, 17, 2), "coco")
        >>> scores = np.full((9, 2), 0.5)
        >>> overlay = SkeletonOverlay(data, scores=scores, classes=["sit", "stand"])
        >>> overlay.draw(np.zeros((64, 96, 3), np.uint8), frame=3).shape
        (650, 672, 3)
    """

    def __init__(
        self,
        data: Data,
        response: Tensor | None = None,
        scores: Array | None = None,
        classes: Sequence[str] | None = None,
        labels: Sequence[Sequence[str]] | None = None,
        partition: Partition = "stgcn",
    ) -> None:
        shown = data.__copy__()
        if "pixels" in data:
            shown.pos = data.pixels
        if shown.pos.size(1) != 2:
            raise ValueError("three coordinates have no place in a picture; 'pixels' tells it")
        motion = read_motion(shown, (0.0, 0.0), "-y")
        self.points, self.seen, self.layout = motion.points, motion.seen, motion.layout
        shape = self.seen.shape
        if response is not None and tuple(response.shape) != shape:
            raise ValueError(
                f"'response' must be [persons, frames, joints] = {list(shape)} (got "
                f"{list(response.shape)})"
            )
        self.response = None if response is None else response.double().numpy()
        if scores is not None and scores.shape != (shape[1], len(classes or ())):
            raise ValueError(
                f"'scores' must be [frames, classes] = [{shape[1]}, {len(classes or ())}] (got "
                f"{list(scores.shape)})"
            )
        if labels is not None and [len(row) for row in labels] != [shape[1]] * shape[0]:
            raise ValueError(f"'labels' must be {shape[0]} lists of {shape[1]} texts")
        self.scores, self.classes, self.labels = scores, list(classes or ()), labels
        relations = read_relations(self.layout, partition, 1)
        colors = {(e.source, e.destination): relations.colors[e.relation] for e in relations.edges}
        self.colors = [colors.get((b, a), ANY[0]) for a, b in self.layout.edges]
        self.shown: list[int] = []
        if scores is not None:
            self.shown = np.argsort(-scores.mean(axis=0), kind="stable")[:_LINES].tolist()

    def draw(self, image: Picture, frame: int) -> Picture:
        r"""Returns the picture of a frame with what is known of it.

        Args:
            image (numpy.ndarray): The picture :math:`(H, W, 3)`.
            frame (int): Its number. Of one behind the last of the sequence nothing is known.
        """
        height, width = image.shape[:2]
        scale = max(round(_WIDEST / width), 1)
        zoom = scale * _SMOOTH
        picture = Image.fromarray(image).resize((width * zoom, height * zoom))
        if frame < self.seen.shape[1]:
            self._draw_people(ImageDraw.Draw(picture), frame, zoom, min(width, height) * zoom)
        picture = picture.resize((width * scale, height * scale), Image.Resampling.BOX)
        if self.scores is None:
            return np.asarray(picture)
        panel = self._chart(picture.width, frame)
        whole = Image.new("RGB", (picture.width, picture.height + panel.height), GROUND)
        whole.paste(picture, (0, 0))
        whole.paste(panel, (0, picture.height))
        return np.asarray(whole)

    def _draw_people(self, pen: ImageDraw.ImageDraw, frame: int, zoom: int, room: int) -> None:
        line, dot = max(room // 130, 2), max(room / 110, 2.0)
        for person in range(len(self.points)):
            seen = self.seen[person, frame]
            points = (self.points[person, frame] + 0.5) * zoom
            for (a, b), color in zip(self.layout.edges, self.colors, strict=True):
                if seen[a] and seen[b]:
                    pen.line([*points[a], *points[b]], fill=color, width=line)
            for joint in np.flatnonzero(seen):
                share = 0.0 if self.response is None else self.response[person, frame, joint]
                radius = dot * (0.8 + 2.2 * share)
                x, y = points[joint]
                fill = RESPONSE if share > 0.02 else "#ffffff"
                box = (x - radius, y - radius, x + radius, y + radius)
                pen.ellipse(box, fill=fill, outline=DARK, width=max(line // 3, 1))
            if self.labels is not None and seen.any():
                text = self.labels[person][frame]
                x, y = points[seen][:, 0].mean(), points[seen][:, 1].min() - 3 * dot
                font = ImageFont.load_default(max(room / 22, 12))
                pen.text((x, max(y, room / 20)), text, fill="#ffffff", font=font, anchor="ms",
                         stroke_width=max(line // 2, 1), stroke_fill=DARK)  # fmt: skip

    def _chart(self, width: int, frame: int) -> Image.Image:
        r"""Draws how the scores of the highest classes went until now."""
        scores: Array = np.zeros((0, 0)) if self.scores is None else self.scores
        height = 2 * round(_PANEL * width / 2)
        size = _SMOOTH * np.array((width, height))
        panel = Image.new("RGB", (int(size[0]), int(size[1])), GROUND)
        pen = ImageDraw.Draw(panel)
        font = ImageFont.load_default(float(size[1]) * 0.1)
        left, right, top, bottom = 0.42 * size[0], 0.97 * size[0], 0.1 * size[1], 0.9 * size[1]
        pen.rectangle((left, top, right, bottom), fill="#ffffff", outline=GREY)
        across = left + (right - left) * (np.arange(len(scores)) + 0.5) / len(scores)
        every = max(len(scores) // int(size[0]), 1)  # of an hour, no more points than pixels
        row = scores[frame] if frame < len(scores) else np.zeros(scores.shape[1])
        now = int(np.argmax(row))
        for place, index in enumerate(self.shown):
            color = _CURVES[place]
            values = bottom - (bottom - top) * scores[: frame + 1 : every, index].clip(0, 1)
            path = [(float(x), float(y)) for x, y in zip(across[::every], values, strict=False)]
            pen.line(path if len(path) > 1 else [*path, *path], fill=color, width=2 * _SMOOTH)
            y = top + (bottom - top) * (place + 0.5) / _LINES
            share = f"{100 * row[index]:.0f}%"
            shown = _shorten(self.classes[index], pen, font, 0.25 * size[0])
            weight = _SMOOTH // 2 if index == now and row.any() else 0
            pen.line((0.03 * size[0], y, 0.06 * size[0], y), fill=color, width=3 * _SMOOTH)
            pen.text((0.075 * size[0], y), shown, fill=DARK, font=font, anchor="lm",
                     stroke_width=weight, stroke_fill=DARK)  # fmt: skip
            pen.text((0.4 * size[0], y), share, fill=DARK, font=font, anchor="rm",
                     stroke_width=weight, stroke_fill=DARK)  # fmt: skip
        x = float(across[min(frame, len(across) - 1)])
        pen.line((x, top, x, bottom), fill=GREY, width=_SMOOTH)
        return panel.resize((width, height), Image.Resampling.BOX)


def _shorten(text: str, pen: ImageDraw.ImageDraw, font: Any, room: float) -> str:
    r"""Returns as much of a text as there is room for."""
    if pen.textlength(text, font=font) <= room:
        return text
    while text and pen.textlength(text + "…", font=font) > room:
        text = text[:-1]
    return text + "…"
