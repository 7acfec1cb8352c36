"""Whether a script's style can be had: preset, LoRAs, scene keys, font."""

from collections.abc import Iterator
from pathlib import Path

from multiid.errors import ModelFileError, MultiIDError, StoryError
from multiid.modelfiles import is_repository, local_source
from multiid.pipeline.presets import find_preset
from multiid.pipeline.scene_file import find_setting_misfits, source_beside
from multiid.pipeline.user_presets import is_preset_file
from multiid.story.fonts import find_typeface
from multiid.story.partial import StoryParts
from multiid.story.scene_keys import ELSEWHERE
from multiid.validation import Misfit

__all__ = ["check_lettering", "check_style", "preset_beside"]


def check_style(parts: StoryParts, folder: Path) -> Iterator[Misfit]:
    """Whether the preset, the LoRAs and the scene keys of a style are there and fit.

    Args:
        parts: of the script.
        folder: of the script, which LoRAs and preset files lie beside.
    """
    style = parts.style
    preset = preset_beside(folder, style.preset)
    if preset is not None:
        try:
            find_preset(preset)
        except MultiIDError as error:
            yield Misfit(("style", "preset"), str(error))
    for index, lora in parts.loras.items():
        if not lora.source or not _may_be_there(source_beside(folder / "story.yaml", lora.source)):
            yield Misfit(
                ("style", "loras", index, "source"),
                f"expected a file or folder that is there, or a hub repository owner/name, but got {lora.source!r}",
            )
    for key in style.scene:
        if key in ELSEWHERE:
            yield Misfit(("style", "scene", key), f"expected no {key} here: it {ELSEWHERE[key]}", unknown_key=True)
    settings = {key: value for key, value in style.scene.items() if key not in ELSEWHERE}
    for misfit in find_setting_misfits(settings, taken=ELSEWHERE):
        yield Misfit(("style", "scene", *misfit.location), misfit.text, misfit.unknown_key)


def preset_beside(folder: Path, preset: str | None) -> str | None:
    """A preset's file beside the script as a path; the name of one as it is."""
    return str(folder / preset) if preset is not None and is_preset_file(preset) else preset


def _may_be_there(source: str) -> bool:
    """Whether a LoRA is a file or folder at hand, or can be on the hub."""
    try:
        if local_source(source) is not None:
            return True
    except ModelFileError:  # what the variable for models names is none of the script's faults
        pass
    return is_repository(source) and not source.endswith(".safetensors")


def check_lettering(parts: StoryParts, folder: Path, language: str) -> Iterator[Misfit]:
    """Whether there is the font, and one for every character that is written.

    Args:
        parts: of the script.
        folder: of the script, which font files lie beside.
        language: of the words, as BCP 47 names it.
    """
    try:
        typeface = find_typeface(parts.font, folder=folder, language=language)
    except StoryError as error:
        yield Misfit(("paper", "lettering", "font"), str(error))
        return
    for panel in parts.panels.values():
        for location, text in panel.texts.items():
            try:
                typeface.require(text)
            except StoryError as error:
                yield Misfit((*panel.location, *location, "text"), str(error))
