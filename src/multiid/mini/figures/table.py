"""The figures as files: numbers for programs, tables for the model card."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from multiid.mini.figures.figures import Figures, Group, Requirement
from multiid.mini.figures.lab import FEW_STEPS
from multiid.mini.figures.run import Plan

__all__ = ["to_json", "to_markdown"]

_DIGITS = 4
_NONE = "-"


def to_json(figures: Figures, plan: Plan) -> str:
    """The figures with what was measured and what was required, as JSON text."""
    document = {
        "plan": asdict(plan),
        **asdict(figures),
        "requirements": [{**asdict(line), "met": line.met} for line in figures.requirements()],
    }
    return json.dumps(_rounded(document), indent=1, ensure_ascii=False) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def to_markdown(figures: Figures, plan: Plan) -> str:
    """The figures as tables in Markdown."""
    parts = [
        f"{plan.scenes} scenes for each row, {plan.steps} steps, preset {plan.preset}; people on whom nothing was "
        "trained, scored against portraits that the generator did not get.",
        _table(("Required", "", "measured", ""), [_requirement(line) for line in figures.requirements()]),
        "Faces nearest to their own person among the people of their picture:",
        _table(
            ("Groups", "people", "chance", "true renders", "masks on", "masks off", f"{FEW_STEPS} steps", "not found"),
            [_nearest(group) for group in figures.groups],
        ),
        "Likeness (SingleSim / MultiSim, InstantFamily eq. 10 and 11):",
        _table(
            ("Groups", "people", "true renders", "round trip", "masks on", "masks off"),
            [_likeness(group) for group in figures.groups],
        ),
        "Read from faces, and what the words ask for:",
        _table(("", "true renders", "round trip", "masks on"), _readings(figures)),
    ]
    if figures.exchange is not None:
        parts.append(
            f"One person exchanged, {figures.exchange.scenes} scenes: the face follows in "
            f"{figures.exchange.follows:.3f}, the others' faces change by {figures.exchange.change:.4f}."
        )
    parts.append(
        "A picture of four people takes "
        + " and ".join(f"{seconds:.2f} s in {steps} steps" for steps, seconds in figures.seconds.items())
        + "."
    )
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _requirement(line: Requirement) -> list[str]:
    limit = f"{'at most' if line.at_most else 'at least'} {line.required:g}"
    return [line.name, limit, f"{line.measured:.3f}", "met" if line.met else "**missed**"]


def _nearest(group: Group) -> list[str]:
    ways = ("true", "masks on", "masks off", "few steps")
    return [
        group.kind,
        str(group.people),
        f"{group.chance:.2f}",
        *(_share(group.nearest, way) for way in ways),
        _share(group.missing, "masks on"),
    ]


def _likeness(group: Group) -> list[str]:
    cells = [group.kind, str(group.people)]
    for way in ("true", "round trip", "masks on", "masks off"):
        single, multi = _share(group.single_sim, way), _share(group.multi_sim, way)
        cells.append(single if group.people == 1 or way not in group.multi_sim else f"{single} / {multi}")
    return cells


def _readings(figures: Figures) -> list[list[str]]:
    rows = {**{name.replace("_", " "): rates for name, rates in figures.attributes.items()}}
    rows |= {"place": figures.place, "clothes": figures.clothes}
    return [[name, *(_share(rates, way) for way in ("true", "round trip", "masks on"))] for name, rates in rows.items()]


def _share(values: Mapping[str, float], way: str) -> str:
    return f"{values[way]:.3f}" if way in values else _NONE
