"""Downloads from a real server on this machine, good and bad; and where files are then found."""

import gzip
import hashlib
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from xpnet.datasets.mnist import Source, load_source
from xpnet.errors import DataError

RANDOM = np.random.default_rng(0)


def idx_bytes(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


IMAGES = {
    name: RANDOM.integers(256, size=(n, 28, 28), dtype=np.uint8) for name, n in [("train", 40), ("t10k", 7)]
}
LABELS = {name: RANDOM.integers(10, size=len(x), dtype=np.uint8) for name, x in IMAGES.items()}
CONTENT = {f"{name}-images-idx3-ubyte": idx_bytes(x) for name, x in IMAGES.items()} | {
    f"{name}-labels-idx1-ubyte": idx_bytes(t) for name, t in LABELS.items()
}
TINY = Source("tiny", tuple("0123456789"), {f: hashlib.md5(c).hexdigest() for f, c in CONTENT.items()}, ())


class Handler(BaseHTTPRequestHandler):
    """The first part of the address says how this mirror behaves, the second is the file."""

    def do_GET(self):
        self.server.requested.append(self.path)
        _, behaviour, file = self.path.split("/")
        content = CONTENT[file.removesuffix(".gz")]
        body = gzip.compress(content, mtime=0)
        if behaviour == "refuses":
            self.send_error(503)
        elif behaviour == "good":
            self.answer(body)
        elif behaviour == "recompressed":
            self.answer(gzip.compress(content, compresslevel=1, mtime=1))
        elif behaviour == "encoded":  # the client decompresses such an answer by itself
            self.answer(body, {"Content-Length": len(body), "Content-Encoding": "gzip"})
        elif behaviour == "foreign":
            self.answer(gzip.compress(content[:-1] + b"\x0b", mtime=0))
        elif behaviour == "page":
            self.answer(b"<html>log in to this network</html>")
        elif behaviour == "cut":
            self.answer(body[: len(body) // 2], {"Content-Length": len(body)})
        elif behaviour == "cut_unannounced":
            self.answer(body[: len(body) // 2], {"Connection": "close"})
        elif behaviour == "stalls":
            self.answer(bytes(1_000_000), {"Content-Length": 2_000_000})
            self.server.released.wait(30)

    def answer(self, body, headers=None):
        self.send_response(200)
        for name, value in (headers or {"Content-Length": len(body)}).items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        """Keep the test's output clean."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.requested, server.released = [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def mirrors(server, *behaviours):
    return tuple(f"http://127.0.0.1:{server.server_port}/{behaviour}/" for behaviour in behaviours)


def source(server, *behaviours):
    return replace(TINY, mirrors=mirrors(server, *behaviours))


def assert_is_tiny(data):
    np.testing.assert_array_equal(data.x_train, IMAGES["train"].reshape(-1, 784))
    np.testing.assert_array_equal(data.x_test, IMAGES["t10k"].reshape(-1, 784))
    np.testing.assert_array_equal(data.t_train, LABELS["train"])
    np.testing.assert_array_equal(data.t_test, LABELS["t10k"])
    assert data.x_train.dtype == np.uint8
    assert data.t_train.dtype == np.int32


def write_files(folder, suffix="", **changed):
    """Write the tiny set's files; ``changed`` gives other content by the names with underscores."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in CONTENT.items():
        content = changed.get(file.replace("-", "_"), content)
        (folder / f"{file}{suffix}").write_bytes(gzip.compress(content) if suffix else content)


@pytest.mark.parametrize("behaviour", ["good", "recompressed", "encoded"])
def test_good_mirror_then_trusted(server, tmp_path, behaviour):
    assert_is_tiny(load_source(source(server, behaviour), tmp_path))
    assert sorted(os.listdir(tmp_path / "tiny")) == sorted(f"{file}.gz" for file in CONTENT)
    assert len(server.requested) == 4
    assert_is_tiny(load_source(TINY, tmp_path))  # which has no mirror to ask
    assert len(server.requested) == 4


@pytest.mark.parametrize("bad", ["refuses", "foreign", "page", "cut", "cut_unannounced"])
def test_second_mirror_when_the_first_fails(server, tmp_path, bad):
    assert_is_tiny(load_source(source(server, bad, "good"), tmp_path))
    assert len(server.requested) == 8


def test_second_mirror_when_nothing_answers_at_the_first(server, tmp_path):
    nobody = replace(TINY, mirrors=("http://127.0.0.1:1/", *mirrors(server, "good")))
    assert_is_tiny(load_source(nobody, tmp_path))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("refuses", "503"),
        ("foreign", "md5 of the decompressed file is [0-9a-f]{32}, expected [0-9a-f]{32}"),
        ("page", "md5"),
        ("cut", "Error"),
        ("cut_unannounced", "damaged"),
    ],
)
def test_no_good_mirror_leaves_nothing(server, tmp_path, bad, reason):
    broken = source(server, bad)
    with pytest.raises(DataError, match=reason) as caught:
        load_source(broken, tmp_path)
    message = str(caught.value)
    assert str(tmp_path / "tiny") in message
    assert all(f"{file}.gz" in message for file in CONTENT)
    assert broken.mirrors[0] in message
    assert "XPNET_DATA" in message
    assert os.listdir(tmp_path / "tiny") == []


def test_only_what_is_missing_is_downloaded(server, tmp_path):
    write_files(tmp_path / "tiny")
    (tmp_path / "tiny" / "t10k-labels-idx1-ubyte").unlink()
    assert_is_tiny(load_source(source(server, "good"), tmp_path))
    assert server.requested == ["/good/t10k-labels-idx1-ubyte.gz"]


def test_killed_half_way_leaves_nothing_to_trust(server, tmp_path):
    script = (
        "import sys; from pathlib import Path; from xpnet.datasets.download import download;"
        "download({sys.argv[1]: sys.argv[2]}, Path(sys.argv[3]), [sys.argv[4]])"
    )
    file, folder = "train-images-idx3-ubyte", tmp_path / "tiny"
    arguments = [file, TINY.md5[file], str(folder), *mirrors(server, "stalls")]
    with subprocess.Popen([sys.executable, "-c", script, *arguments]) as process:
        deadline = time.monotonic() + 30
        while not any(part.stat().st_size for part in folder.glob(".download-*/*")):
            assert process.poll() is None, "the download ended, although its mirror stalls"
            assert time.monotonic() < deadline, "the download did not start"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert [path.name for path in folder.iterdir() if not path.name.startswith(".download-")] == []
    assert_is_tiny(load_source(source(server, "good"), tmp_path))


def test_progress_bar_only_on_a_terminal(server, tmp_path, capsys, monkeypatch):
    load_source(source(server, "good"), tmp_path / "quiet")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    load_source(source(server, "good"), tmp_path / "bar")
    assert "100%" in capsys.readouterr().err


def test_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "tiny").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="cannot download to"):
        load_source(source(server, "good"), tmp_path)
    assert server.requested == []


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("folder", ["", "tiny"])
def test_files_put_there_by_hand(tmp_path, monkeypatch, folder, suffix):
    write_files(tmp_path / folder, suffix)
    assert_is_tiny(load_source(TINY, tmp_path))
    monkeypatch.setenv("XPNET_DATA", str(tmp_path))
    assert_is_tiny(load_source(TINY))


def test_files_of_another_set_are_not_taken_for_this_one(server, tmp_path):
    write_files(tmp_path, t10k_labels_idx1_ubyte=idx_bytes(LABELS["t10k"][::-1]))
    assert_is_tiny(load_source(source(server, "good"), tmp_path))
    assert len(server.requested) == 4


@pytest.mark.parametrize(
    ("file", "array", "message"),
    [
        ("train_labels_idx1_ubyte", LABELS["train"][:-1], "expected 40 labels, one an image, not 39"),
        ("train_labels_idx1_ubyte", LABELS["train"] + 1, "expected labels from 0 to 9, but one is 10"),
        (
            "train_images_idx3_ubyte",
            IMAGES["train"][:, :, 1:],
            "of 28 x 28 pixels, not 28 x 27",
        ),
        ("train_images_idx3_ubyte", LABELS["train"], "an array of 1 dimensions"),
    ],
)
def test_files_that_do_not_fit(tmp_path, file, array, message):
    write_files(tmp_path / "tiny", **{file: idx_bytes(array)})
    with pytest.raises(DataError, match=message):
        load_source(TINY, tmp_path)
