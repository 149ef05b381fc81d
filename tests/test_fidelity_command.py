"""`liqbt fidelity`: the study from the command line."""

import pandas as pd
import pytest
from command import refused, run

SMALL = ("--seeds", "1", "--days", "3", "--markets", "1", "--arrivals", "200", "--workers", "1")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fidelity")
    return folder, run("fidelity", *SMALL, "--case", "matched", "--case", "bars-1h", "--out", folder, "--json")


def test_a_document_for_machines(made):
    folder, done = made
    assert done.code == 0, done.err
    document = done.json
    assert document["synthetic"] is True
    assert document["seeds"] == [101]
    assert [one["case"] for one in document["cases"]] == ["matched", "bars-1h"]
    assert {folder / name for name in document["written"]} == set(folder.iterdir())
    assert 0.3 < document["cases"][0]["rank_correlation"] <= 1


def test_what_is_written_is_what_was_printed(made):
    folder, done = made
    frame = pd.read_csv(folder / "fidelity.csv")
    assert frame["rank_correlation"].tolist() == pytest.approx([one["rank_correlation"] for one in done.json["by_seed"]])


def test_a_table_for_people(tmp_path):
    done = run("fidelity", *SMALL, "--markets", "0", "--case", "matched", "--out", tmp_path)
    assert done.code == 0, done.err
    assert "rank correlation" in done.out
    assert "matched" in done.out
    assert "fidelity-maps.png" in done.out
    assert not (tmp_path / "fidelity-bars.png").exists()
    assert not (tmp_path / "fidelity-reliability.png").exists()


def test_mistakes():
    refused("fidelity", "--case", "mached", says="--case: 'mached' is no case; did you mean 'matched'?")
    refused("fidelity", "--seeds", "0", says="cases and seeds: give at least one")
    refused("fidelity", "--arrivals", "-1", says="arrivals_per_hour: -1")
