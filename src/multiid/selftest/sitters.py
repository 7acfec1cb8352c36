"""Who sits for the selftest: people of the user's, or some of the miniature's world."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
from jaxtyping import Float64

from multiid.errors import FaceError, SceneError
from multiid.mini.demo.plan import plan_demo
from multiid.mini.faces import MiniFaces
from multiid.people.faces import Face, FaceAnalyzer, choose_face, face_analyzer
from multiid.people.identity import check_words
from multiid.people.photo import load_photos
from multiid.pipeline.preset_record import Preset

__all__ = ["MOST", "SAME_PERSON", "Sitter", "choose_judge", "direction", "draws_cartoons", "invite", "read_references"]

MOST = 4
"""The largest number of people in one picture of the selftest."""

SAME_PERSON = {"sface": 0.363}
"""From which cosine on a recogniser takes two faces for one person: for SFace as OpenCV's documentation has it."""

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


def draws_cartoons(preset: Preset) -> bool:
    """Whether people of the miniature's world may sit for it: it knows them, or knows nobody at all."""
    return preset.faces == "mini" or preset.base is None


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


def choose_judge(preset: Preset) -> FaceAnalyzer:
    """Who says whose face is whose: nobody who took part in making the pictures.

    Raises:
        ModelFileError: when its models are absent and cannot be fetched.
    """
    return MiniFaces() if draws_cartoons(preset) else face_analyzer("opencv", recognise=True)


def read_references(sitters: Sequence[Sitter], judge: FaceAnalyzer) -> Float64[np.ndarray, "people channels"]:
    """What the judge makes of each person, as directions of length 1.

    Raises:
        FaceError: when it sees no face of somebody.
    """
    return np.stack(
        [
            direction(
                [choose_face(judge.analyze(image), photo=f"a photo of {sitter.name}") for image in sitter.kept],
                sitter.name,
            )
            for sitter in sitters
        ]
    )


def direction(faces: Sequence[Face], name: str) -> Float64[np.ndarray, " channels"]:
    """The direction between several faces' embeddings, of length 1.

    Raises:
        FaceError: when none of them has an embedding.
    """
    embeddings = [face.embedding.astype(np.float64) for face in faces if face.embedding is not None]
    if not embeddings:
        raise FaceError(f"Expected a face of {name} that can be recognised, but got none: use another photo.")
    total = np.sum([embedding / np.linalg.norm(embedding) for embedding in embeddings], axis=0)
    return total / np.linalg.norm(total)


def _sitter(name: str, noun: str, source: str) -> Sitter:
    photos = tuple(photo.image for photo in load_photos(source))
    # One photo has to do for both, where there is no other.
    return Sitter(name, noun, photos[:-1] or photos, photos[-1:])
