"""From readings to rates: how often faces are their own people's, and what else is right.

A face that is not found counts as wrong, and as like nobody.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from multiid.mini.figures.lab import Measured
from multiid.mini.world.people import ATTRIBUTES, Person

__all__ = [
    "Rate",
    "attribute_rates",
    "clothes_rate",
    "face_psnr",
    "follows",
    "missing",
    "multi_sim",
    "nearest_own",
    "place_rate",
    "self_similarity",
    "single_sim",
]


@dataclass(frozen=True)
class Rate:
    """How many of so many are right."""

    right: int
    of: int

    @property
    def share(self) -> float:
        """From 0 to 1; not a number where there was nothing to count."""
        return self.right / self.of if self.of else math.nan


def _rate(answers: Iterable[bool]) -> Rate:
    counted = [bool(answer) for answer in answers]
    return Rate(sum(counted), len(counted))


def nearest_own(measured: Sequence[Measured], variant: str) -> Rate:
    """Faces that are nearer to their own person than to anybody else of their picture."""
    return _rate(answer for one in measured for answer in _nearest(one.readings[variant].embeddings, one.references))


def _nearest(embeddings: np.ndarray, references: np.ndarray) -> list[bool]:
    likeness = embeddings @ references.T  # own and others from one matrix, so that ties are ties
    return [not np.isnan(row).any() and int(row.argmax()) == index for index, row in enumerate(likeness)]


def follows(measured: Sequence[Measured]) -> Rate:
    """Exchanged faces that are nearer to who came than to who left and the others."""
    answers: list[bool] = []
    for one in measured:
        face = one.readings["exchanged"].embeddings[one.trial.exchanged]
        likeness = np.concatenate([[one.newcomer @ face], one.references @ face])
        answers.append(not np.isnan(likeness).any() and int(likeness.argmax()) == 0)
    return _rate(answers)


def missing(measured: Sequence[Measured], variant: str) -> Rate:
    """Faces that were not found where they should be."""
    return _rate(bool(lost) for one in measured for lost in np.isnan(one.readings[variant].embeddings[:, 0]))


def single_sim(measured: Sequence[Measured], variant: str) -> float:
    """SingleSim (InstantFamily eq. 10): the mean likeness of a face to its own person's reference."""
    return float(np.mean([_own(one, variant) for one in measured]))


def multi_sim(measured: Sequence[Measured], variant: str) -> float:
    """MultiSim (InstantFamily eq. 11): SingleSim plus one, less the mean likeness of a picture's faces to each other.

    The second term rewards any two unlike faces, whoever they are; so a pair with a face missing counts as alike.
    """
    return float(np.mean([_own(one, variant) + 1 - _among(one, variant) for one in measured]))


def _own(one: Measured, variant: str) -> float:
    likeness = np.einsum("pc,pc->p", one.readings[variant].embeddings, one.references)
    return float(np.nan_to_num(likeness, nan=0.0).mean())


def _among(one: Measured, variant: str) -> float:
    embeddings = one.readings[variant].embeddings
    pairs = np.nan_to_num(embeddings @ embeddings.T, nan=1.0)[np.triu_indices(len(embeddings), 1)]
    return float(pairs.mean()) if len(pairs) else 0.0


def self_similarity(measured: Sequence[Measured]) -> float:
    """How alike the faces of those who stay are before and after one of them is exchanged; 1 is unchanged."""
    likeness: list[float] = []
    for one in measured:
        before, after = one.readings["masks on"].embeddings, one.readings["exchanged"].embeddings
        stay = np.arange(len(before)) != one.trial.exchanged
        likeness += np.nan_to_num(np.einsum("pc,pc->p", before, after)[stay], nan=0.0).tolist()
    return float(np.mean(likeness)) if likeness else math.nan


def attribute_rates(measured: Sequence[Measured], variant: str) -> dict[str, Rate]:
    """For each attribute, the faces it is read from as it is."""

    def answers(name: str) -> Iterable[bool]:
        for one in measured:
            for person, read in zip(one.trial.cast.people, one.readings[variant].attributes, strict=True):
                yield read is not None and read[name] == _value(person, name)

    return {name: _rate(answers(name)) for name in ATTRIBUTES}


def _value(person: Person, name: str) -> str:
    return str(getattr(person, name))


def place_rate(measured: Sequence[Measured], variant: str) -> Rate:
    """Pictures that show the place that the words ask for."""
    return _rate(one.readings[variant].place == one.trial.cast.place for one in measured)


def clothes_rate(measured: Sequence[Measured], variant: str) -> Rate:
    """People who wear the colour that their words ask for, of those whose clothes are seen."""
    return _rate(
        colour == clothes.colour
        for one in measured
        for clothes, colour in zip(one.trial.cast.clothes, one.readings[variant].clothes, strict=True)
        if colour is not None
    )


def face_psnr(measured: Sequence[Measured]) -> float:
    """The round trip's peak signal-to-noise ratio on faces in decibels, from the mean error of all faces."""
    errors = np.concatenate([one.errors for one in measured])
    error = float(errors.mean())
    return 10 * math.log10(255**2 / error) if error else math.inf
