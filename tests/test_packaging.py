"""The rules of the house that no single module can keep: names, imports, mirrors, versions."""

import ast
import configparser
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import pyg_vision

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "pyg_vision"
RUNNERS = ROOT / "benchmarks"  # the front of pyg_vision/_benchmarks in a clone
MODULES = sorted(PACKAGE.rglob("*.py"))

# Imports run downward only: who must not import whom.
USES = ["explain", "pose", "prediction", "recipes", "training"]
FORBIDDEN = {
    "ops": ["nn", "data", "transforms", "datasets", "weights", "visualization", *USES],
    "data": ["nn", "transforms", "datasets", "weights", "visualization", *USES],
    "transforms": ["nn", "datasets", "weights", "visualization", *USES],
    "datasets": ["nn", "weights", "visualization", *USES],
    "weights": ["nn", "data", "transforms", "datasets", "visualization", *USES],
    "visualization": [
        "pose",
        "prediction",
        "recipes",
        "training",
    ],  # it draws what `explain` returns
    "nn": ["transforms", "datasets", "visualization", *USES],
    "recipes": [
        "nn",
        "data",
        "transforms",
        "datasets",
        "weights",
        "pose",
        "prediction",
        "training",
    ],
    "pose": ["nn", "visualization", "explain", "prediction", "recipes", "training"],
    "prediction": ["recipes", "training"],
    "explain": ["recipes", "training", "pose", "prediction", "visualization"],
    "nn/layers": ["nn.conv", "nn.graph", "nn.dense", "nn.blocks", "nn.models"],
    "nn/conv": ["nn.graph", "nn.dense", "nn.blocks", "nn.models"],
    "nn/graph": ["nn.conv", "nn.dense", "nn.blocks", "nn.models"],
    "nn/dense": ["nn.models"],
    "nn/blocks": ["nn.models"],
}

OPTIONAL = ["torch_cluster", "torch_scatter", "pyg_lib", "triton", "matplotlib", "av", "mediapipe"]
# What only training asks for.
OPTIONAL += ["lightning", "jsonargparse", "torchmetrics", "tensorboard", "webdataset", "yaml"]

# Prints the optional modules that importing the public packages loads, or that our own code asks
# for (torch may have loaded triton for itself before).
IMPORT_PROBE = """
import builtins, importlib, sys
import torch, torch_geometric
optional, packages = sys.argv[1].split(","), sys.argv[2].split(",")
asked, before, original = set(), set(sys.modules), builtins.__import__
def watch(name, globals=None, *args, **kwargs):
    if globals and str(globals.get("__name__")).startswith("pyg_vision"):
        asked.add(name.partition(".")[0])
    return original(name, globals, *args, **kwargs)
builtins.__import__ = watch

import pyg_vision
assert not {"pyg_vision.nn", "torchvision"} & set(sys.modules)
pyg_vision.nn.MRConv, pyg_vision.data.Tracks
assert "nn" in dir(pyg_vision)
assert "torchvision" not in sys.modules

for package in packages:
    importlib.import_module(package)
roots = lambda names: {name.partition(".")[0] for name in names}
loaded = roots(set(sys.modules) - before) - roots(before)
assert "pyg_vision" in asked, "the probe saw nothing"
assert "sklearn" not in loaded
print(*sorted((loaded | asked) & set(optional)))

drawing = pyg_vision.visualization
index = pyg_vision.ops.NeighborTable(torch.zeros(4, 1).long(), 4)
ax = drawing.draw_image_graph(torch.rand(3, 8, 8), index, (2, 2))
ax.figure.savefig("/dev/null", format="png")
data = pyg_vision.data.skeleton_sequence(torch.rand(2, 18, 2), "openpose")
drawing.draw_skeleton(data).savefig("/dev/null", format="png")
drawing.animate_skeleton(data)
assert "matplotlib.figure" in sys.modules
assert "matplotlib.pyplot" not in set(sys.modules) - before
"""


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_private(path: Path) -> bool:
    return any(re.match(r"_(?!_init__)", part) for part in path.relative_to(ROOT).parts)


PUBLIC = [
    module_name(path)
    for path in MODULES
    if not is_private(path) and re.search(r"^__all__\b", read(path), re.MULTILINE)
]


WITHOUT_EXTRAS = [name for name in PUBLIC if name != "pyg_vision.training"]

NAMES = {module_name(path) for path in MODULES}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported_names(path: Path) -> Iterator[str]:
    """All absolute module names that a file imports, at the top or inside a function."""
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}:{node.lineno} imports relatively"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_public_packages_are_found():
    assert {"pyg_vision", "pyg_vision.ops", "pyg_vision.nn", "pyg_vision.data"} <= set(PUBLIC)


def test_imports_in_a_process_of_its_own():
    """Nothing is imported before it is asked for, nothing optional at all, and never pyplot."""
    command = [sys.executable, "-W", "ignore", "-c", IMPORT_PROBE, ",".join(OPTIONAL)]
    probe = subprocess.run(
        [*command, ",".join(WITHOUT_EXTRAS)], capture_output=True, text=True, cwd=ROOT
    )
    assert probe.returncode == 0, probe.stderr
    assert probe.stdout.split() == []
    assert pyg_vision.weights.load_published is not None
    with pytest.raises(AttributeError, match="no attribute 'layers'"):
        _ = pyg_vision.layers


