r"""What datasets do with items that cannot be read: name them at once, or skip and count them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from pyg_vision.typing import OnError

Item = TypeVar("Item")
Result = TypeVar("Result")
_NAMED = 5


def check_on_error(on_error: str) -> None:
    r"""Raises unless it is one of the two."""
    if on_error not in ("raise", "skip"):
        raise ValueError(f"'on_error' must be 'raise' or 'skip' (got {on_error!r})")


def read_all(
    items: Sequence[Item],
    read: Callable[[Item], Result],
    on_error: OnError,
    what: str,
    logger: logging.Logger,
    describe: Callable[[Item], str] = str,
) -> tuple[list[tuple[Item, Result]], tuple[str, ...]]:
    r"""Reads items, and says which were skipped; a warning names the first of them.

    Args:
        items (list): What :obj:`read` takes.
        read (Callable): The reader, which raises a :class:`ValueError` for a malformed item, or a
            :class:`FileNotFoundError` for one that is absent.
        on_error (str): :obj:`"raise"`, or :obj:`"skip"` to leave out malformed items.
        what (str): What they are called in the warning.
        logger (logging.Logger): Where the warning goes.
        describe (Callable, optional): Names an item. (default: :obj:`str`)

    Returns:
        tuple: The sound items with what was read, and the names of the others.
    """
    check_on_error(on_error)
    sound, skipped = [], []
    for item in items:
        try:
            sound.append((item, read(item)))
        except (ValueError, FileNotFoundError) as error:
            if on_error == "raise":
                raise
            logger.debug("%s", error)
            skipped.append(describe(item))
    warn_of_skipped(skipped, len(items), what, logger)
    return sound, tuple(skipped)


def warn_of_skipped(skipped: Sequence[str], total: int, what: str, logger: logging.Logger) -> None:
    r"""Says in one warning how many items were skipped, and names the first of them."""
    if not skipped:
        return
    more = len(skipped) - _NAMED
    logger.warning(
        "skipped %d of %d %s: %s%s",
        len(skipped),
        total,
        what,
        ", ".join(skipped[:_NAMED]),
        f" and {more} more" if more > 0 else "",
    )
