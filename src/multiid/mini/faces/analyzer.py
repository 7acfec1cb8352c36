"""The face analyzer of the miniature's world."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TypeVar

import numpy as np
import PIL.Image
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from multiid.errors import ModelFileError
from multiid.geometry import Box
from multiid.mini.faces.crops import cut_head
from multiid.mini.faces.networks import Finder, Read, Recogniser
from multiid.mini.faces.search import Finding, search
from multiid.mini.world.people import VALUES
from multiid.people.faces import Face
from multiid.people.tensorfile import read_tensors

__all__ = ["MiniFaces", "load_finder", "load_recogniser", "looks_drawn"]

_SIZES = (0.93, 1.0, 1.08)  # a head is read in three pieces of the picture, one within the other, and the mean taken
_LEAST_SCORE = 0.5
_DRAWN_SCORE = 0.65
_DRAWN_CONFIDENCE = 0.87

_Network = TypeVar("_Network", bound=nn.Module)


class MiniFaces:
    """Finds and reads the faces of the miniature's world, at any size of picture.

    Faces are found from about 14 pixels of width on; pictures with a side longer than 400 pixels are searched in a
    smaller copy. The score tells faces of this world from what only resembles them; a real person's face is rarely
    found, and reads badly.

    Args:
        folder: holds finder.safetensors and recogniser.safetensors; the package's own unless given.

    Raises:
        ModelFileError: when a file is missing or damaged.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._finder = load_finder(folder) if folder else _own_finder()
        self._recogniser = load_recogniser(folder) if folder else _own_recogniser()

    @property
    def recogniser(self) -> str | None:
        """Whose embeddings the faces carry."""
        return "mini"

    def analyze(self, image: PIL.Image.Image) -> list[Face]:
        """The faces of an upright picture of any size, the largest first; an empty list where there are none."""
        picture = np.asarray(image.convert("RGB"))
        findings = search(self._finder, picture)
        if not findings:
            return []
        read = self._read(picture, [finding.box for finding in findings])
        scores = [
            finding.heat * float(head) for finding, head in zip(findings, read.drawn.sigmoid().tolist(), strict=True)
        ]
        faces = [
            _face(finding, score, embedding, image.size)
            for finding, score, embedding in zip(findings, scores, read.embedding.numpy(), strict=True)
            if score >= _LEAST_SCORE
        ]
        return sorted(faces, key=lambda face: -face.box.area)

    def read_attributes(self, image: PIL.Image.Image, face: Box) -> dict[str, str]:
        """What somebody looks like: for each attribute of `people.ATTRIBUTES` a value of `people.VALUES`.

        Args:
            image: an upright picture.
            face: the box around the face, without hair.
        """
        return self.read_all(image, [face])[0]

    def read_all(self, image: PIL.Image.Image, faces: Sequence[Box]) -> list[dict[str, str]]:
        """The same for several faces of a picture, faster than one by one."""
        if not faces:
            return []
        read = self._read(np.asarray(image.convert("RGB")), faces)
        best = {name: values.argmax(1).tolist() for name, values in read.attributes.items()}
        return [{name: VALUES[name][best[name][index]] for name in VALUES} for index in range(len(faces))]

    def embed(self, image: PIL.Image.Image, faces: Sequence[Box]) -> Float[np.ndarray, "faces channels"]:
        """Embeddings of length 1 of faces whose boxes are known, at least one of them, also of such as were not found.

        Args:
            image: an upright picture.
            faces: the boxes around the faces, without hair.
        """
        read = self._read(np.asarray(image.convert("RGB")), faces)
        return nn.functional.normalize(read.embedding, dim=1).numpy()

    def confidence(self, image: PIL.Image.Image, face: Box) -> float:
        """How sure the recogniser is of a face's attributes, 0 to 1: the mean share of the values it chooses."""
        read = self._read(np.asarray(image.convert("RGB")), [face])
        return float(np.mean([float(values.max()) for values in read.attributes.values()]))

    def _read(self, picture: UInt8[np.ndarray, "height width 3"], faces: Sequence[Box]) -> Read:
        """The means over the pieces; of attributes the shares, of `drawn` the score, of embeddings the direction."""
        heads = np.stack([cut_head(picture, face.expanded(size - 1)) for face in faces for size in _SIZES])
        with torch.inference_mode():
            unit = torch.from_numpy(heads).permute(0, 3, 1, 2).float() / 127.5 - 1
            read = self._recogniser(unit)

        def mean(values: Float[Tensor, "pieces ..."]) -> Float[Tensor, "faces ..."]:
            return values.unflatten(0, (len(faces), len(_SIZES))).mean(1)

        attributes = {name: mean(values.softmax(1)) for name, values in read.attributes.items()}
        return Read(attributes, mean(nn.functional.normalize(read.embedding, dim=1)), mean(read.drawn))


def looks_drawn(image: PIL.Image.Image) -> bool:
    """Whether a picture shows a face of this world: one is found, and the recogniser knows what it sees.

    A photo of a real person, or of anything else, does not.
    """
    faces = MiniFaces()
    return any(
        face.score >= _DRAWN_SCORE and faces.confidence(image, face.box) >= _DRAWN_CONFIDENCE
        for face in faces.analyze(image)
    )


def load_finder(folder: Path) -> Finder:
    """The finder of a folder.

    Raises:
        ModelFileError: when its file is missing or damaged.
    """
    return _load(Finder(), folder / "finder.safetensors")


def load_recogniser(folder: Path) -> Recogniser:
    """The recogniser of a folder.

    Raises:
        ModelFileError: when its file is missing or damaged.
    """
    return _load(Recogniser(), folder / "recogniser.safetensors")


@cache
def _own_finder() -> Finder:
    return load_finder(_own_folder())


@cache
def _own_recogniser() -> Recogniser:
    return load_recogniser(_own_folder())


def _own_folder() -> Path:
    return Path(str(resources.files("multiid.mini") / "weights" / "faces"))


def _load(network: _Network, path: Path) -> _Network:
    tensors, _ = read_tensors(path, error=ModelFileError)
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise ModelFileError(
            f"Expected the weights of a {type(network).__name__} in {path}, but they are of another network: train it "
            "again, or install the package again."
        ) from error
    return network.to(memory_format=torch.channels_last).eval().requires_grad_(False)  # pyright: ignore[reportCallIssue]


def _face(finding: Finding, score: float, embedding: Float[np.ndarray, " channels"], size: tuple[int, int]) -> Face:
    """The face with its box and landmarks within a picture of that size."""
    width, height = size
    box = finding.box
    return Face(
        box=Box(max(0.0, box.left), max(0.0, box.top), min(float(width), box.right), min(float(height), box.bottom)),
        landmarks=tuple(
            (float(min(max(x, 0), width - 1)), float(min(max(y, 0), height - 1))) for x, y in finding.landmarks
        ),
        score=score,
        embedding=embedding,
    )
