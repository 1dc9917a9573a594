r"""Image graphs: images as sets of patch nodes, and the inverse."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch_geometric.data import Data

from pyg_vision.data.grid import grid_pos, patch_grid
from pyg_vision.data.size import Size2D, as_size, describe_size, describe_sizes, read_sizes


def image_to_patches(image: Tensor, patch_size: int | Sequence[int]) -> Tensor:
    r"""Cuts images into non-overlapping patches, one row of features for each patch.

    The patches are in row-major order: first the uppermost row, from left to right. The features
    of a patch are its pixels in the order channel, row, column. The values are only rearranged,
    so that any data type is accepted, and :func:`patches_to_image` is the exact inverse.

    Args:
        image (torch.Tensor): One image, or a batch of images of the same size.
        patch_size (int or tuple): Height and width of a patch in pixels.

    Shapes:
        - **input:** :math:`(C, H, W)` or :math:`(B, C, H, W)`
        - **output:** :math:`(N, C \cdot p_h \cdot p_w)` or :math:`(B, N, C \cdot p_h \cdot p_w)`,
          where :math:`N = H / p_h \cdot W / p_w`

    Raises:
        TypeError: If the image is not a tensor, or the patch size is not an integer or a pair of
            integers.
        ValueError: If the image has another number of dimensions or does not divide into patches.

    Example:
        >>> import torch
        >>> from pyg_vision.data import image_to_patches
        >>> image_to_patches(torch.rand(3, 32, 32), patch_size=8).shape
        torch.Size([16, 192])
        >>> image_to_patches(torch.rand(4, 3, 32, 32), patch_size=8).shape
        torch.Size([4, 16, 192])
    """
    if not isinstance(image, Tensor):
        raise TypeError(f"'image' must be a tensor (got '{type(image).__name__}')")
    if image.dim() not in (3, 4) or image.numel() == 0:
        raise ValueError(
            f"'image' must be [channels, height, width] or [batch, channels, height, width] and "
            f"not empty (got shape {list(image.shape)})"
        )
    patch = as_size("patch_size", patch_size)
    grid = patch_grid((image.size(-2), image.size(-1)), patch)
    (*batch, channels, _, _), num_nodes = image.shape, grid.height * grid.width
    out = image.reshape(*batch, channels, grid.height, patch.height, grid.width, patch.width)
    out = out.movedim((-4, -2), (-5, -4))  # [..., h, w, C, p_h, p_w]
    num_features = channels * patch.height * patch.width
    return out.reshape(*batch, num_nodes, num_features).contiguous()


def patches_to_image(
    x: Tensor, grid_size: Sequence[int], patch_size: int | Sequence[int]
) -> Tensor:
    r"""Assembles images from patches: the exact inverse of :func:`image_to_patches`.

    Args:
        x (torch.Tensor): The features of the patches of one image, or of a batch of images.
        grid_size (tuple): The number of patches in height and width, :math:`(h, w)`.
        patch_size (int or tuple): Height and width of a patch in pixels.

    Shapes:
        - **input:** :math:`(N, C \cdot p_h \cdot p_w)` or :math:`(B, N, C \cdot p_h \cdot p_w)`,
          where :math:`N = h \cdot w`
        - **output:** :math:`(C, H, W)` or :math:`(B, C, H, W)`

    Raises:
        TypeError: If :obj:`x` is not a tensor, or a size is not a pair of integers.
        ValueError: If the number of nodes or of features does not fit the sizes.

    Example:
        >>> import torch
        >>> from pyg_vision.data import image_to_patches, patches_to_image
        >>> image = torch.rand(3, 32, 48)
        >>> x = image_to_patches(image, patch_size=8)
        >>> torch.equal(patches_to_image(x, grid_size=(4, 6), patch_size=8), image)
        True
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"'x' must be a tensor (got '{type(x).__name__}')")
    if x.dim() not in (2, 3):
        raise ValueError(
            f"'x' must be [nodes, features] or [batch, nodes, features] (got shape {list(x.shape)})"
        )
    grid, patch = as_size("grid_size", grid_size), as_size("patch_size", patch_size)
    num_nodes, area = grid.height * grid.width, patch.height * patch.width
    if x.size(-2) != num_nodes:
        raise ValueError(
            f"a grid of {describe_size(grid)} patches has {num_nodes} nodes (got {x.size(-2)} "
            f"nodes in 'x' of shape {list(x.shape)})"
        )
    if x.size(-1) % area or x.size(-1) == 0:
        raise ValueError(
            f"patches of {describe_size(patch)} pixels have a multiple of {area} features "
            f"(got {x.size(-1)})"
        )
    batch, channels = x.shape[:-2], x.size(-1) // area
    out = x.reshape(*batch, grid.height, grid.width, channels, patch.height, patch.width)
    out = out.movedim((-5, -4), (-4, -2))  # [..., C, h, p_h, w, p_w]
    height, width = grid.height * patch.height, grid.width * patch.width
    return out.reshape(*batch, channels, height, width).contiguous()


