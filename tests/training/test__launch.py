import pytest

from pyg_vision.training import RunError, RunFolder
from pyg_vision.training import _launch as launch

TORCHRUN = {"RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "a", "MASTER_PORT": "29400",
            "TORCHELASTIC_RUN_ID": "none", "TORCHELASTIC_RESTART_COUNT": "0"}  # fmt: skip
SLURM = {"SLURM_PROCID": "2", "SLURM_NTASKS": "4", "SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0"}


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    for name in {*TORCHRUN, *SLURM, "LOCAL_RANK", "SLURM_RESTART_COUNT"}:
        monkeypatch.delenv(name, raising=False)


def set_all(monkeypatch, values):
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_one_process_and_those_of_lightning_do_not_wait(tmp_path, monkeypatch):
    assert (launch.rank(), launch.launch_token()) == (0, None)
    launch.prepare(RunFolder(tmp_path / "run"), {"seed": 1}, [], overwrite=False)
    assert not (tmp_path / "run" / ".ready").exists()
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert (launch.rank(), launch.launch_token()) == (3, None)
    launch.prepare(RunFolder(tmp_path / "other"), {}, [], overwrite=True)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(("values", "first"), [(TORCHRUN, "RANK"), (SLURM, "SLURM_PROCID")])
def test_the_others_wait_for_the_first(values, first, tmp_path, monkeypatch):
    set_all(monkeypatch, values)
    folder = RunFolder(tmp_path / "run")
    monkeypatch.setattr(launch, "PATIENCE", 0.3)
    with pytest.raises(RunError, match="the first process did not prepare"):
        launch.prepare(folder, {"seed": 1}, [], overwrite=False)
    monkeypatch.setenv(first, "0")
    launch.prepare(folder, {"seed": 1}, [], overwrite=False)
    assert folder.config() == {"seed": 1}
    monkeypatch.setenv(first, "3")
    launch.prepare(folder, {"seed": 1}, [], overwrite=True)
    # What an older launch left is not what this one waits for.
    monkeypatch.setenv("MASTER_PORT", "29401")
    monkeypatch.setenv("SLURM_JOB_ID", "8")
    with pytest.raises(RunError, match="did not prepare"):
        launch.prepare(folder, {"seed": 1}, [], overwrite=False)


def test_a_command_that_is_started_again_removes_nothing(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path / "run")
    launch.prepare(folder, {"seed": 1}, [], overwrite=False)
    (folder.path / "metrics.csv").write_text("here")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    launch.prepare(folder, {"seed": 1}, [], overwrite=True)
    assert (folder.path / "metrics.csv").exists()
    monkeypatch.setenv("SLURM_RESTART_COUNT", "0")
    launch.prepare(folder, {"seed": 1}, [], overwrite=True)
    assert not (folder.path / "metrics.csv").exists()
