"""What a suite makes: every case in every setting, for so many groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from multiid.errors import SuiteError
from multiid.suites.suite import Case, Setting, Size, Suite, folder_name
from multiid.validation import suggest

__all__ = ["Task", "plan_batches"]


@dataclass(frozen=True)
class Task:
    """One picture to make: a group of a case in a setting."""

    case: Case
    setting: Setting
    index: int

    @property
    def file(self) -> Path:
        """Its picture, within the folder of all."""
        return Path(folder_name(self.case.name)) / folder_name(self.setting.name) / f"{self.index:05}.png"


def plan_batches(suite: Suite, size: Size, *, only: Sequence[str] = ()) -> list[list[Task]]:
    """Every picture of a suite, in batches of one group each, whose settings follow one another.

    Cases take turns, so that a run that goes on for long says early how long that is.

    Args:
        suite: what to make.
        size: how many groups of it.
        only: names of cases and settings to confine it to: of cases where it has some of them, likewise of settings.

    Raises:
        SuiteError: when one of `only` is neither a case nor a setting, or nothing is left.
    """
    cases, settings = [case.name for case in suite.cases], [setting.name for setting in suite.settings]
    for name in only:
        if name not in cases + settings:
            raise SuiteError(
                f"Expected the name of a case or a setting, but got {name!r}{suggest(name, cases + settings)}"
            )
    batches: list[tuple[float, list[Task]]] = []
    for case in suite.cases:
        groups = suite.groups_of(case, size)
        wanted = [setting for setting in suite.settings if _is_wanted(case, setting, only, cases, settings)]
        for index in range(groups if wanted else 0):
            batches.append((index / groups, [Task(case, setting, index) for setting in wanted]))
    if not batches:
        raise SuiteError(f"Expected something to make, but no case has the setting {' or '.join(map(repr, only))}.")
    return [batch for _, batch in sorted(batches, key=lambda one: one[0])]


def _is_wanted(
    case: Case, setting: Setting, only: Sequence[str], cases: Sequence[str], settings: Sequence[str]
) -> bool:
    if setting.cases is not None and case.name not in setting.cases:
        return False
    chosen = [name for name in only if name in cases], [name for name in only if name in settings]
    return case.name in (chosen[0] or cases) and setting.name in (chosen[1] or settings)
