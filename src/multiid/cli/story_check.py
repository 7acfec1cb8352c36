"""`multiid story check`: everything wrong with a script, or what is in it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from multiid import StoryDocument
    from multiid.story.script import Panel

__all__ = ["command"]


@click.command()
@click.argument("file", metavar="STORY", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Check the script STORY, a story.yaml, and show what is in it.

    All that is wrong is told at once, with line, key and what was expected: words and names, photos and identity files,
    templates and places, layouts, fonts. No model is loaded and nothing is written.
    """
    import multiid

    document = multiid.load_story(file)
    for note in document.notes:
        click.echo(f"note: {note}", err=True)
    click.echo("\n".join(_overview(document)))


def _overview(document: "StoryDocument") -> list[str]:
    """The story's size, then its panels with who is in them, then its cast with the panels where they are."""
    story = document.story
    panels = story.panels
    by = f", by {story.author}" if story.author else ""
    words = sum(map(_count_words, panels.values()))
    counts = (
        _counted(len(story.pages), "page"),
        _counted(len(panels), "panel"),
        _counted(len(story.cast), "character"),
        _counted(words, "word"),
    )
    lines = [f"{story.title}{by}: {', '.join(counts)}", ""]
    rows = [
        (number, ", ".join(entry.who for entry in panel.people) or "nobody", _counted(_count_words(panel), "word"))
        for number, panel in panels.items()
    ]
    lines += _table(rows)
    if story.cast:
        lines.append("")
    cast: list[tuple[str, ...]] = []
    for name in story.cast:
        seen = [number for number, panel in panels.items() if any(entry.who == name for entry in panel.people)]
        photos = document.photos.get(name)
        source = "identity file" if photos is None else _counted(len(photos), "photo")
        cast.append((name, document.noun(name), source, f"in {', '.join(seen)}" if seen else "in no panel"))
    return lines + _table(cast)


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _count_words(panel: "Panel") -> int:
    """Words that are lettered into a panel."""
    texts = (entry.text for entries in (panel.captions, panel.dialogue, panel.sounds) for entry in entries)
    return sum(len(text.split()) for text in texts)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
