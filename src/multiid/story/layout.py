"""Layouts: which panels stand in which row, and every panel's box on its page, in whole pixels."""

import itertools
import math
import re
from collections.abc import Sequence

from multiid.errors import StoryError
from multiid.geometry import Box, Size
from multiid.story.paper import PageFormat, measure
from multiid.story.script import Layout, Page, Paper, Row
from multiid.story.sheet import Sheet

__all__ = ["lay_out", "parse_layout", "picture_size", "rows_for"]

_MOST_IN_A_ROW = 12
_MOST_ROWS = 20
_FORMS = 'rows such as "2/1/3", "grid 2x3" for columns and rows, or "splash"'
_PORTRAIT = 0.7  # width by height of the room on A4
_UNEVEN = 0.2  # how much odder rows of unlike numbers look, beside the log of how far panels are from squares
_FLATTEST = 2.5  # width by height, or height by width, of what models draw well

Edges = tuple[int, int, int, int]


def parse_layout(text: str) -> Layout:
    """A layout from its short form: "2/1/3", "grid 2x3" or "splash".

    Raises:
        ValueError: when it is none of them, or has more than 12 panels in a row or 20 rows.
    """
    words = text.strip().lower()
    if words == "splash":
        return Layout(rows=[Row(panels=[1.0])], full_bleed=True)
    grid = re.fullmatch(r"grid\s+(\d{1,3})\s*x\s*(\d{1,3})", words)
    if grid:
        counts = [int(grid[1])] * int(grid[2])
    elif re.fullmatch(r"\d{1,3}(\s*/\s*\d{1,3})*", words):
        counts = [int(count) for count in words.split("/")]
    else:
        raise ValueError(f"expected {_FORMS}, but got {text!r}")
    if not 1 <= len(counts) <= _MOST_ROWS or not all(1 <= count <= _MOST_IN_A_ROW for count in counts):
        raise ValueError(f"expected 1 to {_MOST_ROWS} rows of 1 to {_MOST_IN_A_ROW} panels, but got {text!r}")
    return _even(counts)


def rows_for(panels: int, *, aspect: float = _PORTRAIT) -> Layout:
    """Rows for so many panels, as even as they can be and with panels as near to squares as they can be.

    Where rows differ, no two neighbours differ by more than one panel, and the first is the wider: 3 are 1/2, 5 are
    2/1/2, 7 are 2/3/2.

    Args:
        panels: 1 to 60.
        aspect: width by height of the room for them.

    Raises:
        ValueError: when there is no panel, or more than 12 in each of 20 rows.
    """
    if not 1 <= panels <= _MOST_ROWS * _MOST_IN_A_ROW:
        raise ValueError(f"Expected 1 to {_MOST_ROWS * _MOST_IN_A_ROW} panels, but got {panels}.")

    def oddness(rows: int) -> float:
        return abs(math.log(aspect * rows * rows / panels)) + (_UNEVEN if panels % rows else 0)

    possible = [rows for rows in range(1, min(panels, _MOST_ROWS) + 1) if panels <= rows * _MOST_IN_A_ROW]
    rows = min(possible, key=oddness)
    # Halves are rounded down, so that of two unlike rows the first has fewer and larger panels.
    ends = [math.ceil(panels * row / rows - 0.5) for row in range(rows + 1)]
    return _even([end - start for start, end in itertools.pairwise(ends)])


def _even(counts: Sequence[int]) -> Layout:
    return Layout(rows=[Row(panels=[1.0] * count) for count in counts])


def lay_out(page: Page, paper: Paper, *, where: str = "page") -> Sheet:
    """Where everything is on a page.

    A webtoon has one panel per row by default. Its rows are as tall as their panels are wide on average, times the
    row's height; the page is as tall as they need.

    Args:
        where: names the page in errors: "page 3".

    Raises:
        StoryError: when the layout is none, holds another number of panels, or does not fit the paper.
    """
    try:
        room = measure(paper)
        layout = _layout_of(page, room)
        _check_count(layout, page)
        return _placed(layout, room, mirrored=paper.reading == "right-to-left")
    except ValueError as error:
        raise StoryError(f"{where}: {error}.") from error


def _layout_of(page: Page, room: PageFormat) -> Layout:
    if isinstance(page.layout, str):
        try:
            return parse_layout(page.layout)
        except ValueError as error:
            raise ValueError(f"layout: {error}") from error
    if page.layout is not None:
        return page.layout
    if room.height is None:
        if len(page.panels) > _MOST_ROWS:
            raise ValueError(
                f"panels: expected at most {_MOST_ROWS} on a webtoon's page, one in a row, but got "
                f"{len(page.panels)}: share them among several pages, or give a layout with several in a row"
            )
        return _even([1] * len(page.panels))
    return rows_for(len(page.panels), aspect=(room.width - 2 * room.margin) / (room.height - 2 * room.margin))


def _check_count(layout: Layout, page: Page) -> None:
    held = sum(len(row.panels) for row in layout.rows) + len(layout.insets)
    if held != len(page.panels):
        rows = "/".join(str(len(row.panels)) for row in layout.rows)
        insets = f" and {len(layout.insets)} as insets" if layout.insets else ""
        raise ValueError(
            f"layout: expected as many panels as the layout holds, {held} in {rows}{insets}, but got {len(page.panels)}"
        )


