import pytest
import torch

from pyg_vision.nn import DenseWindowMixer, GraphMixer, MRConv, RelativePosition, WindowedKNNGraph


@pytest.mark.parametrize("grid", [(14, 21), (7, 7), (3, 6)])
@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize("bias", [False, True])
def test_twin(grid, shift, bias):
    torch.manual_seed(0)
    position = RelativePosition(16, (7, 7)) if bias else None
    graph = WindowedKNNGraph(9, 7, shift, True, position)
    conv = MRConv(16, 32, groups=4, interleave=True, norm="batch", act="gelu")
    mixer = GraphMixer(16, graph, conv, 32).double()
    twin = DenseWindowMixer(16, graph).double()
    twin.load_state_dict(mixer.state_dict())
    maps = torch.randn(2, 16, *grid, dtype=torch.double)
    x = maps.flatten(2).transpose(1, 2).contiguous()
    expected = twin(maps).flatten(2).transpose(1, 2)
    out, table = mixer(x, grid_size=grid, return_graph=True)
    torch.testing.assert_close(out, expected, rtol=1e-9, atol=1e-9)
    given = twin(maps, table).flatten(2).transpose(1, 2)
    torch.testing.assert_close(given, expected, rtol=1e-9, atol=1e-9)


def test_takes_multiples_of_the_window():
    with pytest.raises(ValueError, match=r"multiples of window=7 \(got 8 x 14\)"):
        DenseWindowMixer(16, WindowedKNNGraph())(torch.randn(1, 16, 8, 14))


def test_takes_neighbours_of_the_window_alone():
    mixer = DenseWindowMixer(16, WindowedKNNGraph(shift=3)).eval()
    maps = torch.randn(1, 16, 14, 14)
    unshifted = WindowedKNNGraph()(maps.flatten(2).transpose(1, 2).contiguous(), (14, 14))
    with pytest.raises(ValueError, match="'neighbors' must lie in the window of their patch"):
        mixer(maps, unshifted)