def image_graph(image: Tensor, patch_size: int | Sequence[int]) -> Data:
    r"""Turns an image into a graph whose nodes are its patches, without edges.

    Args:
        image (torch.Tensor): The image :math:`(C, H, W)`, whose values are not changed. (The
            transforms in :mod:`pyg_vision.transforms` also take other formats, and scale them.)
        patch_size (int or tuple): Height and width of a patch in pixels.

    Returns:
        torch_geometric.data.Data: A graph with

        * :obj:`x` :math:`(N, C \cdot p_h \cdot p_w)`, the pixels of each patch in the order of
          :func:`image_to_patches`;
        * :obj:`pos` :math:`(N, 2)`, the centre :math:`(x, y)` of each patch in pixels, :math:`x`
          to the right and :math:`y` downwards, see :func:`grid_pos`;
        * :obj:`grid_size` and :obj:`patch_size`, tuples (height, width) of Python integers. In a
          :class:`~torch_geometric.data.Batch` they become lists of such tuples, one for each
          graph.

    Raises:
        TypeError: If the image is not a tensor, or the patch size is not an integer or a pair of
            integers.
        ValueError: If the image is not :math:`(C, H, W)` or does not divide into patches.

    Example:
        >>> import torch
        >>> from pyg_vision.data import image_graph
        >>> data = image_graph(torch.rand(3, 32, 48), patch_size=8)
        >>> data.x.shape, data.pos.shape
        (torch.Size([24, 192]), torch.Size([24, 2]))
        >>> data.grid_size
        Size2D(height=4, width=6)
    """
    if isinstance(image, Tensor) and image.dim() != 3:
        raise ValueError(
            f"'image' must be [channels, height, width] (got shape {list(image.shape)})"
        )
    patch = as_size("patch_size", patch_size)
    x = image_to_patches(image, patch)
    grid = patch_grid((image.size(-2), image.size(-1)), patch)
    pos = grid_pos(grid, patch, device=image.device)
    return Data(x=x, pos=pos, grid_size=grid, patch_size=patch)


def fold_batch(batch: Data) -> Tensor:
    r"""Folds a batch of patch graphs back into images, without loss.

    This is the inverse of :func:`image_graph` and of the transforms to patch nodes for a whole
    batch. Sizes are read from Python metadata only, so there is no GPU synchronisation.

    Args:
        batch (torch_geometric.data.Data): A :class:`~torch_geometric.data.Batch` of patch graphs
            from PyG's :class:`~torch_geometric.loader.DataLoader`, or a single graph, which is
            a batch of one.

    Returns:
        torch.Tensor: The images :math:`(B, C, H, W)`.

    Raises:
        TypeError: If :obj:`batch` is not a graph, or its metadata are not tuples of Python
            integers.
        ValueError: If features or metadata are missing, if the images differ in size (and so
            cannot be stacked), or if the number of nodes does not fit.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Batch
        >>> from pyg_vision.data import fold_batch, image_graph
        >>> images = [torch.rand(3, 32, 32) for _ in range(4)]
        >>> batch = Batch.from_data_list([image_graph(image, patch_size=8) for image in images])
        >>> batch.x.shape
        torch.Size([64, 192])
        >>> fold_batch(batch).shape
        torch.Size([4, 3, 32, 32])
    """
    x, grids, patches = _parts(batch)
    grid, patch = _common("grid_size", grids), _common("patch_size", patches)
    num_graphs, num_nodes = len(grids), grid.height * grid.width
    if x.size(0) != num_graphs * num_nodes:
        raise ValueError(
            f"{num_graphs} graph(s) with a grid of {describe_size(grid)} patches have "
            f"{num_graphs * num_nodes} nodes (got {x.size(0)}); were nodes added or removed "
            f"after the image was cut?"
        )
    _check_ptr(batch, num_nodes)
    return patches_to_image(x.reshape(num_graphs, num_nodes, x.size(1)), grid, patch)


