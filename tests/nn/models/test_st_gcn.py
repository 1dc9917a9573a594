import copy
import math
import pickle

import pytest
import torch
import torch.nn.functional as F
from torch_geometric.data import Batch

from pyg_vision import set_validation
from pyg_vision.data import (
    SkeletonLayout,
    dense_to_skeletons,
    skeleton_layout,
    skeleton_sequence,
    skeletons_to_dense,
)
from pyg_vision.nn import STGCN, DenseSTGCN, Stage, STGCNBlock, TwoStream
from pyg_vision.weights import from_published, load_published
from tests.laws import close
from tests.nn.golden_st_gcn import relative, starting_with

# Six joints and few frames: what is shown does not depend on size.
BODY = SkeletonLayout(
    "body",
    ("pelvis", "chest", "left_hand", "right_hand", "left_foot", "right_foot"),
    ((1, 0), (2, 1), (3, 1), (4, 0), (5, 0)),
    center=0,
    pairs=((2, 3), (4, 5)),
)
# Both strides and every kind of block.
SMALL = (Stage(8, 2), Stage(16, 2, 2), Stage(32, 2, 2))
RECORDED = {
    "stgcn_model_openpose_spatial": {"layout": "openpose", "partition": "stgcn"},
    "stgcn_model_ntu_distance_M1": {
        "layout": "ntu",
        "partition": "distance",
        "edge_importance": False,
    },
}


def model(cls=STGCN, two_stream=False, **options):
    """A small model whose every weight matters, in float64 and evaluation."""
    made = cls(3, 4, **{"layout": BODY, "stages": SMALL, **options})
    made = TwoStream(made).double() if two_stream else made.double()
    with torch.no_grad():
        for name, value in [*made.named_parameters(), *made.named_buffers()]:
            if "edge_importance" in name or "running_var" in name:
                value.uniform_(0.5, 1.5)
            elif "running_mean" in name or name.endswith("bias"):
                value.normal_(0, 0.3)
    return made.eval()


def sequence(persons, frames, layout=BODY, channels=3):
    return skeleton_sequence(
        torch.randn(persons, frames, layout.num_joints, channels).double(), layout
    )


def ragged():
    return [sequence(1, 9), sequence(2, 14), sequence(1, 1), sequence(3, 30), sequence(2, 2)]


@pytest.mark.parametrize("cls", [STGCN, DenseSTGCN])
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_numbers(cls, name, load_golden):
    _, recorded = load_golden(name)
    made = cls(3, 10, **RECORDED[name])
    report = load_published(made, starting_with("state.", recorded))
    assert report.checked == ["A"]
    made, x = made.double().eval(), recorded["input"].double()
    assert relative(made(x), recorded["output"]) < 1e-9
    scores, features = made.extract_feature(x)
    assert relative(features, recorded["feature"]) < 1e-9
    assert relative(scores, recorded["voted"]) < 1e-9


@pytest.mark.parametrize("name", RECORDED)
def test_a_published_file_tells_its_model(name, load_golden):
    _, recorded = load_golden(name)
    made = from_published(starting_with("state.", recorded)).double().eval()
    assert relative(made(recorded["input"].double()), recorded["output"]) < 1e-9
    assert made.layout == skeleton_layout(RECORDED[name]["layout"])
    assert made.partition == RECORDED[name]["partition"]
    assert (made.edge_importance is None) == (name == "stgcn_model_ntu_distance_M1")


def test_float32_stays_near_the_recorded_numbers(load_golden):
    name = "stgcn_model_openpose_spatial"
    _, recorded = load_golden(name)
    made = STGCN(3, 10, **RECORDED[name])
    load_published(made, starting_with("state.", recorded))
    assert relative(made.eval()(recorded["input"]).double(), recorded["output"]) < 1e-4


def test_published_size():
    counts = [sum(p.numel() for p in m.parameters()) for m in (STGCN(3, 400), DenseSTGCN(3, 400))]
    assert counts == [3_177_140] * 2
    masks = STGCN(3, 400).edge_importance.parameters()
    assert sum(mask.numel() for mask in masks) == 10 * (3 * 18 * 18)


@pytest.mark.parametrize("options", [{}, {"partition": "inward_outward"}, {"two_stream": True},
                                     {"edge_importance": False}, {"max_hop": 2},
                                     {"partition": "uniform", "kernel_size": 3}])  # fmt: skip
