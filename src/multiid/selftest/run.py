"""The selftest itself: makes its pictures, those that are not there yet, and looks who is seen in them."""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from multiid import __version__
from multiid.errors import OutputError, PromptError
from multiid.geometry import Box
from multiid.mini.demo.show import Sighting
from multiid.mini.figures.lab import UnmaskedComposer
from multiid.mini.figures.reading import faces_in_place
from multiid.people.faces import FaceAnalyzer
from multiid.people.identity import Identity
from multiid.pipeline.composer import Composer
from multiid.pipeline.scene import Scene
from multiid.selftest.sitters import Sitter, direction
from multiid.selftest.store import Kept, keep, recall
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
    kept: Kept | None
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
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot write {folder}: {error.strerror or error}.") from error
    composer = session.composer
    unmasked = UnmaskedComposer(composer.pipeline, composer.adapter, composer.faces, defaults=composer.defaults)
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
        made.append(_make(session, composer if task.way.masked else unmasked, task, scene, folder))
        if progress is not None:
            progress(len(made), len(tasks))
    return made


def _make(session: Session, composer: Composer, task: Task, scene: Scene, folder: Path) -> Made:
    stamp = _stamp(session, scene)
    kept = recall(folder / task.file, stamp=stamp)
    if kept is None:
        begin = time.perf_counter()
        try:
            picture = composer.compose(scene)
        except PromptError as error:  # the only layout with a limit
            return Made(task, None, (None,) * task.people, 0, unmade=str(error))
        seconds = time.perf_counter() - begin
        kept = keep(picture, folder / task.file, stamp=stamp, seconds=seconds, repeatable=task.way.masked)
    sightings, strangers = _look(session, kept, _face_boxes(composer, scene))
    return Made(task, kept, sightings, strangers)


def _face_boxes(composer: Composer, scene: Scene) -> list[Box | None]:
    """Where everybody's face should be."""
    stage = composer.stage(scene)
    places = stage.pose.places if stage.pose else ()
    return [place.skeleton.face_box(stage.size) for place in places]


def _look(session: Session, kept: Kept, places: Sequence[Box | None]) -> tuple[tuple[Sighting | None, ...], int]:
    """Who is seen at each place, and how many others are."""
    found = session.judge.analyze(kept.image)
    in_place = faces_in_place(places, found)
    sightings: list[Sighting | None] = []
    for face in in_place:
        if face is None or face.embedding is None:
            sightings.append(None)
            continue
        similarities = session.references @ direction([face], "somebody")
        sightings.append(Sighting(face.box, tuple(float(value) for value in similarities)))
    return tuple(sightings), len(found) - sum(face is not None for face in in_place)


def _stamp(session: Session, scene: Scene) -> str:
    """What a picture depends on: the models, versions, people, words and settings. Masks are in the file's name."""
    people: list[Identity] = [person.identity for person in scene.cast]
    told = [
        __version__,
        [version(name) for name in ("torch", "diffusers", "transformers")],
        session.models,
        [(person.name, person.noun, person.fingerprint) for person in people],
        [scene.prompt, scene.layout, scene.width, scene.height, scene.steps, scene.seed],
        repr(scene.pose),
        repr(session.composer.defaults),
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
