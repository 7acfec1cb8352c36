"""What is made and measured: scenes of people whom nothing was trained on, each from its number."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import PIL.Image

from multiid.mini.world.dice import Dice
from multiid.mini.world.groups import LEARNT_TEMPLATES, make_group
from multiid.mini.world.people import Person, differences, is_held_out, look_alike, make_person
from multiid.mini.world.portrait import draw_portrait
from multiid.mini.world.scene import Cast, Scene, cast_pose, draw_scene
from multiid.mini.world.words import describe_scene
from multiid.pipeline.presets import find_preset
from multiid.poses.skeleton import Pose
from multiid.poses.templates import load_template

__all__ = [
    "KINDS",
    "UNSEEN",
    "Kind",
    "Trial",
    "draw_photos",
    "draw_references",
    "find_look_alikes",
    "find_strangers",
    "make_trial",
]

Kind = Literal["random", "overlapping", "look-alikes"]
KINDS: tuple[Kind, ...] = ("random", "overlapping", "look-alikes")
"""Random people side by side or in rows; random people whose heads share about 30 % of their width; people who differ
from the first of them in one or two attributes."""

UNSEEN = 2_000_000
"""The first seed of what is measured; training uses smaller ones."""

_TEMPLATES_SHARE = 4  # one random scene in so many is one of the library's poses
_PHOTOS = 2  # of each person, for the generator
_REFERENCES = 4  # others, to score against
_PORTRAIT = 96  # pixels
_TRIES = 80  # to find one more look-alike before starting over


@dataclass(frozen=True)
class Trial:
    """One scene to make.

    Attributes:
        kind: how people are chosen and placed.
        count: of people.
        index: which of the scenes of this kind and count.
        pose: where people stand, on a canvas of the picture's size.
        cast: who they are, what they wear and where.
        seed: of the true render and of the generated picture.
        exchanged: which person is exchanged in the swap test.
        newcomer: who takes their place, of the same noun.
    """

    kind: Kind
    count: int
    index: int
    pose: Pose
    cast: Cast
    seed: int
    exchanged: int
    newcomer: Person

    @property
    def names(self) -> tuple[str, ...]:
        """What the prompt calls the people."""
        return tuple(f"p{number}" for number in range(1, self.count + 1))

    @property
    def prompt(self) -> str:
        """The scene in words, such as "a {p1} and a {p2} at the beach"."""
        text = describe_scene([person.noun for person in self.cast.people], self.cast.place)
        start = 0
        for name, person in zip(self.names, self.cast.people, strict=True):
            start = text.index(f" {person.noun}", start) + 1
            text = f"{text[:start]}{{{name}}}{text[start + len(person.noun) :]}"
        return text

    def with_newcomer(self) -> "Trial":
        """The same scene after the exchange."""
        people = list(self.cast.people)
        people[self.exchanged] = self.newcomer
        return replace(self, cast=replace(self.cast, people=tuple(people)))

    def truth(self) -> Scene:
        """The true render."""
        return draw_scene(self.pose, self.cast, seed=self.seed)


def make_trial(kind: Kind, count: int, index: int, *, template: str | None = None) -> Trial:
    """A trial; the same arguments give the same one.

    Args:
        kind: how people are chosen, and how they are placed where there is no template.
        count: of people.
        index: which one.
        template: the name of a pose template with so many places, in place of a pose of its own.

    Raises:
        TemplateError: when there is no such template.
    """
    dice = Dice(f"figures, {kind}, {count}", UNSEEN + index)
    pose = _pose(kind, count, index, dice) if template is None else _sized(load_template(template).pose())
    cast = cast_pose(pose, seed=dice.seed())
    if kind == "look-alikes":
        people = find_look_alikes(count, age=pose.places[0].role, dice=dice)
        # A dress is a woman's; coats and shirts suit everybody.
        clothes = tuple(replace(worn, garment=dice.pick(("coat", "shirt"))) for worn in cast.clothes)
        cast = replace(cast, people=people, clothes=clothes)
    else:
        cast = replace(cast, people=find_strangers(cast.people, dice))
    exchanged = dice.pick(range(count))
    leaves = cast.people[exchanged]
    newcomer = _stranger(leaves, (*cast.people,), dice)
    return Trial(kind, count, index, pose, cast, UNSEEN + index, exchanged, newcomer)


def draw_photos(person: Person, *, seed: int, count: int = _PHOTOS) -> list[PIL.Image.Image]:
    """So many portraits of somebody that the generator gets; fewer are the first ones of more."""
    return _portraits(person, Dice("figures, photos", seed), count)


def draw_references(person: Person, *, seed: int, count: int = _REFERENCES) -> list[PIL.Image.Image]:
    """So many portraits of somebody that the generator never gets."""
    return _portraits(person, Dice("figures, references", seed), count)


def _portraits(person: Person, dice: Dice, count: int) -> list[PIL.Image.Image]:
    return [draw_portrait(person, seed=dice.seed(), size=_PORTRAIT).picture for _ in range(count)]


def _pose(kind: Kind, count: int, index: int, dice: Dice) -> Pose:
    if kind == "random" and index % _TEMPLATES_SHARE == 0 and _templates(count):
        return dice.pick(_templates(count))
    while True:
        pose = make_group(count, dice.seed(), overlap=kind == "overlapping")
        # Look-alikes are all of one age, and so their bodies.
        if kind != "look-alikes" or len({place.role for place in pose.places}) == 1:
            return pose


@cache
def _templates(count: int) -> tuple[Pose, ...]:
    """The library's poses for that many people, at the miniature's size."""
    poses = [load_template(name).pose() for name in LEARNT_TEMPLATES]
    return tuple(_sized(pose) for pose in poses if len(pose.places) == count)


def _sized(pose: Pose) -> Pose:
    """A pose at the miniature's size."""
    area = find_preset("mini").defaults.area
    return pose.fitted(area.scaled(pose.size, places=len(pose.places), multiple=8)) if area else pose


def find_strangers(models: Sequence[Person], dice: Dice) -> tuple[Person, ...]:
    """People of the models' nouns, on whom nothing was trained; any two differ in at least two attributes."""
    people: list[Person] = []
    for model in models:
        people.append(_stranger(model, people, dice))
    return tuple(people)


def _stranger(model: Person, others: Sequence[Person], dice: Dice) -> Person:
    while True:
        person = make_person(dice.seed(), gender=model.gender, age=model.age)
        if is_held_out(person) and all(len(differences(person, other)) >= 2 for other in others):
            return person


def find_look_alikes(count: int, *, age: str, dice: Dice) -> tuple[Person, ...]:
    """Somebody, and others who differ from them in one or two attributes; nothing was trained on any of them."""
    while True:
        people = [_stranger(make_person(dice.seed(), age=age), (), dice)]
        for _ in range(_TRIES):
            person = look_alike(people[0], dice.pick((1, 2)), seed=dice.seed())
            if is_held_out(person) and person not in people:
                people.append(person)
            if len(people) == count:
                return tuple(people)
