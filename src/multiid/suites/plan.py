"""What a run of a suite is made of, and the stamps by which a later run knows its pictures again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from multiid.mini.figures.judges import PlaceJudge, train_place_judge
from multiid.mini.pack import FACES_FOLDER
from multiid.people.faces import FaceAnalyzer
from multiid.pipeline.composer import Composer
from multiid.pipeline.judging import choose_judge, draws_cartoons
from multiid.pipeline.kept import made_with, stamp_of, weights_digest, weights_of
from multiid.pipeline.loading import with_sources
from multiid.pipeline.preset_record import Preset
from multiid.pipeline.presets import PRESETS, find_preset
from multiid.pipeline.quiet import quiet_composer
from multiid.suites.encoding import Encoders, choose_encoders
from multiid.suites.people import People
from multiid.suites.suite import Size, Suite
from multiid.suites.tasks import Task, plan_batches

__all__ = ["Plan"]

_SOURCES = ("base", "vae", "controlnet", "adapter")
_OF_PICTURES = ("device", "dtype", "vae_tiling")  # beside the models: other pixels
_DIGITS = 12  # of a digest that a report shows


@dataclass(frozen=True, eq=False, kw_only=True)
class Plan:
    """A run of a suite. Processes are handed a copy, and all of them get the same from it.

    Attributes:
        suite: what to make.
        name: what the user calls the suite.
        size: how many groups of it.
        people: who is in the pictures.
        preset_name: the preset that makes them.
        options: of `Composer.from_preset`, in place of the preset's own.
        only: names of cases and settings to confine it to.

    Raises:
        SuiteError: when nothing is left of it.
    """

    suite: Suite
    name: str
    size: Size
    people: People
    preset_name: str
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    only: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _ = self.batches  # what is wrong with `only` shows at once

    @cached_property
    def batches(self) -> list[list[Task]]:
        """Every picture (see `plan_batches`)."""
        return plan_batches(self.suite, self.size, only=self.only)

    @cached_property
    def preset(self) -> Preset:
        """The preset, with the user's own models in place of its parts."""
        return with_sources(find_preset(self.preset_name), {part: self.options.get(part) for part in _SOURCES})

    @property
    def is_small(self) -> bool:
        """Whether the models are so small that several processes are best, with one thread each."""
        return draws_cartoons(self.preset)

    def composer(self) -> Composer:
        """Makes the pictures, without bars: in several processes they would be noise."""
        return quiet_composer(self.preset_name, **self.options)

    def judge(self) -> FaceAnalyzer:
        """Says whose face is whose."""
        return choose_judge(self.preset)

    def encoders(self) -> Encoders:
        """Measure what takes the picture itself."""
        return choose_encoders(self.suite.metrics, self.preset, places=self._places)

    @property
    def encoder_names(self) -> Mapping[str, str]:
        """By metric that takes the picture itself, who measures it."""
        return self._encoders_told[0]

    @property
    def unmeasured(self) -> Mapping[str, str]:
        """By metric that was asked for, why it is not measured."""
        return self._encoders_told[1]

    def picture_stamp(self, task: Task) -> str:
        """Tells what a picture is made with: another one if anything changes that its pixels depend on."""
        case, setting = task.case, task.setting
        return stamp_of(
            self._models,
            self.people.stamp,
            case.model_dump(include={"name", "people", "kind", "prompts", "template"}),
            setting.model_dump(include={"scene", "photos", "strength", "attempts", "truth"}),
            task.index,
        )

    def reading_stamp(self, task: Task) -> str:
        """Tells what a picture is made and read with."""
        return stamp_of(self.picture_stamp(task), self._readers)

    @property
    def weights(self) -> str:
        """The first digits of a digest of all weights, to tell reports of other ones."""
        return stamp_of(weights_of(self.preset))[:_DIGITS]

    @cached_property
    def _models(self) -> Any:
        return made_with(self.preset), [repr(self.options.get(name) or None) for name in _OF_PICTURES]

    @cached_property
    def _encoders_told(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        encoders = self.encoders()  # not kept themselves: their models may be large
        return encoders.names, encoders.unmeasured

    @cached_property
    def _places(self) -> PlaceJudge | None:
        """Learns what takes seconds once for all processes; nobody where it is not needed."""
        needed = "clip_t" in self.suite.metrics and self.suite.people == "miniature"
        return train_place_judge() if needed else None

    @cached_property
    def _readers(self) -> Any:
        base = PRESETS["mini"].base
        own = Path(base.source) / FACES_FOLDER if base and self.is_small else None
        judge = self.judge().recogniser
        return judge, own and weights_digest(own), self.suite.kept, self.encoder_names
