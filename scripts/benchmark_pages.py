"""Makes the pages of docs/benchmarks from the results of ``pyg-vision benchmark``.

Run as ``python scripts/benchmark_pages.py FOLDER [FOLDER ...]``, folders of any suites with any
instruction set, all measured at one commit. Plots are those of the first folder with a suite.
"""

import json
import shutil
import sys
from pathlib import Path

PAGES = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"


def sections(text: str) -> tuple[list[str], dict[str, str]]:
    """Returns the lines before the first section, and each section by its title."""
    head, *parts = text.split("\n## ")
    lines = [line for line in head.splitlines()[1:] if line]
    return lines, {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in parts}


def main(folders: list[Path]) -> None:
    pages: dict[str, list[str]] = {}
    commits = set()
    for folder in folders:
        run = json.loads((folder / "results.json").read_text())
        commits.add(run["environment"]["commit"])
        sets = run["environment"]["instruction_sets"]
        head, parts = sections((folder / "results.md").read_text())
        for suite in run["suites"]:
            title, name = suite["title"], suite["name"]
            body = parts[title]
            if name in pages:  # notes and plot are there already
                body = body[body.index("| case |") :]
            else:
                pages[name] = [f"# {name}", "", head[2], ""]
                shutil.copy(folder / f"{name}.png", PAGES / f"{name}.png")
            pages[name] += [f"## {title}, {sets['torch']}", "", head[0], "", head[1], "", body, ""]
    if len(commits) != 1:
        raise SystemExit(f"all results must be of one commit (got {sorted(map(str, commits))})")
    for name, page in pages.items():
        (PAGES / f"{name}.md").write_text("\n".join(page).rstrip() + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main([Path(argument) for argument in sys.argv[1:]])
