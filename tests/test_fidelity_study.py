"""The fidelity study as a whole: tables, files, pictures, and the figures that the matched model must reach."""

import json
from dataclasses import replace

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from fidelity_markets import small

from liqbt.errors import ConfigError
from liqbt.fidelity import MEASURES, ChanceSettings, fidelity_cases, fidelity_study, true_and_reconstructed
from liqbt.report.fidelity_files import study_document, study_markdown, write_study
from liqbt.report.fidelity_png import write_bars_png, write_cases_png, write_reliability_png, write_true_map_png

CHANCE = ChanceSettings(markets=3, markets_elsewhere=1, n_mixes=20, warmup_days=2)
CASES = small("matched", "bars-30m", "equal-mix", "distance-only")


def study(workers=1, progress=None, **options):
    given = {"seeds": (2, 1), "days": 3, "chance": CHANCE, "workers": workers, "progress": progress} | options
    return fidelity_study(CASES, **given)


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def done(told):
    return study(progress=lambda share, what: told.append((share, what)))


def test_one_row_a_case_and_seed(done):
    frame = done.to_frame()
    assert list(zip(frame["case"], frame["seed"], strict=True)) == [(case.name, seed) for case in CASES for seed in (2, 1)]
    rows = done.snapshots[(done.snapshots["case"] == "equal-mix") & (done.snapshots["seed"] == 1)]
    counted = rows[rows["explained_share"] >= 0.9]
    assert 0 < len(counted) < len(rows)
    row = frame[(frame["case"] == "equal-mix") & (frame["seed"] == 1)].iloc[0]
    assert row["maps"] == len(counted)
    assert row[list(MEASURES)].tolist() == pytest.approx(counted[list(MEASURES)].mean().tolist())


def test_the_summary_goes_over_seeds(done):
    frame, summary = done.to_frame(), done.summary()
    assert summary.index.tolist() == [one.name for one in CASES]
    for name, group in frame.groupby("case"):
        row = summary.loc[name]
        assert row["precision"] == pytest.approx(group["precision"].mean())
        assert (row["precision_min"], row["precision_max"]) == (group["precision"].min(), group["precision"].max())
    order = summary["rank_correlation"]
    assert order["matched"] > order["equal-mix"]
    assert order["matched"] > order["distance-only"]
    assert np.isnan(summary.loc["distance-only", "chance_error"])


def test_agreement_by_how_much_is_explained(done):
    bands = done.warm_up()
    assert bands["maps"].sum() == 2 * 2 * 72
    assert bands.index.is_monotonic_increasing
    assert bands.loc[0.9, "rank_correlation"] > bands.loc[0.0, "rank_correlation"] + 0.2
    with pytest.raises(ConfigError, match="case: 'match' was not compared; did you mean 'matched'"):
        done.warm_up("match")


def test_probability_maps_are_tested_on_markets_of_their_own(done):
    frame = done.chance_frame().set_index(["case", "measure"])
    assert frame.loc["matched", "markets"].tolist() == [3, 3, 3]
    assert frame.loc["bars-30m", "markets"].tolist() == [1, 1, 1]
    assert "distance-only" not in frame.index
    assert done.summary().loc["matched", "chance_error"] == frame.loc[("matched", "share"), "error"]
    assert frame.loc[("matched", "share"), "error"] != frame.loc[("matched", "notional"), "error"]
    assert study(chance=ChanceSettings(markets=0)).chances == ()


def test_progress_goes_to_the_end(done, told):
    assert done is not None
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert {what for _, what in told} == {"markets", "probability maps"}


def test_any_number_of_workers_gives_the_same():
    done, other = (fidelity_study(CASES[:2], seeds=(2, 1), days=3, chance=CHANCE, workers=count) for count in (1, 2))
    pd.testing.assert_frame_equal(other.snapshots, done.snapshots, check_exact=True)
    for one, another in zip(done.chances, other.chances, strict=True):
        assert one.curve.to_frame().equals(another.curve.to_frame())
        assert one.noise.tobytes() == another.noise.tobytes()


