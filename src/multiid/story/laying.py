"""One line of words, laid out: which face sets what, and where, on one baseline."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from PIL import ImageDraw

from multiid.errors import StoryError
from multiid.story.bidi import visual_runs
from multiid.story.fontfiles import Face
from multiid.story.fonts import Cut, FontRun, Typeface
from multiid.story.writing import visible

__all__ = ["Colour", "LaidLine", "LaidRun", "lay_line", "measure_line"]

Colour = str | tuple[int, ...] | int


@dataclass(frozen=True)
class LaidRun:
    """A piece of a line that one face sets in one go."""

    text: str
    face: Face
    x: int
    """Where it begins, in pixels from the line's left end."""
    leftwards: bool


@dataclass(frozen=True)
class LaidLine:
    """A line about its own origin, the left end of its baseline; lengths in pixels, y downwards."""

    text: str
    typeface: Typeface
    size_px: float
    runs: tuple[LaidRun, ...]
    """From left to right."""
    advance: float
    """How far the letters reach on the baseline; their ink may reach further."""
    ascent: int
    """How far the fonts reach above the baseline."""
    descent: int
    """How far they reach below it."""
    ink: tuple[int, int, int, int] | None
    """Left, top, right and bottom of what is inked; None where nothing is."""

    def draw(self, pen: ImageDraw.ImageDraw, x: int, baseline: int, *, fill: Colour, thickness: float = 0.0) -> None:
        """Draw the line with its origin at a pixel, letters made thicker all around by so many pixels."""
        for run in self.runs:
            pen.text(
                (x + run.x, baseline),
                run.text,
                fill=fill,
                font=self.typeface.font(run.face, self.size_px),
                anchor="ls",
                stroke_width=thickness,
                stroke_fill=fill if thickness else None,
                direction=_direction(self.typeface, run.leftwards),
                language=_language(self.typeface),
            )


@lru_cache(maxsize=8192)
def lay_line(text: str, typeface: Typeface, size_px: float, *, cut: Cut, leftwards: bool) -> LaidLine:
    """Lay out a line.

    Args:
        text: Without line breaks.
        typeface: The fonts.
        size_px: Height of the em.
        cut: Which of the family's faces.
        leftwards: Whether its paragraph runs from right to left.

    Raises:
        StoryError: when no font at hand has a character, or a font that has it is damaged.
    """
    text = _shown(text, typeface)
    runs: list[LaidRun] = []
    boxes: list[tuple[int, int, int, int]] = []
    ascent, descent = typeface.font(typeface.regular, size_px).getmetrics()
    advance = 0.0
    for run, backwards in _in_order(typeface.runs(text, cut), leftwards):
        font = typeface.font(run.face, size_px)
        direction, language = _direction(typeface, backwards), _language(typeface)
        x = round(advance)
        runs.append(LaidRun(run.text, run.face, x, backwards))
        ascent, descent = (max(pair) for pair in zip((ascent, descent), font.getmetrics(), strict=True))
        # What is drawn is looked at: a font's own bounds take in the empty room on both sides of the letters.
        with _readable(run):
            mask, (left, top) = font.getmask2(run.text, "L", direction=direction, language=language, anchor="ls")
        inked = mask.getbbox()
        if inked is not None:
            boxes.append((x + left + inked[0], top + inked[1], x + left + inked[2], top + inked[3]))
        advance += _length(run, backwards, typeface, size_px)
    ink = None
    if boxes:
        lefts, tops, rights, bottoms = zip(*boxes, strict=True)
        ink = (min(lefts), min(tops), max(rights), max(bottoms))
    return LaidLine(text, typeface, size_px, tuple(runs), advance, ascent, descent, ink)


@lru_cache(maxsize=8192)
def measure_line(text: str, typeface: Typeface, size_px: float, *, cut: Cut, leftwards: bool) -> float:
    """How far a line's letters reach on the baseline, in pixels: its `advance`, found without drawing it.

    The arguments and errors are those of `lay_line`.
    """
    runs = _in_order(typeface.runs(_shown(text, typeface), cut), leftwards)
    return sum((_length(run, backwards, typeface, size_px) for run, backwards in runs), 0.0)


def _shown(text: str, typeface: Typeface) -> str:
    """What the layout is given: the basic one draws boxes for characters that have no glyph."""
    return text if typeface.shaping else visible(text)


def _length(run: FontRun, leftwards: bool, typeface: Typeface, size_px: float) -> float:
    with _readable(run):
        return typeface.font(run.face, size_px).getlength(
            run.text, direction=_direction(typeface, leftwards), language=_language(typeface)
        )


@contextmanager
def _readable(run: FontRun) -> Generator[None]:
    """Says so where FreeType refuses a font's outlines or hints."""
    try:
        yield
    except OSError as error:
        raise StoryError(
            f"Expected {run.face.path.name} to draw {run.text!r}, but: {error}; the file is damaged."
        ) from error


def _in_order(runs: tuple[FontRun, ...], leftwards: bool) -> list[tuple[FontRun, bool]]:
    """Runs from left to right, each with whether it runs leftwards; raqm itself orders what is within one."""
    if len(runs) <= 1:
        return [(run, leftwards) for run in runs]
    ends: list[int] = []
    for run in runs:
        ends.append((ends[-1] if ends else 0) + len(run.text))
    text = "".join(run.text for run in runs)
    faces = [run.face for run in runs for _ in run.text]
    return [
        (FontRun(text[start:end], faces[start]), backwards)
        for start, end, backwards in visual_runs(text, leftwards=leftwards, parted_at=ends)
    ]


def _direction(typeface: Typeface, leftwards: bool) -> str | None:
    """Which way raqm is told that a run goes; the basic layout knows one way only."""
    return ("rtl" if leftwards else "ltr") if typeface.shaping else None


def _language(typeface: Typeface) -> str | None:
    return typeface.language if typeface.shaping else None
