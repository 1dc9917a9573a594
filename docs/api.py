"""Writes the API reference: one page for each public module, from its `__all__`."""

import importlib
import inspect
import pkgutil
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import pyg_vision

# Methods that PyG calls and users do not.
HIDDEN = {
    "aggregate",
    "channels_of",
    "download",
    "edges",
    "edge_update",
    "extra_repr",
    "fused",
    "fusible",
    "make_head",
    "materialize",
    "message",
    "message_and_aggregate",
    "neighborhood",
    "process",
    "processed_file_names",
    "propagate",
    "raw_file_names",
    "read",
    "spread",
    "update",
    "wait_for_channels",
}
# The packages whose classes and functions have a page each, and the sections of their overview.
PAGES = {
    "pyg_vision.nn": {
        "models": "Models",
        "blocks": "Blocks",
        "conv": "Graph convolutions",
        "graph": "Graph construction",
        "layers": "Layers",
        "dense": "Dense twins",
    }
}


def write(folder: Path) -> dict[str, str]:
    """Writes the pages and returns where each object is documented, by its other names."""
    documented: dict[str, str] = {}
    pages = {}
    for module in public_modules():
        if module.__name__ in PAGES:
            pages |= render_pages(module, folder, documented)
            continue
        page = render(module, documented)
        if page is not None:
            pages[folder / f"{module.__name__}.rst"] = page
    for stale in set(folder.rglob("*.rst")) - set(pages):
        stale.unlink()
    for path, page in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != page:
            path.write_text(page, encoding="utf-8")
    return documented


def public_modules() -> list[ModuleType]:
    """The modules with an `__all__`, in the order in which they may claim an object.

    Users import from the packages right below `pyg_vision`; then come deeper ones, and the top.
    """
    names = [module.name for module in pkgutil.walk_packages(pyg_vision.__path__, "pyg_vision.")]
    public = [name for name in names if "._" not in name]
    modules = [importlib.import_module(name) for name in sorted(public, key=depth)]
    return [module for module in [*modules, pyg_vision] if hasattr(module, "__all__")]


def depth(name: str) -> tuple[int, str]:
    return name.count("."), name


def render(module: ModuleType, documented: dict[str, str]) -> str | None:
    """The page of a module, or None where others document everything it exports."""
    groups = defaultdict(list)
    for name in module.__all__:
        value = getattr(module, name)
        if name.startswith("__") or inspect.ismodule(value):
            continue
        home = f"{getattr(value, '__module__', module.__name__)}.{name}"
        if home in documented:
            continue
        public = f"{module.__name__}.{name}"
        documented[home] = public
        documented.setdefault(name, public)
        groups[group_of(value, module)].append(name)
    if not groups:
        return None
    title = module.__name__.replace("_", r"\_")
    lines = [title, "=" * len(title), "", f".. automodule:: {module.__name__}", ""]
    lines += [f".. currentmodule:: {module.__name__}", ""]
    for group, names in sorted(groups.items()):
        if group:
            title = group.replace("_", r"\_")
            lines += [title, "-" * len(title), "", *first_paragraph(group), ""]
        lines += [
            ".. autosummary::",
            "   :nosignatures:",
            "",
            *(f"   {name}" for name in names),
            "",
        ]
        for name in names:
            lines += [*directive(name, getattr(module, name)), ""]
    return "\n".join(lines)


def render_pages(module: ModuleType, folder: Path, documented: dict[str, str]) -> dict[Path, str]:
    """A page for each class and function of a package, and one that lists them."""
    inside = module.__name__.removeprefix("pyg_vision.")
    sections: dict[str, list[str]] = {room: [] for room in PAGES[module.__name__]}
    pages, stems = {}, {}
    for name in module.__all__:
        value = getattr(module, name)
        documented[f"{value.__module__}.{name}"] = f"{module.__name__}.{name}"
        documented.setdefault(name, f"{module.__name__}.{name}")
        room = value.__module__.removeprefix(f"{module.__name__}.").partition(".")[0]
        sections["dense" if name.startswith("Dense") else room].append(name)
        title = name.replace("_", r"\_")
        lines = [title, "=" * len(title), "", f".. currentmodule:: {module.__name__}", ""]
        # Some file systems do not tell STGCN from stgcn.
        stems[name] = name if inspect.isclass(value) else f"{name}-function"
        page = "\n".join([*lines, *directive(name, value), ""])
        pages[folder / inside / f"{stems[name]}.rst"] = page
    title = module.__name__
    lines = [title, "=" * len(title), "", f".. automodule:: {title}", ""]
    lines += [f".. currentmodule:: {title}", ""]
    for room, heading in PAGES[title].items():
        lines += [heading, "-" * len(heading), ""]
        lines += [*first_paragraph(f"{title}.{room}"), ""]
        lines += [".. autosummary::", "   :nosignatures:", ""]
        lines += [*(f"   {name}" for name in sections[room]), ""]
    lines += [".. toctree::", "   :hidden:", ""]
    lines += [f"   {inside}/{stems[name]}" for names in sections.values() for name in names]
    pages[folder / f"{title}.rst"] = "\n".join([*lines, ""])
    return pages


def group_of(value: object, module: ModuleType) -> str:
    """The subpackage of `module` that defines an object, such as `pyg_vision.nn.conv`."""
    home = getattr(value, "__module__", None) or module.__name__
    inside = home.removeprefix(f"{module.__name__}.")
    if inside == home or "." not in inside:
        return ""
    return f"{module.__name__}.{inside.partition('.')[0]}"


def first_paragraph(name: str) -> list[str]:
    doc = inspect.getdoc(importlib.import_module(name)) or ""
    return doc.partition("\n\n")[0].splitlines()


def directive(name: str, value: object) -> list[str]:
    if inspect.isclass(value):
        options = ["   :show-inheritance:"]
        if names := members(value):
            options += [f"   :members: {', '.join(names)}", "   :undoc-members:"]
        return [f".. autoclass:: {name}", *options]
    return [f".. autofunction:: {name}" if callable(value) else f".. autodata:: {name}"]


def members(cls: type) -> list[str]:
    """The methods and properties of our own that a user calls; nothing inherited from elsewhere."""
    kinds = (property, classmethod, staticmethod)
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if not base.__module__.startswith("pyg_vision"):
            continue
        for name, value in vars(base).items():
            if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, kinds)):
                names[name] = None
    return [name for name in names if name not in HIDDEN]
