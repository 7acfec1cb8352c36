"""A second pass on small faces: cut out, enlarged, painted anew with that person's stack alone, and put back.

A face of a few latent cells cannot be anybody's. Enlarged to the size at which the model is at home it can; the
step is image-to-image of the cutout, with the cutout of the pose as control image, so that head and glance stay.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
import PIL.Image
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from multiid.errors import SceneError
from multiid.geometry import Box, Point, Size
from multiid.people.faces import FaceAnalyzer
from multiid.pipeline.init_image import InitImage
from multiid.pipeline.inpainting import feathered, pasted
from multiid.pipeline.merging import Progress
from multiid.pipeline.preset_record import Defaults
from multiid.pipeline.recipe import Refinement
from multiid.pipeline.result import Picture
from multiid.pipeline.scene import Person, Scene
from multiid.pipeline.staging import Stage
from multiid.poses.silhouette import FACE_MARGIN, outline
from multiid.poses.skeleton import Pose, Skeleton

__all__ = ["PictureMaker", "refine_faces"]

_CONTEXT = 2.2  # side of the cutout in heights of the face
_FEATHER = 0.15  # of the face's width, over which the new face fades into the old picture
_BATCH = 8  # faces at once
_FAR = 3.0  # cutouts, from the cutout's edge


@runtime_checkable
class PictureMaker(Protocol):
    """What refining uses of a `Composer`, which itself uses refining."""

    @property
    def defaults(self) -> Defaults:
        """Settings of scenes that leave them out."""
        ...

    @property
    def faces(self) -> FaceAnalyzer | None:
        """Finds faces where no pose says where they are."""
        ...

    def compose_batch(self, scenes: Sequence[Scene], *, progress: Progress | None = None) -> tuple[Picture, ...]:
        """Makes several scenes at once, each with its own words, people, pose and seed."""
        ...


@dataclass(frozen=True, eq=False)
class _Face:
    """One small face of a picture.

    Attributes:
        person: index in the scene.
        window: the cutout, a square of whole pixels inside the picture.
        part: 1 where pixels may change, at picture size.
        width: of the face in pixels.
    """

    person: int
    window: tuple[int, int, int, int]
    part: Float[Tensor, "height width"]
    width: float


def refine_faces(
    composer: PictureMaker,
    scene: Scene,
    picture: Picture,
    *,
    below: float | None = None,
    strength: float = 0.6,
    people: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Picture:
    """Paints the small faces of a picture anew, larger, and puts them back.

    Every face gets its own person's stack alone, from the first step. Pixels outside the heads, and those of anybody
    else's region, stay as they are to the last bit.

    Args:
        composer: what made the picture, a `Composer`.
        scene: what it was made from.
        picture: with its pixels; all its images are refined.
        below: faces less wide than this, in pixels, are small; the composer's default if None.
        strength: how much of a face changes: little keeps it, 1 keeps nothing.
        people: names of those whose faces may change; everybody's if None.
        progress: called after each step with the steps done and their total.

    Returns:
        The same picture with other pixels; a recipe that says so, and a note where there was nothing to refine. What
        was verified of the old pixels is not said of the new ones.

    Raises:
        SceneError: when the picture has no pixels, a name is unknown, or there is neither a pose nor a face analyzer
            to tell where faces are.
    """
    if not picture.images:
        raise SceneError("picture: expected one with pixels to refine, but got latents alone.")
    unknown = [name for name in people or () if name not in picture.names]
    if unknown:
        raise SceneError(f"people: expected some of {', '.join(picture.names)}, but got {unknown[0]}.")
    refinement = Refinement(
        below=composer.defaults.refine_below if below is None else below,
        strength=strength,
        people=None if people is None else tuple(people),
    )
    wanted = set(picture.names if people is None else people)
    faces = [
        (index, face)
        for index, image in enumerate(picture.images)
        for face in _faces(composer, picture.stage, image)
        if face.width < refinement.below and picture.names[face.person] in wanted
    ]
    notes = () if faces else (f"No face is less than {refinement.below:g} pixels wide, so none was refined.",)
    images = list(picture.images)
    for (index, face), new in zip(faces, _made(composer, scene, picture, faces, strength, progress), strict=True):
        left, top, right, bottom = face.window
        enlarged = images[index].copy()
        enlarged.paste(new.resize((right - left, bottom - top), PIL.Image.Resampling.LANCZOS), (left, top))
        images[index] = pasted(enlarged, images[index], feathered(face.part, width=_FEATHER * face.width))
    return replace(
        picture,
        images=tuple(images),
        recipes=tuple(recipe.refined(refinement) for recipe in picture.recipes),
        notes=picture.notes + notes,
        verifications=(),
    )


def _made(
    composer: PictureMaker,
    scene: Scene,
    picture: Picture,
    faces: Sequence[tuple[int, _Face]],
    strength: float,
    progress: Progress | None,
) -> Iterator[PIL.Image.Image]:
    """The new faces, batch by batch, each with its own person's stack alone."""
    batches = [faces[start : start + _BATCH] for start in range(0, len(faces), _BATCH)]
    for number, batch in enumerate(batches):

        def report(done: int, total: int, before: int = number) -> None:
            if progress is not None:
                progress(before * total + done, len(batches) * total)

        scenes = [
            _close_up(composer, scene, picture, face, picture.images[index], strength, picture.recipes[index].seed)
            for index, face in batch
        ]
        for made in composer.compose_batch(scenes, progress=report):
            yield made.image


