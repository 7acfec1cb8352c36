"""A story and the folder of its pictures and pages: what is there, what a run would make, and the run itself."""

import os
from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path

from multiid.errors import OutputError, StoryError
from multiid.pipeline.composer import Composer
from multiid.pipeline.presets import find_preset
from multiid.poses.openpose import OpenPoseReader
from multiid.story.board import draw_board
from multiid.story.changes import keep_manifest, reasons_to_make, redo_panels
from multiid.story.finish import require_room, write_board, write_story
from multiid.story.making import PanelProgress, make_panels, panel_numbers
from multiid.story.panels import stage_panels
from multiid.story.photo_poses import PhotoPoses
from multiid.story.plan import StoryPlan, plan_story
from multiid.story.reading import StoryDocument, load_story
from multiid.story.store import KeptPanel, Store

__all__ = ["StoryRun"]

_PRESET = "sdxl"  # as `multiid compose` takes


class StoryRun:
    """A story with the folder that its pictures and pages go to.

        run = StoryRun("story.yaml")
        run.make()
        files = run.write()

    Nothing is loaded before a picture has to be made. A run that was stopped goes on where it was, in this process or
    another one.

    Args:
        story: a script's file, or what `load_story` made of it.
        folder: where to write; beside the script, of its name, by default.
        preset: name or file of the models; those that the script names by default, or else "sdxl".

    Attributes:
        document: the story.
        folder: where its pictures and pages are.
        preset: makes the pictures.

    Raises:
        StoryError: with everything that is wrong with the script.
        PresetError: when there is no such preset.
        OutputError: when the folder cannot be one.
    """

    def __init__(
        self,
        story: StoryDocument | str | os.PathLike[str],
        folder: str | os.PathLike[str] | None = None,
        *,
        preset: str | None = None,
    ) -> None:
        self.document = story if isinstance(story, StoryDocument) else load_story(story)
        self.folder = _folder(self.document.file, folder)
        self.preset = find_preset(preset or self.document.preset or _PRESET)
        self._store = Store(self.folder)
        self._poses = PhotoPoses(self.folder / "poses", OpenPoseReader)

    @cached_property
    def plan(self) -> StoryPlan:
        """What there is to make, as the script and the seeds in the folder have it.

        Raises:
            StoryError: naming page and panel, when people, template and framing do not fit each other.
            OutputError: when what an earlier run wrote is damaged.
        """
        return plan_story(self.document, self.preset, photo_pose=self._poses, seeds=self._store.seeds())

    def numbers(self, chosen: Collection[str] = ()) -> tuple[str, ...]:
        """The panels that are meant: "3.2" is one of them, "3" all of a page; every panel if nothing is chosen.

        Raises:
            StoryError: when there is no such page or panel.
        """
        return panel_numbers(self.plan, chosen)

    def kept(self) -> dict[str, KeptPanel]:
        """What the folder holds of each panel, by its number, in reading order; without those still to be made."""
        found = {number: self._store.recall(panel.key) for number, panel in self.plan.panels.items()}
        return {number: kept for number, kept in found.items() if kept is not None}

    def picture_file(self, number: str) -> Path:
        """Where a panel's picture is, once it is made."""
        return self._store.picture_file(self.plan.panels[number].key)

    def reasons(self) -> dict[str, str]:
        """Why each panel whose picture is not there has to be made, by its number, in reading order."""
        return reasons_to_make(self.plan, self._store)

    def redo(self, chosen: Collection[str], *, seed: int | None = None) -> None:
        """Has panels made with another seed from now on, for as long as they show the same.

        Args:
            chosen: numbers of panels and pages; nothing happens if there are none.
            seed: for all of them; one that no attempt has had where None.

        Raises:
            StoryError: when there is no such page or panel.
            OutputError: when the folder cannot be written.
        """
        if chosen:
            redo_panels(self.plan, self._store, self.numbers(chosen), seed)
            del self.plan  # its seeds are no longer so

    def make(
        self,
        load: Callable[[], Composer] | None = None,
        *,
        only: Collection[str] = (),
        progress: PanelProgress | None = None,
    ) -> dict[str, KeptPanel]:
        """Makes the pictures that are not there, each checked, and writes the manifest.

        Args:
            load: gives a composer of the run's preset, called only if a picture has to be made; one that computes
                where it is best to by default.
            only: numbers of panels and pages to confine it to, with those that they follow.
            progress: told how far it is.

        Returns:
            What the folder then holds (see `kept`).

        Raises:
            StoryError: naming page and panel, when one cannot be made, or its words cannot fit it.
            OutputError: when the folder cannot be written.
            MultiIDError: what loading models and enrolling the cast raises.
        """
        if self.reasons():
            require_room(self.document.story, self.document.folder)
        kept = make_panels(self.plan, self._store, lambda: self._composer(load), only=only, progress=progress)
        keep_manifest(self.plan, self._store, kept)
        return kept

    def write(self) -> list[Path]:
        """Writes pages/, panels/, the PDF and the CBZ; panels that are not made yet are hatched fields.

        Returns:
            The files written.

        Raises:
            StoryError: when the words of a panel do not fit it.
            OutputError: when a file cannot be written.
        """
        return write_story(self.plan, self._store, self.kept())

    def write_board(self) -> tuple[list[Path], tuple[str, ...]]:
        """Writes the storyboard, board/ and board.pdf, which needs no pictures.

        Returns:
            The files written, and what is wrong with the words of pages, such as ones that do not fit.

        Raises:
            StoryError: naming page and panel, when people, template and framing do not fit each other.
            OutputError: when a file cannot be written.
        """
        story, defaults = self.document.story, self.preset.defaults
        panels = stage_panels(self.document, defaults=defaults, photo_pose=self._poses)
        sheets, faults = draw_board(story, panels, defaults=defaults, folder=self.document.folder)
        return write_board(sheets, self.folder, story=story), tuple(faults)

    def unused(self) -> list[Path]:
        """Files of pictures that no panel shows any more."""
        return self._store.unused({panel.key for panel in self.plan.panels.values()})

    def _composer(self, load: Callable[[], Composer] | None) -> Composer:
        if load is None:
            return Composer.from_preset(self.preset.name if self.preset.file is None else str(self.preset.file))
        composer = load()
        if composer.preset != self.preset.recorded:
            # Pictures are kept by the names of the models that made them.
            raise StoryError(
                f"Expected a composer of {self.preset.recorded}, the story's preset, but got one of "
                f"{composer.preset or 'models of your own'}: give their preset file to StoryRun."
            )
        return composer


def _folder(file: Path, given: str | os.PathLike[str] | None) -> Path:
    """The folder that the user names, or else one beside the script, of its name."""
    folder = file.with_suffix("") if given is None else Path(given)
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"Expected a folder to write into, but {folder} is a file: name another one.")
    return folder
