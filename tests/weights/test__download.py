"""Downloads from a server in this process: complete or absent, resumed, and the right file."""

import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from pyg_vision.weights._download import cache_name, download

CONTENT = bytes(range(256)) * 4096


class Handler(BaseHTTPRequestHandler):
    content = CONTENT
    cut = None  # after how many bytes the connection breaks
    ranges = True
    seen = []

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.seen.append(wanted)
        if self.path.startswith("/absent"):
            self.send_error(404)
            return
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and self.ranges else 0
        if start >= len(self.content):
            self.send_error(416)
            return
        body = self.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.cut])

    def log_message(self, *args):
        pass


@pytest.fixture
def handler():
    return type("Fresh", (Handler,), {"seen": []})


@pytest.fixture
def server(handler, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def files(tmp_path):
    # Without the part of a name that comes from the address.
    names = {
        re.sub(r"-[0-9a-f]{8}(?=\.)", "", path.name)
        for path in (tmp_path / "checkpoints").iterdir()
    }
    return {name for name in names if not name.endswith(".lock")}


def test_a_file_is_downloaded_once(server, handler, tmp_path):
    for _ in range(2):
        path = download(f"{server}/some/toy.pth?raw=1", progress=False)
    assert path == tmp_path / "checkpoints" / cache_name(f"{server}/some/toy.pth?raw=1")
    assert path.read_bytes() == CONTENT
    assert handler.seen == [None]
    assert files(tmp_path) == {"toy.pth", "toy.pth.sha256"}


def test_a_broken_download_is_continued(server, handler, tmp_path):
    handler.cut = 100_000
    with pytest.raises(ConnectionError, match=r"toy.pth' could not be downloaded .* continued"):
        download(f"{server}/toy.pth", progress=False)
    assert files(tmp_path) == {"toy.pth.part"}
    handler.cut = None
    assert download(f"{server}/toy.pth", progress=False).read_bytes() == CONTENT
    assert handler.seen == [None, "bytes=100000-"]
    assert files(tmp_path) == {"toy.pth", "toy.pth.sha256"}


def test_a_server_that_does_not_continue_begins_again(server, handler, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / f"{cache_name(f'{server}/toy.pth')}.part").write_bytes(b"xyz")
    handler.ranges = False
    assert download(f"{server}/toy.pth", progress=False).read_bytes() == CONTENT


@pytest.mark.parametrize("part", [CONTENT, CONTENT + b"more"])
def test_a_part_with_nothing_left_is_downloaded_again(server, handler, tmp_path, part):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / f"{cache_name(f'{server}/toy.pth')}.part").write_bytes(part)
    assert download(f"{server}/toy.pth", progress=False).read_bytes() == CONTENT
    assert handler.seen == [f"bytes={len(part)}-", None]


def test_another_file_than_was_published_is_refused(server, tmp_path):
    right, wrong = hashlib.sha256(CONTENT).hexdigest(), "0" * 64
    with pytest.raises(ValueError, match=f"its SHA-256 is {right}, not {wrong}"):
        download(f"{server}/toy.pth", wrong, progress=False)
    assert files(tmp_path) == set()
    assert download(f"{server}/toy.pth", right.upper(), progress=False).is_file()
    assert files(tmp_path) == {"toy.pth"}  # the published hash needs no copy


def test_the_first_download_is_what_later_ones_must_be(server, handler, tmp_path):
    path = download(f"{server}/toy.pth", progress=False)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(ValueError, match="is not the file of .*; delete it to download it again"):
        download(f"{server}/toy.pth", progress=False)
    path.unlink()
    handler.content = CONTENT[::-1]
    with pytest.raises(ValueError, match="is not the file that was published"):
        download(f"{server}/toy.pth", progress=False)
    handler.content = CONTENT
    assert download(f"{server}/toy.pth", progress=False).read_bytes() == CONTENT


def test_files_of_one_name_are_not_mixed_up(server, handler):
    first = download(f"{server}/joint/j.pth", progress=False)
    handler.content = CONTENT[::-1]
    second = download(f"{server}/bone/j.pth", progress=False)
    assert first.read_bytes() == CONTENT
    assert second.read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("{server}/absent/toy.pth", "404.*or put the file at"),
        ("http://127.0.0.1:9/toy.pth", "could not be downloaded.*"),
        ("http://127.0.0.1:9/..%2F..%2Ftoy.pth", ""),  # no way out of the folder
    ],
)
def test_errors_say_where_the_file_would_be(server, tmp_path, url, problem):
    url = url.format(server=server)
    place = re.escape(str(tmp_path / "checkpoints" / cache_name(url)))
    with pytest.raises(ConnectionError, match=f"{problem}.*'{place}'"):
        download(url, progress=False)


def test_an_address_names_a_file():
    with pytest.raises(ValueError, match="must end with the name of a file"):
        download("http://127.0.0.1:9/")


def test_local_files_and_many_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    source = tmp_path / "toy.pth"
    source.write_bytes(CONTENT)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(download(source.as_uri(), progress=False)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert {path.read_bytes() for path in found} == {CONTENT}


def test_progress_is_shown(server, capsys):
    download(f"{server}/toy.pth")
    assert re.search(r"toy-\w+\.pth: 100%", capsys.readouterr().err)
