"""What a script may say, but hardly means."""

from collections.abc import Iterator

from multiid.story.script import Story
from multiid.validation import Misfit

__all__ = ["find_notes"]


def find_notes(story: Story) -> Iterator[Misfit]:
    """Those of the cast whom nobody sees or hears, or who wear something else in their anchor's panel; and words of
    somebody absent over a view without people.
    """
    heard: set[str] = set()
    for number, panel in story.panels.items():
        here = {entry.who for entry in panel.people}
        speakers = {line.who for line in panel.dialogue if line.who is not None}
        heard |= here | speakers
        if speakers and not here:
            page, _, index = number.partition(".")
            location = ("pages", int(page) - 1, "panels", int(index) - 1)
            who = " and ".join(sorted(speakers))
            yield Misfit((*location, "dialogue"), f"{who} will be heard from outside: nobody is in this panel")
    for name, character in story.cast.items():
        if name not in heard:
            yield Misfit(("cast", name), f"{name} is in no panel")
        if character.anchor is not None and story.style.consistency:
            for entry in story.panels[character.anchor].people:
                if entry.who == name and entry.look is not None:
                    problem = f"other panels take {name}'s clothes from {character.anchor}, with another look there"
                    yield Misfit(("cast", name, "anchor"), problem)
