"""Words into panels: sizes tried until everything fits, balloons placed, and all of it drawn."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from multiid.errors import StoryError
from multiid.geometry import Box
from multiid.story.aims import Aims, aims_at_edges, aims_at_face, aims_at_place, no_aims
from multiid.story.balloons import Form, Shape, TextLine, shape_around
from multiid.story.fonts import Cut, Typeface, find_typeface
from multiid.story.ink import draw_written
from multiid.story.placement import Placed, place_blocks
from multiid.story.places import Block, Ground, Reading
from multiid.story.script import Lettering, Panel
from multiid.story.seen import Seen
from multiid.story.sounds import fix_sounds, free_sounds, word_boxes
from multiid.story.tails import Bubble, bubbles_along, with_wedge
from multiid.story.typesetting import Block as TextBlock
from multiid.story.typesetting import pixels, shapes, sizes
from multiid.story.written import Balloon, Kind, Written

__all__ = ["letter_panel", "place_words"]

_FORMS: Mapping[Kind, Form] = {
    "speech": "rounded",
    "whisper": "rounded",
    "thought": "cloud",
    "shout": "burst",
    "narration": "box",
    "caption": "box",
}
_CUTS: Mapping[Kind, Cut] = {"shout": "bold", "thought": "oblique"}
_WHISPERED = 0.88  # of the size of other words
_LINE_MM = 0.35
_ASPECT = {"rounded": 1.9, "cloud": 1.7, "burst": 1.8, "box": 4.5}  # width by height that looks best
_ASPECT_COST = 3.0  # ems of tail, for a shape e times as wide or as high
_UNEVEN_COST = 5.0  # ems of tail, for each unit of unevenness of the lines
_SIZES = 3  # every third of the ladder: steps of 7 %
_CAPITALS = 0.72  # ems: the height of capitals
_BENEATH = 0.1  # ems: what descenders count for, which are few
_SHAPES = 4  # tried for each block, from the best
_PATIENCE = 6  # at the smallest size, before giving up


@dataclass(frozen=True)
class _Words:
    """What goes into one balloon or box."""

    kind: Kind
    text: str
    who: str | None = None
    edge: Literal["top", "bottom"] | None = None


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Words, and what they may look like."""

    words: _Words
    block: Block
    texts: tuple[TextBlock, ...]


def letter_panel(
    image: Image.Image,
    words: Panel,
    seen: Seen,
    *,
    lettering: Lettering,
    dpi: int,
    reading: Reading,
    where: str,
    folder: Path | None = None,
    language: str = "en",
    places: Mapping[str, tuple[float, float]] | None = None,
) -> Image.Image:
    """The picture with its panel's captions, dialogue and sound words.

    The arguments are those of `place_words`.

    Returns:
        An RGB picture of the same size.

    Raises:
        StoryError: when the words do not fit, the font lacks letters, or a sound word's place is on a face.
        ValueError: when what is seen is of a picture of another size.
    """
    if image.size != seen.size:
        raise ValueError(f"Expected faces seen in {image.size} pixels, but got {tuple(seen.size)}.")
    written = place_words(
        words,
        seen,
        lettering=lettering,
        dpi=dpi,
        reading=reading,
        where=where,
        folder=folder,
        language=language,
        places=places,
    )
    return draw_written(image, written, typeface=_typeface(words, lettering, folder, language))


def place_words(
    words: Panel,
    seen: Seen,
    *,
    lettering: Lettering,
    dpi: int,
    reading: Reading,
    where: str,
    folder: Path | None = None,
    language: str = "en",
    places: Mapping[str, tuple[float, float]] | None = None,
) -> Written:
    """Where a panel's words go, at the largest size that they fit in.

    Args:
        words: the panel.
        seen: the faces, in pixels of the picture that is written on.
        lettering: font and sizes.
        dpi: pixels per inch of the page, which points are turned into pixels with.
        reading: which way balloons follow one another.
        where: names the panel in errors: "page 1, panel 3".
        folder: that the font's file is relative to.
        language: of the words, as BCP 47 names it.
        places: where people are whose faces are not seen, in pixels, for tails to point at.

    Raises:
        StoryError: when the words do not fit, the font lacks letters, or a sound word's place is on a face.
    """
    try:
        typeface = _typeface(words, lettering, folder, language)
        return _written(words, seen, typeface, lettering, dpi, reading, places or {})
    except StoryError as error:
        raise StoryError(f"{where}: {error}") from error


def _written(
    words: Panel,
    seen: Seen,
    typeface: Typeface,
    lettering: Lettering,
    dpi: int,
    reading: Reading,
    places: Mapping[str, tuple[float, float]],
) -> Written:
    smallest = pixels(lettering.smallest, dpi)
    ladder = sizes(pixels(lettering.size, dpi), smallest)
    fixed = fix_sounds(words.sounds, seen, typeface, smallest=smallest)
    taken = tuple(Box(*box) for word in fixed.values() for box in word_boxes(word).tolist())
    everything = _in_reading_order(words, capitals=lettering.capitals)
    tries = [*((size_px, 1) for size_px in (*ladder[:-1:_SIZES], ladder[-1])), (ladder[-1], _PATIENCE)]
    for size_px, patience in tries:
        ground = Ground(seen.size, size_px, seen.boxes, taken, reading)
        found = [_candidates(each, words, seen, ground, typeface, smallest, places) for each in everything]
        candidates = [each for each in found if each is not None]
        if len(candidates) < len(everything):
            continue
        placed = place_blocks([each.block for each in candidates], ground, patience=patience)
        if placed is None:
            continue
        balloons = tuple(_balloon(each, place) for each, place in zip(candidates, placed, strict=True))
        sounds = free_sounds(words.sounds, fixed, seen, balloons, typeface, smallest=smallest, gap=ground.gap)
        if sounds is not None:
            return Written(seen.size, size_px, max(1.0, _LINE_MM * dpi / 25.4), balloons, sounds)
    raise StoryError(
        f"the words do not fit into {seen.size} pixels at {lettering.smallest:g} points without covering a face; "
        "shorten them, give the panel more room, or lower lettering.smallest"
    )


