"""The miniature's figures: what the readings of all trials come to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from multiid.mini.figures.measured import Measured
from multiid.mini.figures.rate import Rate
from multiid.mini.figures.readers import ReaderFigures
from multiid.mini.figures.score import (
    attribute_rates,
    clothes_rate,
    face_psnr,
    follows,
    found,
    multi_sim,
    nearest_own,
    place_rate,
    precision,
    self_similarity,
    single_sim,
)
from multiid.mini.figures.speed import Speed
from multiid.mini.figures.trials import KINDS

__all__ = ["Exchange", "Figures", "Group", "summarise"]

Rates = Mapping[str, Rate]
"""A rate for each way to come to a picture: "true", "round trip", "masks on", "masks off", "many steps"."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """What came of the scenes of one kind and number of people.

    Attributes:
        kind: a kind of `trials.KINDS`.
        people: in each scene.
        scenes: how many, by the way the pictures came to be.
        nearest: faces that are nearest to their own person.
        found: faces that were found.
        precision: finds that are somebody's face.
        single_sim: SingleSim.
        multi_sim: MultiSim.
    """

    kind: str
    people: int
    scenes: Mapping[str, int]
    nearest: Rates
    found: Rates
    precision: Rates
    single_sim: Mapping[str, float]
    multi_sim: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What came of exchanging one person of a scene.

    Attributes:
        scenes: how many.
        follows: exchanged faces that are nearer to who came than to who left and the others.
        change: one less the mean likeness of the others' faces before and after.
    """

    scenes: int
    follows: Rate
    change: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Everything that was measured.

    Attributes:
        groups: by kind and number of people.
        attributes: for each attribute of a person, the faces from which it is read as it is, over all random scenes.
        place: pictures that show the place asked for, over all random scenes.
        clothes: people who wear the colour asked for, likewise.
        exchange: the swap test; None where no scenes were made for it.
        face_psnr: peak signal-to-noise ratio of the autoencoder on faces, in decibels.
        reader: of the recogniser and the finder on portraits.
        speed: how long a picture takes.
    """

    groups: tuple[Group, ...]
    attributes: Mapping[str, Rates]
    place: Rates
    clothes: Rates
    exchange: Exchange | None
    face_psnr: float
    reader: ReaderFigures
    speed: Speed


def summarise(measured: Sequence[Measured], *, reader: ReaderFigures, speed: Speed) -> Figures:
    """The figures of all that was measured; at least one random scene is needed.

    Args:
        measured: what came of each trial.
        reader: of the recogniser and the finder on portraits.
        speed: how long a picture takes.
    """
    groups: list[Group] = []
    for kind in KINDS:
        for count in sorted({one.trial.count for one in measured if one.trial.kind == kind}):
            groups.append(_group([one for one in measured if (one.trial.kind, one.trial.count) == (kind, count)]))
    random = [one for one in measured if one.trial.kind == "random"]
    ways = _ways(random)
    attributes = {way: attribute_rates(_made(random, way), way) for way in ways}
    exchanged = _made(measured, "exchanged")
    return Figures(
        groups=tuple(groups),
        attributes={name: {way: attributes[way][name] for way in ways} for name in attributes["true"]},
        place={way: place_rate(_made(random, way), way) for way in ways},
        clothes={way: clothes_rate(_made(random, way), way) for way in ways},
        exchange=Exchange(scenes=len(exchanged), follows=follows(exchanged), change=1 - self_similarity(exchanged))
        if exchanged
        else None,
        face_psnr=face_psnr(measured),
        reader=reader,
        speed=speed,
    )


def _group(measured: Sequence[Measured]) -> Group:
    ways = _ways(measured)

    def each(value: Callable[[Sequence[Measured], str], Rate]) -> Rates:
        return {way: value(_made(measured, way), way) for way in ways}

    trial = measured[0].trial
    return Group(
        kind=trial.kind,
        people=trial.count,
        scenes={way: len(_made(measured, way)) for way in ways},
        nearest=each(nearest_own),
        found=each(found),
        precision=each(precision),
        single_sim={way: single_sim(_made(measured, way), way) for way in ways},
        multi_sim={way: multi_sim(_made(measured, way), way) for way in ways},
    )


def _ways(measured: Sequence[Measured]) -> list[str]:
    """Every way in which the people asked for were drawn."""
    return [way for way in dict.fromkeys(way for one in measured for way in one.readings) if way != "exchanged"]


def _made(measured: Sequence[Measured], way: str) -> list[Measured]:
    return [one for one in measured if way in one.readings]
