"""What the tests of readers share."""

import json
from pathlib import Path
from typing import Any


def write(folder: Path, name: str, content: Any) -> Path:
    """Writes a file: bytes and text as they are, anything else as JSON."""
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def person(value: float = 1.0, joints: int = 17) -> list[list[float]]:
    """Joints that can be told apart."""
    return [[value + v, 2 * value + v] for v in range(joints)]


def flat(value: float = 1.0, score: float = 0.5, joints: int = 17) -> list[float]:
    """The same with a score, in one list."""
    return [number for x, y in person(value, joints) for number in (x, y, score)]
