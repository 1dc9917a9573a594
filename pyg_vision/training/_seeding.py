r"""Random numbers that depend on a key alone, not on what was drawn before."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_of(*key: int | str) -> int:
    r"""Returns a seed for a key, of 63 bits; that of another key has nothing to do with it.

    Args:
        *key (int or str): What names the use of the random numbers.
    """
    text = "\0".join(map(str, key)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def set_seed(*key: int | str) -> None:
    r"""Seeds the generators of Python, numpy and torch, on all devices, with a key.

    Args:
        *key (int or str): What names the use of the random numbers.
    """
    seed = seed_of(*key)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextmanager
def seeded(*key: int | str) -> Iterator[None]:
    r"""Seeds the generators of Python, numpy and torch's CPU for a while; they go on as before
    afterwards.

    Args:
        *key (int or str): What names the use of the random numbers.
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    seed = seed_of(*key)
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