def _placed(layout: Layout, room: PageFormat, *, mirrored: bool) -> Sheet:
    margin = 0 if layout.full_bleed else room.margin
    across = room.width - 2 * margin
    rows = _rows(layout.rows, room, across, margin)
    height = room.height if room.height is not None else rows[-1][1] + margin
    size, trim = room.size(height), room.trim(height)
    if size.height > room.tallest:
        raise ValueError(
            f"layout: expected a strip of at most {room.tallest} pixels at {room.dpi} dpi, but its rows need "
            f"{size.height}: share the panels among several pages, or make rows lower"
        )
    panels: list[Edges] = [
        (margin + left, top, margin + right, bottom)
        for row, (top, bottom) in zip(layout.rows, rows, strict=True)
        for left, right in _shares(across, row.panels, room.gutter)
    ]
    panels += [_inset(inset.box, room, height) for inset in layout.insets]
    for number, edges in enumerate(panels, 1):
        _check_side(number, edges, room)
    if mirrored:
        panels = [(room.width - right, top, room.width - left, bottom) for left, top, right, bottom in panels]
    return Sheet(
        size=size,
        trim=trim,
        safe=Box(trim.left + room.safe, trim.top + room.safe, trim.right - room.safe, trim.bottom - room.safe),
        panels=tuple(_bled(edges, room, height) for edges in panels),
        insets=len(layout.insets),
        border=room.border,
        gap=room.gap,
        dpi=room.dpi,
        millimetres=(room.width_mm, height * room.width_mm / room.width if room.height_mm is None else room.height_mm),
    )


def _rows(rows: Sequence[Row], room: PageFormat, across: int, margin: int) -> list[tuple[int, int]]:
    """Tops and bottoms of rows, from the upper cut."""
    if room.height is not None:
        down = room.height - 2 * margin
        return [
            (margin + top, margin + bottom) for top, bottom in _shares(down, [row.height for row in rows], room.gutter)
        ]
    found: list[tuple[int, int]] = []
    top = margin
    for row in rows:
        panels = len(row.panels)
        bottom = top + max(0, round(row.height * (across - (panels - 1) * room.gutter) / panels))
        found.append((top, bottom))
        top = bottom + room.gutter
    return found


def _shares(length: int, weights: Sequence[float], gutter: int) -> list[tuple[int, int]]:
    """Starts and ends of parts by weight that fill a length, with a gutter between each two, to the pixel."""
    rest, total = length - gutter * (len(weights) - 1), sum(weights)
    ends = [round(rest * weight / total) for weight in itertools.accumulate(weights, initial=0.0)]
    return [
        (start + index * gutter, end + index * gutter) for index, (start, end) in enumerate(itertools.pairwise(ends))
    ]


def _inset(shares: Sequence[float], room: PageFormat, height: int) -> Edges:
    """An inset's edges from its shares of the room inside the margins."""
    across, down = room.width - 2 * room.margin, height - 2 * room.margin
    left, top, right, bottom = shares
    return (
        room.margin + round(left * across),
        room.margin + round(top * down),
        room.margin + round(right * across),
        room.margin + round(bottom * down),
    )


def _check_side(number: int, edges: Edges, room: PageFormat) -> None:
    across, down = edges[2] - edges[0], edges[3] - edges[1]
    if min(across, down) < room.least:
        millimetres = room.width_mm / room.width
        raise ValueError(
            f"layout: expected panels of at least {room.least * millimetres:.1f} mm a side, but panel {number} has "
            f"{max(0, across) * millimetres:.1f} by {max(0, down) * millimetres:.1f} mm: share the panels among "
            "several pages, or take larger paper"
        )


def _bled(edges: Edges, room: PageFormat, height: int) -> Box:
    """A panel on the whole page; where it touches the cut it reaches through the bleed."""
    left, top, right, bottom = edges
    bleed = room.bleed
    return Box(
        left + bleed if left > 0 else 0,
        top + bleed if top > 0 else 0,
        right + bleed if right < room.width else right + 2 * bleed,
        bottom + bleed if bottom < height else bottom + 2 * bleed,
    )


def picture_size(box: Box, *, area: float, multiple: int) -> Size:
    """The size in which a panel's picture is best composed: of its shape, so that the page cuts almost nothing.

    Models draw pictures flatter than 5:2 badly, and taller ones than 2:5; the page cuts the rest.

    Args:
        box: the panel's picture on the page (`Sheet.inside`).
        area: about which the picture should have, in square pixels.
        multiple: of which both sides are, as the models need it.
    """
    aspect = min(max(box.width / box.height, 1 / _FLATTEST), _FLATTEST)
    middle = math.sqrt(area * aspect) / multiple
    widths = range(max(1, math.floor(middle * 0.85)), math.ceil(middle * 1.15) + 1)
    sizes = [Size(width * multiple, max(1, round(width / aspect)) * multiple) for width in widths]

    def farness(size: Size) -> float:
        return abs(math.log(size.aspect / aspect)) + 0.1 * abs(math.log(size.width * size.height / area))

    return min(sizes, key=farness)
