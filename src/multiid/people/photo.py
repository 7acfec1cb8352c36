"""Reading photos: from a path, a folder, bytes or a PIL image, to upright RGB, or a clear refusal.

Only pixels leave this module: EXIF data (places, dates, camera), colour profiles and comments are dropped.
"""

import io
import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

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
from multiid.geometry import Size
from multiid.people.heic import HEIC_HEAD, is_heic, open_heic

__all__ = ["MAX_PIXELS", "MIN_SIDE", "PHOTO_SUFFIXES", "Photo", "PhotoSource", "load_photo", "load_photos"]

PhotoSource = str | os.PathLike[str] | bytes | Image.Image
"""A path, an encoded JPEG, PNG, WebP or HEIC, or a picture that is already open."""

MAX_PIXELS = 100_000_000
"""Default limit, in pixels. Decoded, each million takes 3 to 4 MB and as much again per working copy, so this is
about 1 GB at worst. Usual cameras and phones stay below 65 million, while a few kilobytes of a crafted PNG or WebP
can claim hundreds of millions (a decompression bomb)."""

MIN_SIDE = 64
"""Default least side, in pixels: on fewer a face has no features left to tell people apart."""

PHOTO_SUFFIXES = (".heic", ".heif", ".jpeg", ".jpg", ".png", ".webp")
"""The files of a folder that are taken for photos, whatever their case."""

_Stream = io.BufferedReader | io.BytesIO

# What EXIF orientations ask for; 1 is upright, anything else is no orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Formats whose several pictures are no frames: a pair, a burst.
_COLLECTIONS = ("MPO", "HEIF")

# What the readers raise on damaged data (RuntimeError: that of HEIC).
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    RuntimeError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class Photo:
    """An upright RGB picture and what to call it in messages; the name is never stored in a result."""

    image: Image.Image
    name: str


def load_photo(source: PhotoSource, *, max_pixels: int = MAX_PIXELS, min_side: int = MIN_SIDE) -> Image.Image:
    """Read one photo as an upright RGB picture of 8 bits, without metadata.

    EXIF orientation is applied, transparency is laid on white, 16-bit grey is scaled to 8 bits; CMYK and palettes
    are converted, colour profiles ignored. A phone's picture pair (MPO) is read as its first picture, a HEIC file as
    its primary one; HEIC needs the extra "heic". The header alone decides about size: nothing is decoded before.
    Pillow's own pixel limit is neither used nor changed (it still holds for WebP above twice that limit).

    Args:
        source: a path, encoded bytes, or a PIL image (any format, left as it is).
        max_pixels: width times height must not exceed this.
        min_side: neither side may be shorter, in pixels.

    Raises:
        NotAnImageError: no JPEG, PNG, WebP or HEIC.
        MissingExtraError: a HEIC photo, and pillow-heif is not installed; the message names the install command.
        TruncatedPhotoError: the data end too early or are damaged.
        PhotoTooLargeError, PhotoTooSmallError: outside the limits.
        AnimatedPhotoError: several frames.
        PhotoError: a path that cannot be read, or a pixel format without a defined range.
    """
    return _load(source, _name(source, "the photo"), max_pixels, min_side)


def load_photos(sources: PhotoSource | Photo | Sequence[PhotoSource | Photo]) -> list[Photo]:
    """Read photos in the order given; a folder stands for the photos directly inside it, sorted by name.

    A `Photo` has been read already and is taken as it is.

    Of a folder, hidden files and files without one of PHOTO_SUFFIXES are passed over; a broken photo is not.
    Bytes and PIL images are called "photo 1" and so on, by their place in the result.

    Raises:
        EmptyFolderError: a folder with nothing in it.
        NoPhotoInFolderError: a folder with files, none of them a photo.
        PhotoError: no source at all, or as load_photo.
    """
    if isinstance(sources, str | bytes | os.PathLike | Image.Image | Photo):
        sources = [sources]
    singles = [single for source in sources for single in _expanded(source)]
    if not singles:
        raise PhotoError("Expected at least one photo, but got none; name a file or a folder.")
    return [_read(single, f"photo {number}") for number, single in enumerate(singles, start=1)]


def _read(source: PhotoSource | Photo, otherwise: str) -> Photo:
    if isinstance(source, Photo):
        return source
    name = _name(source, otherwise)
    return Photo(_load(source, name, MAX_PIXELS, MIN_SIDE), name)


def _name(source: PhotoSource, otherwise: str) -> str:
    return otherwise if isinstance(source, bytes | Image.Image) else os.fspath(source)


def _expanded(source: PhotoSource | Photo) -> list[PhotoSource | Photo]:
    """The photos a source stands for: those of a folder, or the source itself."""
    if isinstance(source, bytes | Image.Image | Photo):
        return [source]
    if source == "":  # to Path it is the working directory, with everybody in it
        raise PhotoError("Expected a photo or a folder of photos, but got an empty name.")
    folder = Path(source)
    try:
        if not folder.is_dir():
            return [source]
        visible = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        photos = [path for path in visible if path.suffix.lower() in PHOTO_SUFFIXES and not path.is_dir()]
    except OSError as error:
        raise PhotoError(f"Expected a folder of photos, but {folder} cannot be read: {error.strerror}.") from error
    if not visible:
        raise EmptyFolderError(f"Expected a folder of photos, but {folder} is empty; put photos in or name another.")
    if not photos:
        raise NoPhotoInFolderError(
            f"Expected photos ({', '.join(PHOTO_SUFFIXES)}) in {folder}, but none of its entries is one, for example "
            f"{visible[0].name}; convert other formats to JPEG, or name another folder."
        )
    return list[PhotoSource | Photo](photos)


