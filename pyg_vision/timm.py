r"""Our image models in `timm <https://github.com/huggingface/pytorch-image-models>`_, which knows
them once this module is imported.

.. code-block:: python

    import timm
    import pyg_vision.timm

    model = timm.create_model("pvig_s_224.pyg", num_classes=10, drop_path_rate=0.1)
    backbone = timm.create_model("pvig_s_224.pyg", features_only=True)  # strides 4, 8, 16, 32
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.nn import Identity, Module

try:
    from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
    from timm.models._features import feature_take_indices
except ImportError as error:
    raise ImportError("pyg_vision.timm needs timm: pip install pyg-vision[timm]") from error

from pyg_vision import nn
from pyg_vision.nn import (
    AdaptViG,
    DistilledHead,
    GreedyViG,
    MobileViG,
    MobileViGv2,
    PyramidViG,
    ViG,
    WiGNet,
)
from pyg_vision.nn.models import (
    adaptvig,
    greedyvig,
    mobilevig,
    mobilevigv2,
    pyramid_vig,
    vig,
    wignet,
)
from pyg_vision.weights import WeightsEnum
from pyg_vision.weights.key_rules import KeyRules, unwrapped

POOLS = ("avg", "")
SIZES: dict[str, dict[str, Any]] = {}
for _module in (vig, pyramid_vig, mobilevig, mobilevigv2, greedyvig, adaptvig, wignet):
    SIZES |= _module.SIZES


class _TimmModel(Module):
    r"""What timm expects of a model, over one of ours."""

    # Of ours.
    head: Module
    num_features: int
    num_classes: int
    image_size: tuple[int, int]
    reaches: list[Any]
    _map_info: Callable[[], list[tuple[int, int]]]
    _num_blocks: Callable[[], int]
    published: KeyRules

    def __init__(
        self,
        num_classes: int = 1000,
        in_chans: int = 3,
        img_size: int | Sequence[int] = 224,
        global_pool: str = "avg",
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
        **kwargs: Any,
    ) -> None:
        _check_pool(global_pool, num_classes)
        super().__init__(
            num_classes=num_classes,
            in_channels=in_chans,
            image_size=img_size,
            dropout=drop_rate,
            drop_path=drop_path_rate,
            **kwargs,
        )
        self.in_chans = in_chans
        self.global_pool = global_pool
        self.drop_rate = drop_rate
        self.head_hidden_size = self.num_features
        self.feature_info = self._feature_info()

    def _feature_info(self) -> list[dict[str, Any]]:
        return [
            {"num_chs": channels, "reduction": stride, "module": f"stages.{i}"}
            for i, (channels, stride) in enumerate(self._map_info())
        ]

    def get_classifier(self) -> Module | tuple[Module, Module]:
        r"""Returns the layer of the classes, both of them if a second one learns from a teacher."""
        head = self.head
        if not isinstance(head, DistilledHead):
            return head if isinstance(head, Identity) else head[4]  # type: ignore[index]
        return head.fc if head.dist is None else (head.fc, head.dist)

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        r"""Replaces the head by a new one.

        Args:
            num_classes (int): The number of classes, :obj:`0` for none.
            global_pool (str, optional): :obj:`"avg"`, or :obj:`""` for maps without classes.
                (default: as before)
        """
        pool = self.global_pool if global_pool is None else global_pool
        _check_pool(pool, num_classes)
        self.global_pool = pool
        super().reset_classifier(num_classes)  # type: ignore[misc]

    def no_weight_decay(self) -> set[str]:
        r"""Returns the names of parameters that decay of weights is not for."""
        tables = {
            name for name, _ in self.named_parameters() if name.endswith("relative_pos.table")
        }
        return tables | ({"pos_embed"} if getattr(self, "pos_embed", None) is not None else set())

    def forward(self, x: Tensor) -> Tensor:
        r"""Runs the model.

        Args:
            x (torch.Tensor): Images :math:`(B, C, H, W)`.
        """
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> Tensor:
        r"""Returns the map :math:`(B, C, H, W)` after the last block.

        Args:
            x (torch.Tensor): Images :math:`(B, C, H, W)`.
        """
        _, (found,) = super().forward_intermediates(x, [-1])  # type: ignore[misc]
        out: Tensor = found
        return out

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        r"""Pools and classifies a map.

        Args:
            x (torch.Tensor): What :meth:`forward_features` returned.
            pre_logits (bool, optional): If :obj:`True`, only pools. (default: :obj:`False`)
        """
        if not self.global_pool:
            return x
        pooled = x.mean(dim=(2, 3))
        out: Tensor = pooled if pre_logits else self.head(pooled)
        return out

    def forward_intermediates(
        self,
        x: Tensor,
        indices: int | list[int] | None = None,
        norm: bool = False,
        stop_early: bool = False,
        output_fmt: str = "NCHW",
        intermediates_only: bool = False,
    ) -> Any:
        r"""Returns the map after the last block, and the maps after some stages of a pyramid or
        blocks of an isotropic model.

        Args:
            x (torch.Tensor): Images :math:`(B, C, H, W)`.
            indices (int or list, optional): Which ones, or how many of the last. (default: all)
            norm (bool, optional): Without effect, there is no last norm. (default: :obj:`False`)
            stop_early (bool, optional): Without effect on what is returned.
                (default: :obj:`False`)
            output_fmt (str, optional): :obj:`"NCHW"` or :obj:`"NHWC"`. (default: :obj:`"NCHW"`)
            intermediates_only (bool, optional): Whether the map after the last block is left out.
                (default: :obj:`False`)
        """
        if output_fmt not in ("NCHW", "NHWC"):
            raise ValueError(f"'output_fmt' must be 'NCHW' or 'NHWC' (got {output_fmt!r})")
        take, _ = feature_take_indices(len(self._map_info()), indices)
        wanted = take if intermediates_only else [*take, len(self._map_info()) - 1]
        _, found = super().forward_intermediates(x, wanted)  # type: ignore[misc]
        last = None if intermediates_only else found.pop()
        if output_fmt == "NHWC":
            found = [m.permute(0, 2, 3, 1) for m in found]
        return found if intermediates_only else (last, found)

    def prune_intermediate_layers(
        self,
        indices: int | list[int] = 1,
        prune_norm: bool = False,
        prune_head: bool = True,
    ) -> list[int]:
        r"""Removes what comes after the last of some stages or blocks, and returns their numbers.

        Args:
            indices (int or list, optional): Which ones, or how many of the last.
                (default: :obj:`1`)
            prune_norm (bool, optional): Without effect, there is no last norm.
                (default: :obj:`False`)
            prune_head (bool, optional): Whether the head is removed. (default: :obj:`True`)
        """
        take, last = feature_take_indices(len(self._map_info()), indices)
        self._cut(last + 1)
        if hasattr(self, "reaches"):
            self.reaches = self.reaches[: self._num_blocks()]
        if prune_head:
            self.reset_classifier(0, "")
        found: list[int] = take
        return found

    def _cut(self, count: int) -> None:
        raise NotImplementedError


class TimmViG(_TimmModel, ViG):  # type: ignore[misc]  # timm's signatures are others
    r""":class:`~pyg_vision.nn.ViG` as timm expects a model."""

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        r"""Returns how parameters are grouped by layers.

        Args:
            coarse (bool, optional): Without effect. (default: :obj:`False`)
        """
        return {
            "stem": r"^stem|^pos_embed",
            "blocks": [(r"^blocks\.(\d+)", None), (r"^head", (99999,))],
        }

    def _feature_info(self) -> list[dict[str, Any]]:
        return [
            {"num_chs": channels, "reduction": stride, "module": f"blocks.{i}"}
            for i, (channels, stride) in enumerate(self._map_info())
        ]

    def _cut(self, count: int) -> None:
        self.blocks = self.blocks[:count]
        self.depth = count


class TimmPyramidViG(_TimmModel, PyramidViG):  # type: ignore[misc]
    r""":class:`~pyg_vision.nn.PyramidViG` as timm expects a model."""

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        r"""Returns how parameters are grouped by layers.

        Args:
            coarse (bool, optional): Whether by stages instead of blocks. (default: :obj:`False`)
        """
        return {
            "stem": r"^stem|^pos_embed",
            "blocks": r"^stages\.(\d+)" if coarse else [
                (r"^stages\.(\d+)\.downsample", (0,)),
                (r"^stages\.(\d+)\.blocks\.(\d+)", None),
                (r"^head", (99999,)),
            ],
        }  # fmt: skip

    def _cut(self, count: int) -> None:
        self.stages = self.stages[:count]
        self.depths, self.channels = self.depths[:count], self.channels[:count]
        self.reduce_ratios = self.reduce_ratios[:count]
        self.num_features = self.head_hidden_size = self.channels[-1]


class TimmWiGNet(_TimmModel, WiGNet):  # type: ignore[misc]
    r""":class:`~pyg_vision.nn.WiGNet` as timm expects a model."""

    group_matcher = TimmPyramidViG.group_matcher

    def _cut(self, count: int) -> None:
        self.stages = self.stages[:count]
        self.depths, self.channels = self.depths[:count], self.channels[:count]
        self.num_features = self.head_hidden_size = self.channels[-1]


class _TimmAxial(_TimmModel):
    r"""What timm expects of MobileViG and the models after it."""

    # Of ours.
    stages: Any
    channels: tuple[int, ...]
    blocks: tuple[tuple[int, int], ...]
    steps: tuple[int, ...]

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        r"""Returns how parameters are grouped by layers.

        Args:
            coarse (bool, optional): Whether by stages instead of blocks. (default: :obj:`False`)
        """
        fine: list[tuple[str, tuple[int, ...]]] = []
        for i, (depth, graphs) in enumerate(self.blocks):
            layers = depth + (i > 0)  # graph blocks come behind them
            fine += [(rf"^stages\.{i}\.layers\.{j}\.", (i, j)) for j in range(layers)]
            fine += [(rf"^stages\.{i}\.blocks\.{j}\.", (i, layers + j)) for j in range(graphs)]
        fine.append((r"^head", (99999,)))
        return {"stem": r"^stem", "blocks": r"^stages\.(\d+)" if coarse else fine}

    def _cut(self, count: int) -> None:
        self.stages = self.stages[:count]
        self.channels, self.blocks = self.channels[:count], self.blocks[:count]
        self.steps = self.steps[:count]
        self.num_features = self.head_hidden_size = self.channels[-1]


class TimmMobileViG(_TimmAxial, MobileViG):  # type: ignore[misc]
    r""":class:`~pyg_vision.nn.MobileViG` as timm expects a model."""


class TimmMobileViGv2(_TimmAxial, MobileViGv2):  # type: ignore[misc]
    r""":class:`~pyg_vision.nn.MobileViGv2` as timm expects a model."""


class TimmGreedyViG(_TimmAxial, GreedyViG):  # type: ignore[misc]
    r""":class:`~pyg_vision.nn.GreedyViG` as timm expects a model."""


class TimmAdaptViG(_TimmAxial, AdaptViG):  # type: ignore[misc]
    r""":class:`~pyg_vision.nn.AdaptViG` as timm expects a model."""


def checkpoint_filter_fn(state_dict: Mapping[str, Tensor], model: Any) -> dict[str, Tensor]:
    r"""Returns a published state dict in the names and shapes of a model.

    Args:
        state_dict (dict): The state dict.
        model (torch.nn.Module): The model.
    """
    rules: KeyRules = model.published
    state_dict = unwrapped(state_dict)
    own = model.state_dict()
    found = {}
    for name, value in state_dict.items():
        new = name if name in own else rules.rename(name)
        if new is None or new not in own:
            found[name] = value  # timm says what does not fit
            continue
        value = rules.adjust(name, value)
        fitted = rules.fit(new, value, own[new])
        if fitted is None:
            fitted = rules.resampled(new, value, own[new])
        # Those of other input channels or classes, which timm adapts or leaves out.
        found[new] = value if fitted is None else fitted
    return found


def _check_pool(pool: str, num_classes: int) -> None:
    if pool not in POOLS:
        raise ValueError(f"'global_pool' must be 'avg' or '' (got {pool!r})")
    if not pool and num_classes:
        raise ValueError(f"global_pool='' is for models without classes (got {num_classes})")


def _cfg(weights: WeightsEnum, pool: int, crop: float = 0.9) -> dict[str, Any]:
    return {
        "url": weights.url,
        "num_classes": 1000,
        "input_size": (3, 224, 224),
        "pool_size": (pool, pool),
        "fixed_input_size": False,
        "crop_pct": crop,
        "interpolation": "bicubic",
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
        "first_conv": "stem.0",
        "classifier": "head.4",
        "license": "apache-2.0",
        "paper_ids": "arXiv:2206.00272",
    }


default_cfgs = generate_default_cfgs(
    {
        "vig_ti_224.pyg": _cfg(nn.ViG_Ti_Weights.IMAGENET1K_V1, 14),
        "vig_s_224.pyg": _cfg(nn.ViG_S_Weights.IMAGENET1K_V1, 14),
        "vig_b_224.pyg": _cfg(nn.ViG_B_Weights.IMAGENET1K_V1, 14),
        "pvig_ti_224.pyg": _cfg(nn.PViG_Ti_Weights.IMAGENET1K_V1, 7),
        "pvig_s_224.pyg": _cfg(nn.PViG_S_Weights.IMAGENET1K_V1, 7),
        "pvig_m_224.pyg": _cfg(nn.PViG_M_Weights.IMAGENET1K_V1, 7),
        "pvig_b_224.pyg": _cfg(nn.PViG_B_Weights.IMAGENET1K_V1, 7, 0.95),
    }
)


def _axial_cfg(weights: type[WeightsEnum], paper: str) -> dict[str, Any]:
    known = weights.__members__.get("DEFAULT")
    return {
        "url": "" if known is None else known.url,
        "num_classes": 1000,
        "input_size": (3, 224, 224),
        "pool_size": (7, 7),
        "fixed_input_size": False,
        "crop_pct": 0.9,
        "interpolation": "bicubic",
        "mean": (0.485, 0.456, 0.406),
        "std": (0.229, 0.224, 0.225),
        "first_conv": "stem.0",
        "classifier": ("head.fc", "head.dist"),
        "license": "apache-2.0",
        "paper_ids": f"arXiv:{paper}",
    }


# Models whose graphs are rules: their classes, papers and builders.
RULES: list[tuple[type[Module], str, dict[str, Any]]] = [
    (TimmMobileViG, "2307.00395", mobilevig.SIZES),
    (TimmMobileViGv2, "2406.05850", mobilevigv2.SIZES),
    (TimmGreedyViG, "2405.06849", greedyvig.SIZES),
    (TimmAdaptViG, "2511.09942", adaptvig.SIZES),
]
default_cfgs |= generate_default_cfgs(
    {
        f"{builder}_224.pyg": _axial_cfg(nn.get_model_weights(builder), paper)
        for _, paper, sizes in RULES
        for builder in sizes
    }
)
_wignet = {"url": "", "license": "bsd-3-clause", "paper_ids": "arXiv:2410.00807"}
default_cfgs |= generate_default_cfgs(
    {
        f"{name}_224.pyg": _cfg(nn.PViG_B_Weights.DEFAULT, 7, 0.95 if name[-1] == "b" else 0.9)
        | _wignet
        for name in wignet.SIZES
    }
)


def _create(model: type[Module], builder: str, pretrained: bool, **kwargs: Any) -> Module:
    # All stages of a pyramid, the last three blocks of an isotropic model.
    indices = kwargs.pop("out_indices", 3 if model is TimmViG else (0, 1, 2, 3))
    out: Module = build_model_with_cfg(
        model,
        f"{builder}_224",
        pretrained,
        pretrained_filter_fn=checkpoint_filter_fn,
        feature_cfg={"out_indices": indices, "feature_cls": "getter"},
        **SIZES[builder] | kwargs,
    )
    return out


@register_model
def vig_ti_224(pretrained: bool = False, **kwargs: Any) -> Module:
    r"""ViG-Ti, see :func:`~pyg_vision.nn.vig_ti`."""
    return _create(TimmViG, "vig_ti", pretrained, **kwargs)


@register_model
def vig_s_224(pretrained: bool = False, **kwargs: Any) -> Module:
    r"""ViG-S, see :func:`~pyg_vision.nn.vig_s`."""
    return _create(TimmViG, "vig_s", pretrained, **kwargs)


@register_model
def vig_b_224(pretrained: bool = False, **kwargs: Any) -> Module:
    r"""ViG-B, see :func:`~pyg_vision.nn.vig_b`."""
    return _create(TimmViG, "vig_b", pretrained, **kwargs)


@register_model
def pvig_ti_224(pretrained: bool = False, **kwargs: Any) -> Module:
    r"""PyramidViG-Ti, see :func:`~pyg_vision.nn.pvig_ti`."""
    return _create(TimmPyramidViG, "pvig_ti", pretrained, **kwargs)


@register_model
def pvig_s_224(pretrained: bool = False, **kwargs: Any) -> Module:
    r"""PyramidViG-S, see :func:`~pyg_vision.nn.pvig_s`."""
    return _create(TimmPyramidViG, "pvig_s", pretrained, **kwargs)


@register_model
def pvig_m_224(pretrained: bool = False, **kwargs: Any) -> Module:
    r"""PyramidViG-M, see :func:`~pyg_vision.nn.pvig_m`."""
    return _create(TimmPyramidViG, "pvig_m", pretrained, **kwargs)


@register_model
def pvig_b_224(pretrained: bool = False, **kwargs: Any) -> Module:
    r"""PyramidViG-B, see :func:`~pyg_vision.nn.pvig_b`."""
    return _create(TimmPyramidViG, "pvig_b", pretrained, **kwargs)


def _register(model: type[Module], builder: str) -> None:
    def create(pretrained: bool = False, **kwargs: Any) -> Module:
        return _create(model, builder, pretrained, **kwargs)

    create.__name__ = f"{builder}_224"
    create.__doc__ = f"See :func:`~pyg_vision.nn.{builder}`."
    globals()[create.__name__] = register_model(create)  # timm adds the name to __all__


RULES.append((TimmWiGNet, "2410.00807", wignet.SIZES))
for _model, _, _sizes in RULES:
    for _builder in _sizes:
        _register(_model, _builder)
