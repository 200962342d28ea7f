"""Weight files: read by content, written whole or not at all, the same bits back."""

import io
import os
import pickle
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from xpnet.errors import DataError, InvalidInputError
from xpnet.io import read_weights, write_atomically, write_weights

many = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
names = st.text(max_size=8).filter(lambda name: name != "__metadata__")
numeric = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
)


def assert_same_bits(result: np.ndarray, expected: np.ndarray) -> None:
    native = expected.astype(expected.dtype.newbyteorder("="))
    assert (result.dtype, result.shape) == (native.dtype, native.shape)
    assert result.tobytes() == native.tobytes()


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def safetensors_header(header: bytes, body: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + body


@many
@given(
    arrays=st.dictionaries(names, hnp.arrays(numeric, hnp.array_shapes(min_dims=0, max_side=4)), max_size=4),
    metadata=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4),
)
def test_round_trip_is_bit_exact(tmp_path, arrays, metadata):
    path = tmp_path / "model.safetensors"
    write_weights(path, arrays, metadata)
    result, texts = read_weights(path)
    assert texts == metadata
    assert set(result) == set(arrays)
    for name, array in arrays.items():
        assert_same_bits(result[name], array)


def test_round_trip_keeps_nan_payloads_signed_zeros_and_odd_layouts(tmp_path):
    grid = np.arange(24, dtype=np.float64).reshape(4, 6)
    arrays = {
        "payload32": np.array([0x7FC00001, 0x7F800001, 0xFFC12345, 0x80000000], np.uint32).view(np.float32),
        "payload64": np.array([0x7FF8000000000001, 0x7FF0000000000001, 1 << 63], np.uint64).view(np.float64),
        "scalar": np.array(-0.0, dtype=np.float32),
        "empty": np.empty((0, 3), dtype=np.float64),
        "transposed": grid.T,
        "strided": grid[::2, ::-3],
        "broadcast": np.broadcast_to(np.float32(1.5), (3, 2)),
        "fortran": np.asfortranarray(grid),
        "big endian": grid.astype(">f8"),
    }
    path = tmp_path / "model.safetensors"
    write_weights(path, arrays)
    result, metadata = read_weights(path)
    assert metadata == {}
    for name, array in arrays.items():
        assert_same_bits(result[name], array)


@pytest.mark.parametrize("suffix", [".safetensors", ".npz", ".pkl", ""])
@pytest.mark.parametrize("form", ["safetensors", "npz", "pickle 0", "pickle 1", "pickle 2", "pickle 5"])
def test_the_content_tells_the_format_and_the_suffix_does_not(tmp_path, form, suffix):
    arrays = {"W1": np.arange(6, dtype=np.float32).reshape(2, 3), "b1": np.zeros(3)}
    path = tmp_path / f"model{suffix}"
    if form == "safetensors":
        write_weights(path, arrays)
    elif form == "npz":
        path.write_bytes(npz(**arrays))
    else:
        path.write_bytes(pickle.dumps(arrays, protocol=int(form[-1])))
    result, metadata = read_weights(path)
    assert metadata == {}
    assert set(result) == set(arrays)
    for name, array in arrays.items():
        assert_same_bits(result[name], array)


def test_a_header_length_that_looks_like_a_pickle_is_still_safetensors(tmp_path):
    path = tmp_path / "model"
    start = b'{"b1":{"dtype":"F64","shape":[],"data_offsets":[0,8]}'
    path.write_bytes(safetensors_header(start + b" " * (0x80 - 1 - len(start)) + b"}", bytes(8)))
    assert path.read_bytes().startswith(b"\x80")
    assert read_weights(path)[0]["b1"] == 0.0


class Attack:
    def __init__(self, flag: Path) -> None:
        self.flag = flag

    def __reduce__(self):
        return os.mkdir, (str(self.flag),)


@pytest.mark.parametrize("protocol", [0, 1, 2, 5])
def test_no_format_runs_code(tmp_path, protocol):
    flag, path = tmp_path / "flag", tmp_path / "model"
    for data in (
        pickle.dumps({"W1": Attack(flag)}, protocol=protocol),
        npz(W1=np.array([Attack(flag)], dtype=object)),
    ):
        path.write_bytes(data)
        with pytest.raises(DataError):
            read_weights(path)
        assert not flag.exists()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no weight file"),
        (b"hello", "no weight file"),
        (b"\x89HDF\r\n\x1a\n", "no weight file"),
        (safetensors_header(b"{"), "no safetensors file"),
        (safetensors_header(b"{}" + b" " * 6)[:-4], "no safetensors file"),
        (
            safetensors_header(b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}'),
            "no safetensors file",
        ),
        (
            safetensors_header(b'{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}', b"\0\0"),
            "bfloat16|plain numbers",  # the latter where another test has loaded JAX, which adds the dtype
        ),
        (
            safetensors_header(b'{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}', bytes(8)),
            "plain numbers",
        ),
        (b"PK\x03\x04 and nothing more", "no npz file"),
        (npz(a=np.ones(3))[:-10], "no npz file"),
        (npz(a=np.array([None])), "no npz file"),
        (npz(a=np.array(["text"])), "'a' is not an array of plain numbers"),
        (npz(a=np.ones(2, dtype=[("x", "f4")])), "'a' is not an array of plain numbers"),
        (npz(a=np.ones(2, dtype=complex)), "'a' is not an array of plain numbers"),
    ],
)
def test_other_and_damaged_files_are_refused(tmp_path, data, reason):
    path = tmp_path / "model"
    path.write_bytes(data)
    with pytest.raises(DataError, match=reason):
        read_weights(path)


