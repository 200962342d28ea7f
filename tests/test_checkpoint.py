"""A run that is killed and resumed ends like one that was not, on any library."""

import json

import numpy as np
import pytest
from runs import LABELS, OPTIMIZERS, PIXELS, TEST, difference, trained

import xpnet
from xpnet.errors import DataError, InvalidInputError
from xpnet.io import read_weights, write_weights


class Killed(Exception):
    """Stands for the end of the process."""


def killed_run(backend, path, optimizer, **settings):
    """Train 12 iterations of 28 with a checkpoint at the eighth, then be killed."""

    def kill(evaluation):
        if evaluation.history.iteration[-1] == 12:
            raise Killed

    with pytest.raises(Killed):
        trained(
            backend,
            optimizer=optimizer,
            iterations=28,
            eval_every=4,
            callbacks=[kill],
            checkpoint=xpnet.Checkpoint(path, 8),
            validation=TEST,
            **settings,
        )


def check_resumed(backend, path, optimizer, **settings):
    killed_run(backend, path, optimizer, **settings)
    net, history = xpnet.resume(path, PIXELS, LABELS, TEST, backend=backend)
    whole = {"optimizer": optimizer, "iterations": 28, "eval_every": 4, "validation": TEST}
    reference, expected = trained(backend, **whole, **settings)
    assert net.fingerprint() == reference.fingerprint()
    assert net.config == reference.config
    assert history.loss == expected.loss
    assert history.iteration == expected.iteration
    assert history.train_accuracy == expected.train_accuracy
    assert history.test_accuracy == expected.test_accuracy
    assert history.best_iteration == expected.best_iteration


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_resumed_run_ends_on_the_same_bits(tmp_path, name):
    check_resumed("numpy", tmp_path / "run.safetensors", OPTIMIZERS[name])


@pytest.mark.parametrize("sampling", ["shuffle", "full", "fixed"])
def test_a_resumed_run_goes_on_in_the_random_stream(tmp_path, sampling):
    check_resumed("numpy", tmp_path / "run.safetensors", OPTIMIZERS["adam"], sampling=sampling)


def test_a_resumed_run_ends_on_the_same_bits_on_every_library(backend, tmp_path):
    check_resumed(backend, tmp_path / "run.safetensors", OPTIMIZERS["adam"])


@pytest.mark.parametrize("there_and_back", [("backend", "numpy"), ("numpy", "backend")])
def test_a_run_goes_on_on_another_library(backend, tmp_path, there_and_back):
    path, places = tmp_path / "run.safetensors", {"backend": backend, "numpy": xpnet.get_backend("numpy")}
    source, target = (places[name] for name in there_and_back)
    killed_run(source, path, OPTIMIZERS["adam"])
    net, history = xpnet.resume(path, PIXELS, LABELS, TEST, backend=target)
    reference, expected = trained("numpy", optimizer=OPTIMIZERS["adam"], iterations=28)
    assert net.backend is target
    assert difference(net, reference) < 1e-10
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-10)


def test_a_finished_run_can_go_on_for_longer(tmp_path):
    path = tmp_path / "run.safetensors"
    trained("numpy", iterations=10, checkpoint=xpnet.Checkpoint(path, 100))
    net, history = xpnet.resume(path, PIXELS, LABELS, iterations=25, backend="numpy")
    assert len(history.loss) == 25
    assert net.fingerprint() == trained("numpy", iterations=25)[0].fingerprint()


def test_a_checkpoint_and_a_model_are_not_mixed_up(tmp_path):
    path, model = tmp_path / "run.safetensors", tmp_path / "model.safetensors"
    net, _ = trained("numpy", iterations=4, checkpoint=xpnet.Checkpoint(path, 2))
    net.save(model)
    with pytest.raises(DataError, match=r"is a checkpoint, not a model: go on training with xpnet.resume"):
        xpnet.load(path)
    with pytest.raises(DataError, match="is not a checkpoint of xpnet"):
        xpnet.resume(model, PIXELS, LABELS)
    with pytest.raises(DataError, match="nothing"):
        xpnet.resume(tmp_path / "nothing", PIXELS, LABELS)
    with pytest.raises(InvalidInputError, match=r"of the shape \(120, 12\), not \(60, 12\)"):
        xpnet.resume(path, PIXELS[:60], LABELS[:60], backend="numpy")


def test_settings_of_numpy_can_be_kept(tmp_path):
    settings = {"seed": np.int64(1), "eval_every": 4.0, "batch_size": np.int32(10)}
    trained("numpy", iterations=np.int64(4), checkpoint=xpnet.Checkpoint(tmp_path / "run", 2), **settings)
    assert len(xpnet.resume(tmp_path / "run", PIXELS, LABELS, iterations=6, backend="numpy")[1].loss) == 6


def drop(name):
    return lambda arrays, described: arrays.pop(name)


def change(part, **values):
    return lambda arrays, described: described[part].update(values)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (drop("model/W1"), "these are W2, W3, b1, b2, b3"),
        (drop("optimizer/squares/b1"), "these are mean/W1"),
        (drop("best/b1"), "these are W1, W2, W3, b2, b3"),
        (drop("history/loss"), "is damaged, or a checkpoint of another version of xpnet"),
        (change("settings", shards=2), "another version of xpnet .*shards"),
        (change("optimizer", amsgrad=True), "Adam has no amsgrad in this version"),
        (change("optimizer", **{"class": "Lion"}), "unknown class 'Lion'"),
        (change("model", dropout=0.5), "Blueprint has no dropout in this version"),
        (lambda arrays, described: described.pop("iteration"), "another version of xpnet .*iteration"),
    ],
)
def test_damaged_checkpoints_and_those_of_other_versions_are_told(tmp_path, damage, message):
    path = tmp_path / "run.safetensors"
    trained("numpy", iterations=4, optimizer=xpnet.Adam(0.01), checkpoint=xpnet.Checkpoint(path, 2))
    arrays, metadata = read_weights(path)
    described = json.loads(metadata["xpnet_checkpoint"])
    damage(arrays, described)
    write_weights(path, arrays, {"xpnet_checkpoint": json.dumps(described)})
    with pytest.raises(xpnet.XpnetError, match=message):
        xpnet.resume(path, PIXELS, LABELS, backend="numpy")


def test_an_optimiser_that_no_checkpoint_can_hold_is_told_before_training(tmp_path):
    class Own(xpnet.SGD):
        pass

    checkpoint = xpnet.Checkpoint(tmp_path / "run.safetensors", 2)
    with pytest.raises(InvalidInputError, match="Own is not registered"):
        trained("numpy", iterations=4, optimizer=Own(0.1), checkpoint=checkpoint, callbacks=[pytest.fail])
