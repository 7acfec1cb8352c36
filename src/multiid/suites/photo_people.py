"""The groups of suites whose people come from photos: who is in each, in which words, and where they stand."""

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from multiid.errors import SuiteError
from multiid.mini.world.dice import Dice
from multiid.pipeline.judging import draws_cartoons
from multiid.pipeline.preset_record import Preset
from multiid.poses.row import make_row
from multiid.poses.skeleton import Pose
from multiid.poses.templates import load_template
from multiid.prompts import Subject, name_all
from multiid.suites.people import Group, Sitter
from multiid.suites.photos import Album, Entry, draw_album, read_album
from multiid.suites.suite import Case, Suite
from multiid.suites.turns import every_group, prompt_turn, random_group

__all__ = ["STAND_INS", "PhotoPeople", "gather_photo_people", "stand_in_preset"]

STAND_INS = "Portraits of the miniature stood in for photos: the figures are not comparable with published ones."
"""What the report says where there were no photos."""

_SHOWN = 5  # names in a note
# Grown-ups, since photos may show anybody; always the same, so that figures can be compared while the library grows.
_TEMPLATES = ("couple-selfie", "couple-standing", "friends-six", "single-portrait", "team-eight")


def stand_in_preset(suite: Suite, photos: str | Path | None) -> str:
    """The preset that makes a suite's pictures unless another is asked for: "mini" where portraits stand in."""
    return "mini" if suite.people == "photos" and photos is None else suite.preset


def gather_photo_people(suite: Suite, preset: Preset, photos: str | Path | None) -> "PhotoPeople":
    """The people of a suite that wants photos.

    Args:
        suite: what is made of them.
        preset: makes the pictures.
        photos: the folder (see `read_album`); portraits of the miniature's world stand in where there is none.

    Raises:
        SuiteError: when the folder is laid out otherwise, has too few people for a case, or is missing while the
            preset is for real people.
        PhotoError: when somebody has no photo, or one cannot be used.
    """
    if photos is None and not draws_cartoons(preset):
        raise SuiteError(
            f"Expected a folder of people's photos (--photos FOLDER), which the preset {preset.name} needs, but got "
            "none: without one, the preset mini takes portraits of its own world."
        )
    return PhotoPeople(suite, draw_album() if photos is None else read_album(photos))


class PhotoPeople:
    """The people of an album as a suite's groups (see `people.People`).

    Args:
        suite: says how many photos are given and kept.
        album: the people.

    Raises:
        SuiteError: when there are too few people for a case.
    """

    def __init__(self, suite: Suite, album: Album) -> None:
        for case in suite.cases:
            if case.people > len(album.entries):
                raise SuiteError(
                    f"Expected photos of at least {case.people} people for the case {case.name}, but got those of "
                    f"{len(album.entries)}: add people, or take the case out of a copy of the suite."
                )
        self.suite, self.album = suite, album
        self._given = max(setting.photos for setting in suite.settings)

    @property
    def stamp(self) -> str:
        """Tells these people from others: pictures of others must be made anew."""
        return self.album.digest

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the report must know of the photos."""
        notes = [STAND_INS] if self.album.drawn else []
        if not self.suite.kept:
            return (
                *notes,
                "Faces are compared with the very photos that the generator got, as the protocol has it.",
            )
        single = [entry.name for entry in self.album.entries if len(entry.photos) == 1]
        if single:
            notes.append(
                f"One photo had to do for both, the generator and the comparison, which overstates likeness: "
                f"{_some(single)}."
            )
        wanted = self._given + self.suite.kept
        few = [entry.name for entry in self.album.entries if 1 < len(entry.photos) < wanted]
        if few:
            notes.append(
                f"Fewer photos than the suite asks for, {self._given} for the generator and {self.suite.kept} for the "
                f"comparison: {_some(few)}."
            )
        return tuple(notes)

    def group(self, case: Case, index: int) -> Group:
        """The group of that number: the same numbers give the same one.

        Raises:
            PhotoError: when a photo has gone, or is none any more.
        """
        entries = self._entries(case, index)
        company = name_all([Subject(entry.name, entry.noun) for entry in entries])
        return Group(
            people=tuple(self._sitter(entry) for entry in entries),
            prompt=self._prompt(case, index).replace("{people}", company),
            pose=self._pose(case, index),
            seed=index,
        )

    def _entries(self, case: Case, index: int) -> list[Entry]:
        """From left to right."""
        choose = every_group if case.kind == "every" else random_group
        return [self.album.entries[i] for i in choose(index, size=case.people, people=len(self.album.entries))]

    def _sitter(self, entry: Entry) -> Sitter:
        given, kept = entry.split(given=self._given, kept=self.suite.kept)
        return Sitter(entry.name, entry.noun, given, kept)

    def _prompt(self, case: Case, index: int) -> str:
        groups = math.comb(len(self.album.entries), case.people) if case.kind == "every" else None
        return case.prompts[prompt_turn(index, prompts=len(case.prompts), groups=groups)]

    def _pose(self, case: Case, index: int) -> Pose:
        if case.template is not None:
            return load_template(case.template).pose()
        return Dice(f"pose of {case.name}", index).pick(_poses(case.people))


@cache
def _poses(people: int) -> tuple[Pose, ...]:
    """A row, and those of `_TEMPLATES` for exactly so many."""
    poses = [load_template(name).pose() for name in _TEMPLATES]
    return (make_row(people), *(pose for pose in poses if len(pose.places) == people))


def _some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
