import pytest
import torch
from torchvision.models import resnet18

from pyg_vision.nn import Grapher2d


@pytest.mark.parametrize("ratio", [1, 2])
def test_is_the_grapher_on_its_positions(ratio):
    block = Grapher2d(8, k=5, reduce_ratio=ratio).eval()
    x = torch.randn(2, 8, 6, 7)
    nodes = x.flatten(2).transpose(1, 2)
    nodes, graph = block.grapher(nodes, grid_size=(6, 7), return_graph=True)
    expected = block.ffn(nodes).transpose(1, 2).reshape(2, 8, 6, 7)
    out, found = block.forward_graph(x)
    torch.testing.assert_close(out, expected)
    assert torch.equal(found.index, graph.index)
    assert found.num_sources == (6 // ratio) * (7 // ratio)
    assert torch.equal(block(x), out)


def test_without_an_ffn_it_is_the_grapher_alone():
    block = Grapher2d(8, k=3, ffn=False).eval()
    x = torch.randn(1, 8, 4, 4)
    expected = block.grapher(x.flatten(2).transpose(1, 2))
    torch.testing.assert_close(block(x).flatten(2).transpose(1, 2), expected)


def test_keeps_the_memory_format():
    block = Grapher2d(8, k=3)
    x = torch.randn(2, 8, 4, 5)
    assert block(x).is_contiguous()
    last = x.contiguous(memory_format=torch.channels_last)
    assert block(last).is_contiguous(memory_format=torch.channels_last)
    assert block(torch.randn(1, 8, 9, 1)).stride()[1:3] == (9, 1)


def test_a_small_map_has_fewer_neighbours_and_says_so_once(recwarn):
    block = Grapher2d(8, k=9, dilation=2).eval()
    with pytest.warns(UserWarning, match="a map of 2 x 3 positions is too small for k=9"):
        _, graph = block.forward_graph(torch.randn(1, 8, 2, 3))
    assert graph.k == 6
    recwarn.clear()
    block(torch.randn(1, 8, 2, 3))
    assert not recwarn.list


def test_in_a_resnet_all_parameters_learn():
    model = resnet18(num_classes=3)
    model.layer4 = torch.nn.Sequential(model.layer4, Grapher2d(512, k=4))
    model(torch.randn(2, 3, 64, 64)).square().sum().backward()
    assert all(p.grad is not None for p in model.layer4.parameters())


def test_wrong_input():
    block = Grapher2d(8, reduce_ratio=4)
    with pytest.raises(ValueError, match=r"must be maps \[B, 8, H, W\] \(got shape \[2, 9, 8\]\)"):
        block(torch.randn(2, 9, 8))
    with pytest.raises(ValueError, match="too small for reduce_ratio=4"):
        block(torch.randn(2, 8, 3, 8))
