r"""The demo: a Vision GNN learns handwritten digits, then draws its graphs over a photograph;
ST-GCN learns synthetic motion, then an animation shows it with its edges.

Run it as :obj:`python -m pyg_vision.demo` or :obj:`pyg-vision-demo`; it needs the extra
:obj:`train`, downloads nothing and takes a minute on two cores.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from pyg_vision.datasets import SyntheticMotion
from pyg_vision.nn import ViG
from pyg_vision.prediction import TrainedModel, load_trained
from pyg_vision.visualization import animate_skeleton, draw_vig_graphs

logger = logging.getLogger("pyg_vision.demo")

TARGET = 0.96
MOTION_TARGET = 0.8
# The photograph as the model sees it: grey, and so small that a node is a patch of two pixels,
# as in the digits that it has learned. 14 x 21 patches.
PHOTO_SIZE = (28, 42)
PHOTO_NODES = (68, 80, 234)  # an edge of the roof, the sky, the foot of the tower


def train(recipe: str, folder: Path, epochs: int, seed: int) -> tuple[TrainedModel, float]:
    r"""Trains a model by a recipe that needs no data.

    Args:
        recipe (str): :obj:`"digits"` or :obj:`"synthetic_motion"`.
        folder (Path): The folder of the run, which is removed if it is there.
        epochs (int): How often each sample is seen.
        seed (int): The seed of weights, order and augmentation.

    Returns:
        tuple: The model, and its accuracy on samples that it has not seen.
    """
    from pyg_vision.training import fit

    run = fit(
        recipe,
        folder,
        overrides=[f"--trainer.max_epochs={epochs}", f"--seed={seed}", "--overwrite=true"],
    )
    return load_trained(run.path), run.results()["top1"]


@torch.no_grad()
def draw_photo(model: ViG, path: Path) -> None:
    r"""Draws the graphs of the first and the last block over scikit-learn's :obj:`china.jpg`.

    Args:
        model (ViG): A model of images with one channel.
        path (Path): The PNG file to write.
    """
    from sklearn.datasets import load_sample_image

    photo = torch.from_numpy(load_sample_image("china.jpg").copy()).permute(2, 0, 1) / 255
    grey = photo.mean(dim=0, keepdim=True).unsqueeze(0)
    small = F.interpolate(grey, size=PHOTO_SIZE, mode="bilinear", antialias=True)
    model.eval()
    _, graphs = model.forward_graphs(small)
    figure = draw_vig_graphs(
        crop_to(photo, PHOTO_SIZE),
        graphs[0].graph(0),
        graphs[-1].graph(0),
        grid_size=(PHOTO_SIZE[0] // model.patch_size, PHOTO_SIZE[1] // model.patch_size),
        nodes=PHOTO_NODES,
        titles=(f"Block 1, k = {graphs[0].k}", f"Block {model.depth}, k = {graphs[-1].k}"),
        caption=(
            f"The kNN graph of a Vision GNN over a photograph, for three of its "
            f"{graphs[0].num_nodes} patches. Weights: the small ViG that this demo has just "
            f"trained on handwritten digits; it sees the photograph in grey at "
            f"{PHOTO_SIZE[1]} × {PHOTO_SIZE[0]} pixels and has never seen another one."
        ),
    )
    figure.savefig(path, dpi=100)


@torch.no_grad()
def animate_motion(trained: TrainedModel, path: Path, index: int = 2) -> None:
    r"""Draws an unseen figure in motion, with what a model takes it for.

    Args:
        trained (TrainedModel): A model of synthetic motion.
        path (Path): The GIF file to write.
        index (int, optional): Which sequence of the test split. (default: :obj:`2`)
    """
    data = SyntheticMotion(index + 1, split="test")[index]
    logits = trained.model(trained.transform(data))
    animate_skeleton(data, path, title=f"ST-GCN says: {trained.classes[int(logits.argmax())]}")


def crop_to(photo: Tensor, size: tuple[int, int]) -> Tensor:
    r"""Resizes a photograph to the proportions of a smaller image, for drawing.

    Args:
        photo (torch.Tensor): The photograph :math:`(C, H, W)`.
        size (tuple): The height and width of the smaller image.
    """
    scale = min(photo.size(1) // size[0], photo.size(2) // size[1])
    target = (size[0] * scale, size[1] * scale)
    out = F.interpolate(photo.unsqueeze(0), size=target, mode="bilinear", antialias=True)
    return out.squeeze(0).clamp(0, 1)


def main(arguments: Sequence[str] | None = None) -> int:
    r"""Runs the demo and returns its exit status.

    Args:
        arguments (list, optional): The command line. (default: that of the process)
    """
    parser = argparse.ArgumentParser(
        prog="pyg-vision-demo",
        description="Trains a small Vision GNN on handwritten digits and draws its graphs over a "
        "photograph, then ST-GCN on synthetic motion and draws a figure that moves. Downloads "
        "nothing, takes a minute on two cores.",
    )
    parser.add_argument("--out", type=Path, default=Path("demo_output"), help="where files go")
    parser.add_argument("--epochs", type=int, default=15, help="passes over the digits")
    parser.add_argument("--motion-epochs", type=int, default=5, help="passes over the motions")
    parser.add_argument("--seed", type=int, default=0, help="of weights and order")
    options = parser.parse_args(arguments)
    if options.epochs < 1:
        parser.error(f"--epochs must be at least 1 (got {options.epochs})")
    if options.motion_epochs < 1:
        parser.error(f"--motion-epochs must be at least 1 (got {options.motion_epochs})")
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    options.out.mkdir(parents=True, exist_ok=True)

    digits, accuracy = train("digits", options.out / "digits", options.epochs, options.seed)
    logger.info("accuracy on the held-out third of the digits: %.1f%%", 100 * accuracy)
    picture = options.out / "china_graphs.png"
    draw_photo(digits.model, picture)  # type: ignore[arg-type]
    logger.info("run:      %s", options.out / "digits")
    logger.info("drawing:  %s", picture)

    run = options.out / "motion"
    motion, motion_share = train("synthetic_motion", run, options.motion_epochs, options.seed)
    logger.info("accuracy on synthetic figures that it has not seen: %.1f%%", 100 * motion_share)
    animation = options.out / "motion.gif"
    animate_motion(motion, animation)
    logger.info("run:      %s", run)
    logger.info("drawing:  %s", animation)

    missed = False
    for what, share, target in (
        ("digits", accuracy, TARGET),
        ("motion", motion_share, MOTION_TARGET),
    ):
        if share < target:
            missed = True
            logger.error(
                "the accuracy on %s is below the %.0f%% that it should reach", what, 100 * target
            )
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
