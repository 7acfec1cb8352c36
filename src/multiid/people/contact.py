"""The contact picture of a group photo: its faces with their numbers, and the portraits beneath."""

from collections.abc import Mapping, Sequence

import PIL.Image
from PIL import ImageDraw, ImageFont

from multiid.geometry import Box

__all__ = ["draw_contact"]

_PAPER, _INK, _MARK, _FAINT = (24, 24, 28), (236, 236, 236), (230, 159, 0), (160, 160, 168)

# In pixels.
_PHOTO = 1200  # the photo's longer side, where it is larger
_CELL = 180  # a portrait's side
_GAP = 12
_TEXT = 20
_LABEL = 30  # the height of a number's label
_LINE = 3


def draw_contact(
    photo: PIL.Image.Image,
    faces: Mapping[int, Box],
    portraits: Sequence[PIL.Image.Image],
    passed_over: Sequence[Box] = (),
) -> PIL.Image.Image:
    """The photo with a numbered frame around each face, and the portraits with their numbers and sizes beneath.

    Args:
        photo: the whole photo.
        faces: the faces by number, in pixels of the photo.
        portraits: the portraits, in the order of `faces`.
        passed_over: faces without portrait, framed in grey without number.
    """
    scale = min(1.0, _PHOTO / max(photo.size))
    panel = photo.resize((max(1, round(photo.width * scale)), max(1, round(photo.height * scale))))
    draw, font = ImageDraw.Draw(panel), ImageFont.load_default(_TEXT)
    for box in passed_over:
        draw.rectangle(_scaled(box, scale), outline=_FAINT, width=_LINE)
    for box in faces.values():
        draw.rectangle(_scaled(box, scale), outline=_MARK, width=_LINE)
    for number, box in faces.items():  # after all frames, so that none runs through a number
        left, top, _, _ = _scaled(box, scale)
        width = max(_LABEL, font.getlength(str(number)) + _GAP)
        top = max(0.0, top - _LABEL)
        draw.rectangle((left, top, left + width, top + _LABEL), fill=_MARK)
        draw.text((left + width / 2, top + _LABEL / 2), str(number), font=font, fill=_PAPER, anchor="mm")

    step = _CELL + _GAP
    columns = max(1, min(len(portraits), (max(panel.width, 4 * step) + _GAP) // step))
    rows = -(-len(portraits) // columns)
    width = max(panel.width, columns * step - _GAP) + 2 * _GAP
    sheet = PIL.Image.new("RGB", (width, panel.height + rows * (step + _LABEL) + 2 * _GAP), _PAPER)
    sheet.paste(panel, ((width - panel.width) // 2, _GAP))
    draw = ImageDraw.Draw(sheet)
    for place, (number, portrait) in enumerate(zip(faces, portraits, strict=True)):
        row, column = divmod(place, columns)
        x, y = _GAP + column * step, panel.height + 2 * _GAP + row * (step + _LABEL)
        sheet.paste(portrait.resize((_CELL, _CELL)), (x, y))
        draw.text((x, y + _CELL + _LABEL / 2), str(number), font=font, fill=_MARK, anchor="lm")
        text = f"{portrait.width}x{portrait.height}"
        draw.text((x + _CELL, y + _CELL + _LABEL / 2), text, font=font, fill=_INK, anchor="rm")
    return sheet


def _scaled(box: Box, scale: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.corners
    return (left * scale, top * scale, right * scale, bottom * scale)
