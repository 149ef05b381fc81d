"""The book between two bars: chunked equals whole to the bit, through files as well, and what is refused."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kernels import options, with_profile

from liqbt.book.flows import build_flows
from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.reconstruct import reconstruct
from liqbt.book.state import BookState
from liqbt.errors import ConfigError, DataError
from liqbt.market import MarketFrame, VolumeProfile

FEW = LeverageMix.of({3.0: 1.0, 10.0: 2.0, 25.0: 1.0})
COARSE = BookParams(bin_bps=20.0)


def chunk(market, start, stop):
    """Bars start..stop-1 of a market, as if only they had been loaded."""
    cut = {}
    for name, value in vars(market).items():
        if isinstance(value, np.ndarray) and name != "depth_distance":
            cut[name] = value[start:stop]
    profile = market.volume_profile
    if profile is not None:
        rows = slice(int(profile.offsets[start]), int(profile.offsets[stop]))
        cut["volume_profile"] = VolumeProfile(
            width=profile.width, offsets=profile.offsets[start : stop + 1] - rows.start,
            **{name: getattr(profile, name)[rows] for name in ("bin", "buy", "sell")},
        )  # fmt: skip
    return replace(market, **cut)


def in_chunks(market, cuts, params, mix=FEW, through=None):
    """Reconstructions of the chunks between the cuts, each continued from the one before, through a file where one is given."""
    state, books = None, []
    for start, stop in zip([0, *cuts], [*cuts, market.n_bars], strict=True):
        books.append(reconstruct(chunk(market, start, stop), mix, params, state=state))
        state = books[-1].state
        if through is not None:
            state.save(through)
            state = BookState.load(through)
    return books


def heat_by_bin(book, rows):
    """What is on the map after some bars, as (row, side, absolute bin, mass) of the bins that hold any."""
    wanted = np.where(rows, 0, -1)
    heat = np.concatenate(list(book.snapshots(wanted, book.grid.n_bins)))
    row, side, place = np.nonzero(heat)
    return row, side, place + book.grid.origin, heat[row, side, place]


def assert_same(whole_book, books):
    for name in ("swept", "live", "explained_share", "live_share", "unexplained"):
        joined = np.concatenate([getattr(book, name) for book in books])
        assert getattr(whole_book, name).tobytes() == joined.tobytes(), name
    for name in ("open_interest", "opened", "closed", "survival", "retained", "seen"):
        joined = np.concatenate([getattr(book.flows, name) for book in books])
        assert getattr(whole_book.flows, name).tobytes() == joined.tobytes(), name
    np.testing.assert_allclose(whole_book.closed, np.concatenate([book.closed for book in books]), rtol=1e-12)
    done = 0
    whole_heat = heat_by_bin(whole_book, np.ones(whole_book.market.n_bars, bool))
    for book in books:
        count = book.market.n_bars
        here = (whole_heat[0] >= done) & (whole_heat[0] < done + count)
        for mine, part in zip(whole_heat, heat_by_bin(book, np.ones(count, bool)), strict=True):
            expected = mine[here] - done if mine is whole_heat[0] else mine[here]
            assert np.array_equal(expected, part)
        done += count
    for name in ("book", "scale", "live", "lowest", "highest", "shift"):
        assert getattr(whole_book.state, name).tobytes() == getattr(books[-1].state, name).tobytes(), name


@settings(max_examples=60)
@given(st.data(), with_profile(min_bars=3, max_bars=40), options)
def test_chunked_equals_whole_to_the_bit(data, market, options):
    known = int(np.argmax(market.open_interest > 0)) + 1
    cuts = sorted(data.draw(st.sets(st.integers(min(known, market.n_bars - 1), market.n_bars - 1), max_size=5)))
    cuts = [cut for cut in cuts if cut >= known]
    params = BookParams(**{**options, "bin_bps": 20.0}, hazard_exponent=data.draw(st.sampled_from((0.0, 0.5))))
    assert_same(reconstruct(market, FEW, params), in_chunks(market, cuts, params))


@settings(max_examples=15)
@given(with_profile(min_bars=8, max_bars=20), st.integers(0, 1))
def test_chunked_through_files_equals_whole_to_the_bit(tmp_path_factory, market, fleeting):
    known = int(np.argmax(market.open_interest > 0)) + 1
    path = tmp_path_factory.mktemp("state") / "book.npz"
    params = BookParams(bin_bps=20.0, fleeting_share=0.2 * fleeting)
    assert_same(
        reconstruct(market, FEW, params), in_chunks(market, [x for x in (known, known + 3) if x < market.n_bars], params, through=path)
    )
    assert [one.name for one in path.parent.iterdir()] == ["book.npz"]


@pytest.mark.parametrize("cuts", [[300], [289, 290, 1000, 1999], list(range(400, 2016, 97))])
@pytest.mark.parametrize("recorded", [True, False])
def test_a_week_in_chunks(week, cuts, recorded):
    """Also across the blocks in which bars are prepared, and with open interest taken from volume."""
    market = week if recorded else replace(week, open_interest=None)
    assert_same(reconstruct(market, FEW), in_chunks(market, cuts, BookParams()))


def test_a_long_run_in_chunks_that_do_not_fit_the_blocks():
    market = walk(20_000, seed=3)
    assert_same(reconstruct(market, FEW), in_chunks(market, [4095, 4096, 4097, 8200, 15_001], BookParams()))


def test_open_interest_that_a_chunk_has_not_heard_of_yet_is_the_last_known(week):
    late = chunk(week, 500, 1000)
    unheard = np.array(late.open_interest)
    unheard[:3] = np.nan
    start = reconstruct(chunk(week, 0, 500), FEW).state
    flows = build_flows(replace(late, open_interest=unheard), BookParams(), start.flows)
    np.testing.assert_array_equal(flows.open_interest[:3], week.open_interest[499])
    nothing = build_flows(replace(late, open_interest=np.full(500, np.nan)), BookParams(), start.flows)
    np.testing.assert_array_equal(nothing.open_interest, week.open_interest[499])


def test_a_state_can_be_continued_with_other_weights(week):
    start = reconstruct(chunk(week, 0, 1000), FEW).state
    other = LeverageMix.of({3.0: 5.0, 10.0: 1.0, 25.0: 1.0})
    continued, alone = reconstruct(chunk(week, 1000, 2016), other, state=start), reconstruct(week, other)
    np.testing.assert_array_equal(continued.expected_liquidations(), alone.expected_liquidations().iloc[1000:])


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(week, tmp_path_factory):
    path = tmp_path_factory.mktemp("state") / "book.npz"
    reconstruct(chunk(week, 0, 1000), FEW).state.save(path)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"symbol": "BTCUSDT"}, r"^state: is of symbol SYNUSDT, the market of BTCUSDT; continue it with the same symbol$"),
        ({"venue": "binance"}, r"^state: is of venue synthetic, the market of binance"),
        ({"interval": "1m"}, r"^state: is of interval 5m, the market of 1m"),
        (
            {"later": 1},
            r"^state: ends at 2025-01-04 11:20:00 but the market begins at 2025-01-04 11:25:00; the next",
        ),
        ({"later": -7}, r"^state: ends at 2025-01-04 11:20:00 but the market begins at 2025-01-04 10:45:00"),
    ],
)
def test_a_state_of_something_else(week, saved, change, message):
    later = change.pop("later", 0)
    market = replace(chunk(week, 1000 + later, 2016), **change)
    with pytest.raises(ConfigError, match=message):
        reconstruct(market, FEW, state=BookState.load(saved))


@pytest.mark.parametrize(
    ("mix", "params", "message"),
    [
        (FEW, BookParams(churn_share=0.4), r"^state: was made with churn_share 0.5, not 0.4; continue it with the same parameters$"),
        (FEW, BookParams(bin_bps=10.0), r"^state: was made with bin_bps 5.0, not 10.0"),
        (LeverageMix.of({3.0: 1.0, 10.0: 1.0}), BookParams(), r"^state: was made with leverages 3, 10, 25, not 3, 10; only the weights"),
    ],
)
def test_a_state_under_other_assumptions(week, saved, mix, params, message):
    with pytest.raises(ConfigError, match=message):
        reconstruct(chunk(week, 1000, 2016), mix, params, state=BookState.load(saved))


def test_a_state_under_other_brackets_or_another_open_interest(week, saved):
    state = BookState.load(saved)
    with pytest.raises(ConfigError, match=r"^state: was made with other brackets of the venue; start again"):
        reconstruct(chunk(week, 1000, 2016), FEW, state=replace(state, shift=state.shift * 1.01))
    guessed = reconstruct(replace(chunk(week, 0, 1000), open_interest=None), FEW).state
    with pytest.raises(ConfigError, match=r"^state: was made without recorded open interest, which the market has"):
        reconstruct(chunk(week, 1000, 2016), FEW, state=guessed)


def test_files_that_are_no_state(saved, tmp_path):
    path = tmp_path / "book.npz"
    with pytest.raises(DataError, match=r"book.npz: there is no such file; save a book there first$"):
        BookState.load(path)
    whole_file = saved.read_bytes()
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.save(tmp_path / "single.npy", np.zeros(3))
    for content in (b"", b"not a book", whole_file[:-100], whole_file[: len(whole_file) // 2], (tmp_path / "other.npz").read_bytes(),
                    (tmp_path / "single.npy").read_bytes()):  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"^[^\n]*book.npz: is [^\n]*; give a file that BookState.save wrote[^\n]*$"):
            BookState.load(path)


@settings(max_examples=40)
@given(st.integers(0, 10**9), st.integers(1, 255))
def test_a_flipped_byte_is_never_read_as_another_state(tmp_path_factory, saved, place, flip):
    content = bytearray(saved.read_bytes())
    content[place % len(content)] ^= flip
    path = tmp_path_factory.mktemp("flipped") / "book.npz"
    path.write_bytes(bytes(content))
    try:
        state = BookState.load(path)
    except DataError:
        return
    original = BookState.load(saved)
    for name in ("book", "scale", "live", "lowest", "highest", "shift"):
        assert getattr(state, name).tobytes() == getattr(original, name).tobytes()
    assert (state.until, state.params, state.flows.open_interest) == (original.until, original.params, original.flows.open_interest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, r"is a saved book of version 2, this liqbt reads 1; reconstruct again$"),
        ({"kind": "else"}, r"is not a saved book; give a file that BookState.save wrote$"),
        ({"params": {"churn": 1}}, r"is a damaged book, .*churn.*; reconstruct again$"),
        ({"leverage": [3.0, 10.0]}, r"is a damaged book, its parts do not fit together; reconstruct again$"),
        ({"first": 10**6}, r"is a damaged book, its parts do not fit together"),
    ],
)
def test_a_head_that_does_not_belong(saved, tmp_path, change, message):
    import json

    with np.load(saved) as held:
        parts = dict(held)
    parts["head"] = np.array(json.dumps({**json.loads(str(parts["head"])), **change}))
    np.savez(tmp_path / "book.npz", **parts)
    with pytest.raises(DataError, match=message):
        BookState.load(tmp_path / "book.npz")


def test_a_save_that_fails_leaves_the_old_state(saved, tmp_path, monkeypatch):
    path = tmp_path / "book.npz"
    path.write_bytes(saved.read_bytes())

    def full(*_args, **_kwargs):
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space left"):
        BookState.load(saved).save(path)
    assert path.read_bytes() == saved.read_bytes()
    assert [one.name for one in tmp_path.iterdir()] == ["book.npz"]


def test_nothing_is_left_of_what_was_all_liquidated():
    """To the bit, whatever was added and closed before: a rest would grow again in relation to the little that opens later."""
    market = walk(2000, seed=11)
    fallen = {name: np.r_[getattr(market, name)[:-1], 500.0] for name in ("open", "high", "low", "close")}
    quiet = np.r_[market.volume[:-1], 0.0]
    interest = np.r_[market.open_interest[:-1], market.open_interest[-2]]
    every = LeverageMix.of(dict.fromkeys((2, 3, 5, 10, 20, 30, 50, 75, 100), 1.0))
    book = reconstruct(replace(market, **fallen, volume=quiet, open_interest=interest), every)
    np.testing.assert_array_equal(book.live[-1, 0], 0.0)
    np.testing.assert_array_equal(book.swept[-1, 0], book.live[-2, 0])


# --- memory ---------------------------------------------------------------------------------------------------------


def walk(count, *, seed, start=0, price=50_000.0, interest=80_000.0):
    """Minutes of a random walk that is drawn back to where it came from, so that years of it stay in one price range."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 6e-4, count)
    log_price = np.cumsum(steps)
    log_price -= np.linspace(0, 1, count) * log_price[-1]
    close = price * np.exp(log_price)
    open_ = np.r_[price, close[:-1]]
    up, down = np.abs(rng.normal(0, 3e-4, (2, count)))
    return MarketFrame(
        venue="nowhere", symbol="WALKUSDT", interval="1m", timestamp=60_000_000_000 * (np.arange(count) + start), open=open_,
        high=np.maximum(open_, close) * np.exp(up), low=np.minimum(open_, close) * np.exp(-down), close=close,
        volume=rng.exponential(30, count), observed=np.ones(count, dtype=bool), open_interest=interest + rng.normal(0, 3, count).cumsum(),
    )  # fmt: skip


def peaks(n_chunks, size):
    """Most memory held while each chunk is reconstructed, and the size of the state after it."""
    state, held, sizes = None, [], []
    tracemalloc.start()
    try:
        for part in range(n_chunks):
            tracemalloc.reset_peak()
            state = reconstruct(walk(size, seed=part, start=part * size), FEW, state=state).state
            held.append(tracemalloc.get_traced_memory()[1])
            sizes.append(state.book.nbytes)
    finally:
        tracemalloc.stop()
    return np.array(held), np.array(sizes)


def test_memory_does_not_grow_with_history():
    held, sizes = peaks(20, 100_000)
    assert held[10:].max() < 1.02 * held[2:10].max()
    assert sizes[-1] < 1.5 * sizes[2]


@pytest.mark.slow
def test_memory_does_not_grow_over_twenty_million_bars():
    held, sizes = peaks(200, 100_000)
    assert held[100:].max() < 1.02 * held[2:100].max()
    assert sizes[100:].max() < 1.5 * sizes[:100].max()
