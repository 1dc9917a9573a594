"""What a clone runs: ``python -m benchmarks`` is ``pyg-vision benchmark``."""
