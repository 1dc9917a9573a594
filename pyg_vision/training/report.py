r"""What a run reached, as one page that needs no other file."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pyg_vision.prediction import Prediction, TrainedModel, draw_prediction, run_model
from pyg_vision.training._evaluation import SCORES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORT = "report.html"
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#6b7280"
MOST_MISTAKES = 12
# Of more classes, the names along the matrix could not be read.
MOST_NAMES = 40

PAGE = Template("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>$title</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #14181d; max-width: 1100px;
       margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; margin-bottom: 0; } h2 { font-size: 1.2em; margin-top: 2em; }
.note { color: #6b7280; margin-top: .2em; }
table { border-collapse: collapse; } th { text-align: left; font-weight: 600; }
td, th { padding: .25em 1em .25em 0; border-bottom: 1px solid #e5e7eb; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.scroll { max-height: 32em; overflow: auto; display: inline-block; }
img { max-width: 100%; } figure { margin: 0 0 1.5em 0; }
figcaption { margin-bottom: .3em; }
.facts { display: flex; flex-wrap: wrap; gap: .4em 2.2em; margin: 1em 0; }
.facts b { display: block; font-size: 1.3em; font-weight: 600; }
pre { background: #f6f7f9; padding: 1em; overflow: auto; font-size: 13px; }
</style></head><body>
<h1>$title</h1><p class="note">$about</p>
<div class="facts">$facts</div>
<h2>Training</h2>$curves
<h2>$kinds</h2><div class="scroll">$classes</div>
$confusion
<h2>Worst mistakes</h2>$mistakes
<h2>Configuration</h2><pre>$config</pre>
</body></html>
""")


def write_report(
    path: str | Path,
    trained: TrainedModel,
    results: Mapping[str, Any],
    predictions: Mapping[str, Tensor],
    history: Sequence[Mapping[str, Any]],
    *,
    title: str = "run",
    facts: Mapping[str, str] | None = None,
    config: str = "",
    data: Any = None,
) -> Path:
    r"""Writes the page: curves, accuracy by class, the confusion matrix, and the mistakes of which
    the model was most certain, drawn. Where samples have any number of labels, it has average
    precision, precision, recall and :math:`F_1` of each, and the samples of the largest loss.

    Args:
        path (str or pathlib.Path): The file.
        trained (TrainedModel): The model.
        results (dict): What an evaluation found, such as :meth:`RunFolder.results` returns.
        predictions (dict): The :obj:`logits`, :obj:`labels` and :obj:`index` of all test samples.
        history (list of dict): The metrics of each epoch.
        title (str, optional): The title of the page. (default: :obj:`"run"`)
        facts (dict, optional): Further numbers by name. (default: none)
        config (str, optional): The configuration as text. (default: none)
        data (KeyedDataModule, optional): The data, of which the mistakes are drawn.
            (default: none are)

    Returns:
        pathlib.Path: The file.

    Example:
        >>> import torch
        >>> from pyg_vision.prediction import TrainedModel
        >>> from pyg_vision.training import write_report
        >>> trained = TrainedModel.of(torch.nn.Linear(2, 2), ["cat", "dog"], {"kind": "digits",
        ...     "patch_size": 2})
        >>> results = {"top1": 0.5, "top5": 1.0, "loss": 0.7, "samples": 2,
        ...     "per_class": [1.0, 0.0], "confusion": [[1, 0], [1, 0]]}
        >>> logits = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
        >>> found = {"logits": logits, "labels": torch.arange(2), "index": torch.arange(2)}
        >>> write_report("report.html", trained, results, found, history=[]).name
        'report.html'
    """
    numbers = {
        **{text: f"{100 * results[name]:.2f}%" for name, text in SCORES.items() if name in results},
        "loss": f"{results['loss']:.4f}",
        "test samples": f"{results['samples']:,}",
        **(facts or {}),
    }
    shown = "".join(
        f"<div>{html.escape(name)}<b>{html.escape(value)}</b></div>"
        for name, value in numbers.items()
    )
    names, several = trained.classes, trained.multi_label
    what = "labels. Scores" if several else "classes. Accuracy"
    confusion = ""
    if not several:
        matrix = _draw_confusion(names, np.array(results["confusion"]))
        confusion = f"<h2>Confusion matrix</h2>{_image(matrix, 'Confusion')}"
    page = PAGE.substitute(
        title=html.escape(title),
        about=f"{len(names)} {what} after the last epoch, on the test data.",
        facts=shown,
        kinds="Labels" if several else "Classes",
        curves=_image(_draw_curves(history), "Curves") if history else "<p>No epoch was run.</p>",
        classes=_label_table(names, results)
        if several
        else _class_table(names, np.array(results["confusion"])),
        confusion=confusion,
        mistakes=(_label_mistakes if several else _mistakes)(trained, predictions, data),
        config=html.escape(config),
    )
    path = Path(path)
    path.write_text(page, encoding="utf-8")
    return path