def test_modules_have_docstrings():
    silent = [relative(path) for path in MODULES if not ast.get_docstring(ast.parse(read(path)))]
    assert silent == []


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_exist_and_are_documented(name):
    module = importlib.import_module(name)
    assert len(module.__all__) == len(set(module.__all__)), "a name is listed twice"
    for public in module.__all__:
        value = getattr(module, public)
        if isinstance(value, ModuleType) or not callable(value):
            continue
        # A class without a docstring would show that of its base.
        assert vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__, public


def test_conv_modules_have_no_all():
    """PyG's code generation star-imports the module of a conv: `__all__` would hide its types."""
    paths = [path for path in (PACKAGE / "nn" / "conv").rglob("*.py") if path.stem != "__init__"]
    assert paths
    assert [relative(path) for path in paths if "__all__" in read(path)] == []


@pytest.mark.parametrize("lower", FORBIDDEN)
def test_imports_run_downward(lower):
    folder = PACKAGE / lower
    paths = sorted(folder.rglob("*.py"))
    assert paths, f"{relative(folder)} is gone: mend FORBIDDEN"
    above = tuple(f"pyg_vision.{name}" for name in FORBIDDEN[lower])
    wrong = [
        f"{relative(path)} imports {name}"
        for path in paths
        for name in imported_names(path)
        if any(name == upper or name.startswith(f"{upper}.") for upper in above)
    ]
    assert wrong == []


def package_of(path: Path) -> str:
    return module_name(path.parent / "__init__.py")


def test_an_underscore_means_this_folder_and_below():
    wrong = []
    for path in [*MODULES, *sorted(RUNNERS.rglob("*.py"))]:
        for name in imported_names(path):
            parts = name.split(".")
            private = [i for i, part in enumerate(parts) if re.match(r"_(?!_)", part)]
            if private and parts[0] in ("pyg_vision", "benchmarks"):
                home = parts[: private[0]]
                if parts[private[0] :][:1] == ["_benchmarks"] and path.is_relative_to(RUNNERS):
                    continue
                if package_of(path).split(".")[: len(home)] != home:
                    wrong.append(f"{relative(path)} imports {name}")
    assert wrong == []


def test_nothing_has_the_name_of_its_module():
    """`import a.b.c as m` gives the module, whatever the package exports."""
    wrong = []
    for path in MODULES:
        names = {
            node.name
            for node in ast.parse(read(path)).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        if path.stem == "__init__":
            inside = {other.stem for other in path.parent.glob("*.py")}
            exported = {name.rpartition(".")[2] for name in imported_names(path)}
            modules = {name.rpartition(".")[2] for name in imported_names(path) if name in NAMES}
            names, inside = exported - modules, inside - {"__init__"}
        else:
            inside = {path.stem}
        wrong += [f"{relative(path)}: {name}" for name in names & inside]
    assert wrong == []


def test_imports_go_in_no_circle():
    graph = {
        module_name(path): {name for name in imported_names(path) if name in NAMES}
        - {module_name(path)}
        for path in MODULES
    }
    for name, needed in graph.items():  # `from package import module` needs the module alone
        graph[name] = {
            other for other in needed if not any(n.startswith(f"{other}.") for n in needed)
        }
    assert tuple(TopologicalSorter(graph).static_order())


def mirror(path: Path) -> Path:
    inside = path.relative_to(PACKAGE)
    return ROOT / "tests" / inside.parent / f"test_{inside.name}"


def test_tests_mirror_the_package():
    missing = [
        relative(path)
        for path in MODULES
        if not is_private(path) and path.stem != "__init__" and not mirror(path).is_file()
    ]
    assert missing == [], "no test file mirrors these"


def test_no_file_is_too_long():
    folders = ["pyg_vision", "tests", "benchmarks", "docs", "scripts"]
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    long = {
        relative(path): lines for path in paths if (lines := len(read(path).splitlines())) > 500
    }
    assert long == {}


def read_setup() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def test_version_is_told_once():
    version = pyg_vision.__version__
    assert read_setup()["metadata"]["version"] == "attr: pyg_vision.__version__"
    releases = re.findall(r"^## \[(\d[^]]*)\]", read(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert releases[0] == version
    cited = re.search(r"^version: (\S+)$", read(ROOT / "CITATION.cff"), re.MULTILINE)
    assert cited is not None
    assert cited[1] == version


def test_constraints_pin_every_requirement_within_its_range():
    lines = read(ROOT / "constraints.txt").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    pinned = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}
    assert len(pinned) == len(pins), "a package is pinned twice"

    config = read_setup()
    extras = config["options.extras_require"]
    wanted = [config["options"]["install_requires"], *(extras[name] for name in extras)]
    requirements = [Requirement(line) for line in "\n".join(wanted).split("\n") if line]
    for requirement in requirements:
        # make test-ext builds the extensions itself, at the versions that setup.cfg fixes.
        if requirement.name in {"pyg-vision", "torch-cluster", "torch-scatter"}:
            continue
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])


def test_extensions_are_pinned():
    """Their successors on the index are announced to be empty packages."""
    extensions = read_setup()["options.extras_require"]["ext"].split()
    assert extensions == ["torch-cluster==1.6.3", "torch-scatter==2.1.2"]
