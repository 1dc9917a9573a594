r"""Message passing layers."""
