import io
import re
import sys

import numpy as np
import pytest
import torch
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_hex, to_rgb
from PIL import Image
from torch_geometric.data import Batch, Data

from pyg_vision.data import SkeletonLayout, skeleton_graph, skeleton_layout, skeleton_sequence
from pyg_vision.visualization._skeleton_canvas import PERSONS
from pyg_vision.visualization._skeleton_scene import read_relations
from pyg_vision.visualization._style import ANY, FARTHER, NEARER, SELF, TEMPORAL
from pyg_vision.visualization.skeleton_graph import draw_skeleton

# Two arms: the neck in the middle, an elbow and a wrist on each side.
ARMS = SkeletonLayout(
    name="arms",
    joints=("neck", "left_elbow", "left_wrist", "right_elbow", "right_wrist"),
    bones=((1, 0), (2, 1), (3, 0), (4, 3)),
    center=0,
)


def arms(num_frames=8, persons=1, dims=2, layout=ARMS, **changes):
    """The wrists rise from frame to frame, from 2 to 3; the neck stays at (5, 3)."""
    t = torch.linspace(0, 1, num_frames)
    still = torch.zeros_like(t)
    x = torch.stack([still, still + 1, still + 2, still - 1, still - 2], dim=1) + 5
    y = torch.stack([still, still - 0.5, t - 1, still - 0.5, t - 1], dim=1) + 3
    pos = torch.stack([x, y, 0.1 * x * y][:dims], dim=-1)
    pos = torch.stack([pos + 5 * i for i in range(persons)])
    return skeleton_sequence(pos, layout, **changes)


def panels(figure):
    """The axes of the moments: those with a label 'frame …'."""
    return [ax for ax in figure.axes if any(t.get_text().startswith("frame") for t in ax.texts)]


def legend(figure):
    """The texts of the legend, and those below it."""
    (key,) = figure.legends
    return [text.get_text() for text in (*key.get_texts(), *figure.texts)]


def heads(ax, color):
    """The tips of the arrows of a colour."""
    found = [c for c in ax.collections if isinstance(c, PolyCollection)]
    found = [c for c in found if to_hex(c.get_facecolor()[0]).upper() == color]
    return [path.vertices[0] for c in found for path in c.get_paths()]


def lines(ax, color):
    found = [c for c in ax.collections if isinstance(c, LineCollection)]
    return [
        path.vertices
        for c in found
        if to_hex(c.get_edgecolor()[0]).upper() == color
        for path in c.get_paths()
    ]


def dots(ax, color):
    found = [c for c in ax.collections if isinstance(c, PathCollection)]
    found = [c for c in found if len(c.get_facecolor())]
    return np.concatenate(
        [c.get_offsets() for c in found if to_hex(c.get_facecolor()[0]) == color]
        or [np.empty((0, 2))]
    )


def rings(ax, color):
    found = [c for c in ax.collections if isinstance(c, PathCollection)]
    found = [c for c in found if not len(c.get_facecolor())]
    return sum(len(c.get_offsets()) for c in found if to_hex(c.get_edgecolor()[0]).upper() == color)


def trails(ax):
    """The temporal edges: lines of the green hue, in any paleness."""
    count = 0
    for c in ax.collections:
        if isinstance(c, LineCollection):
            red, green, blue = to_rgb(to_hex(c.get_edgecolor()[0]))
            count += len(c.get_paths()) * (green > blue > red)
    return count


def render(figure):
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return np.asarray(Image.open(buffer).convert("RGB"))


def count_pixels(pixels, color):
    return int((pixels == np.array(to_rgb(color)) * 255).all(axis=-1).sum())


@pytest.mark.parametrize("partition", ["stgcn", "stgcn_paper", "inward_outward"])
@pytest.mark.parametrize("name", ["openpose", "kinect", "mediapipe"])
def test_every_edge_is_drawn_in_the_color_of_its_relation(partition, name):
    layout = skeleton_layout(name)
    data = skeleton_sequence(torch.rand(6, layout.num_joints, 2), layout)
    graph = skeleton_graph(layout, partition)
    loops = graph.edge_index[0] == graph.edge_index[1]
    colors = read_relations(layout, partition, 1).colors
    for ax in panels(draw_skeleton(data, 2, partition)):
        for relation, color in enumerate(colors):
            edges = int(((graph.edge_type == relation) & ~loops).sum())
            assert len(heads(ax, color)) == edges
            assert len(lines(ax, color)) == edges
            assert rings(ax, color) == int(((graph.edge_type == relation) & loops).sum())
        assert len(dots(ax, PERSONS[0])) == layout.num_joints


