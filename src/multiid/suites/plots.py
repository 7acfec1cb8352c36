"""Plots for the report: SVG whose colours and letters are the page's, so that they suit light and dark."""

import io
import math
import re
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from multiid.suites.legend import LEGEND
from multiid.suites.outcome import Cell, Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

__all__ = ["MOST_LINES", "plot_by_people", "plot_by_setting", "plot_mixing"]

MOST_LINES = 8
"""Settings that one plot by number of people can tell apart."""

# Colours that matplotlib writes, and what stands for them in the page's style sheet.
_INK, _FAINT, _PAPER = "#010101", "#020202", "#030303"
_LINES = tuple(f"#0400{index:02x}" for index in range(MOST_LINES))
_STYLES = {
    _INK: "var(--ink)",
    _FAINT: "var(--line)",
    _PAPER: "var(--card)",
    **{colour: f"var(--line-{index + 1})" for index, colour in enumerate(_LINES)},
}
_MARKERS = "osD^vPX*"
_WIDTH, _HEIGHT = 4.6, 3.1  # inches of 72 points
_ROW = 0.27  # inches for each setting
_MIXED_SIDE = 0.36  # inches of a field of the mixing matrix
_SIZE = 9  # points: letters
_FONT = "DejaVu Sans"
_LATER = "..."  # for a user's words, put in later: as a label, matplotlib reads formulas into some and drops others
_OPENING = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" aria-hidden="true" '
    'viewBox="0 0 {0:g} {1:g}" style="width: {2:.0f}px">'
)
_PALE, _DEEP = (252, 243, 226), (122, 46, 26)  # of a cosine of 0, and of 1
_DARK = 0.55  # from this cosine on, letters on the field are pale


def plot_by_people(cells: Sequence[Cell], metric: str) -> str:
    """A metric against the number of people: a line for each setting, with its intervals, and chance for "nearest".

    Args:
        cells: at most one for each setting and number of people, of `MOST_LINES` settings at most.
        metric: which.

    Returns:
        The plot as an SVG element.
    """
    drawing = _drawing(_WIDTH, _HEIGHT)
    axes = drawing.subplots()
    _style(axes)
    counts = sorted({cell.people for cell in cells})
    settings = list(dict.fromkeys(cell.setting for cell in cells))
    for index, setting in enumerate(settings):
        own = sorted((cell for cell in cells if cell.setting == setting), key=lambda cell: cell.people)
        # Side by side, so that intervals that are alike do not hide each other.
        shift = 0.16 * (index - (len(settings) - 1) / 2) / max(len(settings) - 1, 1)
        people = [counts.index(cell.people) + shift for cell in own]
        figures = [cell.figures[metric] for cell in own]
        axes.errorbar(
            people,
            [figure.value for figure in figures],
            yerr=_whiskers(figures),
            color=_LINES[index],
            marker=_MARKERS[index],
            markersize=4.5,
            linewidth=1.6,
            elinewidth=1.1,
            capsize=2.5,
            label=_LATER,
        )
    if metric == "nearest":
        chances = [1 / count for count in counts]
        axes.plot(range(len(counts)), chances, color=_INK, linewidth=1, linestyle=":", label="chance")
    axes.set_xticks(range(len(counts)), [str(count) for count in counts])
    axes.set_xlabel("people in the picture")
    axes.set_ylabel(_label(metric))
    legend = axes.legend(fontsize=_SIZE - 1, frameon=False, labelcolor=_INK)
    names = iter(settings)
    for text in legend.get_texts():
        if text.get_text() == _LATER:
            text.set_parse_math(False)
            text.set_text(next(names))
    return _svg(drawing, f"people-{metric}")


def plot_by_setting(cells: Sequence[Cell], metric: str) -> str:
    """A metric of one case in every setting: a point for each, with its interval, from top to bottom.

    Args:
        cells: of one case.
        metric: which.

    Returns:
        The plot as an SVG element.
    """
    drawing = _drawing(_WIDTH, 0.75 + _ROW * len(cells))
    axes = drawing.subplots()
    _style(axes)
    figures = [cell.figures[metric] for cell in cells]
    rows = range(len(cells))
    axes.axvline(figures[0].value, color=_FAINT, linewidth=1, zorder=0)
    axes.errorbar(
        [figure.value for figure in figures],
        rows,
        xerr=_whiskers(figures),
        color=_LINES[0],
        marker="o",
        markersize=4.5,
        linestyle="none",
        elinewidth=1.3,
        capsize=2.5,
    )
    # Dollar signs would enclose a formula.
    axes.set_yticks(rows, [cell.setting.replace("$", r"\$") for cell in cells])
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.set_xlabel(_label(metric))
    return _svg(drawing, f"{cells[0].case}-{metric}")


