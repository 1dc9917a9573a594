"""The configuration of Sphinx. The API reference is written by api.py before each build."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import api  # noqa: E402
import links  # noqa: E402
from docutils import nodes  # noqa: E402

import pyg_vision  # noqa: E402

project = "pyg_vision"
author = "The pyg_vision authors"
copyright = f"2026, {author}"
version = release = pyg_vision.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"pyg_vision {release}"
html_copy_source = False

add_module_names = False
autodoc_inherit_docstrings = False
autodoc_preserve_defaults = True
autodoc_typehints = "none"  # docstrings tell the types
autosummary_generate = False
napoleon_numpy_docstring = False

# Docstrings use the roles of PyG's theme.
rst_prolog = """
.. role:: pyg
.. role:: pytorch
"""

# A reference must resolve: into our own package, or by a rule of links.py, since a build has no
# network to ask other packages. Values, words of a type such as "optional", and our private names
# are set as code.
nitpicky = True
nitpick_ignore_regex = [("py:obj", ".*"), ("py:.*", r"[^.]*|.*[^\w.].*|pyg_vision.*\._.*")]

# Tutorials run on every build; an exception, or a word on stderr, fails it.
myst_enable_extensions = ["colon_fence", "dollarmath"]
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_output_stderr = "warn"
nb_merge_streams = True
os.environ["PYTHONWARNINGS"] = ",".join(
    ["ignore::FutureWarning", "ignore::DeprecationWarning", "ignore:IProgress not found"]
)

# Where pages find measurements, and photographs that only some machines have.
os.environ["PYG_VISION_DOCS"] = str(HERE)
os.environ.setdefault("PYG_VISION_SHARED", str(HERE.parents[1] / "shared"))

public_names = api.write(HERE / "generated")


def resolve_public_name(app, env, node, contnode) -> nodes.reference | None:
    """Finds an object by the module that defines it, or its bare name, where it is exported."""
    if node.get("refdomain") != "py":
        return None
    target = public_names.get(node.get("reftarget"))
    if target is None:
        address = links.find(node.get("reftarget"))
        return address and nodes.reference("", "", contnode, internal=False, refuri=address)
    domain = env.get_domain("py")
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, contnode)


def show_public_bases(app, name, obj, options, bases: list) -> None:
    """Shows what a class is to a user: bases that we do not export give way to their own."""
    shown = []
    while bases:
        base = bases.pop(0)
        home = f"{getattr(base, '__module__', '')}.{getattr(base, '__name__', '')}"
        if home.startswith("pyg_vision.") and home not in public_names:
            bases[:0] = base.__bases__
        else:
            shown.append(base)
    bases[:] = shown


def setup(app) -> None:
    app.connect("autodoc-process-bases", show_public_bases)
    app.connect("missing-reference", resolve_public_name)
