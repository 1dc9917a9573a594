r"""Readers of skeleton files, each strict about what it reads."""
