import pytest

from pyg_vision.nn.models.stage import STAGES, Stage, block_sizes


def test_a_stage_begins_with_its_stride():
    assert block_sizes([Stage(4, 2), (8, 3, 2)]) == [(4, 1), (4, 1), (8, 2), (8, 1), (8, 1)]
    assert [channels for channels, _ in block_sizes(STAGES)] == [64] * 4 + [128] * 3 + [256] * 3


def test_wrong_stages():
    with pytest.raises(ValueError, match="at least one stage"):
        block_sizes([])
    with pytest.raises(ValueError, match=r"depth of stages\[0\]"):
        block_sizes([(4, 0)])
