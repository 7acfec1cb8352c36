"""The files of models in diffusers' layout: which of a repository the stock loaders take, and which a folder lacks."""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["INDEX_FILE", "lacking_files", "needed_files", "needed_size", "read_index"]

INDEX_FILE = "model_index.json"
"""Where a pipeline names its components."""

_CONFIG_FILE = "config.json"
_STEMS = ("diffusion_pytorch_model", "model")
_TEXT_ENCODER = "text_encoder"
_WITHOUT_WEIGHTS = ("scheduler", "tokenizer", "feature_extractor", "image_processor")
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".onnx", ".msgpack")


def needed_files(names: Iterable[str], index: Mapping[str, Any] | None, *, without: Collection[str] = ()) -> list[str]:
    """The files of a repository that the stock loaders take: full precision, safetensors, no other variant.

    Args:
        names: of all files of the repository, as "folder/file".
        index: a pipeline's model_index.json; None for a single model.
        without: components that come from elsewhere.
    """
    if index is None:
        return [name for name in names if name == _CONFIG_FILE or ("/" not in name and _is_weights(name))]
    everything = list(names)
    needed = [INDEX_FILE] if INDEX_FILE in everything else []
    for component in _components(index, without):
        files = [name for name in everything if name.startswith(f"{component}/") and name.count("/") == 1]
        holds_model = any(name.endswith(_WEIGHT_SUFFIXES) for name in files)
        needed += [
            name
            for name in files
            if not holds_model or name == f"{component}/{_CONFIG_FILE}" or _is_weights(Path(name).name)
        ]
    return needed


def lacking_files(folder: Path, *, pipeline: bool, without: Collection[str] = ()) -> list[str]:
    """Files that a folder in diffusers' layout should hold and does not.

    Args:
        folder: of one model, or of a pipeline with its components.
        pipeline: which of the two.
        without: components that come from elsewhere.
    """
    if not pipeline:
        return _lacking_of_model(folder, _STEMS[0])
    index = read_index(folder)
    if index is None:
        return [INDEX_FILE]
    lacking: list[str] = []
    for component in _components(index, without):
        inside = folder / component
        if component.startswith(_WITHOUT_WEIGHTS):
            lacking += [] if inside.is_dir() and any(inside.iterdir()) else [f"{component}/"]
            continue
        stem = _STEMS[component.startswith(_TEXT_ENCODER)]
        lacking += [f"{component}/{name}" for name in _lacking_of_model(inside, stem)]
    return lacking


def needed_size(place: Path, *, without: Collection[str] = ()) -> int:
    """Bytes on disk of a file, or of those files of a folder that the stock loaders take."""
    if place.is_file():
        return place.stat().st_size
    names = [file.relative_to(place).as_posix() for file in place.rglob("*") if file.is_file()]
    return sum((place / name).stat().st_size for name in needed_files(names, read_index(place), without=without))


def read_index(folder: Path) -> Mapping[str, Any] | None:
    """A pipeline's index, or None where there is none that can be read."""
    try:
        index = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return index if isinstance(index, dict) else None


def _is_weights(name: str) -> bool:
    """model.safetensors, one of several such as model-00001-of-00002, or their index; no model.fp16, no other model."""
    for stem in _STEMS:
        rest = name.removeprefix(stem)
        if rest == name:
            continue
        if rest in (".safetensors", ".safetensors.index.json"):
            return True
        number, _, end = rest.removeprefix("-").partition("-of-")
        if rest.startswith("-") and number.isdecimal() and end.removesuffix(".safetensors").isdecimal():
            return end.endswith(".safetensors")
    return False


def _components(index: Mapping[str, Any], without: Collection[str]) -> list[str]:
    """The components that a pipeline's index gives a class, (library, class), to."""
    return [
        name
        for name, value in index.items()
        if isinstance(value, list) and value and value[0] is not None and name not in without
    ]


def _lacking_of_model(folder: Path, usual: str) -> list[str]:
    """What one model's folder lacks; `usual` is how its weights are most often called."""
    lacking = [] if (folder / _CONFIG_FILE).is_file() else [_CONFIG_FILE]
    for stem in _STEMS:
        if (folder / f"{stem}.safetensors").is_file():
            return lacking
        index = folder / f"{stem}.safetensors.index.json"
        if index.is_file():
            try:
                shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                return [*lacking, index.name]
            return [*lacking, *sorted(name for name in shards if not (folder / name).is_file())]
    return [*lacking, f"{usual}.safetensors"]
