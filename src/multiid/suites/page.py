"""The report's page: what it shows, in order, and its template."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from multiid.suites.gallery import Framed, frame
from multiid.suites.legend import LEGEND, MetricRecord, main_metrics
from multiid.suites.outcome import Cell, SuiteOutcome
from multiid.suites.plots import MOST_LINES, plot_by_people, plot_by_setting, plot_mixing
from multiid.suites.tables import best_settings, measured_metrics, verdict_of, words

__all__ = ["render_page"]

_RANKS = ("best", "median", "worst")
_LIKENESS = ("single_sim", "hungarian", "minimum")
_SETTINGS_WORTH_A_PLOT = 3


@dataclass(frozen=True)
class _Column:
    """A metric's column; `record` is None for one that the legend does not know."""

    name: str
    record: MetricRecord | None
    judge: str

    @property
    def title(self) -> str:
        return self.record.title if self.record else self.name


@dataclass(frozen=True)
class _Entry:
    """A figure as the table shows it."""

    value: str
    interval: str
    is_best: bool
    verdict: str
    details: str


@dataclass(frozen=True)
class _Plot:
    """A plot, and what is to be seen on it in words."""

    svg: str
    caption: str
    words: str


@dataclass(frozen=True)
class _Row:
    """A setting of a case."""

    cell: Cell
    seconds: str
    entries: tuple[_Entry | None, ...]
    mixing: _Plot | None
    gallery: tuple[tuple[str, tuple[Framed, ...]], ...]


@dataclass(frozen=True)
class _Case:
    """A case with its settings; `size` says how many people there are, unless the name does."""

    name: str
    size: str
    rows: tuple[_Row, ...]
    plots: tuple[_Plot, ...]


