"""Where sound words go: as large as there is room for, over bodies and background, but never over faces or balloons."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float64

from multiid.errors import StoryError
from multiid.geometry import Size
from multiid.story.balloons import Outline
from multiid.story.fonts import Typeface
from multiid.story.script import Sound
from multiid.story.seen import Seen
from multiid.story.tails import boxes_array, half_base, tail_boxes
from multiid.story.typesetting import shapes
from multiid.story.written import Balloon, SoundWord

__all__ = ["fix_sounds", "free_sounds", "word_boxes"]

_LARGEST = 0.19  # of the panel's shorter side
_WIDEST = 0.7  # of the panel's width
_SMALLEST = 1.5  # of the smallest text: smaller it is no sound any more
_STEP = 0.92  # from one size to the next
_LINE = 0.09  # of its size: the line around its letters
_GRID = 25  # places tried along each side
_SLICES = 10  # boxes that together hold a turned word
_ENOUGH = 1.2  # of its size: more room than that around it is no better
_OFF_MIDDLE = 0.15  # pixels of room that a pixel nearer to the panel's middle is worth


def fix_sounds(sounds: Sequence[Sound], seen: Seen, typeface: Typeface, *, smallest: float) -> dict[int, SoundWord]:
    """The sound words that have a place of their own, each as large as may be there.

    Args:
        sounds: all of the panel's; those without a place are passed over.
        seen: the faces.
        typeface: the fonts.
        smallest: size of the smallest text, in pixels.

    Returns:
        The words by their index among all.

    Raises:
        StoryError: when a word would cover a face, reach beyond the panel or lie on an earlier one.
    """
    fixed: dict[int, SoundWord] = {}
    for index, sound in enumerate(sounds):
        if sound.at is None:
            continue
        x, y = sound.at[0] * seen.size.width, sound.at[1] * seen.size.height
        trouble = f"is too long for a panel of {seen.size.width} pixels"
        for word in _by_size(sound, seen.size, typeface, smallest):
            moved = _moved(word, (x, y))
            found = _trouble(moved, seen, list(fixed.values()))
            if found is None:
                fixed[index] = moved
                break
            trouble = found
        else:
            place = f"[{sound.at[0]:g}, {sound.at[1]:g}]"
            raise StoryError(f"the sound word {sound.text!r} at {place} {trouble}; move it, or leave at out")
    return fixed


def free_sounds(
    sounds: Sequence[Sound],
    fixed: Mapping[int, SoundWord],
    seen: Seen,
    balloons: Sequence[Balloon],
    typeface: Typeface,
    *,
    smallest: float,
    gap: float,
) -> tuple[SoundWord, ...] | None:
    """All sound words; those without a place of their own go where there is most room.

    Args:
        sounds: the panel's.
        fixed: those that have a place, by index.
        seen: the faces.
        balloons: what is written already.
        typeface: the fonts.
        smallest: size of the smallest text, in pixels.
        gap: the least room around a word, in pixels.

    Returns:
        The words in the order of `sounds`; None where one has no room.
    """
    words = dict(fixed)
    written = [boxes_array([*seen.boxes, *(balloon.box for balloon in balloons)])]
    written += [
        tail_boxes(np.array(balloon.tail), base=half_base(balloon.form, em=balloon.block.size_px))
        for balloon in balloons
        if balloon.tail
    ]
    for index, sound in enumerate(sounds):
        if index in words:
            continue
        obstacles = np.concatenate([*written, *(word_boxes(word) for word in words.values())])
        for word in _by_size(sound, seen.size, typeface, smallest):
            place = _roomiest(np.array(word.polygon), obstacles, seen.size, gap=gap, size_px=word.block.size_px)
            if place is not None:
                words[index] = _moved(word, place)
                break
        else:
            return None
    return tuple(words[index] for index in range(len(sounds)))


def word_boxes(word: SoundWord) -> Float64[np.ndarray, "slices 4"]:
    """Upright boxes that together hold a turned word and little else: what other things keep clear of."""
    return _slices(np.array(word.polygon))


def _by_size(sound: Sound, size: Size, typeface: Typeface, smallest: float) -> Iterator[SoundWord]:
    """The word around the origin, from the largest to the smallest."""
    least = _SMALLEST * smallest
    size_px = max(_LARGEST * min(size), least)
    while True:
        line_px = _LINE * size_px
        found = shapes(sound.text, typeface, size_px, widest=_WIDEST * size.width, cut="bold")
        if found:
            ink = found[0].ink
            corners = _turned(ink.width + 2 * line_px, ink.height + 2 * line_px, sound.angle)
            polygon = tuple((float(x), float(y)) for x, y in corners)
            yield SoundWord(sound.text, (0.0, 0.0), sound.angle, sound.colour, found[0], line_px, polygon)
        if size_px <= least:
            return
        size_px = max(size_px * _STEP, least)


def _moved(word: SoundWord, place: tuple[float, float]) -> SoundWord:
    x, y = place
    polygon = tuple((left + x, top + y) for left, top in word.polygon)
    return SoundWord(word.text, place, word.angle, word.colour, word.block, word.line_px, polygon)


def _trouble(word: SoundWord, seen: Seen, others: Sequence[SoundWord]) -> str | None:
    """What is wrong with a word's place, in words."""
    parts = word_boxes(word)
    for name, face in seen.faces.items():
        if _touch(parts, boxes_array([face.box])):
            return f"would cover {name}'s face"
    if _touch(parts, boxes_array(seen.others)):
        return "would cover a face"
    if any(not (0 <= x <= seen.size.width and 0 <= y <= seen.size.height) for x, y in word.polygon):
        return "would reach beyond the panel"
    for other in others:
        if _touch(parts, word_boxes(other)):
            return f"would lie on {other.text!r}"
    return None


