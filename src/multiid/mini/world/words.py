"""The words of the world: places, clothes and the phrases they make up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["GARMENTS", "PLACES", "Clothes", "describe_scene", "phrase"]

PLACES: Mapping[str, str] = {
    "beach": "at the beach",
    "garden": "in a garden",
    "snow": "in the snow",
    "night": "at night",
    "city": "in the city",
    "home": "at home",
    "forest": "in the forest",
    "desert": "in the desert",
    "mountains": "in the mountains",
    "moon": "on the moon",
}
"""Each place and how a caption says it."""

GARMENTS = ("coat", "shirt", "dress")
"""What people wear."""


@dataclass(frozen=True)
class Clothes:
    """What somebody wears in one picture: a colour of `colours.CLOTHES` and one of `GARMENTS`."""

    colour: str
    garment: str

    def __str__(self) -> str:
        article = "an" if self.colour[:1] in "aeiou" else "a"
        return f"in {article} {self.colour} {self.garment}"


def phrase(noun: str, clothes: Clothes | None = None) -> str:
    """A person in words, such as "an old woman in a red coat"."""
    article = "an" if noun[:1] in "aeiou" else "a"
    return f"{article} {noun}" + (f" {clothes}" if clothes else "")


def describe_scene(nouns: Sequence[str], place: str) -> str:
    """A caption such as "a man, a girl and an old woman at the beach"; `place` is a key of `PLACES`."""
    people = [phrase(noun) for noun in nouns]
    company = " and ".join([", ".join(people[:-1]), people[-1]] if len(people) > 1 else people)
    return f"{company} {PLACES[place]}".strip()
