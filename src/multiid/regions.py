"""Who owns which pixel: places, boxes and painted masks become one mask per person (ARCHITECTURE 8).

Every pixel has one owner at most. Faces, and heads seen from behind, come before bodies, and among either the person
in front, the one of least depth, comes first. Between people of equal depth a pixel goes to the nearest axis: the
spine of a body, the middle of a face, or the middle of a box or mask without a spine. So neighbours part midway, each
in one piece, and a small person or box that lies on a large one keeps the pixels about its own axis. On a tie the
smaller shape, then the earlier claim, has it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import PIL.Image
import torch
from jaxtyping import Bool, Float, Float32, Int32
from torch import Tensor

from multiid.errors import RegionError
from multiid.geometry import Box, Size
from multiid.poses.silhouette import Segment, outline
from multiid.poses.skeleton import Place

__all__ = ["Claim", "Region", "build_regions"]

Region = Box | np.ndarray | PIL.Image.Image
"""What a user may give as a person's region.

A box in pixels of the picture, or a painted mask of the picture's aspect ratio, white where the person is: an 8-bit
grey, 1-bit, RGB or RGBA picture (transparent counts as black), or a (height, width) array of bool, of whole numbers
from 0 to 255 or of fractions from 0 to 1. Half grey and brighter is theirs.
"""

_ASPECT_TOLERANCE = 0.02
_MASK_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
_SOFT_STEPS = 1 << 16
_NOBODY = -1


@dataclass(frozen=True, eq=False)
class Claim:
    """One owner of pixels.

    Attributes:
        person: index of the person, or None for an extra, who keeps their pixels but has no identity.
        place: where they stand; also how deep in the picture, 0 without a place.
        region: stands in for the place's outline; the place's face stays a face within it.
        name: what error messages call them.
    """

    person: int | None = None
    place: Place | None = None
    region: Region | None = None
    name: str = ""

    def __str__(self) -> str:
        kind = "an extra" if self.person is None else f"people[{self.person}]"
        return f"{kind} ({self.name})" if self.name else kind


@dataclass(frozen=True, eq=False)
class _Shape:
    """The pixels that a claim asks for in one layer (faces or bodies), and the axis that settles ties."""

    mask: Bool[np.ndarray, "height width"]
    axis: Segment
    depth: float

    @cached_property
    def window(self) -> tuple[slice, slice]:
        """The rows and columns that the mask reaches into; work is limited to them, as most people are slim."""
        import cv2

        left, top, width, height = cv2.boundingRect(self.mask.view(np.uint8))
        return slice(top, top + height), slice(left, left + width)

    @cached_property
    def area(self) -> int:
        """How many pixels the mask has."""
        return int(np.count_nonzero(self.mask[self.window]))


def build_regions(
    claims: Sequence[Claim], size: Size, *, people: int, soft_edge: float = 0.0
) -> Float[Tensor, "people height width"]:
    """Divide a picture of `size` among its people.

    A person with neither place nor region has the whole picture, which works for one person alone.

    Args:
        claims: one for each person, in any order, and one for each extra.
        size: the picture in pixels; any sides from 1.
        people: how many people there are.
        soft_edge: over which share of the picture's shorter side edges fall from 1 to 0, half of it on either side
            of the hard edge; 0 keeps them hard.

    Returns:
        Masks in float32 on the CPU, from 0 to 1, in the order of the people. Over people they never add up to more
        than 1; hard ones are 0 or 1.

    Raises:
        RegionError: when a box reaches beyond the picture, a mask is empty or of another shape, a person has neither
            place nor region though not alone, or nothing is left of somebody's region.
    """
    if not 0 <= soft_edge <= 1:
        raise RegionError(f"Expected a soft edge from 0 to 1 of the picture's shorter side, but got {soft_edge}.")
    if sorted(claim.person for claim in claims if claim.person is not None) != list(range(people)):
        got = ", ".join(map(str, claims)) or "none"
        raise RegionError(f"Expected one claim for each of {people} people, numbered from 0, but got {got}.")

    shapes = [_shapes(claim, size, alone=len(claims) == 1) for claim in claims]
    faces = _divide([face for _, face in shapes], size)
    owner = np.where(faces == _NOBODY, _divide([body for body, _ in shapes], size), faces)
    masks = np.zeros((people, size.height, size.width), np.float32)
    for index, (claim, (body, face)) in enumerate(zip(claims, shapes, strict=True)):
        if claim.person is None:
            continue
        mask = owner == index
        if not mask.any():
            raise RegionError(_why_empty(claim, hidden=body.area + face.area > 0))
        masks[claim.person] = _soften(mask, width=soft_edge * min(size))
    return torch.from_numpy(masks)


def _why_empty(claim: Claim, *, hidden: bool) -> str:
    if hidden:
        return (
            f"Expected a region for {claim}, but those in front of them cover it all: "
            "give them another place, or boxes or masks that overlap less."
        )
    return (
        f"Expected {claim} inside the picture, but no pixel of their place is: "
        "choose another place or picture size, or give them a box or mask."
    )


def _shapes(claim: Claim, size: Size, *, alone: bool) -> tuple[_Shape, _Shape]:
    """The body and the face of a claim."""
    depth = 0.0 if claim.place is None else claim.place.depth
    figure = None if claim.place is None else outline(claim.place.skeleton, size)
    spine = None if figure is None else figure.spine
    if claim.region is not None:
        mask = _region_mask(claim.region, size, claim=claim)
    elif figure is not None:
        mask = figure.body | figure.head
    elif alone:
        mask = np.ones((size.height, size.width), np.bool_)
    else:
        raise RegionError(
            f"Expected a place or a region for {claim}, who is not alone, but got neither: "
            "choose a template, or give everybody a box or a mask."
        )
    body = _Shape(mask, spine or _middle(mask), depth)
    if figure is None or figure.head_centre is None:
        return body, _Shape(np.zeros_like(mask), body.axis, depth)
    return body, _Shape(figure.head & mask, (figure.head_centre, figure.head_centre), depth)


def _region_mask(region: Region, size: Size, *, claim: Claim) -> Bool[np.ndarray, "height width"]:
    box = isinstance(region, Box)
    mask = _box_mask(region, size, claim=claim) if box else _painted_mask(region, size, claim=claim)
    if not mask.any():
        raise RegionError(
            f"Expected a region with at least one pixel for {claim}, but got an empty one: "
            "paint white (255, True or 1.0) where they are, or give a box that covers a pixel's middle."
        )
    return mask


def _box_mask(box: Box, size: Size, *, claim: Claim) -> Bool[np.ndarray, "height width"]:
    """The pixels whose middle lies in the box."""
    if not box.inside(size):
        raise RegionError(
            f"Expected the box of {claim} inside the picture of {size} pixels, but got "
            f"({', '.join(f'{corner:g}' for corner in box.corners)}): give left, top, right and bottom in pixels."
        )
    left, top, right, bottom = (math.ceil(corner - 0.5) for corner in box.corners)
    mask = np.zeros((size.height, size.width), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def _painted_mask(
    painted: np.ndarray | PIL.Image.Image, size: Size, *, claim: Claim
) -> Bool[np.ndarray, "height width"]:
    import cv2

    white = _whiteness(painted, claim=claim)
    own = Size(white.shape[1], white.shape[0])
    if abs(own.aspect / size.aspect - 1) > _ASPECT_TOLERANCE:
        raise RegionError(
            f"Expected a mask of the picture's aspect ratio, {size}, for {claim}, but got {own}: "
            "paint it on a canvas of the picture's size, or crop it."
        )
    shrinking = own.width > size.width
    resized = cv2.resize(white, size, interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)
    return np.asarray(resized) >= 0.5


def _whiteness(painted: np.ndarray | PIL.Image.Image, *, claim: Claim) -> Float32[np.ndarray, "_height _width"]:
    """How white each pixel is, from 0 to 1."""
    if isinstance(painted, PIL.Image.Image):
        if painted.mode not in _MASK_MODES:
            raise RegionError(
                f"Expected a mask in 8-bit grey, 1-bit, RGB or RGBA for {claim}, but got mode {painted.mode}: "
                "save it in one of these."
            )
        colours = painted.convert("RGBA")
        black = PIL.Image.new("RGBA", colours.size, "black")
        painted = np.asarray(PIL.Image.alpha_composite(black, colours).convert("L"))
    if painted.ndim != 2 or 0 in painted.shape:
        raise RegionError(f"Expected a mask of shape (height, width) for {claim}, but got {painted.shape}.")
    kind, most = painted.dtype.kind, 255 if painted.dtype.kind in "iu" else 1
    if kind not in "biuf" or not (painted.min() >= 0 and painted.max() <= most):
        raise RegionError(
            f"Expected a mask of bool, of whole numbers from 0 to 255 or of fractions from 0 to 1 for {claim}, "
            f"but got {painted.dtype}" + (f" from {painted.min()} to {painted.max()}." if kind in "biuf" else ".")
        )
    return painted.astype(np.float32) / most


def _middle(mask: Bool[np.ndarray, "height width"]) -> Segment:
    """The centre of gravity of a mask; the corner of an empty one, which owns nothing anyway."""
    import cv2

    moments = cv2.moments(mask.view(np.uint8), binaryImage=True)
    area = max(moments["m00"], 1.0)
    middle = (moments["m10"] / area + 0.5, moments["m01"] / area + 0.5)
    return middle, middle


def _divide(shapes: Sequence[_Shape], size: Size) -> Int32[np.ndarray, "height width"]:
    """Index of the shape that owns each pixel, -1 for none."""
    owner = np.full((size.height, size.width), _NOBODY, np.int32)
    for depth in sorted({shape.depth for shape in shapes}, reverse=True):
        row = sorted(
            (index for index, shape in enumerate(shapes) if shape.depth == depth and shape.area),
            key=lambda index: shapes[index].area,
        )
        claimants = np.zeros(owner.shape, np.uint16)
        for index in row:
            mask, window = shapes[index].mask, shapes[index].window
            owner[window][mask[window]] = index
            claimants[window] += mask[window]
        ys, xs = np.nonzero(claimants > 1)
        nearest = np.full(len(xs), np.inf)
        for index in row:
            mine = np.flatnonzero(shapes[index].mask[ys, xs])
            distance = _distance(xs[mine] + 0.5, ys[mine] + 0.5, shapes[index].axis)
            closer = distance < nearest[mine]
            nearest[mine[closer]] = distance[closer]
            owner[ys[mine[closer]], xs[mine[closer]]] = index
    return owner


def _distance(
    x: Float[np.ndarray, " pixels"], y: Float[np.ndarray, " pixels"], segment: Segment
) -> Float[np.ndarray, " pixels"]:
    """From each pixel to the nearest point of a segment."""
    (x0, y0), (x1, y1) = segment
    dx, dy = x1 - x0, y1 - y0
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
    return np.hypot(x - x0 - along * dx, y - y0 - along * dy)


def _soften(mask: Bool[np.ndarray, "height width"], *, width: float) -> Float32[np.ndarray, "height width"]:
    """The mask with edges that fall off over `width` pixels: its mean over a square of that side.

    Means of masks that share no pixel add up to 1 at most. They are rounded down to whole shares of a power of two,
    which floats add without error, so that this holds to the last bit.
    """
    import cv2

    side = 2 * round(width / 2) + 1
    if side == 1:
        return mask.astype(np.float32)
    counts = cv2.boxFilter(
        mask.astype(np.uint8), cv2.CV_32S, (side, side), normalize=False, borderType=cv2.BORDER_REPLICATE
    )
    shares = np.floor(np.asarray(counts) * float(_SOFT_STEPS) / (side * side))
    return (shares / _SOFT_STEPS).astype(np.float32)
