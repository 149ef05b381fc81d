"""What the documents show must work as shown."""

import re
from pathlib import Path

import pytest
from reading import read_one

from liqbt.run import RunConfig

ROOT = Path(__file__).parents[1]


def test_the_mapping_with_every_option_reads_such_a_file(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("Date;Open;High;Low;Close;Volume\n2026-01-01 00:00;1;3;1;2;10\n2026-01-01 00:15;2;2;1;1;0\n", encoding="utf-8")
    recording = read_one(path, reader="generic_csv", mapping=ROOT / "examples" / "mapping.toml")
    assert (recording.table, recording.interval, recording.rows["high"].to_list()) == ("bars", "15m", [3.0, 2.0])


def test_the_configuration_in_the_readme_is_one():
    import tomllib

    shown = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert len(shown) == 1
    config = RunConfig.of(tomllib.loads(shown[0]), "README.md")
    assert [one.result_name for one in config.strategies] == ["patient", "hasty"]


def test_the_notebook_in_the_readme_runs(tmp_path, monkeypatch, week):
    """As printed, with the synthetic week in place of the store and a temporary folder to write to."""
    import liqbt as lb

    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    loaded = []
    monkeypatch.setitem(vars(lb), "load_market", lambda *_, **given: loaded.append(given) or week)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102 - our own README
    assert loaded == [{"venue": "binance", "symbol": "SOLUSDT", "interval": "5m", "start": "2026-01-01"}]
    assert (tmp_path / "out" / "report.html").is_file()
    assert names["score"].stats["Leverage"] == 3.0


@pytest.mark.parametrize("target", ["make demo", "make test"])
def test_the_readme_names_the_two_commands_and_make_knows_them(target):
    assert target in (ROOT / "README.md").read_text("utf-8")
    assert re.search(rf"^{target.split()[1]}:", (ROOT / "Makefile").read_text("utf-8"), re.M)
