"""Grapher blocks in networks of other kinds: a ResNet, point clouds and superpixels.

    python -m examples.classification --model resnet
    python -m examples.classification --model point_clouds
    python -m examples.classification --model superpixels

The ResNet sees handwritten digits, which are part of scikit-learn; superpixels are the same images,
cut up by PyG's `ToSLIC`, each superpixel a node. A point cloud is a PyG `Data` of points on a
sphere, a cube or a cone. Graphs of any sizes go into one batch.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import Linear, Module, ModuleList, Sequential
from torch.utils.data import Dataset
from torch_geometric.data import Data
from torch_geometric.loader import DataLoader
from torch_geometric.nn import global_max_pool
from torch_geometric.transforms import ToSLIC
from torchvision.models import resnet18

from examples import training
from pyg_vision.datasets import DigitsGraphs
from pyg_vision.nn import FFN, Grapher, Grapher2d

STEPS = {"resnet": 150, "point_clouds": 400, "superpixels": 800}
MODELS = tuple(STEPS)
IMAGE_SIZE = 32
TEST_SEED = 1_000_000


class GraphClassifier(Module):
    """Vision GNN blocks on any node features: the graph of each block connects the nodes whose
    features are alike.

    Args:
        in_channels: The features of a node.
        num_classes: The number of classes.
        channels: The features of a node within.
        depth: The number of blocks.
        k: The neighbours of a node.
    """

    def __init__(
        self, in_channels: int, num_classes: int, channels: int = 48, depth: int = 3, k: int = 9
    ) -> None:
        super().__init__()
        self.embed = Linear(in_channels, channels)
        self.graphers = ModuleList(Grapher(channels, k) for _ in range(depth))
        self.ffns = ModuleList(FFN(channels) for _ in range(depth))
        self.predict = Linear(channels, num_classes)

    def forward(self, data: Data) -> Tensor:
        x = data.pos if data.x is None else torch.cat([data.x, data.pos], dim=1)
        batch, size = data.batch, data.num_graphs
        x = self.embed(x)
        for grapher, ffn in zip(self.graphers, self.ffns, strict=True):
            # A graph of fewer nodes than neighbours fills up with the node itself.
            x = grapher(x, batch=batch, batch_size=size, small_graphs="self")
            x = ffn(x, batch, size)
        logits: Tensor = self.predict(global_max_pool(x, batch, size))
        return logits


class GraphResNet(Module):
    """A ResNet-18 of torchvision whose last stage ends with a graph block, for small images."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.resnet = resnet18(num_classes=num_classes)
        # Without the first two strides, so that the last stage has 4 x 4 positions.
        self.resnet.conv1.stride = (1, 1)
        self.resnet.maxpool = torch.nn.Identity()
        self.resnet.layer4 = Sequential(self.resnet.layer4, Grapher2d(512, k=9))

    def forward(self, data: Data) -> Tensor:
        logits: Tensor = self.resnet(data.image * 2 - 1)
        return logits


class Digits(Dataset[Data]):
    """Scikit-learn's handwritten digits, `image` `(1, 3, 32, 32)` in [0, 1] with its class `y`.

    Args:
        length: The number of images, which are repeated if there are fewer.
        test: Whether they are those of the test split.
    """

    def __init__(self, length: int, test: bool = False) -> None:
        self.length = length
        self.digits = DigitsGraphs("test" if test else "train", patch_size=8)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Data:
        if not 0 <= index < self.length:
            raise IndexError(f"there are {self.length} images (got index {index})")
        digit = self.digits[index % len(self.digits)]
        image = F.interpolate(digit.x.view(1, 1, 8, 8), (IMAGE_SIZE,) * 2, mode="bilinear")
        return Data(image=image.clamp(0, 1).expand(-1, 3, -1, -1), y=digit.y, num_nodes=1)


class Superpixels(Digits):
    """The superpixels of these images: their mean grey value `x` and place `pos`, in [-1, 1]."""

    cut = ToSLIC(add_seg=False, n_segments=75, compactness=0.5, channel_axis=-1)

    def __getitem__(self, index: int) -> Data:
        digit = super().__getitem__(index)
        data: Data = self.cut(digit.image[0, :1])
        data.x, data.pos, data.y = data.x * 2 - 1, data.pos / (IMAGE_SIZE / 2) - 1, digit.y
        return data


class PointClouds(Dataset[Data]):
    """Points on spheres, cubes and cones, turned and stretched at random, 64 to 128 of each.

    Args:
        length: The number of clouds.
        seed: Which ones.
    """

    def __init__(self, length: int, seed: int = 0) -> None:
        self.length, self.seed = length, seed

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Data:
        if not 0 <= index < self.length:
            raise IndexError(f"there are {self.length} clouds (got index {index})")
        rng = np.random.default_rng((self.seed, index))
        y, count = int(rng.integers(3)), int(rng.integers(64, 128, endpoint=True))
        points = rng.normal(size=(count, 3))
        if y == 0:
            points /= np.linalg.norm(points, axis=1, keepdims=True)
        elif y == 1:
            points = rng.uniform(-1, 1, (count, 3))
            points /= np.abs(points).max(axis=1, keepdims=True)
        else:
            height = np.sqrt(rng.uniform(0, 1, count))
            angle = rng.uniform(0, 2 * np.pi, count)
            points = np.stack([height * np.cos(angle), height * np.sin(angle), 1 - 2 * height], 1)
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        points = points * rng.uniform(0.8, 1.2, 3) @ turn + rng.normal(0, 0.02, (count, 3))
        return Data(pos=torch.from_numpy(points).float(), y=torch.tensor([y]))


def make(name: str) -> tuple[Module, Callable[[int, bool], Dataset[Data]]]:
    """Returns a model, and its data by their number and whether they are test data, for one of
    `MODELS`.
    """
    if name == "resnet":
        return GraphResNet(10), Digits
    if name == "point_clouds":
        return GraphClassifier(3, 3), lambda length, test: PointClouds(length, TEST_SEED * test)
    if name == "superpixels":
        return GraphClassifier(3, 10), Superpixels
    raise ValueError(f"the model must be one of {', '.join(MODELS)} (got {name!r})")


def train(
    model: Module, data: Dataset[Any], steps: int, batch_size: int = 16, lr: float = 2e-3
) -> Iterator[dict[str, float]]:
    """Trains a model and yields the loss of each step."""

    def losses(batch: Data) -> dict[str, Tensor]:
        return {"loss": F.cross_entropy(model(batch), batch.y)}

    loader = DataLoader(data, batch_size, shuffle=True, drop_last=True)
    return training.train(model, loader, steps, losses, lr)


@torch.inference_mode()
def evaluate(model: Module, data: Dataset[Any], batch_size: int = 32) -> float:
    """Returns the accuracy."""
    model.eval()
    hits = sum(
        int((model(batch).argmax(dim=1) == batch.y).sum()) for batch in DataLoader(data, batch_size)
    )
    return hits / len(data)  # type: ignore[arg-type]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", choices=MODELS, default="resnet")
    parser.add_argument("--steps", type=int, help="batches (150; 400, 800 of the others)")
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    values = parser.parse_args()
    steps = values.steps or STEPS[values.model]
    torch.manual_seed(values.seed)
    model, make_data = make(values.model)
    data = make_data(steps * values.batch_size, False)
    training.show(train(model, data, steps, values.batch_size))
    print(f"accuracy {evaluate(model, make_data(500, True)):.3f}")


if __name__ == "__main__":
    main()
