"""Photos: every form they come in reads to the same upright RGB pixels, and what cannot be read is refused by name."""

import io
import random
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import needs
from PIL import Image, ImageFile

from multiid.errors import (
    AnimatedPhotoError,
    EmptyFolderError,
    NoPhotoInFolderError,
    NotAnImageError,
    PhotoError,
    PhotoTooLargeError,
    PhotoTooSmallError,
    TruncatedPhotoError,
)
from multiid.people.photo import MAX_PIXELS, load_photo, load_photos

ORIENTATION = 0x0112

# What each EXIF orientation says of the stored rows and columns, on arrays.
UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


def picture(width: int = 90, height: int = 70) -> Image.Image:
    """Noise: no two corners alike, and so incompressible that cutting a file cuts pixels."""
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8))


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header names a size and whose pixels never come."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ):
        parts += [struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(kind + data))]
    return b"".join(parts)


def webp_claiming(width: int, height: int) -> bytes:
    """A lossless WebP whose header names a size and whose pixels never come."""
    data = b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(7)
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def pixels(image: Image.Image) -> np.ndarray:
    assert image.mode == "RGB"
    return np.asarray(image)


class TestForms:
    @pytest.mark.parametrize("form", ["PNG", "WEBP"])
    def test_path_bytes_and_open_image_read_alike(self, tmp_path: Path, form: str) -> None:
        data = encoded(picture(), form, **({"lossless": True} if form == "WEBP" else {}))
        path = tmp_path / "photo.bin"
        path.write_bytes(data)
        for source in (path, str(path), data, Image.open(path)):
            np.testing.assert_array_equal(pixels(load_photo(source)), pixels(picture()))

    def test_jpeg(self) -> None:
        image = load_photo(encoded(Image.new("RGB", (80, 70), (200, 40, 90)), "JPEG", quality=95))
        assert image.size == (80, 70)
        np.testing.assert_allclose(pixels(image)[35, 40], (200, 40, 90), atol=3)

    @pytest.mark.parametrize("form", ["PNG", "WEBP"])
    @pytest.mark.parametrize("orientation", UPRIGHT)
    def test_exif_orientation(self, orientation: int, form: str) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        data = encoded(picture(), form, exif=exif, **({"lossless": True} if form == "WEBP" else {}))
        np.testing.assert_array_equal(pixels(load_photo(data)), UPRIGHT[orientation](pixels(picture())))

    def test_orientation_of_an_open_image_is_applied_once_and_the_image_left_as_it_is(self) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = 6
        given = Image.open(io.BytesIO(encoded(picture(), "JPEG", exif=exif)))
        upright = load_photo(given)
        assert upright.size == (70, 90)
        assert given.size == (90, 70)
        assert given.getexif()[ORIENTATION] == 6
        np.testing.assert_array_equal(pixels(load_photo(upright)), pixels(upright))

    @pytest.mark.parametrize("value", [0, 9, 77])
    def test_unknown_orientation_is_upright(self, value: int) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = value
        np.testing.assert_array_equal(pixels(load_photo(encoded(picture(), exif=exif))), pixels(picture()))

    def test_no_metadata_leaves(self) -> None:
        exif = Image.Exif()
        exif[0x010F] = "a camera"
        image = load_photo(encoded(picture(), "JPEG", exif=exif, comment=b"at home", icc_profile=b"profile"))
        assert image.info == {}
        assert not image.getexif()
        assert b"a camera" not in encoded(image)

    @pytest.mark.parametrize("mode", ["1", "L", "P"])
    def test_grey_and_palette(self, mode: str) -> None:
        stored = picture().convert(mode)
        np.testing.assert_array_equal(pixels(load_photo(encoded(stored))), np.asarray(stored.convert("RGB")))

    def test_cmyk_jpeg(self) -> None:
        red = Image.new("CMYK", (80, 80), (0, 255, 255, 0))
        np.testing.assert_allclose(pixels(load_photo(encoded(red, "JPEG")))[40, 40], (255, 0, 0), atol=6)

    @pytest.mark.parametrize("dtype", ["<u2", ">u2"])
    def test_16_bit_grey_is_scaled_not_clipped(self, dtype: str) -> None:
        values = np.linspace(0, 65535, 70 * 80).round().astype(dtype).reshape(70, 80)
        given = Image.fromarray(values) if dtype == "<u2" else Image.frombytes("I;16B", (80, 70), values.tobytes())
        source = encoded(given) if dtype == "<u2" else given
        off = np.abs(pixels(load_photo(source)).astype(float) - values[..., None] / 257).max()
        print(f"16 bit grey: off by {off:.3f} levels at most, allowed 0.5")
        assert off <= 0.5

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
    def test_transparency_lies_on_white(self, mode: str) -> None:
        if mode == "P":
            stored = Image.new("P", (80, 80), 0)
            stored.putpalette([0, 0, 0, 10, 20, 30])
            stored.paste(1, (40, 0, 80, 80))
            data = encoded(stored, transparency=0)
            seen = (10, 20, 30)
        else:
            stored = Image.new("RGBA", (80, 80), (0, 0, 0, 0))
            stored.paste((50, 50, 50, 255), (40, 0, 80, 80))
            data = encoded(stored.convert(mode))
            seen = (50, 50, 50)
        image = load_photo(data)
        assert image.getpixel((10, 40)) == (255, 255, 255)
        assert image.getpixel((60, 40)) == seen

    def test_half_transparent_is_mixed(self) -> None:
        image = load_photo(Image.new("RGBA", (80, 80), (0, 0, 0, 128)))
        assert image.getpixel((0, 0)) == pytest.approx((127, 127, 127), abs=1)

    def test_a_phones_picture_pair_is_its_first_picture(self, tmp_path: Path) -> None:
        first, second = (Image.new("RGB", (80, 80), colour) for colour in ("red", "blue"))
        path = tmp_path / "pair.jpg"
        path.write_bytes(encoded(first, "MPO", save_all=True, append_images=[second]))
        assert Image.open(path).n_frames == 2
        for source in (path, Image.open(path)):
            np.testing.assert_allclose(load_photo(source).getpixel((40, 40)), (255, 0, 0), atol=4)


