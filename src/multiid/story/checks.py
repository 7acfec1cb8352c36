"""What holds between the parts of a script: who is named is in the cast, where they are, and on which page."""

import re
from collections.abc import Collection, Iterator

from multiid.errors import PromptError, StoryError
from multiid.prompts import Subject, bind
from multiid.story.layout import lay_out
from multiid.story.paper import measure
from multiid.story.partial import PanelPart, StoryParts
from multiid.story.script import Page, Panel, Paper
from multiid.story.values import is_panel_number
from multiid.validation import Misfit, suggest

__all__ = ["check_names", "check_pages"]

_IN_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


def check_names(parts: StoryParts) -> Iterator[Misfit]:
    """Whether everybody who is named is there: in the cast, in the panel, and in the panel of their anchor."""
    for panel in parts.panels.values():
        yield from _check_twice(panel)
        yield from _check_braces(panel)
        if parts.cast is not None:
            yield from _check_cast(panel, list(parts.cast))
            yield from _check_prompt(panel, list(parts.cast))
    yield from _check_anchors(parts)


def _check_cast(panel: PanelPart, cast: list[str]) -> Iterator[Misfit]:
    for index, entry in panel.people.items():
        if entry.who not in cast:
            yield Misfit((*panel.location, "people", index, "who"), _unknown(entry.who, cast))
    for index, line in panel.dialogue.items():
        if line.who is not None and line.who not in cast:
            yield Misfit((*panel.location, "dialogue", index, "who"), _unknown(line.who, cast))


def _unknown(name: str, cast: list[str]) -> str:
    return f"expected a name of the cast, but got {name!r}" + (suggest(name, cast) if cast else ": the cast is empty")


def _check_twice(panel: PanelPart) -> Iterator[Misfit]:
    seen: dict[str, int] = {}
    for index, entry in panel.people.items():
        if entry.who in seen:
            yield Misfit(
                (*panel.location, "people", index, "who"),
                f"expected everybody once in a panel, but {entry.who} is person {seen[entry.who] + 1} too",
            )
        seen.setdefault(entry.who, index)


def _check_prompt(panel: PanelPart, cast: list[str]) -> Iterator[Misfit]:
    """Whether people in braces are in the panel; those whom the prompt does not name are put first in it later."""
    here = [entry.who for entry in panel.people.values()]
    all_known = _everybody_is_known(panel, cast)
    for name in _named(panel):
        location = (*panel.location, "prompt")
        if name in cast and name not in here and all_known:
            yield Misfit(location, f"expected {name} among the panel's people, since the prompt names them")
        elif name not in cast and name not in here:
            known = here or cast
            problem = f"expected people of this panel in braces, but got {{{name}}}"
            yield Misfit(location, problem + (suggest(name, known) if known else ": there is nobody in it"))


def _everybody_is_known(panel: PanelPart, cast: Collection[str]) -> bool:
    """Whether it is certain who is in a panel; somebody whose name is misspelt may be anybody."""
    return panel.knows("people") and all(entry.who in cast for entry in panel.people.values())


def _check_braces(panel: PanelPart) -> Iterator[Misfit]:
    if panel.rest is not None and panel.knows("prompt"):
        try:
            bind(panel.rest.prompt, [Subject(name, "person") for name in _named(panel)])
        except PromptError as error:  # a brace that stands alone
            yield Misfit((*panel.location, "prompt"), str(error))


def _named(panel: PanelPart) -> list[str]:
    """Whom the prompt names in braces, each once."""
    if panel.rest is None or not panel.knows("prompt"):
        return []
    found = (match[1] for match in _IN_BRACES.finditer(panel.rest.prompt))
    return list(dict.fromkeys(name.strip() for name in found if name is not None))


def _check_anchors(parts: StoryParts) -> Iterator[Misfit]:
    panels = parts.panels
    for name, character in (parts.cast or {}).items():
        number = character.anchor
        if number is None or not is_panel_number(number) or not parts.all_pages:
            continue
        where = [other for other, panel in panels.items() if any(entry.who == name for entry in panel.people.values())]
        if number in where or (number in panels and not _everybody_is_known(panels[number], parts.cast or ())):
            continue
        problem = f"{name} is not in it" if number in panels else "there is none of that number"
        they = f"; {name} is in {', '.join(where)}" if where else ""
        yield Misfit(("cast", name, "anchor"), f"expected a panel with {name} in it, but got {number}: {problem}{they}")


def check_pages(parts: StoryParts) -> Iterator[Misfit]:
    """Whether there is room on the paper, and each page's layout holds its panels."""
    paper = parts.paper
    try:
        measure(paper)
    except ValueError as error:
        key, _, problem = str(error).partition(": ")
        yield Misfit(("paper", key), problem)
        paper = Paper()
    for page in parts.pages:
        if "layout" in page.wrong or not page.panels:
            continue
        panels = [Panel(prompt="-")] * len(page.panels)
        try:
            lay_out(Page.model_construct(layout=page.layout, panels=panels), paper, where="page")
        except StoryError as error:
            key, _, problem = str(error).removeprefix("page: ").partition(": ")
            yield Misfit((*page.location, key), problem)