def test_equals_the_dense_twin_in_evaluation_and_training(options):
    sparse, dense = model(**options), model(DenseSTGCN, **options)
    dense.load_state_dict(sparse.state_dict())
    x = torch.randn(3, 3, 21, 6, 2, dtype=torch.double)
    close(sparse(x), dense(x))
    for ours, theirs in zip(sparse.extract_feature(x), dense.extract_feature(x), strict=True):
        assert ours.shape[2:] == (6, 6, 2)  # every fourth frame
        close(ours, theirs)
    sparse.train(), dense.train()
    for one in (sparse, dense):
        F.cross_entropy(one(x), torch.tensor([0, 1, 3])).backward()
    wanted = dict(dense.named_parameters())
    for name, parameter in sparse.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[name].grad, rtol=1e-8, atol=1e-10)
    for name, value in dense.state_dict().items():
        close(sparse.state_dict()[name], value)  # running statistics


def test_a_batch_is_its_sequences_one_by_one():
    made, sequences = model(), ragged()
    alone = torch.cat([made(one) for one in sequences])
    close(made(Batch.from_data_list(sequences)), alone)
    close(made(Batch.from_data_list(sequences[::-1])), alone.flip(0))
    features = made.extract_feature(Batch.from_data_list(sequences))
    for one, part in zip(sequences, features.to_data_list(), strict=True):
        expected = made.extract_feature(one)
        close(part.x, expected.x)
        close(part.scores, expected.scores)
        persons, frames, _ = one.skeleton_shape
        assert part.skeleton_shape == (persons, math.ceil(frames / 4), 6)
        assert part.scores.shape == (part.num_nodes, 4)


def test_classes_stay_with_their_features():
    sequences = ragged()
    for i, one in enumerate(sequences):
        one.y = torch.tensor([i])
    out = model().extract_feature(Batch.from_data_list(sequences))
    assert out.y.tolist() == [0, 1, 2, 3, 4]
    assert out[3].y.tolist() == [3]


def test_scores_of_nodes_average_to_the_logits():
    made, batch = model(), Batch.from_data_list([sequence(2, 9), sequence(2, 12)])
    for logits, part in zip(made(batch), made.extract_feature(batch).to_data_list(), strict=True):
        close(part.scores.mean(dim=0), logits)


def test_packed_statistics_see_no_padding():
    made = model().train()
    short, long = sequence(1, 6), sequence(1, 20)
    made(Batch.from_data_list([short, long]))
    frames = torch.cat((short.x, long.x)).view(26, -1)
    close(made.data_bn.running_mean, 0.9 * model_mean() + 0.1 * frames.mean(dim=0))


def model_mean():
    torch.manual_seed(0)  # as the test that asks: the same running statistics
    return model().data_bn.running_mean


def test_same_lengths_equal_the_dense_tensor_taken_as_given():
    made, batch = model(), Batch.from_data_list([sequence(2, 9), sequence(2, 9)])
    close(made(batch), made(skeletons_to_dense(batch)))
    x = torch.randn(2, 3, 9, 6, 2).double()
    close(made(dense_to_skeletons(x, BODY)), made(x))


def test_published_padding_equals_the_dense_run():
    padded = model(padding="published", window=(32, 3))
    dense = model(DenseSTGCN)
    dense.load_state_dict(padded.state_dict())
    batch = Batch.from_data_list(ragged())
    x = skeletons_to_dense(batch, 32, 3)
    close(padded(batch), dense(x))
    _, features = dense.extract_feature(x)
    out = padded.extract_feature(batch)
    close(skeletons_to_dense(out), features)
    assert out.skeleton_shape == [(3, 8, 6)] * 5
    packed = model()
    packed.load_state_dict(padded.state_dict())
    assert not torch.allclose(packed(batch), padded(batch)), "zeros are no part of a packed batch"
    # An output does not depend on what else is in a batch.
    close(padded(batch)[:1], padded(Batch.from_data_list(batch.to_data_list()[:1])))


def test_an_absent_person_in_a_dense_tensor_is_one_of_zeros():
    made = model()
    x = torch.randn(1, 3, 12, 6, 2).double()
    x[..., 1] = 0
    assert not torch.allclose(made(x), made(x[..., :1]))


def test_importance_is_the_published_mask():
    made = model()
    state = made.state_dict()
    mask = state["edge_importance.3"]
    assert mask.shape == (3, 6, 6)
    other = model()
    other.load_state_dict(state)
    x = torch.randn(1, 3, 9, 6, 1).double()
    close(other(x), made(x))
    with torch.no_grad():  # what is no edge takes no part
        edges = torch.zeros(3, 6, 6, dtype=torch.bool)
        edges[made.edge_type, made.edge_index[0], made.edge_index[1]] = True
        other.edge_importance[3][~edges] = torch.nan
    close(other(x), made(x))
    wrong = dict(state, **{"edge_importance.3": torch.ones(3, 5, 5)})
    with pytest.raises(RuntimeError, match=r"edge_importance.3.*\[3, 5, 5\]"):
        model().load_state_dict(wrong)


