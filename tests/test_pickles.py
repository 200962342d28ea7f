"""Pickles are read as data: nothing in them ever runs, and whatever is not plain arrays is refused."""

import builtins
import hashlib
import itertools
import os
import pickle
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from xpnet.errors import DataError
from xpnet.io import read_textbook_pickle

SAMPLE_SHA256 = "b7f55a27988ba34c3777b0f1bbd464817c8a4db855723e6ff26f703501917a13"
# hypothesis runs one test function many times on one folder; each run overwrites the file
many = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

numeric = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, max_side=5)


def read(tmp_path: Path, data: bytes) -> dict[str, np.ndarray]:
    path = tmp_path / "weights.pkl"
    path.write_bytes(data)
    return read_textbook_pickle(path)


def refused(tmp_path: Path, data: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read(tmp_path, data)


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def python2_array(dtype: bytes, shape: bytes, raw: bytes, fortran: bytes = b"I00\n") -> bytes:
    """Return the instructions by which Python 2 pickles an array (protocol 2, its `str` for bytes)."""
    return (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
        + (b"(K\x01" + shape + b"cnumpy\ndtype\n(U" + bytes([len(dtype)]) + dtype + b"K\x00K\x01tR")
        + (b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb" + fortran)
        + (b"T" + struct.pack("<I", len(raw)) + raw + b"tb")
    )


def python2_pickle(*arrays: bytes) -> bytes:
    entries = b"".join(b"U\x02W" + str(i).encode() + array for i, array in enumerate(arrays, 1))
    return b"\x80\x02}(" + entries + b"u."


# --- what is read


@many
@given(
    arrays=st.dictionaries(st.text(max_size=5), hnp.arrays(numeric, shapes), max_size=4),
    protocol=st.integers(0, 5),
)
def test_reads_what_python_3_pickles_bit_for_bit(tmp_path, arrays, protocol):
    if protocol <= 2:  # these write empty bytes as a call of builtins.bytes
        arrays = {name: array for name, array in arrays.items() if array.size}
    result = read(tmp_path, pickle.dumps(arrays, protocol=protocol))
    assert list(result) == list(arrays)
    for name, array in arrays.items():
        native = array.astype(array.dtype.newbyteorder("="))
        assert result[name].dtype == native.dtype
        assert result[name].shape == array.shape
        assert result[name].tobytes() == native.tobytes()


@pytest.mark.parametrize("protocol", range(6))
def test_memory_order_does_not_matter(tmp_path, protocol):
    ordered = np.arange(12, dtype=np.float32).reshape(3, 4)
    arrays = {"fortran": np.asfortranarray(ordered), "strided": np.repeat(ordered, 2, axis=1)[:, ::2]}
    for array in read(tmp_path, pickle.dumps(arrays, protocol=protocol)).values():
        np.testing.assert_array_equal(array, ordered)
        assert array.flags.c_contiguous
        assert array.flags.writeable


def test_reads_what_python_2_pickles(tmp_path):
    raw = np.array([[0.5, -1.0, 255.0], [1e-3, np.pi, -0.0]], dtype="<f4")
    result = read(tmp_path, python2_pickle(python2_array(b"f4", b"K\x02K\x03\x86", raw.tobytes())))
    assert result["W1"].tobytes() == raw.tobytes()
    swapped = python2_array(b"f4", b"K\x02K\x03\x86", raw.tobytes(order="F"), fortran=b"I01\n")
    np.testing.assert_array_equal(read(tmp_path, python2_pickle(swapped))["W1"], raw)


def test_reads_the_textbook_weights():
    folder = os.environ.get("XPNET_DATA")
    if not folder:
        pytest.skip("XPNET_DATA is not set: no sample_weight.pkl")
    path = Path(folder) / "sample_weight.pkl"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SAMPLE_SHA256
    weights = read_textbook_pickle(path)
    widths = [784, 50, 100, 10]
    expected = {f"b{i}": (n,) for i, n in enumerate(widths[1:], 1)}
    expected |= {f"W{i}": shape for i, shape in enumerate(itertools.pairwise(widths), 1)}
    assert {name: array.shape for name, array in weights.items()} == expected
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}
    trusted = pickle.loads(path.read_bytes(), encoding="latin1")
    assert all(weights[name].tobytes() == trusted[name].tobytes() for name in trusted)


# --- what is refused, and never run


class Call:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def malicious(flag: str) -> dict[str, object]:
    touch = f"open({flag!r}, 'w').close()"
    return {
        "os.system": Call(os.system, f"touch {flag}"),
        "eval": Call(builtins.eval, touch),
        "exec": Call(builtins.exec, touch),
        "open": Call(open, flag, "w"),
        "nested": {"W1": np.ones(3), "b1": (1, (2, {"deep": Call(os.system, f"touch {flag}")}))},
        "object array": np.array([Call(os.system, f"touch {flag}")], dtype=object),
        "numpy.load": Call(np.load, flag, None, True),
        "numpy.save": Call(np.save, flag, 1),
        "numpy.memmap": Call(np.memmap, flag, "u1", "w+", 0, (4,)),
        "numpy.fromfile": Call(np.fromfile, flag),
    }


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("attack", malicious("flag"))
def test_code_is_refused_and_not_run(tmp_path, attack, protocol):
    flag = tmp_path / "flag"
    payload = pickle.dumps({"W1": malicious(str(flag))[attack]}, protocol=protocol)
    refused(tmp_path, payload, "refers to|dtype 'O8'")
    assert not flag.exists()


def test_the_attacks_are_real(tmp_path):
    flag = tmp_path / "flag"
    pickle.loads(pickle.dumps({"W1": malicious(str(flag))["os.system"]}))
    assert flag.exists()


FLOAT = python2_array(b"f8", b"K\x01\x85", bytes(8))
DTYPE = b"cnumpy\ndtype\n(U\x02f8K\x00K\x01tR"
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (python2_array(b"O8", b"K\x01\x85", b"12345678"), "dtype 'O8'"),
        (python2_array(b"V8", b"K\x01\x85", b"12345678"), "dtype 'V8'"),
        (python2_array(b"M8", b"K\x01\x85", b"12345678"), "dtype 'M8'"),
        (python2_array(b"S8", b"K\x01\x85", b"12345678"), "dtype 'S8'"),
        (python2_array(b"f8,O", b"K\x01\x85", b"12345678"), "dtype 'f8,O'"),
        (python2_array(b"f8", b"K\x02\x85", b"12345678"), "shape does not fit"),
        (python2_array(b"f8", b"J\xff\xff\xff\xffJ\xff\xff\xff\xff\x86", b"12345678"), "shape does not fit"),
        (python2_array(b"f8", b"\x8a\x05\x00\x00\x00\x00\x7f\x85", b"12345678"), "shape does not fit"),
        (python2_array(b"f8", b"K\x00\x8a\x08" + b"\xff" * 7 + b"\x7f\x86", b""), "shape does not fit"),
        (python2_array(b"f8", b"(" + b"K\x01" * 70 + b"t", b"12345678"), "shape does not fit"),
        (python2_array(b"f8", b"U\x01a\x85", b"12345678"), "shape does not fit"),
        (python2_array(b"f8", b"K\x01", b"12345678"), "sets the state"),
        (DTYPE + b"(K\x04U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00}tb", "sets the state"),  # metadata
        (
            DTYPE + b"(K\x03U\x01|NU\x01a\x85}J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
            "sets the state",
        ),  # fields
        (FLOAT + b"(K\x01K\x00\x85" + DTYPE + b"I00\nU\x00tb", "sets the state"),  # a second state
        (RECONSTRUCT + b"N}U\x0c__defaults__Ns\x86b", "sets the state"),  # rewriting a function's defaults
        (b"cbuiltins\ngetattr\n(cos\npath\nVos\ntRVsystem\n\x86R", "builtins.getattr"),
        (RECONSTRUCT + b"(cnumpy\ndtype\nK\x00\x85U\x01btR", "builds no array"),
        (b"cnumpy\nndarray\n(K\x01\x85tR", "builds no array"),
        (b"cnumpy\nndarray\nK\x01\x85\x81", "NEWOBJ"),
        (b"(K\x01cnumpy\nndarray\no", "OBJ"),
        (b"(U\x02idios\nsystem\n", "INST"),
        (b"(ios\nsystem\n", "INST"),
        (b"c_codecs\nencode\n(U\x02idU\x03rottR", "builds no array"),
        (b"c_codecs\ndecode\n(U\x02idU\x06latin1tR", "_codecs.decode"),
        (b"cnumpy.core.multiarray\nscalar\n", "numpy.core.multiarray.scalar"),
        (b"cnumpy.core.multiarray\nfrombuffer\n", "refers to"),
        (b"cnumpy\ntypeDict\n", "refers to"),
        (b"cnumpy.core.multiarray\n_reconstruct.__globals__\n", "refers to"),
        (text("numpy") + text("lib.npyio.os.system") + b"\x93", "refers to"),
        (b"K\x01K\x02\x93", "not text"),
        (b"Pid\n", "PERSID"),
        (b"U\x02idQ", "BINPERSID"),
        (b"\x82\x01", "EXT1"),
        (b"\x97", "NEXT_BUFFER"),
        (b"]", "EMPTY_LIST"),
        (b"\x8f", "EMPTY_SET"),
        (b"K\x01", "not an array"),
        (b"}", "not an array"),
        (RECONSTRUCT + b"(cnumpy\nndarray\nK\x00\x85U\x01btR", "not an array"),  # never filled
        (b"N}K\x01Nss", "not text"),
        (b"}h\x63", "damaged"),
        (b"0", "POP"),
    ],
)
def test_hostile_instructions_are_refused(tmp_path, body, reason):
    assert read(tmp_path, python2_pickle(FLOAT))["W1"] == 0.0  # the frame around it is sound
    refused(tmp_path, python2_pickle(body), reason)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "damaged"),
        (b"\x80\x02.", "damaged"),
        (b"\x80\x02N.", "does not hold a dict"),
        (pickle.dumps(np.ones(3)), "does not hold a dict"),
        (pickle.dumps({1: np.ones(3)}), "not text"),
        (pickle.dumps({"W1": [1.0, 2.0]}), "EMPTY_LIST"),
        (pickle.dumps({"W1": np.ones(3)}) + b"more", "after its end"),
        (pickle.dumps({"W1": np.float64(1.0)}), "scalar"),
        (pickle.dumps({"W1": np.ones(2, dtype=[("a", "f4")])}), "dtype 'V4'"),
        (pickle.dumps({"W1": np.ma.masked_array([1.0])}), "numpy.ma"),
    ],
)
def test_other_files_are_refused(tmp_path, data, reason):
    refused(tmp_path, data, reason)


