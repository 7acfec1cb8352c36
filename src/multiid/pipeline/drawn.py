"""Faces for a preset that draws cartoon people: it takes drawn portraits and no photos."""

from PIL import Image

from multiid.errors import PhotoError
from multiid.mini.faces import MiniFaces, looks_drawn
from multiid.people.faces import Face

__all__ = ["DrawnFaces"]


class DrawnFaces:
    """The face analyzer of the miniature's world, which refuses real photos when identities are made of them.

    Args:
        preset: the name of the preset that draws this world.
        others: names of the presets to propose for photos.
    """

    def __init__(self, *, preset: str, others: tuple[str, ...]) -> None:
        self._faces = MiniFaces()
        self._preset, self._others = preset, others

    @property
    def recogniser(self) -> str | None:
        """The recogniser's name."""
        return self._faces.recogniser

    def analyze(self, image: Image.Image) -> list[Face]:
        """The faces of an upright picture of any size, the largest first; an empty list where there are none."""
        return self._faces.analyze(image)

    def check_photo(self, image: Image.Image, *, photo: str) -> None:
        """Refuses a picture that was not drawn as this world is.

        Raises:
            PhotoError: with the presets that take photos.
        """
        if not looks_drawn(image):
            raise PhotoError(
                f"Expected a picture of the cartoon world that the preset {self._preset} was trained on, but {photo} "
                f"looks like a photo of a real person: use the preset {' or '.join(self._others)}."
            )
