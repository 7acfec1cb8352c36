from dataclasses import dataclass

import numpy as np
import pytest
import torch
from conftest import needs
from golden import golden_photo
from PIL import Image
from small import small_encoder, small_encoder_v2

from multiid.errors import IdentityError, NoFaceError, PhotoError, SeveralFacesError
from multiid.geometry import Box
from multiid.people.adapter import Adapter
from multiid.people.encoders import IDEncoder
from multiid.people.enrolment import encode_identity
from multiid.people.faces import Face
from multiid.people.photo import Photo, load_photos


@dataclass(frozen=True)
class GreenFaces:
    """A face analyzer for a plain world: each green column of a picture is a face, embedded by its width."""

    recogniser: str | None = "insightface-buffalo_l"
    dims: int = 512
    embeds: bool = True

    def analyze(self, image: Image.Image) -> list[Face]:
        green = (np.asarray(image)[0] == (0, 255, 0)).all(axis=-1)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], green, [0]])))
        faces = []
        for left, right in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            embedding = np.full(self.dims, right - left, dtype=np.float32) if self.embeds else None
            faces.append(Face(Box(left, 0, right, 10), ((0.0, 0.0),) * 5, 0.9, embedding))
        return faces


def photo(name, *widths):
    """A grey picture with one face of each of the widths given."""
    pixels = np.full((64, 200, 3), 128, dtype=np.uint8)
    for i, width in enumerate(widths):
        pixels[:, 60 * i : 60 * i + width] = (0, 255, 0)
    return Photo(Image.fromarray(pixels), name)


@pytest.fixture(scope="module")
def v1():
    return Adapter(small_encoder(), {})


@pytest.fixture(scope="module")
def v2():
    return Adapter(small_encoder_v2(), {})


@pytest.mark.parametrize("number", [1, 2, 11])
@torch.no_grad()
def test_v1_needs_photos_alone(v1, number):
    photos = [Photo(golden_photo(f"p{i}", 80 + i, 90), f"p{i}") for i in range(number)]
    ada = encode_identity("ada", "woman", photos, v1)
    alone = torch.cat([v1.encoder.embed(v1.encoder.preprocess([photo.image])) for photo in photos])
    torch.testing.assert_close(ada.embeddings, alone, atol=1e-5, rtol=1e-5)
    assert (ada.name, ada.noun, ada.encoder, ada.face_embeddings) == ("ada", "woman", v1.fingerprint, {})
    ada.require(v1.fingerprint)


def test_is_the_same_each_time_whatever_was_read_before(v1):
    photos = [photo("a", 20), photo("b", 30)]
    first = encode_identity("ada", "woman", photos, v1, faces=GreenFaces())
    encode_identity("eve", "woman", photos[::-1], v1)
    assert encode_identity("ada", "woman", photos, v1, faces=GreenFaces()).fingerprint == first.fingerprint


def test_face_embeddings_are_kept_by_recogniser(v1):
    faces = GreenFaces(recogniser="sface", dims=4)
    ada = encode_identity("ada", "woman", [photo("a", 20), photo("b", 30, 40)], v1, faces=faces)
    assert ada.face_embeddings.keys() == {"sface"}
    assert ada.face_embeddings["sface"][:, 0].tolist() == [20, 40]  # the largest face of each photo
    for plain in (GreenFaces(recogniser=None, embeds=False), GreenFaces(embeds=False)):
        assert encode_identity("ada", "woman", [photo("a", 20)], v1, faces=plain).face_embeddings == {}


@torch.no_grad()
def test_v2_takes_the_analyzers_face_embeddings(v2):
    photos = [photo("a", 20), photo("b", 30, 40)]
    ada = encode_identity("ada", "woman", photos, v2, faces=GreenFaces())
    vectors = torch.tensor([20.0, 40.0]).unsqueeze(1).expand(2, 512)
    expected = v2.encoder.embed(v2.encoder.preprocess([photo.image for photo in photos]), vectors)
    torch.testing.assert_close(ada.embeddings, expected)
    assert ada.tokens == 4
    assert ada.face_embeddings["insightface-buffalo_l"].shape == (2, 512)


@torch.no_grad()
def test_of_many_photos_each_keeps_its_own_face(v2):
    photos = [photo(f"p{i}", 10 + i) for i in range(11)]
    everybody = encode_identity("ada", "woman", photos, v2, faces=GreenFaces())
    for i in (0, 8, 10):
        alone = encode_identity("ada", "woman", [photos[i]], v2, faces=GreenFaces())
        torch.testing.assert_close(everybody.embeddings[i : i + 1], alone.embeddings, atol=1e-5, rtol=1e-5)


