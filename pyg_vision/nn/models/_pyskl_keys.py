r"""The names of pyskl's and mmaction2's checkpoints, which its families share."""

from __future__ import annotations

from torch import Tensor

from pyg_vision.weights.key_rules import flatten_1x1

BLOCK = r"^backbone\.gcn\.(\d+)\."
# What learning began with, which is no part of the model; a pattern of what is left out.
START = r"^backbone\.A$"
COMMON = (
    (START, "start"),
    (r"^backbone\.data_bn\.", "data_bn."),
    (r"^cls_head\.(?:fc_cls|fc)\.", "fcn."),
    (BLOCK + r"residual\.conv\.", r"blocks.\1.residual.0."),
    (BLOCK + r"residual\.bn\.", r"blocks.\1.residual.1."),
)
UNIT = (
    (BLOCK + r"gcn\.bn\.", r"blocks.\1.gcn.bn."),
    (BLOCK + r"gcn\.down\.(\d)\.", r"blocks.\1.gcn.down.\2."),
)
MULTI_SCALE = (
    (BLOCK + r"tcn\.branches\.(\d)\.3\.conv\.", r"blocks.\1.tcn.branches.\2.3."),
    (BLOCK + r"tcn\.branches\.5\.(weight|bias)$", r"blocks.\1.tcn.branches.5.0.\2"),
    (BLOCK + r"tcn\.branches\.(\d)\.(\d)\.", r"blocks.\1.tcn.branches.\2.\3."),
    (BLOCK + r"tcn\.transform\.(\d)\.", r"blocks.\1.tcn.merge.\2."),
    (BLOCK + r"tcn\.bn\.", r"blocks.\1.tcn.merge.3."),
    (BLOCK + r"tcn\.add_coeff$", r"blocks.\1.tcn.add_coeff"),
)


def from_zero(name: str | None) -> str | None:
    r"""Counts blocks from zero in a name of ours that counts them from one, as official codes do.

    Args:
        name (str, optional): The name, :obj:`None` if there is none.
    """
    if name is None or not name.startswith("blocks."):
        return name
    first, number, rest = name.split(".", 2)
    return f"{first}.{int(number) - 1}.{rest}"


def fit_relations(name: str, value: Tensor, own: Tensor) -> Tensor | None:
    r"""Turns a 1x1 convolution to all relations into the weights of each.

    Args:
        name (str): Our name of the tensor.
        value (torch.Tensor): The published tensor.
        own (torch.Tensor): Ours.
    """
    if ".gcn.conv.conv." in name and value.numel() == own.numel():
        # [R * out, in, 1, 1] to [R, in, out].
        if own.dim() == 3 and value.shape[1:] == (own.size(1), 1, 1):
            return value.flatten(1).view(own.size(0), own.size(2), own.size(1)).mT
        if own.dim() == 2 and value.dim() == 1:
            return value.view(own.shape)
    return flatten_1x1(name, value, own)
