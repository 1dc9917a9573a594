r"""What is written at the end of a run."""

from __future__ import annotations

import json
import logging
import resource
import sys
from typing import Any

import torch

from pyg_vision.prediction import TrainedModel, write_checkpoint
from pyg_vision.training._evaluation import SCORES
from pyg_vision.training._keeper import METRICS, as_csv
from pyg_vision.training._run_folder import CONFIG, RunFolder, write_text
from pyg_vision.training.report import count_macs, write_report

logger = logging.getLogger(__name__)


def write_results(
    module: Any, data: Any, folder: RunFolder, history: Any, seconds: float, report: bool
) -> None:
    r"""Writes predictions, metrics, results and the report of a run that came to its end.

    Args:
        module (Classifier): The module, after its test.
        data (KeyedDataModule): The data.
        folder (RunFolder): The folder.
        history (list of dict): The metrics of each epoch.
        seconds (float): How long the training took.
        report (bool): Whether to write the page.
    """
    found = dict(module.results)
    predictions = {name: value.cpu() for name, value in found.pop("predictions").items()}
    write_checkpoint({"state_dict": predictions}, folder.path / "predictions.pt")
    # A run that was killed after its last checkpoint has not written the last line.
    write_text(folder.path / METRICS, as_csv(history))
    page = None
    try:
        # Inputs are in single precision, whatever the model was trained in.
        model = module.evaluated.cpu().float()
        trained = TrainedModel.of(model, data.classes, data.preprocessing(), module.multi_label)
        facts = _facts(trained, data, seconds)
        write_text(folder.path / "resources.json", json.dumps(facts, indent=1))
        if report:
            page = write_report(
                folder.path / "report.html",
                trained,
                found,
                predictions,
                history,
                title=folder.path.name,
                facts=facts,
                config=(folder.path / CONFIG).read_text(encoding="utf-8"),
                data=data,
            )
    except Exception as error:  # results count, whatever a drawing may stumble over
        logger.warning("the report cannot be written: %s", " ".join(str(error).split()))
    # Last, since it is what says that the run is finished.
    folder.finish({**found, "classes": module.classes, "epochs": len(history)})
    log_results(found)
    if page is not None:
        logger.info("report: %s", page)


def log_results(found: dict[str, Any]) -> None:
    r"""Logs scores and loss in a line.

    Args:
        found (dict): What an evaluation found.
    """
    scores = [f"{text} {100 * found[name]:.2f}%" for name, text in SCORES.items() if name in found]
    logger.info("%s, loss %.4f on %d samples", ", ".join(scores), found["loss"], found["samples"])


def _facts(trained: TrainedModel, data: Any, seconds: float) -> dict[str, str]:
    r"""Returns what a report says of the model beside its accuracy."""
    parameters = sum(p.numel() for p in trained.model.parameters())
    batch = data.example()
    clip = batch[0] if isinstance(batch, (list, tuple)) else batch
    macs = count_macs(trained.model, clip)
    if torch.cuda.is_available():
        memory = torch.cuda.max_memory_allocated() / 2**20
    else:
        # Linux counts in KiB, macOS in bytes.
        unit = 2**20 if sys.platform == "darwin" else 2**10
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return {
        "parameters": f"{parameters / 1e6:.2f} M",
        "multiply-adds of a sample": f"{macs / 1e9:.3g} G",
        "training": f"{seconds / 60:.1f} min",
        "peak memory": f"{memory:.0f} MiB",
    }
