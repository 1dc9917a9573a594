"""Every public class and function has an example, which runs."""

import doctest
import importlib
import inspect
import pkgutil
import sys
from types import ModuleType

import pytest
import torch

import pyg_vision
from tests import docstring_files
from tests.pose.fakes import fake_mediapipe, walk, write_video

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Plain values and types have no docstring of their own.
PACKAGES = ["ops", "nn", "data", "data.readers", "transforms", "datasets", "weights",
            "visualization", "explain", "pose", "prediction", "recipes", "training"]  # fmt: skip


def public() -> dict[str, object]:
    found = {"set_validation": pyg_vision.set_validation}
    for package in PACKAGES:
        module = importlib.import_module(f"pyg_vision.{package}")
        for name in module.__all__:
            value = getattr(module, name)
            if callable(value) and not isinstance(value, ModuleType):
                found[f"{package}.{name}"] = value
    return found


PUBLIC = public()


def test_packages_are_all_there_are():
    found = [m.name for m in pkgutil.iter_modules(pyg_vision.__path__) if m.ispkg]
    names = {name for name in found if not name.startswith("_")}
    assert names == {package.partition(".")[0] for package in PACKAGES}


@pytest.mark.parametrize("name", PUBLIC)
def test_example(name, tmp_path, monkeypatch):
    """Examples run one by one, in a folder with the small files that they name."""
    monkeypatch.chdir(tmp_path)
    docstring_files.write(tmp_path)
    torch.manual_seed(12345)
    value = PUBLIC[name]
    text = inspect.getdoc(value) if inspect.isfunction(value) else vars(value).get("__doc__")
    if "walk.mkv" in (text or ""):
        monkeypatch.setitem(sys.modules, "mediapipe", fake_mediapipe())
        write_video(tmp_path / "walk.mkv", walk(4))
    examples = doctest.DocTestParser().get_doctest(text or "", {}, name, None, 0)
    assert examples.examples, "no example"
    assert not any(doctest.SKIP in example.options for example in examples.examples)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    runner.run(examples, out=report.append)
    assert runner.failures == 0, "".join(report)