def _load(source: PhotoSource, name: str, max_pixels: int, min_side: int) -> Image.Image:
    def read(stream: _Stream) -> Image.Image:
        return _upright_rgb(_accepted(_opened(stream, name, max_pixels), name, max_pixels, min_side), name)

    if isinstance(source, Image.Image):
        return _upright_rgb(_accepted(source, name, max_pixels, min_side), name)
    if isinstance(source, bytes):
        return read(io.BytesIO(source))
    try:
        stream = Path(source).open("rb")  # noqa: SIM115 - closed below; only opening may fail in this way
    except FileNotFoundError as error:
        raise PhotoError(f"Expected a photo, but there is no {name}; check the path.") from error
    except IsADirectoryError as error:
        raise PhotoError(f"Expected one photo, but {name} is a folder; name a file in it.") from error
    except (OSError, ValueError) as error:
        raise PhotoError(f"Expected a photo, but {name} cannot be read: {error}.") from error
    with stream:
        return read(stream)


def _opened(stream: _Stream, name: str, max_pixels: int) -> ImageFile.ImageFile:
    """Read the header only, with the reader that the first bytes call for.

    Image.open is not used: it checks against Pillow's process-wide pixel limit and warns or raises by it, and it
    takes the picture pairs that phones write for animations.
    """
    head = stream.read(HEIC_HEAD)
    stream.seek(0)
    if head.startswith(b"\xff\xd8\xff"):
        reader = JpegImageFile
    elif head.startswith(b"\x89PNG\r\n\x1a\n"):
        reader = PngImageFile
    elif head.startswith(b"RIFF") and head.endswith(b"WEBP"):
        reader = WebPImageFile
    elif is_heic(head):
        reader = partial(open_heic, name=name)
    else:
        what = f"begins with {head!r}" if head else "is empty"
        raise NotAnImageError(
            f"Expected a JPEG, PNG, WebP or HEIC photo, but {name} {what}; convert other formats to JPEG first."
        )
    try:
        return reader(stream)
    except Image.DecompressionBombError as error:
        raise _too_large(name, max_pixels, "more than Pillow decodes") from error
    except _DAMAGE as error:
        raise _damaged(name) from error


def _accepted(image: Image.Image, name: str, max_pixels: int, min_side: int) -> Image.Image:
    """The image itself, still undecoded, once its header is found acceptable."""
    size = Size(*image.size)
    if size.width * size.height > max_pixels:
        raise _too_large(name, max_pixels, f"{size.width * size.height / 1e6:.3g} ({size})")
    if min(size) < min_side:
        raise PhotoTooSmallError(
            f"Expected sides of at least {min_side} pixels, but {name} has {size}; use a larger photo."
        )
    if getattr(image, "is_animated", False) and image.format not in _COLLECTIONS:
        raise AnimatedPhotoError(f"Expected a still photo, but {name} is animated; save one of its frames.")
    return image


def _upright_rgb(image: Image.Image, name: str) -> Image.Image:
    try:
        image.load()
    except _DAMAGE as error:
        raise _damaged(name) from error
    turn = _UPRIGHT.get(_orientation(image))
    rgb = _rgb(image, name)
    if turn is not None:
        rgb = rgb.transpose(turn)
    rgb.info.clear()
    return rgb


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 where there is none; an unreadable EXIF block is none, as in every viewer."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except _DAMAGE:
        return 1
    return orientation if isinstance(orientation, int) else 1


def _rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow's own conversion clips everything above 255 to white.
        grey = (np.asarray(image).astype(np.uint32) + 128) // 257
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise PhotoError(
            f"Expected 8 or 16 bits per channel, but {name} has Pillow's mode {image.mode}, whose range is open; "
            "convert it to L or RGB first."
        )
    try:
        if not image.has_transparency_data:
            return image.convert("RGB")
        rgba = image.convert("RGBA")
    except ValueError as error:
        raise PhotoError(f"Expected an RGB photo, but {name} has mode {image.mode}; convert it to RGB.") from error
    rgb = Image.new("RGB", image.size, "white")
    rgb.paste(rgba, mask=rgba.getchannel("A"))
    return rgb


def _damaged(name: str) -> TruncatedPhotoError:
    return TruncatedPhotoError(f"Expected a whole picture, but {name} ends too early or is damaged; get a fresh copy.")


def _too_large(name: str, max_pixels: int, got: str) -> PhotoTooLargeError:
    return PhotoTooLargeError(f"Expected at most {max_pixels / 1e6:g} megapixels, but {name} has {got}; scale it down.")
