"""Makes the pages of docs/benchmarks from the results of ``pyg-vision benchmark``.

Run as ``python scripts/benchmark_pages.py FOLDER [FOLDER ...]``, one folder for each instruction
set; all must have been measured at one commit. Plots are those of the first.
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
    runs = [json.loads((folder / "results.json").read_text()) for folder in folders]
    commits = {run["environment"]["commit"] for run in runs}
    if len(commits) != 1:
        raise SystemExit(f"all results must be of one commit (got {sorted(map(str, commits))})")
    texts = [sections((folder / "results.md").read_text()) for folder in folders]
    for suite in runs[0]["suites"]:
        title, name = suite["title"], suite["name"]
        page = [f"# {name}", "", texts[0][0][2], ""]
        for number, (run, (head, parts)) in enumerate(zip(runs, texts, strict=True)):
            body = parts[title]
            if number > 0:  # notes and plot are there already
                body = "\n".join(body[body.index("| case |") :].splitlines())
            sets = run["environment"]["instruction_sets"]
            page += [f"## {title}, {sets['torch']}", "", head[0], "", head[1], "", body, ""]
        (PAGES / f"{name}.md").write_text("\n".join(page).rstrip() + "\n")
        shutil.copy(folders[0] / f"{name}.png", PAGES / f"{name}.png")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main([Path(argument) for argument in sys.argv[1:]])
