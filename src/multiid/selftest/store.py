"""The selftest's pictures on disk, so that a run that was stopped goes on where it was."""

import json
from dataclasses import dataclass
from pathlib import Path

import PIL.Image
from PIL.PngImagePlugin import PngInfo

from multiid.files import write_whole
from multiid.pipeline.recipe import RECIPE_KEY
from multiid.pipeline.result import Picture

__all__ = ["Kept", "keep", "recall"]

_KEY = "multiid-selftest"  # keyword of the PNG's text chunk


@dataclass(frozen=True, eq=False)
class Kept:
    """A picture and how long it took, in seconds."""

    image: PIL.Image.Image
    seconds: float


def keep(picture: Picture, file: Path, *, stamp: str, seconds: float, repeatable: bool) -> Kept:
    """Writes a picture, marked as generated, whole or not at all.

    Args:
        picture: of one scene.
        file: where to.
        stamp: tells with what it was made.
        seconds: how long it took.
        repeatable: whether its recipe makes it again; if not, the recipe is left out.

    Raises:
        OutputError: when it cannot be written.
    """
    with write_whole(file) as temporary:
        picture.save(temporary)
        with PIL.Image.open(temporary) as saved:
            saved.load()
            info = PngInfo()
            for key, text in saved.info.items():
                if isinstance(text, str) and (repeatable or key != RECIPE_KEY):
                    info.add_itxt(str(key), text)
            info.add_itxt(_KEY, json.dumps({"stamp": stamp, "seconds": round(seconds, 2)}))
            saved.save(temporary, format="PNG", pnginfo=info)
    return Kept(picture.image, seconds)


def recall(file: Path, *, stamp: str) -> Kept | None:
    """The picture of an earlier run; None where there is none, it is damaged, or it was made with something else."""
    try:
        with PIL.Image.open(file, formats=["PNG"]) as saved:
            saved.load()
            about = json.loads(saved.info[_KEY])
            if about["stamp"] != stamp:
                return None
            return Kept(saved.convert("RGB"), float(about["seconds"]))
    except (OSError, SyntaxError, ValueError, KeyError, TypeError):
        return None
