"""Mini-batches: each way of drawing them, and that they do not depend on how they are asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpnet.errors import InvalidInputError
from xpnet.training import batches
from xpnet.training.batches import SAMPLINGS, make_sampler

quick = settings(deadline=None)
sizes = st.integers(1, 40).flatmap(lambda samples: st.tuples(st.just(samples), st.integers(1, samples)))
seeds = st.integers(0, 2**64 - 1)


def drawn(sampler, start, stop):
    """Return each iteration's rows as a list; None for all of them."""
    rows = []
    for count, block in sampler.blocks(start, stop):
        if block is None:
            rows += [None] * count
            continue
        assert (block.dtype, block.ndim, len(block)) == (np.int32, 2, count)
        rows += block.tolist()
    assert len(rows) == stop - start
    return rows


def epochs(sampler, count):
    """Return the rows of some epochs, one after the other."""
    per_epoch = sampler.iterations_per_epoch
    return [drawn(sampler, i * per_epoch, (i + 1) * per_epoch) for i in range(count)]


@quick
@given(size=sizes, seed=seeds, sampling=st.sampled_from(SAMPLINGS), drop_last=st.booleans(), data=st.data())
def test_any_split_gives_the_same_rows(size, seed, sampling, drop_last, data):
    """Also where a run is taken up in the middle, by a sampler that has drawn nothing before."""
    stop = data.draw(st.integers(0, 60))
    whole = drawn(make_sampler(sampling, *size, seed, drop_last), 0, stop)
    cuts = sorted(data.draw(st.lists(st.integers(0, stop), max_size=4)))
    kept = make_sampler(sampling, *size, seed, drop_last)
    parts = []
    for start, end in zip([0, *cuts], [*cuts, stop], strict=True):
        fresh = drawn(make_sampler(sampling, *size, seed, drop_last), start, end)
        assert drawn(kept, start, end) == fresh
        parts += fresh
    assert parts == whole


def test_any_split_across_stretches_gives_the_same_rows(monkeypatch):
    monkeypatch.setattr(batches, "_INDICES_AT_ONCE", 12)
    whole = drawn(make_sampler("with_replacement", 10, 4, seed=1), 0, 20)
    for cut in range(21):
        sampler = make_sampler("with_replacement", 10, 4, seed=1)
        assert drawn(sampler, cut, 20) == whole[cut:]
        assert drawn(sampler, 0, cut) == whole[:cut]


FIRST = {
    "with_replacement": [[58327, 2459, 6791, 34635], [17643, 53570, 53823, 43740]],
    "shuffle": [[4, 0, 3, 8], [7, 1, 5, 6], [9, 2]],
    "fixed": [58514, 52003, 53076, 57678],
}


def test_first_rows():
    """They never change: runs of earlier versions must be repeatable."""
    assert drawn(make_sampler("with_replacement", 60_000, 4, seed=0), 0, 2) == FIRST["with_replacement"]
    assert drawn(make_sampler("shuffle", 10, 4, seed=0), 0, 3) == FIRST["shuffle"]
    assert make_sampler("fixed", 60_000, 4, seed=0).subset().tolist() == FIRST["fixed"]


@quick
@given(size=sizes, seed=seeds)
def test_with_replacement_draws_rows_of_the_set(size, seed):
    samples, batch_size = size
    rows = np.asarray(drawn(make_sampler("with_replacement", *size, seed), 0, 30))
    assert rows.shape == (30, batch_size)
    assert rows.min() >= 0
    assert rows.max() < samples


def test_with_replacement_draws_every_row_equally_often():
    rows = np.asarray(drawn(make_sampler("with_replacement", 10, 5, seed=0), 0, 10_000))
    counts = np.bincount(rows.ravel(), minlength=10)
    assert np.abs(counts - 5000).max() < 5 * np.sqrt(5000)
    assert any(len(set(batch)) < 5 for batch in rows.tolist()), "a row comes twice in some batch"


@quick
@given(size=sizes, seed=seeds)
def test_shuffle_takes_each_sample_once_an_epoch(size, seed):
    samples, batch_size = size
    for epoch in epochs(make_sampler("shuffle", *size, seed), 3):
        assert sorted(row for batch in epoch for row in batch) == list(range(samples))
        assert [len(batch) for batch in epoch[:-1]] == [batch_size] * (len(epoch) - 1)
        assert len(epoch[-1]) == (samples % batch_size or batch_size)


@quick
@given(size=sizes, seed=seeds)
def test_drop_last_leaves_the_short_batch_out_and_nothing_else(size, seed):
    samples, batch_size = size
    kept = epochs(make_sampler("shuffle", *size, seed), 2)
    dropped = epochs(make_sampler("shuffle", *size, seed, drop_last=True), 2)
    for all_batches, full_batches in zip(kept, dropped, strict=True):
        assert full_batches == all_batches[: samples // batch_size]


def test_each_epoch_has_an_order_of_its_own():
    orders = {str(epoch) for epoch in epochs(make_sampler("shuffle", 20, 6, seed=0), 50)}
    assert len(orders) == 50


@pytest.mark.parametrize("sampling", ["with_replacement", "shuffle", "fixed"])
def test_seeds_matter(sampling):
    def rows(seed):
        sampler = make_sampler(sampling, 100, 10, seed)
        return str(drawn(sampler, 0, 5)) + str(sampler.subset())

    assert rows(0) == rows(0)
    assert len({rows(seed) for seed in range(20)}) == 20


def test_full_takes_everything_each_time():
    sampler = make_sampler("full", 7, 3, seed=0)
    assert (sampler.batch_size, sampler.iterations_per_epoch, sampler.subset()) == (7, 1, None)
    assert drawn(sampler, 2, 5) == [None] * 3


def test_full_may_be_smaller_than_the_batch_that_is_asked_for():
    assert make_sampler("full", 7, 100, seed=0).batch_size == 7


@quick
@given(size=sizes, seed=seeds)
def test_fixed_takes_one_mini_batch_without_repetition(size, seed):
    samples, batch_size = size
    sampler = make_sampler("fixed", *size, seed)
    rows = sampler.subset()
    assert (rows.dtype, sampler.batch_size, sampler.iterations_per_epoch) == (np.int32, batch_size, 1)
    assert len(set(rows.tolist())) == len(rows) == batch_size
    assert set(rows.tolist()) <= set(range(samples))
    assert drawn(sampler, 0, 4) == [None] * 4, "all of the subset"


@pytest.mark.parametrize(
    ("sampling", "samples", "batch_size", "drop_last", "expected"),
    [
        ("with_replacement", 60_000, 100, False, 600),
        ("with_replacement", 105, 10, False, 10),
        ("shuffle", 105, 10, False, 11),
        ("shuffle", 105, 10, True, 10),
        ("shuffle", 100, 10, False, 10),
        ("full", 105, 10, False, 1),
    ],
)
def test_iterations_per_epoch(sampling, samples, batch_size, drop_last, expected):
    assert make_sampler(sampling, samples, batch_size, 0, drop_last).iterations_per_epoch == expected


@pytest.mark.parametrize("sampling", ["with_replacement", "shuffle", "fixed"])
def test_a_batch_larger_than_the_set_is_refused(sampling):
    with pytest.raises(InvalidInputError, match="batch_size is 11, but there are only 10 samples: give a"):
        make_sampler(sampling, 10, 11, seed=0)


def test_an_unknown_sampling_gets_its_near_match():
    with pytest.raises(InvalidInputError, match="unknown sampling 'shufle': did you mean 'shuffle'"):
        make_sampler("shufle", 10, 5, seed=0)