def _close_up(
    composer: PictureMaker,
    scene: Scene,
    picture: Picture,
    face: _Face,
    image: PIL.Image.Image,
    strength: float,
    seed: int,
) -> Scene:
    """The scene of one face: the cutout, enlarged, with what of the pose is in it."""
    side = composer.defaults.refine_side
    cast = scene.cast
    person = cast[face.person]
    left, top, right, bottom = face.window
    pose, place = _cut_pose(picture.stage, face, side)
    region = picture.stage.regions[face.person][top:bottom, left:right].numpy()
    others = {other.identity.name: other.identity.noun for other in cast if other is not person}
    return replace(
        scene,
        prompt=re.sub(r"\{(\w+)\}", lambda found: others.get(found[1], found[0]), scene.prompt),
        people=[Person(person.identity, person.phrase, person.strength, region, place)],
        template=None,
        pose=pose,
        init=InitImage(image.crop(face.window).resize((side, side), PIL.Image.Resampling.LANCZOS), strength),
        controls=[
            replace(control, image=control.image.resize(picture.stage.size).crop(face.window))
            for control in scene.controls
        ],
        merge_step=-1,
        style_strength=None,
        soft_edge=0.0,
        width=side,
        height=side,
        images=1,
        seed=seed,
    )


def _cut_pose(stage: Stage, face: _Face, side: int) -> tuple[Pose | None, int | None]:
    """What of the pose is in a cutout, and which of its places is the person's."""
    if stage.pose is None:
        return None, None
    left, top, right, bottom = face.window

    def move(point: Point) -> Point:
        return Point(
            (point.x * stage.size.width - left) / (right - left), (point.y * stage.size.height - top) / (bottom - top)
        )

    def is_in(skeleton: Skeleton) -> bool:
        seen = [move(point) for point in skeleton.points if point is not None]
        return any(0 <= point.x <= 1 and 0 <= point.y <= 1 for point in seen)

    own = stage.places[face.person]
    kept = [index for index, place in enumerate(stage.pose.places) if index == own or is_in(place.skeleton)]
    places = tuple(
        replace(place, skeleton=place.skeleton.without(lambda point: _is_far(move(point))).moved(move))
        for place in (stage.pose.places[index] for index in kept)
    )
    return Pose(Size(side, side), places), None if own is None else kept.index(own)


def _is_far(point: Point) -> bool:
    """Whether a point is so far from a cutout that no limb that ends there crosses it."""
    return not (-_FAR <= point.x <= 1 + _FAR and -_FAR <= point.y <= 1 + _FAR)


def _faces(composer: PictureMaker, stage: Stage, image: PIL.Image.Image) -> Iterator[_Face]:
    """The faces of the people of a picture: where the pose puts them, or else where they are found."""
    if stage.pose is None:
        yield from _found_faces(composer, stage, image)
        return
    for person, place in enumerate(stage.places):
        skeleton = None if place is None else stage.pose.places[place].skeleton
        box = None if skeleton is None else skeleton.face_box(stage.size)
        if skeleton is not None and box is not None:
            yield from _face(person, box, outline(skeleton, stage.size).head, stage)


def _found_faces(composer: PictureMaker, stage: Stage, image: PIL.Image.Image) -> Iterator[_Face]:
    if composer.faces is None:
        raise SceneError(
            "refine: expected a scene with a template or a pose, or a composer with a face analyzer, to tell where "
            "faces are, but got neither."
        )
    for found in composer.faces.analyze(image):
        x, y = (int(value) for value in found.box.centre)
        inside = 0 <= x < stage.size.width and 0 <= y < stage.size.height
        owners = stage.regions[:, y, x] if inside else torch.zeros(len(stage.regions))
        if owners.sum() > 0:
            yield from _face(int(owners.argmax()), found.box, _ellipse(found.box, stage.size), stage)


def _face(person: int, box: Box, head: Bool[np.ndarray, "height width"], stage: Stage) -> Iterator[_Face]:
    """The face as something to refine, unless nothing of it is the person's own."""
    part = torch.from_numpy(head).float() * (stage.regions[person] > 0)
    if part.any():
        yield _Face(person, _window(box, stage.size), part, box.width)


def _window(box: Box, size: Size) -> tuple[int, int, int, int]:
    """A square around a face, moved into the picture."""
    side = min(round(box.height * _CONTEXT), *size)
    left, top = (
        min(max(round(middle - side / 2), 0), length - side) for middle, length in zip(box.centre, size, strict=True)
    )
    return left, top, left + side, top + side


def _ellipse(box: Box, size: Size) -> Bool[np.ndarray, "height width"]:
    """A face's box with its margin, rounded."""
    wide = box.expanded(FACE_MARGIN)
    y, x = np.mgrid[: size.height, : size.width] + 0.5
    across, down = (x - wide.centre[0]) / (wide.width / 2), (y - wide.centre[1]) / (wide.height / 2)
    return across**2 + down**2 <= 1
