"""The faces of a panel's picture: whose they are, and where their mouths are, for balloons to point at and spare."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from multiid.geometry import Box, Size

__all__ = ["Seen", "SeenFace"]

_MOUTH_HEIGHT = 0.8  # of a face box, from its top


@dataclass(frozen=True)
class SeenFace:
    """Somebody's face in a picture.

    Attributes:
        box: around the face, in pixels; it may reach beyond the picture.
        mouth: the mouth's middle, in pixels.
    """

    box: Box
    mouth: tuple[float, float]

    @classmethod
    def of(cls, box: Box) -> "SeenFace":
        """A face of which the box alone is known: the mouth is where an upright face has it."""
        return cls(box, (box.centre[0], box.top + _MOUTH_HEIGHT * box.height))


@dataclass(frozen=True)
class Seen:
    """Everybody's face in a picture.

    Attributes:
        size: of the picture, in pixels.
        faces: of the cast, by name; those whose face is not seen are left out.
        others: boxes of further faces: of extras, and of nobody asked for.
    """

    size: Size
    faces: Mapping[str, SeenFace] = field(default_factory=dict[str, SeenFace])
    others: tuple[Box, ...] = ()

    @property
    def boxes(self) -> tuple[Box, ...]:
        """All faces, which nothing may cover."""
        return (*(face.box for face in self.faces.values()), *self.others)

    def cut(self, part: Box, size: Size) -> "Seen":
        """What is seen of a part of the picture, drawn at another size.

        Args:
            part: of the picture, in its pixels.
            size: of the part where it is drawn.

        Returns:
            The faces that are partly within it, in pixels of where it is drawn.
        """
        across, down = size.width / part.width, size.height / part.height

        def moved(box: Box) -> Box:
            return Box(
                (box.left - part.left) * across,
                (box.top - part.top) * down,
                (box.right - part.left) * across,
                (box.bottom - part.top) * down,
            )

        def shown(box: Box) -> bool:
            return box.right > 0 and box.bottom > 0 and box.left < size.width and box.top < size.height

        faces = {
            name: SeenFace(moved(face.box), ((face.mouth[0] - part.left) * across, (face.mouth[1] - part.top) * down))
            for name, face in self.faces.items()
            if shown(moved(face.box))
        }
        return Seen(size, faces, tuple(box for box in map(moved, self.others) if shown(box)))

    def to_data(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        return {
            "size": list(self.size),
            "faces": {
                name: {"box": list(face.box.corners), "mouth": list(face.mouth)} for name, face in self.faces.items()
            },
            "others": [list(box.corners) for box in self.others],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Seen":
        """What `to_data` gave.

        Raises:
            KeyError, TypeError, ValueError: when the data are damaged.
        """
        faces = {
            name: SeenFace(Box(*face["box"]), (float(face["mouth"][0]), float(face["mouth"][1])))
            for name, face in data["faces"].items()
        }
        return cls(Size(*data["size"]), faces, tuple(Box(*box) for box in data["others"]))
