"""Windows onto scenes and portraits, with the truth about their faces: what the finder learns from."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from multiid.geometry import Box, Size
from multiid.mini.faces.networks import FACE, STRIDE
from multiid.mini.training.face_pictures import group_scene, photo_like, seen_share, spoil
from multiid.mini.world.dice import Dice
from multiid.mini.world.figure import read_figure
from multiid.mini.world.pen import polygon
from multiid.mini.world.people import Person, is_held_out, make_person
from multiid.mini.world.portrait import draw_portrait
from multiid.mini.world.view import SURFACE, HeadView

__all__ = ["TrueFace", "draw_crowd", "draw_windows", "face_maps"]

_PORTRAITS = 0.25
_SMALLEST, _LARGEST = 13.0, 95.0  # pixels; widths of faces
_PHOTOS = 0.08
_SPREAD = 0.18  # standard deviation of the warm spot, in sizes of the face
_HARDLY_SEEN, _SEEN = 0.3, 0.5  # shares of a face; in between, no answer is wrong
_FEATURES = polygon((-0.41, 0.08), (0.41, 0.08), (0.0, 0.36), (-0.3, 0.7), (0.3, 0.7))  # half head widths

_Pixels = UInt8[np.ndarray, "height width 3"]


@dataclass(frozen=True, eq=False)
class TrueFace:
    """A face and the truth about it, in pixels.

    Attributes:
        box: around the face, without hair.
        landmarks: rows of x and y, in the order of `people.faces.Face`.
        seen: the share of its middle that nothing covers.
    """

    box: Box
    landmarks: Float64[np.ndarray, "5 2"]
    seen: float = 1.0


def draw_crowd(dice: Dice, *, first: int, last: int) -> tuple[_Pixels, list[TrueFace]]:
    """A scene of one to eight people or a portrait; people's seeds are from `first` to `last`."""

    def somebody() -> Person:
        while is_held_out(person := make_person(round(dice.between(first, last)))):
            pass
        return person

    if dice.chance(_PORTRAITS):
        size = round(dice.between(64, 160))
        portrait = draw_portrait(somebody(), seed=dice.seed(), size=size)
        return np.asarray(portrait.picture), [TrueFace(portrait.face, _features(portrait.view))]
    scene, pose = group_scene(dice, [somebody() for _ in range(1 + int(dice.between(0, 8)))])
    size = Size(*scene.picture.size)
    pose = pose if pose.size == size else pose.fitted(size)
    faces: list[TrueFace] = []
    for index, place in enumerate(pose.places):
        face, head = scene.people[index].face, read_figure(place.skeleton, size).head
        if face is not None and head is not None:
            faces.append(TrueFace(face, _features(head), seen_share(scene, index, face)))
    return np.asarray(scene.picture), faces


def draw_windows(
    dice: Dice, *, side: int, count: int, first: int, last: int, spoilt: float
) -> list[tuple[_Pixels, list[TrueFace]]]:
    """Square windows onto one picture, its faces 13 to 95 pixels wide; at times onto something like a photo.

    Args:
        dice: decides everything.
        side: of the windows in pixels.
        count: how many windows.
        first, last: seeds of people.
        spoilt: share of windows that are blurred, noisy or off colour.
    """
    if dice.chance(_PHOTOS):
        return [(photo_like(dice, side), []) for _ in range(count)]
    picture, faces = draw_crowd(dice, first=first, last=last)
    windows: list[tuple[_Pixels, list[TrueFace]]] = []
    for _ in range(count):
        target = dice.pick(faces)
        width = _SMALLEST * (_LARGEST / _SMALLEST) ** dice.between(0, 1)
        zoom = max(0.35, min(2.4, width / target.box.width))
        x, y = target.box.centre
        left = x * zoom - side * dice.between(0.1, 0.9)
        top = y * zoom - side * dice.between(0.1, 0.9)
        windows.append(_window(dice, picture, faces, side=side, zoom=zoom, left=left, top=top, spoilt=spoilt))
    return windows


