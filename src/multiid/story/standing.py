"""Whether there is a place for everybody in a panel: its template, its photo or its row."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from multiid.errors import MultiIDError, TemplateError
from multiid.people.photo import load_photo
from multiid.pipeline.casting import propose_templates
from multiid.pipeline.scene_file import template_beside
from multiid.poses.row import MOST_IN_A_ROW
from multiid.poses.templates import Template, load_template
from multiid.story.partial import PanelPart, StoryParts
from multiid.validation import Misfit

__all__ = ["check_standing"]


def check_standing(parts: StoryParts, folder: Path, nouns: Mapping[str, str]) -> Iterator[Misfit]:
    """Whether templates and photos can be read, and have a place for each person.

    How many people a photo shows is known when its poses are read, not here.

    Args:
        parts: of the script.
        folder: of the script, which templates and photos lie beside.
        nouns: class nouns of the cast by name, to propose templates that suit them.
    """
    templates: dict[str | Path, Template | str] = {}  # a story has a few, in many panels
    for panel in parts.panels.values():
        if panel.rest is None:
            continue
        if panel.rest.pose is not None:
            yield from _check_photo(panel, folder / panel.rest.pose)
            continue
        source = template_beside(folder / "story.yaml", panel.rest.template)
        if source is None:
            if panel.knows("template", "pose"):
                yield from _check_row(panel, nouns)
            continue
        if source not in templates:
            templates[source] = _read(source)
        template = templates[source]
        if isinstance(template, str):
            yield Misfit((*panel.location, "template"), template)
        else:
            yield from _check_template(panel, template, nouns)


def _check_photo(panel: PanelPart, photo: Path) -> Iterator[Misfit]:
    try:
        load_photo(photo)
    except MultiIDError as error:
        yield Misfit((*panel.location, "pose"), str(error))


def _read(source: str | Path) -> Template | str:
    """A template, or what is wrong with it."""
    try:
        return load_template(source)
    except TemplateError as error:
        return str(error)


def _check_template(panel: PanelPart, template: Template, nouns: Mapping[str, str]) -> Iterator[Misfit]:
    places = len(template.places)
    if len(panel.people) > places:
        yield Misfit(
            (*panel.location, "people"),
            f"expected at most {places}, one for each place of {template.name}, but got {len(panel.people)}: "
            + _fitting(panel, nouns, template.tags),
        )
    yield from _check_places(panel, places, f"the places of {template.name}")


def _check_row(panel: PanelPart, nouns: Mapping[str, str]) -> Iterator[Misfit]:
    people = len(panel.people)
    if people > MOST_IN_A_ROW:
        yield Misfit(
            (*panel.location, "people"),
            f"expected at most {MOST_IN_A_ROW} without a template, but got {people}: {_fitting(panel, nouns)}",
        )
    if panel.knows("people"):
        yield from _check_places(panel, people, f"the places of a row of {people}")


def _fitting(panel: PanelPart, nouns: Mapping[str, str], tags: tuple[str, ...] = ()) -> str:
    return propose_templates([nouns.get(entry.who, "") for entry in panel.people.values()], tags)


def _check_places(panel: PanelPart, places: int, what: str) -> Iterator[Misfit]:
    taken: dict[int, str] = {}
    for index, entry in panel.people.items():
        if entry.place is None:
            continue
        location = (*panel.location, "people", index, "place")
        if entry.place >= places:
            yield Misfit(location, f"expected 0 to {places - 1}, {what}, but got {entry.place}")
        elif entry.place in taken:
            other = taken[entry.place]
            yield Misfit(location, f"expected a place of their own, but {other} stands in {entry.place} too")
        taken.setdefault(entry.place, entry.who)
