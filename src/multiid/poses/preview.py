"""Small pictures of poses for people to look at: skeletons, place numbers and face boxes."""

from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from multiid.geometry import Size
from multiid.poses.draw import draw_control_image, limb_width_for, place_colour
from multiid.poses.skeleton import Pose

__all__ = ["draw_preview"]

_LIMB_SHARE = 0.0085
_BACKDROP = 0.45  # of its brightness, so that thin limbs stand out
_EXTRA = (150, 150, 150)
_COLOURS = 128  # of the palette; enough for the limbs and their joints


def draw_preview(pose: Pose, *, long_side: int = 512, backdrop: Image.Image | None = None) -> Image.Image:
    """The control image at a small size, with each place's face box and number, as a scene's `place` counts them.

    A head seen from behind has an ellipse in place of the box. Extras' marks are grey.

    Args:
        pose: the places.
        long_side: pixels of the longer side of the result.
        backdrop: what the pose was read from, laid on its canvas; it is shown dimmed behind the skeletons.

    Returns:
        A palette picture, which makes for a small PNG; with a backdrop an RGB picture.
    """
    scale = long_side / max(pose.size)
    size = Size(*(max(1, round(side * scale)) for side in pose.size))
    width = limb_width_for(size, _LIMB_SHARE)
    picture = draw_control_image(pose, size=size, limb_width=width)
    if backdrop is not None:
        ink = picture.convert("L").point(lambda level: 255 if level else 0)
        picture = Image.composite(picture, _dimmed(backdrop, size), ink)
    pen = ImageDraw.Draw(picture)
    letter = max(12, long_side // 28)
    font = ImageFont.load_default(letter)
    for index, place in enumerate(pose.places):
        head = place.skeleton.head_box(size)
        if head is None:
            continue
        colour = _EXTRA if place.extra else place_colour(index)
        frame = pen.ellipse if place.skeleton.face_box(size) is None else pen.rectangle
        frame(head.corners, outline=colour, width=2)
        above = head.top - 3 >= letter  # else there is no room
        pen.text(
            (head.centre[0], head.top - 3 if above else head.bottom + 3), str(index), fill=colour, font=font,
            anchor="mb" if above else "mt", stroke_width=1, stroke_fill=(0, 0, 0),
        )  # fmt: skip
    return picture.quantize(_COLOURS, dither=Image.Dither.NONE) if backdrop is None else picture


def _dimmed(backdrop: Image.Image, size: Size) -> Image.Image:
    return ImageEnhance.Brightness(backdrop.convert("RGB").resize(size)).enhance(_BACKDROP)
