"""The denoiser's examples: scenes drawn once, with everything that a step needs to know of them.

Drawing, encoding and dividing a scene among its people costs more than a step can wait for, so a store of scenes is
made beforehand. The people come from a pool, each with the ID embeddings of a few portraits.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int16, UInt8

from multiid.attention.weights import grid_masks
from multiid.geometry import Size
from multiid.mini.models import LATENT_SCALE
from multiid.mini.training.examples import known_person
from multiid.mini.world.colours import CLOTHES
from multiid.mini.world.dice import Dice
from multiid.mini.world.groups import LEARNT_TEMPLATES, group_sizes, make_group
from multiid.mini.world.people import Person
from multiid.mini.world.portrait import draw_portrait
from multiid.mini.world.scene import Cast, cast_pose, draw_scene
from multiid.mini.world.words import GARMENTS, PLACES, Clothes
from multiid.poses.draw import draw_control_image, limb_width_for
from multiid.poses.skeleton import Pose
from multiid.poses.templates import load_template
from multiid.regions import Claim, build_regions

__all__ = ["PORTRAITS", "PORTRAIT_SIDE", "Pool", "SceneStore", "draw_pool", "draw_store", "scene_counts"]

PORTRAITS = 4
"""Portraits of each person of the pool."""
PORTRAIT_SIDE = 64

_TEMPLATE_SHARE = 0.4  # of the scenes that show whole figures
_PEOPLE_SHARES = {1: 0.07, 2: 0.17, 3: 0.2, 4: 0.26, 5: 0.09, 6: 0.11, 7: 0.03, 8: 0.07}
_CLOSE_SHARE = 0.7


@dataclass(frozen=True)
class Pool:
    """People to cast scenes with, and portraits of each.

    Attributes:
        people: all of them.
        portraits: of each person, RGB.
    """

    people: tuple[Person, ...]
    portraits: UInt8[np.ndarray, "people portraits side side 3"]

    def cast(self, pose: Pose, *, seed: int) -> Cast:
        """A cast from the pool, of the ages and genders that the pose's own cast of that seed would have."""
        dice = Dice("pool", seed)
        model = cast_pose(pose, seed=dice.seed())
        people: list[Person] = []
        for person in model.people:
            alike = self._alike[person.gender, person.age]
            left = [other for other in alike if other not in people] or alike
            people.append(dice.pick(left))
        return dataclasses.replace(model, people=tuple(people))

    @cached_property
    def _alike(self) -> dict[tuple[str, str], list[Person]]:
        found: dict[tuple[str, str], list[Person]] = {}
        for person in self.people:
            found.setdefault((person.gender, person.age), []).append(person)
        return found


@dataclass(frozen=True)
class SceneStore:
    """Scenes of one size and number of people, as arrays whose first axis is the scene.

    Attributes:
        control: control images.
        regions: each person's share of each latent cell, in 255ths.
        heads: how much of each latent cell is somebody's head, in 255ths.
        people: indices into the pool.
        clothes: index of the colour, index of the garment.
        places: index of the place.
    """

    control: UInt8[np.ndarray, "scenes height width 3"]
    regions: UInt8[np.ndarray, "scenes people rows columns"]
    heads: UInt8[np.ndarray, "scenes rows columns"]
    people: Int16[np.ndarray, "scenes people"]
    clothes: Int16[np.ndarray, "scenes people 2"]
    places: Int16[np.ndarray, " scenes"]

    def save(self, file: Path) -> None:
        """Writes the arrays, uncompressed."""
        np.savez(file, **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)})

    @classmethod
    def load(cls, file: Path) -> "SceneStore":
        """Reads what `save` wrote."""
        with np.load(file) as arrays:
            return cls(**{name: arrays[name] for name in arrays.files})

    def clothes_of(self, scene: int, person: int) -> Clothes:
        """What a person wears."""
        colour, garment = self.clothes[scene, person]
        return Clothes(tuple(CLOTHES)[colour], GARMENTS[garment])

    def place_of(self, scene: int) -> str:
        """A key of `words.PLACES`."""
        return tuple(PLACES)[self.places[scene]]


