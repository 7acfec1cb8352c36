"""From all pictures of a suite to what its report shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from multiid import __version__
from multiid.evaluation.metrics import mixing_matrix
from multiid.suites.measures import Measured, measure
from multiid.suites.outcome import Cell, Example, Figure, SuiteOutcome
from multiid.suites.plan import Plan
from multiid.suites.reading import Reading
from multiid.suites.statistics import bootstrap, compare
from multiid.suites.suite import Case, Setting
from multiid.suites.tasks import Task

__all__ = ["summarise"]

_SHOWN = 3  # pictures of each rank
_FINDERS = {"mini": "mini", "sface": "yunet"}  # by recogniser


@dataclass(frozen=True, eq=False)
class _Row:
    """All pictures of a case in a setting, group by group."""

    case: Case
    setting: Setting
    files: tuple[Path, ...]
    measured: tuple[Measured, ...]

    def __str__(self) -> str:
        return f"{self.case.name}, {self.setting.name}"

    def values(self, metric: str) -> list[list[float]]:
        """A metric of each group's picture."""
        return [[measure(one, metric)] for one in self.measured]


def summarise(plan: Plan, results: Sequence[tuple[Task, Reading]], folder: Path, *, command: str) -> SuiteOutcome:
    """What a report shows of a run.

    Args:
        plan: what was made.
        results: all that came of it.
        folder: of the pictures.
        command: that makes the report.
    """
    recogniser = plan.judge().recogniser
    rows = list(_rows(plan, results, folder, recogniser))
    firsts: dict[str, _Row] = {}
    for row in rows:
        firsts.setdefault(row.case.name, row)
    return SuiteOutcome(
        suite=plan.name,
        title=plan.suite.title,
        about=plan.suite.about,
        size=plan.size,
        command=command,
        made_with=_made_with(plan, recogniser),
        notes=tuple(_notes(plan, rows)),
        cells=tuple(_cell(row, firsts[row.case.name], plan.suite.metrics) for row in rows),
    )


def _rows(plan: Plan, results: Sequence[tuple[Task, Reading]], folder: Path, recogniser: str | None) -> Iterator[_Row]:
    """In the suite's order."""
    for case in plan.suite.cases:
        for setting in plan.suite.settings:
            own = [one for one in results if (one[0].case.name, one[0].setting.name) == (case.name, setting.name)]
            own.sort(key=lambda one: one[0].index)
            if own:
                files = tuple(folder / task.file for task, _ in own)
                yield _Row(case, setting, files, tuple(Measured(reading, recogniser) for _, reading in own))


def _cell(row: _Row, first: _Row, metrics: Sequence[str]) -> Cell:
    made = [(one, file) for one, file in zip(row.measured, row.files, strict=True) if one.reading.unmade is None]
    unknown = np.full((row.case.people, row.case.people), np.nan)
    best, median, worst = _ranks([Example(file, one.caption, one.score) for one, file in made])
    return Cell(
        case=row.case.name,
        setting=row.setting.name,
        people=row.case.people,
        pictures=len(made),
        figures=_known({metric: bootstrap(row.values(metric)) for metric in metrics}),
        mixing=mixing_matrix([one.by_person for one, _ in made]) if made else unknown,
        best=best,
        median=median,
        worst=worst,
        seconds=float(np.mean([one.reading.seconds for one, _ in made])) if made else float("nan"),
        changes={}
        if row is first
        else _known({metric: compare(first.values(metric), row.values(metric)) for metric in metrics}),
        truth=row.setting.truth,
    )


def _known(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Those that could be measured on some picture."""
    return {metric: figure for metric, figure in figures.items() if figure.count}


def _ranks(examples: Sequence[Example]) -> tuple[tuple[Example, ...], tuple[Example, ...], tuple[Example, ...]]:
    """The best, the middle and the worst; none of few pictures comes twice."""
    ordered = sorted(examples, key=lambda one: (-one.score, one.file))
    each = min(_SHOWN, len(ordered) // 3)
    if not each:
        return tuple(ordered[:1]), (), tuple(ordered[1:])
    start = (len(ordered) - each) // 2
    return tuple(ordered[:each]), tuple(ordered[start : start + each]), tuple(ordered[-each:])


def _made_with(plan: Plan, recogniser: str | None) -> dict[str, str]:
    finder = _FINDERS.get(recogniser or "", recogniser)
    return {
        "preset": plan.preset.recorded,
        "weights": plan.weights,
        **({"recogniser": recogniser} if recogniser else {}),
        **({"finder": finder} if finder else {}),
        **plan.encoder_names,
        "multiid": __version__,
    }


def _notes(plan: Plan, rows: Sequence[_Row]) -> Iterator[str]:
    """What a reader must know."""
    yield from plan.people.notes
    if plan.preset.notice:
        yield plan.preset.notice
    verified = [row for row in rows if row.setting.attempts is not None]
    if verified:
        tries = "; ".join(f"{row}: {_tries(row):.2f}" for row in verified)
        yield (
            "Where pictures are verified, that is done by the photos which the generator got; the figures compare with "
            f"others that were kept from it. Pictures tried for each, faces painted anew among them: {tries}."
        )
    for row in rows:
        unmade = [one.reading.unmade for one in row.measured if one.reading.unmade]
        if unmade:
            yield f"{row}: {len(unmade)} of {len(row.measured)} pictures cannot be made and do not count: {unmade[0]}"
    unseen = {
        (row.case.name, one.reading.seed, name)
        for row in rows
        for one in row.measured
        for name, reference in zip(one.reading.names, one.reading.references, strict=True)
        if np.isnan(reference).any()
    }
    if unseen:
        yield f"{len(unseen)} people could not be compared with: their kept photos show no face that was recognised."
    for metric, reason in plan.unmeasured.items():
        yield f"{metric} was not measured: {reason}"


def _tries(row: _Row) -> float:
    return float(np.mean([one.reading.tries for one in row.measured]))
