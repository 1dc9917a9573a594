import html
import re

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from pyg_vision.prediction import TrainedModel
from pyg_vision.training import count_macs, write_report

ABOUT = {"kind": "image", "image_size": 8, "crop": 1.0, "interpolation": "bilinear",
         "mean": [0.5] * 3, "std": [0.5] * 3}  # fmt: skip
NAMES = ["cat", "dog & <co>", "owl"]


class Pictures:
    def __init__(self):
        self.asked = []

    def raw_sample(self, index):
        self.asked.append(index)
        return Image.new("RGB", (8, 8), (10 * index, 0, 0)), f"photo_{index}.png"


def made(tmp_path, logits, labels, data=None, history=(), names=NAMES):
    logits, labels = torch.tensor(logits), torch.tensor(labels)
    index = torch.arange(len(labels)) + 5
    chosen = logits.argmax(1)
    size = logits.size(1)
    confusion = torch.bincount(labels * size + chosen, minlength=size**2).view(size, size)
    results = {"top1": float((chosen == labels).float().mean()), "top5": 1.0, "loss": 0.5,
               "samples": len(labels), "confusion": confusion.tolist()}  # fmt: skip
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, size)).eval()
    trained = TrainedModel.of(model, names, ABOUT)
    found = {"logits": logits, "labels": labels, "index": index}
    path = write_report(
        tmp_path / "report.html", trained, results, found, history,
        title="a <run>", facts={"parameters": "1.2 M"}, config="lr: 0.1", data=data,
    )  # fmt: skip
    return path.read_text()


LOGITS = [[5.0, 0, 0], [0, 9.0, 0], [0, 0, 3.0], [0, 1.0, 0]]


def test_numbers_classes_and_configuration(tmp_path):
    history = [{"epoch": i, "lr": 0.1, "train/loss": 1 / i, "val/loss": 1.0, "val/top1": 0.5,
                "val/top5": 0.9} for i in (1, 2)]  # fmt: skip
    page = made(tmp_path, LOGITS, [0, 0, 2, 1], history=history)
    text = html.unescape(re.sub("<[^>]+>", " ", page))
    assert "75.00%" in text
    assert "1.2 M" in text
    assert "lr: 0.1" in text
    assert re.search(r"cat\s+2\s+50\.0%\s+dog & <co> \(1\)", text)
    assert re.search(r"owl\s+1\s+100\.0%", text)
    # Nothing is loaded from elsewhere, and names are no markup.
    assert not re.search(r"(src|href)=[\"'](?!data:)", page)
    assert page.count('src="data:image/png;base64,') == 2
    assert "<co>" not in page


def test_the_most_certain_mistakes_are_drawn_first(tmp_path):
    data = Pictures()
    page = made(tmp_path, LOGITS, [1, 0, 2, 0], data)
    assert data.asked == [6, 5, 8]
    assert "3 of 4 samples are misclassified" in page
    assert page.index("photo_6.png") < page.index("photo_5.png") < page.index("photo_8.png")
    assert "<b>cat</b> (0.0%), taken for <b>dog &amp; &lt;co&gt;</b> (100.0%)" in page


def test_no_mistakes_and_many_classes(tmp_path):
    assert "There are none." in made(tmp_path, LOGITS, [0, 1, 2, 1], Pictures())
    many = (np.eye(60) * 9).tolist()
    names = [f"class {i}" for i in range(60)]
    assert "class 59" in made(tmp_path, many, list(range(60)), names=names)


@pytest.mark.parametrize("bias", [True, False])
def test_multiply_adds_are_those_of_products_and_convolutions(bias):
    model = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=bias), nn.ReLU(), nn.Flatten())
    assert count_macs(model.eval(), torch.randn(2, 3, 8, 8)) == 2 * 64 * 4 * 27