def _touch(parts: Float64[np.ndarray, "slices 4"], boxes: Float64[np.ndarray, "boxes 4"]) -> bool:
    low = np.maximum(parts[:, None, :2], boxes[None, :, :2])
    high = np.minimum(parts[:, None, 2:], boxes[None, :, 2:])
    return bool((low < high).all(axis=-1).any())


def _turned(width: float, height: float, angle: float) -> Outline:
    """The corners of a box around the origin, clockwise from its top left; a positive angle lifts its right end."""
    turn = math.radians(angle)
    cosine, sine = math.cos(turn), math.sin(turn)
    corners = np.array([(-width, -height), (width, -height), (width, height), (-width, height)]) / 2
    across, down = corners[:, 0], corners[:, 1]
    return np.stack([across * cosine + down * sine, down * cosine - across * sine], axis=1)


def _slices(corners: Outline) -> Float64[np.ndarray, "slices 4"]:
    share = np.linspace(0, 1, _SLICES + 1)[:, None]
    top, foot = corners[0] + share * (corners[1] - corners[0]), corners[3] + share * (corners[2] - corners[3])
    pieces = np.stack([top[:-1], top[1:], foot[:-1], foot[1:]], axis=1)
    return np.concatenate([pieces.min(axis=1), pieces.max(axis=1)], axis=1)


def _roomiest(
    corners: Outline, obstacles: Float64[np.ndarray, "boxes 4"], size: Size, *, gap: float, size_px: float
) -> tuple[float, float] | None:
    """The middle of the place with most room; of roomy ones that nearest to the panel's middle. None without room."""
    least, most = gap - corners.min(axis=0), np.array(size) - gap - corners.max(axis=0)
    if (most < least).any():
        return None
    xs, ys = (np.linspace(least[axis], most[axis], _GRID) for axis in (0, 1))
    places = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    room = np.full(len(places), _ENOUGH * size_px)
    if len(obstacles):
        left, top, right, bottom = np.moveaxis(_slices(corners)[..., None], 1, 0)  # (slices, 1) each
        x, y = xs[:, None, None], ys[:, None, None]
        across = np.maximum(obstacles[:, 0] - (right + x), (left + x) - obstacles[:, 2])  # (columns, slices, boxes)
        down = np.maximum(obstacles[:, 1] - (bottom + y), (top + y) - obstacles[:, 3])  # (rows, slices, boxes)
        room = np.minimum(room, np.maximum(across[None], down[:, None]).min(axis=(2, 3)).ravel())
    off = np.hypot(*(places - np.array(size) / 2).T)
    scores = np.where(room >= gap, np.rint((_OFF_MIDDLE * off - room) * 1000), np.inf)
    best = int(np.argmin(scores))
    return None if np.isinf(scores[best]) else (float(places[best, 0]), float(places[best, 1]))
