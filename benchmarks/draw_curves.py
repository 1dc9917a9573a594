"""Draws the accuracy and the loss of several runs over their share of the time.

Run as: python -m benchmarks.draw_curves --out curves.png RUN=LABEL RUN=LABEL
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def read(run: Path) -> tuple[list[float], dict[str, list[tuple[float, float]]]]:
    """The share of the epochs that each row is after, and the columns that have numbers."""
    rows = list(csv.DictReader((run / "metrics.csv").open(encoding="utf-8")))
    share = [int(row["epoch"]) / int(rows[-1]["epoch"]) for row in rows]
    names = ("train/loss", "val/loss", "val/top1")
    return share, {
        name: [(s, float(row[name])) for s, row in zip(share, rows, strict=True) if row.get(name)]
        for name in names
    }


def main() -> None:
    from matplotlib.figure import Figure

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN=LABEL")
    parser.add_argument("--out", type=Path, required=True)
    values = parser.parse_args()
    figure = Figure(figsize=(8.4, 3.4), layout="constrained")
    accuracy, loss = figure.subplots(1, 2)
    for text, colour in zip(values.runs, COLOURS, strict=False):
        run, _, label = text.partition("=")
        _, found = read(Path(run))
        x, y = zip(*found["val/top1"], strict=True)
        accuracy.plot(x, [100 * v for v in y], "-o", ms=3, color=colour, label=label)
        for name, style in (("train/loss", "-"), ("val/loss", "--")):
            x, y = zip(*found[name], strict=True)
            kind = "training" if name == "train/loss" else "held out"
            loss.plot(x, y, style, color=colour, label=f"{label}, {kind}")
    accuracy.set_ylabel("top-1 accuracy, %")
    loss.set_ylabel("loss")
    for axes in (accuracy, loss):
        axes.set_xlabel("share of the epochs")
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    figure.savefig(values.out, dpi=150)


if __name__ == "__main__":
    main()
