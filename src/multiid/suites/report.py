"""A run's report: one page for people, and its figures for programs and documents."""

import os
from pathlib import Path

from multiid.files import require_place, write_whole
from multiid.pipeline.kept import make_folder
from multiid.suites.outcome import SuiteOutcome
from multiid.suites.page import render_page
from multiid.suites.tables import to_csv, to_json, to_markdown

__all__ = ["write_report"]

_WRITERS = {"metrics.json": to_json, "metrics.csv": to_csv, "report.md": to_markdown, "report.html": render_page}


def write_report(outcome: SuiteOutcome, folder: str | os.PathLike[str]) -> list[Path]:
    """Writes report.html, metrics.json, metrics.csv and report.md, each whole or not at all.

    The same outcome gives the same bytes: there are no time stamps in them. The page holds everything itself and stays
    under 25 MB: its pictures have 12 MB together (`gallery.MOST_BYTES`), and are made smaller where there are many.

    Args:
        outcome: what the run came to; at least one cell.
        folder: where they go; made where it is absent. What is there under these names is replaced.

    Returns:
        The files, the page first.

    Raises:
        OutputError: when the folder cannot be written, or a picture of the gallery is gone.
    """
    folder = Path(folder)
    make_folder(folder)
    for name in _WRITERS:
        require_place(folder / name)
    texts = {folder / name: write(outcome) for name, write in _WRITERS.items()}
    for path, text in texts.items():
        with write_whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return list(reversed(texts))
