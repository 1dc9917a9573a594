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
from torch.nn import Module
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch_geometric.data import Dataset
from torch_geometric.loader import DataLoader
from torch_geometric.transforms import Compose

from pyg_vision.datasets import DigitsGraphs, SyntheticMotion
from pyg_vision.nn import STGCN, ViG
from pyg_vision.transforms import CenterSkeleton, RandomChooseFrames, ScaleSkeleton
from pyg_vision.visualization import animate_skeleton, draw_vig_graphs

logger = logging.getLogger("pyg_vision.demo")

TARGET = 0.96
MOTION_TARGET = 0.8
MOTION_FRAMES = 20  # of a training window
# The photograph as the model sees it: grey, and so small that a node is a patch of two pixels,
# as in the digits that it has learned. 14 x 21 patches.
PHOTO_SIZE = (28, 42)
PHOTO_NODES = (68, 80, 234)  # an edge of the roof, the sky, the foot of the tower


def train_digits(epochs: int = 15, seed: int = 0) -> tuple[ViG, float]:
    r"""Trains a small :class:`~pyg_vision.nn.ViG` on scikit-learn's handwritten digits.

    Args:
        epochs (int, optional): How often each training digit is seen. (default: :obj:`15`)
        seed (int, optional): The seed of weights and order. (default: :obj:`0`)

    Returns:
        tuple: The model, and its accuracy on the third of the digits that it has not seen.
    """
    torch.manual_seed(seed)
    model = ViG(
        channels=48,
        depth=4,
        k=4,
        num_classes=10,
        in_channels=1,
        image_size=8,
        patch_size=2,
        use_dilation=False,
        drop_path=0.1,
    )
    loader = DataLoader(DigitsGraphs("train"), batch_size=64, shuffle=True, drop_last=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=4e-3, total_steps=epochs * len(loader)
    )
    _fit(model, loader, optimizer, schedule, epochs, "training on digits", label_smoothing=0.1)
    return model, test_accuracy(model)


@torch.no_grad()
def test_accuracy(model: ViG) -> float:
    r"""Returns the share of held-out digits that a model names rightly.

    Args:
        model (ViG): The model.
    """
    return _share_right(model, DigitsGraphs("test"), batch_size=200)


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


def motion_transforms() -> list[CenterSkeleton | ScaleSkeleton]:
    r"""Returns what brings figures to one place and size."""
    return [CenterSkeleton("neck"), ScaleSkeleton("bone")]


def train_motion(epochs: int = 5, seed: int = 0) -> tuple[STGCN, float]:
    r"""Trains :class:`~pyg_vision.nn.STGCN` on synthetic figures.

    Args:
        epochs (int, optional): How often each sequence is seen. (default: :obj:`5`)
        seed (int, optional): The seed of weights, windows and order. (default: :obj:`0`)

    Returns:
        tuple: The model, and its accuracy on whole sequences of figures it has not seen.
    """
    torch.manual_seed(seed)
    window = Compose([*motion_transforms(), RandomChooseFrames(MOTION_FRAMES)])
    motions = SyntheticMotion(transform=window)
    model = STGCN(in_channels=3, num_classes=motions.num_classes)
    loader = DataLoader(motions, batch_size=10, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    steps = epochs * len(loader)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-3, total_steps=steps)
    _fit(model, loader, optimizer, schedule, epochs, "training on motion")
    return model, motion_accuracy(model)


@torch.no_grad()
def motion_accuracy(model: STGCN) -> float:
    r"""Returns the share of unseen figures whose action a model names rightly.

    Args:
        model (STGCN): The model.
    """
    motions = SyntheticMotion(70, split="test", transform=Compose(motion_transforms()))
    return _share_right(model, motions, batch_size=35)


@torch.no_grad()
def animate_motion(model: STGCN, path: Path, index: int = 2) -> None:
    r"""Draws an unseen figure in motion, with what the model takes it for.

    Args:
        model (STGCN): The model.
        path (Path): The GIF file to write.
        index (int, optional): Which sequence of the test split. (default: :obj:`2`)
    """
    motions = SyntheticMotion(index + 1, split="test")
    data = motions[index]
    logits = model.eval()(Compose(motion_transforms())(data))
    named = motions.classes[int(logits.argmax())]
    animate_skeleton(data, path, title=f"ST-GCN says: {named}")


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

    model, accuracy = train_digits(options.epochs, options.seed)
    logger.info("accuracy on the held-out third of the digits: %.1f%%", 100 * accuracy)
    checkpoint = options.out / "vig_digits.pt"
    torch.save(model.state_dict(), checkpoint)
    picture = options.out / "china_graphs.png"
    draw_photo(model, picture)
    logger.info("weights:  %s", checkpoint)
    logger.info("drawing:  %s", picture)

    moving, motion_share = train_motion(options.motion_epochs, options.seed)
    logger.info("accuracy on synthetic figures that it has not seen: %.1f%%", 100 * motion_share)
    checkpoint = options.out / "st_gcn_motion.pt"
    torch.save(moving.state_dict(), checkpoint)
    animation = options.out / "motion.gif"
    animate_motion(moving, animation)
    logger.info("weights:  %s", checkpoint)
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


def _fit(
    model: Module,
    loader: DataLoader,
    optimizer: Optimizer,
    schedule: LRScheduler,
    epochs: int,
    what: str,
    label_smoothing: float = 0.0,
) -> None:
    from tqdm import tqdm

    with tqdm(total=epochs * len(loader), desc=what, unit="step", mininterval=1) as bar:
        for _ in range(epochs):
            for batch in loader:
                loss = F.cross_entropy(model(batch), batch.y, label_smoothing=label_smoothing)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
                bar.update()
                bar.set_postfix(loss=f"{loss.item():.3f}")


def _share_right(model: Module, dataset: Dataset, batch_size: int) -> float:
    model.eval()
    loader = DataLoader(dataset, batch_size=batch_size)
    right = sum(int((model(batch).argmax(dim=1) == batch.y).sum()) for batch in loader)
    return right / len(dataset)


if __name__ == "__main__":
    sys.exit(main())