def render_page(outcome: SuiteOutcome) -> str:
    """The report as one HTML page that needs nothing else: style, plots and pictures are inside.

    Raises:
        OutputError: when a picture of the gallery is gone or cannot be read.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("multiid.suites", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    columns = [_column(outcome, name) for name in measured_metrics(outcome.cells)]
    by_people = list(_plots_by_people(outcome))
    cases = list(_cases(outcome, columns, plots_wanted=not by_people))
    rows = [row for case in cases for row in case.rows]
    shown: dict[str, Any] = {
        "outcome": outcome,
        "columns": columns,
        "plots": by_people,
        "cases": cases,
        "has_truth": any(row.cell.truth for row in rows),
        "has_changes": any(row.cell.changes for row in rows),
        "has_mixing": any(row.mixing for row in rows),
        "has_pictures": any(row.gallery for row in rows),
    }
    return environment.get_template("report.html").render(shown)


def _column(outcome: SuiteOutcome, name: str) -> _Column:
    record = LEGEND.get(name)
    judge = outcome.made_with.get(name) or (outcome.made_with.get(record.judge, "") if record else "")
    return _Column(name, record, judge)


def _cases(outcome: SuiteOutcome, columns: Sequence[_Column], *, plots_wanted: bool) -> Iterator[_Case]:
    pictures = sum(len(getattr(cell, rank)) for cell in outcome.cells for rank in _RANKS)
    for name in dict.fromkeys(cell.case for cell in outcome.cells):
        cells = [cell for cell in outcome.cells if cell.case == name]
        best = {column.name: best_settings(outcome, name, column.name) for column in columns}
        rows = [
            _Row(
                cell,
                words(cell.seconds, digits=1),
                tuple(
                    _entry(cell, column, first=cells[0], is_best=cell.setting in best[column.name])
                    for column in columns
                ),
                _mixing(cell),
                _gallery(cell, pictures),
            )
            for cell in cells
        ]
        wanted = plots_wanted or len(cells) >= _SETTINGS_WORTH_A_PLOT
        people = cells[0].people
        size = "" if str(people) in name else "1 person" if people == 1 else f"{people} people"
        yield _Case(name, size, tuple(rows), tuple(_plots_by_setting(cells)) if wanted else ())


def _entry(cell: Cell, column: _Column, *, first: Cell, is_best: bool) -> _Entry | None:
    if column.name not in cell.figures:
        return None
    figure = cell.figures[column.name]
    known = math.isfinite(figure.low) and math.isfinite(figure.high)
    interval = f"{words(figure.low)} to {words(figure.high)}" if known else ""
    details = [f"{column.title} {words(figure.value)}"]
    details += [f"95 % interval {interval}" if known else "interval unknown"]
    details += [f"measured on {figure.count} pictures" + (f", not on {figure.missing}" if figure.missing else "")]
    if column.name in cell.changes:
        change = cell.changes[column.name]
        span = f" ({words(change.low)} to {words(change.high)})" if math.isfinite(change.low) else ""
        details.append(f"difference to {first.setting} {change.value:+.3f}{span}")
    verdict = verdict_of(cell, column.name)
    return _Entry(words(figure.value), interval, is_best, verdict, "; ".join(details))


def _plots_by_people(outcome: SuiteOutcome) -> Iterator[_Plot]:
    for metric in _plotted(outcome.cells):
        # One case for each setting and number of people: the first, which is the plain one.
        chosen: dict[tuple[str, int], Cell] = {}
        for cell in outcome.cells:
            if _has(cell, metric):
                chosen.setdefault((cell.setting, cell.people), cell)
        settings = [setting for setting, _ in chosen]
        several = [setting for setting in dict.fromkeys(settings) if settings.count(setting) > 1][:MOST_LINES]
        cells = [cell for (setting, _), cell in chosen.items() if setting in several]
        if cells:
            title = _title(metric)
            yield _Plot(
                plot_by_people(cells, metric),
                f"{title} by number of people. Bars: 95 % intervals.",
                f"{title} by number of people: "
                + "; ".join(
                    f"{setting}: "
                    + ", ".join(
                        f"{words(cell.figures[metric].value)} with {cell.people}"
                        for cell in cells
                        if cell.setting == setting
                    )
                    for setting in several
                ),
            )


def _plots_by_setting(cells: Sequence[Cell]) -> Iterator[_Plot]:
    for metric in _plotted(cells):
        own = [cell for cell in cells if _has(cell, metric)]
        title = _title(metric)
        yield _Plot(
            plot_by_setting(own, metric),
            f"{title}, {cells[0].case}. Bars: 95 % intervals; the line is the first setting's value.",
            f"{title}: " + ", ".join(f"{words(cell.figures[metric].value)} {cell.setting}" for cell in own),
        )


def _gallery(cell: Cell, pictures: int) -> tuple[tuple[str, tuple[Framed, ...]], ...]:
    """The pictures of each rank that has some."""
    ranks = ((rank, getattr(cell, rank)) for rank in _RANKS)
    return tuple((rank, tuple(frame(one, pictures=pictures) for one in shown)) for rank, shown in ranks if shown)


def _mixing(cell: Cell) -> _Plot | None:
    if cell.people < 2:
        return None
    rows = (" ".join(words(float(cosine), digits=2) for cosine in row) for row in cell.mixing)
    return _Plot(plot_mixing(cell), cell.setting, f"Mixing matrix, {cell.case}, {cell.setting}: {'; '.join(rows)}")


def _plotted(cells: Sequence[Cell]) -> list[str]:
    """The metrics that get plots: the headline figure, and one of likeness."""
    measured = measured_metrics(cells)
    likeness = [name for name in _LIKENESS if name in measured]
    return list(dict.fromkeys([*main_metrics(measured, most=1), *likeness[:1]]))


def _has(cell: Cell, metric: str) -> bool:
    return metric in cell.figures and math.isfinite(cell.figures[metric].value)


def _title(metric: str) -> str:
    return LEGEND[metric].title if metric in LEGEND else metric
