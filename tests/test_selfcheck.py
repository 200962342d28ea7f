"""``xpnet selfcheck``: what it finds here, and that it finds what is wrong."""

import json

import numpy as np
import pytest
from test_cli_tools import invoke

import xpnet
from xpnet.arithmetic import canary
from xpnet.backends.numpy import NumpyBackend
from xpnet.models import trust
from xpnet.training.selfcheck import selfcheck


def failed(findings):
    return [finding.check for finding in findings if not finding.passed]


@pytest.mark.parametrize("name", ["numpy", "torch", "array_api_strict", "cupy"])
def test_this_machine_keeps_the_promise(name):
    from conftest import require

    require(name)
    assert failed(selfcheck([(name, None)])) == []


def test_the_command_tells_line_by_line_and_as_json():
    plain = invoke("selfcheck", "--backends", "numpy")
    assert plain.exit_code == 0
    assert "ok    numpy            canaries: float64 and matrix products are IEEE's" in plain.stdout
    assert plain.stdout.endswith("this machine keeps the promise\n")
    assert all(len(line) <= 80 for line in plain.stdout.splitlines() if line.startswith("ok"))
    found = json.loads(invoke("selfcheck", "--backends", "numpy", "--json").stdout)
    assert found["kept"] is True
    assert found["machine"]["libraries"].keys() == {"numpy"}
    assert len(found["findings"]) == 7


def test_other_streams_are_found(monkeypatch):
    plain = xpnet.random.Stream.uniform
    monkeypatch.setattr("xpnet.random.Stream.uniform", lambda self, shape: plain(self, shape) + 2.0**-53)
    assert "random streams" in failed(selfcheck([]))


def test_other_last_bits_are_found(monkeypatch):
    """Adam's root a unit in the last place too large."""
    monkeypatch.setattr("xpnet.optim.optimizers.math.sqrt", lambda x: np.nextafter(x**0.5, np.inf).item())
    wrong = failed(selfcheck([("numpy", None)]))
    assert len(wrong) == 2
    assert all("Adam" in check for check in wrong)


def test_a_product_of_fewer_bits_is_refused_wherever_exact_arithmetic_is_asked_for(monkeypatch):
    class Short(NumpyBackend):
        name = "short"

        class xp:  # noqa: N801
            def __getattr__(self, name):
                return getattr(NumpyBackend.xp, name)

            def matmul(self, a, b):
                return np.matmul(a.astype(np.float32), b.astype(np.float32)).astype(np.float64)

        xp = xp()

    monkeypatch.setattr(trust, "_trusted", set())
    with pytest.raises(xpnet.XpnetError, match="the matrix product of short on cpu is not IEEE float64"):
        xpnet.MLP([2, 2], backend=Short(), arithmetic="exact")
    assert xpnet.MLP([2, 2], backend=Short()).arithmetic is not None
    assert canary.TERMS == 1024


def test_a_library_that_is_not_there_is_told():
    done = invoke("selfcheck", "--backends", "numpi")
    assert done.exit_code == 2
    assert "did you mean 'numpy'" in done.stderr