def _window(
    dice: Dice,
    picture: _Pixels,
    faces: list[TrueFace],
    *,
    side: int,
    zoom: float,
    left: float,
    top: float,
    spoilt: float,
) -> tuple[UInt8[np.ndarray, "rows columns 3"], list[TrueFace]]:
    """What is seen of a picture `zoom` times as large, from a corner on; beyond it is one colour or its edge."""
    if zoom < 1:
        # First to that size, so that nothing is skipped; a shift by less than a pixel is then left.
        size = (max(1, round(picture.shape[1] * zoom)), max(1, round(picture.shape[0] * zoom)))
        scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        along, down = size[0] / picture.shape[1], size[1] / picture.shape[0]
    else:
        scaled, along, down = picture, zoom, zoom
    inner = (along, down) if zoom >= 1 else (1.0, 1.0)
    # OpenCV counts from the middle of the first pixel.
    matrix = np.array([[inner[0], 0, -left + (inner[0] - 1) / 2], [0, inner[1], -top + (inner[1] - 1) / 2]])
    edge = cv2.BORDER_REPLICATE if dice.chance(0.5) else cv2.BORDER_CONSTANT
    colour = [dice.between(0, 255) for _ in range(3)]
    pixels = cv2.warpAffine(scaled, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=edge, borderValue=colour)
    moved: list[TrueFace] = []
    for face in faces:
        corners = np.array(face.box.corners) * (along, down, along, down) - (left, top, left, top)
        box = Box(*(float(corner) for corner in corners))
        x, y = box.centre
        if 0 <= x < side and 0 <= y < side:
            moved.append(replace(face, box=box, landmarks=face.landmarks * (along, down) - (left, top)))
    return (spoil(dice, pixels) if dice.chance(spoilt) else pixels), moved


def face_maps(
    faces: list[TrueFace], side: int
) -> tuple[Float32[np.ndarray, "rows columns"], Float32[np.ndarray, "14 rows columns"]]:
    """What the finder should say of a window.

    Returns:
        Heat: 1 in the middle of a face, falling off around it, -1 where a hidden face makes any answer right. And the
        numbers of `networks.Found`, box then landmarks, of the face whose heat is greatest.
    """
    count = side // STRIDE
    heat = np.zeros((count, count), np.float32)
    shape = np.zeros((14, count, count), np.float32)
    unfair = np.zeros((count, count), bool)
    at = (np.arange(count, dtype=np.float32) + 0.5) * STRIDE
    for face in faces:
        x, y = face.box.centre
        width, height = face.box.width, face.box.height
        spread = _SPREAD * (width * height) ** 0.5
        warm = np.exp(-((at[None, :] - x) ** 2 + (at[:, None] - y) ** 2) / (2 * spread**2))
        if face.seen < _SEEN:
            if face.seen > _HARDLY_SEEN:
                unfair |= warm > 0.1
            continue
        warm[min(count - 1, int(y / STRIDE)), min(count - 1, int(x / STRIDE))] = 1.0
        own = warm > heat
        numbers = np.empty((14, count, count), np.float32)
        numbers[0], numbers[1] = (x - at[None, :]) / FACE, (y - at[:, None]) / FACE
        numbers[2], numbers[3] = np.log(width / FACE), np.log(height / FACE)
        for index, (point_x, point_y) in enumerate(face.landmarks):
            numbers[4 + 2 * index] = (point_x - at[None, :]) / FACE
            numbers[5 + 2 * index] = (point_y - at[:, None]) / FACE
        shape[:, own] = numbers[:, own]
        heat = np.maximum(heat, warm)
    heat[unfair & (heat < 0.98)] = -1.0
    return heat, shape


def _features(view: HeadView) -> Float64[np.ndarray, "5 2"]:
    """Eyes, nose and corners of the mouth on the picture."""
    return view.project(_FEATURES, SURFACE)