def plot_mixing(cell: Cell) -> str:
    """Whom the face at each place resembles: a field for each place (rows) and person (columns), darker for more."""
    people = len(cell.mixing)
    drawing = _drawing(0.75 + _MIXED_SIDE * people, 0.7 + _MIXED_SIDE * people)
    axes = drawing.subplots()
    _style(axes)
    axes.grid(visible=False)
    for edge in axes.spines.values():
        edge.set_visible(False)
    for (row, column), cosine in np.ndenumerate(cell.mixing):
        known = math.isfinite(cosine)
        share = min(max(float(cosine), 0.0), 1.0) if known else 0.0
        colour = tuple((pale + share * (deep - pale)) / 255 for pale, deep in zip(_PALE, _DEEP, strict=True))
        field = np.array([[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]])
        axes.fill(*field.T, facecolor=colour if known else "none", edgecolor=_PAPER, linewidth=1.5)
        axes.text(
            column + 0.5,
            row + 0.5,
            f"{cosine:.2f}".replace("0.", ".", 1) if known else "?",
            ha="center",
            va="center",
            fontsize=_SIZE - 1,
            fontweight="bold" if row == column else "normal",
            color=_INK if not known else "#fff8ec" if share > _DARK else "#32242f",
        )
    ticks, names = [index + 0.5 for index in range(people)], [str(index + 1) for index in range(people)]
    axes.set_xticks(ticks, names)
    axes.set_yticks(ticks, names)
    axes.set_xlim(0, people)
    axes.set_ylim(people, 0)
    axes.set_aspect("equal")
    axes.tick_params(length=0)
    axes.set_xlabel("person")
    axes.set_ylabel("face at place")
    return _svg(drawing, f"{cell.case}-{cell.setting}-mixing")


def _label(metric: str) -> str:
    if metric not in LEGEND:
        return metric
    return f"{LEGEND[metric].title} ({LEGEND[metric].direction})"


def _drawing(width: float, height: float) -> "Drawing":
    from matplotlib.figure import Figure as Drawing

    return Drawing(figsize=(width, height), layout="constrained", facecolor="none")


def _style(axes: "Axes") -> None:
    axes.set_facecolor("none")
    axes.tick_params(colors=_INK, labelsize=_SIZE - 1, length=3)
    axes.xaxis.label.set(color=_INK, fontsize=_SIZE)
    axes.yaxis.label.set(color=_INK, fontsize=_SIZE)
    axes.grid(visible=True, color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    for name, edge in axes.spines.items():
        edge.set_visible(name in ("left", "bottom"))
        edge.set_color(_FAINT)


def _whiskers(figures: Sequence[Figure]) -> list[list[float]]:
    """How far each interval reaches down and up; nowhere where it is not known."""
    return [
        [figure.value - figure.low if math.isfinite(figure.low) else 0.0 for figure in figures],
        [figure.high - figure.value if math.isfinite(figure.high) else 0.0 for figure in figures],
    ]


def _svg(drawing: "Drawing", name: str) -> str:
    """The drawing as an SVG element for a page: the same bytes each time, and no identifier that comes twice.

    It has no words for those who cannot see it: the page says beside it what is to be seen.
    """
    from matplotlib import rc_context

    stream = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    # Letters stay letters, in the page's font; the salt makes what is defined in each plot its own.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.family": _FONT}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the page's font may have it
        drawing.savefig(stream, format="svg", metadata=nothing)
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(rf"font-family: '{_FONT}'[^;\"]*", "font-family: var(--font)", text)
    text = re.sub(r"(?<=: )#[0-9a-f]{6}(?=[;\"])", lambda found: _STYLES.get(found[0], found[0]), text)
    width, height = (72 * float(inches) for inches in drawing.get_size_inches())
    text = re.sub(r"<svg [^>]*>", _OPENING.format(width, height, width * 4 / 3), text, count=1)
    return re.sub(r"(?<=>) (?=<)", "", re.sub(r"\s+", " ", text)).strip()
