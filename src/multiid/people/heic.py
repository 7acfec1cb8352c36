"""HEIC photos, as phones take them: read with the optional package pillow-heif."""

import io
from importlib import import_module

from PIL import ImageFile

from multiid.errors import MissingExtraError

__all__ = ["HEIC_HEAD", "is_heic", "open_heic"]

HEIC_HEAD = 12
"""How many bytes of a file tell whether it is a HEIC photo."""

# Of the HEIF family those that hold HEVC pictures: stills, sequences, and the two general ones.
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")

_MISSING = 'HEIC photos need the package pillow-heif; run: pip install "multiid[heic]", or convert the photo to JPEG.'


def is_heic(head: bytes) -> bool:
    """Whether a file that begins with these bytes is a HEIC photo (ISO 23008-12: a box "ftyp", then the brand)."""
    return head[4:8] == b"ftyp" and head[8:HEIC_HEAD] in _BRANDS


def open_heic(stream: io.BufferedReader | io.BytesIO, name: str) -> ImageFile.ImageFile:
    """The photo with its header read and no pixel decoded; of several pictures in one file the primary one.

    Turned upright as the file asks for, once decoded; pillow-heif takes the orientation out of the EXIF data then.

    Args:
        stream: at the beginning of the file.
        name: what to call the photo in messages.

    Raises:
        MissingExtraError: when pillow-heif is not installed; the message names the install command.
        SyntaxError: when the data are damaged, as Pillow's own readers.
    """
    try:
        reader = import_module("pillow_heif").HeifImageFile
    except ImportError as error:
        raise MissingExtraError(f"Expected a photo that can be read here, but {name} is HEIC: {_MISSING}") from error
    return reader(stream)