def test_files(done, tmp_path):
    paths = write_study(tmp_path, done, {"made": "here"})
    assert pd.read_csv(paths["fidelity.csv"])["case"].tolist() == done.to_frame()["case"].tolist()
    curves = pd.read_csv(paths["reliability.csv"])
    assert set(curves["case"]) == {"matched", "bars-30m", "equal-mix"}
    document = json.loads(paths["fidelity.json"].read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert document["provenance"] == {"made": "here"}
    assert document["cases"][3]["chance_error"] is None
    assert document == json.loads(json.dumps(study_document(done))) | {"provenance": {"made": "here"}}
    text = study_markdown(done)
    assert paths["fidelity.md"].read_text(encoding="utf-8") == text
    row = done.summary().loc["matched"]
    assert f"| matched | {CASES[0].differs} | {row['rank_correlation']:.3f} (" in text
    assert [line.count("|") for line in text.splitlines() if line.startswith("| matched")] == [9, 6, 6, 6]


def test_pictures(done, tmp_path):
    written = [
        write_cases_png(tmp_path / "cases.png", done, dpi=60),
        write_reliability_png(tmp_path / "chance.png", done, dpi=60),
        write_bars_png(tmp_path / "bars.png", done, dpi=60),
        write_true_map_png(tmp_path / "maps.png", true_and_reconstructed(CASES[0], seed=1, days=3), dpi=60),
    ]
    for path in written:
        image = matplotlib.image.imread(path)
        assert min(image.shape[:2]) > 150
        assert np.unique(image.reshape(-1, image.shape[2]), axis=0).shape[0] > 20, path
    before = written[0].read_bytes()
    assert write_cases_png(tmp_path / "again.png", done, dpi=60).read_bytes() == before


def test_the_interactive_figure_has_a_dot_a_seed(done):
    figure = done.figure()
    dots = sum(len(trace.x) for trace in figure.data)
    assert dots == 3 * len(CASES) * 2
    assert set(figure.data[0].y) == {"matched"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"seeds": ()}, "cases and seeds: give at least one"),
        ({"seeds": (1, 1)}, "has one twice"),
        ({"days": 0}, "days and workers: 0 and 1"),
        ({"workers": 0}, "days and workers: 3 and 0"),
        ({"min_explained_share": 1.0}, r"min_explained_share: 1\.0"),
    ],
)
def test_what_cannot_be_studied(change, says):
    with pytest.raises(ConfigError, match=says):
        study(**change)


def test_two_cases_of_one_name():
    with pytest.raises(ConfigError, match="cases: two are called 'matched'"):
        fidelity_study((CASES[0], CASES[0]), seeds=(1,))


def test_too_few_days_to_see_anything():
    with pytest.raises(ConfigError, match=r"days: in 1 days no snapshot has 0\.9"):
        fidelity_study(CASES[:1], seeds=(1,), days=1, chance=ChanceSettings(markets=0))


@pytest.mark.slow
def test_the_matched_model_reaches_what_was_asked():
    """The published figures are means of five such markets; this is the first of them."""
    cases = {one.name: one for one in fidelity_cases()}
    chosen = tuple(cases[name] for name in ("matched", "distance-only"))
    summary = fidelity_study(chosen, seeds=(101,), days=14, chance=ChanceSettings(markets=0)).summary()
    matched = summary.loc["matched"]
    assert matched["rank_correlation"] >= 0.95
    assert matched["precision"] >= 0.8
    assert matched["recall"] >= 0.8
    assert summary.loc["distance-only", "rank_correlation"] < 0.7


@pytest.mark.slow
def test_the_probability_map_of_the_matched_model_is_calibrated():
    """On a quarter of the published markets; so few leave the curve this much room."""
    settings = ChanceSettings(markets=25)
    matched = replace(fidelity_cases()[0])
    chances = {one.measure: one for one in fidelity_study((matched,), seeds=(101,), days=4, chance=settings).chances}
    for measure in ("share", "times_median"):
        curve, noise = chances[measure].curve, chances[measure].noise
        assert curve.error < 0.03
        assert (np.abs(curve.predicted - curve.observed) < 0.05 + 2 * noise).all()
