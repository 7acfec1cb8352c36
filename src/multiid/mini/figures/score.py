"""From readings to rates: how often faces are their own people's, and what else is right.

A face that is not found counts as wrong, and as like nobody.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from multiid.evaluation import metrics
from multiid.mini.figures.measured import Measured
from multiid.mini.figures.rate import Rate, count_right
from multiid.mini.world.people import ATTRIBUTES, Person

__all__ = [
    "attribute_rates",
    "clothes_rate",
    "face_psnr",
    "follows",
    "found",
    "multi_sim",
    "nearest_own",
    "place_rate",
    "precision",
    "self_similarity",
    "single_sim",
]


def nearest_own(measured: Sequence[Measured], way: str) -> Rate:
    """Faces that are nearer to their own person than to anybody else of their picture."""
    return count_right(hit for one in measured for hit in one.hits(way))


def follows(measured: Sequence[Measured]) -> Rate:
    """Exchanged faces that are nearer to who came than to who left and the others."""
    answers: list[bool] = []
    for one in measured:
        face = one.readings["exchanged"].embeddings[[one.trial.exchanged]]
        answers += metrics.nearest_own(metrics.likenesses(face, np.vstack([one.newcomer, one.references])))
    return count_right(answers)


def found(measured: Sequence[Measured], way: str) -> Rate:
    """Faces that were found where they should be."""
    return count_right(not lost for one in measured for lost in _lost(one, way))


def precision(measured: Sequence[Measured], way: str) -> Rate:
    """Finds that are somebody's face."""
    own = sum(not lost for one in measured for lost in _lost(one, way))
    return Rate(own, own + sum(one.readings[way].strangers for one in measured))


def _lost(one: Measured, way: str) -> list[bool]:
    return np.isnan(one.readings[way].embeddings[:, 0]).tolist()


def single_sim(measured: Sequence[Measured], way: str) -> float:
    """The mean of `metrics.single_sim` over pictures."""
    return float(np.mean([_multi_sim(one, way).own for one in measured]))


def multi_sim(measured: Sequence[Measured], way: str) -> float:
    """The mean of `metrics.multi_sim` over pictures, both its terms added up; `single_sim` is the first of them."""
    return float(np.mean([_multi_sim(one, way).total for one in measured]))


def _multi_sim(one: Measured, way: str) -> metrics.MultiSim:
    faces = one.readings[way].embeddings
    return metrics.multi_sim(metrics.likenesses(faces, one.references), metrics.likenesses(faces, faces))


def self_similarity(measured: Sequence[Measured]) -> float:
    """How alike the faces of those who stay are before and after one of them is exchanged; 1 is unchanged."""
    likeness: list[float] = []
    for one in measured:
        before, after = one.readings["masks on"].embeddings, one.readings["exchanged"].embeddings
        stay = np.arange(len(before)) != one.trial.exchanged
        likeness += metrics.own_likeness(before, after)[stay].tolist()
    return float(np.mean(likeness)) if likeness else math.nan


def attribute_rates(measured: Sequence[Measured], way: str) -> dict[str, Rate]:
    """For each attribute, the faces it is read from as it is."""

    def answers(name: str) -> Iterable[bool]:
        for one in measured:
            for person, read in zip(one.trial.cast.people, one.readings[way].attributes, strict=True):
                yield read is not None and read[name] == _value(person, name)

    return {name: count_right(answers(name)) for name in ATTRIBUTES}


def _value(person: Person, name: str) -> str:
    return str(getattr(person, name))


def place_rate(measured: Sequence[Measured], way: str) -> Rate:
    """Pictures that show the place that the words ask for."""
    return count_right(one.readings[way].place == one.trial.cast.place for one in measured)


def clothes_rate(measured: Sequence[Measured], way: str) -> Rate:
    """People who wear the colour that their words ask for, of those whose clothes are seen."""
    return count_right(
        colour == clothes.colour
        for one in measured
        for clothes, colour in zip(one.trial.cast.clothes, one.readings[way].clothes, strict=True)
        if colour is not None
    )


def face_psnr(measured: Sequence[Measured]) -> float:
    """The round trip's peak signal-to-noise ratio on faces in decibels, from the mean error of all faces."""
    errors = np.concatenate([one.errors for one in measured])
    error = float(errors.mean())
    return 10 * math.log10(255**2 / error) if error else math.inf
