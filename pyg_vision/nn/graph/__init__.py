r"""Modules that build graphs."""
