import pytest
import torch

from pyg_vision.data import adjacency_stack, skeleton_graph
from pyg_vision.nn import AAGCN, AGCN, DenseAAGCN, DenseAGCN, get_model
from pyg_vision.weights import describe_checkpoint, from_published, load_published
from tests.laws import close
from tests.nn import skeleton_families as families
from tests.nn.golden_st_gcn import starting_with
from tests.nn.models.test_st_gcn import sequence

STAGES = [(16, 2), (32, 2, 2)]
RECORDED = {
    "aagcn_ntu": {"layout": "ntu_pyskl", "stages": STAGES},
    "aagcn_noattention_coco": {"layout": "coco", "stages": STAGES, "attention": False},
}


@pytest.mark.parametrize("cls", [AAGCN, DenseAAGCN])
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_numbers(cls, name, load_golden):
    made = families.recorded(cls, name, load_golden, **RECORDED[name])
    families.check_evaluation(*made)
    families.check_training(*made)


def test_names_of_the_official_code(load_golden):
    made, x, found = families.recorded(AAGCN, "aagcn_ntu", load_golden, **RECORDED["aagcn_ntu"])
    official = {}
    for name, value in starting_with("state.", found).items():
        name = name.replace("backbone.data_bn.", "data_bn.").replace("cls_head.fc_cls.", "fc.")
        if name.startswith("backbone.gcn."):
            number, rest = name.removeprefix("backbone.gcn.").split(".", 1)
            rest = rest.replace("gcn.A", "gcn.PA").replace("gcn.", "gcn1.", 1)
            name = f"l{int(number) + 1}.{rest.replace('tcn.', 'tcn1.', 1)}"
        if name != "backbone.A":
            official[name] = value
    other = AAGCN(3, 7, **RECORDED["aagcn_ntu"])
    load_published(other, official)
    assert isinstance(from_published(official), AAGCN)
    plain = {k: v for k, v in official.items() if "alpha" not in k and "_sa." not in k}
    plain = {k: v for k, v in plain.items() if "_ta." not in k and "fc1c" not in k}
    found = describe_checkpoint({k: v for k, v in plain.items() if "fc2c" not in k})
    assert found.model == "pyg_vision.nn.AGCN"
    close(other.double().eval()(x), made.eval()(x))


def test_softmax_over_sources_as_in_the_reference():
    """One graph convolution of 2s-AGCN, by an einsum."""
    made = families.small(AGCN)
    conv, x = made.blocks[1].gcn.conv, torch.randn(5, 6, 12, dtype=torch.double)
    stack = adjacency_stack(skeleton_graph(made.layout, "inward_outward"), 3, 6).float().double()
    expected = 0
    for k in range(3):
        theta, phi = conv.theta[k](x), conv.phi[k](x)
        score = torch.einsum("tvc,twc->vw", theta, phi) / (theta.size(2) * theta.size(0))
        graph = stack[k] + conv.adjacency[k] + score.softmax(dim=-2)
        expected = expected + conv.lin[k](torch.einsum("tvc,vw->twc", x, graph))
    close(conv(x), expected)


def test_published_sizes():
    assert families.count(get_model("agcn")) == 3_469_510
    assert families.count(get_model("aagcn")) == 3_781_668
    assert families.count(get_model("aagcn", attention=False)) == 3_469_520


@pytest.mark.parametrize(("cls", "twin"), [(AGCN, DenseAGCN), (AAGCN, DenseAAGCN)])
@pytest.mark.parametrize("options", [{}, {"num_persons": None}])
def test_equals_the_dense_twin_in_evaluation_and_training(cls, twin, options):
    families.check_dense_twin(cls, twin, **options)


@pytest.mark.parametrize("cls", [AGCN, AAGCN])
def test_batches(cls):
    families.check_batches(cls)


@pytest.mark.parametrize("cls", [AGCN, AAGCN])
def test_fused_and_two_streams(cls):
    families.check_tools(cls, start=1e-6)


def test_more_persons_than_told_apart():
    with pytest.raises(ValueError, match=r"at most 2 persons \(got 3\)"):
        families.small(AAGCN)(sequence(3, 9))
    families.small(AAGCN, num_persons=None)(sequence(3, 9))


@pytest.mark.parametrize("name", RECORDED)
def test_a_file_tells_its_model(name, load_golden, tmp_path):
    made = families.recorded(AAGCN, name, load_golden, **RECORDED[name])
    families.check_file(*made, tmp_path / "published.pth")


@pytest.mark.slow
@pytest.mark.parametrize("cls", [AGCN, AAGCN])
def test_compiled_once_for_any_lengths(cls):
    families.check_compiled(cls)
