"""The command that tells what GPU kernels take."""

import pytest

from pyg_vision._benchmarks.kernels import read_resources
from pyg_vision.cli import main

PTXAS = """ptxas info    : 12 bytes gmem
ptxas info    : Compiling entry function '_search_kernel' for 'sm_90a'
ptxas info    : Function properties for _search_kernel
    16 bytes stack frame, 24 bytes spill stores, 40 bytes spill loads
ptxas info    : Used 128 registers, used 1 barriers, 1024 bytes smem
"""


def test_what_ptxas_says() -> None:
    assert read_resources(PTXAS) == (128, 64, 1024)
    assert read_resources(PTXAS.replace(", 1024 bytes smem", "")) == (128, 64, 0)
    with pytest.raises(ValueError, match="nothing of registers"):
        read_resources("ptxas fatal: no input")


def test_the_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from pyg_vision.ops import kernel_variants

    one = [kernel_variants.maximum_backward("fp32", ragged=False)]
    monkeypatch.setattr(kernel_variants, "usual_variants", lambda: iter(one))
    assert main(["kernels", "--arch", "80"]) == 0
    header, line = capsys.readouterr().out.splitlines()
    assert header.split()[:4] == ["kernel", "dtype", "GPU", "registers"]
    assert line.split()[:4] == ["max", "backward", "fp32", "sm_80"]
    registers, spilled = map(int, line.split()[4:6])
    assert 0 < registers < 256
    assert spilled == 0


def test_what_cannot_be_compiled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["kernels", "--arch", "90", "70"])
    assert "the oldest GPU is 80 (got 70)" in capsys.readouterr().err
    monkeypatch.setattr("pyg_vision._benchmarks.kernels.find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        main(["kernels"])
    assert "need triton" in capsys.readouterr().err
