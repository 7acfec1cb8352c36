"""Presets of a user's own: YAML files that name models and settings, most often as changes to another preset."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from multiid.errors import PresetError
from multiid.modelfiles import local_source
from multiid.pipeline.preset_file import PresetFile, WeightsEntry, preset_schema
from multiid.pipeline.preset_record import Preset, Weights
from multiid.pipeline.yaml_file import read_yaml
from multiid.validation import describe_error

__all__ = ["PRESETS_DIR_VARIABLE", "is_preset_file", "read_preset", "user_preset_files"]

PRESETS_DIR_VARIABLE = "MULTIID_PRESETS_DIR"
"""The environment variable that names a folder of preset files."""

_SUFFIXES = (".yaml", ".yml")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_MODEL_SUFFIXES = (".safetensors", ".bin", ".ckpt", ".pt", ".pth")
_PARTS = ("base", "vae", "controlnet", "adapter", "lora")


def is_preset_file(name: str) -> bool:
    """Whether a preset is given by the path of its file rather than by name."""
    return name.endswith(_SUFFIXES)


def user_preset_files() -> dict[str, Path]:
    """The user's preset files by the names of their presets, unread.

    They lie in the folder that MULTIID_PRESETS_DIR names, which comes first, and in `presets` of the user's
    configuration folder (on Linux ~/.config/multiid).

    Raises:
        PresetError: when the variable names something that is no folder.
    """
    own = os.environ.get(PRESETS_DIR_VARIABLE)
    folders = [Path(click.get_app_dir("multiid")) / "presets"]
    if own:
        folders.insert(0, Path(own).expanduser())
        if not folders[0].is_dir():
            raise PresetError(
                f"Expected {PRESETS_DIR_VARIABLE} to name a folder, but {folders[0]} is none; correct or unset it."
            )
    files: dict[str, Path] = {}
    for folder in folders:
        for file in sorted(folder.glob("*")) if folder.is_dir() else ():
            if file.suffix in _SUFFIXES:
                files.setdefault(file.stem, file)
    return files


def read_preset(file: Path, *, find: Callable[[str], Preset], taken: tuple[str, ...] = ()) -> Preset:
    """The preset that a file describes. Its name is the file's, without .yaml.

    Args:
        file: to read.
        find: gives the preset that another one is based on, from a name or a path.
        taken: names that it may not have.

    Raises:
        PresetError: naming the file, the key and what was expected; unknown keys name the nearest known one.
    """
    name = file.stem
    if not _NAME.fullmatch(name) or name in taken:
        why = "that is a preset of the package" if name in taken else "letters, digits, dots, - and _ are possible"
        raise PresetError(f"{file}: expected another file name, which names the preset: {why}; rename it.")
    data = read_yaml(file, PresetError)
    if not isinstance(data, Mapping):
        raise PresetError(f"{file}: expected keys such as base_on and base, but got {_kind(data)}.")
    try:
        entry = PresetFile.model_validate(data)
    except ValidationError as error:
        raise PresetError(describe_error(error, preset_schema(), source=file)) from error
    given = entry.model_fields_set
    parts = {part: _weights(file, part, getattr(entry, part)) for part in _PARTS if part in given}
    start = Preset(name, title=f"models of {file.name}", base=None)
    if entry.base_on is not None:
        try:
            start = find(_beside(file, entry.base_on))
        except PresetError as error:
            raise PresetError(f"{file}: base_on: {error}") from error
        if start.base is None and any(parts.values()):
            part = next(part for part, weights in parts.items() if weights is not None)
            raise PresetError(
                f"{file}: {part}: expected a preset whose models can be replaced, but {start.name} is built in."
            )
    preset = replace(
        start,
        **parts,
        **{key: getattr(entry, key) for key in ("faces", "half", "notice") if key in given},
        name=name,
        title=entry.title or (f"{start.title}, changed" if entry.base_on is not None else start.title),
        defaults=entry.defaults.over(start.defaults),
        file=file,
    )
    needed = [part for part in ("base", "adapter") if part not in preset.parts]
    built_in = entry.base_on is not None and start.base is None
    if needed and not built_in:
        raise PresetError(
            f"{file}: {needed[0]}: expected a source, since without it there is nothing to run: give one, or begin "
            "with another preset, as in `base_on: sdxl`."
        )
    return preset


def _weights(file: Path, part: str, entry: WeightsEntry | None) -> Weights | None:
    """An entry's weights, a path made whole; what can only be a path must lead somewhere."""
    if entry is None:
        return None
    beside = file.parent / Path(entry.source).expanduser()
    source = entry.source
    try:
        if beside.exists():
            source = str(beside.resolve())
        elif _can_only_be_a_path(source) and local_source(source) is None:
            raise PresetError(
                f"{file}: {part}.source: expected a hub repository owner/name, or a file or folder that is there, "
                f"but got {source}."
            )
    except OSError:  # no name that a file can have
        raise PresetError(f"{file}: {part}.source: expected a source, but got {source}.") from None
    return Weights(source, entry.licence, entry.file, entry.revision)


def _can_only_be_a_path(source: str) -> bool:
    return source.startswith((".", "/", "~")) or (source.endswith(_MODEL_SUFFIXES) and source.count("/") < 2)


def _beside(file: Path, other: str) -> str:
    return str(file.parent / Path(other).expanduser()) if is_preset_file(other) else other


def _kind(data: Any) -> str:
    return "nothing" if data is None else type(data).__name__