def test_a_key_that_would_overflow_the_stack_is_refused(tmp_path):
    refused(tmp_path, b"\x80\x02})" + b"\x85" * 1_000_000 + b"Ns.", "not text")


def test_a_key_that_would_hash_for_ever_is_refused(tmp_path):
    refused(tmp_path, b"\x80\x02})" + b"q\x00h\x00\x86" * 100 + b"Ns.", "not text")


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04}r\xff\xff\xff\xffN.",  # a memo of four billion places
        b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",  # a bytearray of a terabyte
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b".",
        b"\x80\x02" + python2_array(b"f8", b"\x8a\x05\x00\x00\x00\x00\x7f\x85", b"12345678") + b".",
        # one megabyte of contents, used for a thousand arrays
        b"\x80\x05}(B" + struct.pack("<I", 2**20) + bytes(2**20) + b"q\x01" + DTYPE + b"q\x021}("
        + b"U\x01acnumpy.core.numeric\n_frombuffer\n(h\x01h\x02J\x00\x00\x02\x00\x85U\x01CtR" * 1000 + b"u.",
    ],
)  # fmt: skip
def test_a_small_file_gets_little_memory(tmp_path, data):
    path = tmp_path / "bomb.pkl"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            read_textbook_pickle(path)
        assert tracemalloc.get_traced_memory()[1] < 2**21 + 8 * len(data)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("protocol", range(6))
