r"""Drawings of what a model saw and said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch_geometric.data import Batch, Data

from pyg_vision.data import fold_batch
from pyg_vision.prediction.predictor import Prediction
from pyg_vision.prediction.trained_model import TrainedModel, node_scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    greatest of the sequence; a model that shortens time has one for several frames.

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
    return _response(trained, _clip(trained, data), label, data.skeleton_shape[1])


def _clip(trained: TrainedModel, data: Data) -> Data:
    made = trained.transform(data)
    clip: Data = made[0] if isinstance(made, list) else made
    return clip


def _response(trained: TrainedModel, clip: Data, label: int, length: int) -> Tensor:
    r"""Returns the response of the joints of a clip, spread over so many frames."""
    device = next(trained.model.parameters()).device
    with torch.inference_mode():
        found = node_scores(trained.model, Batch.from_data_list([clip]).to(device))
    scores, frames = found[..., label].cpu().float(), found.size(1)
    scores = (scores - scores.min()) / (scores.max() - scores.min()).clamp(min=1e-12)
    return scores[:, torch.arange(length) * frames // length]


def _draw_sequence(trained: TrainedModel, data: Data, prediction: Prediction) -> Figure:
    from pyg_vision.visualization import draw_skeleton

    clip = _clip(trained, data)
    # Where persons were left out, what is left is drawn.
    shown = data if clip.skeleton_shape[0] == data.skeleton_shape[0] else clip
    label = trained.classes.index(prediction.label)
    response = _response(trained, clip, label, shown.skeleton_shape[1])
    caption = "Discs: how much a joint speaks for that class, the larger the more."
    return draw_skeleton(shown, title=_title(prediction), caption=caption, response=response)


def _draw_image(trained: TrainedModel, image: Any, prediction: Prediction) -> Figure:
    from pyg_vision.visualization import draw_vig_graphs

    made = trained.transform(image)
    device = next(trained.model.parameters()).device
    if isinstance(made, Data):
        pixels = fold_batch(made)[0]
        batch: Any = Batch.from_data_list([made]).to(device)
    else:
        std, mean = (torch.tensor(trained.input[name]).view(-1, 1, 1) for name in ("std", "mean"))
        pixels = made * std + mean
        batch = made.unsqueeze(0).to(device)
    pixels = pixels.clamp(0, 1)
    if not hasattr(trained.model, "forward_graphs"):
        return _draw_alone(pixels, prediction)
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
        caption=_title(prediction),
        last_grid_size=last_grid,
        source_grid_sizes=(sources, last_sources),
    )


def _draw_alone(pixels: Tensor, prediction: Prediction) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.0, 4.4), layout="constrained")
    ax = figure.add_subplot()
    ax.imshow(pixels.expand(3, -1, -1).permute(1, 2, 0).numpy())
    ax.set_axis_off()
    ax.set_title(_title(prediction), fontsize=10, loc="left")
    return figure


def _title(prediction: Prediction) -> str:
    parts = [f"{prediction.label}, {100 * prediction.probabilities[0]:.0f}%"]
    if prediction.person is not None:
        parts.append(f"person {prediction.person}")
    if prediction.frames is not None:
        parts.append(f"frames {prediction.frames[0]} to {prediction.frames[1] - 1}")
    return ", ".join(parts)
