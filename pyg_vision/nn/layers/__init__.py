r"""Layers that act on each node, or along the track of each joint."""
