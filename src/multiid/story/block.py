"""Words set in lines: where each line is, what is inked, and how it is drawn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

from PIL import Image, ImageDraw

from multiid.geometry import Box
from multiid.story.laying import Colour, LaidLine

__all__ = ["Align", "Block", "SetLine", "stack_lines"]

Align = Literal["start", "center", "end"]
"""Where lines stand that are shorter than others: the start is the right side where the text runs leftwards."""


@dataclass(frozen=True)
class SetLine:
    """A line in its place within a block, in pixels."""

    laid: LaidLine
    x: int
    """Where the line's left end is."""
    baseline: int

    @property
    def text(self) -> str:
        """The words, in the order in which they are read."""
        return self.laid.text

    @cached_property
    def ink(self) -> Box | None:
        """The box around what is inked, relative to the block; None where nothing is."""
        if self.laid.ink is None:
            return None
        left, top, right, bottom = self.laid.ink
        return Box(self.x + left, self.baseline + top, self.x + right, self.baseline + bottom)


@dataclass(frozen=True)
class Block:
    """Words set in lines. Nothing of it is inked outside of 0, 0, width, height; all numbers are whole pixels."""

    text: str
    """The words, cleaned, with a line break only where the writer put one."""
    size_px: float
    """Height of the em."""
    lines: tuple[SetLine, ...]
    """From top to bottom."""
    width: int
    height: int
    unevenness: float
    """How far the lines are from the form that was asked for: 0 is the form itself, 0.3 looks ragged."""

    @cached_property
    def ink(self) -> Box:
        """The box around all that is inked, relative to the block: what has to stand in the middle of a balloon."""
        boxes = [line.ink for line in self.lines if line.ink is not None]
        if not boxes:
            return Box(0, 0, self.width, self.height)
        lefts, tops, rights, bottoms = zip(*(box.corners for box in boxes), strict=True)
        return Box(min(lefts), min(tops), max(rights), max(bottoms))

    @property
    def line_boxes(self) -> tuple[Box, ...]:
        """The box around what is inked of each line, relative to the block; none for empty lines."""
        return tuple(line.ink for line in self.lines if line.ink is not None)

    def draw(
        self,
        image: Image.Image,
        left: float,
        top: float,
        *,
        fill: Colour,
        outline: Colour | None = None,
        outline_px: float = 0.0,
    ) -> None:
        """Draw the words into a picture.

        Args:
            image: Any mode that Pillow draws in.
            left: Where the block's left side is, in pixels; rounded, so that the same words have the same pixels.
            top: Where its top is.
            fill: The letters' colour.
            outline: The colour of a line around the letters, which lies behind all of them; none if left out.
            outline_px: How thick that line is.
        """
        pen = ImageDraw.Draw(image)
        strokes = [(outline, outline_px), (fill, 0.0)] if outline is not None and outline_px > 0 else [(fill, 0.0)]
        for colour, thickness in strokes:
            for line in self.lines:
                line.laid.draw(pen, round(left) + line.x, round(top) + line.baseline, fill=colour, thickness=thickness)

    def mask(self, *, outline_px: float = 0.0) -> Image.Image:
        """The letters as a grey picture, white where they are, with a line around them that is part of them.

        Returns:
            A picture of the block's size, on each side larger by the line's thickness rounded up.
        """
        margin = math.ceil(outline_px)
        mask = Image.new("L", (self.width + 2 * margin, self.height + 2 * margin))
        self.draw(mask, margin, margin, fill=255, outline=255, outline_px=outline_px)
        return mask


def stack_lines(
    text: str, size_px: float, lines: Sequence[tuple[LaidLine, bool]], align: Align, *, unevenness: float
) -> Block:
    """Put lines one under another, as close as their fonts ask for, with all their ink inside the block.

    Args:
        text: What the lines say.
        size_px: Height of the em.
        lines: At least one, each with whether it runs from right to left.
        align: Where shorter lines stand.
        unevenness: How far the lines are from the form that was asked for.
    """
    ascent = max(line.ascent for line, _ in lines)
    descent = max(line.descent for line, _ in lines)
    boxes = [line.ink or (0, 0, 0, 0) for line, _ in lines]
    # Marks on marks may reach further than the font says; lines still must not touch.
    pitch = max([ascent + descent, *(upper[3] - lower[1] for upper, lower in pairwise(boxes))])
    full = max(line.advance for line, _ in lines)
    places = [round(_indent(full - line.advance, align, leftwards)) for line, leftwards in lines]
    left = max(0, *(-(place + box[0]) for place, box in zip(places, boxes, strict=True)))
    first = max(ascent, -boxes[0][1])
    last = first + pitch * (len(lines) - 1)
    right = max(full, *(place + box[2] for place, box in zip(places, boxes, strict=True)))
    return Block(
        text,
        size_px,
        tuple(
            SetLine(line, left + place, first + pitch * number)
            for number, ((line, _), place) in enumerate(zip(lines, places, strict=True))
        ),
        width=math.ceil(left + right),
        height=last + max(descent, boxes[-1][3]),
        unevenness=unevenness,
    )


def _indent(room: float, align: Align, leftwards: bool) -> float:
    if align == "center":
        return room / 2
    return room if (align == "end") != leftwards else 0.0
