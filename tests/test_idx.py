"""The IDX reader: what it reads, and that nothing else than `DataError` comes from a mangled file."""

import gzip
import hashlib
import math
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from xpnet.datasets.idx import content_md5, read_idx
from xpnet.errors import DataError


def idx_bytes(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def pack(content, zipped):
    return gzip.compress(content, compresslevel=1, mtime=0) if zipped else content


def read_or_error(path, ndim):
    try:
        return read_idx(path, ndim)
    except DataError as error:
        return error


ARRAYS = npst.arrays(np.uint8, npst.array_shapes(min_dims=1, max_dims=3, max_side=6))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("idx") / "file-idx-ubyte"


@given(array=ARRAYS, zipped=st.booleans())
def test_round_trip(path, array, zipped):
    path.write_bytes(pack(idx_bytes(array), zipped))
    result = read_idx(path, array.ndim)
    assert result.dtype == np.uint8
    assert result.flags.c_contiguous
    assert result.flags.writeable
    np.testing.assert_array_equal(result, array)


@given(array=ARRAYS, zipped=st.booleans(), data=st.data())
def test_truncated_anywhere(path, array, zipped, data):
    content = pack(idx_bytes(array), zipped)
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(DataError, match="expected") as caught:
        read_idx(path, array.ndim)
    assert str(path) in str(caught.value)


@given(array=ARRAYS, extra=st.binary(min_size=1, max_size=20), zipped=st.booleans())
def test_extra_bytes(path, array, extra, zipped):
    path.write_bytes(pack(idx_bytes(array) + extra, zipped))
    with pytest.raises(DataError, match="oversized"):
        read_idx(path, array.ndim)


@given(array=ARRAYS, extra=st.binary(min_size=1, max_size=20))
def test_extra_bytes_after_gzip(path, array, extra):
    path.write_bytes(pack(idx_bytes(array), zipped=True) + extra)
    if not any(extra):  # the gzip format allows zeros as padding
        np.testing.assert_array_equal(read_idx(path, array.ndim), array)
    else:
        with pytest.raises(DataError, match="damaged"):
            read_idx(path, array.ndim)


@given(array=ARRAYS, flip=st.integers(1, 255), zipped=st.booleans(), data=st.data())
def test_flipped_header_byte(path, array, flip, zipped, data):
    content = bytearray(idx_bytes(array))
    content[data.draw(st.integers(0, 4 + 4 * array.ndim - 1))] ^= flip
    path.write_bytes(pack(bytes(content), zipped))
    with pytest.raises(DataError, match="expected"):
        read_idx(path, array.ndim)


@given(array=ARRAYS, flip=st.integers(1, 255), data=st.data())
def test_damaged_gzip(path, array, flip, data):
    content = bytearray(pack(idx_bytes(array), zipped=True))
    content[data.draw(st.integers(0, len(content) - 1))] ^= flip
    path.write_bytes(content)
    result = read_or_error(path, array.ndim)
    if isinstance(result, DataError):
        assert str(path) in str(result)
    else:  # a byte that carries no content, such as the time stamp
        np.testing.assert_array_equal(result, array)


@given(content=st.binary(max_size=64), start=st.sampled_from([b"", b"\x1f\x8b\x08", b"\0\0\x08\x01"]))
def test_random_bytes(path, content, start):
    path.write_bytes(start + content)
    result = read_or_error(path, ndim=1)
    if isinstance(result, DataError):
        assert str(path) in str(result)
    else:
        assert idx_bytes(result) == start + content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file: starts with nothing"),
        (b"<html></html>", "not an IDX file: starts with 3c 68 74 6d"),
        (struct.pack(">4BIf", 0, 0, 0x0D, 1, 1, 1.0), r"elements of type 0x0d; .* \(type 0x08\)"),
        (idx_bytes(np.ones((2, 2), np.uint8)), "an array of 2 dimensions; .* with 1 dimension$"),
        (idx_bytes(np.ones(0, np.uint8)), "empty: its shape is 0"),
        (idx_bytes(np.ones(9, np.uint8))[:-2], "truncated: expected 9 bytes for 9, but the file holds 7"),
        (idx_bytes(np.ones(9, np.uint8))[:6], "truncated within its header"),
        (b"\0\0\x08\x01" + b"\xff" * 5, "truncated: expected 4,294,967,295 bytes .* can hold more than"),
    ],
)
def test_message_says_what_is_wrong(path, content, message):
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_idx(path, ndim=1)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(tmp_path / "absent", ndim=1)
    with pytest.raises(DataError, match="cannot be read"):
        content_md5(tmp_path)


def test_md5_is_that_of_the_decompressed_bytes(path):
    content = idx_bytes(np.arange(5, dtype=np.uint8))
    sums = set()
    for stored in (content, pack(content, True), gzip.compress(content, 9)):
        path.write_bytes(stored)
        sums.add(content_md5(path))
    assert sums == {hashlib.md5(content).hexdigest()}


@pytest.mark.parametrize("zipped", [False, True])
def test_memory_peak_is_one_array(path, zipped):
    shape = (10_000, 28, 28)
    path.write_bytes(pack(idx_bytes(np.zeros(shape, np.uint8)), zipped))
    tracemalloc.start()
    try:
        result = read_idx(path, ndim=3)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.shape == shape
    assert peak < math.prod(shape) + 2**21