def _typeface(words: Panel, lettering: Lettering, folder: Path | None, language: str) -> Typeface:
    text = "\n".join(entry.text for entry in (*words.captions, *words.dialogue, *words.sounds))
    return find_typeface(
        lettering.font, folder=folder, text=text + text.upper() * lettering.capitals, language=language
    )


def _in_reading_order(words: Panel, *, capitals: bool) -> list[_Words]:
    top = [_Words("caption", caption.text, edge="top") for caption in words.captions if caption.where == "top"]
    foot = [_Words("caption", caption.text, edge="bottom") for caption in words.captions if caption.where == "bottom"]
    lines = [_Words(line.how, line.text.upper() if capitals else line.text, who=line.who) for line in words.dialogue]
    return [*top, *lines, *foot]


def _candidates(
    words: _Words,
    panel: Panel,
    seen: Seen,
    ground: Ground,
    typeface: Typeface,
    smallest: float,
    places: Mapping[str, tuple[float, float]],
) -> _Candidates | None:
    """What the words may look like, the best shapes first; None where none fits the panel."""
    form = _FORMS[words.kind]
    size_px = max(_WHISPERED * ground.em, smallest) if words.kind == "whisper" else ground.em
    texts = shapes(
        words.text,
        typeface,
        size_px,
        widest=seen.size.width - 2 * ground.padding,
        cut=_CUTS.get(words.kind, "regular"),
        align="start" if form == "box" else "center",
        form="box" if form == "box" else "lens",
    )
    room = (seen.size.width - 2 * ground.padding, seen.size.height - 2 * ground.padding)
    found: list[tuple[float, TextBlock, Shape]] = []
    for text in texts:
        shape = shape_around(_lines(text), form, em=size_px)
        extent = shape.extent
        if extent.width <= room[0] and extent.height <= room[1]:
            cost = _ASPECT_COST * abs(math.log(extent.width / extent.height / _ASPECT[form]))
            cost += _UNEVEN_COST * text.unevenness
            found.append((round(cost, 6), text, shape))
    if not found:
        return None
    found = sorted(found, key=lambda entry: entry[0])[:_SHAPES]
    aims = None if words.who is None else _aims(words.who, panel, seen, places, ground.em)
    block = Block(tuple(shape for _, _, shape in found), tuple(cost for cost, _, _ in found), words.edge, aims)
    return _Candidates(words, block, tuple(text for _, text, _ in found))


def _lines(text: TextBlock) -> list[TextLine]:
    """The lines around the block's middle."""
    rows = _rows(text)
    x, y = _middle(text, rows)
    return [
        TextLine(max(x - line.ink.left, line.ink.right - x), top - y, bottom - y)
        for line, (top, bottom) in zip(text.lines, rows, strict=True)
        if line.ink is not None
    ]


def _middle(text: TextBlock, rows: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """What has to be in the middle of a balloon."""
    return text.ink.centre[0], (rows[0][0] + rows[-1][1]) / 2


def _rows(text: TextBlock) -> list[tuple[float, float]]:
    """Top and bottom of each line: of capitals, whether or not it has any, so that balloons of a line are alike."""
    rows: list[tuple[float, float]] = []
    for line in text.lines:
        top, bottom = line.baseline - _CAPITALS * text.size_px, line.baseline + _BENEATH * text.size_px
        ink = line.ink
        rows.append(
            (top, bottom) if ink is None else (min(top, ink.top), max(bottom, ink.bottom - _BENEATH * text.size_px))
        )
    return rows


def _aims(who: str, panel: Panel, seen: Seen, places: Mapping[str, tuple[float, float]], em: float) -> Aims:
    """Where the tails of somebody's balloons may end."""
    if who in seen.faces:
        return aims_at_face(seen.faces[who], seen.size, em=em)
    if who in places:
        return aims_at_place(places[who])
    if any(person.who == who for person in panel.people):
        return no_aims((seen.size.width / 2, float(seen.size.height)))
    return aims_at_edges(seen.size)


def _balloon(candidates: _Candidates, placed: Placed) -> Balloon:
    words = candidates.words
    shape, text = candidates.block.shapes[placed.shape], candidates.texts[placed.shape]
    outline = shape.outline + np.array(placed.middle)
    middle = _middle(text, _rows(text))
    bubbles: tuple[Bubble, ...] = ()
    if placed.tail is not None and words.kind == "thought":
        bubbles = bubbles_along(outline, placed.tail, em=text.size_px)
    elif placed.tail is not None:
        outline = with_wedge(shape, placed.middle, placed.tail, em=text.size_px)
    return Balloon(
        kind=words.kind,
        who=words.who,
        text=words.text,
        form=shape.form,
        outline=tuple((float(x), float(y)) for x, y in outline),
        box=placed.box,
        tail=placed.tail,
        bubbles=bubbles,
        reaching=placed.reaching,
        block=text,
        corner=(placed.middle[0] - middle[0], placed.middle[1] - middle[1]),
    )
