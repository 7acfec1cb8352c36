"""All presets at once: those of the package and the user's own, with what of them is missing."""

from dataclasses import dataclass
from pathlib import Path

from multiid.errors import PresetError
from multiid.pipeline.inventory import take_stock
from multiid.pipeline.presets import PRESETS, find_preset
from multiid.pipeline.user_presets import user_preset_files

__all__ = ["ListedPreset", "list_presets"]


@dataclass(frozen=True)
class ListedPreset:
    """A preset in a list.

    Attributes:
        name: of the preset.
        title: what it is, or what is wrong with its file.
        missing: names of the parts that are not here; None where its file is invalid.
        file: the user's file, or None.
    """

    name: str
    title: str
    missing: tuple[str, ...] | None
    file: Path | None


def list_presets() -> list[ListedPreset]:
    """All presets, those of the package first. A file that is invalid is listed with its fault.

    Raises:
        PresetError: when MULTIID_PRESETS_DIR names something that is no folder.
        ModelFileError: when MULTIID_MODELS_DIR does.
    """
    own = user_preset_files()
    return [_listed(name, None) for name in PRESETS] + [_listed(name, file) for name, file in own.items()]


def _listed(name: str, file: Path | None) -> ListedPreset:
    try:
        # A user's by its path, so that one named like a preset of the package is told apart from it.
        preset = find_preset(name if file is None else str(file))
    except PresetError as error:
        return ListedPreset(name, " ".join(str(error).split()), None, file)
    missing = tuple(part.name for part in take_stock(preset) if not part.ready)
    return ListedPreset(name, preset.title, missing, file)
