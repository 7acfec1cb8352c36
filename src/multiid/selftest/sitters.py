"""Who sits for the selftest: people of the user's, or some of the miniature's world."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
from jaxtyping import Float64

from multiid.errors import FaceError, SceneError
from multiid.evaluation.likeness import mean_direction
from multiid.mini.demo.plan import plan_demo
from multiid.people.faces import Face, FaceAnalyzer, choose_face
from multiid.people.identity import check_words
from multiid.people.photo import load_photos
from multiid.pipeline.judging import draws_cartoons
from multiid.pipeline.preset_record import Preset

__all__ = ["MOST", "Sitter", "invite", "read_references"]

MOST = 4
"""The largest number of people in one picture of the selftest."""

_SEED, _TEMPLATE = 9, "friends-six"  # six grown-up people of the miniature's world, of whom the first are taken


@dataclass(frozen=True, eq=False)
class Sitter:
    """Somebody whose face the selftest looks for.

    Attributes:
        name: what prompts call them.
        noun: the class noun.
        given: what the preset gets of them.
        kept: what the pictures are compared with; of photos one that the preset does not get, if there are several.
    """

    name: str
    noun: str
    given: tuple[PIL.Image.Image, ...]
    kept: tuple[PIL.Image.Image, ...]


def invite(preset: Preset, people: Sequence[tuple[str, str, str]]) -> list[Sitter]:
    """The people of a selftest.

    Args:
        preset: to be tested.
        people: name, class noun, and a photo or a folder of photos of each; none for people of the miniature's world.

    Raises:
        SceneError: when there are fewer than two or more than four, or two have one name.
        IdentityError: when a name or a noun cannot stand in a prompt.
        PhotoError: when a photo cannot be used.
    """
    if not people and draws_cartoons(preset):
        guests = plan_demo(seed=_SEED, template=_TEMPLATE).guests[:MOST]
        return [Sitter(guest.name, guest.person.noun, guest.portraits, guest.kept) for guest in guests]
    names = [name for name, _, _ in people]
    if not 2 <= len(people) <= MOST:
        raise SceneError(
            f"Expected two to {MOST} people for the selftest of {preset.name}, but got {len(people)}: give each with "
            "--person NAME NOUN PHOTOS; masks are there to keep people apart."
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SceneError(f"Expected every name once, but {', '.join(twice)} came twice.")
    for name, noun, _ in people:
        check_words(name, noun)
    return [_sitter(name, noun, photos) for name, noun, photos in people]


def read_references(sitters: Sequence[Sitter], judge: FaceAnalyzer) -> Float64[np.ndarray, "people channels"]:
    """What the judge makes of each person, as directions of length 1.

    Raises:
        FaceError: when it sees no face of somebody, or cannot recognise it.
    """
    return np.stack(
        [
            _direction(
                [choose_face(judge.analyze(image), photo=f"a photo of {sitter.name}") for image in sitter.kept],
                sitter.name,
            )
            for sitter in sitters
        ]
    )


def _direction(faces: Sequence[Face], name: str) -> Float64[np.ndarray, " channels"]:
    direction = mean_direction(face.embedding for face in faces if face.embedding is not None)
    if direction is None:
        raise FaceError(f"Expected a face of {name} that can be recognised, but got none: use another photo.")
    return direction


def _sitter(name: str, noun: str, source: str) -> Sitter:
    photos = tuple(photo.image for photo in load_photos(source))
    # One photo has to do for both, where there is no other.
    return Sitter(name, noun, photos[:-1] or photos, photos[-1:])
