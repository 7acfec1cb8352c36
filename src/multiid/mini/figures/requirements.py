"""What is required of the miniature, beside what it is."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from multiid.mini.figures.figures import Figures, Group
from multiid.mini.figures.lab import MANY_STEPS
from multiid.mini.figures.rate import Rate

__all__ = ["Requirement", "requirements"]

_NEAREST = {2: 0.99, 3: 0.99, 4: 0.99, 6: 0.97, 8: 0.97}
_NEAREST_OVERLAPPING = 0.99
_SIMILARITY = 0.93  # of the round trip's
_ATTRIBUTES = 0.92  # of the true renders' rate
_REQUIRED_ATTRIBUTES = ("hair_colour", "hair_style", "glasses", "beard")
_PLACE, _CLOTHES = 0.95, 0.90
_CHANGE = 0.01
_PSNR = 28.0  # decibels
_SECONDS = 4.0
_READ, _TOP_ONE, _LOOK_ALIKES = 0.97, 0.99, 0.98  # of the recogniser, on true renders


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One number that is required, and what it is.

    Attributes:
        name: of what.
        measured: the number.
        required: the least it may be, or the most where `at_most`.
        at_most: whether less is better.
        interval: of a rate, where more cases would bring it, in 95 of 100 counts.
    """

    name: str
    measured: float
    required: float
    at_most: bool = False
    interval: tuple[float, float] | None = None

    @property
    def met(self) -> bool:
        """Whether the number is as required; what could not be measured is not."""
        return self.measured <= self.required if self.at_most else self.measured >= self.required


def requirements(figures: Figures) -> list[Requirement]:
    """What is required, as far as it was measured: of the pictures first, then of those who judge them."""
    return [
        *_of_faces(figures),
        *_of_likeness(figures),
        *_of_details(figures),
        *_of_machine(figures),
        *_of_readers(figures),
    ]


def _of_faces(figures: Figures) -> Iterator[Requirement]:
    for group in figures.groups:
        own = group.nearest["masks on"]
        if group.kind == "random" and group.people in _NEAREST:
            yield _rate(f"faces nearest to their own person, {group.people} people", own, _NEAREST[group.people])
        elif group.kind == "overlapping":
            name = f"faces nearest to their own person, {group.people} overlapping people"
            yield _rate(name, own, _NEAREST_OVERLAPPING)


def _of_likeness(figures: Figures) -> Iterator[Requirement]:
    for group in figures.groups:
        if group.kind != "random":
            continue
        likeness = {"SingleSim": group.single_sim} | ({"MultiSim": group.multi_sim} if group.people > 1 else {})
        for name, values in likeness.items():
            yield Requirement(
                name=f"{name} against the round trip's, {_people(group)}",
                measured=_ratio(values["masks on"], values["round trip"]),
                required=_SIMILARITY,
            )


def _people(group: Group) -> str:
    return "1 person" if group.people == 1 else f"{group.people} people"


def _of_details(figures: Figures) -> Iterator[Requirement]:
    for name in _REQUIRED_ATTRIBUTES:
        rates = figures.attributes[name]
        yield Requirement(
            name=f"{name.replace('_', ' ')} against the true renders' rate",
            measured=_ratio(rates["masks on"].share, rates["true"].share),
            required=_ATTRIBUTES,
        )
    yield _rate("place as the words say", figures.place["masks on"], _PLACE)
    yield _rate("clothes of the colour asked for", figures.clothes["masks on"], _CLOTHES)
    if figures.exchange is not None:
        name = "change of the others' faces when one person is exchanged"
        yield Requirement(name=name, measured=figures.exchange.change, required=_CHANGE, at_most=True)


def _of_machine(figures: Figures) -> Iterator[Requirement]:
    yield Requirement(name="autoencoder on faces, dB", measured=figures.face_psnr, required=_PSNR)
    for steps, seconds in figures.speed.seconds.items():
        if steps == MANY_STEPS:
            name = f"seconds for 4 people in {steps} steps"
            yield Requirement(name=name, measured=seconds, required=_SECONDS, at_most=True)


def _of_readers(figures: Figures) -> Iterator[Requirement]:
    reader = figures.reader
    for where, rates in (
        ("portraits", reader.attributes),
        ("scenes", {name: ways["true"] for name, ways in figures.attributes.items()}),
    ):
        for name, rate in rates.items():
            yield _rate(f"recogniser on true {where}: {name.replace('_', ' ')}", rate, _READ)
    yield _rate(f"recogniser on true portraits: one among {reader.people} people", reader.top_one, _TOP_ONE)
    yield _rate("recogniser on true portraits: one among four look-alikes", reader.look_alikes, _LOOK_ALIKES)
    for group in figures.groups:
        if group.kind == "look-alikes":
            name = f"recogniser on true scenes: one among {group.people} look-alikes"
            yield _rate(name, group.nearest["true"], _LOOK_ALIKES)


def _rate(name: str, rate: Rate, required: float) -> Requirement:
    return Requirement(name=name, measured=rate.share, required=required, interval=rate.interval)


def _ratio(one: float, other: float) -> float:
    return one / other if other else math.nan
