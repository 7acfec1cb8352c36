"""The picture behind `--explain`: control image, regions with names and result side by side, words beneath."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from multiid.geometry import Box

__all__ = ["Colour", "draw_regions", "draw_sheet", "drawable", "explain_picture"]

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Okabe and Ito's palette, which people with any colour vision can tell apart; its black is left out.
_PALETTE: tuple[Colour, ...] = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
)  # fmt: skip
_PALER = 0.5  # how far towards white each further round through the palette goes

# The sheet, in pixels.
_PANEL = 640  # the longer side of each panel
_GAP = 12
_TEXT = 18
_LINE = 24  # from one line of text to the next
_PAD = 5
_LABEL = 0.33  # the longest name, as a share of the panel's width
_LEAST_WIDTH = 640  # of the sheet, so that a lone narrow panel leaves room for words
_PAPER: Colour = (24, 24, 28)
_INK: Colour = (236, 236, 236)
_FAINT: Colour = (160, 160, 168)

_GLYPHS = frozenset(map(chr, range(32, 127))) | frozenset("\u2018\u2019\u201c\u201d")  # ASCII and curly quotes

_TINT = 0.65  # brightness of a region's colour
_LIMBS = 0.5  # how much the control image's lines lighten what they lie on


def explain_picture(
    *,
    control: Image.Image | None,
    regions: Float[Tensor, "people height width"],
    names: Sequence[str],
    picture: Image.Image | None = None,
    lines: Sequence[str] = (),
) -> Image.Image:
    """What was made of a scene, on one sheet: the control image, whose pixels are whose, the picture, and words.

    Args:
        control: the control image, shown by itself and, dimmed, under the regions; None leaves them on black.
        regions: one mask per person, from 0 to 1.
        names: what to write on each region, in the same order.
        picture: the picture that came out, where there is one.
        lines: text beneath, such as the prompt as the encoder read it; long lines are wrapped.

    Returns:
        An RGB picture. Every panel is scaled to 640 pixels on its longer side.

    Raises:
        ValueError: when there are not as many names as regions.
    """
    if len(names) != len(regions):
        raise ValueError(f"Expected one name for each of {len(regions)} regions, but got {len(names)}.")
    panels = [("regions", draw_regions(control, regions, names))]
    if control is not None:
        panels.insert(0, ("control image", _scaled(control)))
    if picture is not None:
        panels.append(("picture", _scaled(picture)))
    return draw_sheet(panels, lines)


def draw_regions(
    control: Image.Image | None,
    regions: Float[Tensor, "people height width"],
    names: Sequence[str],
    *,
    colours: Sequence[int] | None = None,
) -> Image.Image:
    """Whose pixels are whose: regions in colours with names on them, the limbs of the control image over them.

    Args:
        control: the control image, dimmed; None leaves the regions on black.
        regions: one mask per person, from 0 to 1.
        names: what to write on each region, in the same order.
        colours: which colour each has, counted from 0, so that somebody keeps theirs from picture to picture; in order
            if None.

    Returns:
        An RGB picture, scaled to 640 pixels on its longer side.
    """
    size = _panel_size((regions.shape[2], regions.shape[1]))
    weights = np.zeros((len(names), size[1], size[0]), np.float32)
    for weight, mask in zip(weights, regions.detach().cpu().float().numpy(), strict=True):
        weight[:] = np.asarray(_scaled(Image.fromarray(mask))).clip(0, 1)
    canvas = np.zeros((size[1], size[0], 3), np.float32)
    edges = [_colour(index) for index in colours or range(len(names))]
    for colour, weight in zip(edges, weights, strict=True):
        canvas += weight[..., None] * np.array(colour, np.float32) * _TINT
    if control is not None:
        # Grey, so that the limbs' own colours are not taken for people's.
        limbs = np.asarray(control.convert("L").resize(size), np.float32)[..., None] / 255
        canvas += (255 - canvas) * limbs * _LIMBS
    panel = Image.fromarray(canvas.clip(0, 255).astype(np.uint8))
    _write_names(panel, weights, names, edges)
    return panel


def _colour(index: int) -> Colour:
    """The colour of a person; after seven they come again, paler."""
    rounds, place = divmod(index, len(_PALETTE))
    pale = 1 - (1 - _PALER) ** rounds
    red, green, blue = (round(value + (255 - value) * pale) for value in _PALETTE[place])
    return red, green, blue


def _write_names(
    panel: Image.Image,
    weights: Float32[np.ndarray, "people height width"],
    names: Sequence[str],
    edges: Sequence[Colour],
) -> None:
    """Each name where its region is broadest, moved down past names already there."""
    draw, font = ImageDraw.Draw(panel), ImageFont.load_default(_TEXT)
    taken: list[Box] = []
    for index, (weight, name, edge) in enumerate(zip(weights, names, edges, strict=True)):
        text = drawable(name)
        if not any(character.isalnum() for character in text):
            text = f"person {index + 1}"
        text = _shortened(text, font, panel.width * _LABEL)
        width, height = font.getlength(text) + 2 * _PAD, _TEXT + 2 * _PAD
        x, y = _broadest(weight)
        left = min(max(x - width / 2, 0), panel.width - width)
        top = min(max(y - height / 2, 0), panel.height - height)
        label = Box(left, top, left + width, top + height)
        while any(label.overlaps(other) for other in taken) and label.bottom + height <= panel.height:
            label = Box(left, label.top + height, left + width, label.bottom + height)
        taken.append(label)
        draw.rounded_rectangle(label.corners, radius=_PAD, fill=_PAPER, outline=edge, width=2)
        draw.text(label.centre, text, font=font, fill=_INK, anchor="mm")


def _broadest(weight: Float32[np.ndarray, "height width"]) -> tuple[float, float]:
    """The pixel of a region that is farthest from its edge; the middle of the panel where there is no region."""
    import cv2

    inside = (weight >= max(0.5 * float(weight.max()), 1e-6)).astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(inside, 1), cv2.DIST_L2, 3)
    if not inside.any():
        return weight.shape[1] / 2, weight.shape[0] / 2
    y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return float(x) - 0.5, float(y) - 0.5


def draw_sheet(panels: Sequence[tuple[str, Image.Image]], lines: Sequence[str]) -> Image.Image:
    """Panels in a row, each with its title above, and the lines beneath."""
    font = ImageFont.load_default(_TEXT)
    row = sum(panel.width for _, panel in panels) + _GAP * (len(panels) + 1)
    width = max(row, _LEAST_WIDTH)
    wrapped = [piece for line in lines for piece in _wrapped(line, font, width - 2 * _GAP)]
    top = _GAP + _LINE
    bottom = top + max(panel.height for _, panel in panels) + _GAP
    sheet = Image.new("RGB", (width, bottom + (len(wrapped) * _LINE + _GAP if wrapped else 0)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    x = _GAP
    for title, panel in panels:
        draw.text((x, _GAP), title, font=font, fill=_FAINT)
        sheet.paste(panel, (x, top))
        x += panel.width + _GAP
    for number, line in enumerate(wrapped):
        draw.text((_GAP, bottom + number * _LINE), line, font=font, fill=_INK)
    return sheet


def _panel_size(size: tuple[int, int]) -> tuple[int, int]:
    scale = _PANEL / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _scaled(image: Image.Image) -> Image.Image:
    """The image at panel size. Small ones keep their pixels visible; masks (mode F) keep their mode."""
    size = _panel_size(image.size)
    image = image if image.mode == "F" else image.convert("RGB")
    return image.resize(size, Image.Resampling.NEAREST if size[0] > image.width else Image.Resampling.BOX)


def _wrapped(line: str, font: Font, width: float) -> list[str]:
    """The line in pieces no wider than `width` pixels, parted between words, or within one that is too long."""
    pieces: list[str] = []
    for paragraph in line.splitlines() or [""]:
        piece = ""
        for word in drawable(paragraph).split(" "):
            longer = f"{piece} {word}" if piece else word
            if font.getlength(longer) <= width:
                piece = longer
                continue
            if piece:
                pieces.append(piece)
            while font.getlength(word) > width:
                fitting = next(n for n in range(len(word), 0, -1) if font.getlength(word[:n]) <= width)
                pieces.append(word[:fitting])
                word = word[fitting:]
            piece = word
        pieces.append(piece)
    return pieces


def drawable(text: str) -> str:
    """The text in what Pillow's built-in font has: accents are dropped, other characters become question marks."""
    parts = unicodedata.normalize("NFKD", " ".join(text.split()))
    return "".join(part if part in _GLYPHS else "?" for part in parts if not unicodedata.combining(part))


def _shortened(text: str, font: Font, width: float) -> str:
    """The text, cut at the end with three dots where it is wider than `width` pixels."""
    if font.getlength(text) <= width:
        return text
    fitting = next(n for n in range(len(text), -1, -1) if n == 0 or font.getlength(text[:n] + "...") <= width)
    return text[:fitting] + "..."
