"""A script with mistakes in it, as far as it can be read, so that all of its mistakes can be told at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from multiid.pipeline.scene_file import LoraEntry
from multiid.story.script import (
    Appearance,
    Caption,
    Layout,
    Line,
    Page,
    Panel,
    Paper,
    Sound,
    Story,
    Style,
)
from multiid.validation import Location

__all__ = ["CharacterPart", "PagePart", "PanelPart", "StoryParts", "take_apart"]

_POSES = frozenset({"template", "pose"})
"""Keys of a panel of which one alone may be given."""

Entry = TypeVar("Entry", bound=BaseModel)


@dataclass(frozen=True)
class CharacterPart:
    """What can be read of somebody of the cast.

    Attributes:
        noun: the class noun; None where there is none to be read, as of the others.
        photos: files or folders, by where they stand under the character's name.
        identity: an identity file.
        anchor: the number of a panel.
    """

    noun: str | None = None
    photos: Mapping[Location, str] = field(default_factory=dict[Location, str])
    identity: str | None = None
    anchor: str | None = None


@dataclass(frozen=True)
class PanelPart:
    """What can be read of a panel.

    Attributes:
        location: of the panel in the script.
        rest: the panel but for people and words, without the keys that are wrong; None where that is no panel.
        people: by their indices, without those that cannot be read.
        dialogue: the lines by their indices, likewise.
        texts: what is lettered, by where it stands in the panel, likewise.
        wrong: the keys of which there is more than could be read, or other than is meant.
    """

    location: Location
    rest: Panel | None
    people: Mapping[int, Appearance]
    dialogue: Mapping[int, Line]
    texts: Mapping[Location, str]
    wrong: frozenset[str]

    def knows(self, *keys: str) -> bool:
        """Whether all that the script says under these keys could be read."""
        return self.rest is not None and not self.wrong.intersection(keys)


@dataclass(frozen=True)
class PagePart:
    """What can be read of a page.

    Attributes:
        location: of the page in the script.
        layout: as it says.
        panels: each of them.
        wrong: as of a `PanelPart`.
    """

    location: Location
    layout: str | Layout | None
    panels: tuple[PanelPart, ...]
    wrong: frozenset[str]


@dataclass(frozen=True)
class StoryParts:
    """What can be read of a script.

    Attributes:
        cast: by name. None where nobody can tell who is in the cast.
        style: without the keys that are wrong, and without LoRAs.
        loras: by their indices, without those that cannot be read.
        paper: without the keys that are wrong.
        font: of the lettering.
        pages: each of them.
        all_pages: whether every page and panel is among them.
    """

    cast: Mapping[str, CharacterPart] | None
    style: Style
    loras: Mapping[int, Any]
    paper: Paper
    font: str | None
    pages: tuple[PagePart, ...]
    all_pages: bool

    @property
    def panels(self) -> dict[str, PanelPart]:
        """Every panel by its number, such as "3.2"."""
        return {
            f"{page}.{number}": panel
            for page, entry in enumerate(self.pages, 1)
            for number, panel in enumerate(entry.panels, 1)
        }


def take_apart(data: Mapping[Any, Any]) -> StoryParts:
    """What can be read of a script's data."""
    cast = data.get("cast", {})
    strangers = set(data) - set(Story.model_fields)
    is_known = isinstance(cast, Mapping) and ("cast" in data or not strangers)
    style, paper = _mapping(data.get("style")), _mapping(data.get("paper"))
    pages = data.get("pages")
    entries = pages if isinstance(pages, list) else []
    parts = tuple(_page(("pages", index), page) for index, page in enumerate(entries))
    return StoryParts(
        cast={str(name): _character(entry) for name, entry in cast.items()} if is_known else None,
        style=_readable(Style, {**style, "loras": []})[0] or Style(),
        loras=_entries(LoraEntry, style.get("loras", []))[0],
        paper=_readable(Paper, paper)[0] or Paper(),
        font=_text(_mapping(paper.get("lettering")).get("font")),
        pages=parts,
        all_pages=bool(parts) and not any("panels" in page.wrong for page in parts),
    )


