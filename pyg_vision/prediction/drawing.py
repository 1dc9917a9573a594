r"""Drawings of what a model saw and said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from pyg_vision.data import fold_batch
from pyg_vision.explain import attribute, listen
from pyg_vision.prediction._prediction import Prediction
from pyg_vision.prediction.trained_model import TrainedModel, node_scores, run_model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pyg_vision.explain.attribution import Method

LEGIBLE = 32  # patches in height and width, at most


def draw_prediction(trained: TrainedModel, value: Any, prediction: Prediction) -> Figure:
    r"""Draws an image with the graphs of the first and the last block of its model (of a pyramid,
    the first block of at most 32 patches in height and width, and the last), or a sequence
    with the response of each joint: how much it speaks for the predicted class.

    An image is drawn as the model saw it, and without graphs if the model has none.

    Args:
        trained (TrainedModel): The model.
        value (PIL.Image.Image or Data): The image or the sequence.
        prediction (Prediction): What was predicted.

    Raises:
        ImportError: If :obj:`matplotlib` is not installed.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.nn import STGCN
        >>> from pyg_vision.prediction import Predictor, TrainedModel, draw_prediction
        >>> data = SyntheticMotion(num_sequences=1, num_frames=12)[0]
        >>> trained = TrainedModel.of(STGCN(in_channels=3, num_classes=7).eval())
        >>> figure = draw_prediction(trained, data, Predictor(trained)(data)[0])
        >>> figure.savefig("prediction.png")
    """
    if trained.kind == "skeleton":
        return _draw_sequence(trained, value, prediction)
    return _draw_image(trained, value, prediction)


def joint_response(trained: TrainedModel, data: Data, label: int) -> Tensor:
    r"""Returns how much each joint in each frame speaks for a class, from 0 to 1.

    It is the score that the classifier gives to the features of a joint, from the least to the
    greatest of the sequence; a model that shortens time has one for several frames. Where the model
    sees a frame more than once, in several clips or in one that was repeated, it is the mean; where
    it sees none of a person, zero.

    Args:
        trained (TrainedModel): A model of skeletons with :obj:`extract_feature`.
        data (torch_geometric.data.Data): The sequence.
        label (int): The class.

    Example:
        >>> from pyg_vision.datasets import SyntheticMotion
        >>> from pyg_vision.nn import STGCN
        >>> from pyg_vision.prediction import TrainedModel, joint_response
        >>> data = SyntheticMotion(num_sequences=1, num_frames=12)[0]
        >>> trained = TrainedModel.of(STGCN(in_channels=3, num_classes=7).eval())
        >>> joint_response(trained, data, label=2).shape
        torch.Size([1, 12, 18])
    """
    return _response(trained, data, label)


def draw_blocks(
    trained: TrainedModel,
    image: Any,
    points: Sequence[Sequence[float]] | None = None,
    blocks: Sequence[int] | None = None,
) -> Figure:
    r"""Draws which patches a few patches of an image listen to in each block of its model.

    See :func:`~pyg_vision.visualization.draw_block_graphs`. The image is drawn as the model saw it.

    Args:
        trained (TrainedModel): A Vision GNN.
        image (PIL.Image.Image): The image.
        points (list, optional): The places of the patches, as pairs of row and column, each a share
            from 0 to 1 of height and width. (default: two that differ)
        blocks (list of int, optional): Which blocks. (default: all, or twelve of them)

    Raises:
        ImportError: If :obj:`matplotlib` is not installed.
        TypeError: If the model does not build graphs of images.
        ValueError: If there is no such block, or a place lies outside the image.

    Example:
        >>> from PIL import Image
        >>> from pyg_vision.nn import ViG
        >>> from pyg_vision.prediction import TrainedModel, draw_blocks
        >>> model = ViG(channels=16, depth=2, k=3, num_classes=2, image_size=32)
        >>> trained = TrainedModel.of(model, ["cat", "dog"])
        >>> draw_blocks(trained, Image.new("RGB", (40, 32))).savefig("blocks.png")
    """
    from pyg_vision.visualization import draw_block_graphs

    pixels, single = _seen(trained, image)
    graphs = [
        graph._replace(share=graph.share.cpu())
        for graph in listen(trained.model, single)  # type: ignore[arg-type]
    ]
    return draw_block_graphs(pixels, graphs, points, blocks)


def draw_class(
    trained: TrainedModel,
    image: Any,
    label: str | None = None,
    method: Method = "integrated_gradients",
) -> Figure:
    r"""Draws which pixels of an image speak for a class.

    See :func:`~pyg_vision.explain.attribute` and
    :func:`~pyg_vision.visualization.draw_attribution`. The image is drawn as the model saw it.

    Args:
        trained (TrainedModel): A model of images.
        image (PIL.Image.Image): The image.
        label (str, optional): The class. (default: the most probable one)
        method (str, optional): How pixels are found. (default: :obj:`"integrated_gradients"`)

    Raises:
        ImportError: If :obj:`matplotlib` is not installed.
        TypeError: If the model is none of images.
        ValueError: If there is no such class or method.

    Example:
        >>> from PIL import Image
        >>> from pyg_vision.nn import ViG
        >>> from pyg_vision.prediction import TrainedModel, draw_class
        >>> model = ViG(channels=16, depth=2, k=3, num_classes=2, image_size=32)
        >>> trained = TrainedModel.of(model, ["cat", "dog"])
        >>> draw_class(trained, Image.new("RGB", (40, 32)), "dog").savefig("dog.png")
    """
    from pyg_vision.visualization import draw_attribution

    if label is not None and label not in trained.classes:
        raise ValueError(f"'label' must be one of {len(trained.classes)} classes (got {label!r})")
    pixels, single = _seen(trained, image)
    with torch.inference_mode():
        shares = trained.probabilities(run_model(trained.model, single.unsqueeze(0)).float())[0]
    target = int(shares.argmax()) if label is None else trained.classes.index(label)
    found = attribute(trained.model, single, target, method=method)
    title = f"{trained.classes[target]}, {100 * float(shares[target]):.0f}%"
    signed = method != "saliency"
    drawn = draw_attribution(pixels, found, title=title, signed=signed)
    return drawn.figure  # type: ignore[return-value]


def _seen(trained: TrainedModel, image: Any) -> tuple[Tensor, Tensor]:
    r"""Returns an image as the model sees it: its pixels in [0, 1], and its input."""
    made = trained.transform(image) if trained.kind == "image" else None
    if not isinstance(made, Tensor):
        raise TypeError("the model must be one of images, not of skeletons or graphs of patches")
    std, mean = (torch.tensor(trained.input[name]).view(-1, 1, 1) for name in ("std", "mean"))
    pixels = (made * std + mean).clamp(0, 1)
    return pixels, made.to(next(trained.model.parameters()).device)


def _response(trained: TrainedModel, data: Data, label: int) -> Tensor:
    r"""Returns the response of the joints, of the clips that the model saw of a sequence."""
    shape = data.skeleton_shape
    marked = data.__copy__()
    persons, frames = (torch.arange(1.0, size + 1) for size in shape[:2])  # zero is no one
    marked.source = torch.stack(torch.meshgrid(persons, frames, indexing="ij"), dim=-1)
    marked.source = marked.source.repeat_interleave(shape[2], dim=1).flatten(0, 1)
    marked.source = marked.source.to(data.x.device)
    made = trained.transform(marked)
    clips: list[Data] = made if isinstance(made, list) else [made]
    joints = {clip.skeleton_shape[2] for clip in clips}
    if joints != {shape[2]}:
        raise ValueError(
            f"the response is of the joints that the model sees, of which there are others than "
            f"the {shape[2]} of the sequence (got {min(joints)}); give the sequence these joints"
        )
    total, count = torch.zeros(tuple(shape)), torch.zeros(*shape[:2], 1)
    for clip, scores in zip(clips, _scores_of(trained, clips, label), strict=True):
        # A frame between two is the nearer one's.
        where = clip.source.view(*clip.skeleton_shape, 2)[:, :, 0].round().long()
        there = (where > 0).all(dim=-1)
        places = tuple((where[there] - 1).unbind(dim=-1))
        total.index_put_(places, scores[there], accumulate=True)
        count.index_put_(places, torch.ones(len(places[0]), 1), accumulate=True)
    mean = total / count.clamp(min=1)
    for person, seen in zip(mean, count[..., 0] > 0, strict=True):
        if bool(seen.any()):  # frames that were left out are like the nearest that was not
            known = seen.nonzero().flatten()
            distance = (torch.arange(len(seen))[:, None] - known).abs()
            person.copy_(person[known[distance.argmin(dim=1)]])
    return mean


def _scores_of(trained: TrainedModel, clips: list[Data], label: int) -> list[Tensor]:
    r"""Returns the score of each joint of each clip, from 0 to 1."""
    device = next(trained.model.parameters()).device
    found = []
    for clip in clips:
        persons, length, _ = clip.skeleton_shape
        with torch.inference_mode():
            scores = node_scores(trained.model, Batch.from_data_list([clip]).to(device))
        scores = scores[:persons, ..., label].cpu().float()  # a model may fill up persons
        found.append(scores[:, torch.arange(length) * scores.size(1) // length])
    low, high = min(float(s.min()) for s in found), max(float(s.max()) for s in found)
    return [(scores - low) / max(high - low, 1e-12) for scores in found]


def _draw_sequence(trained: TrainedModel, data: Data, prediction: Prediction) -> Figure:
    from pyg_vision.visualization import draw_skeleton

    response = _response(trained, data, trained.classes.index(prediction.label))
    caption = "Discs: how much a joint speaks for that class, the larger the more."
    title = _title(prediction, trained.multi_label)
    return draw_skeleton(data, title=title, caption=caption, response=response)


def _draw_image(trained: TrainedModel, image: Any, prediction: Prediction) -> Figure:
    from pyg_vision.visualization import draw_vig_graphs

    made = trained.transform(image)
    if isinstance(made, Data):
        pixels = fold_batch(made)[0].clamp(0, 1)
        device = next(trained.model.parameters()).device
        batch: Any = Batch.from_data_list([made]).to(device)
    else:
        pixels, single = _seen(trained, image)
        batch = single.unsqueeze(0)
    title = _title(prediction, trained.multi_label)
    if not hasattr(trained.model, "forward_graphs"):
        return _draw_alone(pixels, title)
    with torch.inference_mode():
        _, graphs = trained.model.forward_graphs(batch)  # type: ignore[operator]
    grids: Any = trained.model.block_grids(*pixels.shape[-2:])  # type: ignore[operator]
    # The patches of the first stages of a pyramid are too small for a drawing.
    first = next((i for i, (grid, _) in enumerate(grids) if max(grid) <= LEGIBLE), len(grids) - 1)
    (grid, sources), (last_grid, last_sources) = grids[first], grids[-1]
    return draw_vig_graphs(
        pixels,
        graphs[first].to("cpu"),
        graphs[-1].to("cpu"),
        grid,
        titles=("First block" if first == 0 else f"Block {first + 1}", "Last block"),
        caption=title,
        last_grid_size=last_grid,
        source_grid_sizes=(sources, last_sources),
    )


def _draw_alone(pixels: Tensor, title: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.0, 4.4), layout="constrained")
    ax = figure.add_subplot()
    ax.imshow(pixels.expand(3, -1, -1).permute(1, 2, 0).numpy())
    ax.set_axis_off()
    ax.set_title(title, fontsize=10, loc="left")
    return figure


def _title(prediction: Prediction, multi_label: bool = False) -> str:
    r"""Returns the most probable class, or all labels of at least one half; whom and when."""
    shown = len(prediction.labels()) if multi_label else 1
    pairs = list(zip(prediction.classes, prediction.probabilities, strict=True))[:shown]
    parts = [f"{name}, {100 * value:.0f}%" for name, value in pairs] or ["no label"]
    if prediction.person is not None:
        parts.append(f"person {prediction.person}")
    if prediction.frames is not None:
        parts.append(f"frames {prediction.frames[0]} to {prediction.frames[1] - 1}")
    return ", ".join(parts)