def test_importance_is_learned():
    made = model().train()
    made(torch.randn(2, 3, 9, 6, 1).double()).square().sum().backward()
    edges = (made.edge_type, *made.edge_index)
    for mask in made.edge_importance:
        assert mask.grad[edges].abs().min() > 0
        assert mask.grad.count_nonzero() == made.edge_type.numel()


def test_only_later_blocks_drop_out():
    made = STGCN(3, 4, layout=BODY, dropout=0.25)
    rates = [block.tcn[4].p for block in made.blocks]
    assert rates == [0.0] + [0.25] * 9


def test_half_precision():
    made = model().float()
    assert made.edge_weight.dtype == torch.float32
    out = made.to(torch.bfloat16)(torch.randn(1, 3, 9, 6, 1).bfloat16())
    assert out.dtype == torch.bfloat16


@pytest.mark.cuda
def test_a_batch_on_a_gpu_reads_nothing_back():
    made = model().float().cuda()
    batch = Batch.from_data_list([one.clone() for one in ragged()])
    batch.x = batch.x.float()
    expected = made.cpu()(batch)
    made, batch = made.cuda(), batch.to("cuda")
    made(batch)
    torch.cuda.set_sync_debug_mode("error")
    try:
        out = made(batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(out.cpu(), expected, rtol=1e-3, atol=1e-3)


def test_trains_after_inference():
    made, batch = model(), Batch.from_data_list(ragged())
    with torch.inference_mode():
        made(batch)
    made.train()(batch).sum().backward()
    assert made.blocks[0].gcn.weight.grad.abs().sum() > 0


def test_made_on_a_default_device():
    with torch.device("meta"):
        made = STGCN(3, 4, layout=BODY, stages=SMALL)
    assert made.fcn.weight.device.type == "meta"
    assert made.edge_index.device.type == "cpu", "edges would be lost on meta"
    filled = made.to_empty(device="cpu")
    assert sum(1 for _ in filled.parameters()) == sum(1 for _ in model().parameters())


def test_copies_and_pickles():
    made, x = model(), torch.randn(1, 3, 9, 6, 1).double()
    for again in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        close(again(x), made(x))
        assert again.state_dict().keys() == made.state_dict().keys()
        assert not any("plan" in name for name in again.state_dict())


@pytest.mark.slow
def test_compiles_in_float32_for_any_length():
    made = model().float()
    compiled = torch.compile(made, fullgraph=True, backend="aot_eager", dynamic=True)
    for frames in (18, 31):
        x = torch.randn(2, 3, frames, 6, 1)
        torch.testing.assert_close(compiled(x), made(x), rtol=1e-3, atol=1e-4)
    torch._dynamo.reset()


def test_compiles_on_a_dense_tensor():
    made, x = model(), torch.randn(2, 3, 9, 6, 2).double()
    compiled = torch.compile(made, fullgraph=True, backend="aot_eager")
    close(compiled(x), made(x))
    torch._dynamo.reset()


def test_autocast():
    made, x = model().float(), torch.randn(2, 3, 9, 6, 2)
    with torch.autocast("cpu", torch.bfloat16):
        out = made(x)
    torch.testing.assert_close(out.float(), made(x), rtol=0.2, atol=0.2)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"in_channels": 0}, ValueError, r"'in_channels' must be at least 1 \(got 0\)"),
        ({"num_classes": 2.0}, TypeError, "'num_classes' must be an integer"),
        ({"layout": "nobody"}, ValueError, "'layout' must be one of"),
        ({"partition": "spatial"}, ValueError, "'partition' must be one of"),
        ({"dropout": 1.0}, ValueError, r"'dropout' must be in \[0, 1\)"),
        ({"padding": "published"}, ValueError, "belong together.*window=None"),
        ({"window": (300, 2)}, ValueError, "belong together.*padding=None"),
        ({"padding": "zeros"}, ValueError, "'padding' must be 'published' or None"),
        ({"padding": "published", "window": (300,)}, ValueError, "two positive integers"),
        ({"padding": "published", "window": 300}, ValueError, r"integers.*\(got 300\)"),
        ({"padding": "published", "window": (0, 2)}, ValueError, "two positive integers"),
    ],
)
def test_wrong_arguments_are_named(options, error, message):
    with pytest.raises(error, match=message):
        STGCN(**{"in_channels": 3, "num_classes": 4, **options})


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ("skeleton", TypeError, r"must be a tensor or a Batch \(got 'str'\)"),
        (torch.zeros(1, 3, 9, 5, 1), ValueError, "6 joints of layout 'body'.*1, 3, 9, 5, 1"),
        (torch.zeros(1, 2, 9, 6, 1), ValueError, "in_channels=3"),
        (torch.zeros(3, 9, 6, 1), ValueError, "a dense input must be"),
        (torch.zeros(1, 3, 0, 6, 1), ValueError, "not empty"),
        (torch.zeros(1, 3, 9, 6, 1).long(), TypeError, "must be floating-point"),
        (torch.full((1, 3, 9, 6, 1), torch.nan), ValueError, "NaN or infinite"),
        (sequence(1, 4), TypeError, r"of the model, torch.float32 \(got torch.float64\)"),
        (sequence(1, 4, channels=2), ValueError, r"in_channels=3\] \(got \[24, 2\]\)"),
    ],
)
def test_wrong_inputs_are_named(x, error, message):
    with pytest.raises(error, match=message):
        STGCN(3, 4, layout=BODY)(x)


