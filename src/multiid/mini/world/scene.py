"""Scenes: several people as their skeletons stand, at a place, with the truth about every pixel."""

from dataclasses import dataclass

import cv2
import numpy as np
import PIL.Image
from jaxtyping import UInt8

from multiid.errors import SceneError
from multiid.geometry import Box, Size
from multiid.mini.world.back import draw_head_from_behind
from multiid.mini.world.colours import CLOTHES, TROUSERS
from multiid.mini.world.dice import Dice
from multiid.mini.world.figure import Figure, draw_body, draw_neck, read_figure
from multiid.mini.world.head import draw_back_hair, draw_head, head_box
from multiid.mini.world.pen import Pen
from multiid.mini.world.people import Person, make_person
from multiid.mini.world.places import draw_place, place_light
from multiid.mini.world.view import Expression
from multiid.mini.world.words import GARMENTS, PLACES, Clothes, describe_scene, phrase
from multiid.poses.skeleton import Pose

__all__ = ["Cast", "Scene", "SeenPerson", "cast_pose", "draw_scene"]

_MOST_PEOPLE = 255  # labels of 8 bits


@dataclass(frozen=True)
class Cast:
    """What a scene shows: one person and their clothes for each place of a pose, and where they are.

    Attributes:
        people: from left to right, as the pose's places.
        clothes: what each of them wears.
        place: a key of `words.PLACES`.
    """

    people: tuple[Person, ...]
    clothes: tuple[Clothes, ...]
    place: str


@dataclass(frozen=True)
class SeenPerson:
    """One person in a scene.

    Attributes:
        person: who it is.
        clothes: what they wear.
        face: the box around the face, without hair, in pixels; None where the skeleton has no face, as from behind. It
            may reach beyond the picture.
        head: the box around head and hair, also from behind; None where the skeleton has no head.
        noun: the class noun.
        phrase: the person in words, such as "a woman in a red coat".
    """

    person: Person
    clothes: Clothes
    face: Box | None
    head: Box | None
    noun: str
    phrase: str


@dataclass(frozen=True, eq=False)
class Scene:
    """A scene and its truth.

    Attributes:
        picture: RGB.
        people: one for each place of the pose.
        labels: whose each pixel is: 0 the background's, i + 1 person i's.
        place: such as "at the beach".
        caption: such as "a man and a girl at the beach".
    """

    picture: PIL.Image.Image
    people: tuple[SeenPerson, ...]
    labels: UInt8[np.ndarray, "height width"]
    place: str
    caption: str


def cast_pose(pose: Pose, *, seed: int) -> Cast:
    """People of the ages a pose's places ask for, with clothes, and a place to be, from a seed."""
    dice = Dice("cast", seed)
    people = tuple(make_person(dice.seed(), age=place.role) for place in pose.places)
    clothes = tuple(
        Clothes(dice.pick(tuple(CLOTHES)), dice.pick(GARMENTS if person.gender == "female" else GARMENTS[:2]))
        for person in people
    )
    return Cast(people, clothes, dice.pick(tuple(PLACES)))


def draw_scene(pose: Pose, cast: Cast, *, seed: int = 0, size: Size | None = None) -> Scene:
    """Draw people as a pose says; those of less depth cover those of more.

    Args:
        pose: where the people are.
        cast: who they are, what they wear and where.
        seed: sets expressions, trousers and the details of the place; the same seed gives the same bytes.
        size: of the picture in pixels; the pose's own unless given. Another aspect letterboxes the skeletons.

    Raises:
        SceneError: when the cast does not have one person and one set of clothes for each place, or the place or
            clothes are unknown.
    """
    _check(pose, cast)
    size = size or pose.size
    pose = pose if size == pose.size else pose.fitted(size)
    dice = Dice("scene", seed)
    expressions = [Expression(dice.between(0.1, 1.0), dice.pick((0.0, 0.0, 0.6, 1.0))) for _ in cast.people]
    trousers = [dice.pick(TROUSERS) for _ in cast.people]
    figures = [read_figure(place.skeleton, size) for place in pose.places]
    boxes: list[tuple[Box | None, Box | None]] = [(None, None)] * len(figures)

    pen = Pen(size)
    draw_place(pen, cast.place, dice)
    for depth in sorted({place.depth for place in pose.places}, reverse=True):
        row = [index for index, place in enumerate(pose.places) if place.depth == depth]
        # Side by side, nobody's arm covers a neighbour's face.
        for index in row:
            pen.owner = index + 1
            draw_neck(pen, figures[index], cast.people[index])
            draw_body(pen, figures[index], cast.people[index], cast.clothes[index], trousers=trousers[index])
        for index in row:
            pen.owner = index + 1
            boxes[index] = _draw_whole_head(pen, figures[index], cast.people[index], expressions[index])
    pixels = cv2.LUT(pen.pixels(), place_light(cast.place))
    people = tuple(
        SeenPerson(person, clothes, face, head, person.noun, phrase(person.noun, clothes))
        for person, clothes, (face, head) in zip(cast.people, cast.clothes, boxes, strict=True)
    )
    caption = describe_scene([person.noun for person in cast.people], cast.place)
    return Scene(PIL.Image.fromarray(pixels), people, pen.labels(), PLACES[cast.place], caption)


def _draw_whole_head(pen: Pen, figure: Figure, person: Person, expression: Expression) -> tuple[Box | None, Box | None]:
    """Gives the boxes of the face and of the head with its hair."""
    if figure.head is None:
        return None, None
    if figure.faceless:
        draw_neck(pen, figure, person)
        return None, draw_head_from_behind(pen, figure.head, person)
    draw_back_hair(pen, figure.head, person)
    draw_neck(pen, figure, person)
    face = draw_head(pen, figure.head, person, expression)
    return face, head_box(figure.head, person, face)


def _check(pose: Pose, cast: Cast) -> None:
    places = len(pose.places)
    if not places == len(cast.people) == len(cast.clothes) or places > _MOST_PEOPLE:
        raise SceneError(
            f"Expected a person and clothes for each of the pose's {places} places (at most {_MOST_PEOPLE}), "
            f"but got {len(cast.people)} people and {len(cast.clothes)} sets of clothes."
        )
    if cast.place not in PLACES:
        raise SceneError(f"Expected a place of {', '.join(PLACES)}, but got '{cast.place}'.")
    for clothes in cast.clothes:
        if clothes.colour not in CLOTHES or clothes.garment not in GARMENTS:
            raise SceneError(
                f"Expected clothes of {', '.join(CLOTHES)} and of {', '.join(GARMENTS)}, but got '{clothes}'."
            )
