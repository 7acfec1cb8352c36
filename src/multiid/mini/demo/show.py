"""The demonstration itself: the plan's picture with and without masks, and who is seen in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from multiid.evaluation import metrics
from multiid.evaluation.matching import faces_in_place
from multiid.geometry import Box
from multiid.mini.demo.plan import Plan
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.reading import portraits_direction
from multiid.mini.world.scene import Cast, draw_scene
from multiid.people.faces import Face
from multiid.pipeline.composer import Composer
from multiid.pipeline.result import Picture
from multiid.pipeline.scene import Person, Scene
from multiid.poses.skeleton import Pose

__all__ = ["Shown", "Sighting", "look", "show"]


@dataclass(frozen=True)
class Sighting:
    """A face in a picture, at somebody's place.

    Attributes:
        box: around the face, in pixels.
        similarities: cosine with each person's portraits that the generator never got, from left to right.
    """

    box: Box
    similarities: tuple[float, ...]

    @property
    def nearest(self) -> int:
        """Index of the person whom the face resembles most."""
        return int(np.argmax(self.similarities))


@dataclass(frozen=True, eq=False)
class Shown:
    """What came of a plan.

    Attributes:
        plan: what was made.
        masked: the picture with everybody heard in their own region alone.
        unmasked: the same seed with everybody heard everywhere.
        seen: who is seen at each person's place with masks; None where no face was found.
        mixed: the same without masks.
    """

    plan: Plan
    masked: Picture
    unmasked: Picture
    seen: tuple[Sighting | None, ...]
    mixed: tuple[Sighting | None, ...]


def show(plan: Plan, composer: Composer, *, faces: MiniFaces) -> Shown:
    """Makes a plan's two pictures, and looks who is in them.

    Args:
        plan: what to make.
        composer: of the preset mini.
        faces: finds and reads faces.
    """
    scene = Scene(
        plan.prompt,
        people=[
            Person(composer.identity(guest.name, guest.person.noun, guest.portraits), phrase=str(guest.clothes))
            for guest in plan.guests
        ],
        template=plan.template,
        seed=plan.seed,
    )
    pictures = composer.compose(scene), composer.compose(replace(scene, mask_rule="none"))
    places = _face_boxes(pictures[0].stage.pose, plan)
    references = np.stack([portraits_direction(guest.kept, faces) for guest in plan.guests])
    seen, mixed = (look(faces.analyze(picture.image), places, references) for picture in pictures)
    return Shown(plan, *pictures, seen, mixed)


def look(
    faces: Sequence[Face], places: Sequence[Box | None], references: Float64[np.ndarray, "people channels"]
) -> tuple[Sighting | None, ...]:
    """Whose faces a picture shows, place by place; None where no face is found.

    Args:
        faces: what an analyzer found in the picture.
        places: where each person's face should be.
        references: a direction for each person; one of no numbers is like nobody.
    """
    sightings: list[Sighting | None] = []
    for face in faces_in_place(places, faces):
        if face is None or face.embedding is None:
            sightings.append(None)
            continue
        similarities = np.nan_to_num(metrics.likenesses(face.embedding[None], references))[0]
        sightings.append(Sighting(face.box, tuple(float(value) for value in similarities)))
    return tuple(sightings)


def _face_boxes(pose: Pose | None, plan: Plan) -> list[Box | None]:
    """Where faces are in a true render of the scene, extras left out."""
    if pose is None:
        return [None] * len(plan.guests)
    pose = replace(pose, places=pose.places[: len(plan.guests)])
    cast = Cast(
        people=tuple(guest.person for guest in plan.guests),
        clothes=tuple(guest.clothes for guest in plan.guests),
        place="garden",  # it has no bearing on faces
    )
    return [person.face for person in draw_scene(pose, cast).people]
