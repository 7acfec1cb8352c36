"""The selftest itself: makes its pictures, those that are not there yet, and looks who is seen in them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from multiid import __version__
from multiid.errors import PromptError
from multiid.geometry import Box
from multiid.mini.demo.show import Sighting, look
from multiid.people.faces import FaceAnalyzer
from multiid.people.identity import Identity
from multiid.pipeline.composer import Composer
from multiid.pipeline.kept import KeptPicture, keep_picture, make_folder, recall_picture, stamp_of
from multiid.pipeline.scene import Scene
from multiid.selftest.sitters import Sitter
from multiid.selftest.tasks import Task, make_scene, plan_tasks

__all__ = ["Made", "Progress", "Session", "run_session"]

Progress = Callable[[int, int], None]
"""Called with the pictures done and all there are."""


@dataclass(frozen=True, eq=False)
class Made:
    """One picture, and who is seen in it.

    Attributes:
        task: what was to be made.
        kept: the picture; None where it cannot be made.
        sightings: who is seen at each person's place, from left to right; None where no face was found.
        strangers: how many faces were found that are at nobody's place.
        unmade: why it cannot be made: the people do not fit into the prompt.
    """

    task: Task
    kept: KeptPicture | None
    sightings: tuple[Sighting | None, ...]
    strangers: int
    unmade: str | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Session:
    """What a selftest is made with.

    Attributes:
        composer: of the preset.
        models: names the models and how they are computed, so that pictures of others are not taken for theirs.
        sitters: the people.
        references: what the judge makes of each of them.
        judge: finds and recognises faces.
        photographic: whether photos are asked for, and not the miniature's cartoons.
        seeds: pictures of each kind.
        steps: denoising steps, in place of the preset's.
    """

    composer: Composer
    models: tuple[str, ...]
    sitters: Sequence[Sitter]
    references: Float64[np.ndarray, "people channels"]
    judge: FaceAnalyzer
    photographic: bool
    seeds: int
    steps: int | None


def run_session(session: Session, folder: Path, *, progress: Progress | None = None) -> list[Made]:
    """Makes every picture that `folder` does not hold yet, and reads all of them.

    Each picture is written as soon as it is made.

    Args:
        session: what to make them with.
        folder: of the pictures; made where it is absent.
        progress: called after each picture.

    Raises:
        OutputError: when the folder cannot be written.
        MultiIDError: what making identities and pictures raises.
    """
    make_folder(folder)
    composer = session.composer
    identities = [composer.identity(sitter.name, sitter.noun, list(sitter.given)) for sitter in session.sitters]
    tasks = plan_tasks(len(identities), seeds=session.seeds)
    made: list[Made] = []
    for task in tasks:
        scene = make_scene(
            task,
            identities,
            defaults=composer.defaults,
            photographic=session.photographic,
            steps=session.steps,
        )
        made.append(_make(session, composer, task, scene, folder))
        if progress is not None:
            progress(len(made), len(tasks))
    return made


def _make(session: Session, composer: Composer, task: Task, scene: Scene, folder: Path) -> Made:
    stamp = _stamp(session, scene)
    kept = recall_picture(folder / task.file, stamp=stamp)
    if kept is None:
        begin = time.perf_counter()
        try:
            picture = composer.compose(scene)
        except PromptError as error:  # the only layout with a limit
            return Made(task, None, (None,) * task.people, 0, unmade=str(error))
        seconds = time.perf_counter() - begin
        keep_picture(picture, folder / task.file, stamp=stamp, seconds=seconds)
        kept = KeptPicture(picture.image, seconds)
    found = session.judge.analyze(kept.image)
    sightings = look(found, _face_boxes(composer, scene), session.references)
    return Made(task, kept, sightings, strangers=len(found) - sum(seen is not None for seen in sightings))


def _face_boxes(composer: Composer, scene: Scene) -> list[Box | None]:
    """Where everybody's face should be."""
    stage = composer.stage(scene)
    places = stage.pose.places if stage.pose else ()
    return [place.skeleton.face_box(stage.size) for place in places]


def _stamp(session: Session, scene: Scene) -> str:
    """What a picture depends on: the models, versions, people, words and settings. Masks are in the file's name."""
    people: list[Identity] = [person.identity for person in scene.cast]
    return stamp_of(
        __version__,
        [version(name) for name in ("torch", "diffusers", "transformers")],
        session.models,
        [(person.name, person.noun, person.fingerprint) for person in people],
        [scene.prompt, scene.layout, scene.width, scene.height, scene.steps, scene.seed],
        repr(scene.pose),
        repr(session.composer.defaults),
    )