def draw_pool(count: int, *, seed: int) -> Pool:
    """People who may be trained on, with portraits."""
    people = [known_person(seed * 1_000_003 + index) for index in range(count)]
    people = list(dict.fromkeys(people))
    portraits = np.empty((len(people), PORTRAITS, PORTRAIT_SIDE, PORTRAIT_SIDE, 3), np.uint8)
    for index, person in enumerate(people):
        for photo in range(PORTRAITS):
            drawn = draw_portrait(person, seed=(seed * 1_000_003 + index) * PORTRAITS + photo, size=PORTRAIT_SIDE)
            portraits[index, photo] = np.asarray(drawn.picture)
    return Pool(tuple(people), portraits)


def scene_counts(total: int) -> Iterator[tuple[int, Size, int]]:
    """How many scenes of how many people to draw at each size: (people, size, scenes)."""
    for people, share in _PEOPLE_SHARES.items():
        sizes = group_sizes(people)
        whole = [size for size in sizes if size in sizes[-2:]]
        close = [size for size in sizes if size not in whole]
        for kind, kind_share in ((close, _CLOSE_SHARE), (whole, 1 - _CLOSE_SHARE)):
            for size in kind:
                yield people, size, max(1, round(total * share * kind_share / len(kind)))


def draw_store(
    pool: Pool, people: int, size: Size, scenes: int, *, seed: int, limb_width: float
) -> tuple[SceneStore, UInt8[np.ndarray, "scenes height width 3"]]:
    """Draws scenes of one size; gives what is known of them, and the pictures.

    Args:
        pool: whom to show.
        people: in each scene.
        size: of the pictures.
        scenes: how many.
        seed: the same seed draws the same scenes.
        limb_width: as `pipeline.presets.Defaults.limb_width`.
    """
    rows, columns = size.height // LATENT_SCALE, size.width // LATENT_SCALE
    pictures = np.empty((scenes, size.height, size.width, 3), np.uint8)
    store = SceneStore(
        control=np.empty((scenes, size.height, size.width, 3), np.uint8),
        regions=np.empty((scenes, people, rows, columns), np.uint8),
        heads=np.empty((scenes, rows, columns), np.uint8),
        people=np.empty((scenes, people), np.int16),
        clothes=np.empty((scenes, people, 2), np.int16),
        places=np.empty(scenes, np.int16),
    )
    numbers = {person: number for number, person in enumerate(pool.people)}
    half_limb = limb_width_for(size, limb_width / 1024)
    templates = [
        pose for pose in (load_template(name).pose() for name in LEARNT_TEMPLATES) if len(pose.places) == people
    ]
    whole = size in group_sizes(people)[-2:]
    for index in range(scenes):
        dice = Dice(f"store of {people} people at {size}, {seed}", index)
        if whole and templates and dice.chance(_TEMPLATE_SHARE):
            pose = dice.pick(templates).fitted(size)
        else:
            pose = make_group(people, dice.seed(), overlap=people > 1 and dice.chance(0.15), size=size)
        cast = pool.cast(pose, seed=dice.seed())
        scene = draw_scene(pose, cast, seed=dice.seed())
        claims = [Claim(number, place) for number, place in enumerate(pose.places)]
        regions = build_regions(claims, size, people=people)
        pictures[index] = np.asarray(scene.picture)
        store.control[index] = np.asarray(draw_control_image(pose, limb_width=half_limb))
        store.regions[index] = _in_255ths(grid_masks(regions, (rows, columns), 1)[0])
        heads = torch.zeros(1, size.height, size.width)
        for person in scene.people:
            if person.head is not None:
                left, top, right, bottom = (max(0, round(corner)) for corner in person.head.corners)
                heads[0, top:bottom, left:right] = 1
        store.heads[index] = _in_255ths(grid_masks(heads, (rows, columns), 1)[0])[0]
        store.people[index] = [numbers[person] for person in cast.people]
        store.clothes[index] = [
            (tuple(CLOTHES).index(clothes.colour), GARMENTS.index(clothes.garment)) for clothes in cast.clothes
        ]
        store.places[index] = tuple(PLACES).index(cast.place)
    return store, pictures


def _in_255ths(masks: torch.Tensor) -> UInt8[np.ndarray, "count rows columns"]:
    return (masks * 255).round().to(torch.uint8).numpy()
