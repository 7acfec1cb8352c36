"""How well the recogniser and the finder read portraits: whoever marks others is measured first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from multiid.evaluation import metrics
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.rate import Rate, count_right
from multiid.mini.figures.reading import face_direction
from multiid.mini.figures.trials import UNSEEN, find_look_alikes, find_strangers
from multiid.mini.world.dice import Dice
from multiid.mini.world.people import ATTRIBUTES, VALUES, Person, make_person
from multiid.mini.world.portrait import draw_portrait

__all__ = ["ReaderFigures", "measure_reader"]

_SMALLEST, _LARGEST = 64, 128  # pixels; sides of the portraits
_GROUP = 4


@dataclass(frozen=True, kw_only=True)
class ReaderFigures:
    """What the recogniser and the finder make of portraits of people on whom nothing was trained.

    Attributes:
        people: how many there are, any two of whom differ in two attributes or more.
        attributes: for each attribute, the portraits of which it is read as it is.
        top_one: portraits that are nearest to the other portrait of their own person, among all people.
        look_alikes: the same among four who differ from the first of them in one or two attributes.
        found: portraits whose face was found.
        precision: finds that are the portrait's face: one for each portrait.
    """

    people: int
    attributes: Mapping[str, Rate]
    top_one: Rate
    look_alikes: Rate
    found: Rate
    precision: Rate


@dataclass(frozen=True, eq=False)
class _Read:
    """What was made of one portrait of each of several people."""

    embeddings: Float64[np.ndarray, "people channels"]
    attributes: tuple[Mapping[str, str] | None, ...]
    finds: int


def measure_reader(faces: MiniFaces, *, people: int, groups: int) -> ReaderFigures:
    """Measures the recogniser and the finder on two portraits each of people, and of groups of four look-alikes.

    Args:
        faces: the face analyzer.
        people: how many people are told apart.
        groups: of look-alikes.
    """
    dice = Dice("figures, reader", UNSEEN)
    strangers = find_strangers([make_person(dice.seed()) for _ in range(people)], dice)
    first, second = _read(faces, strangers, dice), _read(faces, strangers, dice)
    alike: list[bool] = []
    for _ in range(groups):
        group = find_look_alikes(_GROUP, age=dice.pick(VALUES["age"]), dice=dice)
        alike += _nearest_own(_read(faces, group, dice), _read(faces, group, dice))
    both = [*zip(strangers, first.attributes, strict=True), *zip(strangers, second.attributes, strict=True)]
    seen = [read is not None for _, read in both]
    return ReaderFigures(
        people=people,
        attributes={
            name: count_right(read is not None and read[name] == getattr(person, name) for person, read in both)
            for name in ATTRIBUTES
        },
        top_one=count_right(_nearest_own(first, second)),
        look_alikes=count_right(alike),
        found=count_right(seen),
        precision=Rate(sum(seen), first.finds + second.finds),
    )


def _nearest_own(first: _Read, second: _Read) -> tuple[bool, ...]:
    """Whether each person's first portrait is nearest to their second."""
    return metrics.nearest_own(metrics.likenesses(first.embeddings, second.embeddings))


def _read(faces: MiniFaces, people: Sequence[Person], dice: Dice) -> _Read:
    """Reads a new portrait of each of the people; of several faces found, the largest."""
    embeddings: list[np.ndarray] = []
    attributes: list[Mapping[str, str] | None] = []
    finds = 0
    for person in people:
        size = round(dice.between(_SMALLEST, _LARGEST))
        picture = draw_portrait(person, seed=dice.seed(), size=size).picture
        found = faces.analyze(picture)
        embeddings.append(face_direction(found[0] if found else None))
        attributes.append(faces.read_attributes(picture, found[0].box) if found else None)
        finds += len(found)
    return _Read(np.stack(embeddings), tuple(attributes), finds)
