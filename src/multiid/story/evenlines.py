"""Even lines: a text's pieces shared out among lines so that they come nearest to a wanted shape.

Each number of lines is solved exactly by dynamic programming, as Knuth and Plass break paragraphs ("Breaking Paragraphs
into Lines", 1981), with the squared distance from the wanted widths for their badness.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["EvenLines", "Form", "Measured"]

Form = Literal["box", "lens"]
"""Lines as even as can be, or longest in the middle as a balloon is round."""

_LENS = 0.8
"""How far up the ellipse the middle of the first line of very many stands; 1 is its top, where lines have no width."""

_PARTED_WORD = 0.1
"""What a line end within a word costs: as much as a line that is a third too long or too short."""


@dataclass(frozen=True)
class Measured:
    """A piece's widths in pixels."""

    width: float
    gap: float
    """Between it and the next piece of the same line."""
    hyphen: float
    """What it is wider by where it ends a line."""
    inside_word: bool
    """Whether a line that ends after it parts a word."""
    ends_paragraph: bool
    """Whether a line must end after it."""


class EvenLines:
    """The ways to share pieces out among lines.

    Args:
        pieces: In order, at least one; the last ends a paragraph.
        widest: No line is wider, in pixels.
    """

    def __init__(self, pieces: Sequence[Measured], *, widest: float) -> None:
        self._spans = _spans(pieces, widest)
        self._length = sum(piece.width + piece.gap for piece in pieces)
        self._parting = np.array(
            [_PARTED_WORD if piece.inside_word and not piece.ends_paragraph else 0.0 for piece in pieces]
        )

    @property
    def counts(self) -> range:
        """How many lines there can be: every number between the fewest and one for each piece.

        Empty where a piece alone is too wide.
        """
        if not np.isfinite(np.diagonal(self._spans)).all():
            return range(0)
        fewest = [0]
        for reachable in np.isfinite(self._spans).T:
            fewest.append(fewest[int(np.argmax(reachable))] + 1)
        return range(fewest[-1], len(self._spans) + 1)

    def ends(self, lines: int, *, form: Form) -> tuple[int, ...]:
        """The pieces shared out among so many lines, one of `counts`, nearest to the form.

        Returns:
            For each line the index after its last piece.
        """
        shares = _shares(lines, form)
        full = self._full(shares)
        costs = np.concatenate([[0.0], np.full(len(self._spans), np.inf)])
        befores: list[np.ndarray] = []
        for share in shares:
            # What the lines so far cost when this one goes from one piece to another.
            totals = costs[:-1, None] + (self._spans / full - share) ** 2 + self._parting[None, :]
            befores.append(np.argmin(totals, axis=0))
            costs = np.concatenate([[np.inf], np.min(totals, axis=0)])
        found = [len(self._spans)]
        for before in reversed(befores):
            found.append(int(before[found[-1] - 1]))
        return tuple(reversed(found[:-1]))

    def unevenness(self, ends: Sequence[int], *, form: Form) -> float:
        """How far lines are from the form, which is what `ends` keeps least: 0 is the form itself, 0.3 looks ragged.

        Args:
            ends: For each line the index after its last piece.
            form: Lines as even as can be, or longest in the middle.
        """
        shares = _shares(len(ends), form)
        lasts = np.array(ends) - 1
        widths = self._spans[[0, *ends[:-1]], lasts]
        return float(((widths / self._full(shares) - shares) ** 2 + self._parting[lasts]).sum())

    def _full(self, shares: Sequence[float]) -> float:
        """How wide the widest line there could be is, when the words fill the form."""
        return max(self._length / sum(shares), 1e-9)


def _spans(pieces: Sequence[Measured], widest: float) -> np.ndarray:
    """The width of the line from one piece to another; infinite where that is no line."""
    starts = np.concatenate([[0.0], np.cumsum([piece.width + piece.gap for piece in pieces])])
    ends = starts[:-1] + np.array([piece.width + piece.hyphen for piece in pieces])
    spans = ends[None, :] - starts[:-1, None]
    paragraphs = np.concatenate([[0], np.cumsum([piece.ends_paragraph for piece in pieces])])[:-1]
    first, last = np.indices(spans.shape)
    allowed = (first <= last) & (paragraphs[:, None] == paragraphs[None, :]) & (spans <= widest)
    return np.where(allowed, spans, np.inf)


def _shares(lines: int, form: Form) -> list[float]:
    """The widths of lines beside the widest there could be: an ellipse's at the middle of each line, or all alike."""
    if form == "box":
        return [1.0] * lines
    return [math.sqrt(1 - (_LENS * (2 * line + 1 - lines) / lines) ** 2) for line in range(lines)]
