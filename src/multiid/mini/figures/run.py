"""The whole measurement: which trials, in how many processes, and what is kept."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from multiid import __version__
from multiid.jobs import run_jobs
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.judges import PlaceJudge, train_place_judge
from multiid.mini.figures.lab import Lab, Variant
from multiid.mini.figures.measured import Measured, keep_measured, read_measured
from multiid.mini.figures.trials import KINDS, Kind, Trial, make_trial
from multiid.mini.pack import ADAPTER_FILE, FACES_FOLDER
from multiid.pipeline.composer import Composer
from multiid.pipeline.kept import make_folder, stamp_of, weights_digest
from multiid.pipeline.presets import find_preset
from multiid.pipeline.quiet import quiet_composer

__all__ = ["COUNTS", "Plan", "Progress", "Task", "make_composer", "make_faces", "measure_all", "plan_tasks"]

COUNTS = (1, 2, 3, 4, 6, 8)
"""How many people there are in the scenes that are measured, unless said otherwise."""

Progress = Callable[[int, int], None]
"""Called with the scenes done and all there are."""

_HARD_COUNT = 4  # people in the overlapping, look-alike, exchange and few-steps scenes


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        weights: folder of a miniature that `multiid mini pack` wrote; the package's own if None.
        scenes: for each kind and count.
        unmasked: how many of them are made without masks as well.
        counts: of people.
        steps: denoising steps.
        shown: how many scenes of each kind and count are kept to be looked at.
        gallery: how many people the recogniser must tell apart on portraits.
    """

    weights: Path | None = None
    scenes: int = 200
    unmasked: int = 200
    counts: tuple[int, ...] = COUNTS
    steps: int = 8
    shown: int = 8
    gallery: int = 300


@dataclass(frozen=True)
class Task:
    """One trial and how its pictures are made."""

    kind: Kind
    count: int
    index: int
    variants: tuple[Variant, ...]
    keep: bool

    @property
    def trial(self) -> Trial:
        """The trial, made anew."""
        return make_trial(self.kind, self.count, self.index)

    @property
    def ways(self) -> tuple[str, ...]:
        """Every way in which the scene is read."""
        return ("true", "round trip", *self.variants)

    @property
    def file(self) -> Path:
        """Where what comes of it is kept, within the folder of all."""
        return Path(f"{self.kind}-{self.count}") / f"{self.index:05}.safetensors"


def plan_tasks(plan: Plan) -> list[Task]:
    """Every trial of a plan. Random scenes of four are also made in many steps, half of them with one exchanged."""
    tasks: list[Task] = []
    for kind in KINDS:
        for count in plan.counts if kind == "random" else sorted({_HARD_COUNT} & set(plan.counts)):
            for index in range(plan.scenes):
                variants: list[Variant] = ["masks on"]
                if count > 1 and index < plan.unmasked:
                    variants.append("masks off")
                if kind == "random" and count == _HARD_COUNT:
                    variants.append("many steps")
                    if index % 2 == 0:
                        variants.append("exchanged")
                tasks.append(Task(kind, count, index, tuple(variants), index < plan.shown))
    return tasks


def measure_all(plan: Plan, folder: Path, *, jobs: int, progress: Progress | None = None) -> list[Measured]:
    """Measures every trial of a plan that `folder` does not hold yet, and gives all of them in the plan's order.

    Each trial is kept as soon as it is measured, so that a stopped run goes on where it was; with other weights or
    steps, or by another version of this package, everything is measured again.

    Args:
        plan: what to measure.
        folder: of what is kept; made where it is absent.
        jobs: processes, each with one thread, which together are faster than one with as many threads; 1 measures in
            this process.
        progress: called after each scene.

    Raises:
        OutputError: when the folder cannot be written.
        ModelFileError: when weights are absent or damaged.
    """
    tasks = plan_tasks(plan)
    stamp = _stamp(plan)
    results: dict[int, Measured] = {}
    for number, task in enumerate(tasks):
        make_folder(folder / task.file.parent)
        kept = read_measured(folder / task.file, task.trial, stamp=stamp, ways=task.ways, pictures=task.keep)
        if kept is not None:
            results[number] = kept
    if progress is not None:
        progress(len(results), len(tasks))
    missing = [number for number in range(len(tasks)) if number not in results]
    for number, result in _measured(plan, [tasks[number] for number in missing], jobs):
        keep_measured(result, folder / tasks[missing[number]].file, stamp=stamp)
        results[missing[number]] = result
        if progress is not None:
            progress(len(results), len(tasks))
    return [results[number] for number in range(len(tasks))]


def _measured(plan: Plan, tasks: Sequence[Task], jobs: int) -> Iterator[tuple[int, Measured]]:
    """What comes of tasks, with their numbers, as it comes."""
    if not tasks:
        return
    start = partial(_make_lab, plan, train_place_judge())
    yield from run_jobs(start, [[task] for task in tasks], jobs=jobs, threads=None if jobs == 1 else 1)


def _make_lab(plan: Plan, judge: PlaceJudge) -> Callable[[Task], Measured]:
    faces = make_faces(plan)
    lab = Lab(make_composer(plan, faces), steps=plan.steps, judge=judge, faces=faces)
    return partial(_measure, lab)


def _measure(lab: Lab, task: Task) -> Measured:
    return lab.measure(task.trial, task.variants, keep=task.keep)


def make_faces(plan: Plan) -> MiniFaces:
    """Who finds and reads faces, on the plan's weights."""
    return MiniFaces(plan.weights / FACES_FOLDER if plan.weights else None)


def make_composer(plan: Plan, faces: MiniFaces) -> Composer:
    """The preset's composer on the processor, on the plan's weights, without bars of its own."""
    folder = plan.weights
    if folder is None:
        return quiet_composer("mini", device="cpu")
    return quiet_composer(
        "mini",
        device="cpu",
        base=str(folder),
        controlnet=str(folder / "controlnet"),
        adapter=str(folder / ADAPTER_FILE),
        faces=faces,
    )


def _stamp(plan: Plan) -> str:
    """What the figures depend on: the weights, the steps and the version of this package."""
    base = find_preset("mini").base
    folder = plan.weights or Path(base.source if base else "")
    return stamp_of(__version__, plan.steps, weights_digest(folder))
