"""The contact sheet of templates: all their previews on one picture, by kind, with names and numbers of people."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from multiid.poses.preview import draw_preview
from multiid.poses.template_text import count_people
from multiid.poses.templates import Template

__all__ = ["draw_template_sheet", "template_groups"]

_PAPER, _INK, _FAINT = (250, 248, 244), (28, 28, 32), (110, 110, 118)
_OTHER = "other"  # the kind of templates without tags

# In pixels.
_WIDTH = 1280
_HEIGHT = 160  # of every preview
_MARGIN, _GAP = 20, 14
_HEADING, _NAME = 22, 13  # letters
_HEADING_ROOM, _NAME_ROOM = 36, 50
_LINE = 4  # between lines

_COLOURS = 256


@dataclass(frozen=True)
class _Tile:
    """A template's preview with two lines of text below it, and its kind above it where it is the first."""

    picture: Image.Image
    heading: str
    name: str
    people: str
    width: int


def template_groups(templates: Sequence[Template]) -> dict[str, list[Template]]:
    """Templates by their kind, which is their first tag.

    Kinds whose largest group is smallest come first, of equals the one of fewer people on average; within a kind,
    templates of fewer people. What is equal is in alphabetical order. Templates without tags come last, as "other".
    """
    groups: dict[str, list[Template]] = {}
    for template in sorted(templates, key=lambda template: (template.people, template.name)):
        groups.setdefault(template.tags[0] if template.tags else _OTHER, []).append(template)

    def rank(kind: str) -> tuple[bool, int, float, str]:
        people = [template.people for template in groups[kind]]
        return kind == _OTHER, max(people), sum(people) / len(people), kind

    return {kind: groups[kind] for kind in sorted(groups, key=rank)}


def draw_template_sheet(templates: Sequence[Template]) -> Image.Image:
    """All previews, one group below the other as `template_groups` has them, each with its name and who is in it.

    Args:
        templates: at least one, in any order.

    Returns:
        A palette picture 1280 pixels wide, which makes for a small PNG; its height grows with the templates.

    Raises:
        ValueError: when there are no templates.
    """
    if not templates:
        raise ValueError("templates: expected at least one, but got none")
    rows = _rows(templates)
    heights = [_HEIGHT + _NAME_ROOM + (_HEADING_ROOM if any(tile.heading for tile in row) else 0) for row in rows]
    sheet = Image.new("RGB", (_WIDTH, 2 * _MARGIN + sum(heights)), _PAPER)
    bottom = _MARGIN
    for row, height in zip(rows, heights, strict=True):
        bottom += height
        x = _MARGIN
        for tile in row:
            _draw_tile(sheet, tile, x, bottom - _NAME_ROOM - _HEIGHT)
            x += tile.width + _GAP
    return sheet.quantize(_COLOURS, dither=Image.Dither.NONE)


def _rows(templates: Sequence[Template]) -> list[list[_Tile]]:
    """The tiles in rows. A kind begins a row of its own, unless all of it finds room in the one before."""
    rows: list[list[_Tile]] = [[]]
    room = _WIDTH - 2 * _MARGIN
    for kind, group in template_groups(templates).items():
        tiles = [_tile(template, heading="" if index else kind) for index, template in enumerate(group)]
        whole = sum(tile.width + _GAP for tile in tiles)
        for index, tile in enumerate(tiles):
            if rows[-1] and room < (tile.width if index else min(whole - _GAP, _WIDTH)):
                rows.append([])
                room = _WIDTH - 2 * _MARGIN
            rows[-1].append(tile)
            room -= tile.width + _GAP
    return rows


def _tile(template: Template, *, heading: str) -> _Tile:
    long_side = min(round(_HEIGHT * max(1.0, template.size.aspect)), _WIDTH - 2 * _MARGIN)
    preview = draw_preview(template.pose(), long_side=long_side).convert("RGB")
    people = count_people(template.people)
    extras = len(template.places) - template.people
    people += f", {extras} extras" if extras > 1 else ", 1 extra" if extras else ""
    text = max(
        _font(_HEADING).getlength(heading), _font(_NAME).getlength(template.name), _font(_NAME).getlength(people)
    )
    width = max(preview.width, math.ceil(text))
    return _Tile(preview, heading, template.name, people, width)


def _draw_tile(sheet: Image.Image, tile: _Tile, left: int, top: int) -> None:
    pen = ImageDraw.Draw(sheet)
    pen.text((left, top - _HEADING_ROOM), tile.heading, fill=_INK, font=_font(_HEADING))
    sheet.paste(tile.picture, (left, top))
    pen.text((left, top + _HEIGHT + _LINE), tile.name, fill=_INK, font=_font(_NAME))
    pen.text((left, top + _HEIGHT + _LINE + _NAME + _LINE), tile.people, fill=_FAINT, font=_font(_NAME))


@cache
def _font(letter: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(letter)
