"""Finding strategies by name and by file, and telling users what is wrong with theirs."""

import hashlib
import inspect

import pytest

from liqbt.book.reconstruct import reconstruct
from liqbt.errors import ConfigError
from liqbt.features import build_features
from liqbt.signals import Signals
from liqbt.strategy import Strategy, ask_signals, load_strategy, shipped_strategies, source_sha256, strategy_variants

HEAD = """\
from dataclasses import dataclass
from liqbt.signals import Signals

"""
DATACLASS = "@dataclass(frozen=True, kw_only=True)\n"
BODY = """\
    def signals(self, market, features):
        return Signals.of(market, entry=0, name="mine", parameters=vars(self))
"""
FIELDS = "    size: int = 2\n    share: float = 0.5\n    label: str = 'a'\n    on: bool = True\n"
MINE = HEAD + DATACLASS + "class Mine:\n" + FIELDS + BODY


def written(folder, text, name="mine.py"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


SHIPPED = [
    "breakout", "buy_and_hold", "confluence", "distance_gravity", "fade_moves", "gravity", "random_entries", "sweep_continuation",
    "sweep_reversal", "zone_levels",
]  # fmt: skip


def refused(path, message, **parameters):
    with pytest.raises(ConfigError, match=message) as caught:
        load_strategy(path, **parameters)
    assert "\n" not in str(caught.value)


def test_shipped_strategies_load_by_name_with_their_defaults():
    assert sorted(shipped_strategies()) == SHIPPED
    for name in shipped_strategies():
        strategy = load_strategy(name)
        assert isinstance(strategy, Strategy)
        assert all(parameter.default is not inspect.Parameter.empty for parameter in inspect.signature(type(strategy)).parameters.values())


@pytest.mark.parametrize("given_", [0.7, "0.7", "7e-1", " 0.7 "])
def test_parameters_are_set_and_converted(given_):
    assert load_strategy("gravity", threshold=given_).threshold == 0.7


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [("size", "3", 3), ("size", "3.0", 3), ("share", "1", 1.0), ("label", 5, "5"), ("on", "False", False), ("on", "true", True)],
)
def test_text_becomes_the_type_of_the_parameter(tmp_path, parameter, text, value):
    found = getattr(load_strategy(written(tmp_path, MINE), **{parameter: text}), parameter)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("source", ["from __future__ import annotations\n" + MINE, MINE], ids=["postponed", "plain"])
def test_annotations_may_be_postponed(tmp_path, source):
    assert load_strategy(written(tmp_path, source), size="3").size == 3


@pytest.mark.parametrize(
    ("parameter", "value", "kind"),
    [
        ("size", "2.5", "a whole number"),
        ("size", "many", "a whole number"),
        ("size", "inf", "a whole number"),
        ("share", "half", "a finite number"),
        ("share", "inf", "a finite number"),
        ("share", "nan", "a finite number"),
        ("share", None, "a finite number"),
        ("on", "yes", "true or false"),
        ("on", 2, "true or false"),
    ],
)
def test_values_of_the_wrong_type(tmp_path, parameter, value, kind):
    refused(written(tmp_path, MINE), rf"^mine: {parameter}: {value!r} is not {kind}$", **{parameter: value})


def test_unknown_parameters():
    refused("gravity", r"^gravity: it has no parameter 'treshold'; did you mean 'threshold'\?$", treshold=0.7)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gravty", r"'gravty' is neither shipped nor the path of a .py file; did you mean 'gravity'\?"),
        ("momentum-xyz", f"known: {', '.join(SHIPPED)}"),
        ("", r"'' is neither shipped nor"),
        ("nowhere/mine.py", r"there is no file 'nowhere/mine.py'; check the path, or use one of breakout, buy_and_hold"),
    ],
)
def test_strategies_that_do_not_exist(name, message):
    refused(name, message)


def test_a_folder_is_no_strategy(tmp_path):
    (tmp_path / "mine.py").mkdir()
    refused(tmp_path / "mine.py", r"there is no file")


def test_a_syntax_error_is_told_with_its_line(tmp_path):
    path = written(tmp_path, "x = 1\ndef (:\n")
    refused(path, r"mine\.py:2: invalid syntax$")


def test_an_exception_while_loading_is_told_with_its_line(tmp_path):
    source = "x = 1\n\ndef inner():\n    return {}['gone']\n\ninner()\n"
    refused(written(tmp_path, source), r"mine\.py:4: KeyError: 'gone'$")


@pytest.mark.parametrize("name", ["mine.py", "./mine.py"])
def test_the_line_is_told_for_relative_paths_too(tmp_path, monkeypatch, name):
    written(tmp_path, "x = 1\nraise RuntimeError('boom')\n")
    monkeypatch.chdir(tmp_path)
    refused(name, r"mine\.py:2: RuntimeError: boom$")


