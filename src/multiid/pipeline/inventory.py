"""What of a preset's models is on this machine: looked up on disk, with nothing loaded and no network asked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from multiid.errors import MissingExtraError, ModelFileError
from multiid.modelfiles import ModelFile, is_repository, local_model_file, local_source, split_hub_file
from multiid.people.face_backends import SFACE, YUNET, InsightFaces
from multiid.pipeline.model_folders import INDEX_FILE, lacking_files, needed_size
from multiid.pipeline.preset_record import Preset, Weights

__all__ = ["FACE_FILES", "Part", "PartKind", "borrowed", "kind_of", "take_stock", "whole_snapshot"]

PartKind = Literal["pipeline", "model", "file", "faces"]
"""A whole pipeline, one model's folder, a single file, or what finds and recognises faces."""

FACE_FILES: dict[str, tuple[ModelFile, ...]] = {"opencv": (YUNET, SFACE), "insightface": (), "mini": ()}
"""The model files of each face analyzer that the hub publishes."""

_KINDS: dict[str, PartKind] = {"base": "pipeline", "vae": "model", "controlnet": "model"}


@dataclass(frozen=True)
class Part:
    """One part of a preset, and whether it is here.

    Attributes:
        name: "base", "vae", "controlnet", "adapter", "lora" or "faces".
        source: what it is called: a repository, a path, or a face analyzer.
        licence: of its weights.
        place: the folder or file that was found; None where there is none.
        lacking: what is not here: names of files, or what the user has to do about it.
        size: bytes on disk of what was found.
        fetchable: whether the hub has it and may be asked for it.
    """

    name: str
    source: str
    licence: str
    place: Path | None
    lacking: tuple[str, ...]
    size: int
    fetchable: bool

    @property
    def ready(self) -> bool:
        """Whether all of it is here."""
        return not self.lacking


def take_stock(preset: Preset) -> list[Part]:
    """The parts of a preset that have weights, each looked up as loading would.

    Raises:
        ModelFileError: when MULTIID_MODELS_DIR names something that is no folder.
    """
    parts = [_part(preset, name, weights) for name, weights in preset.parts.items()]
    if preset.faces is not None:
        parts.append(_faces(preset.faces, preset.licences["faces"]))
    return parts


def borrowed(preset: Preset) -> tuple[str, ...]:
    """The components of the base that are not taken from it, since the preset has its own."""
    return tuple(part for part in ("vae", "controlnet") if part in preset.parts)


def kind_of(part: str) -> PartKind:
    """What kind of thing a preset's part is, by the part's name."""
    return "faces" if part == "faces" else _KINDS.get(part, "file")


def whole_snapshot(preset: Preset, name: str) -> Path | None:
    """The folder in the Hugging Face cache that holds all of a part; None where it lacks some, or is from elsewhere."""
    weights = preset.parts[name]
    if local_source(weights.source) is not None:
        return None
    part = _part(preset, name, weights)
    return part.place if part.ready else None


def _part(preset: Preset, name: str, weights: Weights) -> Part:
    kind = kind_of(name)
    without = borrowed(preset) if name == "base" else ()
    place = _single_file(weights) if kind == "file" else _folder(weights, kind)
    if place is None:
        lacking = (weights.file or weights.source,)
    elif place.is_dir():
        lacking = tuple(lacking_files(place, pipeline=kind == "pipeline", without=without))
    else:
        lacking = ()
    return Part(
        name,
        weights.source,
        weights.licence,
        place,
        lacking,
        0 if place is None else needed_size(place, without=without),
        fetchable=local_source(weights.source) is None and _on_hub(weights, kind),
    )


def _on_hub(weights: Weights, kind: PartKind) -> bool:
    if kind == "file":
        return split_hub_file(weights.source, weights.file) is not None
    return is_repository(weights.source)


def _single_file(weights: Weights) -> Path | None:
    local = local_source(weights.file or weights.source) or local_source(weights.source)
    if local is not None:
        file = local / weights.file if local.is_dir() and weights.file else local
        return file if file.is_file() else None
    on_hub = split_hub_file(weights.source, weights.file)
    return None if on_hub is None else _cached(*on_hub, weights.revision)


def _folder(weights: Weights, kind: PartKind) -> Path | None:
    local = local_source(weights.source)
    if local is not None or not is_repository(weights.source):
        return local
    first = _cached(weights.source, INDEX_FILE if kind == "pipeline" else "config.json", weights.revision)
    return None if first is None else first.parent


def _cached(repository: str, file: str, revision: str | None) -> Path | None:
    """A file in the Hugging Face cache."""
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(repository, file, revision=revision)
    return Path(path) if isinstance(path, str) else None


def _faces(backend: str, licence: str) -> Part:
    if backend == "mini":
        return Part("faces", "part of the package", licence, None, (), 0, fetchable=False)
    if backend == "insightface":
        try:
            InsightFaces()
        except (MissingExtraError, ModelFileError) as error:
            return Part("faces", "insightface", licence, None, (str(error),), 0, fetchable=False)
        return Part("faces", "insightface", licence, None, (), 0, fetchable=False)
    found: list[Path] = []
    lacking: list[str] = []
    for file in FACE_FILES[backend]:
        try:
            path = local_model_file(file)
        except ModelFileError as error:  # another file of that name
            lacking.append(str(error))
            continue
        if path is None:
            lacking.append(file.name)
        else:
            found.append(path)
    return Part(
        "faces",
        backend,
        licence,
        found[0].parent if found else None,
        tuple(lacking),
        sum(path.stat().st_size for path in found),
        fetchable=True,
    )
