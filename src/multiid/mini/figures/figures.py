"""The miniature's figures as numbers, and what is required of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from multiid.mini.figures.lab import FEW_STEPS, Measured
from multiid.mini.figures.score import (
    Rate,
    attribute_rates,
    clothes_rate,
    face_psnr,
    follows,
    missing,
    multi_sim,
    nearest_own,
    place_rate,
    self_similarity,
    single_sim,
)
from multiid.mini.figures.trials import KINDS

__all__ = ["Exchange", "Figures", "Group", "Requirement", "summarise"]

_NEAREST = {2: 0.99, 3: 0.99, 4: 0.99, 6: 0.97, 8: 0.97}
_NEAREST_OVERLAPPING = 0.99
_SIMILARITY = 0.93  # of the round trip's
_ATTRIBUTES = 0.92  # of the true renders' rate
_REQUIRED_ATTRIBUTES = ("hair_colour", "hair_style", "glasses", "beard")
_PLACE, _CLOTHES = 0.95, 0.90
_CHANGE = 0.01
_PSNR = 28.0  # decibels
_SECONDS = 4.0

ByPicture = Mapping[str, float]
"""One number for each way to come to a picture: "true", "round trip", "masks on", "masks off", "few steps"."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """What came of the scenes of one kind and number of people.

    Attributes:
        kind: a kind of `trials.KINDS`.
        people: in each scene.
        scenes: how many.
        chance: the rate of right answers that guessing gives.
        nearest: the share of faces that are nearest to their own person.
        missing: the share of faces that were not found.
        single_sim: SingleSim.
        multi_sim: MultiSim.
    """

    kind: str
    people: int
    scenes: int
    chance: float
    nearest: ByPicture
    missing: ByPicture
    single_sim: ByPicture
    multi_sim: ByPicture


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What came of exchanging one person of a scene.

    Attributes:
        scenes: how many.
        follows: the share of exchanged faces that are nearer to who came than to who left and the others.
        change: one less the mean likeness of the others' faces before and after.
    """

    scenes: int
    follows: float
    change: float


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One number that is required, and what it is.

    Attributes:
        name: of what.
        measured: the number.
        required: the least it may be, or the most where `at_most`.
        at_most: whether less is better.
    """

    name: str
    measured: float
    required: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether the number is as required."""
        return self.measured <= self.required if self.at_most else self.measured >= self.required


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Everything that was measured.

    Attributes:
        groups: by kind and number of people.
        attributes: for each attribute of a person, the share of faces from which it is read as it is, over all
            random scenes.
        place: the share of pictures that show the place asked for, over all random scenes.
        clothes: the share of people who wear the colour asked for, likewise.
        exchange: the swap test, None where no scenes were made for it.
        face_psnr: peak signal-to-noise ratio of the autoencoder on faces, in decibels.
        seconds: for a picture of four people, by the number of steps.
    """

    groups: tuple[Group, ...]
    attributes: Mapping[str, ByPicture]
    place: ByPicture
    clothes: ByPicture
    exchange: Exchange | None
    face_psnr: float
    seconds: Mapping[int, float]

    def requirements(self) -> list[Requirement]:
        """What is required of the miniature, as far as it was measured."""
        found: list[Requirement] = []
        for group in self.groups:
            own = group.nearest["masks on"]
            if group.kind == "random" and group.people in _NEAREST:
                name = f"faces nearest to their own person, {group.people} people"
                found.append(Requirement(name=name, measured=own, required=_NEAREST[group.people]))
            elif group.kind == "overlapping":
                name = f"faces nearest to their own person, {group.people} overlapping people"
                found.append(Requirement(name=name, measured=own, required=_NEAREST_OVERLAPPING))
        for group in self.groups:
            if group.kind == "random":
                likeness = [("SingleSim", group.single_sim)]
                if group.people > 1:
                    likeness.append(("MultiSim", group.multi_sim))
                for name, values in likeness:
                    ratio = values["masks on"] / values["round trip"]
                    name = f"{name} against the round trip's, {group.people} people"
                    found.append(Requirement(name=name, measured=ratio, required=_SIMILARITY))
        for name in _REQUIRED_ATTRIBUTES:
            rates = self.attributes[name]
            ratio = rates["masks on"] / rates["true"]
            text = f"{name.replace('_', ' ')} against the true renders' rate"
            found.append(Requirement(name=text, measured=ratio, required=_ATTRIBUTES))
        found += [
            Requirement(name="place as the words say", measured=self.place["masks on"], required=_PLACE),
            Requirement(name="clothes of the colour asked for", measured=self.clothes["masks on"], required=_CLOTHES),
        ]
        if self.exchange is not None:
            name = "change of the others' faces when one person is exchanged"
            found.append(Requirement(name=name, measured=self.exchange.change, required=_CHANGE, at_most=True))
        found.append(Requirement(name="autoencoder on faces, dB", measured=self.face_psnr, required=_PSNR))
        for steps, seconds in self.seconds.items():
            if steps != FEW_STEPS:
                name = f"seconds for 4 people in {steps} steps"
                found.append(Requirement(name=name, measured=seconds, required=_SECONDS, at_most=True))
        return found


def summarise(measured: Sequence[Measured], *, seconds: Mapping[int, float]) -> Figures:
    """The figures of all that was measured; at least one random scene is needed.

    Args:
        measured: what came of each trial.
        seconds: for a picture of four people, by the number of steps.
    """
    groups: list[Group] = []
    for kind in KINDS:
        for count in sorted({one.trial.count for one in measured if one.trial.kind == kind}):
            groups.append(_group([one for one in measured if (one.trial.kind, one.trial.count) == (kind, count)]))
    random = [one for one in measured if one.trial.kind == "random"]
    ways = ("true", "round trip", "masks on")
    attributes = {way: attribute_rates(random, way) for way in ways}
    exchanged = [one for one in measured if "exchanged" in one.readings]
    return Figures(
        groups=tuple(groups),
        attributes={name: {way: attributes[way][name].share for way in ways} for name in attributes["true"]},
        place={way: place_rate(random, way).share for way in ways},
        clothes={way: clothes_rate(random, way).share for way in ways},
        exchange=Exchange(
            scenes=len(exchanged), follows=follows(exchanged).share, change=1 - self_similarity(exchanged)
        )
        if exchanged
        else None,
        face_psnr=face_psnr(measured),
        seconds=seconds,
    )


def _group(measured: Sequence[Measured]) -> Group:
    ways = [way for way in measured[0].readings if way != "exchanged"]

    def shares(rate: Callable[[Sequence[Measured], str], Rate]) -> dict[str, float]:
        return {way: rate(measured, way).share for way in ways}

    trial = measured[0].trial
    return Group(
        kind=trial.kind,
        people=trial.count,
        scenes=len(measured),
        chance=1 / trial.count,
        nearest=shares(nearest_own),
        missing=shares(missing),
        single_sim={way: single_sim(measured, way) for way in ways},
        multi_sim={way: multi_sim(measured, way) for way in ways},
    )
