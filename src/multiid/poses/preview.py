"""Small pictures of poses for people to look at: skeletons, place numbers and face boxes."""

from PIL import Image, ImageDraw, ImageFont

from multiid.geometry import Size
from multiid.poses.draw import draw_control_image, limb_width_for, place_colour
from multiid.poses.skeleton import Pose

__all__ = ["draw_preview"]

_LIMB_SHARE = 0.0085
_COLOURS = 128  # of the palette; enough for the limbs and their joints


def draw_preview(pose: Pose, *, long_side: int = 512) -> Image.Image:
    """The control image at a small size, with each place's face box and number, as a scene's `place` counts them.

    Args:
        pose: the places.
        long_side: pixels of the longer side of the result.

    Returns:
        A palette picture, which makes for a small PNG.
    """
    scale = long_side / max(pose.size)
    size = Size(round(pose.size.width * scale), round(pose.size.height * scale))
    width = limb_width_for(size, _LIMB_SHARE)
    picture = draw_control_image(pose, size=size, limb_width=width)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(max(12, long_side // 28))
    for index, place in enumerate(pose.places):
        face = place.skeleton.face_box(size)
        if face is None:
            continue
        colour = place_colour(index)
        pen.rectangle(face.corners, outline=colour, width=2)
        pen.text(
            (face.centre[0], face.top - 3), str(index), fill=colour, font=font, anchor="mb", stroke_width=1,
            stroke_fill=(0, 0, 0),
        )  # fmt: skip
    return picture.quantize(_COLOURS, dither=Image.Dither.NONE)
