r"""Two skeleton models beside one another: one sees the joints, the other their motion."""

from __future__ import annotations

import copy
import re
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import Module
from torch_geometric.data import Data

from pyg_vision.data.motion import dense_second_difference, second_difference
from pyg_vision.data.packed_tracks import Level
from pyg_vision.data.tracks import Tracks
from pyg_vision.nn.models._skeleton_classifier import SkeletonClassifier
from pyg_vision.weights.key_rules import KeyRules

_PREFIXES = ("origin_stream.", "motion_stream.")


class TwoStream(SkeletonClassifier):
    r"""The two-stream model of the `"Spatial Temporal Graph Convolutional Networks for
    Skeleton-Based Action Recognition" <https://arxiv.org/abs/1801.07455>`_ code.

    .. math::
        \mathbf{z} = f(\mathbf{X}) + g(\mathbf{M}), \qquad \mathbf{M}_t = \mathbf{X}_t -
        \frac{\mathbf{X}_{t + 1} + \mathbf{X}_{t - 1}}{2}

    where :math:`\mathbf{M}` is zero in the first and the last frame of a track.


    Args:
        origin_stream (torch.nn.Module): A model of skeletons such as :class:`STGCN`, which sees
            the joints.
        motion_stream (torch.nn.Module, optional): The model that sees the motion, of the same
            layout, channels and classes. (default: one like the first, with parameters of its own)

    Shapes:
        - **input:** a dense tensor :math:`(N, C, T, V, M)`, or a PyG batch of skeleton sequences
        - **output:** logits :math:`(N, \textrm{num_classes})`

    Raises:
        TypeError: If a stream is no model of skeletons.
        ValueError: If the two do not take the same input or give the same classes.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import STGCN, TwoStream
        >>> model = TwoStream(STGCN(in_channels=3, num_classes=60, layout="ntu")).eval()
        >>> model(torch.randn(2, 3, 32, 25, 2)).shape
        torch.Size([2, 60])
    """

    def __init__(
        self, origin_stream: SkeletonClassifier, motion_stream: SkeletonClassifier | None = None
    ) -> None:
        for name, stream in (("origin_stream", origin_stream), ("motion_stream", motion_stream)):
            if not isinstance(stream, SkeletonClassifier | None) or isinstance(stream, TwoStream):
                raise TypeError(
                    f"'{name}' must be a model of skeletons such as STGCN (got "
                    f"'{type(stream).__name__}')"
                )
        one = origin_stream
        super().__init__(one.in_channels, one.num_classes, one.layout, one.padding, one.window)
        if motion_stream is None:
            motion_stream = copy.deepcopy(origin_stream)
            motion_stream.reset_parameters()
        for name in ("in_channels", "num_classes", "layout"):
            values = getattr(one, name), getattr(motion_stream, name)
            if values[0] != values[1]:
                raise ValueError(f"both streams must have the same '{name}' (got {values})")
        self.origin_stream = origin_stream
        self.motion_stream = motion_stream

    @property
    def published(self) -> KeyRules:  # type: ignore[override]
        r"""The names of published checkpoints, which are those of each stream."""
        streams = self.origin_stream, self.motion_stream
        rules = [stream.published for stream in streams]

        def rename(name: str) -> str | None:
            for prefix, rule in zip(_PREFIXES, rules, strict=True):
                if name.startswith(prefix):
                    new = rule.rename(name.removeprefix(prefix))
                    return None if new is None else prefix + new
            return None

        def constants(model: Module) -> dict[str, Tensor]:
            return {
                f"^{re.escape(prefix)}{pattern.removeprefix('^')}": value
                for prefix, rule, stream in zip(_PREFIXES, rules, streams, strict=True)
                for pattern, value in rule.constants(stream).items()
            }

        return replace(rules[0], rename=rename, constants=constants)

    @property
    def num_features(self) -> int:
        r"""The channels of a node after the last block, of both streams."""
        return self.origin_stream.num_features + self.motion_stream.num_features

    def reset_classifier(self, num_classes: int) -> None:
        r"""Replaces the heads by new ones.

        Args:
            num_classes (int): The number of classes, :obj:`0` for none.

        Raises:
            TypeError: If the number is no integer.
            ValueError: If it is negative.
        """
        self.origin_stream.reset_classifier(num_classes)
        self.motion_stream.reset_classifier(num_classes)
        self.num_classes = num_classes

    def _run_dense(self, x: Tensor) -> Tensor:
        logits = self.origin_stream(x)  # which looks at the input
        return logits + self.motion_stream(dense_second_difference(x))

    def _extract_dense(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores, features = self.origin_stream.extract_feature(x)
        others, more = self.motion_stream.extract_feature(dense_second_difference(x))
        return scores + others, torch.cat((features, more), dim=1)

    def _pack(self, x: Tensor | Data) -> tuple[Tensor, Tracks]:
        return self.origin_stream._pack(x)

    def _levels(self) -> list[Level]:
        return self.origin_stream._levels()

    def _logits(self, x: Tensor, tracks: Tracks) -> Tensor:
        motion = second_difference(x, tracks)
        return self.origin_stream._logits(x, tracks) + self.motion_stream._logits(motion, tracks)

    def _classify_nodes(self, x: Tensor, tracks: Tracks) -> tuple[Tensor, Tensor, Tracks]:
        motion = second_difference(x, tracks)
        scores, features, after = self.origin_stream._classify_nodes(x, tracks)
        others, more, _ = self.motion_stream._classify_nodes(motion, tracks)
        return scores + others, torch.cat((features, more), dim=1), after
