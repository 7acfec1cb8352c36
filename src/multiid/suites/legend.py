"""What each metric is called, which way is better, and what it says in one sentence."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["LEGEND", "MetricRecord", "main_metrics"]

_MAIN = ("nearest", "complete", "count", "single_sim", "minimum", "hungarian", "clip_t")


@dataclass(frozen=True)
class MetricRecord:
    """How to read one metric.

    Attributes:
        title: heads its column.
        better: "more" or "less".
        least: its smallest value.
        most: its largest; infinite where it has none.
        about: what it says, in one sentence.
        source: who measures so.
        judge: key of `SuiteOutcome.made_with` that says who judged; one of the metric's own name counts more.
    """

    title: str
    better: Literal["more", "less"]
    least: float
    most: float
    about: str
    source: str
    judge: str = "recogniser"

    @property
    def extent(self) -> str:
        """Its range, as "0 to 1"."""
        return f"{self.least:g} to {self.most:g}" if math.isfinite(self.most) else f"{self.least:g} and more"

    @property
    def direction(self) -> str:
        """Which way is better, in words."""
        return "higher is better" if self.better == "more" else "lower is better"

    @property
    def arrow(self) -> str:
        """The same as an arrow."""
        return "\N{UPWARDS ARROW}" if self.better == "more" else "\N{DOWNWARDS ARROW}"


LEGEND: Mapping[str, MetricRecord] = {
    "nearest": MetricRecord(
        "Nearest own", "more", 0, 1,
        "Share of the people asked for whose face is nearer to them than to anybody else in the picture; "
        "a missing face is nobody's.",
        "multiid",
    ),
    "found": MetricRecord(
        "Found", "more", 0, 1,
        "Share of the people asked for who are there, once, and nobody else's blend.",
        "multiid",
    ),
    "complete": MetricRecord(
        "Complete", "more", 0, 1,
        "Share of pictures in which everybody is there once and nobody is mixed with another.",
        "multiid",
    ),
    "count": MetricRecord(
        "Count", "more", 0, 1,
        "Share of pictures with as many faces as people were asked for, whoever they are.",
        "MultiHuman-TestBench, arXiv 2506.20879",
        judge="finder",
    ),
    "single_sim": MetricRecord(
        "SingleSim", "more", -1, 1,
        "Mean likeness of everybody's face to their own photos; a missing face counts as 0.",
        "InstantFamily, arXiv 2404.19427, eq. 10",
    ),
    "multi_sim": MetricRecord(
        "MultiSim", "more", -1, 3,
        "SingleSim plus unlikeness; the second rewards any two unlike faces, so read both terms.",
        "InstantFamily, arXiv 2404.19427, eq. 11",
    ),
    "unlikeness": MetricRecord(
        "Unlikeness", "more", 0, 2,
        "1 less the mean likeness of a picture's faces to each other, whoever they are: MultiSim's second term.",
        "InstantFamily, arXiv 2404.19427, eq. 11",
    ),
    "minimum": MetricRecord(
        "Minimum", "more", 0, 1,
        "Likeness of the person who came off worst, faces matched greedily; 0 when a face is missing.",
        "FastComposer, arXiv 2305.10431",
    ),
    "hungarian": MetricRecord(
        "Hungarian", "more", -1, 1,
        "Mean likeness in the best one-to-one matching, wherever the faces are; a missing face counts as 0.",
        "MultiHuman-TestBench, arXiv 2506.20879",
    ),
    "off_match": MetricRecord(
        "Off-match", "less", -1, 1,
        "Mean likeness of faces to everybody but their own person: blending; missing faces are left out.",
        "MultiID-Bench, arXiv 2510.14975",
    ),
    "confidence": MetricRecord(
        "Confidence", "more", 0, 1,
        "By how much the face most like a person leaves the next one behind, as a share of its likeness.",
        "UMO, arXiv 2509.06818",
    ),
    "clip_t": MetricRecord(
        "CLIP-T", "more", -1, 1,
        "Likeness of the picture to the words it was asked for with.",
        "PhotoMaker, arXiv 2312.04461",
        judge="clip_t",
    ),
    "clip_i": MetricRecord(
        "CLIP-I", "more", -1, 1,
        "Likeness of the picture to the people's photos, as an image encoder sees them; 1 is a copy.",
        "PhotoMaker, arXiv 2312.04461",
        judge="clip_i",
    ),
    "dino": MetricRecord(
        "DINO", "more", -1, 1,
        "Likeness of the picture to the people's photos, as an encoder trained without words sees them; 1 is a copy.",
        "PhotoMaker, arXiv 2312.04461",
        judge="dino",
    ),
}  # fmt: skip
"""Every metric of `suite.METRICS`, in the same order."""


def main_metrics(measured: Iterable[str], *, most: int = 4) -> tuple[str, ...]:
    """Of the metrics that were measured, those that say most in little room."""
    names = list(measured)
    return tuple([*(name for name in _MAIN if name in names), *(name for name in names if name not in _MAIN)][:most])
