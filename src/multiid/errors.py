"""One exception tree for everything a user can get wrong.

    MultiIDError
    ├── PhotoError                 a photo cannot be used
    │   ├── NotAnImageError        no JPEG, PNG, WebP or HEIC
    │   ├── TruncatedPhotoError    the file ends too early or is damaged
    │   ├── PhotoTooLargeError     more pixels than the limit
    │   ├── PhotoTooSmallError     a side under the least useful size
    │   ├── AnimatedPhotoError     several frames
    │   ├── EmptyFolderError       a folder with nothing in it
    │   ├── NoPhotoInFolderError   a folder with files, none of them a photo
    │   └── NoPersonError          nobody in it whose pose can be read
    ├── FaceError                  faces of a photo are not as asked
    │   ├── NoFaceError
    │   └── SeveralFacesError
    ├── ModelFileError             a model file is absent or not the expected one
    ├── CheckpointError            an adapter checkpoint is wrong, truncated or bears code
    ├── IdentityError              an identity or its file cannot be used
    │   ├── EncoderMismatchError   made by another ID encoder
    │   └── NotAnIdentityError     a whole file, of something else
    ├── TemplateError              a pose template is unknown or invalid
    ├── RegionError                a region is impossible
    ├── PromptError                a prompt cannot be bound to its people
    ├── AttentionError             a network whose attention cannot be masked
    ├── SceneError                 a scene or its file is invalid
    ├── PresetError                a preset or a pipeline cannot be used
    ├── RecipeError                a picture's recipe is absent or cannot be repeated
    ├── StoryError                 a story is invalid, or what it says cannot be drawn
    ├── SuiteError                 a suite of the evaluation is unknown or invalid
    ├── TrainingError              a training recipe is wrong, or its run cannot go on
    ├── OutputError                a result cannot be written
    ├── MissingExtraError          an optional package is not installed
    └── Cancelled                  the caller stopped the work

Every message says what was expected, what came, and what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "AnimatedPhotoError",
    "AttentionError",
    "Cancelled",
    "CheckpointError",
    "EmptyFolderError",
    "EncoderMismatchError",
    "FaceError",
    "Fault",
    "IdentityError",
    "MissingExtraError",
    "ModelFileError",
    "MultiIDError",
    "NoFaceError",
    "NoPersonError",
    "NoPhotoInFolderError",
    "NotAnIdentityError",
    "NotAnImageError",
    "OutputError",
    "PhotoError",
    "PhotoTooLargeError",
    "PhotoTooSmallError",
    "PresetError",
    "PromptError",
    "RecipeError",
    "RegionError",
    "SceneError",
    "SeveralFacesError",
    "StoryError",
    "SuiteError",
    "TemplateError",
    "TrainingError",
    "TruncatedPhotoError",
]


class MultiIDError(Exception):
    """Root of the tree: catch this to catch everything that is the input's fault."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The message to be shown to people: one line, or several that belong under one another."""
        return (" ".join(str(self).split()),)


class PhotoError(MultiIDError):
    """A photo cannot be used."""


class NotAnImageError(PhotoError):
    """The file is no JPEG, PNG, WebP or HEIC picture."""


class TruncatedPhotoError(PhotoError):
    """The picture ends too early or its data are damaged."""


class PhotoTooLargeError(PhotoError):
    """The picture has more pixels than the limit allows."""


class PhotoTooSmallError(PhotoError):
    """The picture has a side too short to show a face."""


class AnimatedPhotoError(PhotoError):
    """The picture has several frames."""


class EmptyFolderError(PhotoError):
    """The folder holds nothing."""


class NoPhotoInFolderError(PhotoError):
    """The folder holds files, but no photo among them."""


class NoPersonError(PhotoError):
    """The photo shows nobody whose pose can be read."""


class FaceError(MultiIDError):
    """The faces found in a photo are not what was asked for."""


class NoFaceError(FaceError):
    """No face was found."""


class SeveralFacesError(FaceError):
    """Several faces were found where one was asked for."""


class ModelFileError(MultiIDError):
    """A model file is absent, or is not the file its checksum names."""


class CheckpointError(MultiIDError):
    """An adapter checkpoint is wrong, truncated or bears code."""


class IdentityError(MultiIDError):
    """An identity, or its file, cannot be used."""


class EncoderMismatchError(IdentityError):
    """The identity was made by another ID encoder than the one at hand."""


class NotAnIdentityError(IdentityError):
    """The file is whole, but holds no identity: other weights, or those of a later version."""


class TemplateError(MultiIDError):
    """A pose template is unknown or invalid."""


class RegionError(MultiIDError):
    """A region is impossible: empty, outside the picture, or of the wrong size."""


class PromptError(MultiIDError):
    """A prompt cannot be bound to the people of its scene."""


class AttentionError(MultiIDError):
    """A network's attention cannot be masked."""


class SceneError(MultiIDError):
    """A scene, or its file, is invalid."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong, or noteworthy, in a file that a person wrote.

    Attributes:
        file: as the user named it.
        line: where in it, counted from 1; None where that is not known.
        key: the keys and indices, counted from 0, that lead to the value: "pages.0.panels.2.people.1.who".
        place: the same in words that count from 1, as people do: "page 1, panel 3, person 2, who".
        problem: what was expected and what came.
    """

    file: str
    line: int | None
    key: str
    place: str
    problem: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        text = ": ".join(part for part in (where, self.place, self.problem) if part)
        return text if text.endswith(("?", ".")) else f"{text}."


class StoryError(MultiIDError):
    """A story is invalid, or what it says cannot be drawn.

    Args:
        message: what is wrong; with faults, how many there are.
        faults: everything wrong with the story's file, in the order of its lines; the message's further lines.
    """

    def __init__(self, message: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join((self.args[0], *map(str, self.faults)))

    @property
    def lines(self) -> tuple[str, ...]:
        """The message, then each fault in a line of its own."""
        return tuple(" ".join(str(part).split()) for part in (self.args[0], *self.faults))


class SuiteError(MultiIDError):
    """A suite of the evaluation is unknown or invalid."""


class PresetError(MultiIDError):
    """A preset is unknown, or a pipeline is not of a kind that can be composed."""


class RecipeError(MultiIDError):
    """A picture carries no recipe, or its recipe cannot be repeated here."""


class TrainingError(MultiIDError):
    """A training recipe is wrong, or its run cannot go on."""


class OutputError(MultiIDError):
    """A result cannot be written where it was asked for."""


class MissingExtraError(MultiIDError):
    """An optional package is not installed; the message names the install command."""


class Cancelled(MultiIDError):  # noqa: N818 - not a mistake but a wish
    """Raised by a progress callback to stop the work; networks and files are left as they were."""
