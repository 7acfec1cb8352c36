"""Results on disk that a stopped run finds again: each is kept with a stamp that tells what it was made with."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import PIL.Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from multiid import __version__
from multiid.errors import OutputError
from multiid.files import write_whole
from multiid.modelfiles import local_source
from multiid.people.tensorfile import read_tensors
from multiid.pipeline.preset_record import Preset, Weights
from multiid.pipeline.result import Picture

__all__ = [
    "KeptPicture",
    "keep_picture",
    "made_with",
    "make_folder",
    "recall_picture",
    "recall_tensors",
    "stamp_of",
    "weights_digest",
    "weights_of",
]

_KEY = "multiid-kept"  # keyword of the PNG's text chunk
_VERSIONS = ("torch", "diffusers", "transformers")


@dataclass(frozen=True, eq=False)
class KeptPicture:
    """A picture that was kept.

    Attributes:
        image: the picture.
        seconds: how long it took.
        tries: how many were made, of which it is the best.
    """

    image: PIL.Image.Image
    seconds: float
    tries: int = 1


def make_folder(folder: Path) -> None:
    """Makes a folder, and those it lies in, unless it is there.

    Raises:
        OutputError: when it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot write {folder}: {error.strerror or error}.") from error


def stamp_of(*told: Any) -> str:
    """A short text for what something was made with: another one if any of it changes.

    Args:
        told: plain values, or such as `repr` tells from others.
    """
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=repr).encode()).hexdigest()


def made_with(preset: Preset) -> tuple[Any, ...]:
    """What a preset's pictures depend on besides scene and device: its weights and settings, and all versions."""
    versions = [version(name) for name in _VERSIONS]
    return __version__, versions, preset.recorded, repr(preset.defaults), weights_of(preset)


def weights_of(preset: Preset) -> dict[str, tuple[str | None, ...]]:
    """What tells the weights of each part of a preset from others.

    Those on this machine count by what is in them, wherever they lie; those of the hub by name and revision.
    """
    return {name: _told(weights) for name, weights in preset.parts.items()}


def weights_digest(place: Path) -> str:
    """SHA-256 over a weights file, or over the names and contents of all .safetensors files in a folder."""
    digest = hashlib.sha256()
    for file in sorted(place.rglob("*.safetensors")) if place.is_dir() else [place]:
        digest.update(f"{file.relative_to(place)} {file.stat().st_size}\n".encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _told(weights: Weights) -> tuple[str | None, ...]:
    place = local_source(weights.source)
    origin = (weights.source, weights.revision) if place is None else (weights_digest(place),)
    return (*origin, weights.file)


def keep_picture(picture: Picture | PIL.Image.Image, file: Path, *, stamp: str, seconds: float, tries: int = 1) -> None:
    """Writes a picture with its recipe, if it has one, whole or not at all.

    Args:
        picture: of one scene.
        file: where to, as PNG; its folder must exist.
        stamp: tells with what it was made.
        seconds: how long it took.
        tries: how many were made, of which it is the best.

    Raises:
        OutputError: when it cannot be written.
    """
    with write_whole(file) as temporary:
        picture.save(temporary)
        with PIL.Image.open(temporary) as saved:
            saved.load()
            info = PngInfo()
            for key, text in saved.info.items():
                if isinstance(text, str):
                    info.add_itxt(str(key), text)
            info.add_itxt(_KEY, json.dumps({"stamp": stamp, "seconds": round(seconds, 2), "tries": tries}))
            saved.save(temporary, format="PNG", pnginfo=info)


def recall_picture(file: Path, *, stamp: str) -> KeptPicture | None:
    """The picture of an earlier run; None where there is none, it is damaged, or it was made with something else."""
    try:
        with PIL.Image.open(file, formats=["PNG"]) as saved:
            saved.load()
            about = json.loads(saved.info[_KEY])
            if about["stamp"] != stamp:
                return None
            return KeptPicture(saved.convert("RGB"), float(about["seconds"]), int(about["tries"]))
    except (OSError, SyntaxError, ValueError, KeyError, TypeError):
        return None


def recall_tensors(file: Path, *, stamp: str) -> tuple[dict[str, Tensor], Mapping[str, Any]] | None:
    """What `write_tensors` wrote together with a "stamp"; None where a picture would be none."""
    if not file.is_file():
        return None
    try:
        tensors, about = read_tensors(file, error=OutputError)
    except OutputError:
        return None  # damaged: it is made again
    return (tensors, about) if about.get("stamp") == stamp else None
