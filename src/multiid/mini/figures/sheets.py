"""Contact sheets: generated scenes beside the true render, to be looked at as they are and enlarged."""

from collections.abc import Sequence
from pathlib import Path

import PIL.Image

from multiid.files import write_whole
from multiid.mini.figures.lab import Measured

__all__ = ["draw_sheet", "write_sheets"]

_COLUMNS = ("true", "masks on", "few steps", "exchanged", "masks off")
_PAPER = (250, 248, 244)
_GAP = 4
_ZOOM = 3


def draw_sheet(measured: Sequence[Measured], *, zoom: int = 1) -> PIL.Image.Image:
    """A row for each trial whose pictures were kept: the true render, then what was made of it.

    The columns are the true render, with masks, in few steps, with one person exchanged and without masks, as far
    as these were made.

    Args:
        measured: trials of one kind and count.
        zoom: how wide each pixel is drawn.
    """
    rows = [
        [_enlarged(one.pictures[name], zoom) for name in _COLUMNS if name in one.pictures]
        for one in measured
        if one.pictures
    ]
    width = max(sum(picture.width + _GAP for picture in row) for row in rows)
    height = sum(row[0].height + _GAP for row in rows)
    sheet = PIL.Image.new("RGB", (width + _GAP, height + _GAP), _PAPER)
    y = _GAP
    for row in rows:
        x = _GAP
        for picture in row:
            sheet.paste(picture, (x, y))
            x += picture.width + _GAP
        y += row[0].height + _GAP
    return sheet


def _enlarged(picture: PIL.Image.Image, zoom: int) -> PIL.Image.Image:
    size = (picture.width * zoom, picture.height * zoom)
    return picture.resize(size, PIL.Image.Resampling.NEAREST)


def write_sheets(measured: Sequence[Measured], folder: Path) -> list[Path]:
    """Writes a sheet for each kind and count of people whose pictures were kept, as it is and three times as large."""
    groups: dict[str, list[Measured]] = {}
    for one in measured:
        if one.pictures:
            groups.setdefault(f"{one.trial.kind}-{one.trial.count}", []).append(one)
    files: list[Path] = []
    for name, group in groups.items():
        for zoom in (1, _ZOOM):
            file = folder / f"{name}-{zoom}x.png"
            with write_whole(file) as temporary:
                draw_sheet(group, zoom=zoom).save(temporary, format="PNG")
            files.append(file)
    return files