class TestRefusals:
    @pytest.mark.parametrize(
        "data", [b"", b"x", b"not a picture" * 9, b"<svg/>", encoded(picture(), "GIF"), encoded(picture(), "TIFF")]
    )
    def test_not_an_image(self, data: bytes) -> None:
        with pytest.raises(NotAnImageError, match="Expected a JPEG, PNG, WebP or HEIC"):
            load_photo(data)

    @pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.95])
    @pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
    def test_truncated(self, form: str, share: float) -> None:
        data = encoded(picture(300, 300), form)
        with pytest.raises(TruncatedPhotoError, match="ends too early or is damaged"):
            load_photo(data[: int(len(data) * share)])

    def test_damaged_png(self) -> None:
        data = bytearray(encoded(picture(300, 300)))
        data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
        with pytest.raises(TruncatedPhotoError):
            load_photo(bytes(data))

    @pytest.mark.parametrize(
        "data", [png_claiming(20_000, 6_000), png_claiming(2**31 - 1, 2**31 - 1), webp_claiming(16_383, 16_383)]
    )
    def test_a_bomb_is_refused_by_its_header(self, data: bytes) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(PhotoTooLargeError, match="at most 100 megapixels"):
                load_photo(data)

    def test_between_pillows_limit_and_ours_the_header_passes_quietly(self) -> None:
        assert Image.MAX_IMAGE_PIXELS < 9_500 * 10_000 < MAX_PIXELS
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(TruncatedPhotoError):
                load_photo(png_claiming(9_500, 10_000))

    def test_the_limit_is_per_call_and_pillows_settings_neither_matter_nor_change(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        data = encoded(picture(90, 70))
        assert load_photo(data, max_pixels=6300).size == (90, 70)
        with pytest.raises(PhotoTooLargeError, match=r"0\.0063 \(90x70\)"):
            load_photo(data, max_pixels=6299)
        with pytest.raises(PhotoTooLargeError):
            load_photo(picture(90, 70), max_pixels=6299)
        assert Image.MAX_IMAGE_PIXELS == 100
        assert ImageFile.LOAD_TRUNCATED_IMAGES is False

    @pytest.mark.parametrize("size", [(63, 500), (500, 63), (1, 1)])
    def test_too_small(self, size: tuple[int, int]) -> None:
        for source in (encoded(picture(*size)), picture(*size)):
            with pytest.raises(PhotoTooSmallError, match=f"{size[0]}x{size[1]}"):
                load_photo(source)

    def test_the_least_side_is_accepted_and_can_be_changed(self) -> None:
        assert load_photo(picture(64, 64)).size == (64, 64)
        assert load_photo(picture(8, 9), min_side=8).size == (8, 9)

    @pytest.mark.parametrize("form", ["PNG", "WEBP"])
    def test_animated(self, form: str) -> None:
        data = encoded(picture(), form, save_all=True, append_images=[Image.new("RGB", (90, 70), "red")])
        with pytest.raises(AnimatedPhotoError):
            load_photo(data)

    def test_animated_open_image(self) -> None:
        data = encoded(picture(), "GIF", save_all=True, append_images=[Image.new("RGB", (90, 70), "red")])
        with pytest.raises(AnimatedPhotoError):
            load_photo(Image.open(io.BytesIO(data)))

    @pytest.mark.parametrize("mode", ["I", "F"])
    def test_pixels_without_a_range(self, mode: str) -> None:
        with pytest.raises(PhotoError, match=f"mode {mode}"):
            load_photo(Image.new(mode, (80, 80)))

    def test_paths_that_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(PhotoError, match=r"there is no .*absent\.jpg"):
            load_photo(tmp_path / "absent.jpg")
        with pytest.raises(PhotoError, match="is a folder"):
            load_photo(tmp_path)
        with pytest.raises(PhotoError, match="cannot be read"):
            load_photo("a\0b")

    def test_damaged_at_random_gives_a_photo_or_a_photo_error(self) -> None:
        exif = Image.Exif()
        exif[ORIENTATION] = 6
        seeds = [encoded(picture(), form, exif=exif) for form in ("JPEG", "PNG", "WEBP")]
        generator, messages = random.Random(7), list[str]()
        for _ in range(1500):
            data = bytearray(generator.choice(seeds))
            for _ in range(generator.randint(1, 6)):
                data[generator.randrange(min(len(data), 400))] = generator.randrange(256)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's own, about damaged EXIF
                try:
                    read = load_photo(bytes(data))
                except PhotoError as error:
                    messages.append(str(error))
                else:
                    assert read.mode == "RGB"
        print(f"damaged at random: {len(messages)} of 1500 refused")
        assert 0 < len(messages) < 1500
        assert not any("\n" in message for message in messages)


class TestSeveral:
    def test_a_folder_is_read_in_order_of_names_without_hidden_and_other_files(self, tmp_path: Path) -> None:
        for name, side in {"b.PNG": 70, "a.jpeg": 80, "c.webp": 90}.items():
            form = {"b": "PNG", "a": "JPEG", "c": "WEBP"}[name[0]]
            (tmp_path / name).write_bytes(encoded(picture(side, side), form))
        (tmp_path / ".hidden.png").write_bytes(b"")
        (tmp_path / "notes.txt").write_text("notes")
        (tmp_path / "folder.jpg").mkdir()
        photos = load_photos(tmp_path)
        assert [photo.name for photo in photos] == [str(tmp_path / name) for name in ("a.jpeg", "b.PNG", "c.webp")]
        assert [photo.image.width for photo in photos] == [80, 70, 90]

    def test_sources_keep_their_order_and_are_named_by_place(self, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        for name in ("1.png", "2.png"):
            (folder / name).write_bytes(encoded(picture()))
        photos = load_photos([encoded(picture(100, 100)), str(folder), picture(120, 120)])
        assert [photo.name for photo in photos] == ["photo 1", str(folder / "1.png"), str(folder / "2.png"), "photo 4"]
        assert [photo.image.width for photo in photos] == [100, 90, 90, 120]

    @pytest.mark.parametrize("single", [encoded(picture()), picture()])
    def test_a_single_source(self, single: bytes | Image.Image) -> None:
        assert [photo.name for photo in load_photos(single)] == ["photo 1"]

    def test_a_broken_photo_in_a_folder_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_bytes(encoded(picture()))
        (tmp_path / "b.jpg").write_bytes(encoded(picture(), "JPEG")[:500])
        with pytest.raises(TruncatedPhotoError, match=r"b\.jpg"):
            load_photos(tmp_path)

    def test_a_broken_photo_without_a_path_is_named_by_place(self) -> None:
        with pytest.raises(NotAnImageError, match="photo 2"):
            load_photos([picture(), b"nonsense"])

    def test_empty_folder(self, tmp_path: Path) -> None:
        with pytest.raises(EmptyFolderError):
            load_photos(tmp_path)
        (tmp_path / ".DS_Store").write_bytes(b"")
        with pytest.raises(EmptyFolderError):
            load_photos(tmp_path)

    def test_folder_without_photo(self, tmp_path: Path) -> None:
        (tmp_path / "photo.tiff").write_bytes(b"")
        with pytest.raises(NoPhotoInFolderError, match=r"photo\.tiff"):
            load_photos(tmp_path)

    def test_nothing_and_absent(self, tmp_path: Path) -> None:
        with pytest.raises(PhotoError, match="at least one photo"):
            load_photos([])
        with pytest.raises(PhotoError, match="there is no"):
            load_photos(tmp_path / "absent")
        with pytest.raises(PhotoError, match="cannot be read"):
            load_photos("x" * 5000)

    def test_real_photos(self) -> None:
        photos = load_photos(needs("photos", "newton"))
        assert [Path(photo.name).name for photo in photos] == ["newton_0.jpg", "newton_1.jpg", "newton_3.jpg"]
        assert all(photo.image.mode == "RGB" for photo in photos)