def test_data_of_another_layout_are_refused():
    other = SkeletonLayout("other", BODY.joints, ((1, 0), (2, 1), (3, 1), (4, 1), (5, 1)), 0)
    made = STGCN(3, 4, layout=BODY).double()
    with pytest.raises(ValueError, match="made for layout 'body' .*layout 'other'"):
        made(Batch.from_data_list([sequence(1, 4, layout=other)]))
    nameless = sequence(1, 4)
    del nameless.layout
    made.eval()(nameless)  # six joints, and no word that they are others
    hand = skeleton_sequence(torch.zeros(2, 21, 3).double(), "hand")
    del hand.layout
    with pytest.raises(ValueError, match=r"'body' of the model has 6 joints .*of \[21\] joints"):
        made(hand)


def test_a_sequence_beyond_the_window_is_refused():
    made = model(padding="published", window=(8, 2))
    with pytest.raises(ValueError, match=r"sequence 1 of 1 person\(s\) and 9 frame\(s\) does not"):
        made(Batch.from_data_list([sequence(1, 8), sequence(1, 9)]))


def test_values_are_read_only_where_validation_is_on():
    x = torch.full((1, 3, 9, 6, 1), torch.nan)
    with set_validation(False):
        assert STGCN(3, 4, layout=BODY).eval()(x).isnan().all()


@pytest.mark.parametrize("make", [STGCN, DenseSTGCN])
@pytest.mark.parametrize("two_stream", [True, False])
def test_reset(make, two_stream):
    model = TwoStream(make(3, 5)) if two_stream else make(3, 5)
    model = model.double().eval()
    x = torch.randn(1, 3, 8, 18, 1, dtype=torch.double)
    one = model.origin_stream if two_stream else model
    model.reset_classifier(7)
    assert model(x).shape == (1, 7)
    assert model.num_classes == one.num_classes == 7
    assert not one.fcn.training
    model.reset_classifier(0)
    assert model(x).shape == (1, 256)
    assert make(3, 0).num_classes == 0
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for parameter in model.parameters():
        torch.nn.init.constant_(parameter, 9.0)
    model.reset_parameters()
    for name, value in model.state_dict().items():
        if "edge_importance" in name or name.endswith(
            ("tcn.0.bias", "residual.1.bias", "tcn.3.bias")
        ):
            assert torch.equal(value, before[name])  # back at what they begin with
        assert not (value == 9.0).any()
    for wrong in (-1, True, 2.5):
        with pytest.raises((TypeError, ValueError), match="'num_classes' must be a[nt] "):
            model.reset_classifier(wrong)


@pytest.mark.parametrize("make", [STGCN, DenseSTGCN])
def test_stages_are_rows_of_data(make):
    made = make(3, 5, layout=BODY, stages=[Stage(8, 2), (16, 1, 3)]).double().eval()
    assert len(made.blocks) == 3
    x = torch.randn(1, 3, 9, 6, 1).double()
    assert made.extract_feature(x)[1].shape == (1, 16, 3, 6, 1)
    assert made(x).shape == (1, 5)
    with pytest.raises(ValueError, match="'stages' must hold at least one"):
        make(3, 5, layout=BODY, stages=[])
    for wrong, message in (((8, 0), "must be at least 1"), ((8, 2.0), "must be an integer")):
        with pytest.raises((TypeError, ValueError), match=rf"'depth of stages\[1\]' {message}"):
            make(3, 5, layout=BODY, stages=[(8, 1), wrong])


def test_blocks_and_norms_are_arguments():
    made = []

    def block(*args, **kwargs):
        made.append(STGCNBlock(*args, **kwargs))
        return made[-1]

    def norm(channels):
        return torch.nn.BatchNorm1d(channels, momentum=0.25)

    model = STGCN(3, 5, layout=BODY, stages=[Stage(8, 2)], block=block, norm_layer=norm)
    assert list(model.blocks) == made
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm1d)]
    assert {m.momentum for m in norms} == {0.25}
    assert len(norms) == 1 + 2 * 2
