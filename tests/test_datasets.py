"""Data sets by name: the real MNIST family where its files are at hand, digits and moons always."""

import os
from pathlib import Path

import numpy as np
import pytest

import xpnet.datasets as datasets
from xpnet.datasets.idx import content_md5
from xpnet.datasets.locate import data_directory, find_file, holds_all
from xpnet.datasets.mnist import FASHION_MNIST, MNIST
from xpnet.errors import InvalidInputError


def real_folder(source):
    """Return the folder under XPNET_DATA with the real files of ``source``, or skip the test."""
    if not os.environ.get("XPNET_DATA"):
        pytest.skip("XPNET_DATA is not set: the real files are not at hand")
    folder = Path(os.environ["XPNET_DATA"], source.name)
    if not holds_all(folder, source.md5):
        pytest.skip(f"XPNET_DATA has no folder {source.name} with the four IDX files")
    return folder


@pytest.mark.parametrize(
    ("source", "first_train", "first_test"),
    [(MNIST, [5, 0, 4, 1, 9], [7, 2, 1, 0, 4]), (FASHION_MNIST, [9, 0, 0, 3, 0], [9, 2, 1, 1, 6])],
    ids=lambda value: getattr(value, "name", ""),
)
def test_real_files(source, first_train, first_test):
    folder = real_folder(source)
    data = datasets.load(source.name)
    assert data.x_train.shape == (60_000, 784)
    assert data.x_test.shape == (10_000, 784)
    assert data.x_train.dtype == data.x_test.dtype == np.uint8
    assert data.t_train.dtype == data.t_test.dtype == np.int32
    assert data.t_train[:5].tolist() == first_train
    assert data.t_test[:5].tolist() == first_test
    assert np.bincount(data.t_test).tolist() == (
        [1000] * 10 if source is FASHION_MNIST else [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    )
    sums = {file: content_md5(find_file(folder, file)) for file in source.md5}
    assert sums == source.md5


def test_digits_are_those_of_scikit_learn():
    sklearn_datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    reference = sklearn_datasets.load_digits()
    data = datasets.load("digits")
    np.testing.assert_array_equal(np.concatenate([data.x_train, data.x_test]) * 16, reference.data)
    np.testing.assert_array_equal(np.concatenate([data.t_train, data.t_test]), reference.target)


def test_digits_split():
    x_train, t_train, x_test, t_test = datasets.load("digits")
    assert x_train.shape == (1500, 64)
    assert t_train.shape == (1500,)
    assert x_test.shape == (297, 64)
    assert t_test.shape == (297,)
    assert x_train.dtype == x_test.dtype == np.float32
    assert t_train.dtype == t_test.dtype == np.int32
    assert x_train.min() == 0
    assert x_train.max() == 1
    assert set(t_train) == set(t_test) == set(range(10))


def test_moons_split():
    data = datasets.load("moons")
    assert data.x_train.shape == data.x_test.shape == (1000, 2)
    assert data.x_train.dtype == data.x_test.dtype == np.float32
    assert data.t_train.sum() == data.t_test.sum() == 500
    assert not np.array_equal(data.x_train, data.x_test)


def test_names_and_classes():
    assert set(datasets.names()) == {"mnist", "fashion_mnist", "digits", "moons"}
    assert datasets.class_names("fashion_mnist")[0] == "T-shirt/top"
    assert datasets.class_names("mnist")[7] == "7"
    assert [len(datasets.class_names(name)) for name in datasets.names()] == [10, 2, 10, 10]


@pytest.mark.parametrize("function", [datasets.load, datasets.class_names])
def test_unknown_name_has_the_near_match(function):
    with pytest.raises(InvalidInputError, match="'fashion-mnist': did you mean 'fashion_mnist'"):
        function("fashion-mnist")


def test_where_data_lies(monkeypatch, tmp_path):
    monkeypatch.setenv("XPNET_DATA", str(tmp_path / "environment"))
    assert data_directory(tmp_path / "argument") == tmp_path / "argument"
    assert data_directory() == tmp_path / "environment"
    monkeypatch.setenv("XPNET_DATA", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_directory().name == "xpnet"
    assert data_directory("~/data") == Path.home() / "data"
