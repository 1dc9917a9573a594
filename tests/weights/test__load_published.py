import pickle

import pytest
import torch
from safetensors.torch import save_file

from pyg_vision.nn import DenseViG, ViG
from pyg_vision.weights import LoadReport, load_published

SMALL = {"channels": 16, "depth": 2, "k": 3, "num_classes": 4, "image_size": 64}


def published(model):
    """The state of a model under the names and shapes of the published code."""
    state = {}
    for name, value in model.state_dict().items():
        old = name.replace("head.", "prediction.").replace("stem.", "stem.convs.")
        if old.startswith("blocks."):
            _, block, part, *rest = old.split(".")
            tail = ".".join(rest)
            tail = f"graph_conv.gconv.{tail[5:]}" if tail.startswith("conv.") else tail
            old = f"backbone.{block}.{0 if part == 'grapher' else 1}.{tail}"
        state[old] = value[:, :, None, None] if value.dim() == 2 else value
    return state


def randomised(cls=ViG, **options):
    model = cls(**SMALL | options)
    with torch.no_grad():
        for value in [*model.parameters(), *model.buffers()]:
            if value.is_floating_point():
                value.uniform_(0.1, 1.0)
    return model


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.values(), b.values(), strict=True))


@pytest.mark.parametrize("cls", [ViG, DenseViG])
@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s}, lambda s: {"model": s}])
@pytest.mark.parametrize("form", ["dict", "pth", "safetensors"])
def test_every_key_is_loaded_and_reported(cls, wrap, form, tmp_path):
    source = randomised(cls)
    state = {f"module.{name}": value for name, value in published(source).items()}
    if form == "dict":
        given = wrap(state)
    elif form == "pth":
        given = tmp_path / "vig.pth"
        torch.save(wrap(state), given)
    else:
        given = str(tmp_path / "vig.safetensors")
        save_file({k: v.contiguous() for k, v in state.items()}, given)
    target = cls(**SMALL)
    report = load_published(target, given)
    assert same(target.state_dict(), source.state_dict())
    assert len(report.loaded) == len(state)
    assert report.skipped == {}
    assert report.missing == []
    assert str(report).startswith(f"{len(state)} loaded, 0 of them resampled, 0 skipped, 0 missing")
    name = "backbone.1.0.graph_conv.gconv.nn.0.weight"
    assert report.loaded[name] == "blocks.1.grapher.conv.nn.0.weight"


def test_position_embedding_of_another_size_is_resampled():
    source, target = randomised(), ViG(**SMALL | {"image_size": (96, 64)})
    report = load_published(target, published(source))
    assert report.resampled == {"pos_embed": "[1, 16, 4, 4] -> [1, 16, 6, 4]"}
    assert "resampled pos_embed" in str(report)
    assert target.pos_embed.min() > 0


def test_another_head_is_an_error_unless_not_strict():
    source, target = randomised(), ViG(**SMALL | {"num_classes": 7})
    before = {name: value.clone() for name, value in target.state_dict().items()}
    with pytest.raises(ValueError, match=r"prediction\.4\.weight: shape \[4, 1024, 1, 1\]"):
        load_published(target, published(source))
    assert same(target.state_dict(), before)  # nothing was changed
    report = load_published(target, published(source), strict=False)
    assert set(report.skipped) == {"prediction.4.weight", "prediction.4.bias"}
    assert set(report.missing) == {"head.4.weight", "head.4.bias"}
    assert torch.equal(target.pos_embed, source.pos_embed)
    assert "skipped prediction.4.bias" in str(report)
    assert "missing head.4.bias" in str(report)


def test_missing_and_unknown_keys_are_named():
    state = published(randomised())
    removed = state.pop("backbone.0.1.fc1.0.bias")
    with pytest.raises(ValueError, match=r"blocks\.0\.ffn\.fc1\.0\.bias: missing"):
        load_published(ViG(**SMALL), state)
    state |= {"backbone.0.1.fc1.0.bias": removed, "teacher.weight": removed}
    with pytest.raises(ValueError, match=r"teacher\.weight: unknown"):
        load_published(ViG(**SMALL), state)
    with pytest.raises(ValueError, match="1 keys skipped"):
        load_published(ViG(**SMALL), published(randomised()) | {"backbone.5.1.fc1.0.bias": removed})


class Attack:
    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


def test_hostile_truncated_and_foreign_files_are_named(tmp_path):
    state = published(randomised())
    path = tmp_path / "vig.pth"
    torch.save(state, path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"not a checkpoint", pickle.dumps(Attack(), 2)):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"vig\.pth' could not be read as a checkpoint"):
            load_published(ViG(**SMALL), path)
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match="no state dict.*'list'"):
        load_published(ViG(**SMALL), path)
    torch.save({"epoch": 3, **state}, path)
    with pytest.raises(ValueError, match="no tensors.*'epoch'"):
        load_published(ViG(**SMALL), path)
    broken = tmp_path / "vig.safetensors"
    broken.write_bytes(whole[:100])
    with pytest.raises(ValueError, match="could not be read"):
        load_published(ViG(**SMALL), broken)
    with pytest.raises(FileNotFoundError, match=r"missing\.pth"):
        load_published(ViG(**SMALL), tmp_path / "missing.pth")
    with pytest.raises(ValueError, match="the state dict is no checkpoint of ViG: 0 of its 1 "):
        load_published(ViG(**SMALL), {"weight": torch.zeros(1)}, strict=False)


def test_other_models_have_no_published_checkpoint():
    with pytest.raises(TypeError, match="Linear"):
        load_published(torch.nn.Linear(2, 2), {"weight": torch.zeros(1)})


def test_report_of_nothing():
    assert str(LoadReport()) == "0 loaded, 0 of them resampled, 0 skipped, 0 missing"
