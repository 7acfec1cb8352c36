"""Who is in the demonstration, what they wear and where they are: decided by a seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import PIL.Image

from multiid.errors import SceneError
from multiid.mini.world.colours import CLOTHES
from multiid.mini.world.dice import Dice
from multiid.mini.world.people import Person, differences, is_held_out, make_person
from multiid.mini.world.portrait import draw_portrait
from multiid.mini.world.words import GARMENTS, PLACES, Clothes
from multiid.poses.templates import load_template
from multiid.prompts import Subject, name_all

__all__ = ["Guest", "Plan", "plan_demo"]

_NAMES = {
    "female": ("ada", "emmy", "grace", "lise", "maria", "rosa", "sophie", "vera"),
    "male": ("alan", "carl", "emil", "isaac", "leo", "max", "nikola", "otto"),
}
_PORTRAIT = 96  # pixels
_GIVEN, _KEPT = 2, 4  # portraits for the generator, and others to measure against
_CANDIDATES = 300  # of which one in ten is held out
_HEAVY = ("square", "dark")  # glasses that hide the eyes
_MOST = 8  # people that a sheet has room for
_PEOPLE = 4
_TEMPLATES = {
    1: "single-portrait", 2: "couple-standing", 3: "family-three", 4: "family-four", 5: "family-five",
    6: "friends-six", 7: "family-seven", 8: "team-eight",
}  # fmt: skip
"""The pose for so many people."""


@dataclass(frozen=True, eq=False)
class Guest:
    """Somebody in the picture.

    Attributes:
        name: what the prompt calls them.
        person: what they look like; nothing was trained on this person.
        clothes: what they wear.
        portraits: what the generator is given.
        kept: other portraits of theirs, which it never gets, to measure against.
    """

    name: str
    person: Person
    clothes: Clothes
    portraits: tuple[PIL.Image.Image, ...]
    kept: tuple[PIL.Image.Image, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """What the demonstration makes.

    Attributes:
        template: name of the pose template.
        guests: from left to right, one for each of its places but those of extras.
        prompt: the scene in words, "{name}" standing for somebody.
        seed: of the pictures.
    """

    template: str
    guests: tuple[Guest, ...]
    prompt: str
    seed: int


def plan_demo(*, seed: int, people: int | None = None, template: str | None = None) -> Plan:
    """The demonstration of a seed.

    Args:
        seed: decides everything that is not asked for.
        people: how many; as many as the template is made for unless given.
        template: name of a pose template; one for so many, or family-four, unless given. Nobody is invited to the
            places of extras.

    Raises:
        SceneError: when the template is for another number of people or for more than 8, shows somebody from behind,
            or none is for that many.
        TemplateError: when there is no such template.
    """
    template = template or _template_for(people)
    pose = load_template(template).pose()
    places = [place for place in pose.places if not place.extra]
    if people is not None and people != len(places):
        raise SceneError(
            f"Expected as many people as {template} is for, {len(places)}, but got {people}: leave one of the two out."
        )
    if len(places) > _MOST:
        raise SceneError(f"Expected a template for at most {_MOST} people, but {template} is for {len(places)}.")
    unseen = [index for index, place in enumerate(places) if place.skeleton.face_box(pose.size) is None]
    if unseen:
        raise SceneError(
            f"Expected a template in which every face is seen, but in {template} that of place {unseen[0]} is not: "
            "the demonstration compares faces."
        )
    dice = Dice("demo", seed)
    names = {gender: dice.some(names, len(names)) for gender, names in _NAMES.items()}
    colours = dice.some(tuple(CLOTHES), len(CLOTHES))
    guests: list[Guest] = []
    for place in places:
        person = _somebody(place.role, [guest.person for guest in guests], dice)
        garment = dice.pick(GARMENTS if person.gender == "female" else GARMENTS[:2])
        clothes = Clothes(colours[len(guests) % len(colours)], garment)
        pictures = [
            draw_portrait(person, seed=dice.seed(), size=_PORTRAIT).picture for _ in range(_GIVEN + _KEPT)
        ]  # fmt: skip
        name = names[person.gender].pop()
        guests.append(Guest(name, person, clothes, tuple(pictures[:_GIVEN]), tuple(pictures[_GIVEN:])))
    return Plan(template, tuple(guests), _prompt(guests, dice.pick(tuple(PLACES.values()))), seed)


def _template_for(people: int | None) -> str:
    people = _PEOPLE if people is None else people
    if people not in _TEMPLATES:
        raise SceneError(f"Expected 1 to {max(_TEMPLATES)} people, or a template, but got {people} people.")
    return _TEMPLATES[people]


def _somebody(role: str, others: Sequence[Person], dice: Dice) -> Person:
    """Of many whom nothing was trained on the one who is told most easily from the others, and whose eyes are seen."""
    candidates = [make_person(dice.seed(), age=role) for _ in range(_CANDIDATES)]
    return max(filter(is_held_out, candidates), key=lambda person: _distinctness(person, others))


def _distinctness(person: Person, others: Sequence[Person]) -> tuple[int, ...]:
    """What matters to whoever looks, the weightiest first: eyes that are seen, hair, and then everything."""
    worn = person.glasses != "none"
    hidden = person.glasses in _HEAVY or (worn and any(other.glasses != "none" for other in others))
    hair = sum((person.hair_colour == other.hair_colour) + (person.hair_style == other.hair_style) for other in others)
    nearest = min((len(differences(person, other)) for other in others), default=0)
    return -int(hidden), -hair, nearest


def _prompt(guests: list[Guest], place: str) -> str:
    return f"{name_all([Subject(guest.name, guest.person.noun) for guest in guests])} {place}"
