"""The stage on the demonstration's sheet: the control image, whose pixels are whose, and the words as they are read."""

from collections.abc import Sequence

import numpy as np
import PIL.Image
from jaxtyping import Float
from PIL import ImageDraw
from torch import Tensor

from multiid.mini.demo.paper import CARD, FAINT, GAP, INK, PAPER, disc, font, mount, person_colour, write_lines
from multiid.pipeline.result import Picture

__all__ = ["draw_places", "draw_stage"]

_LIMBS = 0.55  # how much of the ink a skeleton's lines have on the regions
_CAPTION = 30  # pixels above each panel
_WORDS = 330  # least width of the words
_SHARE = 0.66  # of the width that both pictures below have


def draw_stage(picture: Picture, width: int, panel_width: int) -> PIL.Image.Image:
    """What the networks are given besides the portraits, side by side on a strip of that many pixels.

    Args:
        picture: of which to show the stage.
        width: of the strip.
        panel_width: of one of the large pictures below it, to which the panels' size goes.
    """
    stage = picture.stage
    wide = min(round(panel_width * _SHARE), (width - 4 * GAP - _WORDS) // 2)
    panel = (wide, round(wide * stage.size.height / stage.size.width))
    names = [name.capitalize() for name in picture.names]
    strip = PIL.Image.new("RGB", (width, max(_CAPTION + panel[1], 90 + 34 * len(names))), PAPER)
    draw = ImageDraw.Draw(strip)
    x = GAP
    panels = [("Masks: whose is what", draw_places(stage.regions, stage.control, names, panel))]
    if stage.control is not None:
        scaled = stage.control.convert("RGB").resize(panel, PIL.Image.Resampling.LANCZOS)
        panels.insert(0, ("Pose", scaled))
    for caption, image in panels:
        draw.text((x, 2), caption, font=font(17), fill=FAINT)
        mount(strip, image, (x, _CAPTION))
        x += panel[0] + GAP
    draw.text((x, 2), "Words: the scene's, and each person's own", font=font(17), fill=FAINT)
    y: float = _CAPTION
    for who, text in picture.read:
        if who == "scene":
            y = write_lines(draw, (x, y), text, width=width - x - GAP, size=19, colour=INK) + 12
            continue
        disc(strip, (x + 8, y + 12), 8, person_colour(picture.names.index(who)))
        y = write_lines(draw, (x + 26, y), text, width=width - x - 26 - GAP, size=18, colour=INK) + 6
    return strip


def draw_places(
    regions: Float[Tensor, "people height width"],
    control: PIL.Image.Image | None,
    names: Sequence[str],
    size: tuple[int, int],
) -> PIL.Image.Image:
    """Everybody's region in their colour, under the skeletons, with their name in its middle.

    Args:
        regions: a mask for each person, from 0 to 1.
        control: the control image, of which the lines are taken.
        names: of the people.
        size: width and height of what is drawn, in pixels.
    """
    canvas = np.full((size[1], size[0], 3), CARD, np.float32)
    middles: list[tuple[float, float]] = []
    for index, mask in enumerate(regions.detach().cpu().float().numpy()):
        scaled = PIL.Image.fromarray(mask).resize(size, PIL.Image.Resampling.BICUBIC)
        weight = np.asarray(scaled).clip(0, 1)[..., None]
        canvas += weight * (np.array(person_colour(index), np.float32) - canvas)
        middles.append(_middle(weight[..., 0]))
    if control is not None:
        lines = control.convert("L").point(lambda value: 255 if value else 0).resize(size, PIL.Image.Resampling.LANCZOS)
        limbs = np.asarray(lines, np.float32)[..., None] / 255 * _LIMBS
        canvas += limbs * (np.array(INK, np.float32) - canvas)
    panel = PIL.Image.fromarray(canvas.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(panel)
    for name, middle in zip(names, middles, strict=True):
        draw.text(middle, name, font=font(18), fill=CARD, stroke_width=3, stroke_fill=INK, anchor="mm")
    return panel


def _middle(weight: np.ndarray) -> tuple[float, float]:
    """The middle of a region's pixels, or of the picture where there are none."""
    rows, columns = np.nonzero(weight > 0.5)
    if not len(rows):
        return weight.shape[1] / 2, weight.shape[0] / 2
    return float(columns.mean()), float(rows.mean())
