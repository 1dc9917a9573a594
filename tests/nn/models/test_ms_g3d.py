import pytest

from pyg_vision.nn import MSG3D, DenseMSG3D, get_model
from pyg_vision.weights import describe_checkpoint, load_published
from tests.laws import close
from tests.nn import skeleton_families as families
from tests.nn.golden_st_gcn import starting_with

RECORDED = {"layout": "ntu_pyskl", "channels": 12, "num_scales": 5, "num_window_scales": 3}
SMALL = {"channels": 8, "num_scales": 3, "num_window_scales": 2}


@pytest.mark.parametrize("cls", [MSG3D, DenseMSG3D])
def test_recorded_numbers(cls, load_golden):
    made, x, found = families.recorded(cls, "msg3d_ntu", load_golden, **RECORDED)
    families.check_evaluation(made, x, found)


def test_the_graphs_of_a_checkpoint_are_checked(load_golden):
    _, found = load_golden("skeleton_msg3d_ntu")
    state = starting_with("state.", found)
    report = load_published(MSG3D(3, 7, **RECORDED), state)
    assert len(report.checked) == 9
    with pytest.raises(ValueError, match="does not fit MSG3D"):
        load_published(MSG3D(3, 7, **RECORDED | {"hop_norm": "symmetric"}), state)


def test_names_of_the_official_code(load_golden):
    made, x, found = families.recorded(MSG3D, "msg3d_ntu", load_golden, **RECORDED)
    official = {}
    for name, value in starting_with("state.", found).items():
        if name.endswith(".A"):
            continue
        name = name.removeprefix("backbone.").replace("cls_head.fc_cls.", "fc.")
        if name.endswith(".PA"):
            name, value = name.replace(".PA", ".A_res"), value.mT.flatten(0, 1)
        official[name] = value
    other = MSG3D(3, 7, **RECORDED)
    load_published(other, official)
    close(other.double().eval()(x), made.eval()(x))
    info = describe_checkpoint(official)
    assert info.model == "pyg_vision.nn.MSG3D"
    assert info.options["hop_norm"] == "symmetric"


def test_a_file_tells_its_sizes(load_golden):
    _, found = load_golden("skeleton_msg3d_ntu")
    info = describe_checkpoint(starting_with("state.", found))
    wanted = {**RECORDED, "layout": "ntu", "in_channels": 3, "num_classes": 7, "num_persons": 2,
              "hop_norm": "target"}  # fmt: skip
    assert info.options == wanted


def test_published_size():
    assert families.count(get_model("msg3d")) == 3_194_595


@pytest.mark.parametrize("options", [{}, {"hop_norm": "symmetric"}])
def test_equals_the_dense_twin_in_evaluation_and_training(options):
    families.check_dense_twin(MSG3D, DenseMSG3D, **SMALL, **options)


def test_batches():
    families.check_batches(MSG3D, **SMALL)


def test_fused_and_two_streams():
    families.check_tools(MSG3D, start=None, **SMALL)


@pytest.mark.slow
def test_compiled_once_for_any_lengths():
    families.check_compiled(MSG3D, **SMALL)
