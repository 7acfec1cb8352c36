"""Heads to learn to read: people and look-alikes, in portraits and scenes, clear and spoilt; and what is no head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from jaxtyping import UInt8

from multiid.geometry import Box, Size
from multiid.mini.faces.crops import cut_head, cut_square, to_crop
from multiid.mini.faces.networks import CROP
from multiid.mini.world.colours import CLOTHES
from multiid.mini.world.dice import Dice
from multiid.mini.world.groups import LEARNT_TEMPLATES, make_group
from multiid.mini.world.people import Person, is_held_out, look_alike, make_person
from multiid.mini.world.portrait import draw_portrait
from multiid.mini.world.scene import Cast, Scene, draw_scene
from multiid.mini.world.words import GARMENTS, PLACES, Clothes
from multiid.poses.skeleton import Pose
from multiid.poses.templates import load_template

__all__ = [
    "FAMILY",
    "draw_heads",
    "group_scene",
    "jittered",
    "make_family",
    "mini_size",
    "no_head",
    "photo_like",
    "seen_share",
    "spoil",
]

FAMILY = 4
"""How many people a family of look-alikes has."""

_FIRST, _LAST = 1_000_000, 1_999_999  # seeds of people
_PORTRAITS = 0.45
_TEMPLATES = 0.25
_LEAST_SEEN = 0.6  # share of a face that must not be covered

_Pixels = UInt8[np.ndarray, "height width 3"]


def make_family(dice: Dice) -> list[Person]:
    """Somebody, and people who differ from them in one or two attributes."""
    while is_held_out(person := make_person(round(dice.between(_FIRST, _LAST)))):
        pass
    family = [person]
    while len(family) < FAMILY:
        other = look_alike(person, dice.pick((1, 2)), seed=dice.seed())
        if other not in family and not is_held_out(other):
            family.append(other)
    return family


@dataclass(frozen=True)
class _Wanted:
    """A head that is to be drawn, and where it goes."""

    place: int
    person: Person


def draw_heads(
    dice: Dice, people: list[Person], *, spoilt: float = 0.6, portraits: float = _PORTRAITS
) -> UInt8[np.ndarray, "people side side 3"]:
    """A head of each person, from portraits and scenes.

    Args:
        dice: decides everything.
        people: whom to draw.
        spoilt: share of heads that are blurred, noisy and off colour.
        portraits: share of heads from portraits.
    """
    heads: list[_Pixels | None] = [None] * len(people)
    wanted = [_Wanted(place, person) for place, person in enumerate(people)]
    in_scenes = [one for one in wanted if not dice.chance(portraits)]
    in_scenes = dice.some(in_scenes, len(in_scenes))
    while in_scenes:
        count = min(len(in_scenes), 1 + int(dice.between(0, 8)))
        group, in_scenes = in_scenes[:count], in_scenes[count:]
        scene, _ = group_scene(dice, [one.person for one in group])
        picture = np.asarray(scene.picture)
        for index, one in enumerate(group):
            face = scene.people[index].face
            if face is not None and seen_share(scene, index, face) >= _LEAST_SEEN:
                heads[one.place] = _cut(dice, picture, face, spoilt)
    for one in wanted:
        if heads[one.place] is None:
            portrait = draw_portrait(one.person, seed=dice.seed(), size=round(dice.between(46, 120)))
            heads[one.place] = _cut(dice, np.asarray(portrait.picture), portrait.face, spoilt)
    return np.stack([head for head in heads if head is not None])


def mini_size(pose: Pose) -> Size:
    """A pose's size at the miniature's scale: an area of 128 * 128 * people ** 0.6 pixels, in steps of eight."""
    area = 128 * 128 * len(pose.places) ** 0.6
    height = (area / pose.size.aspect) ** 0.5
    return Size(round(height * pose.size.aspect / 8) * 8, round(height / 8) * 8)


def jittered(dice: Dice, face: Box) -> Box:
    """A face's box as a finder might give it: a fifth too large or too small, and off the middle."""
    x, y = face.centre
    x, y = x + dice.between(-0.08, 0.08) * face.width, y + dice.between(-0.08, 0.08) * face.height
    scale = dice.between(0.82, 1.22)
    width, height = (side * scale * dice.between(0.94, 1.06) for side in (face.width, face.height))
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def spoil(dice: Dice, pixels: _Pixels) -> _Pixels:
    """Blur, lost detail, noise, a change of colours and JPEG's blocks, each at times: as generated faces may look."""
    height, width = pixels.shape[:2]
    if dice.chance(0.3):
        share = dice.between(0.6, 0.9)
        small = cv2.resize(
            pixels, (max(2, round(width * share)), max(2, round(height * share))), interpolation=cv2.INTER_AREA
        )
        pixels = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    if dice.chance(0.4):
        pixels = cv2.GaussianBlur(pixels, (0, 0), dice.between(0.3, 1.0))
    floats = pixels.astype(np.float32)
    if dice.chance(0.5):
        gain, lift = dice.between(0.92, 1.08), dice.between(-10, 10)
        tint = np.array([dice.between(0.96, 1.04) for _ in range(3)], np.float32)
        floats = floats * (gain * tint) + lift
    if dice.chance(0.5):
        noise = np.random.default_rng(dice.seed()).standard_normal(floats.shape, np.float32)
        if dice.chance(0.5):
            noise = cv2.GaussianBlur(noise, (0, 0), 0.8) * 2.2  # as coarse as a decoder's faults
        floats += noise * dice.between(2, 12)
    pixels = np.clip(floats, 0, 255).astype(np.uint8)
    if dice.chance(0.3):
        code = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, round(dice.between(45, 92))])[1]
        pixels = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
    return pixels


