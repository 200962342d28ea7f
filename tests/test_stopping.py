"""What ends training, on every library, and that nothing is lost; what keeps it from beginning."""

import signal

import numpy as np
import pytest
from networks import Perceptron
from runs import LABELS, PIXELS, SIZES, network, trained

import xpnet
from xpnet.errors import DataError, InvalidInputError, TrainingError
from xpnet.nn.pixels import PIXEL_SCALE

# What ends it


def test_callbacks_are_told_of_each_evaluation(backend):
    told = []
    net, _ = trained(
        backend,
        iterations=6,
        eval_every=2,
        callbacks=[lambda e: told.append((e.net, e.history.iteration[-1])), lambda e: False],
    )
    assert told == [(net, 0), (net, 2), (net, 4), (net, 6)]


def test_a_callback_ends_training():
    def enough(evaluation):
        return evaluation.history.iteration[-1] >= 20

    told = []
    net, history = trained("numpy", eval_every=10, callbacks=[enough, lambda e: told.append(e)])
    assert (history.stopped, len(history.loss), history.iteration) == ("callback", 20, [0, 10, 20])
    assert len(told) == 3, "the second callback heard of the last evaluation too"
    assert net.fingerprint() == trained("numpy", iterations=20)[0].fingerprint()


def test_early_stopping_waits_for_its_patience():
    """A learning rate of 0 never improves: the first evaluation is the best."""
    stop = xpnet.EarlyStopping(patience=3)
    history = trained("numpy", eval_every=5, callbacks=[stop], optimizer=xpnet.SGD(0.0))[1]
    assert (history.stopped, history.iteration) == ("callback", [0, 5, 10, 15])
    again = trained("numpy", eval_every=5, callbacks=[stop], optimizer=xpnet.SGD(0.0))[1]
    assert again.iteration == history.iteration, "it can be used twice"


def test_early_stopping_does_not_stop_what_improves():
    class Net:
        params: dict = {}  # noqa: RUF012

    history = xpnet.History()
    stop = xpnet.EarlyStopping(patience=2, improvement=0.01)
    answers = []
    for accuracy in (0.1, 0.2, 0.205, 0.3, 0.3, 0.305):
        history.test_score.append(accuracy)
        answers.append(stop(xpnet.Evaluation(Net(), history)))
    assert answers == [False, False, False, False, False, True]


@pytest.mark.parametrize(("patience", "improvement"), [(0, 0.0), (2.5, 0.0), (1, -0.1), (1, 2.0)])
def test_early_stopping_checks_its_settings(patience, improvement):
    with pytest.raises(InvalidInputError, match=r"patience|improvement"):
        xpnet.EarlyStopping(patience, improvement)


def test_a_loss_that_is_no_number_ends_training(backend):
    """And leaves the network as it was when it was last evaluated."""
    net = network(backend, "float32", activation="identity", loss="mean_squared_error")
    good = []
    with pytest.raises(TrainingError) as raised:
        xpnet.train(
            net,
            PIXELS,
            LABELS,
            xpnet.SGD(30.0),
            sampling="full",
            iterations=60,
            eval_every=2,
            callbacks=[lambda e: good.append(e.net.fingerprint())],
        )
    failed = first_bad_iteration()
    assert f"at iteration {failed};" in str(raised.value)
    for advice in ("the loss became", "learning rate below 30", "clip_norm", "scaled to about 0..1"):
        assert advice in str(raised.value)
    assert len(good) == (failed + 1) // 2 + (failed % 2 == 0)
    assert net.fingerprint() == good[-1]
    assert all(np.isfinite(backend.to_numpy(value)).all() for value in net.params.values())


def first_bad_iteration():
    """Train by hand until the loss is no finite number."""
    net = Perceptron(xpnet.get_backend("numpy").xp, SIZES, "identity", "mean_squared_error")
    net.context = net.context._replace(dtype=np.float32)
    net.network = net.network.on_pixels(PIXEL_SCALE)
    params = network("numpy", "float32").params
    x, t = PIXELS, LABELS.astype(np.int32)
    with np.errstate(all="ignore"):
        for iteration in range(60):
            loss, gradients = net.loss_and_gradients(params, x, t)
            if not np.isfinite(loss):
                return iteration
            params = {name: value - 30.0 * gradients[name] for name, value in params.items()}
    raise AssertionError("it never diverged")


