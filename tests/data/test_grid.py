import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.utils import contains_self_loops, is_undirected

from pyg_vision.data import grid_edge_index, grid_pos, patch_grid

sizes = st.tuples(st.integers(1, 6), st.integers(1, 6))


@given(grid=sizes, patch=sizes)
def test_patch_grid_inverts_multiplication(grid, patch):
    assert patch_grid((grid[0] * patch[0], grid[1] * patch[1]), patch) == grid


@pytest.mark.parametrize(
    ("image", "patch", "message"),
    [
        ((225, 224), 16, r"225×224 .* patches of 16×16 pixels; the nearest .* is 224×224$"),
        ((8, 15), (4, 2), r"8×15 .* patches of 4×2 pixels; the nearest .* is 8×16$"),
        ((3, 3), 8, r"3×3 .* the nearest .* is 8×8$"),
    ],
)
def test_patch_grid_names_the_nearest_size(image, patch, message):
    with pytest.raises(ValueError, match=message):
        patch_grid(image, patch)


def test_pos_is_x_right_and_y_down():
    expected = [[0.5, 1.0], [2.5, 1.0], [4.5, 1.0], [0.5, 4.0], [2.5, 4.0], [4.5, 4.0]]
    assert grid_pos((2, 3), (3, 2)).tolist() == expected


@given(grid=sizes, patch=sizes)
def test_pos_of_a_patch_is_the_mean_over_its_pixels(grid, patch):
    (h, w), (p_h, p_w) = grid, patch
    pixels = grid_pos((h * p_h, w * p_w)).view(h, p_h, w, p_w, 2)
    torch.testing.assert_close(grid_pos(grid, patch), pixels.mean(dim=(1, 3)).flatten(0, 1))


def test_pos_of_pixels_is_column_and_row():
    assert grid_pos((2, 2)).tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]


def brute_force(grid, connectivity):
    height, width = grid
    edges = []
    for i in range(height * width):
        for j in range(height * width):
            rows, columns = abs(i // width - j // width), abs(i % width - j % width)
            near = rows + columns == 1 if connectivity == 4 else max(rows, columns) == 1
            if near:
                edges.append((j, i))
    return edges


@given(grid=sizes, connectivity=st.sampled_from([4, 8]))
def test_edges_are_those_between_touching_nodes_sorted_by_destination(grid, connectivity):
    edge_index = grid_edge_index(grid, connectivity)
    assert edge_index.dtype == torch.long
    assert edge_index.shape[0] == 2
    assert list(map(tuple, edge_index.T.tolist())) == brute_force(grid, connectivity)


@pytest.mark.parametrize(("connectivity", "count"), [(4, 2 * 17), (8, 2 * 29)])
def test_edges_go_both_ways_without_loops(connectivity, count):
    edge_index = grid_edge_index((3, 4), connectivity)
    assert edge_index.shape == (2, count)
    assert is_undirected(edge_index)
    assert not contains_self_loops(edge_index)


def test_a_single_node_has_no_edges():
    assert grid_edge_index((1, 1), 8).shape == (2, 0)


@pytest.mark.parametrize("connectivity", [0, 6, "8"])
def test_connectivity_is_checked(connectivity):
    with pytest.raises(ValueError, match="'connectivity' must be 4 or 8"):
        grid_edge_index((3, 3), connectivity)
