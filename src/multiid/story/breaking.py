"""Where a line may end: at blanks, after hyphens, at soft hyphens, and between Chinese and Japanese characters."""

# ruff: noqa: RUF001 - marks that look alike are told apart here

import re
from dataclasses import dataclass
from itertools import pairwise

from multiid.story.writing import clusters, ideographic

__all__ = ["Piece", "pieces"]

_BLANKS = re.compile(r"([ \u1680\u2000-\u2006\u2008-\u200a\u205f\u3000]+|\u200b)")
"""Where a line may end; no-break spaces are not among them. The zero-width space is for writing without blanks."""

_HYPHENS = re.compile(r"(?<=\w)(?:[\u2010\u2013\u2014\u058a\u05be]+|-(?=\D)|-{2,})(?=[\w“‘«(])")
_SOFT_HYPHEN = "\u00ad"
_GLUE = "\u2060\u2011\u00a0\u202f\ufeff"

_NOT_FIRST = frozenset(
    "!%),.:;?]}¢°·’”»›‐–—†‡•…‰′″℃、。〃々〕〗〙〛〉》」』】〜〞〟゛゜ゝゞ・ーヽヾ‥‼⁇⁈⁉ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ"
    "ㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ！％），．：；？］｝｠｡｣､･～￠"
)
"""May not begin a line of Chinese or Japanese: closing marks, small kana, the marks of repetition and length."""

_NOT_LAST = frozenset("$([{£¥‘“«‹〈《「『【〔〖〘〚〝（［｛｟｢＄￡￥")
"""May not end one: opening marks and signs of currency."""

_PAIRS = frozenset("…‥—―")
"""Are not parted from one another."""

_CLOSING_WORD = re.compile(r"[!?:;»›%)\].,]+")
_OPENING_WORD = re.compile(r"[«‹(\[¿¡]+")


@dataclass(frozen=True)
class Piece:
    """What is never parted, and what follows it."""

    text: str
    gap: str = ""
    """Between it and the next piece of the same line."""
    hyphen: str = ""
    """Drawn after it where it ends a line within a word."""
    inside_word: bool = False
    """Whether a line that ends after it parts a word: at a hyphen, soft or hard."""


def pieces(paragraph: str) -> tuple[Piece, ...]:
    """A paragraph in the pieces that lines are made of; one empty piece for an empty paragraph.

    Words of the alphabets are parted at their hyphens only, soft ones (U+00AD) among them. Between Chinese and Japanese
    characters a line may end anywhere but before closing and after opening marks (the basic rules of kinsoku shori).
    Korean is parted at blanks, Thai, Lao, Khmer and Burmese at blanks and zero-width spaces (U+200B).
    """
    found: list[Piece] = []
    parts = _BLANKS.split(paragraph)
    for word, blank in zip(parts[::2], [*parts[1::2], ""], strict=True):
        gap = blank.replace("\u200b", "")
        inside = _within_word(word)
        stuck = found and (_CLOSING_WORD.fullmatch(word) or _OPENING_WORD.fullmatch(found[-1].text))
        if stuck or not word:
            last = found.pop() if found else Piece("")
            inside[0] = Piece(last.text + last.gap + inside[0].text, "", inside[0].hyphen, inside[0].inside_word)
        found += [*inside[:-1], Piece(inside[-1].text, gap)]
    return tuple(found)


def _within_word(word: str) -> list[Piece]:
    """A word without blanks, parted where a line may end; at least one piece."""
    found: list[Piece] = []
    for number, part in enumerate(syllables := word.split(_SOFT_HYPHEN)):
        texts = [text for half in _at_hyphens(part) for text in _between_characters(half)]
        texts = [text.replace("\u2060", "") for text in texts]
        soft = number < len(syllables) - 1
        for text in texts[:-1]:
            found.append(Piece(text, inside_word=_SOFT_HYPHEN in word or not ideographic(text[-1])))
        found.append(Piece(texts[-1], hyphen="-" if soft else "", inside_word=soft))
    return found


def _at_hyphens(word: str) -> list[str]:
    ends = [match.end() for match in _HYPHENS.finditer(word)]
    return [word[start:end] for start, end in pairwise([0, *ends, len(word)])]


def _between_characters(text: str) -> list[str]:
    if text.isascii():
        return [text]
    parts = clusters(text) or ("",)
    found = [parts[0]]
    for before, part in pairwise(parts):
        if _may_part(before, part):
            found.append(part)
        else:
            found[-1] += part
    return found


def _may_part(before: str, part: str) -> bool:
    last, first = before[0], part[0]
    return (
        (ideographic(last) or ideographic(first))
        and first not in _NOT_FIRST
        and last not in _NOT_LAST
        and not (before[-1] in _GLUE or first in _GLUE)
        and not (last in _PAIRS and first in _PAIRS)
    )
