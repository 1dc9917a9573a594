import pytest
import torch

from pyg_vision.data import hop_adjacency, skeleton_layout
from pyg_vision.data.partition import hop_distance


def test_a_matrix_for_each_distance():
    stack, distance = hop_adjacency("coco", 4), hop_distance(skeleton_layout("coco"))
    same = torch.eye(17, dtype=torch.bool)
    for hop, matrix in enumerate(stack):
        assert torch.equal(matrix > 0, (distance == hop) | same)
    torch.testing.assert_close(stack.sum(1), torch.ones(4, 17, dtype=torch.double))
    # What no pair of joints is apart leaves the self-loops.
    assert torch.equal(hop_adjacency("coco", 30)[-1], torch.eye(17, dtype=torch.double))


def test_symmetric():
    stack = hop_adjacency("coco", 3, norm="symmetric")
    torch.testing.assert_close(stack, stack.mT)
    joined = (hop_adjacency("coco", 3)[1] > 0).double()
    degree = joined.sum(0)
    torch.testing.assert_close(stack[1], joined / (degree.unsqueeze(1) * degree).sqrt())


def test_all_frames_of_a_window_are_joined():
    stack = hop_adjacency("coco", 3, window=3)
    assert stack.shape == (3, 51, 51)
    near = (hop_adjacency("coco", 2)[1] > 0).tile(3, 3)
    assert torch.equal(stack[1] > 0, near)
    far = (hop_distance(skeleton_layout("coco")) == 2).tile(3, 3)
    assert torch.equal(stack[2] > 0, far | torch.eye(51, dtype=torch.bool))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"num_scales": 0}, "num_scales"), ({"window": 0}, "window"), ({"norm": "row"}, "'norm'")],
)
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        hop_adjacency("coco", **{"num_scales": 3, **options})
