"""An outcome's figures as text: JSON and CSV for programs, Markdown for documents, a table for the terminal."""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from multiid.suites.legend import LEGEND, main_metrics
from multiid.suites.outcome import Cell, Example, Figure, SuiteOutcome
from multiid.suites.statistics import Verdict, judge

__all__ = ["best_settings", "main_table", "measured_metrics", "to_csv", "to_json", "to_markdown", "verdict_of", "words"]

_FORMAT = "multiid-metrics-1"
_DIGITS = 6  # in files
_SHOWN_DIGITS = 3
_WIDEST = 3  # metrics on the terminal
_NONE = "-"
_MARKS: Mapping[Verdict, str] = {"better": "+", "worse": "-", "unclear": " "}


def measured_metrics(cells: Iterable[Cell]) -> tuple[str, ...]:
    """Every metric that some cell has, in the legend's order; such as it does not know come last."""
    present = dict.fromkeys(name for cell in cells for name in cell.figures)
    return (*(name for name in LEGEND if name in present), *(name for name in present if name not in LEGEND))


def best_settings(outcome: SuiteOutcome, case: str, metric: str) -> frozenset[str]:
    """Settings of a case with its best value of a metric; none where there is nothing to choose between.

    True renders do not compete.
    """
    made = [cell for cell in outcome.cells if cell.case == case and not cell.truth]
    values = {cell.setting: _shown(cell, metric) for cell in made}
    known = {setting: value for setting, value in values.items() if value is not None}
    if metric not in LEGEND or len(set(known.values())) < 2:
        return frozenset()
    best = (max if LEGEND[metric].better == "more" else min)(known.values())
    return frozenset(setting for setting, value in known.items() if value == best)


def verdict_of(cell: Cell, metric: str) -> Verdict:
    """Whether a setting is better or worse than the first one of its case."""
    if metric not in LEGEND or metric not in cell.changes:
        return "unclear"
    return judge(cell.changes[metric], better=LEGEND[metric].better)


def words(number: float, *, digits: int = _SHOWN_DIGITS) -> str:
    """A number as it is shown; "-" for one that is not known."""
    return f"{number:.{digits}f}" if math.isfinite(number) else _NONE


def to_json(outcome: SuiteOutcome) -> str:
    """Everything of the outcome but its pictures, which are named only; null for what is not known."""
    document = {
        "format": _FORMAT,
        "suite": outcome.suite,
        "title": outcome.title,
        "about": outcome.about,
        "size": outcome.size,
        "command": outcome.command,
        "made_with": dict(outcome.made_with),
        "notes": list(outcome.notes),
        "metrics": {name: _metric(name) for name in measured_metrics(outcome.cells)},
        "cells": [_cell(cell) for cell in outcome.cells],
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(outcome: SuiteOutcome) -> str:
    """One row for each case, setting and metric; empty for what is not known."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("case", "setting", "people", "pictures", "metric", "value", "low", "high", "count"))
    for cell in outcome.cells:
        for metric, figure in cell.figures.items():
            numbers = (_plain(figure.value), _plain(figure.low), _plain(figure.high), figure.count)
            writer.writerow((cell.case, cell.setting, cell.people, cell.pictures, metric, *numbers))
    return text.getvalue()


def to_markdown(outcome: SuiteOutcome) -> str:
    """The figures as a table in Markdown, with the command that makes them and who judged."""
    metrics = measured_metrics(outcome.cells)
    head = ["Case", "People", "Setting", "Pictures", *(_titled(name) for name in metrics)]
    rows = [
        [cell.case, str(cell.people), cell.setting, str(cell.pictures), *(_interval(cell, name) for name in metrics)]
        for cell in outcome.cells
    ]
    made = ", ".join(f"{what}: {name}" for what, name in outcome.made_with.items())
    parts = [
        f"What `{outcome.command}` wrote.",
        f"Means over pictures; in brackets their 95 % intervals by bootstrap over groups. Made with {_escaped(made)}.",
        *(_escaped(note) for note in outcome.notes),
        "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in [head, ["---"] * len(head), *rows]),
    ]
    return "\n\n".join(parts) + "\n"


def main_table(outcome: SuiteOutcome) -> str:
    """The main figures as a table for the terminal."""
    metrics = main_metrics(measured_metrics(outcome.cells), most=_WIDEST)
    head = ["case", "setting", "people", "pictures", *(_titled(name) for name in metrics)]
    rows = [
        [
            cell.case,
            cell.setting,
            str(cell.people),
            str(cell.pictures),
            *(_interval(cell, name) + f" {_MARKS[verdict_of(cell, name)]}".rstrip() for name in metrics),
        ]
        for cell in outcome.cells
    ]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in (head, *rows)]
    foot = ["In brackets: the 95 % interval."]
    if any(verdict_of(cell, name) != "unclear" for cell in outcome.cells for name in metrics):
        foot.append("+ and -: clearly better or worse than the case's first setting.")
    return "\n".join([*(line.rstrip() for line in lines), " ".join(foot)])


def _titled(metric: str) -> str:
    return f"{LEGEND[metric].title} {LEGEND[metric].arrow}" if metric in LEGEND else metric


def _interval(cell: Cell, metric: str) -> str:
    if metric not in cell.figures:
        return _NONE
    figure = cell.figures[metric]
    if not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return words(figure.value)
    return f"{words(figure.value)} ({words(figure.low)} to {words(figure.high)})"


def _shown(cell: Cell, metric: str) -> float | None:
    """A value to the digits that a reader sees: what looks equal is."""
    if metric not in cell.figures or not math.isfinite(cell.figures[metric].value):
        return None
    return round(cell.figures[metric].value, _SHOWN_DIGITS)


def _metric(name: str) -> dict[str, Any]:
    if name not in LEGEND:
        return {}
    record = LEGEND[name]
    most = record.most if math.isfinite(record.most) else None
    return {
        "title": record.title,
        "better": record.better,
        "range": [record.least, most],
        "about": record.about,
        "source": record.source,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "case": cell.case,
        "setting": cell.setting,
        "truth": cell.truth,
        "people": cell.people,
        "pictures": cell.pictures,
        "seconds": _plain(cell.seconds),
        "figures": {name: _figure(figure) for name, figure in cell.figures.items()},
        "changes": {
            name: _figure(figure) | {"verdict": verdict_of(cell, name)} for name, figure in cell.changes.items()
        },
        "mixing": [[_plain(cosine) for cosine in row] for row in cell.mixing.tolist()],
        **{rank: [_example(one) for one in getattr(cell, rank)] for rank in ("best", "median", "worst")},
    }


def _figure(figure: Figure) -> dict[str, Any]:
    ends = {"value": _plain(figure.value), "low": _plain(figure.low), "high": _plain(figure.high)}
    return {**ends, "count": figure.count, "missing": figure.missing}


def _example(example: Example) -> dict[str, Any]:
    # The file's name alone: the rest of its path says more of the machine than of the picture.
    return {"file": example.file.name, "caption": example.caption, "score": _plain(example.score)}


def _plain(number: float) -> float | None:
    """Rounded; None for what is not known."""
    return round(number, _DIGITS) if math.isfinite(number) else None


def _escaped(text: str) -> str:
    """Text that breaks no line or column of a table."""
    return " ".join(text.replace("|", "\\|").split())
