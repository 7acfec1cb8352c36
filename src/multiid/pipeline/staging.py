"""Who stands where: a scene's people set into its pose, with the control image and everybody's region."""

from dataclasses import dataclass, replace
from pathlib import Path

import PIL.Image
from jaxtyping import Float
from torch import Tensor

from multiid.errors import SceneError
from multiid.geometry import Size
from multiid.pipeline.casting import Casting, cast_people, propose_templates
from multiid.pipeline.scene import Person, Scene
from multiid.pipeline.sizing import AreaRule
from multiid.poses.draw import draw_control_image, limb_width_for
from multiid.poses.skeleton import Pose
from multiid.poses.templates import load_template
from multiid.regions import Claim, build_regions

__all__ = ["Stage", "arrange", "set_stage"]


@dataclass(frozen=True)
class Stage:
    """A scene's space.

    Attributes:
        size: of the picture.
        pose: the skeletons on the picture's canvas, extras among them; None where the scene has none.
        casting: who stands where, and why; None where the scene has no pose.
        control: the control image; None where there is no pose.
        regions: one mask per person at picture size.
    """

    size: Size
    pose: Pose | None
    casting: Casting | None
    control: PIL.Image.Image | None
    regions: Float[Tensor, "people height width"]

    @property
    def places(self) -> tuple[int | None, ...]:
        """Index of each person's place in the pose; None where the scene has none."""
        return (None,) * len(self.regions) if self.casting is None else self.casting.places

    def settled(self, scene: Scene) -> Scene:
        """The scene with the places that its people were given by role, as though they had asked for them."""
        if self.casting is None or scene.casting == "order":
            return scene
        people = zip(scene.cast, self.casting.places, strict=True)
        return replace(scene, people=[replace(person, place=place) for person, place in people])


def arrange(
    scene: Scene, *, default_size: Size, multiple: int, area: AreaRule | None = None
) -> tuple[Size, Pose | None, Casting | None]:
    """Gives the people of a scene their places, by the scene's `casting` unless they say otherwise; draws nothing.

    Args:
        scene: what to arrange.
        default_size: where neither scene, template nor the picture to start from has one.
        multiple: what the picture's sides must be multiples of (the VAE's scale factor).
        area: how large a template's or pose's picture is; its own size if None.

    Returns:
        The picture's size, its skeletons on a canvas of that size, and who stands where in it.

    Raises:
        SceneError: when people and places, or the sides of the picture, do not fit.
        TemplateError: when the template is unknown or invalid.
    """
    template = None if scene.template is None else load_template(Path(scene.template))
    pose = scene.pose if template is None else template.pose()
    own_size = pose.size if pose else default_size
    if pose is not None and area is not None:
        own_size = area.scaled(own_size, places=len(pose.places), multiple=multiple)
    if scene.init is not None:
        own_size = scene.init.size
    size = _size(scene, own_size, multiple)
    pose = pose.fitted(size) if pose else None
    return size, pose, _cast(scene, pose, () if template is None else template.tags)


def set_stage(
    scene: Scene, *, default_size: Size, multiple: int, limb_width: float, area: AreaRule | None = None
) -> Stage:
    """Sets the people of a scene into its pose.

    Places that stay empty keep their skeleton as extras without identity, which keeps strangers from appearing
    elsewhere (InstantFamily 3.4).

    Args:
        scene: what to set.
        default_size: where neither scene, template nor the picture to start from has one.
        multiple: what the picture's sides must be multiples of (the VAE's scale factor).
        limb_width: half-width of the control image's limbs in pixels in a picture of 1024 by 1024; it grows with
            the picture's area.
        area: how large a template's or pose's picture is; its own size if None.

    Raises:
        SceneError: when people and places, or the sides of the picture, do not fit.
        TemplateError: when the template is unknown or invalid.
        RegionError: when a region is impossible.
    """
    size, pose, casting = arrange(scene, default_size=default_size, multiple=multiple, area=area)
    cast = scene.cast
    places = (None,) * len(cast) if casting is None else casting.places
    return Stage(
        size=size,
        pose=pose,
        casting=casting,
        control=_control_image(pose, limb_width, scene.face_markers) if pose else None,
        regions=build_regions(_claims(cast, places, pose), size, people=len(cast), soft_edge=scene.soft_edge),
    )


def _control_image(pose: Pose, limb_width: float, face_markers: bool) -> PIL.Image.Image:
    pixels = limb_width_for(pose.size, limb_width / 1024)
    return draw_control_image(pose, limb_width=pixels, face_markers=face_markers)


def _size(scene: Scene, default: Size, multiple: int) -> Size:
    size = default if scene.width is None or scene.height is None else Size(scene.width, scene.height)
    whose = "init.image's " if scene.init is not None else ""
    for key, side in zip(("width", "height"), size, strict=True):
        if side % multiple:
            nearest = max(multiple, round(side / multiple) * multiple)
            raise SceneError(
                f"{whose}{key}: expected a multiple of {multiple}, but got {side}: the nearest is {nearest}."
            )
    return size


def _cast(scene: Scene, pose: Pose | None, tags: tuple[str, ...]) -> Casting | None:
    cast = scene.cast
    if pose is not None:
        people = [(person.identity.name, person.identity.noun, person.place) for person in cast]
        return cast_people(people, pose, how=scene.casting, tags=tags)
    placed = [person.identity.name for person in cast if person.place is not None]
    if placed:
        raise SceneError(f"place: expected a template or a pose to stand in, but {placed[0]}'s scene has none.")
    if len(cast) > 1 and any(person.region is None for person in cast):
        raise SceneError(
            f"template: expected one, or a box or mask for each person, so that {len(cast)} people can be kept "
            f"apart: {propose_templates([person.identity.noun for person in cast])}."
        )
    return None


def _claims(cast: tuple[Person, ...], places: tuple[int | None, ...], pose: Pose | None) -> list[Claim]:
    claims = [
        Claim(
            person=index,
            place=None if place is None or pose is None else pose.places[place],
            region=person.region,
            name=person.identity.name,
        )
        for index, (person, place) in enumerate(zip(cast, places, strict=True))
    ]
    if pose is not None:
        extras = [place for index, place in enumerate(pose.places) if index not in places]
        claims += [Claim(place=place) for place in extras]
    return claims
