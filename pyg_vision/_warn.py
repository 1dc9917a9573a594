r"""Warnings that point at the line of the user who caused them."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import torch

# A model is called through torch's modules; what they call is not the user's.
_INTERNAL = (str(Path(__file__).parent) + os.sep, str(Path(torch.__file__).parent) + os.sep)


def warn(message: str) -> None:
    r"""Warns at the innermost line that is neither of this package nor of torch.

    Args:
        message (str): The warning.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_INTERNAL):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, UserWarning, stacklevel=level + 1)
