"""The figures as text: Markdown for docs/mini.md, JSON for programs."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from multiid.mini.figures.figures import Figures, Group, Rates
from multiid.mini.figures.lab import MANY_STEPS
from multiid.mini.figures.rate import Rate
from multiid.mini.figures.requirements import Requirement, requirements
from multiid.mini.figures.run import Plan

__all__ = ["to_json", "to_markdown"]

_DIGITS = 4
_NONE = "-"
_WAYS = ("true", "round trip", "masks on", "many steps", "masks off")
_HEADS = ("true renders", "round trip", "masks on", f"{MANY_STEPS} steps", "masks off")


def to_json(figures: Figures, plan: Plan) -> str:
    """The figures with what was measured and what was required, as JSON text; the plan's folder is left out."""
    document = {
        "plan": {field.name: getattr(plan, field.name) for field in fields(plan) if field.name != "weights"},
        **_plain(figures),
        "requirements": [{**_plain(line), "met": line.met} for line in requirements(figures)],
    }
    return json.dumps(_plain(document), indent=1, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """Nothing but what JSON has, numbers rounded; null for what could not be measured."""
    if isinstance(value, Rate):
        return {"share": _plain(value.share), "right": value.right, "of": value.of, "interval": _plain(value.interval)}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def to_markdown(figures: Figures, plan: Plan) -> str:
    """The figures as tables in Markdown."""
    fewer = f" (masks off: the first {plan.unmasked})" if plan.unmasked < plan.scenes else ""
    seconds = " and ".join(f"{seconds:.2f} s in {steps} steps" for steps, seconds in figures.speed.seconds.items())
    reader = figures.reader
    parts = [
        f"Scenes for each row: {plan.scenes}{fewer}, in {plan.steps} steps; people on whom nothing was trained, scored "
        "against portraits that the generator did not get. In brackets, where the rate of ever more cases would lie "
        "in 95 of 100 such counts.",
        _table(("Required", "", "measured", ""), [_requirement(line) for line in requirements(figures)]),
        "Faces nearest to their own person among the people of their picture:",
        _table(("Groups", "people", "chance", *_HEADS), [_nearest(group) for group in figures.groups]),
        "Likeness (SingleSim / MultiSim, InstantFamily eq. 10 and 11):",
        _table(("Groups", "people", *_HEADS), [_likeness(group) for group in figures.groups]),
        "Faces found where they should be / finds that are somebody's face:",
        _table(("Groups", "people", *_HEADS), [_finds(group) for group in figures.groups]),
        "Read from faces of the random groups, and what the words ask for:",
        _table(("", *_HEADS), _readings(figures)),
        f"Portraits: faces found {_share(reader.found)}, finds that are faces {_share(reader.precision)}, one among "
        f"{reader.people} people {_share(reader.top_one)}, one among four look-alikes {_share(reader.look_alikes)}.",
    ]
    if figures.exchange is not None:
        parts.append(
            f"Scenes with one person exchanged: {figures.exchange.scenes}; the face follows in "
            f"{_share(figures.exchange.follows)}, the others' faces change by {figures.exchange.change:.4f}."
        )
    threads = f"{figures.speed.threads} thread{'s' if figures.speed.threads > 1 else ''}"
    parts.append(f"A picture of four people takes {seconds} with {threads}.")
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _requirement(line: Requirement) -> list[str]:
    limit = f"{'at most' if line.at_most else 'at least'} {line.required:g}"
    measured = f"{line.measured:.3f}"
    if line.interval is not None:
        measured += f" ({line.interval[0]:.3f} to {line.interval[1]:.3f})"
    return [line.name, limit, measured, "met" if line.met else "**missed**"]


def _nearest(group: Group) -> list[str]:
    return [group.kind, str(group.people), f"{1 / group.people:.2f}", *_shares(group.nearest)]


def _likeness(group: Group) -> list[str]:
    def cell(way: str) -> str:
        if way not in group.single_sim:
            return _NONE
        single, multi = f"{group.single_sim[way]:.3f}", f"{group.multi_sim[way]:.3f}"
        return single if group.people == 1 else f"{single} / {multi}"

    return [group.kind, str(group.people), *(cell(way) for way in _WAYS)]


def _finds(group: Group) -> list[str]:
    cells = zip(_shares(group.found), _shares(group.precision), strict=True)
    return [group.kind, str(group.people), *(_NONE if one == _NONE else f"{one} / {other}" for one, other in cells)]


def _readings(figures: Figures) -> list[list[str]]:
    rows = {name.replace("_", " "): rates for name, rates in figures.attributes.items()}
    rows |= {"place": figures.place, "clothes": figures.clothes}
    return [[name, *_shares(rates)] for name, rates in rows.items()]


def _shares(rates: Rates) -> list[str]:
    return [_share(rates[way]) if way in rates else _NONE for way in _WAYS]


def _share(rate: Rate) -> str:
    return f"{rate.share:.3f}"
