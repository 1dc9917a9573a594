"""Grapher blocks in networks of other kinds: a ResNet, point clouds and superpixels.

    python -m examples.classification --model resnet
    python -m examples.classification --model point_clouds
    python -m examples.classification --model superpixels

The ResNet sees images of one shape each. A point cloud is a PyG `Data` of points on a sphere, a
cube or a cone; superpixels are the same images, cut up by PyG's `ToSLIC`, each superpixel a node.
Graphs of any sizes go into one batch.
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
from examples.shapes import Shapes
from pyg_vision.nn import FFN, Grapher, Grapher2d

MODELS = ("resnet", "point_clouds", "superpixels")
IMAGE_SIZE = 64


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
    """A ResNet-18 of torchvision whose last stage ends with a graph block."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.resnet = resnet18(num_classes=num_classes)
        # Of 64 pixels, the last stage has 2 x 2 positions at its usual stride.
        self.resnet.maxpool = torch.nn.Identity()
        self.resnet.layer4 = Sequential(self.resnet.layer4, Grapher2d(512, k=9))

    def forward(self, data: Data) -> Tensor:
        logits: Tensor = self.resnet(data.image * 2 - 1)
        return logits


class OneShape(Dataset[Data]):
    """Images `image` `(1, 3, size, size)` of one shape each with its class `y`.

    Args:
        length: The number of images.
        seed: Which ones.
        transform: Makes a graph of an image and its class.
    """

    def __init__(
        self, length: int, seed: int = 0, transform: Callable[[Tensor, Tensor], Data] | None = None
    ) -> None:
        self.shapes = Shapes(length, IMAGE_SIZE, seed, most=1)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, index: int) -> Data:
        image, target = self.shapes[index]
        y = target["labels"] - 1
        if self.transform is not None:
            return self.transform(image, y)
        return Data(image=image.unsqueeze(0), y=y, num_nodes=1)


def superpixels(image: Tensor, y: Tensor) -> Data:
    """Returns the superpixels of an image: their mean colours and places, both in [-1, 1]."""
    data = ToSLIC(add_seg=False, n_segments=120, compactness=5.0)(image)
    data.x, data.pos, data.y = data.x * 2 - 1, data.pos / (IMAGE_SIZE / 2) - 1, y
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


def make(name: str) -> tuple[Module, Callable[[int, int], Dataset[Data]]]:
    """Returns a model, and its data by their number and seed, for one of `MODELS`."""
    if name == "resnet":
        return GraphResNet(3), lambda length, seed: OneShape(length, seed)
    if name == "point_clouds":
        return GraphClassifier(3, 3), lambda length, seed: PointClouds(length, seed)
    if name == "superpixels":
        return GraphClassifier(5, 3), lambda length, seed: OneShape(length, seed, superpixels)
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
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    values = parser.parse_args()
    torch.manual_seed(values.seed)
    model, make_data = make(values.model)
    data = make_data(values.steps * values.batch_size, values.seed)
    training.show(train(model, data, values.steps, values.batch_size))
    print(f"accuracy {evaluate(model, make_data(200, values.seed + 1_000_000)):.3f}")


if __name__ == "__main__":
    main()
