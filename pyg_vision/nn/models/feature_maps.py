r"""Image models as backbones: their maps, and a feature pyramid over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor
from torch.nn import Module

from pyg_vision._checks import check_int
from pyg_vision.nn.models._vision_gnn import VisionGNN

if TYPE_CHECKING:  # slow to import, and not needed by most
    from torchvision.ops.feature_pyramid_network import ExtraFPNBlock


class FeatureMaps(Module):
    r"""The maps that an image model computes after its stages, as a module.

    Torchvision's :obj:`create_feature_extractor` gives them too, by the names of stages or blocks:
    a block is one node of the graph that it records.

    Args:
        model (ViG or PyramidViG): The model. Its head is removed.
        indices (int or list, optional): After which stages of a pyramid or blocks of an isotropic
            model; negative ones count from the end, a number means so many of the last.
            (default: after all)

    Shapes:
        - **input:** images :math:`(B, C_{in}, H, W)`
        - **output:** maps :math:`(B, C, H / s, W / s)` by the names :obj:`"0"`, :obj:`"1"`, ...

    Raises:
        ValueError: If the model has no such stage.

    Example:
        >>> import torch
        >>> from pyg_vision.nn import FeatureMaps, PyramidViG
        >>> model = PyramidViG(channels=(16, 32, 48, 64), depths=(1, 1, 1, 1))
        >>> maps = FeatureMaps(model, [1, 3]).eval()
        >>> {name: tuple(m.shape) for name, m in maps(torch.rand(1, 3, 128, 128)).items()}
        {'0': (1, 32, 16, 16), '1': (1, 64, 4, 4)}
        >>> maps.channels, maps.strides
        ((32, 64), (8, 32))
    """

    channels: tuple[int, ...]  # of each map
    strides: tuple[int, ...]  # of each map, in pixels of the image

    def __init__(self, model: VisionGNN, indices: int | Sequence[int] | None = None) -> None:
        super().__init__()
        if not isinstance(model, VisionGNN):
            raise TypeError(f"'model' must be a ViG or PyramidViG (got '{type(model).__name__}')")
        self.indices = model.check_indices(indices)
        infos = model._map_info()
        self.channels = tuple(infos[i][0] for i in self.indices)
        self.strides = tuple(infos[i][1] for i in self.indices)
        model.reset_classifier(0)
        self.model = model

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        r"""Returns the maps.

        Args:
            x (torch.Tensor): The images.
        """
        _, maps = self.model.forward_intermediates(x, self.indices)
        return {str(i): found for i, found in enumerate(maps)}


class BackboneWithFPN(Module):
    r"""An image model with the feature pyramid of the `"Feature Pyramid Networks for Object
    Detection" <https://arxiv.org/abs/1612.03144>`_ paper, for torchvision's detectors; it is to
    our models what torchvision's class of this name is to a ResNet.

    Args:
        model (ViG or PyramidViG): The model. Its head is removed.
        out_channels (int, optional): The channels of each map. (default: :obj:`256`)
        indices (int or list, optional): Which maps, see :class:`FeatureMaps`.
            (default: after all)
        extra_blocks (ExtraFPNBlock, optional): Makes further, smaller maps.
            (default: torchvision's :obj:`LastLevelMaxPool`)

    Shapes:
        - **input:** images :math:`(B, C_{in}, H, W)`
        - **output:** maps :math:`(B, \textrm{out_channels}, H / s, W / s)` by their names

    Raises:
        ValueError: If the model has no such stage.

    Example:
        >>> import torch
        >>> from torchvision.models.detection import FasterRCNN
        >>> from pyg_vision.nn import BackboneWithFPN, PyramidViG
        >>> model = PyramidViG(channels=(16, 32, 48, 64), depths=(1, 1, 1, 1))
        >>> backbone = BackboneWithFPN(model, out_channels=32)
        >>> {name: tuple(m.shape[2:]) for name, m in backbone(torch.rand(1, 3, 128, 128)).items()}
        {'0': (32, 32), '1': (16, 16), '2': (8, 8), '3': (4, 4), 'pool': (2, 2)}
        >>> detector = FasterRCNN(backbone, num_classes=4)
    """

    def __init__(
        self,
        model: VisionGNN,
        out_channels: int = 256,
        indices: int | Sequence[int] | None = None,
        extra_blocks: ExtraFPNBlock | None = None,
    ) -> None:
        from torchvision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool

        super().__init__()
        self.out_channels = check_int("out_channels", out_channels)
        self.body = FeatureMaps(model, indices)
        self.fpn = FeaturePyramidNetwork(
            list(self.body.channels),
            out_channels,
            LastLevelMaxPool() if extra_blocks is None else extra_blocks,
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        r"""Returns the maps.

        Args:
            x (torch.Tensor): The images.
        """
        maps: dict[str, Tensor] = self.fpn(self.body(x))
        return maps