class BlueSkies(GreenFaces):
    """Takes pictures for identities only where the last pixel is blue; finds no face in any."""

    def analyze(self, image: Image.Image) -> list[Face]:
        del image
        return []

    def check_photo(self, image: Image.Image, *, photo: str) -> None:
        if image.getpixel((image.width - 1, image.height - 1)) != (0, 0, 255):
            raise PhotoError(f"Expected a blue sky, but {photo} has none.")


def test_an_analyzer_may_refuse_photos_of_another_kind(v1):
    """Before faces are looked for, and whichever of the photos it is."""
    blue = photo("blue", 20)
    blue.image.paste((0, 0, 255), (100, 0, 200, 64))
    with pytest.raises(PhotoError, match="but grey has none"):
        encode_identity("ada", "woman", [blue, photo("grey", 20)], v1, faces=BlueSkies())
    with pytest.raises(NoFaceError):
        encode_identity("ada", "woman", [blue], v1, faces=BlueSkies())


class Watching(IDEncoder):
    """Notes whether memory is kept for gradients."""

    def embed(self, pixels, face_embeddings=None):
        self.gradients = torch.is_grad_enabled()
        return super().embed(pixels, face_embeddings)


def test_keeps_no_memory_for_gradients():
    adapter = Adapter(Watching(small_encoder().config), {})
    encode_identity("ada", "woman", [photo("a")], adapter)
    assert adapter.encoder.gradients is False


@pytest.mark.parametrize("convert", [np.asarray, torch.as_tensor], ids=["numpy", "torch"])
@pytest.mark.parametrize("faces", [None, GreenFaces(), GreenFaces("sface", 4)], ids=["none", "insightface", "sface"])
def test_v2_prefers_face_embeddings_that_are_given(v2, convert, faces):
    given = np.linspace(-1, 1, 2 * 512, dtype=np.float32).reshape(2, 512)
    photos = [photo("a", 20), photo("b", 30)]
    ada = encode_identity("ada", "woman", photos, v2, faces=faces, face_embeddings=convert(given))
    pixels = v2.encoder.preprocess([photo.image for photo in photos])
    with torch.no_grad():
        torch.testing.assert_close(ada.embeddings, v2.encoder.embed(pixels, torch.from_numpy(given)))


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        (None, "there is no face analyzer.*pass face_embeddings"),
        (GreenFaces("sface"), "recogniser is sface"),
        (GreenFaces(None, embeds=False), "recogniser is None"),
        (GreenFaces(embeds=False), "each of ada's 1 faces.*got 0"),
        (GreenFaces(dims=128), r"512 numbers.*\(1, 128\)"),
    ],
)
def test_v2_without_fitting_face_embeddings_is_refused(v2, faces, message):
    with pytest.raises(IdentityError, match=message):
        encode_identity("ada", "woman", [photo("a", 20)], v2, faces=faces)


def test_every_photo_must_show_a_face_once_faces_are_looked_for(v1):
    photos = [photo("a.jpg", 20), photo("empty.jpg"), photo("b.jpg", 30)]
    with pytest.raises(NoFaceError, match=r"empty\.jpg"):
        encode_identity("ada", "woman", photos, v1, faces=GreenFaces())
    assert encode_identity("ada", "woman", photos, v1).images == 3


def test_several_faces_are_refused_where_asked(v1):
    photos = [photo("a.jpg", 20), photo("crowd.jpg", 30, 40)]
    with pytest.raises(SeveralFacesError, match=r"crowd\.jpg.*found 2"):
        encode_identity("ada", "woman", photos, v1, faces=GreenFaces(), several_faces="refuse")


class Unused:
    recogniser = None

    def analyze(self, image):
        raise AssertionError(f"no photo needs to be read, but {image} was")


@pytest.mark.parametrize(
    ("name", "noun", "photos", "faces", "message"),
    [
        ("ada", "woman", [], None, "at least one photo of ada"),
        ("a b", "woman", [photo("a")], None, "name"),
        ("ada", "", [photo("a")], None, "noun"),
        ("ada", "woman", [photo("a"), photo("b")], torch.ones(3, 512), "2 photos, but got 3"),
    ],
)
def test_what_cannot_work_is_refused_before_any_photo_is_read(v1, name, noun, photos, faces, message):
    with pytest.raises(IdentityError, match=message):
        encode_identity(name, noun, photos, v1, faces=Unused(), face_embeddings=faces)


def test_real_photos_with_yunet_and_sface(v1, monkeypatch):
    from multiid.people.face_backends import OpenCVFaces

    monkeypatch.setenv("MULTIID_MODELS_DIR", str(needs("models")))
    faces = OpenCVFaces()
    photos = load_photos(needs("photos", "newton"))
    isaac = encode_identity("isaac", "man", photos, v1, faces=faces)
    assert isaac.images == len(photos) > 1
    if faces.recogniser:
        assert isaac.face_embeddings[faces.recogniser].shape == (len(photos), 128)
