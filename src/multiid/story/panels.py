"""A panel before any picture: how large it is composed, how people stand in it, and who takes which place."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from multiid.errors import MultiIDError, StoryError
from multiid.geometry import Box, Size
from multiid.pipeline.casting import cast_people
from multiid.pipeline.preset_record import Defaults
from multiid.pipeline.scene_file import template_beside
from multiid.poses.row import MOST_IN_A_ROW, make_row
from multiid.poses.skeleton import Pose
from multiid.poses.templates import load_template
from multiid.poses.variants import reframed
from multiid.story.layout import lay_out, picture_size
from multiid.story.reading import StoryDocument
from multiid.story.script import Appearance, Panel, Story
from multiid.story.seen import Seen, SeenFace

__all__ = ["PhotoPose", "Role", "StagedPanel", "expected_faces", "panel_in_words", "stage_panels"]

_SIDE_MULTIPLE = 8  # pixels per latent

PhotoPose = Callable[[Path], Pose]
"""Reads how the people in a photo stand."""


@dataclass(frozen=True)
class Role:
    """Somebody in a panel.

    Attributes:
        name: of the cast.
        noun: their class noun.
        phrase: look and what else holds for them here.
        strength: of their identity.
        place: index of their place in the panel's pose.
        reason: why they stand there.
    """

    name: str
    noun: str
    phrase: str
    strength: float
    place: int
    reason: str


@dataclass(frozen=True)
class StagedPanel:
    """A panel with its people in their places.

    Attributes:
        number: page and panel, such as "3.2".
        panel: what the script says.
        prompt: its words with those of the story's style.
        size: of its picture, in pixels.
        pose: the skeletons on a canvas of that size; None in a view without people.
        roles: who is in it, in the script's order.
    """

    number: str
    panel: Panel
    prompt: str
    size: Size
    pose: Pose | None
    roles: tuple[Role, ...]


def stage_panels(document: StoryDocument, *, defaults: Defaults, photo_pose: PhotoPose) -> tuple[StagedPanel, ...]:
    """Every panel of a story, in reading order, with its people in their places.

    Args:
        document: the story.
        defaults: of the preset, which say how large its pictures are.
        photo_pose: reads poses from photos.

    Raises:
        StoryError: naming page and panel, when people, template and framing do not fit each other.
    """
    story = document.story
    boxes: list[Box] = []
    for number, page in enumerate(story.pages, 1):
        sheet = lay_out(page, story.paper, where=f"page {number}")
        boxes += [sheet.inside(index) for index in range(len(sheet.panels))]
    staged: list[StagedPanel] = []
    for (number, panel), box in zip(story.panels.items(), boxes, strict=True):
        try:
            staged.append(_stage(document, number, panel, box, defaults, photo_pose))
        except MultiIDError as error:
            raise StoryError(f"{panel_in_words(number)}: {error}") from error
    return tuple(staged)


def panel_in_words(number: str) -> str:
    """A panel for people: "3.2" is "page 3, panel 2"."""
    page, _, index = number.partition(".")
    return f"page {page}, panel {index}"


def expected_faces(panel: StagedPanel) -> Seen:
    """Where the faces of a panel are meant to be."""
    if panel.pose is None:
        return Seen(panel.size)
    boxes = [place.skeleton.head_box(panel.size) for place in panel.pose.places]
    placed = {role.name: boxes[role.place] for role in panel.roles}
    taken = {role.place for role in panel.roles}
    return Seen(
        panel.size,
        {name: SeenFace.of(box) for name, box in placed.items() if box is not None},
        tuple(box for index, box in enumerate(boxes) if index not in taken and box is not None),
    )


def _stage(
    document: StoryDocument, number: str, panel: Panel, box: Box, defaults: Defaults, photo_pose: PhotoPose
) -> StagedPanel:
    story = document.story
    pose = _pose(panel, document.folder, photo_pose)
    area = defaults.size.width * defaults.size.height
    if defaults.area is not None:
        area = defaults.area.area(len(pose.places) if pose else 0)
    size = picture_size(box, area=area, multiple=_SIDE_MULTIPLE)
    prompt = ", ".join(filter(None, (panel.prompt, story.style.prompt)))
    if pose is None:
        return StagedPanel(number, panel, prompt, size, None, ())
    nouns = {entry.who: document.noun(entry.who) for entry in panel.people}
    casting = cast_people([(entry.who, nouns[entry.who], entry.place) for entry in panel.people], pose, how="roles")
    framed = reframed(pose, size=size, framing=panel.framing, places=casting.places)
    roles = [
        Role(
            name=entry.who,
            noun=nouns[entry.who],
            phrase=_phrase(entry, story),
            strength=story.cast[entry.who].strength if entry.strength is None else entry.strength,
            place=framed.kept.index(place),
            reason=reason,
        )
        for entry, place, reason in zip(panel.people, casting.places, casting.reasons, strict=True)
    ]
    return StagedPanel(number, panel, prompt, size, framed.pose, tuple(roles))


def _pose(panel: Panel, folder: Path, photo_pose: PhotoPose) -> Pose | None:
    if panel.template is not None:
        template = load_template(template_beside(folder / "story.yaml", panel.template) or "")
        return template.pose(beyond=panel.framing == "full")
    if panel.pose is not None:
        return photo_pose(folder / panel.pose)
    if len(panel.people) > MOST_IN_A_ROW:
        raise StoryError(f"template: expected one for {len(panel.people)} people; a row takes at most {MOST_IN_A_ROW}.")
    return make_row(len(panel.people)) if panel.people else None


def _phrase(entry: Appearance, story: Story) -> str:
    look = story.cast[entry.who].look if entry.look is None else entry.look
    return ", ".join(filter(None, (look, entry.phrase)))