def test_an_arrow_runs_from_the_source_to_the_destination():
    layout = SkeletonLayout("bone", ("parent", "child"), ((1, 0),), center=0)
    data = skeleton_sequence(torch.tensor([[[1.0, 1.0], [3.0, 1.0]]]), layout)
    (ax,) = panels(draw_skeleton(data, partition="inward_outward"))
    parent, child = dots(ax, PERSONS[0])
    assert parent[0] < child[0]
    for color, source, destination in ((NEARER[0], parent, child), (FARTHER[0], child, parent)):
        (path,), (tip,) = lines(ax, color), heads(ax, color)
        assert np.linalg.norm(path[0] - source) < np.linalg.norm(path[0] - destination)
        assert np.linalg.norm(tip - destination) < np.linalg.norm(tip - source)
        assert np.array_equal(tip, path[-1])


def test_both_directions_of_a_bone_lie_beside_each_other():
    layout = SkeletonLayout("bone", ("parent", "child"), ((1, 0),), center=0)
    data = skeleton_sequence(torch.tensor([[[1.0, 1.0], [3.0, 1.0]]]), layout)
    (ax,) = panels(draw_skeleton(data, partition="uniform"))
    down, up = sorted(path[0, 1] for path in lines(ax, ANY[0]))
    middle = dots(ax, PERSONS[0])[0, 1]
    assert down < middle < up
    assert up - down > 2


