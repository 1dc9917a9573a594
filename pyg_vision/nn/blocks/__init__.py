r"""Blocks that models are built from."""