def _character(data: Any) -> CharacterPart:
    entry = _mapping(data)
    photos = entry.get("photos")
    paths: dict[Location, Any] = {(): photos}
    if isinstance(photos, list):
        paths = {(index,): path for index, path in enumerate(photos)}
    alone = entry.get("noun") is None and photos is None  # with these beside it, it may not be meant
    return CharacterPart(
        noun=_text(entry.get("noun")),
        photos={where: path for where, path in paths.items() if _text(path)},
        identity=_text(entry.get("identity")) or None if alone else None,
        anchor=_text(entry.get("anchor")),
    )


def _mapping(data: Any) -> Mapping[Any, Any]:
    return data if isinstance(data, Mapping) else {}


def _text(data: Any) -> str | None:
    return data if isinstance(data, str) else None


def _page(location: Location, data: Any) -> PagePart:
    if not isinstance(data, Mapping) or not isinstance(data.get("panels"), list):
        return PagePart(location, None, (), frozenset(Page.model_fields))
    panels = data["panels"]
    # Panels stand in for those that are looked at one by one.
    page, wrong = _readable(Page, {**data, "panels": [{"prompt": "-"}] * len(panels)})
    return PagePart(
        location,
        None if page is None else page.layout,
        tuple(_panel((*location, "panels", index), panel) for index, panel in enumerate(panels)),
        wrong,
    )


def _panel(location: Location, data: Any) -> PanelPart:
    if not isinstance(data, Mapping):
        return PanelPart(location, None, {}, {}, {}, frozenset(Panel.model_fields))
    people, all_people = _entries(Appearance, data.get("people", []))
    dialogue, all_lines = _entries(Line, data.get("dialogue", []))
    captions, _ = _entries(Caption, data.get("captions", []))
    sounds, _ = _entries(Sound, data.get("sounds", []))
    texts = {
        (kind, index): entry.text
        for kind, entries in (("captions", captions), ("dialogue", dialogue), ("sounds", sounds))
        for index, entry in entries.items()
    }
    rest = {key: value for key, value in data.items() if key not in ("people", "dialogue", "captions", "sounds")}
    both = _POSES if all(rest.get(key) is not None for key in _POSES) else frozenset[str]()
    # Which of the two is meant nobody knows.
    panel, wrong = _readable(Panel, {key: value for key, value in rest.items() if key not in both}, prompt="-")
    wrong |= both
    if set(data) - set(Panel.model_fields):  # an unknown key may be meant for any that is not there
        wrong |= set(Panel.model_fields) - set(data)
    unread = {key for key, whole in (("people", all_people), ("dialogue", all_lines)) if not whole}
    return PanelPart(location, panel, people, dialogue, texts, wrong | unread)


def _entries(kind: type[Entry], data: Any) -> tuple[dict[int, Entry], bool]:
    """The entries of a list by their indices, as far as they can be read, and whether that is all of them."""
    if not isinstance(data, list):
        return {}, False
    found = {index: _readable(kind, entry)[0] for index, entry in enumerate(data)}
    read = {index: entry for index, entry in found.items() if entry is not None}
    return read, len(read) == len(data)


def _readable(kind: type[Entry], data: Any, **stand_ins: Any) -> tuple[Entry | None, frozenset[str]]:
    """An entry without those of its keys that are wrong, and these keys.

    Args:
        kind: of the entry.
        data: as the script says it.
        stand_ins: values for keys that it needs, where what it says is wrong.
    """
    try:
        return kind.model_validate(data), frozenset()
    except ValidationError as error:
        wrong = {str(item["loc"][0]) for item in error.errors(include_url=False) if item["loc"]}
    if isinstance(data, Mapping):
        rest = {key: value for key, value in data.items() if str(key) not in wrong}
        if set(data) - set(kind.model_fields):
            wrong |= set(kind.model_fields) - set(data)
        try:
            return kind.model_validate({**stand_ins, **rest}), frozenset(wrong)
        except ValidationError:
            pass
    return None, frozenset(kind.model_fields)