def test_edges_over_two_bones_swing_out():
    (ax,) = panels(draw_skeleton(arms(), [7], "distance", max_hop=2))
    straight, swinging = lines(ax, ANY[0]), lines(ax, ANY[1])
    assert {len(path) for path in straight} == {2}
    assert len(swinging) == 2 * 3  # neck to wrists, elbow to elbow
    for path in swinging:
        middle = path[len(path) // 2]
        assert np.linalg.norm(middle - 0.5 * (path[0] + path[-1])) > 3


@pytest.mark.parametrize("trail", [0, 2, 5])
def test_trails_are_the_edges_to_the_frames_before(trail):
    first, third, last = panels(draw_skeleton(arms(), [0, 2, 7], trail=trail))
    assert trails(first) == 0
    assert trails(third) == 5 * min(trail, 2)
    assert trails(last) == 5 * trail


def test_a_trail_ends_at_the_joint_and_pales_with_age():
    (ax,) = panels(draw_skeleton(arms(), [7], trail=2))
    (newest,) = [path for path in lines(ax, TEMPORAL) if abs(np.ptp(path[:, 1])) > 3][:1]
    assert any(np.allclose(newest[-1], dot) for dot in dots(ax, PERSONS[0]))
    greens = {to_hex(c.get_edgecolor()[0]) for c in ax.collections if c.get_zorder() == 1}
    assert len(greens) == 2
    assert min(greens).upper() == TEMPORAL


def test_the_colors_of_all_relations_are_in_the_pixels():
    pixels = render(draw_skeleton(arms(), 3, "stgcn_paper"))
    for color in (SELF, NEARER[0], FARTHER[0], TEMPORAL, PERSONS[0]):
        assert count_pixels(pixels, color) > 20, color
    assert count_pixels(pixels, NEARER[1]) == 0
    without = render(draw_skeleton(arms(), 3, "stgcn_paper", trail=0))
    assert count_pixels(without, TEMPORAL) == 0


def test_the_legend_names_what_is_drawn():
    relations = read_relations(ARMS, "stgcn_paper", 1)
    arrows = "arrows run from the sender of a message to its receiver"
    assert legend(draw_skeleton(arms(), 3, "stgcn_paper")) == [
        *relations.names,
        "the same joint in neighbouring frames",
        arrows,
    ]
    figure = draw_skeleton(arms(), 3, "stgcn_paper", trail=0)
    assert legend(figure) == [*relations.names, arrows]
    signs = figure.legends[0].legend_handles
    assert [to_hex(sign.get_color()).upper() for sign in signs[:3]] == relations.colors
    assert [sign.get_marker() for sign in signs] == ["o", ">", ">", ">"]
    assert len(draw_skeleton(arms(), 3, "uniform").legends[0].get_texts()) == 3
    note = read_relations(ARMS, "stgcn", 1).note
    text = " ".join(legend(draw_skeleton(arms(), 3, caption="Drawn from the side.")))
    assert text.endswith(f"{note} Drawn from the side.")


def test_a_relation_has_one_color_in_every_picture():
    """Blue is nearer the centre, in whatever order a partition counts its relations."""
    for name in ("openpose", "coco", "ntu"):
        layout = skeleton_layout(name)
        for partition in ("stgcn", "stgcn_paper"):
            relations = read_relations(layout, partition, 2)
            for text, color in zip(relations.names, relations.colors, strict=True):
                hop = int("2 bones" in text)
                nearer, farther = "from nearer" in text, "farther" in text
                assert color == (
                    NEARER[hop] if nearer else FARTHER[hop] if farther else SELF
                ), (text, color)  # fmt: skip
        assert read_relations(layout, "inward_outward", 1).colors == [SELF, NEARER[0], FARTHER[0]]
    colors = (SELF, TEMPORAL, *NEARER, *FARTHER, *ANY)
    assert len(set(colors)) == len(colors)


def test_moments_are_the_middles_of_equal_stretches():
    labels = [ax.texts[-1].get_text() for ax in panels(draw_skeleton(arms(20)))]
    assert labels == ["frame 2", "frame 6", "frame 10", "frame 14", "frame 18"]
    assert len(panels(draw_skeleton(arms(3), 5))) == 3
    labels = [ax.texts[-1].get_text() for ax in panels(draw_skeleton(arms(), (6, 1)))]
    assert labels == ["frame 6", "frame 1"]


def test_moments_are_taken_where_someone_is_seen():
    data = arms(20)
    data.pos.view(20, -1)[10:] = 0
    labels = [ax.texts[-1].get_text() for ax in panels(draw_skeleton(data, 2))]
    assert labels == ["frame 2", "frame 7"]


def test_persons_that_are_not_seen_are_not_drawn():
    data = arms(persons=2)
    data.pos.view(2, 8, -1)[1, 3:6] = 0
    both, one = panels(draw_skeleton(data, [2, 4], "stgcn_paper"))
    assert (len(dots(both, PERSONS[0])), len(dots(both, PERSONS[1]))) == (5, 5)
    assert (len(dots(one, PERSONS[0])), len(dots(one, PERSONS[1]))) == (5, 0)
    assert len(heads(both, NEARER[0])) == 2 * len(heads(one, NEARER[0]))
    (back,) = panels(draw_skeleton(data, [7]))
    assert trails(back) == 5 * 4 + 5 * 1  # between frames 6 and 7 only
    low = min(dots(both, color)[:, 0].min() for color in PERSONS)
    assert low > 0  # zeros are no place that must be shown


def test_joints_without_score_are_not_drawn_and_those_at_the_origin_are():
    score = torch.ones(8, 5)
    score[:, 4] = 0
    data = arms(score=score)
    (ax,) = panels(draw_skeleton(data, [5], "stgcn_paper"))
    assert len(dots(ax, PERSONS[0])) == 4
    assert len(heads(ax, NEARER[0])) == 3
    centred = arms()
    centred.pos -= torch.tensor([5.0, 3.0])
    (ax,) = panels(draw_skeleton(centred, [5]))
    assert len(dots(ax, PERSONS[0])) == 5


def test_a_sequence_in_which_nobody_is_seen_is_empty():
    data = arms()
    data.pos.zero_()
    figure = draw_skeleton(data, 2)
    assert [len(ax.collections) for ax in panels(figure)] == [0, 0]
    assert render(figure).std() > 0


def test_a_single_joint_has_a_ring():
    data = skeleton_sequence(torch.ones(4, 1, 2), SkeletonLayout("dot", ("dot",), (), center=0))
    (ax,) = panels(draw_skeleton(data, 1))
    assert rings(ax, SELF) == 1
    assert np.isfinite(dots(ax, PERSONS[0])).all()


def neck_and_wrist(data, **kwargs):
    """Where the neck and the left wrist are in the last frame on paper, y downwards."""
    (ax,) = panels(draw_skeleton(data, [7], trail=0, **kwargs))
    assert ax.get_ylim()[0] > ax.get_ylim()[1] == 0
    at = dots(ax, PERSONS[0])
    return at[0], at[2]


def axis(dims, index):
    """The wrist is one unit from the neck along an axis, in the last frame."""
    data = arms(dims=dims)
    data.pos[:] = 1.0
    data.pos.view(8, 5, dims)[-1, 2, index] = 2.0
    return data


@pytest.mark.parametrize(
    ("dims", "index", "kwargs", "direction"),
    [
        (2, 0, {}, (1, 0)),
        (2, 1, {}, (0, 1)),
        (2, 1, {"up": "y"}, (0, -1)),
        (3, 0, {}, (1, 0)),
        (3, 1, {"view": (0, 0)}, (0, -1)),
        (3, 1, {"view": (0, 0), "up": "-y"}, (0, 1)),
        (3, 2, {"view": (0, 0), "up": "z"}, (0, -1)),
        (3, 2, {"view": (90, 0)}, (0, -1)),  # from above, what is far away is at the top
        (3, 1, {"view": (90, 0), "up": "z"}, (0, -1)),
        (3, 2, {"view": (0, 90)}, (1, 0)),  # from the right, what is far away is on the right
        (3, 0, {"view": (90, 90)}, (0, 1)),  # and the right is near
    ],
)
def test_axes_point_where_they_should(dims, index, kwargs, direction):
    neck, wrist = neck_and_wrist(axis(dims, index), **kwargs)
    step = wrist - neck
    np.testing.assert_allclose(step / np.linalg.norm(step), direction, atol=1e-6)


def test_the_aspect_is_equal_and_all_moments_have_one_scale():
    figure = draw_skeleton(arms(), [0, 7])
    width, height = figure.get_size_inches()
    for ax in panels(figure):
        place = ax.get_position()
        assert place.width * width * 72 == pytest.approx(ax.get_xlim()[1])
        assert place.height * height * 72 == pytest.approx(ax.get_ylim()[0])
        assert not ax.axison
    first, last = (dots(ax, PERSONS[0]) for ax in panels(figure))
    assert first[0, 1] == pytest.approx(last[0, 1])  # the neck keeps its height
    assert np.ptp(first[:, 0]) == pytest.approx(np.ptp(last[:, 0]))


def test_each_moment_is_centred():
    data = arms()
    data.pos[:, 0] += torch.arange(8.0).repeat_interleave(5) * 10
    for ax in panels(draw_skeleton(data, [1, 6], trail=0)):
        at = dots(ax, PERSONS[0])[:, 0]
        assert 0.5 * (at.min() + at.max()) == pytest.approx(0.5 * ax.get_xlim()[1])


@pytest.mark.parametrize(("frames", "width"), [(1, 600), (5, 1200), (7, 1200)])
def test_the_figure_is_at_most_1200_pixels_wide(frames, width):
    pixels = render(draw_skeleton(arms(), frames, title="The title"))
    assert pixels.shape[1] == width
    assert 150 < pixels.shape[0] < 560


def test_the_title_is_written():
    figure = draw_skeleton(arms(), title="The title")
    assert "The title" in [text.get_text() for ax in figure.axes for text in ax.texts]
    untitled = draw_skeleton(arms())
    assert figure.get_size_inches()[1] > untitled.get_size_inches()[1]


@pytest.mark.parametrize("frames", [1, 4])
@pytest.mark.parametrize("partition", ["stgcn", "stgcn_paper", "inward_outward"])
def test_no_text_runs_out_of_the_figure(frames, partition):
    figure = draw_skeleton(arms(), frames, partition, caption="W" * 9 + " wide words" * 40)
    figure.set_dpi(100)
    render(figure)
    for place in (figure, *figure.axes):
        for text in [
            *place.texts,
            *(t for key in getattr(place, "legends", []) for t in key.get_texts()),
        ]:
            box = text.get_window_extent()
            assert box.x0 >= 0, text
            assert box.x1 <= figure.bbox.x1, text
            assert box.y0 >= 0, text


def two_streams(data):
    return Batch.from_data_list([data, data])


def without(name):
    data = arms()
    del data[name]
    return data


def changed(**values):
    data = arms()
    data.update(values)
    return data


BROKEN = torch.ones(40, 2)
BROKEN[5 * 3 + 4, 1] = float("nan")


@pytest.mark.parametrize(
    ("data", "kwargs", "error", "message"),
    [
        (two_streams(arms()), {}, TypeError, r"single sequence \(got a Batch of 2\)"),
        ("a figure", {}, TypeError, r"Data or Batch of skeletons \(got 'str'\)"),
        (Data(x=torch.ones(3, 2)), {}, ValueError, r"no 'skeleton_shape' \(got .*'x'"),
        (without("layout"), {}, ValueError, r"does not tell its 'layout'"),
        (changed(layout="kinect"), {}, ValueError, r"'kinect' has 20 joints \(got a seq.* of 5\)"),
        (changed(pos=None), {}, ValueError, r"'pos' must be .* \(got NoneType\)"),
        (changed(pos=torch.ones(40, 4)), {}, ValueError, r"'pos' must be .* \(got \[40, 4\]\)"),
        (changed(pos=torch.ones(39, 2)), {}, ValueError, r"\(1, 8, 5\) has 40 joints \(got 39"),
        (
            changed(pos=BROKEN),
            {},
            ValueError,
            r"NaN or infinite, .* person 0 in frame 3 at joint 4 \('right_wrist'\)",
        ),
        (arms(), {"frames": [8]}, ValueError, r"0 … 7 of a sequence of 8 \(got \[8\]\)"),
        (arms(), {"frames": [0, -1]}, ValueError, r"0 … 7 of a sequence of 8 \(got \[-1\]\)"),
        (arms(), {"frames": 0}, ValueError, r"at least one moment \(got 0\)"),
        (arms(), {"frames": []}, ValueError, r"at least one frame \(got \[\]\)"),
        (arms(), {"frames": [0.5]}, TypeError, r"a number or a list of frames \(got \[0.5\]\)"),
        (arms(), {"frames": True}, TypeError, r"a number or a list of frames \(got True\)"),
        (arms(), {"trail": -1}, ValueError, r"'trail' must be at least 0 \(got -1\)"),
        (arms(), {"trail": 1.5}, TypeError, r"'trail' must be an integer \(got 1.5\)"),
        (arms(), {"partition": "spatial"}, ValueError, r"'partition' must be .*'spatial'"),
        (
            arms(),
            {"max_hop": 4},
            ValueError,
            r"up to 3 hops of partition 'stgcn' apart \(got max_hop=4\)",
        ),
        (arms(), {"up": "x"}, ValueError, r"'up' must be one of y, -y, z or None \(got 'x'\)"),
        (arms(), {"up": "z"}, ValueError, r"'y' or '-y' for two coordinates \(got 'z'\)"),
        (arms(dims=3), {"view": (0,)}, ValueError, r"\(elevation, azimuth\) .* \(got \(0,\)\)"),
        (arms(dims=3), {"view": (0, np.nan)}, ValueError, r"\(elevation, azimuth\) .* nan\)"),
    ],
)
def test_errors_name_what_was_found(data, kwargs, error, message):
    with pytest.raises(error, match=message):
        draw_skeleton(data, **kwargs)


def test_the_sequence_is_not_changed():
    data = arms(dims=3)
    before = data.clone()
    draw_skeleton(data)
    assert torch.equal(data.pos, before.pos)
    assert data.keys() == before.keys()


def test_real_kinect_skeletons(shared):
    from pyg_vision.datasets import NWUCLA

    data = NWUCLA(shared / "data" / "nw_ucla", "test")[0]
    figure = draw_skeleton(data, 2, "stgcn_paper")
    for ax in panels(figure):
        at = dots(ax, PERSONS[0])
        layout = data.layout
        assert at[layout.joint("head"), 1] < at[layout.joint("hip_center"), 1]
        assert at[layout.joint("hip_center"), 1] < at[layout.joint("left_ankle"), 1]


def test_without_matplotlib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=re.escape("pip install pyg-vision[vis]")):
        draw_skeleton(arms())
