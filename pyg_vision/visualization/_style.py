r"""Colours: one for each relation, in every drawing."""

from __future__ import annotations

DARK = "#14181d"
GREY = "#6b7280"
GROUND = "#f6f7f9"
RESPONSE = "#f2b90c"

# Okabe and Ito's colours, which colour-blind eyes can tell apart, and darker ones for farther hops.
TEMPORAL = "#009E73"
SELF = "#CC79A7"
NEARER = ("#0072B2", "#56B4E9", "#003B5C")  # by hops: edges from joints nearer the centre
FARTHER = ("#E69F00", "#D55E00", "#7A3500")
ANY = ("#3A3F47", "#8C6BB1", "#A6761D", "#66A61E", "#5E4FA2", "#9E0142")


def mix(color: str, other: str, share: float) -> str:
    r"""Returns a colour with a share of another in it."""
    from matplotlib.colors import to_hex, to_rgb

    pairs = zip(to_rgb(color), to_rgb(other), strict=True)
    red, green, blue = ((1.0 - share) * a + share * b for a, b in pairs)
    return to_hex((red, green, blue))
