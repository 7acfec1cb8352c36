"""Metrics of pictures and cut-out faces, with an encoder simple enough to work them out by hand."""

import math
from collections.abc import Sequence

import numpy as np
import PIL.Image
import pytest

from multiid import Box
from multiid.evaluation.encoders import TextImageEncoder
from multiid.evaluation.pictures import (
    PictureDistance,
    cut_face,
    face_diversity,
    face_similarity,
    image_similarity,
    text_similarity,
)

_WORDS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "yellow": (1.0, 1.0, 0.0)}


class Colours:
    """Pictures by their mean colour, words by the colour they name; black has no direction."""

    name = "mean colour"

    def encode_images(self, images: Sequence[PIL.Image.Image]) -> np.ndarray:
        return self._units([np.asarray(image).reshape(-1, 3).mean(axis=0) for image in images])

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        return self._units([np.array(_WORDS[text]) for text in texts])

    @staticmethod
    def _units(vectors: list[np.ndarray]) -> np.ndarray:
        return np.stack(
            [vector / length if (length := np.linalg.norm(vector)) else vector * np.nan for vector in vectors]
        )


class Brightness:
    """Two pictures are as unlike as their brightness, 0 to 255."""

    name = "brightness"

    def distance(self, one: PIL.Image.Image, other: PIL.Image.Image) -> float:
        return abs(float(np.asarray(one).mean()) - float(np.asarray(other).mean()))


def plain(*colour: int, side: int = 8) -> PIL.Image.Image:
    return PIL.Image.new("RGB", (side, side), colour)


RED, GREEN, YELLOW, BLACK = plain(200, 0, 0), plain(0, 90, 0), plain(50, 50, 0), plain(0, 0, 0)


def test_text_similarity_is_of_each_picture_with_its_own_text() -> None:
    """Red is red (1), green is not red (0), and yellow is as much red as green: 1 / sqrt 2."""
    assert isinstance(Colours(), TextImageEncoder)
    got = text_similarity([RED, GREEN, YELLOW, RED], ["red", "red", "red", "yellow"], encoder=Colours())
    assert got == pytest.approx([1, 0, 0.5**0.5, 0.5**0.5])


def test_image_similarity_is_the_mean_over_references() -> None:
    """Red with red and green: (1 + 0) / 2; yellow with both: 1 / sqrt 2. What cannot be read is left out."""
    got = image_similarity([RED, YELLOW, BLACK], [RED, GREEN, BLACK], encoder=Colours())
    assert got[:2] == pytest.approx([0.5, 0.5**0.5])
    assert math.isnan(got[2])
    assert np.isnan(image_similarity([RED], [BLACK], encoder=Colours())).all()


def test_face_similarity_is_the_mean_over_faces_and_photos() -> None:
    """(1, 0) with (1, 0) and (3, 4): 1 and 0.6; (0, 2): 0 and 0.8; (1 + 0.6 + 0 + 0.8) / 4 = 0.6. A third is missing:
    2.4 / 6 = 0.4.
    """
    faces, photos = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 0.0], [3.0, 4.0]])
    assert face_similarity(faces, photos) == pytest.approx(0.6)
    assert face_similarity(np.vstack([faces, [math.nan] * 2]), photos) == pytest.approx(0.4)


def test_face_diversity_is_the_mean_over_pairs() -> None:
    """Brightness 10, 20 and 50: distances 10, 40 and 30."""
    assert isinstance(Brightness(), PictureDistance)
    faces = [plain(level, level, level) for level in (10, 20, 50)]
    assert face_diversity(faces, distance=Brightness()) == pytest.approx(80 / 3)
    assert face_diversity(faces[:1] * 4, distance=Brightness()) == 0
    assert math.isnan(face_diversity(faces[:1], distance=Brightness()))


def test_faces_are_cut_with_a_margin() -> None:
    """A white face of 8 by 12 pixels, whose cut is 18 pixels (1.5 times 12) a side, 9 of them left of its middle."""
    pixels = np.zeros((60, 60, 3), np.uint8)
    pixels[24:36, 26:34] = 255
    picture = PIL.Image.fromarray(pixels)
    cut = cut_face(picture, Box(26, 24, 34, 36), side=18)
    assert (np.asarray(cut) == pixels[21:39, 21:39]).all()
    assert cut_face(picture, Box(26, 24, 34, 36)).size == (224, 224)


def test_a_face_at_the_edge_is_black_beyond_it() -> None:
    cut = np.asarray(cut_face(plain(255, 255, 255, side=40), Box(-10, 10, 10, 30), side=30))
    assert (cut[:, :15] == 0).all()
    assert (cut[:, 15:] == 255).all()
