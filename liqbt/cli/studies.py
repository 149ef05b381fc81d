"""Commands that study liqbt itself, on markets whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from liqbt.cli.output import print_json, print_paths, print_table, progress_bar, say
from liqbt.cli.settings import Json

if TYPE_CHECKING:
    from liqbt.fidelity import FidelityCase, FidelityStudy

__all__ = ["fidelity"]

_QUICK_SEEDS, _QUICK_DAYS, _QUICK_MARKETS = 1, 5, 4


def fidelity(
    seeds: Annotated[int, typer.Option(help="How many markets of each case.")] = 5,
    first_seed: Annotated[int, typer.Option(help="Seed of the first; the others follow.")] = 101,
    days: Annotated[int, typer.Option(help="Recorded days of each market.")] = 14,
    markets: Annotated[int, typer.Option(help="Markets on which the probability map is tested; 0 leaves it out.")] = 100,
    arrivals: Annotated[float, typer.Option(help="Positions opened in an hour of the matched market.")] = 20_000.0,
    case: Annotated[
        list[str] | None, typer.Option("--case", help="Only this case; may be repeated.  [default: all]", show_default=False)
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes; each takes up to 3 GB at 14 days.")] = 2,
    quick: Annotated[bool, typer.Option("--quick", help="One seed, five days, few markets: a look, not a measurement.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for tables (CSV, JSON, Markdown) and pictures.")] = Path("out/fidelity"),
    as_json: Json = False,
) -> None:
    """Hold reconstructed maps against true ones, on synthetic markets that do what the book assumes, and on others that do not."""
    from liqbt.fidelity import ChanceSettings, fidelity_study, true_and_reconstructed
    from liqbt.report.fidelity_files import write_study
    from liqbt.report.fidelity_png import write_true_map_png

    if quick:
        seeds, days, markets = _QUICK_SEEDS, _QUICK_DAYS, min(markets, _QUICK_MARKETS)
    cases = _chosen(arrivals, case)
    with progress_bar(as_json) as tell:
        study = fidelity_study(
            cases, seeds=range(first_seed, first_seed + seeds), days=days, chance=replace(ChanceSettings(), markets=markets),
            workers=workers, progress=lambda share, what: tell(0.97 * share, what),
        )  # fmt: skip
        tell(0.97, "pictures")
        paths = {name: str(path) for name, path in write_study(out, study, _described(study, arrivals, markets)).items()}
        paths |= _draw(study, out)
        example = true_and_reconstructed(cases[0], seed=first_seed, days=days)
        paths["fidelity-maps.png"] = str(write_true_map_png(out / "fidelity-maps.png", example))
    _finish(study, paths, as_json)


def _chosen(arrivals: float, names: list[str] | None) -> tuple[FidelityCase, ...]:
    from liqbt.errors import ConfigError, did_you_mean
    from liqbt.fidelity import fidelity_cases

    cases = {one.name: one for one in fidelity_cases(arrivals)}
    for name in names or ():
        if name not in cases:
            raise ConfigError(f"--case: {name!r} is no case{did_you_mean(name, cases)}")
    return tuple(cases.values()) if names is None else tuple(cases[name] for name in dict.fromkeys(names))


def _described(study: FidelityStudy, arrivals: float, markets: int) -> dict[str, Any]:
    from liqbt.report.provenance import versions

    return {"arrivals_per_hour": arrivals, "markets": markets, "seeds": list(study.seeds), "versions": versions()}


def _draw(study: FidelityStudy, out: Path) -> dict[str, str]:
    from liqbt.report.fidelity_png import write_bars_png, write_cases_png, write_reliability_png

    paths = {"fidelity.png": str(write_cases_png(out / "fidelity.png", study))}
    if study.chances:
        first = study.chances[0].case
        paths["fidelity-reliability.png"] = str(write_reliability_png(out / "fidelity-reliability.png", study, case=first))
    if len({one.interval for one in study.cases}) > 1:
        paths["fidelity-bars.png"] = str(write_bars_png(out / "fidelity-bars.png", study))
    return paths


def _finish(study: FidelityStudy, paths: dict[str, str], as_json: bool) -> None:
    from liqbt.report.fidelity_files import STUDY_HEADER, study_document, study_rows

    if as_json:
        print_json(study_document(study) | {"synthetic": True, "written": paths})
        return
    title = f"Synthetic markets, {len(study.seeds)} of {study.days} days; means over hourly maps and both sides, range over seeds"
    print_table(title, STUDY_HEADER, study_rows(study))
    say("precision and recall: of the hottest 5 % of price levels; chance: distance of the reliability curve from the diagonal")
    print_paths(paths)
