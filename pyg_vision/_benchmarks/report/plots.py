"""Time and memory against the number of nodes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyg_vision._benchmarks.core import BEST, DENSE, PADDED, SPARSE
from pyg_vision._benchmarks.report.text import setting
from pyg_vision._benchmarks.results import CaseResult, Report, Row, SuiteResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which the colour-blind can tell apart; markers say the same again.
STYLES = {
    DENSE: ("#D55E00", "s", "dense (as published)"),
    BEST: ("#E69F00", "D", "dense-best (best dense code)"),
    SPARSE: ("#0072B2", "o", "sparse (pyg_vision)"),
    PADDED: ("#56B4E9", "P", "sparse, padded (pyg_vision)"),
    "torch_cluster": ("#009E73", "^", "torch_cluster"),
    "torch_scatter": ("#009E73", "^", "torch_scatter"),
    "pyg_lib": ("#CC79A7", "v", "pyg_lib"),
}


def draw(suite: SuiteResult, report: Report) -> Figure | None:
    """Draws one column for each mode of a suite; None where nothing was timed.

    A mode that was measured for one number of nodes only is drawn, as bars, if all were.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    sweeps = {mode: sweep for mode in _modes(suite) if (sweep := _sweep(suite, mode))}
    long = {mode: sweep for mode, sweep in sweeps.items() if len(sweep) > 1}
    sweeps = long or sweeps
    if not sweeps:
        return None
    columns = len(sweeps)
    figure = Figure(figsize=(max(4.6 * columns, 6.4), 7.8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, columns, squeeze=False, sharex="col" if long else False, sharey="row")
    for column, (mode, sweep) in enumerate(sweeps.items()):
        time, memory = axes[0][column], axes[1][column]
        time.set_title(f"{mode}\n{sweep[0].case.constants}", fontsize=10)
        if long:
            _lines(time, sweep, _milliseconds)
            _lines(memory, sweep, _mebibytes)
            _mark_nodes(memory, sweep)
        else:
            _bars(time, sweep[0], _milliseconds)
            _bars(memory, sweep[0], _mebibytes)
            memory.set_xlabel(f"{sweep[0].case.nodes} nodes")
    axes[0][0].set_ylabel("median time of a call [ms]")
    axes[1][0].set_ylabel("peak memory above the inputs [MiB]")
    if long:
        _legend(figure)
    where = setting(report.environment, report.options)
    figure.suptitle(f"{suite.title}, time and memory (lower is better)\n{where}", fontsize=11)
    return figure


def _modes(suite: SuiteResult) -> list[str]:
    return list(dict.fromkeys(result.case.mode for result in suite.cases))


def _sweep(suite: SuiteResult, mode: str) -> list[CaseResult]:
    """The cases of a mode that differ in nodes alone: the longest such row."""
    groups: dict[str, list[CaseResult]] = defaultdict(list)
    for result in suite.cases:
        timed = any(row.samples for row in result.rows)
        if result.case.mode == mode and timed:
            groups[result.case.constants].append(result)
    longest = max(groups.values(), key=len, default=[])
    return sorted(longest, key=lambda result: result.case.nodes)


def _lines(axis: Axes, sweep: list[CaseResult], value: Callable[[Row], float]) -> None:
    for contender, (color, marker, label) in STYLES.items():
        points = [
            (result.case.nodes, value(row))
            for result in sweep
            if (row := result.row(contender)) is not None and not math.isnan(value(row))
        ]
        if points:
            nodes, values = zip(*points, strict=True)
            axis.plot(nodes, values, color=color, marker=marker, markersize=5, label=label)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(lambda number, _: f"{number:,g}")
    axis.grid(which="major", color="0.8")
    axis.grid(which="minor", axis="y", color="0.93", linewidth=0.6)
    axis.set_axisbelow(True)


def _bars(axis: Axes, result: CaseResult, value: Callable[[Row], float]) -> None:
    styles = [(*STYLES[row.contender], row) for row in result.rows if row.contender in STYLES]
    for color, _, label, row in styles:
        if not math.isnan(value(row)):
            bar = axis.bar(label.replace(" (", "\n("), value(row), color=color)
            axis.bar_label(bar, fmt=lambda number: f"{number:,.{0 if number >= 100 else 1}f}")
    axis.margins(y=0.12)
    axis.tick_params(axis="x", labelsize=8)


def _mark_nodes(axis: Axes, sweep: list[CaseResult]) -> None:
    """Labels the numbers of nodes that were measured, and no others."""
    from matplotlib.ticker import NullLocator

    nodes = [result.case.nodes for result in sweep]
    crowded = len(nodes) > 5
    labels = [f"{count:,}" for count in nodes]
    axis.set_xticks(
        nodes, labels, rotation=30 if crowded else 0, ha="right" if crowded else "center"
    )
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("nodes of a graph")


def _legend(figure: Figure) -> None:
    handles = {}
    for axis in figure.axes:
        lines, labels = axis.get_legend_handles_labels()
        handles.update(dict(zip(labels, lines, strict=True)))
    entries = list(handles.values()), list(handles)
    figure.legend(*entries, loc="outside lower center", ncols=2, fontsize=9)


def _milliseconds(row: Row) -> float:
    return row.median * 1e3


def _mebibytes(row: Row) -> float:
    return math.nan if row.peak_bytes is None else row.peak_bytes / 2**20
