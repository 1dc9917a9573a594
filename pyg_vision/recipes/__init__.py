r"""Recipes: how models are trained, as YAML files for :obj:`pyg-vision fit`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Recipe", "list_recipes", "recipe_path"]

FOLDER = Path(__file__).parent


def list_recipes() -> list[str]:
    r"""Returns the names of the recipes, in the order of the alphabet.

    Example:
        >>> from pyg_vision.recipes import list_recipes
        >>> "digits" in list_recipes()
        True
    """
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def recipe_path(name: str) -> Path:
    r"""Returns the file of a recipe.

    Args:
        name (str): The name of a recipe, or the path of a file.

    Raises:
        ValueError: If it is neither.

    Example:
        >>> from pyg_vision.recipes import recipe_path
        >>> recipe_path("digits").name
        'digits.yaml'
    """
    if name in list_recipes():
        return FOLDER / f"{name}.yaml"
    path = Path(name)
    if path.is_file():
        return path
    raise ValueError(
        f"there is no recipe '{name}' and no file of that name; the recipes are "
        f"{', '.join(list_recipes())}"
    )


class Recipe(NamedTuple):
    r"""What is known of a recipe.

    Args:
        name (str): Its name.
        about (str): What it trains.
        published (str): The published result, :obj:`"-"` if there is none.
        ours (str): What it reached here.

    Example:
        >>> from pyg_vision.recipes import Recipe
        >>> Recipe.read("vig_ti_imagenet1k").published
        '73.9% top-1'
    """

    name: str
    about: str
    published: str
    ours: str

    @classmethod
    def read(cls, name: str) -> Recipe:
        r"""Reads the head of a recipe.

        Args:
            name (str): Its name.
        """
        lines = recipe_path(name).read_text(encoding="utf-8").splitlines()
        about, published, ours = (line.removeprefix("# ") for line in lines[:3])
        return cls(name, about, published.removeprefix("published: "), ours.removeprefix("ours: "))


def add_parser(commands: Any) -> None:
    r"""Adds :obj:`recipes` to the commands of a parser.

    Args:
        commands: What :meth:`argparse.ArgumentParser.add_subparsers` returned.

    Example:
        >>> import argparse
        >>> from pyg_vision.recipes import add_parser
        >>> parser = argparse.ArgumentParser()
        >>> add_parser(parser.add_subparsers())
        >>> parser.parse_args(["recipes", "digits"]).name
        'digits'
    """
    text = "list the recipes for 'fit', or print one"
    parser = commands.add_parser("recipes", help=text, description=text)
    parser.add_argument("name", nargs="?", help="the recipe to print (default: list all)")
    parser.set_defaults(run=print_recipes, parser=parser)


def print_recipes(values: argparse.Namespace) -> int:
    r"""Prints what the command line asks for, and returns the exit status.

    Args:
        values (argparse.Namespace): The arguments.

    Example:
        >>> import argparse
        >>> from pyg_vision.recipes import print_recipes
        >>> print_recipes(argparse.Namespace(name="digits"))  # doctest: +ELLIPSIS
        # A small ViG on scikit-learn's handwritten digits...
        0
    """
    if values.name is not None:
        if values.name not in list_recipes():
            values.parser.error(
                f"there is no recipe '{values.name}'; they are {', '.join(list_recipes())}"
            )
        sys.stdout.write(recipe_path(values.name).read_text(encoding="utf-8"))
        return 0
    for recipe in map(Recipe.read, list_recipes()):
        sys.stdout.write(f"{recipe.name}\n    {recipe.about}\n")
        sys.stdout.write(f"    published: {recipe.published}; ours: {recipe.ours}\n")
    return 0
