r"""Published weights as the members of an enum, in the manner of torchvision."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from torch.nn import Module

from pyg_vision.typing import Adapt
from pyg_vision.weights._download import cache_name, download, file_digest
from pyg_vision.weights._load_published import log_report
from pyg_vision.weights._load_weights import load_weights

Model = TypeVar("Model", bound=Module)


@dataclass(frozen=True)
class Weights:
    r"""Where a trained model comes from, and what to know about it.

    Args:
        url (str): The address of the checkpoint, in the names of its authors or in ours.
        transforms (Callable): Makes the preprocessing with which the model was evaluated.
        meta (dict): What else is known, such as :obj:`categories`, which may be a function that
            returns them, :obj:`metrics`, :obj:`licence`, :obj:`source` and :obj:`num_params`.
        sha256 (str, optional): The hash of the file, as its authors publish it, or the first eight
            digits or more. If :obj:`None`, that of the first download. (default: :obj:`None`)
        averaged (bool, optional): Whether the weights are the averaged ones of a file that holds
            both. (default: :obj:`True`)

    Example:
        >>> from torchvision.transforms import ToTensor
        >>> from pyg_vision.weights import Weights
        >>> meta = {"categories": ["cat", "dog"], "licence": "MIT"}
        >>> weights = Weights("https://example.org/toy.pth", transforms=ToTensor, meta=meta)
        >>> len(weights.meta["categories"])
        2
    """

    url: str
    transforms: Callable[[], Callable[[Any], Any]]
    meta: dict[str, Any] = field(default_factory=dict)
    sha256: str | None = None
    averaged: bool = True

    def __hash__(self) -> int:
        return hash(self.url)


class WeightsEnum(Enum):
    r"""The weights of one model; a subclass is named after its builder, as
    :obj:`ViG_Ti_Weights` after :func:`~pyg_vision.nn.vig_ti`.

    Example:
        >>> import torch
        >>> from pathlib import Path
        >>> from torchvision.transforms import ToTensor
        >>> from pyg_vision.weights import Weights, WeightsEnum
        >>> model = torch.nn.Linear(2, 3)
        >>> torch.save(model.state_dict(), "toy_linear.pth")
        >>> class Toy_Weights(WeightsEnum):
        ...     V1 = Weights(url=Path("toy_linear.pth").absolute().as_uri(), transforms=ToTensor)
        ...     DEFAULT = V1
        >>> Toy_Weights.verify("DEFAULT")
        <Toy_Weights.V1: ...>
        >>> preprocess = Toy_Weights.DEFAULT.transforms()
    """

    @classmethod
    def verify(cls, weights: WeightsEnum | str | None) -> WeightsEnum | None:
        r"""Returns a member, which may be given by its name.

        Args:
            weights (WeightsEnum or str): The member or its name, such as :obj:`"DEFAULT"`.

        Raises:
            TypeError: If it is a member of another enum, or something else.
            ValueError: If there is no member of that name.
        """
        if weights is None or isinstance(weights, cls):
            return weights
        if not isinstance(weights, str):
            raise TypeError(
                f"'weights' must be a member of {cls.__name__} or its name (got {weights!r})"
            )
        name = weights.removeprefix(f"{cls.__name__}.")
        if name not in cls.__members__:
            known = ", ".join(cls.__members__) or "none yet"
            raise ValueError(f"'weights' must be one of {cls.__name__}: {known} (got '{weights}')")
        return cls.__members__[name]

    @property
    def url(self) -> str:
        r"""The address of the checkpoint."""
        return self._published.url

    @property
    def transforms(self) -> Callable[[], Callable[[Any], Any]]:
        r"""Makes the preprocessing with which the model was evaluated."""
        return self._published.transforms

    @property
    def meta(self) -> dict[str, Any]:
        r"""What else is known of the model."""
        meta = dict(self._published.meta)
        if callable(meta.get("categories")):
            meta["categories"] = meta["categories"]()
        return meta

    @property
    def _published(self) -> Weights:
        value: Weights = self.value
        return value

    def is_of(self, digest: str) -> bool:
        r"""Whether a file of that hash is the checkpoint.

        Args:
            digest (str): The SHA-256 of the file, in hexadecimal digits.
        """
        known = self._published.sha256
        return known is not None and digest.startswith(known.lower())

    def load_into(
        self, model: Model, progress: bool = True, adapt: Collection[Adapt] = ()
    ) -> Model:
        r"""Downloads the checkpoint, if it is not there yet, and loads it.

        Args:
            model (torch.nn.Module): The model.
            progress (bool, optional): Whether to show a progress bar. (default: :obj:`True`)
            adapt (list of str, optional): What of the model may be of other sizes, see
                :func:`load_published`; what was resampled or left is logged. (default: nothing)

        Returns:
            torch.nn.Module: The same model.

        Raises:
            ConnectionError: If it cannot be downloaded.
            ValueError: If the file is another one than was published, or does not fit the model.
        """
        path = download(self.url, self._published.sha256, progress)
        report = load_weights(model, path, self._published.averaged, adapt)
        log_report(report, path.name)
        return model


def known_weights(path: Path) -> WeightsEnum | None:
    r"""Returns the published weights that a file holds, told by its hash, or, where none is
    published, by its name in the cache of downloads.

    Args:
        path (pathlib.Path): The file.
    """
    digest = ""
    for kind in WeightsEnum.__subclasses__():
        for member in kind:
            if member._published.sha256 is None:
                # Its name in the cache is that of its address.
                if path.name == cache_name(member.url):
                    return member
                continue
            digest = digest or file_digest(path)
            if member.is_of(digest):
                return member
    return None
