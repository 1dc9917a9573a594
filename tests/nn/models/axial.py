"""What is tested of MobileViG and of each model after it, and of their dense twins."""

import pytest
import torch

from pyg_vision.weights import describe_checkpoint, from_published, load_published

TOLERANCE = 1e-9


def relative(actual, expected):
    return float(((actual - expected).abs().max() / expected.abs().max()).detach())


def build(cls, config):
    """The model of a golden file."""
    if "local_blocks" in config:
        channels = config["local_channels"] + config["global_channels"]
        blocks = [(depth, 0) for depth in config["local_blocks"]]
        blocks.append((0, config["global_blocks"][0]))
        steps = (0,) * len(config["local_blocks"]) + (config["K"],)
    else:
        channels, blocks, steps = config["channels"], config["blocks"], config["K"]
    return cls(channels, blocks, steps, config["emb_dims"], num_classes=config["num_classes"])


def published_state(tensors):
    return {k.removeprefix("state."): v for k, v in tensors.items() if k.startswith("state.")}


def reproduces_the_published_outputs(cls, golden):
    config, tensors = golden
    model, state = build(cls, config), published_state(tensors)
    report = load_published(model, state)
    assert set(report.loaded) == set(state)
    assert not report.missing
    model = model.double().eval()
    fused = model.fuse()
    for i in range(2):
        x, expected = tensors[f"input.{i}"].double(), tensors[f"output.{i}"]
        with torch.no_grad():
            assert relative(model(x), expected) < TOLERANCE
            assert relative(fused(x), expected) < TOLERANCE
            assert relative(torch.cat([model(v[None]) for v in x]), expected) < TOLERANCE


def reproduces_the_published_training_step(cls, golden):
    config, tensors = golden
    model = build(cls, config)
    load_published(model, published_state(tensors))
    model = model.double().train()
    labels, teacher = model.forward_both(tensors["input.0"].double())
    assert relative(labels, tensors["train.output"]) < TOLERANCE
    assert relative(teacher, tensors["train.output_dist"]) < TOLERANCE
    loss = labels.pow(2).mean() + teacher.pow(2).mean()
    loss.backward()
    prefix = "train.grad."
    grads = {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
    largest = max(float(v.abs().max()) for v in grads.values())
    own = dict(model.named_parameters())
    assert len(grads) == len(own)
    for name, expected in grads.items():
        found = own[model.published.rename(name)].grad.view(expected.shape)
        # That of a bias before a norm is zero, and rounding in both.
        scale = max(float(expected.abs().max()), 1e-3 * largest)
        assert float((found - expected).abs().max()) < TOLERANCE * scale, name


def is_told_from_its_names(cls, golden):
    config, tensors = golden
    state = published_state(tensors)
    info = describe_checkpoint(state)
    assert info.model == f"pyg_vision.nn.{cls.__name__}"
    model = build(cls, config)
    for name in ("channels", "blocks", "embed_channels", "num_classes", "in_channels"):
        found, wanted = info.options[name], getattr(model, name)
        assert [*map(tuple, found)] == [*wanted] if name == "blocks" else (
            found == wanted if isinstance(wanted, int) else tuple(found) == wanted
        )  # fmt: skip
    assert info.input["mean"] == [0.485, 0.456, 0.406]
    made = from_published(state, **{"steps": model.steps}).double().eval()
    with torch.no_grad():
        out = made(tensors["input.0"].double())
    assert relative(out, tensors["output.0"]) < TOLERANCE
    # A file of the authors holds both averaged weights and others.
    averaged = {k: v + 1 if v.is_floating_point() else v for k, v in state.items()}
    file = {"state_dict": averaged, "state_dict_ema": state}
    report = load_published(build(cls, config), file)
    assert report.entry == "state_dict_ema"


def has_a_dense_twin(model, twin):
    """Value and gradient on maps of odd sides, one of them shorter than a shift."""
    twin.load_state_dict(model.state_dict())
    model, twin = model.double().train(), twin.double().train()
    torch.manual_seed(1)
    x = torch.rand(2, 3, 72, 104, dtype=torch.double)
    outs = [net.forward_both(x) for net in (model, twin)]
    for found, expected in zip(*outs, strict=True):
        assert relative(found, expected) < TOLERANCE
    grads = [
        torch.autograd.grad(out[0].square().sum() + out[1].mean(), list(net.parameters()))
        for net, out in zip((model, twin), outs, strict=True)
    ]
    largest = max(float(v.abs().max()) for v in grads[1])
    for found, expected in zip(*grads, strict=True):
        assert float((found - expected).abs().max()) < 1e-8 * largest
    model.eval(), twin.eval()
    with torch.no_grad():
        assert relative(model(x), twin(x)) < TOLERANCE
        assert relative(twin.fuse()(x), twin(x)) < TOLERANCE
    with pytest.raises(TypeError, match="has no graphs: ask the model itself"):
        twin.forward_graphs(x)


def serves_as_every_model_does(model, blocks):
    """Maps, graphs, one image, several sizes, other classes, checkpointing."""
    model = model.eval()
    x = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        logits, graphs = model.forward_graphs(x)
        grids = model.block_grids(64, 96)
        assert len(graphs) == len(grids) == blocks
        for graph, ((rows, columns), _) in zip(graphs, grids, strict=True):
            assert graph.index.shape[:2] == (2, rows * columns)
            assert graph.num_sources == rows * columns
        torch.testing.assert_close(model(x, neighbors=graphs), logits, rtol=1e-4, atol=1e-6)
        last, maps = model.forward_intermediates(x)
        assert [m.shape[1] for m in maps] == list(model.channels)
        assert [m.shape[2:] for m in maps] == [(16, 24), (8, 12), (4, 6), (2, 3)]
        assert torch.equal(maps[-1].flatten(2).transpose(1, 2), last)
        images = [torch.rand(3, 64, 64), x[0], torch.rand(3, 40, 72), x[1]]
        alone = torch.cat([model(image[None]) for image in images])
        torch.testing.assert_close(model(images), alone, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="images of different sizes in evaluation mode alone"):
        model.train()(images)
    kept = [v.clone() for v in model.state_dict().values()]
    plain = model(x).sum()
    plain_grads = torch.autograd.grad(plain, list(model.parameters()))
    statistics = [v.clone() for v in model.state_dict().values()]
    model.load_state_dict(dict(zip(model.state_dict(), kept, strict=True)))
    model.set_grad_checkpointing()
    again = torch.autograd.grad(model(x).sum(), list(model.parameters()))
    for found, expected in zip(again, plain_grads, strict=True):
        torch.testing.assert_close(found, expected)
    for found, expected in zip(model.state_dict().values(), statistics, strict=True):
        torch.testing.assert_close(found, expected)
    model.reset_classifier(4)
    assert model.eval()(x).shape == (2, 4)
    model.reset_classifier(0)
    assert model(x).shape == (2, model.num_features)
