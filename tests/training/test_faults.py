"""Three kills of the command itself; ``python -m tests.faults`` takes twenty."""

import pytest

from tests import faults


@pytest.mark.slow
@pytest.mark.parametrize("kind", faults.KINDS)
def test_killed_runs_end_like_whole_ones(kind, tmp_path):
    assert faults.check(kind, 3, 0, tmp_path) == []