def test_ctrl_c_ends_training_and_keeps_everything(backend, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    path = tmp_path / "run.safetensors"

    def interrupt(evaluation):
        if evaluation.history.iteration[-1] == 4:
            signal.raise_signal(signal.SIGINT)

    net, history = trained(
        backend, iterations=40, eval_every=4, callbacks=[interrupt], checkpoint=xpnet.Checkpoint(path, 40)
    )
    assert history.stopped == "interrupted"
    assert history.iteration == [0, 4, 8]
    assert len(history.loss) == 8
    assert signal.getsignal(signal.SIGINT) is before
    resumed, whole = xpnet.resume(path, PIXELS, LABELS, backend=backend)
    assert resumed.fingerprint() == trained(backend, iterations=40, eval_every=4)[0].fingerprint()
    assert whole.stopped == "finished"
    assert net.fingerprint() != resumed.fingerprint()


def test_a_second_ctrl_c_is_heeded_at_once():
    def insist(evaluation):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        trained("numpy", callbacks=[insist])
    assert signal.getsignal(signal.SIGINT) is before


# Bad input is told before training begins


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 121}, "batch_size is 121, but there are only 120 samples"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, not 0"),
        ({"batch_size": 2.5}, "batch_size must be a whole number"),
        ({"iterations": 0}, "iterations must be a whole number of at least 1, not 0"),
        ({"iterations": 1.5}, "iterations must be a whole number"),
        ({"iterations": None, "epochs": -1}, "epochs must be a finite number, at least 0"),
        ({"iterations": None, "epochs": 0}, "epochs must be above 0"),
        ({"iterations": float("nan")}, "iterations must be a whole number"),
        ({"batch_size": "10"}, "batch_size must be a whole number of at least 1, not '10'"),
        ({"batch_size": None}, "batch_size must be a whole number"),
        ({"optimizer": "sgd"}, r"optimizer must be an optimiser such as xpnet.SGD\(0.1\), not 'sgd'"),
        ({"optimizer": xpnet.SGD}, "optimizer must be an optimiser"),
        ({"callbacks": xpnet.EarlyStopping()}, "callbacks must be a list of functions"),
        ({"callbacks": [5]}, "callbacks must be a list of functions"),
        ({"checkpoint": "run.safetensors"}, r"checkpoint must be xpnet.Checkpoint\(path, every\)"),
        ({"validation": PIXELS}, "validation must be a pair"),
        ({"validation": (PIXELS,)}, "validation must be a pair"),
        ({"epochs": 2}, "give either iterations or epochs, not both"),
        ({"eval_every": -1}, "eval_every must be a whole number of at least 0, not -1"),
        ({"sampling": "shufle"}, "unknown sampling 'shufle': did you mean 'shuffle'"),
        ({"seed": -1}, "seed must be an integer"),
        ({"validation": (PIXELS[:, :5], LABELS)}, r"x must have the shape \(batch, 12\)"),
    ],
)
def test_unfit_settings_are_refused(settings, message):
    net = network("numpy")
    before = net.fingerprint()
    with pytest.raises(InvalidInputError, match=message):
        xpnet.train(net, PIXELS, LABELS, **{"batch_size": 10, "iterations": 5, **settings})
    assert net.fingerprint() == before


def test_a_folder_that_cannot_be_written_is_told_at_once(tmp_path):
    with pytest.raises(DataError, match=r"cannot write .*nowhere.* folder that can be written"):
        xpnet.Checkpoint(tmp_path / "nowhere" / "run.safetensors", 10)
    with pytest.raises(DataError, match="it is a folder"):
        xpnet.Checkpoint(tmp_path, 10)
    with pytest.raises(InvalidInputError, match="every must be a whole number"):
        xpnet.Checkpoint(tmp_path / "run.safetensors", 0)


def test_step_networks_cannot_be_trained():
    with pytest.raises(InvalidInputError, match="'step' cannot be trained"):
        xpnet.train(network("numpy", activation="step"), PIXELS, LABELS, iterations=1)
