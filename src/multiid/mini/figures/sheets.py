"""Contact sheets: generated scenes beside the true render, to be looked at as they are and enlarged."""

from collections.abc import Sequence
from pathlib import Path

import PIL.Image

from multiid.files import write_whole
from multiid.mini.figures.measured import Measured

__all__ = ["draw_sheet", "write_sheets"]

_COLUMNS = ("true", "masks on", "many steps", "exchanged", "masks off")
_LARGE_COLUMNS = ("true", "masks on")
_LARGE_ROWS = 4
_MISSES = 12  # scenes at most
_PAPER = (250, 248, 244)
_GAP = 4
_ZOOM = 3


def draw_sheet(measured: Sequence[Measured], *, columns: Sequence[str] = _COLUMNS, zoom: int = 1) -> PIL.Image.Image:
    """A row for each trial: the true render, then what was made of it.

    Args:
        measured: trials whose pictures were kept, at least one.
        columns: which pictures, as far as they were made; by default the true render, with masks, in many steps, with
            one person exchanged and without masks.
        zoom: how wide each pixel is drawn.
    """
    rows = [[_enlarged(one.pictures[name], zoom) for name in columns if name in one.pictures] for one in measured]
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


def write_sheets(measured: Sequence[Measured], folder: Path, *, shown: int) -> list[Path]:
    """Writes a sheet for each kind and count of people, and one of scenes with a face that is not its own person's.

    Each is written as it is, and three times as large with fewer rows and columns.

    Args:
        measured: what came of each trial.
        folder: where to; it must exist.
        shown: the first so many scenes of each kind and count are on its sheet.
    """
    groups: dict[str, list[Measured]] = {}
    for one in measured:
        if one.pictures and one.trial.index < shown:
            groups.setdefault(f"{one.trial.kind}-{one.trial.count}", []).append(one)
    missed = [one for one in measured if one.pictures and not all(one.hits("masks on"))]
    if missed:
        groups["missed"] = missed[:: max(1, len(missed) // _MISSES)][:_MISSES]
    files: list[Path] = []
    for name, group in groups.items():
        large = draw_sheet(group[:_LARGE_ROWS], columns=_LARGE_COLUMNS, zoom=_ZOOM)
        for zoom, sheet in ((1, draw_sheet(group)), (_ZOOM, large)):
            file = folder / f"{name}-{zoom}x.png"
            with write_whole(file) as temporary:
                sheet.save(temporary, format="PNG")
            files.append(file)
    return files
