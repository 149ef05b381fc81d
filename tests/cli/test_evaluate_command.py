"""`liqbt evaluate` from the outside."""

import tomllib

import pandas as pd
import pytest
from command import refused, run

from liqbt.evaluation.results import VERDICT_COLUMNS


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluated")
    out = folder / "verdicts.html"
    done = run("evaluate", "gravity", "sweep_reversal", "--dataset", "synthetic-90d", "--draws", "200", "--seed", "3", "--out", out)
    return folder, done


def test_verdicts_are_printed_and_written(evaluated):
    folder, done = evaluated
    assert done.code == 0, done.err
    assert "not enough data" in done.out or "does not hold" in done.out
    assert "sweep_reversal_24h" in done.out
    table = pd.read_csv(folder / "verdicts.verdicts.csv")
    assert list(table) == list(VERDICT_COLUMNS)
    assert table["hypothesis"].tolist() == ["gravity", "sweep_reversal_1h", "sweep_reversal_4h", "sweep_reversal_24h"]
    assert {"placebo_levels", "equal_moves"} < set(pd.read_csv(folder / "verdicts.controls.csv")["control"])
    page = (folder / "verdicts.html").read_text("utf-8")
    assert "price touches the dominant hot zone before the mirror level" in page
    assert 'id="effects"' in page
    assert "No verdict." not in page


def test_the_record_gives_the_same_again(evaluated):
    folder, _ = evaluated
    record = folder / "verdicts.html.run.toml"
    asked = tomllib.loads(record.read_text("utf-8"))["evaluation"]
    assert (asked["hypotheses"], asked["draws"], asked["seed"]) == (["gravity", "sweep_reversal"], 200, 3)
    again = run("evaluate", "--config", str(record), "--json")
    assert again.code == 0, again.err
    document = again.json
    written = pd.read_csv(folder / "verdicts.verdicts.csv")
    for row, told in zip(written.to_dict("records"), document["verdicts"], strict=True):
        assert told["hypothesis"] == row["hypothesis"]
        assert told["effect"] == pytest.approx(row["effect"])
        assert told["p_bootstrap"] == pytest.approx(row["p_bootstrap"])
    assert document["seed"] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("gravty",), "there is no 'gravty'; did you mean 'gravity'?"),
        (("gravity", "--draws", "5"), "draws: 5 must be at least 100"),
        (("gravity", "--tuned-until", "2030-01-01"), "tuned_until: '2030-01-01' and a day after it leave nothing"),
        (("gravity", "--tuned-until", "soon"), "tuned_until: 'soon' is not a date"),
    ],
)
def test_what_cannot_be_asked(options, message):
    refused("evaluate", *options, "--dataset", "synthetic-90d", says=message)
