"""HEIC photos, where pillow-heif is installed, and what is said where it is not."""

import importlib
import io
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from multiid.errors import MissingExtraError, NotAnImageError, PhotoError, PhotoTooLargeError, TruncatedPhotoError
from multiid.people.photo import load_photo, load_photos

ORIENTATION = 0x0112
CORNERS = ((200, 40, 40), (40, 200, 40), (40, 40, 200), (200, 200, 40))


def picture(width: int = 180, height: int = 140) -> Image.Image:
    """Four quarters of different colours, so that every way to turn it is told."""
    image = Image.new("RGB", (width, height))
    for place, colour in enumerate(CORNERS):
        row, column = divmod(place, 2)
        left, top = column * width // 2, row * height // 2
        image.paste(colour, (left, top, left + width // 2, top + height // 2))
    return image


@pytest.fixture(scope="module")
def heif() -> Any:
    return pytest.importorskip("pillow_heif", reason="needs the package pillow-heif")


def encoded(heif: Any, *images: Image.Image, exif: Image.Exif | None = None, **options: Any) -> bytes:
    file = heif.HeifFile()
    for image in images:
        file.add_from_pillow(image)
    if exif is not None:
        file[0].info["exif"] = exif.tobytes()
    stream = io.BytesIO()
    file.save(stream, quality=95, **options)
    return stream.getvalue()


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference in grey levels, away from edges."""
    assert one.size == other.size
    return float(np.abs(np.asarray(one).astype(float) - np.asarray(other)).mean())


def test_path_bytes_and_open_image_read_alike(heif: Any, tmp_path: Path) -> None:
    data = encoded(heif, picture())
    path = tmp_path / "photo.heic"
    path.write_bytes(data)
    for source in (path, str(path), data, heif.HeifImageFile(io.BytesIO(data))):
        image = load_photo(source)
        off = difference(image, picture())
        print(f"{off:.2f} grey levels off on average, at most 5")
        assert image.mode == "RGB"
        assert image.info == {}
        assert off <= 5


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_upright_once(heif: Any, orientation: int) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = "a camera"
    stored = picture()
    stored.getexif()[ORIENTATION] = orientation
    jpeg = io.BytesIO()
    stored.save(jpeg, "JPEG", quality=98, exif=exif)
    upright = load_photo(encoded(heif, picture(), exif=exif))
    assert difference(upright, load_photo(jpeg.getvalue())) <= 6
    assert not upright.getexif()


def test_grey_and_transparent_ones_are_as_other_photos(heif: Any) -> None:
    assert difference(load_photo(encoded(heif, picture().convert("L"))), picture().convert("L").convert("RGB")) <= 5
    clear = Image.new("RGBA", (100, 80), (0, 0, 0, 0))
    assert difference(load_photo(encoded(heif, clear)), Image.new("RGB", (100, 80), "white")) <= 5


def test_of_several_pictures_the_primary_one_is_meant(heif: Any) -> None:
    data = encoded(heif, Image.new("RGB", (90, 100), "red"), picture(), primary_index=1)
    assert load_photo(data).size == (180, 140)
    assert load_photo(heif.HeifImageFile(io.BytesIO(data))).size == (180, 140)


def test_a_folder_of_them_is_read(heif: Any, tmp_path: Path) -> None:
    for name in ("b.HEIC", "a.heif"):
        (tmp_path / name).write_bytes(encoded(heif, picture()))
    assert [Path(photo.name).name for photo in load_photos(tmp_path)] == ["a.heif", "b.HEIC"]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.95])
def test_truncated_ones_are_refused(heif: Any, share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (140, 180, 3), dtype=np.uint8))
    data = encoded(heif, noise)
    with pytest.raises((TruncatedPhotoError, NotAnImageError)):
        load_photo(data[: max(12, int(len(data) * share))])


def test_a_bomb_is_refused_by_its_header(heif: Any) -> None:
    data = bytearray(encoded(heif, picture()))
    sizes = [place for place in range(len(data)) if data[place : place + 4] == b"ispe"]
    assert sizes
    for place in sizes:
        data[place + 8 : place + 16] = (20_000).to_bytes(4, "big") * 2
    with pytest.raises(PhotoTooLargeError, match="at most 100 megapixels"):
        load_photo(bytes(data))


def test_damaged_at_random_gives_a_photo_or_a_photo_error(heif: Any) -> None:
    data, generator, messages = encoded(heif, picture()), random.Random(7), list[str]()
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(generator.randint(1, 6)):
            damaged[generator.randrange(12, min(len(data), 600))] = generator.randrange(256)
        try:
            assert load_photo(bytes(damaged)).mode == "RGB"
        except PhotoError as error:
            messages.append(str(error))
    print(f"damaged at random: {len(messages)} of 300 refused")
    assert 0 < len(messages) < 300
    assert not any("\n" in message for message in messages)


def test_pillow_itself_is_left_as_it_was(heif: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # imageio registers pillow-heif for the whole process, so another test's use of it must not be counted here.
    monkeypatch.setattr(Image, "OPEN", {name: reader for name, reader in Image.OPEN.items() if name != "HEIF"})
    load_photo(encoded(heif, picture()))
    assert "HEIF" not in Image.OPEN


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"msf1", b"hevc"])
def test_without_the_package_the_install_command_is_named(
    brand: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImportError):
        importlib.import_module("pillow_heif")
    path = tmp_path / "photo.heic"
    path.write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(12))
    for source in (path, tmp_path):
        with pytest.raises(MissingExtraError, match=r'photo\.heic is HEIC.*pip install "multiid\[heic\]"') as error:
            load_photos(source)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("data", [b"\0\0\0\x18ftypavif" + bytes(12), b"\0\0\0\x18ftypmp42" + bytes(12), b"ftypheic"])
def test_what_only_resembles_it_is_no_photo(data: bytes) -> None:
    with pytest.raises(NotAnImageError, match="Expected a JPEG, PNG, WebP or HEIC photo"):
        load_photo(data)
