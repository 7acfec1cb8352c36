"""The whole measurement: which trials, in how many processes, and what is kept."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import ClassVar

import cv2
import torch

from multiid.mini.faces import MiniFaces
from multiid.mini.figures.judges import PlaceJudge, train_place_judge
from multiid.mini.figures.lab import FEW_STEPS, Lab, Measured, Variant, trial_scene
from multiid.mini.figures.trials import KINDS, Kind, make_trial
from multiid.pipeline.composer import Composer

__all__ = ["COUNTS", "Plan", "Progress", "Task", "measure_all", "measure_speed", "plan_tasks"]

COUNTS = (1, 2, 3, 4, 6, 8)
"""How many people there are in the scenes that are measured, unless said otherwise."""

Progress = Callable[[int, int], None]
"""Called with the scenes done and all there are."""

_HARD_COUNT = 4  # people in the overlapping, look-alike, exchange and few-steps scenes
_REPEATS = 3  # of a timed picture


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        preset: whose pictures.
        scenes: for each kind and count.
        counts: of people.
        steps: denoising steps.
        shown: how many scenes of each kind and count are kept to be looked at.
    """

    preset: str = "mini"
    scenes: int = 200
    counts: tuple[int, ...] = COUNTS
    steps: int = 20
    shown: int = 8


@dataclass(frozen=True)
class Task:
    """One trial and how its pictures are made."""

    kind: Kind
    count: int
    index: int
    variants: tuple[Variant, ...]
    keep: bool


def plan_tasks(plan: Plan) -> list[Task]:
    """Every trial of a plan. Half of the scenes of four also have one person exchanged, and are made in few steps."""
    tasks: list[Task] = []
    for kind in KINDS:
        for count in plan.counts if kind == "random" else {_HARD_COUNT} & set(plan.counts):
            for index in range(plan.scenes):
                variants: list[Variant] = ["masks on"]
                if count > 1:
                    variants.append("masks off")
                if kind == "random" and count == _HARD_COUNT:
                    variants.append("few steps")
                    if index % 2 == 0:
                        variants.append("exchanged")
                tasks.append(Task(kind, count, index, tuple(variants), index < plan.shown))
    return tasks


def measure_all(plan: Plan, *, workers: int, progress: Progress | None = None) -> list[Measured]:
    """Measures every trial of a plan, in its order.

    Args:
        plan: what to measure.
        workers: processes, each with one thread; 1 measures in this one.
        progress: called after each scene.
    """
    tasks = plan_tasks(plan)
    judge = train_place_judge()
    results: dict[int, Measured] = {}
    for number, result in _done(plan, tasks, judge, workers):
        results[number] = result
        if progress is not None:
            progress(len(results), len(tasks))
    return [results[number] for number in range(len(tasks))]


def _done(plan: Plan, tasks: Sequence[Task], judge: PlaceJudge, workers: int) -> Iterator[tuple[int, Measured]]:
    """Results with the numbers of their tasks, as they come."""
    if workers == 1:
        lab = _make_lab(plan, judge)
        yield from ((number, _measure(lab, task)) for number, task in enumerate(tasks))
        return
    # Not forked: a fork of a process whose threads compute may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(plan, judge)) as pool:
        numbers = {pool.submit(_measure_here, task): number for number, task in enumerate(tasks)}
        try:
            for future in as_completed(numbers):
                yield numbers[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _make_lab(plan: Plan, judge: PlaceJudge) -> Lab:
    return Lab(Composer.from_preset(plan.preset), steps=plan.steps, judge=judge, faces=MiniFaces())


def _measure(lab: Lab, task: Task) -> Measured:
    return lab.measure(make_trial(task.kind, task.count, task.index), task.variants, keep=task.keep)


class _Process:
    """What a process that measures keeps from scene to scene."""

    lab: ClassVar[Lab]


def _start(plan: Plan, judge: PlaceJudge) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    _Process.lab = _make_lab(plan, judge)


def _measure_here(task: Task) -> Measured:
    return _measure(_Process.lab, task)


def measure_speed(plan: Plan) -> dict[int, float]:
    """Seconds for a picture of four people on this machine, alone on it: for the plan's steps and for `FEW_STEPS`."""
    composer = Composer.from_preset(plan.preset)
    composer.pipeline.set_progress_bar_config(disable=True)
    trial = make_trial("random", _HARD_COUNT, 0)  # in a template's pose, whose pictures are larger than close groups'
    seconds: dict[int, float] = {}
    for steps in dict.fromkeys((plan.steps, FEW_STEPS)):
        scene = trial_scene(composer, trial, steps=steps)
        composer.compose(scene)
        times: list[float] = []
        for _ in range(_REPEATS):
            started = perf_counter()
            composer.compose(scene)
            times.append(perf_counter() - started)
        seconds[steps] = median(times)
    return seconds
