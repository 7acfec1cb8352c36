"""What was measured, as JSON, as Markdown and as a plot; and what was required of it."""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import diffusers
import torch
from layers import LayerCost
from steps import StepCost
from timing import Spread

__all__ = ["Measured", "Requirement", "requirements", "to_json", "to_markdown", "write_plot"]

_PEOPLE, _TOKENS = 8, 8  # what the requirements are stated for
_FEWER_COSTS = 3.0
_STEP_CPU, _STEP_ACCELERATOR = 1.05, 1.02
_CONTENDERS = ("multiid", "IP-Adapter, all kept", "IP-Adapter")
_COLOURS = {"multiid": "#1b7837", "IP-Adapter, all kept": "#2166ac", "IP-Adapter": "#b2182b"}


@dataclass(frozen=True)
class Measured:
    """One run of the benchmark.

    Attributes:
        command: that made it.
        rounds: how often each time was taken, for layers and for steps.
        layers: cross-attention layers one by one.
        steps: whole denoising steps.
    """

    command: str
    rounds: Mapping[str, int]
    layers: Sequence[LayerCost]
    steps: Sequence[StepCost]


@dataclass(frozen=True)
class Requirement:
    """Something required, and what was measured."""

    name: str
    required: str
    measured: str
    met: bool


def requirements(measured: Measured) -> list[Requirement]:
    """All that this run says something about."""
    crowded = [cost for cost in measured.layers if (cost.people, cost.tokens) == (_PEOPLE, _TOKENS)]
    return [
        *(_fewer_costs(cost, "stock") for cost in crowded),
        # Without what both save by keeping the text: what people alone add.
        *(_fewer_costs(cost, "stock, text kept") for cost in crowded),
        *(_step(cost) for cost in measured.steps if (cost.people, cost.tokens) == (_PEOPLE, _TOKENS)),
    ]


def to_json(measured: Measured) -> str:
    """Everything as JSON text."""
    document = {
        "machine": _machine(),
        **asdict(measured),
        "requirements": [asdict(requirement) for requirement in requirements(measured)],
    }
    return json.dumps(document, indent=1) + "\n"


def to_markdown(measured: Measured) -> str:
    """The tables of docs/performance.md."""
    machine = _machine()
    rounds = " and ".join(f"{count} for {what}" for what, count in measured.rounds.items())
    parts = [
        f"    {measured.command}",
        f"On {machine['processor']} with {machine['threads']} threads, torch {machine['torch']}, diffusers "
        f"{machine['diffusers']}. Times are multiples of the stock time of the same round: medians over the rounds "
        f"({rounds}), quartiles in brackets.",
    ]
    if required := requirements(measured):
        rows = [[r.name, r.required, r.measured, "met" if r.met else "**missed**"] for r in required]
        parts.append(_table(["Required", "", "measured", ""], rows))
    if measured.steps:
        parts += ["A whole step, ControlNet and UNet, with its unconditional half:", _steps_table(measured.steps)]
    for layer, dtype in _kinds(measured.layers):
        costs = [cost for cost in measured.layers if (cost.layer, cost.dtype) == (layer, dtype)]
        parts += [f"Cross-attention of {layer}, {dtype}:", _layer_table(costs)]
    return "\n\n".join(parts) + "\n"


