"""The command of the installed package."""

import configparser
from pathlib import Path

import pytest

from pyg_vision.cli import main

ROOT = Path(__file__).resolve().parents[1]


def test_it_is_installed_under_its_name():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    scripts = config["options.entry_points"]["console_scripts"]
    assert "pyg-vision = pyg_vision.cli:main" in scripts


def test_commands_are_listed(capsys):
    with pytest.raises(SystemExit) as leave:
        main(["--help"])
    assert leave.value.code == 0
    assert "time sparse layers and models against dense ones" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["benchmark", "--suite", "nothing"]])
def test_wrong_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as leave:
        main(arguments)
    assert leave.value.code == 2
    assert "usage: pyg-vision" in capsys.readouterr().err


def test_it_runs_a_suite(tmp_path, capsys):
    options = ["--suite", "spatial_conv", "--quick", "--repeats", "1", "--out", str(tmp_path)]
    assert main(["benchmark", *options]) == 0
    assert "dense-best" in capsys.readouterr().out
    assert {"results.json", "results.md"} <= {path.name for path in tmp_path.iterdir()}