def _parts(batch: Data) -> tuple[Tensor, list[Size2D], list[Size2D]]:
    r"""Returns the nodes of patch graphs, and the sizes of their grids and patches."""
    if not isinstance(batch, Data):
        raise TypeError(
            f"'batch' must be a torch_geometric.data.Data or Batch (got '{type(batch).__name__}')"
        )
    x = batch.x
    if not isinstance(x, Tensor) or x.dim() != 2:
        found = f"shape {list(x.shape)}" if isinstance(x, Tensor) else f"'{type(x).__name__}'"
        raise ValueError(f"the graph needs node features 'x' [nodes, features] (got {found})")
    grids, patches = read_sizes(batch, "grid_size"), read_sizes(batch, "patch_size")
    if len(grids) != len(patches):
        raise ValueError(
            f"'grid_size' and 'patch_size' must be given for the same graphs (got {len(grids)} "
            f"and {len(patches)} of them)"
        )
    return x, grids, patches


def fold_images(batch: Data) -> list[Tensor]:
    r"""Folds a batch of patch graphs back into images of any sizes, see :func:`fold_batch`.

    Args:
        batch (torch_geometric.data.Data): A :class:`~torch_geometric.data.Batch` of patch graphs,
            or a single graph.

    Returns:
        list of torch.Tensor: The images :math:`(C, H, W)`.

    Raises:
        TypeError: As :func:`fold_batch`.
        ValueError: As :func:`fold_batch`, but for images that differ in size.

    Example:
        >>> import torch
        >>> from torch_geometric.data import Batch
        >>> from pyg_vision.data import fold_images, image_graph
        >>> images = [torch.rand(3, 32, 32), torch.rand(3, 24, 48)]
        >>> batch = Batch.from_data_list([image_graph(image, patch_size=8) for image in images])
        >>> [tuple(image.shape) for image in fold_images(batch)]
        [(3, 32, 32), (3, 24, 48)]
    """
    x, grids, patches = _parts(batch)
    counts = [grid.height * grid.width for grid in grids]
    if x.size(0) != sum(counts):
        raise ValueError(
            f"{len(grids)} graph(s) with grids of {describe_sizes(grids)} patches have "
            f"{sum(counts)} nodes (got {x.size(0)}); were nodes added or removed after the image "
            f"was cut?"
        )
    parts = torch.split(x, counts)
    return [
        patches_to_image(part.unsqueeze(0), grid, patch).squeeze(0)
        for part, grid, patch in zip(parts, grids, patches, strict=True)
    ]


def _common(key: str, sizes: list[Size2D]) -> Size2D:
    if len(set(sizes)) > 1:
        raise ValueError(
            f"pictures of different sizes cannot be stacked (got a '{key}' of "
            f"{describe_sizes(sizes)}); resize the images before they are cut, or fold each graph "
            f"of batch.to_data_list() by itself"
        )
    return sizes[0]


def _check_ptr(batch: Data, num_nodes: int) -> None:
    r"""Checks the size of each graph where this does not mean waiting for a device."""
    ptr = batch.ptr if "ptr" in batch else None
    if not isinstance(ptr, Tensor) or ptr.device.type != "cpu" or torch.compiler.is_compiling():
        return
    counts = ptr.diff()
    if bool((counts != num_nodes).any()):
        raise ValueError(
            f"each graph must have {num_nodes} nodes like its grid (got {counts.tolist()}); were "
            f"nodes added or removed after the image was cut?"
        )
