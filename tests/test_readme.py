"""What the README prints must work as written."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_there_are_examples():
    assert len(EXAMPLES) == 3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_run(example, capsys):
    names: dict = {}
    exec(example, names)
    logits = names["logits"]
    assert logits.shape in {(3, 10), (1, 1000), (2, 60)}
    if "graphs" in names:
        assert capsys.readouterr().out.startswith("torch.Size([1, 1000]) torch.Size([2, 1764])")


def test_links_and_commands_exist():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT):
        assert (ROOT / target).exists(), target
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in set(re.findall(r"\bmake ([a-z-]+)", TEXT)):
        assert re.search(rf"^{command}:", makefile, re.MULTILINE), command
