"""What is written into a panel and where: the geometry that is drawn, and that tests and figures measure."""

from dataclasses import dataclass
from typing import Literal

from multiid.geometry import Box, Size
from multiid.story.balloons import Form
from multiid.story.script import Manner
from multiid.story.tails import Bubble, Curve
from multiid.story.typesetting import Block as TextBlock

__all__ = ["Balloon", "Kind", "Polygon", "SoundWord", "Written"]

Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y) of a closed line, in pixels; the last is not the first again."""

Kind = Manner | Literal["caption"]


@dataclass(frozen=True)
class Balloon:
    """A balloon or box with its words.

    Attributes:
        kind: how it is said, or that it is a caption.
        who: who says it; None with narration and captions.
        text: the words.
        form: of the outline.
        outline: the closed line, its tail included.
        box: around the outline without its tail, in pixels.
        tail: root, handle and tip of the tail; None where it has none.
        bubbles: that stand for a thought's tail.
        reaching: whether the tail ends at the speaker's face or place, or at the panel's edge for one outside, rather
            than only showing the way.
        block: the words as they are set.
        corner: left and top of the block, in pixels.
    """

    kind: Kind
    who: str | None
    text: str
    form: Form
    outline: Polygon
    box: Box
    tail: Curve | None
    bubbles: tuple[Bubble, ...]
    reaching: bool
    block: TextBlock
    corner: tuple[float, float]

    @property
    def tip(self) -> tuple[float, float] | None:
        """Where the tail ends."""
        return self.tail[2] if self.tail else None


@dataclass(frozen=True)
class SoundWord:
    """A sound word in a picture.

    Attributes:
        text: the word.
        middle: of the word, in pixels.
        angle: degrees by which it rises to the right.
        colour: as CSS names it or as #rrggbb.
        block: the word as it is set, unturned.
        line_px: how thick the line around its letters is.
        polygon: the corners of the box around the letters with their line, turned.
    """

    text: str
    middle: tuple[float, float]
    angle: float
    colour: str
    block: TextBlock
    line_px: float
    polygon: Polygon


@dataclass(frozen=True)
class Written:
    """All that is written into a panel.

    Attributes:
        size: of the panel, in pixels.
        text_px: the size of the words, in pixels; whispers are smaller.
        line_px: how thick outlines are.
        balloons: captions at the top, dialogue, captions at the foot; each in the order in which it is read.
        sounds: sound words, in the script's order.
    """

    size: Size
    text_px: float
    line_px: float
    balloons: tuple[Balloon, ...]
    sounds: tuple[SoundWord, ...]
