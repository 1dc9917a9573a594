"""Recorded blocks of ST-GCN, under our names."""

import torch

from pyg_vision.data import Tracks

RECORDED = ["first", "same", "stride"]


def ours(state, relations=3):
    """The recorded state of a block, in the names and shapes of ours."""
    new = {}
    for name, value in state.items():
        if name == "gcn.conv.weight":
            name, value = "gcn.weight", value.flatten(1).unflatten(0, (relations, -1)).mT
        elif name == "gcn.conv.bias":
            name, value = "gcn.bias", value.view(relations, -1)
        new[name] = value
    return new


def starting_with(prefix, recorded):
    return {k.removeprefix(prefix): v for k, v in recorded.items() if k.startswith(prefix)}


def make(cls, load_golden, name):
    config, recorded = load_golden(f"stgcn_block_{name}")
    block = cls(
        config["in_channels"],
        config["out_channels"],
        3,
        stride=config["stride"],
        residual=config["residual"],
    )
    block.load_state_dict(ours(starting_with("state.", recorded)))
    return block.double(), recorded


def run_sparse(block, x, adj):
    """Runs a block on maps, as published."""
    num, channels, frames, joints = x.shape
    edge_type, source, target = adj.detach().nonzero(as_tuple=True)
    out = block(
        x.permute(0, 2, 3, 1).reshape(-1, channels),
        Tracks.of([(1, frames, joints)] * num),
        torch.stack((source, target)),
        edge_type,
        adj[edge_type, source, target],
    )
    return out.view(num, -1, joints, out.size(1)).permute(0, 3, 1, 2)


def relative(value, expected, least=0.0):
    gap = (value.detach() - expected).abs().max()
    return float(gap) / max(float(expected.abs().max()), least)


def check_evaluation(block, recorded, run):
    out = run(block.eval(), recorded["input"].double(), recorded["A"].double())
    assert relative(out, recorded["output"]) < 1e-9


def check_training(block, recorded, run):
    x = recorded["input"].double().requires_grad_()
    adj = recorded["A"].double().requires_grad_()
    out = run(block.train(), x, adj)
    assert relative(out, recorded["train.output"]) < 1e-9
    out.square().mean().backward()
    assert relative(x.grad, recorded["train.grad.input"]) < 1e-9
    edges = recorded["A"] != 0
    assert relative(adj.grad[edges], recorded["train.grad.A"][edges]) < 1e-9
    wanted = ours(starting_with("train.grad.block.", recorded))
    found = {name: p.grad for name, p in block.named_parameters()}
    found = {name: g.view(wanted[name].shape) if g.dim() == 1 else g for name, g in found.items()}
    assert wanted.keys() == found.keys()
    # The gradient of a bias before a norm is zero but for rounding, which is no scale.
    largest = max(float(gradient.abs().max()) for gradient in wanted.values())
    for name, gradient in wanted.items():
        value = found[name]
        if value.dim() == 4 and gradient.dim() == 3:  # the dense twin holds a convolution
            value = ours({"gcn.conv.weight": value})["gcn.weight"]
        assert relative(value, gradient, 1e-3 * largest) < 1e-9, name
    buffers = dict(block.named_buffers())
    statistics = starting_with("train.buffer.block.", recorded)
    assert statistics
    for name, value in statistics.items():
        assert relative(buffers[name], value) < 1e-9, name
