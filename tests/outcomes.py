"""Outcomes of runs that never were: figures from dice, pictures drawn by the miniature's world. Nobody's results."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from multiid.mini.world.groups import make_group
from multiid.mini.world.scene import cast_pose, draw_scene
from multiid.suites.outcome import Cell, Example, Figure, SuiteOutcome
from multiid.suites.statistics import bootstrap, compare

GROUPS = 40
SETTINGS = {"regions": 0.004, "hard edges": 0.03, "no regions": 0.3}
"""A setting's name, and how much of everything goes wrong with one more person."""


def made_up_outcome(
    folder: Path, *, people: Sequence[int] = (1, 2, 4), settings: Sequence[str] = tuple(SETTINGS)
) -> SuiteOutcome:
    """Everything that a report can show, with its pictures in that folder."""
    cells: list[Cell] = []
    for count in people:
        drawn = {setting: _values(count, SETTINGS[setting]) for setting in settings}
        cells += [_cell(folder, count, setting, drawn, first=settings[0]) for setting in settings]
    return SuiteOutcome(
        suite="made-up",
        title="A report of figures that dice made",
        about='Nothing here was measured: this shows what a report looks like, and that <text> & "quotes" stay text.',
        size="small",
        command="multiid evaluate made-up --size small -o report/",
        made_with={"preset": "none", "recogniser": "dice", "finder": "dice", "clip_t": "more dice"},
        notes=("Pictures are drawings of the miniature's world, not made by any model.", "Figures are from dice."),
        cells=tuple(cells),
    )


def _values(count: int, loss: float) -> dict[str, list[list[float]]]:
    """By metric, the value of each group's one picture."""
    dice = np.random.default_rng([count, round(1000 * loss)])
    wrong = dice.binomial(count, min(1.0, loss * (count - 1)), GROUPS)
    likeness = dice.normal(0.7 - loss * (count - 1) / 2, 0.06, GROUPS)
    unlikeness = dice.normal(0.8, 0.05, GROUPS) if count > 1 else np.full(GROUPS, math.nan)
    rows = {
        "nearest": 1 - wrong / count,
        "complete": (wrong == 0).astype(float),
        "count": (dice.random(GROUPS) > 0.02).astype(float),
        "single_sim": likeness,
        "multi_sim": likeness + unlikeness,
        "unlikeness": unlikeness,
        "off_match": dice.normal(0.1 + loss * (count - 1) / 2, 0.03, GROUPS),
        "clip_t": dice.normal(0.27, 0.01, GROUPS),
    }
    return {metric: [[value] for value in row.tolist()] for metric, row in rows.items()}


def _cell(
    folder: Path, count: int, setting: str, drawn: dict[str, dict[str, list[list[float]]]], *, first: str
) -> Cell:
    figures: dict[str, Figure] = {name: bootstrap(values) for name, values in drawn[setting].items()}
    changes = {name: compare(drawn[first][name], values) for name, values in drawn[setting].items()}
    blend = SETTINGS[setting]
    ranks = {
        rank: tuple(_example(folder, count, f"{setting}-{rank}", seed, score=score) for seed in range(2))
        for rank, score in (("best", 0.8), ("median", 0.6), ("worst", 0.2))
    }
    return Cell(
        case="alone" if count == 1 else f"{count} people",
        setting=setting,
        people=count,
        pictures=GROUPS,
        figures={name: figure for name, figure in figures.items() if figure.count},
        mixing=np.eye(count) * (0.6 - blend) + 0.1 + blend / 2,
        changes={} if setting == first else changes,
        seconds=0.8 * count,
        **ranks,
    )


def _example(folder: Path, count: int, name: str, seed: int, *, score: float) -> Example:
    file = folder / f"{count}-{name}-{seed}.png"
    number = sum(map(ord, name)) + seed
    pose = make_group(count, number)
    draw_scene(pose, cast_pose(pose, seed=number), seed=number).picture.save(file)
    return Example(file, f"seed {number}; likeness {score:.2f}", score)
