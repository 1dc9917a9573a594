import pytest
import torch

from pyg_vision.nn import GraphMixer, GreedyViG, InvertedResidual, MobileViG, MobileViGv2

SMALL = {"channels": (8, 12), "blocks": ((1, 1), (1, 1)), "steps": (2, 1), "num_classes": 5}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": (1,)}, r"'channels', 'blocks' and 'steps' must be of one length.*2, 2 and 1"),
        ({"channels": (7, 12)}, r"first of 'channels' must be even.*got 7"),
        ({"blocks": ((1, 1, 1), (1, 1))}, r"'blocks\[0\]' must be the numbers of local and of"),
        ({"drop_path": 1.0}, r"'drop_path' must be in \[0, 1\)"),
        ({"steps": (0, 1)}, "'step' must be at least 1"),
        ({"act": "swish"}, "'act' must be one of"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        GreedyViG(**SMALL | options)


def test_a_pair_only_when_asked():
    model = GreedyViG(**SMALL).double()
    x = torch.rand(2, 3, 64, 48, dtype=torch.double)
    for mode in (True, False):
        model.train(mode)
        labels, teacher = model.forward_both(x)
        torch.testing.assert_close(model(x), (labels + teacher) / 2)
    with pytest.raises(RuntimeError, match="one classifier; make the model with distilled=True"):
        GreedyViG(**SMALL, distilled=False).forward_both(x.float())
    with pytest.raises(RuntimeError, match="without classes"):
        GreedyViG(**SMALL | {"num_classes": 0}).forward_both(x.float())


def test_both_forms_of_the_position_encoding_load():
    """The published code deploys its models with the identity in the kernel."""
    from pyg_vision.weights import load_published

    torch.manual_seed(0)
    source = GreedyViG(**SMALL).double().eval()
    state = {}
    for name, value in source.state_dict().items():
        parts = name.split(".")
        rest = ".".join(parts[4:])
        if parts[0] == "stem":
            name = f"stem.{name}"
        elif name.startswith("head.embed."):
            name = f"prediction.{int(parts[2]) + 1}.{parts[3]}"
        elif parts[0] == "head":
            name = f"{'head' if parts[1] == 'fc' else 'dist_head'}.{parts[2]}"
        elif parts[2] == "layers" and parts[1] == "1" and parts[3] == "0":
            name = f"backbone.1.0.conv.{rest}"
        elif parts[2] == "layers":
            new = {"pw1.0": "pw1", "pw1.1": "norm1", "dw.0": "dw", "dw.1": "norm2",
                   "pw2.0": "pw2", "pw2.1": "norm3"}  # fmt: skip
            part = ".".join(parts[4:6])
            end = "layer_scale_2" if parts[4] == "scale" else f"dws.{new[part]}.{parts[6]}"
            name = f"backbone.{parts[1]}.{parts[3]}.{end}"
        else:
            place = 1 if parts[1] == "0" else 2
            end = rest.replace("grapher.position.conv", "mixer.cpe.reparam_conv")
            end = end.replace("grapher.conv.", "mixer.graph_conv.")
            end = end.replace("grapher.scale.weight", "layer_scale_1")
            end = end.replace("ffn.scale.weight", "layer_scale_2").replace("grapher.", "mixer.")
            for ours, theirs in (("fc1.0", "0"), ("fc1.1", "1"), ("fc2.0", "3"), ("fc2.1", "4")):
                end = end.replace(f"ffn.{ours}", f"ffn.{theirs}")
            name = f"backbone.{parts[1]}.{place}.{end}"
            if name.endswith("reparam_conv.weight"):
                value = value.clone()
                value[:, :, 3, 3] += 1
        state[name] = value
    model = GreedyViG(**SMALL).double().eval()
    report = load_published(model, state)
    assert set(report.loaded) == set(state)
    x = torch.rand(2, 3, 64, 48, dtype=torch.double)
    torch.testing.assert_close(model(x), source(x))


def test_drop_path_is_of_training_and_rises():
    model = MobileViG(drop_path=0.1)
    rates = [m.p for m in model.modules() if type(m).__name__ == "DropPath"]
    assert rates[0] == 0.0
    assert max(rates) == rates[-1] == pytest.approx(0.1)
    assert rates == sorted(rates)


def test_drop_path_of_mobilevigv2_rises_over_graph_blocks_alone():
    """As published: a local block has the rate of the graph block that comes next."""
    model = MobileViGv2(drop_path=0.1)
    local = [m.drop_path.p for m in model.modules() if isinstance(m, InvertedResidual)]
    graphs = [m.drop_path.p for m in model.modules() if isinstance(m, GraphMixer)]
    step = 0.1 / (sum(map(sum, model.blocks)) - 1)
    assert graphs == pytest.approx([step * i for i in range(6)])
    assert local == pytest.approx([0] * 4 + [2 * step] * 6 + [4 * step] * 2)


def test_local_blocks_are_computed_again_too():
    torch.manual_seed(0)
    model = MobileViG((8, 12), ((2, 0), (1, 1)), (0, 2), num_classes=5).train()
    x, runs = torch.rand(2, 3, 64, 64), []
    model.stages[0]["layers"][1].pw1.register_forward_hook(lambda *_: runs.append(1))
    for enabled, count in ((False, 1), (True, 2)):
        model.set_grad_checkpointing(enabled)
        runs.clear()
        model(x).sum().backward()
        assert len(runs) == count