def _image(figure: Figure, name: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{html.escape(name)}" src="data:image/png;base64,{data}">'


def _draw_curves(history: Sequence[Mapping[str, Any]]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    epochs = [row["epoch"] for row in history]

    def draw(ax: Any, key: str, label: str, color: str, factor: float = 1.0) -> None:
        values = [factor * float(row.get(key, np.nan)) for row in history]
        marker = "o" if len(epochs) == 1 else None
        ax.plot(epochs, values, color=color, label=label, marker=marker, linewidth=1.6)

    draw(left, "train/loss", "training", BLUE)
    draw(left, "val/loss", "evaluation", ORANGE)
    left.set_title("loss", loc="left")
    left.legend(frameon=False)
    several = any("val/map" in row for row in history)
    for name, color in (
        (("map", ORANGE), ("f1", GREY)) if several else (("top1", ORANGE), ("top5", GREY))
    ):
        draw(middle, f"val/{name}", SCORES[name], color, 100.0)
    middle.set_title("scores, %" if several else "accuracy, %", loc="left")
    middle.legend(frameon=False, loc="lower right")
    draw(right, "lr", "learning rate", BLUE)
    right.set_title("learning rate", loc="left")
    right.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    for ax in (left, middle, right):
        ax.set_xlabel("epoch")
        ax.spines[["top", "right"]].set_visible(False)
        ax.grid(alpha=0.25)
        ax.xaxis.get_major_locator().set_params(integer=True)
    return figure


def _class_table(names: Sequence[str], confusion: np.ndarray[Any, Any]) -> str:
    lines = []
    for i, name in enumerate(names):
        row = confusion[i]
        total, hits = int(row.sum()), int(row[i])
        others = row.copy()
        others[i] = 0
        worst = int(others.argmax())
        taken = f"{names[worst]} ({int(others[worst])})" if others[worst] else ""
        share = f"{100 * hits / total:.1f}%" if total else "-"
        lines.append(
            f"<tr><td>{html.escape(name)}</td><td class=n>{total}</td><td class=n>{share}</td>"
            f"<td>{html.escape(taken)}</td></tr>"
        )
    head = (
        "<tr><th>class</th><th class=n>samples</th><th class=n>accuracy</th>"
        "<th>most often taken for</th></tr>"
    )
    return f"<table>{head}{''.join(lines)}</table>"


def _label_table(names: Sequence[str], results: Mapping[str, Any]) -> str:
    lines = []
    columns = ("samples", "average precision", "precision", "recall", "F1")
    for name, score, counts in zip(names, results["per_class"], results["counts"], strict=True):
        hits, false, _, missed = counts
        cells = [
            str(hits + missed),
            _share(score, 1 if hits + missed else 0),
            _share(hits, hits + false),
            _share(hits, hits + missed),
            _share(2 * hits, 2 * hits + false + missed),
        ]
        row = "".join(f"<td class=n>{cell}</td>" for cell in cells)
        lines.append(f"<tr><td>{html.escape(name)}</td>{row}</tr>")
    head = "".join(f"<th class=n>{column}</th>" for column in columns)
    return f"<table><tr><th>label</th>{head}</tr>{''.join(lines)}</table>"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "-"


def _draw_confusion(names: Sequence[str], confusion: np.ndarray[Any, Any]) -> Figure:
    from matplotlib.figure import Figure

    size = min(9.0, max(4.0, 0.42 * len(names) + 1.8))
    figure = Figure(figsize=(size + 0.6, size), layout="constrained")
    ax = figure.add_subplot()
    share = 100 * confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    picture = ax.imshow(share, cmap="Blues", vmin=0, vmax=100)
    figure.colorbar(picture, ax=ax, label="% of the class", shrink=0.7)
    ax.set_xlabel("predicted")
    ax.set_ylabel("class")
    if len(names) <= MOST_NAMES:
        ax.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
        ax.set_yticks(range(len(names)), names, fontsize=8)
    if len(names) <= 15:
        for i, j in np.ndindex(*share.shape):
            if confusion[i, j]:
                color = "white" if share[i, j] > 55 else "#14181d"
                text = str(int(confusion[i, j]))
                ax.text(j, i, text, ha="center", va="center", color=color, fontsize=8)
    return figure


def _mistakes(trained: TrainedModel, predictions: Mapping[str, Tensor], data: Any) -> str:
    probabilities = predictions["logits"].float().softmax(-1)
    certain, chosen = probabilities.max(dim=1)
    labels = predictions["labels"]
    wrong = (chosen != labels).nonzero().flatten()
    if wrong.numel() == 0:
        return "<p>There are none.</p>"
    count = f"<p>{wrong.numel()} of {labels.numel()} samples are misclassified"
    if data is None:
        return f"{count}.</p>"
    worst = wrong[certain[wrong].argsort(descending=True, stable=True)][:MOST_MISTAKES]
    figures = [f"{count}; these are the ones of which the model was most certain.</p>"]
    for i in worst.tolist():
        value, source = data.raw_sample(int(predictions["index"][i]))
        values, order = probabilities[i].topk(min(3, len(trained.classes)))
        said = [trained.classes[j] for j in order.tolist()]
        prediction = Prediction(source, said, values.tolist())
        true = trained.classes[int(labels[i])]
        share = 100 * float(probabilities[i, int(labels[i])])
        figures.append(
            f"<figure><figcaption><b>{html.escape(true)}</b> ({share:.1f}%), taken for "
            f"<b>{html.escape(said[0])}</b> ({100 * prediction.probabilities[0]:.1f}%): "
            f'<span class="note">{html.escape(source)}</span></figcaption>'
            f"{_image(draw_prediction(trained, value, prediction), source)}</figure>"
        )
    return "".join(figures)


def _label_mistakes(trained: TrainedModel, predictions: Mapping[str, Tensor], data: Any) -> str:
    logits, goal = predictions["logits"].float(), predictions["labels"].float()
    probabilities, labels = logits.sigmoid(), goal.bool()
    wrong = ((probabilities >= 0.5) != labels).any(1)
    if not bool(wrong.any()):
        return "<p>There are none.</p>"
    count = f"<p>{int(wrong.sum())} of {wrong.numel()} samples have a label too many or too few"
    if data is None:
        return f"{count}.</p>"
    loss = F.binary_cross_entropy_with_logits(logits, goal, reduction="none").sum(1)
    order = loss.masked_fill(~wrong, -1.0).argsort(descending=True, stable=True)
    figures = [f"{count}; these are the ones of the largest loss.</p>"]
    for i in order[: min(MOST_MISTAKES, int(wrong.sum()))].tolist():
        value, source = data.raw_sample(int(predictions["index"][i]))
        values, chosen = probabilities[i].topk(min(5, len(trained.classes)))
        said = [trained.classes[j] for j in chosen.tolist()]
        prediction = Prediction(source, said, values.tolist())
        true = [trained.classes[j] for j in labels[i].nonzero().flatten().tolist()]
        found = ", ".join(
            f"{name} ({100 * p:.1f}%)" for name, p in zip(said, values.tolist(), strict=True)
        )
        figures.append(
            f"<figure><figcaption><b>{html.escape(', '.join(true) or 'no label')}</b>; predicted: "
            f'{html.escape(found)}: <span class="note">{html.escape(source)}</span></figcaption>'
            f"{_image(draw_prediction(trained, value, prediction), source)}</figure>"
        )
    return "".join(figures)


def count_macs(model: torch.nn.Module, batch: Any) -> int:
    r"""Returns the multiplications and additions of a forward pass, those of products and
    convolutions.

    Args:
        model (torch.nn.Module): The model, in evaluation mode.
        batch (torch.Tensor or Batch): What it is run on.

    Example:
        >>> import torch
        >>> from pyg_vision.training import count_macs
        >>> count_macs(torch.nn.Linear(3, 4), torch.randn(1, 3))
        12
    """
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        run_model(model, batch)
    return int(counter.get_total_flops()) // 2
