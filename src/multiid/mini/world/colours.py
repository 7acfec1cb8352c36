"""The colours of the world, as red, green and blue from 0 to 255, far enough apart to be told at a few pixels."""

from collections.abc import Mapping

__all__ = ["CLOTHES", "EYES", "HAIR", "INK", "SKIN", "TROUSERS", "Colour", "darker", "lighter", "mixed"]

Colour = tuple[int, int, int]

INK: Colour = (50, 36, 48)
"""Outlines."""

HAIR: Mapping[str, Colour] = {
    "black": (38, 34, 46),
    "brown": (116, 68, 34),
    "ginger": (232, 112, 24),
    "crimson": (182, 22, 52),
    "blonde": (250, 214, 92),
    "pink": (250, 128, 184),
    "blue": (44, 92, 222),
    "green": (52, 164, 84),
    "grey": (142, 144, 152),
    "white": (244, 244, 246),
    "lilac": (176, 136, 226),
}
SKIN: Mapping[str, Colour] = {
    "porcelain": (255, 230, 212),
    "peach": (250, 200, 160),
    "honey": (226, 164, 108),
    "bronze": (190, 124, 74),
    "umber": (146, 90, 56),
    "ebony": (88, 54, 42),
}
EYES: Mapping[str, Colour] = {
    "brown": (104, 52, 20),
    "blue": (40, 130, 240),
    "green": (30, 160, 60),
    "amber": (240, 160, 0),
}
CLOTHES: Mapping[str, Colour] = {
    "red": (208, 44, 48),
    "orange": (242, 132, 36),
    "yellow": (248, 212, 64),
    "green": (48, 150, 76),
    "blue": (48, 92, 206),
    "purple": (138, 68, 180),
    "white": (244, 244, 240),
    "black": (48, 48, 56),
}
"""The colour words of clothes."""

TROUSERS: tuple[Colour, ...] = ((70, 84, 122), (164, 138, 104), (112, 112, 122))


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """The first colour with that share of the second."""
    return (
        round(one[0] + (other[0] - one[0]) * share),
        round(one[1] + (other[1] - one[1]) * share),
        round(one[2] + (other[2] - one[2]) * share),
    )


def darker(colour: Colour, share: float = 0.2) -> Colour:
    """The colour in shade: towards a dark violet, which looks warmer than black."""
    return mixed(colour, (40, 16, 50), share)


def lighter(colour: Colour, share: float = 0.3) -> Colour:
    """The colour in light."""
    return mixed(colour, (255, 252, 240), share)
