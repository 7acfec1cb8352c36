"""Who lives in the world: people by their attributes, from a seed, and look-alikes."""

import itertools
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from multiid.mini.world.dice import Dice

__all__ = [
    "ATTRIBUTES",
    "VALUES",
    "Person",
    "differences",
    "gather",
    "is_held_out",
    "look_alike",
    "make_person",
    "options",
]

VALUES: Mapping[str, tuple[str, ...]] = {
    "gender": ("female", "male"),
    "age": ("child", "adult", "elder"),
    "hair_colour": (
        "black", "brown", "ginger", "crimson", "blonde", "pink", "blue", "green",
        "grey", "white", "lilac",
    ),
    "hair_style": (
        "crop", "spiky", "quiff", "mohawk", "tufts", "curly", "long", "bob", "ponytail", "bun", "pigtails", "braids",
    ),
    "skin": ("porcelain", "peach", "honey", "bronze", "umber", "ebony"),
    "eyes": ("brown", "blue", "green", "amber"),
    "glasses": ("none", "round", "square", "dark"),
    "beard": ("none", "stubble", "short", "full", "moustache"),
    "face": ("round", "square", "oval", "heart"),
}  # fmt: skip
"""Every attribute and all it may be."""

_ELDERS_HAIR = ("grey", "white", "lilac")
_STYLES: dict[str, tuple[str, ...]] = {
    "male": ("crop", "spiky", "quiff", "mohawk", "tufts", "curly", "long"),
    "female": ("spiky", "curly", "long", "bob", "ponytail", "bun", "pigtails", "braids"),
}
_NOUNS = {
    ("male", "child"): "boy", ("male", "adult"): "man", ("male", "elder"): "old man",
    ("female", "child"): "girl", ("female", "adult"): "woman", ("female", "elder"): "old woman",
}  # fmt: skip
_AGE_WEIGHTS = (0.25, 0.5, 0.25)
_BARE = 2.0  # a face without glasses or beard is as frequent as two kinds of them


@dataclass(frozen=True, kw_only=True)
class Person:
    """One person's identity: what every picture of them shows alike. `VALUES` and `options` say what may be.

    Raises:
        ValueError: when a value is unknown, or does not go with the gender and age.
    """

    gender: str
    age: str
    hair_colour: str
    hair_style: str
    skin: str
    eyes: str
    glasses: str
    beard: str
    face: str

    def __post_init__(self) -> None:
        for attribute in ATTRIBUTES:
            value = getattr(self, attribute)
            allowed = options(attribute, gender=self.gender, age=self.age)
            if value not in allowed:
                raise ValueError(
                    f"{attribute}: expected one of {', '.join(allowed)} for {self.gender}, {self.age}, but got {value}"
                )

    @property
    def noun(self) -> str:
        """The class noun: man, woman, boy, girl, old man or old woman."""
        return _NOUNS[self.gender, self.age]


ATTRIBUTES: tuple[str, ...] = tuple(field.name for field in fields(Person))
"""The names of a person's attributes."""


def options(attribute: str, *, gender: str, age: str) -> tuple[str, ...]:
    """What an attribute may be for people of a gender and an age: elders' hair has turned, beards are men's."""
    if attribute == "hair_colour":
        return tuple(colour for colour in VALUES[attribute] if (colour in _ELDERS_HAIR) == (age == "elder"))
    if attribute == "hair_style":
        return tuple(style for style in _STYLES.get(gender, ()) if style != "tufts" or age != "child")
    if attribute == "beard" and (gender != "male" or age == "child"):
        return ("none",)
    return VALUES[attribute]


def make_person(seed: int, *, gender: str | None = None, age: str | None = None) -> Person:
    """The person of a seed; gender and age may be asked for.

    Raises:
        ValueError: when the gender or age is unknown.
    """
    dice = Dice("person", seed)
    drawn_gender, drawn_age = dice.pick(VALUES["gender"]), dice.pick(VALUES["age"], _AGE_WEIGHTS)
    gender, age = gender or drawn_gender, age or drawn_age
    chosen: dict[str, str] = {}
    for attribute in ATTRIBUTES[2:]:
        allowed = options(attribute, gender=gender, age=age)
        chosen[attribute] = dice.pick(allowed, [_BARE if value == "none" else 1.0 for value in allowed])
    return Person(gender=gender, age=age, **chosen)


def differences(one: Person, other: Person) -> tuple[str, ...]:
    """The attributes in which two people differ; its length is how well they can be told apart."""
    return tuple(name for name in ATTRIBUTES if getattr(one, name) != getattr(other, name))


def look_alike(person: Person, changes: int, *, seed: int) -> Person:
    """Somebody of the same noun who differs in exactly that many attributes.

    Raises:
        ValueError: when so many cannot change; six can, and seven in a grown man.
    """
    changeable = [
        name for name in ATTRIBUTES[2:] if len(options(name, gender=person.gender, age=person.age)) > 1
    ]  # fmt: skip
    if not 1 <= changes <= len(changeable):
        raise ValueError(f"changes: expected 1 to {len(changeable)} for a {person.noun}, but got {changes}")
    dice = Dice("look-alike", seed)
    changed: dict[str, str] = {}
    for name in dice.some(changeable, changes):
        allowed = options(name, gender=person.gender, age=person.age)
        changed[name] = dice.pick([value for value in allowed if value != getattr(person, name)])
    return replace(person, **changed)


def is_held_out(person: Person) -> bool:
    """Whether nothing is ever trained on this person: one in ten, decided by all attributes together."""
    return zlib.crc32(" ".join(getattr(person, name) for name in ATTRIBUTES).encode()) % 10 == 0


def gather(count: int, *, seed: int, apart: int = 2) -> list[Person]:
    """That many people of whom any two differ in at least `apart` attributes.

    Raises:
        ValueError: when so many so different people are not found; the message says how many were.
    """
    if not 1 <= apart <= len(ATTRIBUTES):
        raise ValueError(f"apart: expected 1 to {len(ATTRIBUTES)}, but got {apart}")
    dice = Dice("gathering", seed)
    people: list[Person] = []
    # Two people differ in fewer than `apart` attributes if they agree in all of some choice of the others.
    kept = list(itertools.combinations(range(len(ATTRIBUTES)), len(ATTRIBUTES) - apart + 1))
    taken: set[tuple[tuple[int, ...], tuple[str, ...]]] = set()
    refused = 0
    while len(people) < count:
        person = make_person(dice.seed())
        values = [getattr(person, name) for name in ATTRIBUTES]
        keys = [(places, tuple(values[place] for place in places)) for places in kept]
        if not taken.isdisjoint(keys):
            refused += 1
            if refused > 100 * (count + 100):
                raise ValueError(f"count: expected at most {len(people)} people that far apart, but got {count}")
            continue
        taken.update(keys)
        people.append(person)
    return people
