"""The benchmark: its statistics, tables, records, comparisons and networks."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bench import checks, cli, environment
from bench.commands import compare
from bench.contestants import Outcome
from bench.data import synthetic_pixels
from bench.installed import installed_size
from bench.machine import describe
from bench.networks import NETWORKS, get_networks
from bench.options import Options
from bench.results import SCHEMA, Measurement, Result, read_measurements
from bench.statistics import ratios, summarize
from bench.tables import Table, ratio_cell, size_cell, time_cell
from bench.task import Spec
from xpnet import XpnetError

finite = st.floats(1e-9, 1e9)
TINY = Spec("xpnet-numpy", (784, 8, 10), 20, data="synthetic", samples=300)


@pytest.fixture(scope="module")
def machine():
    return describe(threads=1)


# Statistics


@given(st.lists(finite, min_size=1, max_size=30))
def test_summary_is_ordered_and_of_the_values(values):
    summary = summarize(values)
    assert min(values) == summary.least <= summary.low <= summary.median <= summary.high <= summary.most
    assert summary.most == max(values)


@given(st.lists(finite, min_size=2, max_size=30), st.randoms())
def test_summary_does_not_depend_on_the_order(values, random):
    shuffled = random.sample(values, len(values))
    assert summarize(shuffled) == summarize(values)


@given(finite, st.integers(1, 10))
def test_equal_values_have_no_spread(value, count):
    summary = summarize([value] * count)
    assert {summary.low, summary.median, summary.high} == {value}


@given(st.lists(finite, min_size=1, max_size=9), st.lists(finite, min_size=1, max_size=9))
def test_overlap_is_mutual_and_means_a_common_point(first, second):
    a, b = summarize(first), summarize(second)
    assert a.overlaps(b) == b.overlaps(a) == (max(a.low, b.low) <= min(a.high, b.high))
    assert a.overlaps(a)


def test_quartiles_agree_with_numpy():
    values = np.random.default_rng(0).random(15).tolist()
    summary = summarize(values)
    expected = np.quantile(values, [0.25, 0.5, 0.75])
    np.testing.assert_allclose([summary.low, summary.median, summary.high], expected, rtol=1e-14)


def test_no_values_is_an_error():
    with pytest.raises(XpnetError, match="at least one"):
        summarize([])


def test_ratios_are_paired_by_round():
    assert ratios([2.0, 6.0], [1.0, 2.0]) == [2.0, 3.0]


# Tables


def test_cells_choose_their_unit():
    assert time_cell(summarize([0.00025])) == "250 µs (250 to 250)"
    assert time_cell(summarize([2.0, 3.0, 4.0])) == "3.00 s (2.50 to 3.50)"
    assert size_cell(250e6) == "250 MB"
    assert ratio_cell([1.5]) == "1.50 (1.50 to 1.50)"


def test_markdown_has_a_line_for_each_row():
    lines = Table("T", ("a", "b"), [("1", "2"), ("3", "4")]).to_markdown().splitlines()
    assert lines == ["### T", "", "| a | b |", "| --- | ---: |", "| 1 | 2 |", "| 3 | 4 |"]


# Results and their comparison


def result_of(machine, **values):
    result = Result("peers", machine)
    for name, measured in values.items():
        result.add(name, "time per iteration", "s", measured)
    return result


def test_result_comes_back_from_its_file(machine, tmp_path):
    result = result_of(machine, a=[1.0, 2.0, 3.0])
    result.leave_out("b", "not installed")
    result.write(tmp_path / "r.json")
    assert read_measurements(tmp_path / "r.json") == result.measurements
    plain = json.loads((tmp_path / "r.json").read_text())
    assert plain["schema"] == SCHEMA
    assert plain["left_out"] == [{"id": "b", "reason": "not installed"}]
    assert plain["measurements"][0]["median"] == 2.0
    assert plain["machine"]["libraries"]["numpy"] == np.__version__
    assert plain["machine"]["cores"] >= 1
    assert plain["machine"]["blas"]


@pytest.mark.parametrize(("text", "said"), [("{}", "schema"), ("[", "no JSON"), ("[1]", "schema")])
def test_foreign_file_is_refused(tmp_path, text, said):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(XpnetError, match=said):
        read_measurements(tmp_path / "x.json")


def test_missing_file_is_told(tmp_path):
    with pytest.raises(XpnetError, match="cannot read"):
        read_measurements(tmp_path / "none.json")


def measurement(*values):
    return Measurement("a", "time per iteration", "s", values)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((1.0, 1.1, 1.2), (1.0, 1.1, 1.2), "the same"),
        ((1.0, 1.1, 1.2), (1.1, 1.2, 1.3), "noise"),
        ((1.0, 1.1, 1.2), (2.0, 2.1, 2.2), "MOVED UP"),
        ((2.0, 2.1, 2.2), (1.0, 1.1, 1.2), "MOVED DOWN"),
        ((1.0, 1.0, 1.0, 1.0, 9.0), (1.1, 1.1, 1.1, 1.1, 1.1), "MOVED UP"),  # one disturbed round
    ],
)
def test_verdict(before, after, expected):
    assert compare.verdict(measurement(*before), measurement(*after)) == expected


def test_compare_shows_ratio_rule_and_what_has_no_partner(machine, tmp_path):
    result_of(machine, a=[1.0, 1.0], old=[1.0]).write(tmp_path / "A.json")
    result_of(machine, a=[2.0, 2.0], new=[1.0]).write(tmp_path / "B.json")
    arguments = [str(tmp_path / "A.json"), str(tmp_path / "B.json"), "--markdown", str(tmp_path / "c.md")]
    ended = CliRunner().invoke(cli._app, ["compare", *arguments], catch_exceptions=False)
    assert ended.exit_code == 0
    text = (tmp_path / "c.md").read_text()
    assert "| 2.000 | MOVED UP |" in text
    assert "only in A.json: old" in text
    assert "only in B.json: new" in text
    assert "The rule" in text


def test_compare_says_in_what_the_machines_differ(machine):
    before = result_of(machine).to_json()
    after = result_of(replace(machine, threads=2, date="another day")).to_json()
    assert compare.differences(before, after) == ["threads differs: 1 and 2"]


def test_readme_gets_the_table_and_keeps_the_rest(machine, tmp_path):
    result = Result("peers", machine)
    labels = {"network": "784-50-10", "batch": 100}
    result.add("slow", "time per iteration", "s", [3e-4], label="JAX jit", **labels)
    result.add("fast", "time per iteration", "s", [2e-4], label="xpnet on NumPy", **labels)
    result.add("slow / fast", "ratio of times", "1", [1.5])
    result.write(tmp_path / "p.json")
    file = tmp_path / "README.md"
    file.write_text("before\n<!-- bench:cpu -->\nold\n<!-- /bench:cpu -->\nafter\n")
    arguments = ["readme", str(tmp_path / "p.json"), "--section", "cpu", "--file", str(file)]
    for _ in range(2):  # written twice, it stays the same
        assert CliRunner().invoke(cli._app, arguments, catch_exceptions=False).exit_code == 0
        lines = file.read_text().splitlines()
        assert lines[:2] == ["before", "<!-- bench:cpu -->"]
        assert lines[-2:] == ["<!-- /bench:cpu -->", "after"]
        assert lines[4].startswith("| xpnet on NumPy | 784-50-10 | 100 | 200 µs")
        assert lines[5].endswith("1.50 (1.50 to 1.50) |")
        assert "old" not in lines
    with pytest.raises(XpnetError, match="has no section"):
        CliRunner().invoke(cli._app, [*arguments[:3], "gpu", *arguments[4:]], catch_exceptions=False)


# Loss curves


def outcome(peer="torch-eager", losses=(1.0, 1.0), compared=2):
    return Outcome(replace(TINY, peer=peer), losses=list(losses), compared=compared)


def test_losses_of_the_same_batches_must_agree_one_by_one():
    reference = outcome(losses=(2.0, 1.0))
    assert checks.compare_losses("a", outcome(losses=(2.0, 1.001)), reference).agrees
    assert not checks.compare_losses("a", outcome(losses=(2.0, 1.01)), reference).agrees
    assert not checks.compare_losses("a", outcome(losses=(math.nan, 1.0)), reference).agrees


def test_means_of_stretches_are_compared_with_such_means():
    reference = outcome(losses=(4.0, 2.0, 1.0, 1.0, 9.0), compared=5)
    check = checks.compare_losses("a", outcome(losses=(3.0, 1.0), compared=4), reference)
    assert check.difference == 0.0
    assert check.iterations == 4


def test_own_batches_need_the_same_mean_only():
    reference = outcome(losses=(2.0, 1.0))
    assert checks.compare_losses("a", outcome("textbook", (1.0, 2.1)), reference).agrees
    assert not checks.compare_losses("a", outcome("textbook", (2.0, 2.0)), reference).agrees


# Networks, data, machine


def test_large_networks_are_measured_when_asked_for():
    assert {net.name for net in NETWORKS.values() if net.large} == {"784-4x4096-10"}
    assert len(get_networks(None, large=False)) == len(NETWORKS) - 1
    assert [net.name for net in get_networks(["784-4x4096-10"], large=False)] == ["784-4x4096-10"]
    with pytest.raises(XpnetError, match="784-50-10"):
        get_networks(["784-50-1"], large=False)


def test_operations_count_three_products_but_two_of_the_first_layer():
    assert NETWORKS["2-3-2"].operations == 200 * (4 * (2 * 3 + 3 * 2) + 2 * 3 * 2)


def test_synthetic_pixels_look_like_mnist():
    x, t = synthetic_pixels(1500)
    assert x.shape == (1500, 784)
    assert x.dtype == np.uint8
    assert 0.1 < np.mean(x > 0) < 0.3
    assert set(t.tolist()) == set(range(10))


def test_threads_are_the_same_for_every_library():
    for threads in (1, 2):
        variables = environment.environment(threads, "cpu")
        assert {variables[name] for name in environment._THREAD_VARIABLES} == {str(threads)}
        assert variables["CUDA_VISIBLE_DEVICES"] == ""


def test_options_refuse_before_anything_is_measured(tmp_path):
    with pytest.raises(XpnetError, match="cores"):
        Options(True, environment.core_count() + 1, None, None, None)
    with pytest.raises(XpnetError, match="no folder"):
        Options(True, 1, None, tmp_path / "nowhere" / "a.json", None)


def test_installed_size_counts_what_is_required():
    assert installed_size("xpnet") > installed_size("numpy") > 10**6
    with pytest.raises(XpnetError, match="not installed"):
        installed_size("no-such-distribution")
