"""What goes into a book: pages on the disk, and what it says of itself."""

import re
from dataclasses import dataclass
from pathlib import Path

from multiid.errors import StoryError
from multiid.geometry import Box
from multiid.story.script import Story

__all__ = ["Imprint", "PageFile"]

# What XML 1.0 cannot hold, and no reader could show.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class PageFile:
    """A page that is on the disk as a picture.

    Attributes:
        file: a PNG file with 8 bits of red, green and blue.
        trim: what the cut leaves, in pixels; what lies around it is bleed.
        millimetres: width and height of that.
    """

    file: Path
    trim: Box
    millimetres: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Imprint:
    """What a book says of itself.

    Attributes:
        title, author, summary: in words; empty ones are left out.
        language: BCP 47.
        right_to_left: whether its pages are read in that order.
        characters: who is in it.
        generated: whether a model made the pictures, which the files then say.

    Raises:
        StoryError: when a text has control characters.
    """

    title: str
    author: str = ""
    summary: str = ""
    language: str = "en"
    right_to_left: bool = False
    characters: tuple[str, ...] = ()
    generated: bool = True

    def __post_init__(self) -> None:
        for key in ("title", "author", "summary"):
            text = getattr(self, key)
            if _UNWRITABLE.search(text):
                raise StoryError(f"{key}: expected text without control characters, but got {text!r}.")

    @classmethod
    def of(cls, story: Story) -> "Imprint":
        """A story's."""
        return cls(
            title=story.title,
            author=story.author,
            summary=story.summary,
            language=story.language,
            right_to_left=story.paper.reading == "right-to-left",
            characters=tuple(story.cast),
        )
