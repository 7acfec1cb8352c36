"""Reading story.yaml: a story that is right in all that needs no model, or everything that is wrong with it at once."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from multiid.errors import Fault, StoryError
from multiid.people.identity import Identity
from multiid.people.photo import Photo
from multiid.pipeline.yaml_file import LinedData, NotYamlError, read_lined_yaml
from multiid.story.checks import check_names, check_pages
from multiid.story.manner import check_lettering, check_style, preset_beside
from multiid.story.notes import find_notes
from multiid.story.partial import take_apart
from multiid.story.script import Story, story_schema
from multiid.story.sources import read_sources
from multiid.story.standing import check_standing
from multiid.validation import Location, Misfit, find_misfits, shorten

__all__ = ["StoryDocument", "load_story"]

_MOST_VALUES = 200_000  # 400 pages of words and settings
_LONGEST_KEY = 60  # characters of a key that are quoted

_COUNTED = {
    "captions": "caption",
    "insets": "inset",
    "loras": "LoRA",
    "pages": "page",
    "panels": "panel",
    "people": "person",
    "photos": "photo",
    "rows": "row",
    "sounds": "sound",
}
"""What one entry of a list is called."""


@dataclass(frozen=True)
class StoryDocument:
    """A script that has been read and checked, with the photos and identities of its cast, before any model is loaded.

    Attributes:
        file: where it was read; what it names lies beside it.
        story: what it says.
        photos: of those of the cast who are given by photos, by name.
        identities: of the others, as their files have them; their names may differ from those of the cast.
        notes: what is allowed but may not be meant.
    """

    file: Path
    story: Story
    photos: Mapping[str, tuple[Photo, ...]]
    identities: Mapping[str, Identity]
    notes: tuple[Fault, ...] = ()

    @property
    def folder(self) -> Path:
        """The script's folder."""
        return self.file.parent

    @property
    def preset(self) -> str | None:
        """The preset for `find_preset`: a name, or the path of a file beside the script; None where none is named."""
        return preset_beside(self.folder, self.story.style.preset)

    def noun(self, name: str) -> str:
        """The class noun of one of the cast: as the script says it, or as their identity file does."""
        noun = self.story.cast[name].noun
        return self.identities[name].noun if noun is None else noun


def load_story(path: str | os.PathLike[str]) -> StoryDocument:
    """Reads a script, story.yaml, with all that it names beside it: photos, identities, templates, fonts.

    All that needs no model is checked, and everything wrong is told at once, with its line.

    Args:
        path: the file.

    Raises:
        StoryError: with a fault for each thing wrong, in the order of their lines.
    """
    file = Path(path)
    try:
        lined = read_lined_yaml(file, most_values=_MOST_VALUES)
    except NotYamlError as error:
        raise _refusal(file, [Fault(str(file), error.line, "", "", str(error))]) from error
    if not isinstance(lined.data, Mapping):
        got = "nothing" if lined.data is None else type(lined.data).__name__
        problem = f"expected keys such as title, cast and pages, but got {got}"
        raise _refusal(file, [Fault(str(file), 1, "", "", problem)])
    return _checked(file, lined)


def _checked(file: Path, lined: LinedData) -> StoryDocument:
    parts = take_apart(lined.data)
    sources = read_sources(parts.cast or {}, file.parent)
    nouns = {name: identity.noun for name, identity in sources.identities.items()}
    nouns |= {name: entry.noun for name, entry in (parts.cast or {}).items() if entry.noun}
    story, misfits = _validated(lined.data)
    misfits += [
        *sources.misfits,
        *check_style(parts, file.parent),
        *check_names(parts),
        *check_standing(parts, file.parent, nouns),
        *check_pages(parts),
        *check_lettering(parts, file.parent, language="en" if story is None else story.language),
    ]
    if misfits or story is None:
        raise _refusal(file, _faults(file, lined, misfits))
    return StoryDocument(
        file, story, sources.photos, sources.identities, tuple(_faults(file, lined, find_notes(story)))
    )


def _validated(data: Any) -> tuple[Story | None, list[Misfit]]:
    try:
        return Story.model_validate(data), []
    except ValidationError as error:
        return None, find_misfits(error, story_schema())


def _refusal(file: Path, faults: list[Fault]) -> StoryError:
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    return StoryError(f"{file}: expected a story, but it has {count}:", faults)


def _faults(file: Path, lined: LinedData, misfits: Iterable[Misfit]) -> list[Fault]:
    """Misfits with their lines, in the order of these; in one line the unknown keys first, as reasons for others."""
    ordered = sorted(misfits, key=lambda misfit: (lined.line_of(misfit.location), not misfit.unknown_key))
    return [
        Fault(
            file=str(file),
            line=lined.line_of(misfit.location),
            key=".".join(map(str, misfit.location)),
            place=_in_words(misfit.location),
            problem=shorten(misfit.text),
        )
        for misfit in ordered
    ]


def _in_words(location: Location) -> str:
    """Where a value is, counted from 1: "page 1, panel 3, person 2, who", "cast.mia, photo 2"."""
    parts: list[str] = []
    keys: list[str] = []
    for key in location:
        if isinstance(key, str):
            keys.append(shorten(key, _LONGEST_KEY))
            continue
        what = keys.pop() if keys else ""
        if keys:
            parts.append(".".join(keys))
        parts.append(f"{_COUNTED.get(what, what)} {key + 1}".strip())
        keys = []
    return ", ".join([*parts, ".".join(keys)] if keys else parts)
