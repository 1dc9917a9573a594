"""Kills a small training at random moments and compares what it ends with to a run that was not.

Run as ``python -m tests.faults [--kills N] [--kind images|skeletons] [--seed N]``.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image

KINDS = ("images", "skeletons")
COMMON = ["--trainer.max_epochs", "4", "--trainer.accelerator", "cpu", "--threads", "1"]
COMMON += ["--checkpoint_steps", "2", "--progress_bar", "false", "--report", "false"]


def write_images(root, per_class=10):
    """Images of two classes: noise over a horizontal or a vertical wave."""
    generator = torch.Generator().manual_seed(0)
    for split in ("train", "val"):
        for number, name in enumerate(("flat", "steep")):
            folder = root / split / name
            folder.mkdir(parents=True)
            for i in range(per_class):
                wave = torch.arange(24.0).sin().expand(24, 24)
                image = (wave if number else wave.t()) + torch.rand(3, 24, 24, generator=generator)
                pixels = ((image + 1) * 80).byte().permute(1, 2, 0).numpy()
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return root


def command(kind, run_dir, data):
    """The command line of a small run, which draws random numbers wherever one can."""
    if kind == "skeletons":
        given = ["--config", "synthetic_motion", "--model.options", SKELETON_MODEL]
        given += ["--data.options", "{num_sequences: 70}", "--data.batch_size", "4"]
        given += ["--model.ema", "0.9", "--data.num_workers", "0"]
    else:
        given = ["--model", "ImageClassifier", "--model.model", "pyg_vision.nn.ViG"]
        given += ["--model.options", IMAGE_MODEL, "--model.ema", "0.9"]
        given += ["--model.mixup", "0.8", "--model.cutmix", "1.0", "--data", "ImageFolderData"]
        given += ["--data.root", str(data), "--data.image_size", "16", "--data.batch_size", "4"]
        given += ["--data.rand_augment", "m9-mstd0.5-inc1", "--data.erasing", "0.5"]
        given += ["--data.repeats", "2", "--data.num_workers", "2"]
    start = [sys.executable, "-m", "pyg_vision.cli", "fit"]
    return [*start, *given, *COMMON, "--run_dir", str(run_dir)]


SKELETON_MODEL = "{in_channels: 3, dropout: 0.3, stages: [[8, 1, 1], [16, 1, 2]]}"
IMAGE_MODEL = (
    "{channels: 16, depth: 2, k: 3, image_size: 16, patch_size: 4, drop_path: 0.2, dropout: 0.1,"
    " use_dilation: false}"
)


def outcome(run_dir):
    """What must be the same: weights, averages, optimiser, schedule, metrics, predictions."""
    state = torch.load(run_dir / "checkpoints" / "last.ckpt", weights_only=True)
    predictions = torch.load(run_dir / "predictions.pt", weights_only=True)["state_dict"]
    kept = {key: state[key] for key in ("state_dict", "optimizer_states", "lr_schedulers")}
    metrics = (run_dir / "metrics.csv").read_text()
    results = (run_dir / "results.json").read_text()
    return {**kept, "predictions": predictions, "metrics": metrics, "results": results}


def differences(a, b, name=""):
    """The names of what is not equal, bit by bit."""
    if isinstance(a, dict):
        if a.keys() != b.keys():
            return [f"{name}: {sorted(map(str, a.keys() ^ b.keys()))}"]
        return [d for key in a for d in differences(a[key], b[key], f"{name}.{key}")]
    if isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return [f"{name}: {len(a)} and {len(b)} entries"]
        return [d for i in range(len(a)) for d in differences(a[i], b[i], f"{name}[{i}]")]
    same = torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b or (a != a and b != b)
    return [] if same else [name]


def run_whole(kind, run_dir, data):
    """Runs without interruption; returns the seconds until it has begun, and until its end."""
    begin, begun = time.monotonic(), None
    done = subprocess.Popen(
        command(kind, run_dir, data),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while done.poll() is None:
        if begun is None and (run_dir / "config.yaml").exists():
            begun = time.monotonic() - begin
        time.sleep(0.01)
    if done.returncode != 0:
        raise RuntimeError(f"the run ended with {done.returncode}: {done.stderr.read()[-2000:]}")
    return begun or 0.0, time.monotonic() - begin


def run_killed(kind, run_dir, data, kills, seconds, rng, log=lambda text: None):
    """Runs and kills so many times, at moments within the time that a whole run takes."""
    left = kills
    while left > 0:
        started = time.monotonic()
        process = subprocess.Popen(
            command(kind, run_dir, data),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        # What a new process needs before its first step is the same each time.
        moment = rng.uniform(0.9 * seconds[0], seconds[1])
        while time.monotonic() - started < moment and process.poll() is None:
            time.sleep(0.01)
        killed = process.poll() is None
        if killed:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            left -= 1
            log(f"killed after {moment:.1f} s, {left} to go")
        elif process.returncode != 0:
            raise RuntimeError(f"the run ended with {process.returncode}")
        if (run_dir / "results.json").exists():
            log("it came to its end; a new run begins")
            yield outcome(run_dir)
            shutil.rmtree(run_dir)
    run_whole(kind, run_dir, data)
    yield outcome(run_dir)


def check(kind, kills, seed, folder, log=lambda text: None):
    """Returns how killed runs differ from one that was not."""
    data = write_images(folder / "images") if kind == "images" else None
    seconds = run_whole(kind, folder / "whole", data)
    log(f"{kind}: a whole run begins after {seconds[0]:.1f} s and takes {seconds[1]:.1f} s")
    expected = outcome(folder / "whole")
    rng = random.Random(seed)
    ends = run_killed(kind, folder / "killed", data, kills, seconds, rng, log)
    return [difference for end in ends for difference in differences(expected, end)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--kind", choices=KINDS, nargs="+", default=list(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    failed = False
    for kind in options.kind:
        with tempfile.TemporaryDirectory() as folder:
            found = check(kind, options.kills, options.seed, Path(folder), print)
        print(f"{kind}: {'equal' if not found else found[:10]}")
        failed |= bool(found)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