def test_every_truncation_is_refused(tmp_path, protocol):
    data = pickle.dumps({"W1": np.arange(6.0).reshape(2, 3), "b1": np.ones(3)}, protocol=protocol)
    for length in range(len(data)):
        refused(tmp_path, data[:length], "refused")


@many
@given(st.binary(max_size=200))
def test_random_bytes_raise_only_data_errors(tmp_path, data):
    for prefix in b"", b"\x80\x02}(", b"(dp0\n":
        try:
            result = read(tmp_path, prefix + data)
        except DataError:
            continue
        assert all(isinstance(array, np.ndarray) for array in result.values())


@settings(many, max_examples=400)
@given(
    protocol=st.integers(0, 5),
    edits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_mangled_files_give_arrays_or_a_data_error(tmp_path, protocol, edits):
    data = bytearray(pickle.dumps({"W1": np.arange(6.0).reshape(2, 3), "b1": np.ones(3)}, protocol=protocol))
    for place, value in edits:
        data[place % len(data)] = value
    try:
        result = read(tmp_path, bytes(data))
    except DataError:
        return
    assert all(array.dtype.kind in "biuf" and array.nbytes <= len(data) for array in result.values())


def test_missing_file_and_folder_are_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.pkl.*No such file"):
        read_textbook_pickle(tmp_path / "none.pkl")
    with pytest.raises(DataError, match="directory"):
        read_textbook_pickle(tmp_path)