def test_a_file_must_hold_one_dataclass_with_signals(tmp_path):
    refused(
        written(tmp_path, "x = 1\n"), r"mine\.py: it must define exactly one class with a signals\(market, features\) method, found none"
    )
    two = MINE + "\n\n" + DATACLASS + "class Other:\n" + BODY
    refused(written(tmp_path, two), r"found Mine, Other$")
    refused(
        written(tmp_path, HEAD + "class Mine:\n" + BODY), r"class Mine must be a dataclass; put @dataclass\(frozen=True, kw_only=True\)"
    )


def test_what_a_file_imports_is_not_its_strategy(tmp_path):
    source = "from liqbt.strategies.gravity import Gravity\nfrom liqbt.strategy import Strategy\n" + MINE
    assert type(load_strategy(written(tmp_path, source))).__name__ == "Mine"


@pytest.mark.parametrize(
    ("source", "parameters"),
    [
        pytest.param(HEAD + DATACLASS + "class Mine:\n    size: int\n" + BODY, {}, id="parameter without default"),
        pytest.param(
            "from __future__ import annotations\n" + HEAD + DATACLASS + "class Mine:\n    size: itn = 2\n" + BODY,
            {},
            id="unknown annotation",
        ),
        pytest.param(
            HEAD + DATACLASS + "class Mine:\n    size: int = 2\n\n    def __post_init__(self):\n        raise ValueError('no')\n" + BODY,
            {"size": 3},
            id="ValueError of its own check",
        ),
        pytest.param("import sys\nsys.exit(0)\n", {}, id="leaves the program"),
    ],
)
def test_other_mistakes_in_a_users_file(tmp_path, source, parameters):
    with pytest.raises(ConfigError, match=r"mine"):
        load_strategy(written(tmp_path, source), **parameters)


def test_a_parameter_may_be_left_empty(tmp_path):
    path = written(tmp_path, HEAD + DATACLASS + "class Mine:\n    size: float | None = None\n" + BODY)
    assert [load_strategy(path, size=value).size for value in ("1.5", 2, None)] == [1.5, 2.0, None]
    refused(path, r"mine: size: 'big' is not a finite number", size="big")


def asked(tmp_path, market, body):
    return ask_signals(
        load_strategy(written(tmp_path, HEAD + DATACLASS + "class Mine:\n    def signals(self, market, features):\n" + body)), market, None
    )


def test_what_goes_wrong_in_a_users_signals_is_told_with_its_line(tmp_path, week):
    with pytest.raises(ConfigError, match=r"mine\.py:7: TypeError: 'NoneType'"):
        asked(tmp_path, week, "        return features['gone']\n")
    with pytest.raises(ConfigError, match=r"mine\.py: signals\(\) gave int, not Signals"):
        asked(tmp_path, week, "        return 1\n")
    with pytest.raises(ConfigError, match=r"^unnamed: entry has shape"):
        asked(tmp_path, week, "        return Signals.of(market, entry=[1, 0])\n")
    assert isinstance(asked(tmp_path, week, "        return Signals.of(market, entry=1)\n"), Signals)


@pytest.mark.parametrize("name", ["gravity", "sweep_reversal"])
def test_a_copied_and_changed_file_runs(tmp_path, week, name):
    source = shipped_strategies()[name].read_text(encoding="utf-8")
    changed = source.replace("max_hours: float = 24.0", "max_hours: float = 6.0").replace(f'name="{name}"', 'name="copied"')
    assert changed != source
    copy = load_strategy(written(tmp_path, changed, "copied.py"))
    features = build_features(reconstruct(week))
    given_, theirs = (one.signals(week, features) for one in (copy, load_strategy(name, max_hours=6)))
    assert given_.name == "copied"
    assert given_.entry.tolist() == theirs.entry.tolist()
    assert given_.max_bars.tolist() == theirs.max_bars.tolist()
    assert given_.entry.any()


def test_files_called_alike_in_two_folders_stay_apart(tmp_path):
    loaded = []
    for folder, extra in (("a", ""), ("b", "# changed\n")):
        (tmp_path / folder).mkdir()
        path = written(tmp_path / folder, MINE + extra)
        loaded.append((load_strategy(path), hashlib.sha256(path.read_bytes()).hexdigest()))
    assert loaded[0][1] != loaded[1][1]
    assert [source_sha256(strategy) for strategy, _ in loaded] == [digest for _, digest in loaded]


def test_variants_are_all_combinations_the_last_changing_fastest():
    found = [(one.threshold, one.max_hours) for one in strategy_variants("gravity", threshold=[0.6, "0.7"], max_hours=(6, 12))]
    assert found == [(0.6, 6), (0.6, 12), (0.7, 6), (0.7, 12)]
    with pytest.raises(ConfigError, match="it has no parameter 'treshold'"):
        list(strategy_variants("gravity", treshold=[0.6]))
