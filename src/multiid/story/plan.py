"""What is to be made of a story: each panel with its seed, its anchors and a key that tells all it depends on."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from multiid.people.identity import Identity
from multiid.pipeline.anchor import Anchor
from multiid.pipeline.kept import made_with, stamp_of
from multiid.pipeline.preset_record import Preset
from multiid.pipeline.scene import Lora, Person, Scene
from multiid.pipeline.scene_file import source_beside
from multiid.story.panels import PhotoPose, StagedPanel, stage_panels
from multiid.story.reading import StoryDocument
from multiid.story.script import Story

__all__ = ["PlannedPanel", "StoryPlan", "plan_story"]

_DIGITS = 20  # of a key; enough for as many pictures as any disk holds
_SEED_DIGITS = 8


@dataclass(frozen=True)
class PlannedPanel:
    """A panel that is to be made.

    Attributes:
        staged: its people in their places.
        settings: further arguments of its scene.
        seed: of its first attempt.
        anchors: for those who follow one, the number of the panel in which they are recorded.
        consistency: how strongly they follow it.
        shown: tells what the panel shows, whatever its seed and anchors.
        key: tells all that its picture depends on.
    """

    staged: StagedPanel
    settings: Mapping[str, Any]
    seed: int
    anchors: Mapping[str, str]
    consistency: float
    shown: str
    key: str

    @property
    def number(self) -> str:
        """Page and panel, such as "3.2"."""
        return self.staged.number

    def scene(self, identities: Mapping[str, Identity], anchors: Mapping[str, Anchor]) -> Scene:
        """The panel as a scene.

        Args:
            identities: of the cast, by name.
            anchors: of those who follow one, by name.
        """
        people = [
            Person(
                identities[role.name],
                role.phrase,
                role.strength,
                place=role.place,
                anchor=anchors.get(role.name),
                consistency=self.consistency,
            )
            for role in self.staged.roles
        ]
        width, height = self.staged.size
        return Scene(
            self.staged.prompt,
            people,
            pose=self.staged.pose,
            width=width,
            height=height,
            seed=self.seed,
            **self.settings,
        )


@dataclass(frozen=True)
class StoryPlan:
    """What is to be made.

    Attributes:
        document: the story.
        preset: makes the pictures.
        panels: every panel by its number, in reading order.
        order: the numbers in the order in which panels are made: whoever is recorded for others, before them.
    """

    document: StoryDocument
    preset: Preset
    panels: Mapping[str, PlannedPanel]
    order: tuple[str, ...]

    def followers(self, number: str) -> tuple[str, ...]:
        """The panels that are made again when this one is: they have somebody follow it, or follow such a panel."""
        found = {number}
        for other in self.order:
            if found & set(self.panels[other].anchors.values()):
                found.add(other)
        return tuple(other for other in self.panels if other in found and other != number)

    def recorded(self, number: str) -> tuple[str, ...]:
        """Names of those whom other panels follow in this one."""
        names = {name for panel in self.panels.values() for name, anchor in panel.anchors.items() if anchor == number}
        return tuple(sorted(names))


def plan_story(
    document: StoryDocument, preset: Preset, *, photo_pose: PhotoPose, seeds: Mapping[str, int] | None = None
) -> StoryPlan:
    """Plans all panels of a story; loads no model.

    Args:
        document: the story.
        preset: makes the pictures.
        photo_pose: reads poses from photos.
        seeds: for panels that were made again with another seed: that seed, by what they show.

    Raises:
        StoryError: naming page and panel, when people, template and framing do not fit each other.
    """
    story = document.story
    staged = {panel.number: panel for panel in stage_panels(document, defaults=preset.defaults, photo_pose=photo_pose)}
    anchors = _anchors(story, staged)
    first = {number for by_name in anchors.values() for number in by_name.values()}
    order = sorted(staged, key=lambda number: (number not in first, list(staged).index(number)))
    settings = _settings(document)
    sources = {name: _source(document, name) for name in story.cast}
    made = made_with(preset)
    planned: dict[str, PlannedPanel] = {}
    for number in order:
        panel = staged[number]
        shown = _short(
            made,
            {**settings, "loras": [vars(lora) for lora in settings["loras"]]},
            panel.prompt,
            panel.size,
            panel.pose,
            [(asdict(replace(role, reason="")), sources[role.name]) for role in panel.roles],
            panel.panel.seed,
            story.style.attempts,
            story.style.refine,
        )
        seed = (seeds or {}).get(shown, panel.panel.seed)
        # Only who is recorded in a panel that is made before can be followed.
        followed = {name: anchor for name, anchor in anchors[number].items() if anchor in planned}
        key = _short(
            shown,
            seed,
            {name: planned[anchor].key for name, anchor in followed.items()},
            story.style.consistency if followed else None,
        )
        planned[number] = PlannedPanel(
            staged=panel,
            settings=settings,
            seed=int(shown[:_SEED_DIGITS], 16) if seed is None else seed,
            anchors=followed,
            consistency=story.style.consistency,
            shown=shown,
            key=key,
        )
    return StoryPlan(document, preset, {number: planned[number] for number in staged}, tuple(order))


def _settings(document: StoryDocument) -> dict[str, Any]:
    """What holds for every panel, as arguments of `Scene`."""
    style = document.story.style
    entries: Sequence[Any] = style.loras
    loras = tuple(Lora(source_beside(document.file, lora.source), lora.weight, lora.file) for lora in entries)
    negative = {} if style.negative is None else {"negative_prompt": style.negative}
    return {**style.scene, **negative, "loras": loras}


def _anchors(story: Story, staged: Mapping[str, StagedPanel]) -> dict[str, dict[str, str]]:
    """For each panel whom of it follows which other panel.

    Somebody follows the panel that the cast names, or else the first in which they wear their standing look and more
    than head and shoulders are seen. Who wears something else follows nobody.
    """
    followed: dict[str, dict[str, str]] = {number: {} for number in staged}
    if story.style.consistency == 0:
        return followed
    for name, character in story.cast.items():
        usual = [
            number
            for number, panel in staged.items()
            if any(entry.who == name and entry.look is None for entry in panel.panel.people)
        ]
        whole = [number for number in usual if staged[number].panel.framing != "close-up"]
        anchor = character.anchor or next(iter(whole or usual), None)
        for number in usual:
            if anchor is not None and number != anchor:
                followed[number][name] = anchor
    return followed


def _source(document: StoryDocument, name: str) -> str:
    """Tells a character's photos, or their identity, from others."""
    identity = document.identities.get(name)
    if identity is not None:
        return identity.fingerprint
    digest = hashlib.sha256()
    for photo in document.photos[name]:
        digest.update(repr(photo.image.size).encode() + photo.image.tobytes())
    return digest.hexdigest()


def _short(*told: Any) -> str:
    return stamp_of(*told)[:_DIGITS]
