import pytest
import torch

from pyg_vision.data import SkeletonLayout, skeleton_sequence
from pyg_vision.transforms import FirstPersons, TopPersons, TrackPersons

STICK = SkeletonLayout("stick", ("a", "b"), ((1, 0),), center=0)


def walkers(frames=6):
    """Three people at x = 0, 10 and 20, who sway a little; coordinates tell who it is."""
    base = torch.tensor([0.0, 10.0, 20.0]).view(3, 1, 1, 1)
    return base + 0.1 * torch.randn(3, frames, 2, 2) + torch.tensor([0.5, 1.0])


def shuffled(people):
    """The same people, listed in another order in every frame."""
    return torch.stack(
        [people[torch.randperm(len(people)), t] for t in range(people.size(1))], dim=1
    )


def test_surest_persons_are_kept_in_order():
    keypoints = torch.randn(3, 4, 2, 2)
    score = torch.tensor([0.2, 0.9, 0.5]).view(3, 1, 1).expand(3, 4, 2)
    data = skeleton_sequence(keypoints, STICK, score=score)
    out = TopPersons(2)(data)
    assert out.skeleton_shape == (2, 4, 2)
    assert torch.equal(out.pos.view(2, 4, 2, 2), keypoints[[1, 2]])
    assert torch.equal(out.x[:, 2].view(2, 4, 2), score[[1, 2]])
    assert TopPersons(5)(data).skeleton_shape == (3, 4, 2)


def test_ranked_in_every_frame():
    keypoints = torch.randn(3, 2, 2, 2)
    score = torch.tensor([[0.9, 0.1], [0.5, 0.8], [0.1, 0.5]]).unsqueeze(-1).expand(3, 2, 2)
    out = TopPersons(2, every_frame=True)(skeleton_sequence(keypoints, STICK, score=score))
    pos = out.pos.view(2, 2, 2, 2)
    assert torch.equal(pos[:, 0], keypoints[[0, 1], 0])
    assert torch.equal(pos[:, 1], keypoints[[1, 2], 1])


def test_everyone_gets_a_track():
    people = walkers()
    out = TrackPersons()(skeleton_sequence(shuffled(people), STICK))
    tracks = out.pos.view(3, 6, 2, 2)
    order = tracks[:, 0, 0, 0].round().div(10, rounding_mode="floor").int().tolist()
    assert sorted(order) == [0, 1, 2]
    assert torch.equal(tracks, people[order])


def test_the_sum_of_distances_is_least():
    # Matching the nearest pair first would leave the second person a far track.
    first = torch.tensor([0.0, 3.0]).view(2, 1, 1, 1).expand(2, 1, 2, 2) + 1
    then = torch.tensor([2.0, 5.5]).view(2, 1, 1, 1).expand(2, 1, 2, 2) + 1
    data = skeleton_sequence(torch.cat((first, then.flip(0)), dim=1), STICK)
    tracks = TrackPersons()(data).pos.view(2, 2, 4)
    assert tracks[0, :, 0].tolist() == [1.0, 3.0]
    assert tracks[1, :, 0].tolist() == [4.0, 6.5]


def test_a_lost_person_comes_back_to_their_track():
    people = walkers()
    people[1, 2:4] = 0
    out = TrackPersons()(skeleton_sequence(people, STICK))
    assert torch.equal(out.pos.view(3, 6, 2, 2), people)
    newcomer = TrackPersons(max_gap=1)(skeleton_sequence(people, STICK))
    assert newcomer.skeleton_shape == (4, 6, 2)
    assert torch.equal(newcomer.pos.view(4, 6, 2, 2)[3, 4:], people[1, 4:])


def test_nobody_jumps_farther_than_the_limit():
    people = walkers()[:1]
    people[0, 3:] += 50
    one = TrackPersons()(skeleton_sequence(people, STICK))
    assert one.skeleton_shape == (1, 6, 2)
    two = TrackPersons(max_distance=5)(skeleton_sequence(people, STICK))
    tracks = two.pos.view(2, 6, 2, 2)
    assert torch.equal(tracks[0, :3], people[0, :3])
    assert (tracks[0, 3:] == 0).all()
    assert torch.equal(tracks[1, 3:], people[0, 3:])


def test_scores_move_with_their_persons():
    people, score = walkers(), torch.tensor([0.1, 0.5, 0.9]).view(3, 1, 1).repeat(1, 6, 2)
    both = shuffled(torch.cat((people, score.unsqueeze(-1)), dim=-1))
    out = TrackPersons()(skeleton_sequence(both[..., :2], STICK, score=both[..., 2]))
    scores = out.x[:, 2].view(3, 12)
    assert (scores == scores[:, :1]).all()


def test_an_empty_sequence_stays_as_it_is():
    data = skeleton_sequence(torch.zeros(2, 3, 2, 2), STICK)
    assert TrackPersons()(data).skeleton_shape == (2, 3, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TopPersons(0), "'num_persons' must be at least 1"),
        (lambda: TrackPersons(-1.0), "'max_distance' must not be negative"),
        (lambda: TrackPersons(max_gap=-1), "'max_gap' must not be negative"),
    ],
)
def test_wrong_arguments_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_persons_without_score_are_ranked_by_how_much_they_move():
    keypoints = torch.randn(3, 8, 2, 3) * torch.tensor([0.1, 2.0, 0.5]).view(3, 1, 1, 1) + 4
    keypoints[1, 3:] = 0  # not seen: standing still there does not count
    out = TopPersons(2)(skeleton_sequence(keypoints, STICK))
    assert torch.equal(out.pos.view(2, 8, 2, 3), keypoints[[1, 2]])
    nobody = torch.zeros(2, 3, 2, 3)
    assert TopPersons(1)(skeleton_sequence(nobody, STICK)).skeleton_shape == (1, 3, 2)
    with pytest.raises(ValueError, match="has no score: its 3 channels are coordinates"):
        TopPersons(1, every_frame=True)(skeleton_sequence(keypoints, STICK))


def test_the_first_persons_are_kept():
    keypoints = torch.rand(3, 4, 17, 2)
    data = skeleton_sequence(keypoints, "coco")
    assert torch.equal(FirstPersons(2)(data).pos.view(2, 4, 17, 2), keypoints[:2])
    assert FirstPersons(5)(data).skeleton_shape == (3, 4, 17)


def test_persons_who_are_not_seen_do_not_count():
    keypoints = torch.rand(3, 4, 17, 2)
    keypoints[0] = 0
    data = FirstPersons(1)(skeleton_sequence(keypoints, "coco"))
    assert torch.equal(data.pos.view(1, 4, 17, 2), keypoints[1:2])
    nobody = FirstPersons(2)(skeleton_sequence(torch.zeros(2, 4, 17, 2), "coco"))
    assert nobody.skeleton_shape == (1, 4, 17)
