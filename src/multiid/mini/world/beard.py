"""Beards, fitted to the outline of a face."""

import numpy as np

from multiid.mini.world.colours import SKIN, Colour, darker, lighter, mixed
from multiid.mini.world.pen import Pen, Points, polygon, smooth
from multiid.mini.world.view import SURFACE, HeadView

__all__ = ["draw_beard"]

_FAINT = 130  # sum of colour differences below which a beard could not be told from the skin
_PALE = 400  # sum of a skin's channels from which it is pale
_SIDEBURNS = 0.34  # how high a short beard reaches, below the eyes
# A stubble is a bluish shadow whatever the hair, so that it is seen on every skin and never taken for a full beard.
_SHADOW: Colour = (44, 74, 108)
_GLEAM: Colour = (150, 158, 190)
_MOUSTACHE = smooth(polygon((0.0, 0.42), (0.34, 0.4), (0.72, 0.66), (0.8, 0.44), (0.7, 0.86), (0.3, 0.72), (0.0, 0.62),
                            (-0.3, 0.72), (-0.7, 0.86), (-0.8, 0.44), (-0.72, 0.66), (-0.34, 0.4)),
                    rounds=1)  # fmt: skip
# The upper edge of a beard that covers cheeks and lip, from right to left.
_CHEEKS = smooth(polygon((0.86, 0.22), (0.74, 0.5), (0.44, 0.42), (0.0, 0.4), (-0.44, 0.42), (-0.74, 0.5),
                         (-0.86, 0.22)), closed=False)  # fmt: skip


def draw_beard(pen: Pen, view: HeadView, kind: str, *, outline: Points, hair: Colour, skin: str, ink: float) -> None:
    """Draw one of the kinds of `people.VALUES`; `outline` is the face's, `ink` the width of outlines in pixels."""
    if kind == "none":
        return
    tone = SKIN[skin]
    pale = sum(tone) > _PALE
    colour = hair
    if sum(abs(a - b) for a, b in zip(hair, tone, strict=True)) < _FAINT:
        # Dark hair on dark skin catches the light, pale hair on pale skin is shaded.
        colour = darker(hair, 0.26) if pale else lighter(hair, 0.36)
    if kind == "moustache":
        pen.fill(view.project(_MOUSTACHE, SURFACE), colour, outline=ink)
        return
    jaw = outline[outline[:, 1] > 0.12]
    jaw = jaw[np.argsort(np.arctan2(jaw[:, 1], jaw[:, 0]))]  # from right to left, past the chin
    if kind == "stubble":
        shape = np.concatenate([jaw[::-1] * 0.97, _CHEEKS])
        pen.fill(_bent(view, shape, len(jaw)), mixed(tone, _SHADOW, 0.52) if pale else mixed(tone, _GLEAM, 0.5))
    elif kind == "short":
        jaw = jaw[jaw[:, 1] > _SIDEBURNS]
        inner = jaw * np.array([0.74, 0.72]) + np.array([0.0, 0.06])
        shape = np.concatenate([jaw[::-1] * 1.02, inner])
        pen.fill(_bent(view, shape, len(jaw)), colour, outline=ink)
    else:
        depth = np.clip(jaw[:, 1], 0, None)
        outer = np.stack([jaw[:, 0] * (1.04 + 0.3 * depth), jaw[:, 1] + 0.56 * depth**2], axis=1)
        shape = np.concatenate([outer[::-1], _CHEEKS])
        pen.fill(_bent(view, shape, len(jaw)), colour, outline=ink)


def _bent(view: HeadView, shape: Points, outer: int) -> Points:
    """On the picture: the first `outer` points lie on the face's outline, the others on its front."""
    depth = np.where(np.arange(len(shape)) < outer, 0.0, SURFACE * 0.7)
    return view.project(shape, depth)