def no_head(dice: Dice) -> _Pixels:
    """A piece of the world without a face in its middle, or of something like a photo."""
    if dice.chance(0.5):
        return photo_like(dice, CROP)
    scene, _ = group_scene(dice, [make_person(dice.seed()) for _ in range(dice.pick((1, 2, 3)))])
    picture = np.asarray(scene.picture)
    faces = [person.face for person in scene.people if person.face is not None]
    size = dice.between(20, 60)
    while True:
        x, y = dice.between(0, picture.shape[1]), dice.between(0, picture.shape[0])
        away = [((x - face.centre[0]) ** 2 + (y - face.centre[1]) ** 2) ** 0.5 / face.width for face in faces]
        if min(away, default=9.0) > 0.75:
            break
        size = dice.between(20, 60)
    box = Box(x - size / 2, y - size / 2, x + size / 2, y + size / 2)
    piece = cut_head(picture, box)
    return spoil(dice, piece) if dice.chance(0.4) else piece


def photo_like(dice: Dice, side: int) -> _Pixels:
    """Something with the statistics of a photo: detail that falls with its fineness, shading, soft edges, grain.

    Half of them have the make-up of a face: a shaded oval of skin, dark hair above it, soft dark eyes and a mouth.
    """
    rng = np.random.default_rng(dice.seed())
    picture = _texture(rng, side, exponent=dice.between(0.8, 2.2)) * dice.between(10, 60) + rng.uniform(30, 220, 3)
    if dice.chance(0.5):
        ys, xs = (np.mgrid[0:side, 0:side] + 0.5) / side
        x, y = xs - dice.between(0.42, 0.58), ys - dice.between(0.45, 0.6)
        wide, high = dice.between(0.16, 0.32), dice.between(0.2, 0.4)
        light = np.clip(1 + dice.between(-0.7, 0.7) * x / wide + dice.between(-0.5, 0.2) * y / high, 0.3, 1.5)
        skin = np.array([1.0, dice.between(0.68, 0.82), dice.between(0.5, 0.72)]) * dice.between(70, 240)
        face = skin * light[..., None] + _texture(rng, side, exponent=1.5) * dice.between(3, 12)
        hair = np.array([1.0, 0.85, 0.7]) * dice.between(20, 160) + _texture(rng, side, exponent=0.9) * dice.between(
            8, 30
        )
        picture = _over(picture, hair, _soft((x / (wide * 1.25)) ** 2 + ((y + high * 0.25) / (high * 1.2)) ** 2, 0.12))
        picture = _over(picture, face, _soft((x / wide) ** 2 + (y / high) ** 2, 0.1))
        for across in (-0.42, 0.42):
            eye = _soft(((x / wide - across) / 0.2) ** 2 + ((y / high + 0.08) / 0.08) ** 2, 0.6)
            picture = _over(picture, skin * 0.25, eye * dice.between(0.5, 1.0))
        mouth = _soft((x / wide / 0.4) ** 2 + ((y / high - 0.5) / 0.07) ** 2, 0.6)
        picture = _over(picture, skin * (0.8, 0.5, 0.5), mouth * dice.between(0.4, 0.9))
    picture = picture + rng.standard_normal(picture.shape) * dice.between(0, 8)
    pixels = np.clip(picture, 0, 255).astype(np.uint8)
    if dice.chance(0.3):
        pixels = np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return cv2.GaussianBlur(pixels, (0, 0), dice.between(0.3, 1.5)) if dice.chance(0.5) else pixels


