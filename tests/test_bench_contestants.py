"""The benchmark's contestants: do they train the same thing? And every command on a tiny task."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import xpnet
from bench import checks, cli, contestants, textbook, textbook_conv
from bench.commands import startup
from bench.contestants import Contestant, LeftOutError, Outcome, WorkerError, measure
from bench.peers import PEERS, Entry, create, missing
from bench.results import read_measurements
from bench.task import Spec, Task
from xpnet import XpnetError

TINY = Spec("xpnet-numpy", (784, 8, 10), 20, data="synthetic", samples=300)


# Contestants


@pytest.mark.parametrize("sizes", [(784, 10), (784, 16, 10), (784, 16, 12, 10)])
def test_textbook_gradient_is_that_of_xpnet(sizes):
    task = Task(replace(TINY, sizes=sizes, dtype="float64", samples=40))
    params, x, t = task.initial_params(), task.scaled(), task.t
    net = xpnet.MLP.from_params(params, backend="numpy", dtype="float64")
    loss, gradient = textbook.gradient(params, x, np.eye(10)[t])
    assert loss == pytest.approx(net.loss(x, t), rel=1e-5)  # it adds 1e-7 to each probability
    for name, expected in net.gradient(x, t).items():
        np.testing.assert_allclose(gradient[name], expected, rtol=1e-10, atol=1e-14)


def test_textbook_numerical_gradient_is_its_gradient():
    task = Task(replace(TINY, sizes=(784, 10), dtype="float64", samples=5, batch=5))
    params, x, rows = task.initial_params(), task.scaled(), np.eye(10)[task.t]
    before = {name: value.copy() for name, value in params.items()}
    numerical = textbook.numerical_gradient(params, x, rows)
    for name, expected in textbook.gradient(params, x, rows)[1].items():
        np.testing.assert_allclose(numerical[name], expected, rtol=1e-5, atol=1e-7)
        np.testing.assert_array_equal(params[name], before[name])


SAME_BATCHES = [
    name
    for name, entry in PEERS.items()
    if "cpu" in entry.devices
    and not entry.draws_own_batches
    and name not in ("xpnet-numpy", "torch-compile")  # the latter takes half a minute to compile
    and not name.startswith(("products", "gradient", "keras-torch"))  # Keras has one backend a process
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("data", ["synthetic", "moons"])
@pytest.mark.parametrize("name", SAME_BATCHES)
def test_contestants_train_the_same_thing(name, data):
    lacking = missing(name)
    if lacking:
        pytest.skip(lacking)
    sizes, batch = ((784, 8, 10), 20) if data == "synthetic" else ((2, 3, 2), 200)
    spec = replace(TINY, peer=name, data=data, sizes=sizes, batch=batch, samples=max(300, batch))
    if data == "moons":
        spec = replace(spec, samples=200)
        if name == "sklearn":
            with pytest.raises(XpnetError, match="two classes"):
                create(Task(spec))
            return
    runs = []
    for peer_name in (name, "xpnet-numpy"):
        peer = create(Task(replace(spec, peer=peer_name)))
        peer.train(64)
        peer.synchronize()
        runs.append(Outcome(replace(spec, peer=peer_name), losses=peer.losses(), compared=64))
    check = checks.compare_losses(name, *runs)
    assert check.difference < 1e-4
    assert runs[1].losses[-1] < runs[1].losses[0]


STACKS = ["conv", "deep-conv"]


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("name", ["torch-eager", "jax-jit", "xpnet-torch"])
def test_contestants_train_the_same_convolutions(name, stack):
    lacking = missing(name)
    if lacking:
        pytest.skip(lacking)
    spec = replace(TINY, sizes=(784, 10), stack=stack, learning_rate=0.01, samples=60)
    runs = []
    for peer_name in (name, "xpnet-numpy"):
        peer = create(Task(replace(spec, peer=peer_name)))
        peer.train(16)
        runs.append(Outcome(replace(spec, peer=peer_name), losses=peer.losses()[:16], compared=16))
    assert checks.compare_losses(name, *runs).difference < 1e-4


@pytest.mark.parametrize("stack", STACKS)
def test_textbook_gradient_of_convolutions_is_that_of_xpnet(stack):
    task = Task(replace(TINY, sizes=(784, 10), stack=stack, dtype="float64", samples=20))
    params, x, t, network = task.initial_params(), task.scaled(), task.t, task.spec.network
    net = xpnet.Model(network.layers, network.inputs, backend="numpy", dtype="float64")
    layers = textbook_conv.layers_of(network.layers, params)
    loss = textbook_conv.gradient(layers, x, np.eye(10)[t])
    assert loss == pytest.approx(net.loss(x, t), rel=1e-5)  # it adds 1e-7 to each probability
    found = [gradient for layer in layers if hasattr(layer, "W") for gradient in (layer.dW, layer.db)]
    for gradient, expected in zip(found, net.gradient(x, t).values(), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["sklearn", "products-numpy"])
def test_others_take_part_in_convolutions_or_say_why_not(name):
    task = Task(replace(TINY, peer=name, sizes=(784, 10), stack="conv"))
    if name == "sklearn":
        with pytest.raises(XpnetError, match="conv is not written here for scikit-learn"):
            create(task)
        return
    peer = create(task)
    peer.train(2)
    assert peer.losses() == []


def test_keras_on_torch_trains_the_same_thing():
    lacking = missing("keras-torch")
    if lacking:
        pytest.skip(lacking)
    reference, on_torch = measure([TINY, replace(TINY, peer="keras-torch")], rounds=1, seconds_a_round=0.01)
    assert checks.compare_losses("keras-torch", on_torch, reference).difference < 1e-4


def test_worker_answers_and_rounds_are_interleaved():
    specs = [TINY, replace(TINY, peer="products-numpy"), replace(TINY, peer="xpnet-cupy", device="cuda")]
    told = []
    outcomes = measure(specs, rounds=2, seconds_a_round=0.005, advance=told.append)
    numpy, products, cupy = outcomes
    assert len(numpy.seconds) == len(products.seconds) == 2
    assert numpy.seconds[0] > products.seconds[0] > 0
    assert numpy.losses[-1] < numpy.losses[0]
    assert numpy.resident > 20e6
    assert numpy.device is None
    assert len(told) <= contestants.steps(specs, 2)
    if not cupy.seconds:  # no GPU here
        assert "cupy" in cupy.left_out.lower()


def test_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(PEERS, "ghost", Entry("Ghost", "ghost", "Ghost", ("no_such_library",)))
    with pytest.raises(LeftOutError, match=r"no_such_library is not installed \(pip install"):
        Contestant(replace(TINY, peer="ghost"))


def test_unknown_arithmetic_is_left_out_with_its_reason():
    left = measure([replace(TINY, arithmetic="rounded")], rounds=1, seconds_a_round=0.01)[0]
    assert "unknown arithmetic 'rounded'" in left.left_out
    assert left.seconds == []


def test_dead_worker_is_told_with_its_last_words():
    contestant = Contestant(TINY)
    try:
        with pytest.raises(WorkerError, match="TypeError"):
            contestant.ask(run="many", warm=0)
    finally:
        contestant.close()


# Commands

COMMANDS = {
    "throughput": ["--network", "2-3-2", "--dtype", "float32", "--backend", "numpy", "--backend", "cupy"],
    "limit": ["--network", "2-3-2"],
    "peers": ["--network", "2-3-2", "--contestant", "textbook", "--contestant", "torch-graph"],
    "scaling": ["--axis", "depth", "--backend", "numpy"],
    "numerical-gradient": [],
    "exact": ["--network", "2-3-2"],
    "autodiff": ["--network", "2-3-2"],
    "startup": [],
    "accuracy": [],
    "memory": [],
}


def test_every_command_is_tried():
    named = {command.__name__.replace("_", "-") for command in cli._COMMANDS}
    assert named == {*COMMANDS, "compare", "readme"}


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(startup, "_MODULES", {"numpy": "numpy", "xpnet": "xpnet", "ghost": "no_such_module"})
    files = {name: tmp_path / f"r.{suffix}" for name, suffix in (("json", "json"), ("markdown", "md"))}
    arguments = [command, "--quick", "--rounds", "1", *COMMANDS[command], f"--figure={tmp_path / 'r.png'}"]
    arguments += [f"--{name}={path}" for name, path in files.items()]
    ended = CliRunner().invoke(cli._app, arguments, catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    assert f"{command}: about" in ended.output
    plain = json.loads(files["json"].read_text())
    assert plain["command"] == command
    assert plain["quick"] is True
    measured = read_measurements(files["json"])
    assert measured
    assert all(value >= 0 for m in measured for value in m.values)
    assert all(check["agrees"] for check in plain["checks"])
    text = files["markdown"].read_text()
    assert "these numbers mean nothing" in text
    assert f"commit {plain['machine']['commit']}" in text
    for left in plain["left_out"]:
        assert f"{left['id']}: {left['reason']}" in text
    figure = next(Path(tmp_path).glob("r*.png"))
    assert figure.read_bytes()[:4] == b"\x89PNG"


def test_without_a_command_there_is_help():
    output = CliRunner().invoke(cli._app, []).output
    assert all(name in output for name in (*COMMANDS, "compare", "readme"))
