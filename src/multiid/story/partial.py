"""A script with mistakes in it, as far as it can be read, so that all of its mistakes can be told at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from multiid.story.script import Appearance, Character, Layout, Line, Page, Panel, Paper, Story, Style
from multiid.validation import Location

__all__ = ["PagePart", "PanelPart", "StoryParts", "take_apart"]

Entry = TypeVar("Entry", bound=BaseModel)


@dataclass(frozen=True)
class PanelPart:
    """What can be read of a panel.

    Attributes:
        location: of the panel in the script.
        rest: the panel but for people and dialogue, without the keys that are wrong; None where that is no panel.
        people: by their indices, without those that cannot be read.
        dialogue: the lines by their indices, likewise.
        wrong: the keys of which there is more than could be read, or other than is meant.
    """

    location: Location
    rest: Panel | None
    people: Mapping[int, Appearance]
    dialogue: Mapping[int, Line]
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
        cast: by name; None for those whose entry cannot be read. None where nobody can tell who is in the cast.
        style: without the keys that are wrong.
        paper: likewise.
        pages: each of them.
        all_pages: whether every page and panel is among them.
    """

    cast: Mapping[str, Character | None] | None
    style: Style
    paper: Paper
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
    pages = data.get("pages")
    entries = pages if isinstance(pages, list) else []
    parts = tuple(_page(("pages", index), page) for index, page in enumerate(entries))
    return StoryParts(
        cast={str(name): _readable(Character, entry)[0] for name, entry in cast.items()} if is_known else None,
        style=_readable(Style, data.get("style", {}))[0] or Style(),
        paper=_readable(Paper, data.get("paper", {}))[0] or Paper(),
        pages=parts,
        all_pages=bool(parts) and not any("panels" in page.wrong for page in parts),
    )


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
        return PanelPart(location, None, {}, {}, frozenset(Panel.model_fields))
    rest, wrong = _readable(Panel, {**data, "people": [], "dialogue": []}, prompt="-")
    people, all_people = _entries(Appearance, data.get("people", []))
    dialogue, all_lines = _entries(Line, data.get("dialogue", []))
    if set(data) - set(Panel.model_fields):  # an unknown key may be meant for any that is not there
        wrong |= set(Panel.model_fields) - set(data)
    unread = {key for key, whole in (("people", all_people), ("dialogue", all_lines)) if not whole}
    return PanelPart(location, rest, people, dialogue, wrong | unread)


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
