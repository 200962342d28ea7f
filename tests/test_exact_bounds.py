"""The script that measures what the documentation of exact arithmetic states, and that the two agree."""

import subprocess
import sys
from pathlib import Path

import pytest

from xpnet.arithmetic import exponential, logarithm, splitting, summation

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture(scope="module")
def bounds():
    """Import the script, which lies beside the module that it takes its table from."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        import exact_bounds
    finally:
        sys.path.remove(str(SCRIPTS))
    return exact_bounds


def test_nothing_measured_exceeds_what_is_stated():
    command = [sys.executable, SCRIPTS / "exact_bounds.py", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert "log1p, ulp" in done.stdout
    assert "share of its bound" in done.stdout


def test_the_worst_arguments_known_are_near_the_statement(bounds):
    for name, function in bounds.FUNCTIONS.items():
        x = bounds.np.asarray([float.fromhex(argument) for argument in function.worst])
        (error,) = bounds.errors(name, x, bounds.value(name, x))
        assert 0.8 * function.stated < error <= function.stated, name


def test_the_docstrings_state_the_same_numbers(bounds):
    stated = {name: function.stated for name, function in bounds.FUNCTIONS.items()}
    text = " ".join((exponential.__doc__ + logarithm.__doc__).split())
    for name in ("exp", "expm1", "tanh", "log", "log1p"):
        assert f"{stated[name]} for {name}" in text
    assert f"{stated['sigmoid']} for the sigmoid" in text
    assert text.count(f"within {bounds.ONCE_ROUNDED} ulp") == 2
    for exponent in (993, 990, 986):
        assert f"2^{exponent}" in splitting.__doc__
    assert "2**-67" in summation.__doc__