@settings(many, max_examples=300)
@given(
    header=st.binary(min_size=1, max_size=4),
    place=st.integers(0, 10_000),
    form=st.sampled_from(["safetensors", "npz", "npy in zip"]),
)
def test_mangled_files_give_arrays_or_a_data_error(tmp_path, header, place, form):
    path = tmp_path / "model"
    arrays = {"W1": np.arange(6.0).reshape(2, 3), "b1": np.ones(3, dtype=np.float32)}
    if form == "npy in zip":  # past the checksums of the zip
        buffer = io.BytesIO()
        np.save(buffer, arrays["W1"])
        member = bytearray(buffer.getvalue())
        at = place % len(member)
        member[at : at + len(header)] = header
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("W1.npy", bytes(member))
    else:
        write_weights(path, arrays)
        data = bytearray(path.read_bytes() if form == "safetensors" else npz(**arrays))
        at = place % len(data)
        data[at : at + len(header)] = header
        path.write_bytes(data)
    try:
        result, _ = read_weights(path)
    except DataError:
        return
    assert all(array.dtype.kind in "biuf" for array in result.values())


@pytest.mark.parametrize(
    ("arrays", "metadata", "reason"),
    [
        ({"W1": np.array([None])}, {}, "W1 is object"),
        ({"W1": np.ones(2, dtype=complex)}, {}, "W1 is complex128"),
        ({"W1": [1.0]}, {}, "W1 is list"),
        ({1: np.ones(2)}, {}, "1 cannot name an array"),
        ({"__metadata__": np.ones(2)}, {}, "cannot name an array"),
        ({"W1": np.ones(2)}, {"seed": 1}, "text to text"),
    ],
)
def test_what_cannot_be_written_is_named(tmp_path, arrays, metadata, reason):
    with pytest.raises(InvalidInputError, match=reason):
        write_weights(tmp_path / "model.safetensors", arrays, metadata)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="none"):
        read_weights(tmp_path / "none")


def test_an_unwritable_place_is_named_and_left_clean(tmp_path):
    arrays = {"b1": np.ones(2)}
    with pytest.raises(DataError, match=r"no folder .*missing"):
        write_weights(tmp_path / "missing" / "model", arrays)
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="no folder"):
        write_weights(tmp_path / "file" / "model", arrays)
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="folder: "):
        write_weights(tmp_path / "folder", arrays)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_folder_without_permission_is_named(tmp_path):
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        pytest.skip("permissions do not bind the super-user")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DataError, match="Permission denied"):
            write_weights(tmp_path / "model", {"b1": np.ones(2)})
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "model"
    write_weights(path, {"b1": np.ones(2)})

    def no_space(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(DataError, match="No space left"):
        write_weights(path, {"b1": np.zeros(2)})
    assert list(tmp_path.iterdir()) == [path]
    np.testing.assert_array_equal(read_weights(path)[0]["b1"], np.ones(2))


def test_an_interrupt_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "model"
    write_atomically(path, b"old")

    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"new")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


WRITER = """
import sys, itertools, numpy as np
from xpnet.io import write_weights
for i in itertools.count(1):
    write_weights(sys.argv[1], {"W1": np.full(500_000, float(i)), "b1": np.full(3, float(i))}, {"i": str(i)})
"""


@pytest.mark.parametrize("delay", [0.0, 0.003, 0.011, 0.05])
def test_a_killed_writer_leaves_a_whole_file(tmp_path, delay):
    path = tmp_path / "model.safetensors"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
    try:
        deadline = time.monotonic() + 60
        while not path.exists():
            assert writer.poll() is None, "the writer ended by itself"
            assert time.monotonic() < deadline, "the writer wrote nothing"
            time.sleep(0.001)
        time.sleep(delay)
    finally:
        writer.kill()  # SIGKILL
        writer.wait()
    arrays, metadata = read_weights(path)
    number = float(metadata["i"])
    np.testing.assert_array_equal(arrays["W1"], np.full(500_000, number))
    np.testing.assert_array_equal(arrays["b1"], np.full(3, number))
