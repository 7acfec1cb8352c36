"""The groups of suites whose people are of the miniature's world: people and scenes that nothing was trained on."""

from typing import cast

from multiid.mini.figures.trials import Kind, draw_photos, draw_references, make_trial
from multiid.mini.world.people import Person
from multiid.prompts import Subject, name_all
from multiid.suites.people import Group, Sitter
from multiid.suites.suite import Case, Suite

__all__ = ["MiniaturePeople"]

_FIRST = 100_000  # of the trials: beyond those by which `multiid mini figures` measures the miniature while it is made


class MiniaturePeople:
    """People of the miniature's world as a suite's groups (see `people.People`).

    Args:
        suite: says how many portraits are given and kept.
    """

    def __init__(self, suite: Suite) -> None:
        self._given = max(setting.photos for setting in suite.settings)
        self._kept = suite.kept

    @property
    def stamp(self) -> str:
        """Tells these people from others; what of them depends on a case is in the case."""
        return f"miniature from {_FIRST}"

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing: people of the miniature are what these suites are of."""
        return ()

    def group(self, case: Case, index: int) -> Group:
        """The group of that number: the same numbers give the same one."""
        kind = cast(Kind, case.kind)  # a suite of the miniature's people has no other
        trial = make_trial(kind, case.people, _FIRST + index, template=case.template)
        prompt = trial.prompt
        if case.prompts:
            subjects = [Subject(*one) for one in zip(trial.names, (p.noun for p in trial.cast.people), strict=True)]
            prompt = case.prompts[index % len(case.prompts)].replace("{people}", name_all(subjects))
        people = zip(trial.names, trial.cast.people, trial.cast.clothes, strict=True)
        return Group(
            people=tuple(self._sitter(name, person, str(clothes), trial.seed) for name, person, clothes in people),
            prompt=prompt,
            pose=trial.pose,
            seed=trial.seed,
            size=trial.pose.size,
            truth=trial.truth,
        )

    def _sitter(self, name: str, person: Person, phrase: str, seed: int) -> Sitter:
        given = tuple(draw_photos(person, seed=seed, count=self._given))
        kept = tuple(draw_references(person, seed=seed, count=self._kept)) if self._kept else given
        return Sitter(name, person.noun, given, kept, phrase)
