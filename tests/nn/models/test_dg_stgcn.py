import pytest

from pyg_vision.nn import DGSTGCN, DenseDGSTGCN, get_model
from tests.nn import skeleton_families as families

RECORDED = {"layout": "ntu_pyskl", "stages": [(16, 2), (32, 2, 2)], "num_graphs": 4,
            "ratio": 0.25}  # fmt: skip


@pytest.mark.parametrize("cls", [DGSTGCN, DenseDGSTGCN])
def test_recorded_numbers(cls, load_golden):
    made = families.recorded(cls, "dgstgcn_ntu", load_golden, **RECORDED)
    families.check_evaluation(*made)
    families.check_training(*made)


def test_published_sizes():
    assert families.count(get_model("dgstgcn")) == 1_701_172
    # The backbone of ProtoGCN, and its classifier.
    wide = get_model("dgstgcn", stages=[(96, 4), (192, 3, 2), (384, 3, 2)])
    assert families.count(wide) == 3_705_696 + 23_100


@pytest.mark.parametrize("options", [{}, {"num_graphs": 3, "ratio": 0.5}])
def test_equals_the_dense_twin_in_evaluation_and_training(options):
    families.check_dense_twin(DGSTGCN, DenseDGSTGCN, **options)


def test_batches():
    families.check_batches(DGSTGCN)


def test_fused_and_two_streams():
    families.check_tools(DGSTGCN)


@pytest.mark.parametrize(
    ("options", "message"), [({"ratio": 0.0}, "'ratio' must be"), ({"num_graphs": 0}, "num_graphs")]
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        DGSTGCN(3, 4, **options)


def test_a_file_tells_its_model(load_golden, tmp_path):
    made = families.recorded(DGSTGCN, "dgstgcn_ntu", load_golden, **RECORDED)
    families.check_file(*made, tmp_path / "published.pth")


@pytest.mark.slow
def test_compiled_once_for_any_lengths():
    families.check_compiled(DGSTGCN)
