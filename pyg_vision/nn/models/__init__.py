r"""Models, one family a file."""