def write_plot(measured: Measured, path: Path) -> None:
    """Cost against the number of people: a panel for each kind of layer, and one for steps."""
    from matplotlib.figure import Figure

    kinds = _kinds(measured.layers)
    steps = measured.steps
    panels = len(kinds) + bool(steps)
    columns = min(2, panels)
    figure = Figure(figsize=(5.5 * columns, 3.6 * -(-panels // columns)), layout="constrained")
    grid = figure.subplots(-(-panels // columns), columns, squeeze=False).flatten()
    for axes in grid[panels:]:
        axes.remove()
    for axes, (layer, dtype) in zip(grid, kinds, strict=False):
        costs = [c for c in measured.layers if (c.layer, c.dtype) == (layer, dtype) and c.tokens in (0, _TOKENS)]
        axes.set_title(f"Cross-attention, {layer}, {dtype}", fontsize=10)
        for name in _CONTENDERS:
            _curve(axes, [(cost.people, cost.ratios[name]) for cost in costs], name, _COLOURS[name])
        axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
        axes.set_yscale("log", base=2)
        axes.yaxis.set_major_formatter("{x:g}")
    if steps:
        axes = grid[len(kinds)]
        axes.set_title(f"A whole step, {steps[0].side} x {steps[0].side}, {steps[0].dtype}", fontsize=10)
        for compiled in sorted({cost.compiled for cost in steps}):
            points = [(cost.people, cost.ratio) for cost in steps if cost.compiled == compiled]
            _curve(axes, points, "multiid, compiled" if compiled else "multiid", None)
        axes.axhline(1, color="black", linewidth=0.8, linestyle=":")
    for axes in grid[:panels]:
        axes.set_xlabel(f"people, {_TOKENS} tokens each")
        axes.set_ylabel("time / stock")
        axes.legend(fontsize=8)
    figure.savefig(path, dpi=110)


def _curve(axes: object, points: list[tuple[int, Spread]], name: str, colour: str | None) -> None:
    people = [count for count, _ in points]
    (line,) = axes.plot(people, [spread.median for _, spread in points], marker="o", label=name, color=colour)
    low, high = [spread.low for _, spread in points], [spread.high for _, spread in points]
    axes.fill_between(people, low, high, alpha=0.2, color=line.get_color())


def _fewer_costs(cost: LayerCost, base: str) -> Requirement:
    """How many times as much as by us the time grows by IP-Adapter, from that contender's on."""
    start = 1.0 if base == "stock" else cost.ratios[base].median
    theirs, ours = (cost.ratios[name].median - start for name in ("IP-Adapter, all kept", "multiid"))
    return Requirement(
        f"(IP-Adapter, all kept - {base}) / (multiid - {base}): {cost.layer}, {cost.dtype}, {_crowd(cost)}",
        f"at least {_FEWER_COSTS:g}",
        f"{theirs / ours:.1f}" if ours > 0 else f"{100 * theirs:+.1f} % against {100 * ours:+.1f} % of stock",
        theirs > 0 and theirs >= _FEWER_COSTS * ours,
    )


def _step(cost: StepCost) -> Requirement:
    limit = _STEP_CPU if cost.device == "cpu" else _STEP_ACCELERATOR
    how = f"{cost.device}{', compiled' if cost.compiled else ''}"
    return Requirement(
        f"whole step of {cost.side} x {cost.side} / stock: {how}, {cost.dtype}, {_crowd(cost)}",
        f"at most {limit:g}",
        f"{cost.ratio.median:.3f}",
        cost.ratio.median <= limit,
    )


def _crowd(cost: LayerCost | StepCost) -> str:
    return f"{cost.people} people of {cost.tokens} tokens"


def _layer_table(costs: Iterable[LayerCost]) -> str:
    costs = list(costs)
    names = list(costs[0].ratios)
    rows = [
        [str(c.people), str(c.tokens) if c.people else "-", f"{c.stock_ms:.1f}", *(_spread(c.ratios[n]) for n in names)]
        for c in costs
    ]
    return _table(["people", "tokens each", "stock, ms", *names], rows)


def _steps_table(costs: Iterable[StepCost]) -> str:
    rows = [
        [
            f"{c.device}{', compiled' if c.compiled else ''}", c.dtype, f"{c.side} x {c.side}", str(c.people),
            str(c.tokens), f"{c.stock_ms:.0f}", _spread(c.ratio, digits=3), _gb(c.stock_gb), _gb(c.gb),
        ]
        for c in costs
    ]  # fmt: skip
    head = ["device", "dtype", "picture", "people", "tokens each", "stock, ms", "multiid", "stock, GB", "multiid, GB"]
    return _table(head, rows)


def _spread(spread: Spread, *, digits: int = 2) -> str:
    return f"{spread.median:.{digits}f} ({spread.low:.{digits}f} to {spread.high:.{digits}f})"


def _gb(gigabytes: float | None) -> str:
    return "-" if gigabytes is None else f"{gigabytes:.2f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows])


def _kinds(costs: Iterable[LayerCost]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((cost.layer, cost.dtype) for cost in costs))


def _machine() -> dict[str, str | int]:
    return {
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
    }


def _processor() -> str:
    """The processor's name as its maker gives it, where the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
