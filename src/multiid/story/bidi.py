"""The order in which pieces of a line stand that runs both ways (Unicode's bidirectional algorithm, annex 9).

raqm orders the letters within one font by itself; this orders the pieces where several fonts share a line. Explicit
embeddings and isolates are left out (rules X1 to X10): their marks are passed over.
"""

import unicodedata
from collections.abc import Sequence
from itertools import groupby, pairwise

from fontTools.unicodedata import mirrored

__all__ = ["levels", "visual_runs"]

_PASSED_OVER = frozenset(("BN", "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"))
_NEUTRAL = frozenset(("B", "S", "WS", "ON"))


def visual_runs(text: str, *, leftwards: bool, parted_at: Sequence[int] = ()) -> tuple[tuple[int, int, bool], ...]:
    """A line's pieces of one direction from left to right (rule L2).

    Args:
        text: One line.
        leftwards: Whether its paragraph runs from right to left.
        parted_at: Further indices at which pieces end, rising.

    Returns:
        Start and end of each piece in the text, and whether it runs from right to left.
    """
    found = levels(text, leftwards=leftwards)
    cuts = sorted({0, len(text), *parted_at} | {i for i in range(1, len(text)) if found[i] != found[i - 1]})
    pieces = [(start, end, found[start]) for start, end in pairwise(cuts) if start < end]
    for level in range(max(found, default=0), 0, -1):
        ordered: list[tuple[int, int, int]] = []
        for high, group in groupby(pieces, key=lambda piece: piece[2] >= level):
            members = list(group)
            ordered += reversed(members) if high else members
        pieces = ordered
    return tuple((start, end, bool(level % 2)) for start, end, level in pieces)


def levels(text: str, *, leftwards: bool) -> list[int]:
    """How deep each character is embedded: an even level runs to the right, an odd one to the left (rules W1 to I2)."""
    base = int(leftwards)
    towards = "R" if leftwards else "L"
    kinds = [unicodedata.bidirectional(character) or "L" for character in text]
    seen = [index for index, kind in enumerate(kinds) if kind not in _PASSED_OVER]
    weak = _weak([kinds[index] for index in seen], towards)
    resolved = _neutral(_brackets([text[index] for index in seen], weak, towards), towards)
    raised = {"L": base % 2, "R": 1 - base % 2, "AN": 2 - base % 2, "EN": 2 - base % 2}
    found = [base] * len(text)
    for index, kind in zip(seen, resolved, strict=True):
        found[index] = base + raised[kind]
    for index, kind in enumerate(kinds):
        if kind in _PASSED_OVER and index > 0:
            found[index] = found[index - 1]
    return found


def _weak(kinds: list[str], towards: str) -> list[str]:
    """Marks, numbers and what stands about numbers (rules W1 to W7)."""
    kinds = kinds.copy()
    for index, kind in enumerate(kinds):
        if kind == "NSM":  # W1
            kinds[index] = kinds[index - 1] if index else towards
    strong = towards
    for index, kind in enumerate(kinds):
        if kind in ("L", "R", "AL"):
            strong = kind
        elif kind == "EN" and strong == "AL":  # W2
            kinds[index] = "AN"
    kinds = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    for index in range(1, len(kinds) - 1):  # W4
        before, kind, after = kinds[index - 1 : index + 2]
        if before == after and ((kind in ("ES", "CS") and before == "EN") or (kind == "CS" and before == "AN")):
            kinds[index] = before
    start = 0
    for kind, group in groupby(list(kinds)):  # W5
        end = start + len(list(group))
        if kind == "ET" and ("EN" in kinds[end : end + 1] or "EN" in kinds[max(start - 1, 0) : start]):
            kinds[start:end] = ["EN"] * (end - start)
        start = end
    kinds = ["ON" if kind in ("ES", "ET", "CS") else kind for kind in kinds]  # W6
    strong = towards
    for index, kind in enumerate(kinds):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":  # W7
            kinds[index] = "L"
    return kinds


def _brackets(characters: list[str], kinds: list[str], towards: str) -> list[str]:
    """Both brackets of a pair run the way of what is between them (rule N0)."""
    kinds = kinds.copy()
    for first, last in _pairs(characters, kinds):
        inside = {_side(kind) for kind in kinds[first + 1 : last] if kind not in _NEUTRAL}
        if inside:
            before = next((_side(kind) for kind in reversed(kinds[:first]) if kind not in _NEUTRAL), towards)
            kinds[first] = kinds[last] = towards if towards in inside else before
    return kinds


def _pairs(characters: list[str], kinds: list[str]) -> list[tuple[int, int]]:
    """Where brackets open and close, in the order in which they open (rule BD16)."""
    found: list[tuple[int, int]] = []
    opened: list[int] = []
    for index, character in enumerate(characters):
        category = unicodedata.category(character) if kinds[index] == "ON" else ""
        if category == "Ps":
            opened.append(index)
        elif category == "Pe":
            closed = [depth for depth, start in enumerate(opened) if mirrored(ord(characters[start])) == ord(character)]
            if closed:
                found.append((opened[closed[-1]], index))
                del opened[closed[-1] :]
    return sorted(found)


def _neutral(kinds: list[str], towards: str) -> list[str]:
    """Blanks and marks between letters go with both neighbours, or with the paragraph (rules N1 and N2)."""
    kinds = kinds.copy()
    start = 0
    for neutral, group in groupby(list(kinds), key=lambda kind: kind in _NEUTRAL):
        end = start + len(list(group))
        if neutral:
            before = _side(kinds[start - 1]) if start else towards
            after = _side(kinds[end]) if end < len(kinds) else towards
            kinds[start:end] = [before if before == after else towards] * (end - start)
        start = end
    return kinds


def _side(kind: str) -> str:
    return "L" if kind == "L" else "R"
