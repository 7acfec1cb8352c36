"""Pictures for a page that holds everything itself: as data URIs, within a bound."""

import base64
import io
from dataclasses import dataclass

import PIL.Image

from multiid.errors import OutputError
from multiid.suites.outcome import Example
from multiid.suites.tables import words

__all__ = ["MOST_BYTES", "Framed", "frame"]

MOST_BYTES = 12_000_000
"""Of all pictures of a page together, before they are written as text, which takes a third more."""

_MOST_EACH = 250_000  # bytes
_SIDE = 640  # pixels: larger pictures are made smaller
_LEAST_SIDE = 24
_TINY = 320  # pixels: the longest side of pictures whose pixels stay visible when they are enlarged
_QUALITIES = (90, 75)


@dataclass(frozen=True)
class Framed:
    """A picture as the page shows it.

    Attributes:
        uri: the picture itself, as a data URI; empty where it was left out to keep the page small.
        width: pixels of the picture as it is shown.
        height: likewise.
        tiny: whether it is to be enlarged by nearest neighbour, which the page does.
        caption: what to know about it.
        score: by which pictures are ordered, in words.
    """

    uri: str
    width: int
    height: int
    tiny: bool
    caption: str
    score: str


def frame(example: Example, *, pictures: int) -> Framed:
    """A picture for the page.

    Args:
        example: the picture.
        pictures: how many the page holds; the more, the fewer bytes for each.

    Returns:
        The picture as PNG, or as JPEG where that takes too many bytes, made smaller where that does too. What else
        the file holds, such as a recipe, is left out.

    Raises:
        OutputError: when the picture's file is gone or cannot be read.
    """
    try:
        with PIL.Image.open(example.file) as file:
            picture = file.convert("RGB")
    except (OSError, SyntaxError) as error:  # the latter of damaged PNG files
        raise OutputError(
            f"Expected the picture {example.file} for the report, but it cannot be read ({error}); "
            "run the suite again to make it anew."
        ) from error
    picture.info.clear()
    tiny = max(picture.size) <= _TINY
    picture.thumbnail((_SIDE, _SIDE), PIL.Image.Resampling.LANCZOS)
    kind, data = _encode(picture, min(_MOST_EACH, MOST_BYTES // max(pictures, 1)))
    uri = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}" if data else ""
    return Framed(uri, picture.width, picture.height, tiny, example.caption, words(example.score))


def _encode(picture: PIL.Image.Image, budget: int) -> tuple[str, bytes]:
    """Kind and bytes of the best that the budget allows; no bytes where nothing does."""
    data = _saved(picture, "PNG", optimize=True)
    if len(data) <= budget:
        return "png", data
    while max(picture.size) >= _LEAST_SIDE:
        for quality in _QUALITIES:
            data = _saved(picture, "JPEG", quality=quality, subsampling=0)
            if len(data) <= budget:
                return "jpeg", data
        picture = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)), PIL.Image.Resampling.BOX)
    return "", b""


def _saved(picture: PIL.Image.Image, kind: str, **options: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()
