import pyarrow
import pytest
from pyarrow import parquet

from pyg_vision.data import SkeletonLayout
from pyg_vision.data.readers import TableColumns, read_table

LAYOUT = SkeletonLayout("arm", ("shoulder", "elbow"), bones=((1, 0),), center=0)
COLUMNS = TableColumns(
    ("px", "py", "pz"), "t", "marker", score="conf", person="who", sequence="clip", label="class"
)
HEADER = ["clip", "t", "who", "marker", "px", "py", "pz", "conf", "class", "note"]
ROWS = [
    ["a", 5, "ann", "shoulder", 1.0, 2.0, 3.0, 0.5, 4, "x"],
    ["a", 5, "ann", "elbow", 4.0, 5.0, 6.0, 0.75, 4, "x"],
    ["b", 0, "ann", "elbow", 7.0, 8.0, 9.0, 1.0, 2, "x"],
    ["a", 7, "bob", "elbow", 1.5, 2.5, 3.5, 0.25, 4, "x"],
    ["a", 6, "bob", "elbow", None, None, None, 0.0, 4, "x"],
]


def save(folder, kind, rows=ROWS, header=HEADER):
    path = folder / f"a.{kind}"
    if kind == "parquet":
        columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
        parquet.write_table(pyarrow.table(columns), path)
        return path
    between = "\t" if kind == "tsv" else ","
    lines = [["" if value is None else str(value) for value in row] for row in (header, *rows)]
    path.write_text("\n".join(between.join(line) for line in lines))
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet"])
def test_columns(tmp_path, kind):
    a, b = read_table(save(tmp_path, kind), LAYOUT, COLUMNS)
    assert (a.name, b.name) == ("a", "b")
    assert (int(a.y), int(b.y)) == (4, 2)
    assert a.skeleton_shape == (2, 3, 2)
    array = a.x.view(2, 3, 2, 4)
    assert array[0, 0].tolist() == [[1, 2, 3, 0.5], [4, 5, 6, 0.75]]
    assert array[1, 2, 1].tolist() == [1.5, 2.5, 3.5, 0.25]
    assert not array[0, 1:].any()
    assert not array[1, :2].any()
    assert b.x.tolist() == [[0, 0, 0, 0], [7, 8, 9, 1]]


def test_names_of_joints(tmp_path):
    rows = [["0", "Acromion", "1", "2"], ["0", "Wrist", "3", "4"], ["0", "7", "5", "6"]]
    path = save(tmp_path, "csv", rows, ["frame", "joint", "x", "y"])
    (data,) = read_table(path, LAYOUT, joints={"acromion": "shoulder", "7": 1})
    assert data.pos.tolist() == [[1, 2], [5, 6]]
    with pytest.raises(ValueError, match="row 2: the layout has no joint 'acromion'"):
        read_table(path, LAYOUT)
    with pytest.raises(ValueError, match="has joints 0 to 1"):
        read_table(path, LAYOUT, joints={"7": 2})


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (["0", "shoulder", None, "2"], "'x' must be a number"),
        (["0", "shoulder", "one", "2"], "'x' must be a number"),
        (["0.5", "shoulder", "1", "2"], "'frame' must be a whole number"),
        (["0", None, "1", "2"], "expected a number or a name"),
        (["0", "elbow", "1", "2"], "joint 1 of frame 0 is listed twice"),
    ],
)
def test_malformed_rows(tmp_path, kind, row, problem):
    rows = [["0", "elbow", "1", "2"], row]
    with pytest.raises(ValueError, match=problem):
        read_table(save(tmp_path, kind, rows, ["frame", "joint", "x", "y"]), LAYOUT)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_missing_columns(tmp_path, kind):
    path = save(tmp_path, kind, [["0", "1", "2"]], ["frame", "x", "y"])
    with pytest.raises(ValueError, match="must have the column 'joint' once"):
        read_table(path, LAYOUT)


def test_other_files(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 is not all")
    with pytest.raises(ValueError, match="is no Parquet file"):
        read_table(tmp_path / "a.parquet", LAYOUT)
    for kind in ("csv", "parquet"):
        with pytest.raises(FileNotFoundError):
            read_table(tmp_path / f"b.{kind}", LAYOUT)
    (tmp_path / "a.csv").write_text("frame,joint,x,y\n")
    with pytest.raises(ValueError, match="holds no rows"):
        read_table(tmp_path / "a.csv", LAYOUT)


def test_classes_of_a_sequence_must_agree(tmp_path):
    rows = [[*ROWS[0]], [*ROWS[1][:8], 5, "x"]]
    with pytest.raises(ValueError, match="the class of a sequence changes"):
        read_table(save(tmp_path, "csv", rows), LAYOUT, COLUMNS)


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (TableColumns(("x",)), "must be two or three"),
        (TableColumns(("x", "y"), frame="x"), "must be named once"),
    ],
)
def test_wrong_columns(tmp_path, columns, problem):
    with pytest.raises(ValueError, match=problem):
        read_table(tmp_path / "a.csv", LAYOUT, columns)


def test_names_that_differ_in_case_alone(tmp_path):
    path = save(tmp_path, "csv", [["0", "N", "1", "2"]], ["frame", "joint", "x", "y"])
    with pytest.raises(ValueError, match="names 'n' twice"):
        read_table(path, LAYOUT, joints={"N": 0, "n": 1})
    with pytest.raises(ValueError, match="no joint of the layout has coordinates"):
        read_table(path, LAYOUT, joints={"other": 0})


def test_many_sequences_take_no_memory(tmp_path):
    rows = [[clip, t, 0, 1, 2] for clip in range(40) for t in (0, 1_900_000)]
    path = save(tmp_path, "csv", rows, ["clip", "frame", "joint", "x", "y"])
    with pytest.raises(ValueError, match="values together"):
        read_table(path, LAYOUT, TableColumns(sequence="clip"))
