r"""Models by name, in the manner of torchvision."""

from __future__ import annotations

import fnmatch
import importlib
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from torch.nn import Module

from pyg_vision.typing import Adapt
from pyg_vision.weights import WeightsEnum

Builder = TypeVar("Builder", bound=Callable[..., Module])
Patterns = str | Iterable[str]

_builders: dict[str, Callable[..., Module]] = {}


def register_model(name: str | None = None) -> Callable[[Builder], Builder]:
    r"""Makes a builder known by its name.


    Args:
        name (str, optional): The name of the model. (default: that of the builder)

    Raises:
        ValueError: If there is another model of that name.

    Example:
        >>> from torch.nn import Linear
        >>> from pyg_vision.nn import get_model, register_model
        >>> @register_model("toy_for_docs")
        ... def toy(*, weights=None, progress=True, **kwargs):
        ...     return Linear(2, kwargs.get("num_classes", 3))
        >>> get_model("toy_for_docs", num_classes=5).out_features
        5
    """

    def register(builder: Builder) -> Builder:
        key = builder.__name__ if name is None else name
        if key in _builders:
            raise ValueError(f"there is a model '{key}' already")
        _builders[key] = builder
        return builder

    return register


def list_models(include: Patterns | None = None, exclude: Patterns | None = None) -> list[str]:
    r"""Returns the names of all models, in the order of the alphabet.

    Args:
        include (str or list, optional): Patterns such as :obj:`"vig*"`, one of which a name must
            match, see :mod:`fnmatch`. (default: all)
        exclude (str or list, optional): Patterns none of which it may match. (default: none)

    Example:
        >>> from pyg_vision.nn import list_models
        >>> list_models("vig*")
        ['vig_b', 'vig_s', 'vig_ti']
    """

    def matches(name: str, patterns: Patterns) -> bool:
        patterns = [patterns] if isinstance(patterns, str) else patterns
        return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)

    return sorted(
        name
        for name in _builders
        if (include is None or matches(name, include))
        and not (exclude is not None and matches(name, exclude))
    )


def get_model(name: str, **config: Any) -> Module:
    r"""Builds a model by its name.

    Args:
        name (str): The name, see :func:`list_models`.
        **config (optional): Arguments of its builder, such as :obj:`weights`.

    Raises:
        ValueError: If there is no such model.

    Example:
        >>> from pyg_vision.nn import get_model
        >>> get_model("vig_ti", num_classes=10).num_classes
        10
    """
    return _find(name)(**config)


def find_builder(name: str) -> Callable[..., Module]:
    r"""Returns the function or class that makes a model.

    Nothing but a model is found by a name, which may so come from a file.

    Args:
        name (str): A name of :func:`list_models`, or the path of a class of :mod:`pyg_vision.nn` or
            of a model of :mod:`torchvision.models`.

    Raises:
        ValueError: If there is no such model.

    Example:
        >>> from pyg_vision.nn import find_builder
        >>> find_builder("torchvision.models.resnet18")(num_classes=10).fc.out_features
        10
        >>> find_builder("pyg_vision.nn.STGCN").__name__
        'STGCN'
    """
    if name in _builders:
        return _builders[name]
    package, _, attribute = name.rpartition(".")
    found = None
    if package == "pyg_vision.nn":
        found = getattr(importlib.import_module(package), attribute, None)
        found = found if isinstance(found, type) and issubclass(found, Module) else None
    elif package == "torchvision.models":
        models = importlib.import_module(package)
        found = getattr(models, attribute) if attribute in models.list_models(models) else None
    if found is None:
        raise ValueError(
            f"there is no model '{name}'; known are {', '.join(list_models())}, and paths such as "
            f"'pyg_vision.nn.ViG' and 'torchvision.models.resnet18'"
        )
    return typing.cast("Callable[..., Module]", found)


def get_model_weights(name: str | Callable[..., Module]) -> type[WeightsEnum]:
    r"""Returns the enum of the weights of a model.

    Args:
        name (str or Callable): The name of the model, or its builder.

    Raises:
        ValueError: If there is no such model, or its builder takes no weights.

    Example:
        >>> from pyg_vision.nn import get_model_weights
        >>> get_model_weights("vig_ti").__name__
        'ViG_Ti_Weights'
    """
    builder = _find(name) if isinstance(name, str) else name
    kinds = typing.get_args(typing.get_type_hints(builder).get("weights"))
    found = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, WeightsEnum)]
    if len(found) != 1:
        raise ValueError(f"the builder of '{name}' must take 'weights' of one WeightsEnum")
    return found[0]


def build(
    model: Callable[..., Any],
    weights: WeightsEnum | None,
    progress: bool,
    kwargs: dict[str, Any],
    defaults: Mapping[str, Any] | None = None,
) -> Any:
    r"""Builds a model and loads its weights.

    It is built with the options of the weights, and has as many classes as they have. With another
    number the layer of the classes is a new one, and with :obj:`in_channels` the first convolution
    is adapted to them.

    Args:
        model (Callable): Makes the model.
        weights (WeightsEnum, optional): The weights.
        progress (bool): Whether to show a progress bar.
        kwargs (dict): Arguments of the model.
        defaults (dict, optional): Arguments where neither these nor the weights have one.
            (default: none)
    """
    told = {} if weights is None else weights.meta.get("options", {})
    asked, kwargs = kwargs, {**(defaults or {}), **told, **kwargs}
    if weights is None:
        return model(**kwargs)
    classes = len(weights.meta["categories"])
    adapt: list[Adapt] = []
    if kwargs.setdefault("num_classes", classes) != classes:
        adapt.append("head")
    if "in_channels" in asked:
        adapt.append("input")
    return weights.load_into(model(**kwargs), progress, adapt)


def _find(name: str) -> Callable[..., Module]:
    if name not in _builders:
        raise ValueError(f"'name' must be one of {', '.join(list_models())} (got '{name}')")
    return _builders[name]
