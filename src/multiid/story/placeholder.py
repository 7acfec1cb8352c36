"""What stands for a panel that has no picture yet."""

from PIL import Image, ImageDraw, ImageFont

from multiid.geometry import Size

__all__ = ["draw_placeholder"]

_GROUND = (238, 238, 238)
_HATCH = (214, 214, 214)
_INK = (120, 120, 120)
_EVERY = 1 / 6  # inches from one line to the next
_TEXT = 0.3  # of the shorter side


def draw_placeholder(size: Size, number: str, *, dpi: int) -> Image.Image:
    """A hatched field with a panel's number, such as "3.2", in its middle."""
    image = Image.new("RGB", size, _GROUND)
    draw = ImageDraw.Draw(image)
    step = max(4, round(dpi * _EVERY))
    for x in range(0, size.width + size.height, step):
        draw.line((x, 0, x - size.height, size.height), fill=_HATCH, width=max(1, step // 8))
    font = ImageFont.load_default(max(8.0, min(size) * _TEXT))
    middle = (size.width / 2, size.height / 2)
    left, top, right, bottom = draw.textbbox(middle, number, font=font, anchor="mm")
    pad = (bottom - top) / 2
    draw.rectangle((left - pad, top - pad, right + pad, bottom + pad), fill=_GROUND)
    draw.text(middle, number, font=font, fill=_INK, anchor="mm")
    return image
