"""What a run comes to: for each case and setting figures, who was taken for whom, and pictures to look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float64

__all__ = ["Cell", "Example", "Figure", "SuiteOutcome"]


@dataclass(frozen=True)
class Figure:
    """One metric, measured.

    Attributes:
        value: the mean over pictures; not a number where it could not be measured.
        low: lower end of its 95 % interval, by bootstrap over groups; not a number where nothing is known of it.
        high: upper end.
        count: pictures it was measured on.
        missing: pictures on which it could not be measured.
    """

    value: float
    low: float
    high: float
    count: int
    missing: int = 0


@dataclass(frozen=True)
class Example:
    """A picture to look at.

    Attributes:
        file: the picture.
        caption: what to know about it: the seed, and everybody's likeness.
        score: by which pictures are ordered: how like everybody is who they should be, the least of them.
    """

    file: Path
    caption: str
    score: float


@dataclass(frozen=True, eq=False)
class Cell:
    """One case in one setting.

    Attributes:
        case: its name.
        setting: its name.
        people: in each picture.
        pictures: how many there are.
        figures: by metric (`suite.METRICS`); one that could not be measured is absent.
        mixing: mean cosine of the face at each person's place (rows) with each person (columns), from left to right.
        best, median, worst: pictures by score.
        seconds: mean time to make one, on the machine of the run.
        changes: by metric, how much more it is than in the case's first setting, by `statistics.compare` over the same
            groups; empty for the first setting.
        truth: whether the pictures are true renders and not made by a model: they show what the judges allow, and
            are never the best of a case.
    """

    case: str
    setting: str
    people: int
    pictures: int
    figures: Mapping[str, Figure]
    mixing: Float64[np.ndarray, "people people"] = field(repr=False)
    best: tuple[Example, ...]
    median: tuple[Example, ...]
    worst: tuple[Example, ...]
    seconds: float
    changes: Mapping[str, Figure] = field(default_factory=dict[str, Figure])
    truth: bool = False


@dataclass(frozen=True, eq=False)
class SuiteOutcome:
    """Everything a report shows.

    Attributes:
        suite: name or file of the suite.
        title, about: from the suite.
        size: "small" or "full".
        command: the command that makes this report.
        made_with: what pictures were made with and who judged them, by what ("preset", "weights", "recogniser",
            "finder", "clip_t"): names of models and encoders, versions. Under a metric's name stands its encoder.
        notes: what a reader must know, such as that portraits of the miniature stood in for photos.
        cells: in the suite's order.
    """

    suite: str
    title: str
    about: str
    size: str
    command: str
    made_with: Mapping[str, str]
    notes: tuple[str, ...]
    cells: tuple[Cell, ...]
