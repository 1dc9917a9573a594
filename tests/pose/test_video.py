import wave
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from PIL import Image

from pyg_vision.pose import Frame, VideoError, VideoWriter, read_frames
from tests.pose.fakes import SIZE, picture, walk, write_video


def rotated(path, turn):
    """The same file with another matrix of its track, by which players turn it clockwise."""
    matrix = {
        90: (0, 1, 0, -1, 0, 0, 0, 0, 0x4000), 180: (-1, 0, 0, 0, -1, 0, 0, 0, 0x4000),
        270: (0, -1, 0, 1, 0, 0, 0, 0, 0x4000),
    }[turn]  # fmt: skip
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    values = [v * 0x10000 for v in matrix]
    data[at : at + 36] = b"".join(v.to_bytes(4, "big", signed=True) for v in values)
    out = path.with_name(f"turned_{turn}.mp4")
    out.write_bytes(data)
    return out


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_what_is_written_is_read(tmp_path, suffix):
    path = write_video(tmp_path / f"walk{suffix}", walk())
    frames = list(read_frames(path))
    assert len(frames) == 12
    np.testing.assert_allclose([f.time for f in frames], np.arange(12) / 10, atol=0.011)
    for frame, image in zip(frames, walk(), strict=True):
        assert frame.image.shape == image.shape
        assert np.abs(frame.image.astype(int) - image).mean() < 6
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_times_go_on_where_a_file_has_none_in_order(tmp_path):
    with av.open(str(tmp_path / "a.avi"), "w") as container:
        stream = container.add_stream("libx264", rate=10)  # shows some pictures before others
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for image in walk():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    frames = list(read_frames(tmp_path / "a.avi"))
    assert len(frames) == 12
    assert (np.diff([f.time for f in frames]) > 0).all()
    for frame, image in zip(frames, walk(), strict=True):
        assert np.abs(frame.image.astype(int) - image).mean() < 6


def test_frames_have_their_own_times(tmp_path):
    times = [0.0, 0.1, 0.5, 0.6, 2.0]
    path = write_video(tmp_path / "a.mp4", walk(5), times=times)
    np.testing.assert_allclose([f.time for f in read_frames(path)], times, atol=1e-3)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_pictures_are_upright(tmp_path, turn):
    path = write_video(tmp_path / "a.mp4", [picture((8, 8))] * 3)
    frame = next(read_frames(rotated(path, turn)))
    expected = np.rot90(picture((8, 8)), -turn // 90)  # numpy turns the other way
    assert frame.image.shape == expected.shape
    assert np.abs(frame.image.astype(int) - expected).mean() < 6


def test_a_video_is_not_held_in_memory(tmp_path):
    path = write_video(tmp_path / "a.mp4", walk())
    assert len(list(islice(read_frames(path), 2))) == 2
    path.unlink()  # nothing holds it


def test_folders_and_pictures(tmp_path):
    for i, image in enumerate(walk(3)):
        Image.fromarray(image).save(tmp_path / f"{i:03d}.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    frames = list(read_frames(tmp_path, fps=4))
    assert [f.time for f in frames] == [0, 0.25, 0.5]
    assert all((f.image == image).all() for f, image in zip(frames, walk(3), strict=True))
    mixed = [walk(1)[0], Image.fromarray(walk(1)[0]), Frame(walk(1)[0], 7.0)]
    assert [f.time for f in read_frames(mixed, fps=1)] == [0, 1, 7]
    (tmp_path / "004.png").write_bytes(b"no picture")
    with pytest.raises(VideoError, match=r"004\.png' is no picture"):
        list(read_frames(tmp_path))


def test_a_piped_video(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.mkv", walk(4))
    with path.open("rb") as file:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=file))
        assert len(list(read_frames("-"))) == 4


def test_files_that_are_no_video(tmp_path):
    with wave.open(str(tmp_path / "sound.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(1600))
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("hello")
    whole = write_video(tmp_path / "whole.mp4", walk()).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "folder").mkdir()
    for name, message in (
        ("sound.wav", r"sound\.wav' holds sound only"),
        ("empty.mp4", r"empty\.mp4' is no video"),
        ("text.mp4", r"text\.mp4' is no video"),
        ("cut.mp4", r"cut\.mp4' is no video"),
        ("folder", r"there is no picture in '.*folder'"),
    ):
        with pytest.raises(VideoError, match=message) as error:
            list(read_frames(tmp_path / name))
        assert "\n" not in str(error.value)
    with pytest.raises(FileNotFoundError, match="there is no file or folder 'nowhere.mp4'"):
        read_frames("nowhere.mp4")
    with pytest.raises(VideoError, match="camera 99 cannot be opened"):
        next(read_frames(99))


def noise(path):
    pictures = [
        np.random.default_rng(i).integers(0, 255, (64, 96, 3), dtype=np.uint8) for i in range(60)
    ]
    return write_video(path, pictures)


def test_broken_pictures_say_where(tmp_path):
    path = noise(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    half = len(data) // 2
    data[half : half + 20_000] = bytes(20_000)
    path.write_bytes(data)
    frames = read_frames(path)
    next(frames)
    with pytest.raises(VideoError, match=r"a\.mp4' cannot be decoded after [23]\.\d\d s"):
        list(frames)


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
def test_a_video_that_is_cut_off_is_warned_of(tmp_path, suffix):
    path = noise(tmp_path / f"a{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.warns(UserWarning, match=r"ends after [23]\.\d s of 6\.0 s: it is cut off"):
        assert 20 < len(list(read_frames(path))) < 40


def test_wrong_pictures():
    for value, error in (
        (np.zeros((4, 4, 3)), TypeError), (np.zeros((4, 4), np.uint8), ValueError),
        (np.zeros((0, 4, 3), np.uint8), ValueError), ("a", TypeError),
    ):  # fmt: skip
        with pytest.raises(error, match=r"a picture must be an array \[H, W, 3\] of bytes"):
            list(read_frames([value]))
    with pytest.raises(TypeError, match="a video must be a file"):
        read_frames(3.5)
    with pytest.raises(TypeError, match="a video must be a file"):
        read_frames(True)
    with pytest.raises(ValueError, match="'fps' must be positive"):
        read_frames([], fps=0)


def test_the_writer_checks(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.mp4, \.mov"):
        VideoWriter(tmp_path / "a.words")
    with pytest.raises(ValueError, match="got no picture"), VideoWriter(tmp_path / "b.mp4"):
        pass
    with pytest.raises(ValueError, match="of one size"):
        write_video(tmp_path / "c.mp4", [picture(), picture(size=(32, 32))])
    with pytest.raises(ValueError, match="must be later"):
        write_video(tmp_path / "d.mp4", walk(2), times=[1.0, 1.0])
    assert not list(tmp_path.iterdir())
    with VideoWriter(tmp_path / "odd.mp4") as video:
        video.write(Frame(picture(size=(33, 31)), 0.0))
    assert next(read_frames(tmp_path / "odd.mp4")).image.shape == (30, 32, 3)


def test_names_with_a_colon(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a:b").mkdir()
    path = write_video(Path("a:b") / "10:30.mp4", walk(3))
    assert len(list(read_frames(path))) == len(list(read_frames(str(path)))) == 3


def test_pictures_that_are_too_small_or_too_early(tmp_path):
    with pytest.raises(ValueError, match="must have two rows and columns"):
        write_video(tmp_path / "a.mp4", [np.zeros((1, 8, 3), np.uint8)])
    with pytest.raises(ValueError, match="must not be negative"):
        write_video(tmp_path / "a.mp4", walk(1), times=[-1.0])
    assert not list(tmp_path.iterdir())
