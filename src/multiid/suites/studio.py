"""Where one picture of a suite after the other is made and read: models, and what a group's pictures share."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from multiid.errors import PromptError
from multiid.evaluation.likeness import read_reference
from multiid.geometry import Box, Size
from multiid.people.identity import Identity
from multiid.pipeline.kept import KeptPicture, keep_picture, make_folder, recall_picture
from multiid.pipeline.result import Picture
from multiid.pipeline.scene import Person, Scene
from multiid.prompts import Subject, bind
from multiid.suites.people import Group
from multiid.suites.plan import Plan
from multiid.suites.reading import Reading, keep_reading
from multiid.suites.suite import Case, Setting
from multiid.suites.tasks import Task

__all__ = ["Studio"]


@dataclass(eq=False)
class _Sitting:
    """A group that is being worked on, and what all its pictures need; identities by their number of photos."""

    case: Case
    index: int
    group: Group
    references: Float64[np.ndarray, "people channels"]
    identities: dict[int, tuple[Identity, ...]] = field(default_factory=dict[int, tuple[Identity, ...]])


class Studio:
    """Makes and reads the pictures of a plan's tasks, and writes each as soon as it is made.

    Args:
        plan: says with what.
        folder: where pictures go.

    Raises:
        MultiIDError: when the models cannot be had.
    """

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.composer, self.judge, self.encoders = plan.composer(), plan.judge(), plan.encoders()
        self._sitting: _Sitting | None = None

    def __call__(self, task: Task) -> Reading:
        """What is seen in a task's picture, which is made first unless it is there.

        Raises:
            OutputError: when it cannot be written.
            MultiIDError: what making the group, its identities and its picture raises.
        """
        file = self.folder / task.file
        make_folder(file.parent)
        sitting = self._sit(task)
        stamp = self.plan.picture_stamp(task)
        kept, unmade = recall_picture(file, stamp=stamp), None
        if kept is None:
            try:
                kept = self._make(sitting, task.setting, file, stamp)
            except PromptError as error:  # one layout takes only so many people
                unmade = str(error)
        reading = self._read(sitting, kept, unmade)
        keep_reading(reading, file, stamp=self.plan.reading_stamp(task))
        return reading

    def _sit(self, task: Task) -> _Sitting:
        """The task's group: the last one's, if it is the same."""
        last = self._sitting
        if last is None or (last.case, last.index) != (task.case, task.index):
            group = self.plan.people.group(task.case, task.index)
            found = [read_reference(sitter.kept, self.judge) for sitter in group.people]
            channels = next((len(direction) for direction in found if direction is not None), 1)
            unknown = np.full(channels, np.nan)
            references = np.stack([unknown if direction is None else direction for direction in found])
            last = self._sitting = _Sitting(task.case, task.index, group, references)
        return last

    def _make(self, sitting: _Sitting, setting: Setting, file: Path, stamp: str) -> KeptPicture:
        if setting.truth and sitting.group.truth is not None:
            begin = time.perf_counter()
            picture = image = sitting.group.truth().picture
            tries = 1
        else:
            scene = self._scene(sitting, setting)
            begin = time.perf_counter()  # people are encoded once for all settings
            picture = self._compose(scene, setting)
            image, tries = picture.image, len(picture.verification.attempts) if picture.verification else 1
        kept = KeptPicture(image, time.perf_counter() - begin, tries)
        keep_picture(picture, file, stamp=stamp, seconds=kept.seconds, tries=tries)
        return kept

    def _compose(self, scene: Scene, setting: Setting) -> Picture:
        if setting.attempts is None:
            return self.composer.compose(scene)
        judge = self.composer.faces or self.judge
        return self.composer.compose(scene, verify=True, attempts=setting.attempts, judge=judge)

    def _scene(self, sitting: _Sitting, setting: Setting) -> Scene:
        group = sitting.group
        if setting.photos not in sitting.identities:
            sitting.identities[setting.photos] = tuple(
                self.composer.identity(sitter.name, sitter.noun, list(sitter.given[: setting.photos]))
                for sitter in group.people
            )
        people = [
            Person(identity, phrase=sitter.phrase, strength=setting.strength)
            for identity, sitter in zip(sitting.identities[setting.photos], group.people, strict=True)
        ]
        given: dict[str, Any] = {"pose": group.pose, "seed": group.seed}
        if group.size is not None:
            given |= {"width": group.size.width, "height": group.size.height}
        return Scene(group.prompt, people, **{**given, **setting.scene})

    def _read(self, sitting: _Sitting, kept: KeptPicture | None, unmade: str | None) -> Reading:
        group = sitting.group
        values: dict[str, float] = {}
        places: list[Box | None] = [None] * len(group.people)
        if kept is not None:
            size = Size(*kept.image.size)
            standing = group.pose.fitted(size).places[: len(group.people)]
            places = [place.skeleton.face_box(size) for place in standing]
            subjects = [Subject(sitter.name, sitter.noun, sitter.phrase) for sitter in group.people]
            values = self.encoders.measure(
                kept.image,
                text=bind(group.prompt, subjects, phrases=True).text,
                photos=[photo for sitter in group.people for photo in sitter.kept],
                truth=group.truth,
            )
        return Reading(
            names=tuple(sitter.name for sitter in group.people),
            references=sitting.references,
            places=tuple(places),
            wanted=len(group.pose.places),
            faces=() if kept is None else tuple(self.judge.analyze(kept.image)),
            seed=group.seed,
            seconds=0.0 if kept is None else kept.seconds,
            tries=1 if kept is None else kept.tries,
            values=values,
            unmade=unmade,
        )
