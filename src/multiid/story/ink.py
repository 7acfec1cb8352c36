"""Balloons, boxes and sound words drawn into a picture, with smooth edges."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from PIL import Image, ImageColor, ImageDraw

from multiid.story.fonts import Typeface
from multiid.story.typesetting import shapes
from multiid.story.written import Balloon, SoundWord, Written

__all__ = ["draw_written"]

_FINER = 4  # times as fine as the picture is drawn what is then reduced
_PAPER, _LINE, _TEXT, _WHISPERED = "white", "black", "black", "#4a4a4a"
_DASH, _SPACE = 0.34, 0.26  # of a whisper's line, in ems

Points = Sequence[tuple[float, float]]


def draw_written(image: Image.Image, written: Written, *, typeface: Typeface) -> Image.Image:
    """A copy of the picture, in RGB, with all that is written into it: sound words lowest, dialogue above."""
    drawn = image.convert("RGB") if image.mode != "RGB" else image.copy()
    for word in written.sounds:
        _draw_sound(drawn, word, typeface)
    for balloon in written.balloons:
        _draw_balloon(drawn, balloon, written.line_px)
    return drawn


def _draw_balloon(image: Image.Image, balloon: Balloon, line_px: float) -> None:
    em = balloon.block.size_px
    dashed = balloon.kind == "whisper"
    outlines = [balloon.outline, *(_circle(bubble.x, bubble.y, bubble.radius) for bubble in balloon.bubbles)]
    left, top, right, bottom = _whole_box(outlines, line_px)
    size = ((right - left) * _FINER, (bottom - top) * _FINER)
    inside, line = Image.new("L", size), Image.new("L", size)
    fill, pen = ImageDraw.Draw(inside), ImageDraw.Draw(line)
    for outline in outlines:
        points = [((x - left) * _FINER, (y - top) * _FINER) for x, y in outline]
        fill.polygon(points, fill=255)
        for stroke in _dashes(points, em * _FINER) if dashed else [[*points, points[0], points[1]]]:
            pen.line(stroke, fill=255, width=max(1, round(line_px * _FINER)), joint="curve")
    image.paste(_PAPER, (left, top), inside.reduce(_FINER))
    image.paste(_LINE, (left, top), line.reduce(_FINER))
    balloon.block.draw(image, *balloon.corner, fill=_WHISPERED if dashed else _TEXT)


def _whole_box(outlines: Sequence[Points], line_px: float) -> tuple[int, int, int, int]:
    """The whole pixels that lines along outlines are drawn in."""
    points = [point for outline in outlines for point in outline]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    margin = line_px + 1
    return (
        math.floor(min(xs) - margin),
        math.floor(min(ys) - margin),
        math.ceil(max(xs) + margin),
        math.ceil(max(ys) + margin),
    )


def _circle(x: float, y: float, radius: float) -> Points:
    return [
        (x + radius * math.cos(turn * math.pi / 24), y + radius * math.sin(turn * math.pi / 24)) for turn in range(48)
    ]


def _dashes(points: Points, em: float) -> Iterator[list[tuple[float, float]]]:
    """The closed line in pieces, with an even rhythm all around."""
    closed = [*points, points[0]]
    around = sum(math.dist(a, b) for a, b in pairwise(closed))
    period = around / max(1, round(around / ((_DASH + _SPACE) * em)))
    inked = period * _DASH / (_DASH + _SPACE)
    stroke: list[tuple[float, float]] = [closed[0]]
    reached, drawing, until = 0.0, True, inked
    for start, end in pairwise(closed):
        length = math.dist(start, end)
        while length > 0 and reached + length >= until:
            share = (until - reached) / length
            start = (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
            length -= until - reached
            reached = until
            if drawing:
                yield [*stroke, start]
            stroke, drawing = [start], not drawing
            until += inked if drawing else period - inked
        reached += length
        stroke.append(end)


def _draw_sound(image: Image.Image, word: SoundWord, typeface: Typeface) -> None:
    """Letters with a line around them, drawn large, turned and reduced."""
    lines = "\n".join(line.text for line in word.block.lines)
    block = shapes(lines, typeface, word.block.size_px * _FINER, cut="bold")[0]
    line_px = word.line_px * _FINER
    ink = block.ink
    reach = math.ceil(math.hypot(ink.width, ink.height) / 2 + line_px) // _FINER + 2
    left, top = math.floor(word.middle[0]) - reach, math.floor(word.middle[1]) - reach
    side = 2 * reach * _FINER
    # The word's middle on the fine sheet, with the part of a pixel that the corner has lost.
    middle = ((word.middle[0] - left) * _FINER, (word.middle[1] - top) * _FINER)
    corner = (middle[0] - ink.centre[0], middle[1] - ink.centre[1])
    rim, letters = Image.new("L", (side, side)), Image.new("L", (side, side))
    block.draw(rim, *corner, fill=255, outline=255, outline_px=line_px)
    block.draw(letters, *corner, fill=255)
    for mask, colour in ((rim, _LINE), (letters, word.colour)):
        turned = mask.rotate(word.angle, Image.Resampling.BICUBIC, center=middle) if word.angle else mask
        image.paste(ImageColor.getrgb(colour)[:3], (left, top), turned.reduce(_FINER))