def _texture(rng: np.random.Generator, side: int, *, exponent: float) -> np.ndarray:
    """Noise whose amplitude falls with frequency, of unit variance, mostly grey."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    frequency[0, 0] = 1.0
    planes = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((2, side, side))) * frequency**-exponent, s=(side, side))
    planes = planes / (planes.std(axis=(1, 2), keepdims=True) + 1e-6)
    return planes[0, ..., None] + planes[1, ..., None] * rng.uniform(-0.4, 0.4, 3)


def _soft(distance: np.ndarray, edge: float) -> np.ndarray:
    """One within distance 1, zero beyond, with a soft edge."""
    return 1 / (1 + np.exp(np.clip((distance - 1) / edge * 4, -30, 30)))


def _over(below: np.ndarray, above: np.ndarray, share: np.ndarray) -> np.ndarray:
    return below + (above - below) * share[..., None]


@cache
def _templates() -> Mapping[int, Sequence[Pose]]:
    """The library's poses by their number of people."""
    poses: dict[int, list[Pose]] = {}
    for pose in (load_template(name).pose() for name in LEARNT_TEMPLATES):
        poses.setdefault(len(pose.places), []).append(pose)
    return poses


def group_scene(dice: Dice, people: list[Person]) -> tuple[Scene, Pose]:
    """A scene of these people, from left to right, and the pose it was drawn from (not always of the scene's size)."""
    poses = _templates().get(len(people))
    if poses and dice.chance(_TEMPLATES):
        pose = dice.pick(poses)
        size = mini_size(pose)
    else:
        pose = make_group(len(people), dice.seed(), overlap=len(people) > 1 and dice.chance(0.15))
        size = pose.size
    clothes = tuple(Clothes(dice.pick(tuple(CLOTHES)), dice.pick(GARMENTS)) for _ in people)
    cast = Cast(tuple(people), clothes, dice.pick(tuple(PLACES)))
    return draw_scene(pose, cast, seed=dice.seed(), size=size), pose


def seen_share(scene: Scene, index: int, face: Box) -> float:
    """For the person at that place the share of a face's middle that is not covered."""
    x, y = face.centre
    left, right = max(0, round(x - 0.35 * face.width)), max(1, round(x + 0.35 * face.width))
    top, bottom = max(0, round(y - 0.4 * face.height)), max(1, round(y + 0.45 * face.height))
    piece = scene.labels[top:bottom, left:right]
    return float((piece == index + 1).mean()) if piece.size else 0.0


def _cut(dice: Dice, picture: _Pixels, face: Box, spoilt: float) -> UInt8[np.ndarray, "side side 3"]:
    piece = cut_square(picture, jittered(dice, face))
    return to_crop(spoil(dice, piece) if dice.chance(spoilt) else piece)
