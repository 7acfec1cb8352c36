"""A group photo cut into one portrait per person, so that each can become an identity."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import PIL.Image

from multiid.errors import NoFaceError, OutputError, PhotoError
from multiid.files import require_place, write_whole
from multiid.geometry import Box, Size
from multiid.people.contact import draw_contact
from multiid.people.faces import Face, FaceAnalyzer, PhotoCheck
from multiid.people.photo import MIN_SIDE, Photo, PhotoSource, load_photos

__all__ = ["MIN_FACE", "GroupSplit", "Portrait", "split_group"]

MIN_FACE = 40
"""Default least width of a face, in pixels: smaller ones are too coarse to tell who it is."""

# Sides of a portrait's square in face heights (or widths), the roomiest first: it shrinks to keep the neighbours out.
_ROOM = (2.4, 2.2, 2.0, 1.8, 1.6, 1.4)
_RAISED = 0.06  # of the face's height: there is more head above a face than below


@dataclass(frozen=True)
class Portrait:
    """One person of a group photo.

    Attributes:
        number: from 1, counted from left to right.
        image: the square cut out of the photo, upright as the photo is.
        face: the person's face, in pixels of the photo.
        crop: what was cut out, likewise.
    """

    number: int
    image: PIL.Image.Image
    face: Box
    crop: Box


@dataclass(frozen=True)
class GroupSplit:
    """A group photo and the portraits cut out of it.

    Attributes:
        photo: the photo, upright.
        portraits: one for each person, from left to right.
        too_small: faces that were passed over, in pixels of the photo.
    """

    photo: PIL.Image.Image
    portraits: tuple[Portrait, ...]
    too_small: tuple[Box, ...] = ()

    def contact(self) -> PIL.Image.Image:
        """One picture that shows who got which number: the photo with its faces numbered, and the portraits."""
        numbered = {portrait.number: portrait.face for portrait in self.portraits}
        return draw_contact(self.photo, numbered, [portrait.image for portrait in self.portraits], self.too_small)

    def save(self, folder: str | os.PathLike[str], name: str, *, overwrite: bool = False) -> list[Path]:
        """Writes the portraits as NAME-1.png and so on, and NAME-contact.png, whole and without metadata.

        Args:
            folder: made where it is absent and the folder above is there.
            name: what the files are called.
            overwrite: whether files of these names may be replaced.

        Returns:
            The files, the contact picture last.

        Raises:
            OutputError: when the folder cannot be written, or a file is there already and may not be replaced.
        """
        place = Path(folder)
        digits = len(str(len(self.portraits)))  # so that names sort as the numbers do
        pictures = {place / f"{name}-{portrait.number:0{digits}}.png": portrait.image for portrait in self.portraits}
        pictures[place / f"{name}-contact.png"] = self.contact()
        try:
            place.mkdir(exist_ok=True)
            there = [file.name for file in pictures if file.exists()]
        except OSError as error:
            raise OutputError(f"Expected a folder to write into, but {place} is none: {error.strerror}.") from error
        if there and not overwrite:
            raise OutputError(
                f"Expected no {there[0]} in {place}, but it is there: choose another folder, or allow to overwrite "
                "(--force)."
            )
        for file in pictures:
            require_place(file)
        for file, picture in pictures.items():
            with write_whole(file) as temporary:
                picture.save(temporary)
        return list(pictures)


def split_group(photo: PhotoSource | Photo, faces: FaceAnalyzer, *, min_face: float = MIN_FACE) -> GroupSplit:
    """Finds every face of a photo and cuts one portrait around each.

    A portrait is a square with the face in the middle and 2.4 times as large, so that hair and neck are in it; less
    where neighbours' faces would be in it, down to 1.4 times. At the photo's edges it is moved inside. No pixel is
    scaled or turned.

    Args:
        photo: the photo, as `load_photo` takes it, or one that has been read.
        faces: finds the faces. Where it is a `PhotoCheck` too, the photo must pass that.
        min_face: narrower faces, in pixels, are passed over.

    Raises:
        NoFaceError: when no face is found, or none of that size.
        PhotoError: when the photo cannot be read, or is a folder of several.
    """
    read = load_photos(photo)
    if len(read) > 1:
        raise PhotoError(f"Expected one group photo, but {photo} is a folder of {len(read)}: name one of them.")
    image, name = read[0].image, read[0].name
    if isinstance(faces, PhotoCheck):
        faces.check_photo(image, photo=name)
    found = faces.analyze(image)
    if not found:
        raise NoFaceError(
            f"Expected faces in {name}, but found none; use a sharp photo that shows them upright and from the front."
        )
    large = _left_to_right([face for face in found if face.box.width >= min_face])
    small = _left_to_right([face for face in found if face.box.width < min_face])
    if not large:
        widest = max(face.box.width for face in found)
        raise NoFaceError(
            f"Expected faces at least {min_face:g} pixels wide in {name}, but of the {len(found)} found the widest has "
            f"{widest:.0f}; use a larger photo, or allow smaller faces (--min-face)."
        )
    size = Size(*image.size)
    portraits: list[Portrait] = []
    for number, box in enumerate(large, start=1):
        crop = _crop(box, [other for other in (*large, *small) if other is not box], size)
        left, top, right, bottom = map(int, crop.corners)
        portraits.append(Portrait(number, image.crop((left, top, right, bottom)), box, crop))
    return GroupSplit(image, tuple(portraits), tuple(small))


def _left_to_right(faces: Sequence[Face]) -> list[Box]:
    return sorted((face.box for face in faces), key=lambda box: (box.centre, box.corners))


def _crop(face: Box, others: Sequence[Box], size: Size) -> Box:
    """The roomiest square around a face that keeps the others out; the tightest where none does."""
    crops = [_square(face, room, size) for room in _ROOM]
    return next((crop for crop in crops if not any(crop.overlaps(other) for other in others)), crops[-1])


def _square(face: Box, room: float, size: Size) -> Box:
    """A square of whole pixels around a face, inside the photo and large enough to be a photo itself."""
    side = round(min(max(room * max(face.width, face.height), MIN_SIDE), *size))
    x, y = face.centre
    left = round(min(max(x - side / 2, 0), size.width - side))
    top = round(min(max(y - _RAISED * face.height - side / 2, 0), size.height - side))
    return Box(left, top, left + side, top + side)
