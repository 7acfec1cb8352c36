"""From "{ada}" to tokens: placeholders, phrases and where each person's identity goes in a prompt.

Everything here is about text and token ids. `multiid.conditioning` turns the result into embeddings.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from multiid.errors import PromptError
from multiid.validation import suggest

__all__ = [
    "CLIP_WINDOW",
    "SHARED",
    "BoundPrompt",
    "Layout",
    "Mention",
    "Subject",
    "TokenPlan",
    "bind",
    "bind_phrase",
    "name_all",
    "plan_tokens",
]

SHARED = -1
"""Owner of a token that belongs to nobody in particular: the scene's text."""

CLIP_WINDOW = 77
"""Tokens that a CLIP text encoder reads at once, beginning and end included."""

Layout = Literal["stack", "inline", "auto"]
"""Where identities go: behind the text, inside the prompt, or inside as long as they fit."""

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@dataclass(frozen=True)
class Subject:
    """What a prompt needs to know of a person.

    Attributes:
        name: stands in the prompt as "{name}".
        noun: the class noun that the text encoder reads in its place, of one or more words ("old man").
        phrase: what holds for this person alone ("in a red coat"), or nothing.
        tokens: how many stacked ID embeddings the person has.
    """

    name: str
    noun: str
    phrase: str = ""
    tokens: int = 1


@dataclass(frozen=True)
class Mention:
    """Where a prompt's text names a person: characters `start` to `noun_end` are the noun, up to `end` the phrase."""

    person: int
    start: int
    noun_end: int
    end: int


@dataclass(frozen=True)
class BoundPrompt:
    """A prompt as a text encoder reads it, and where in it people are named."""

    text: str
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True)
class TokenPlan:
    """A prompt as token ids of fixed length, and whose each token is.

    Attributes:
        ids: beginning, prompt, end, padding.
        owners: for each position the index of the person whose noun or phrase it is, or `SHARED`.
        identity: for each position the index of the person whose ID embedding is fused there, or `SHARED`.
        content: the positions of the prompt itself, without beginning, end and padding.
        cut: the end of the prompt that did not fit, as text; empty when all of it did.
    """

    ids: tuple[int, ...]
    owners: tuple[int, ...]
    identity: tuple[int, ...]
    content: range
    cut: str

    def identity_positions(self, person: int) -> list[int]:
        """Where a person's ID embeddings are fused, in order."""
        return [position for position, owner in enumerate(self.identity) if owner == person]


def bind(prompt: str, subjects: Sequence[Subject], *, phrases: bool = False) -> BoundPrompt:
    """Replaces every "{name}" by that person's class noun; "{{" and "}}" are plain braces.

    People whom the prompt does not mention are put first, in a plain opening ("a woman and a man, ...").

    Args:
        prompt: the scene in words.
        subjects: the people; a mention refers to them by index.
        phrases: whether each person's phrase follows their first mention.

    Raises:
        PromptError: when a name is unknown (the nearest is proposed) or given twice, or a brace stands alone.
    """
    names = [subject.name for subject in subjects]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PromptError(f"Expected every person once, but {', '.join(twice)} came twice: use another name.")

    mentioned = {_person(match, names) for match in _PLACEHOLDER.finditer(prompt)}
    missing = [subject for person, subject in enumerate(subjects) if person not in mentioned]
    if missing:
        opening = name_all(missing)
        prompt = f"{opening}, {prompt}" if prompt.strip() else opening

    text, last = "", 0
    mentions: list[Mention] = []
    for match in _PLACEHOLDER.finditer(prompt):
        text += prompt[last : match.start()]
        last = match.end()
        person = _person(match, names)
        if person is None:
            text += match[0][0]
            continue
        first = all(mention.person != person for mention in mentions)
        phrase = subjects[person].phrase.strip() if phrases and first else ""
        start, noun_end = len(text), len(text) + len(subjects[person].noun)
        text += subjects[person].noun + (f" {phrase}" if phrase else "")
        mentions.append(Mention(person, start, noun_end, len(text)))
    return BoundPrompt(text + prompt[last:], tuple(mentions))


def name_all(subjects: Sequence[Subject]) -> str:
    """Everybody as a prompt names them: "a {ada}, an {isaac} and a {max}", where isaac is an old man."""
    return _listed([f"{_article(subject.noun)} {{{subject.name}}}" for subject in subjects])


def bind_phrase(subject: Subject) -> BoundPrompt:
    """The prompt of one person alone: "a woman in a red coat", the person being number 0."""
    return bind(name_all([subject]), [subject], phrases=True)


def plan_tokens(
    bound: BoundPrompt, tokenizer: Any, *, expand: Mapping[int, int] | None = None, length: int = CLIP_WINDOW
) -> TokenPlan:
    """Tokenizes a bound prompt and makes room for identities.

    The last piece of the noun at a person's first mention is repeated once per stacked ID embedding: earlier pieces
    of a noun stay as they are and the text encoder, which reads from left to right, has seen them by then.

    Args:
        bound: the prompt.
        tokenizer: a CLIP tokenizer of transformers.
        expand: for each person with an identity in this prompt the number of their ID embeddings.
        length: the text encoder's window.

    Returns:
        Always exactly that many ids, with the end token among them.

    Raises:
        PromptError: when a person's noun holds nothing the tokenizer knows.
    """
    expand = expand or {}
    encoded = tokenizer(bound.text, add_special_tokens=False, return_offsets_mapping=True, truncation=False)
    offsets: list[tuple[int, int]] = encoded["offset_mapping"]
    repeats, owners, identity = [1] * len(offsets), [SHARED] * len(offsets), [SHARED] * len(offsets)
    seen: set[int] = set()
    for mention in bound.mentions:
        noun = _overlapping(offsets, mention.start, mention.noun_end)
        if not noun:
            raise PromptError(
                f"Expected a class noun in words, but the tokenizer reads nothing in "
                f'"{bound.text[mention.start : mention.noun_end]}": use a noun such as "woman".'
            )
        for position in _overlapping(offsets, mention.start, mention.end):
            owners[position] = mention.person
        if mention.person in expand and mention.person not in seen:
            repeats[noun[-1]] = expand[mention.person]
            identity[noun[-1]] = mention.person
        seen.add(mention.person)

    source = [position for position, times in enumerate(repeats) for _ in range(times)]
    kept, lost = source[: length - 2], source[length - 2 :]
    padding = length - 2 - len(kept)
    return TokenPlan(
        ids=(
            tokenizer.bos_token_id,
            *(encoded["input_ids"][position] for position in kept),
            tokenizer.eos_token_id,
            *[tokenizer.pad_token_id] * padding,
        ),
        owners=(SHARED, *(owners[position] for position in kept), *[SHARED] * (padding + 1)),
        identity=(SHARED, *(identity[position] for position in kept), *[SHARED] * (padding + 1)),
        content=range(1, 1 + len(kept)),
        cut=bound.text[offsets[lost[0]][0] :].strip() if lost else "",
    )


def _overlapping(offsets: Sequence[tuple[int, int]], start: int, end: int) -> list[int]:
    return [position for position, (left, right) in enumerate(offsets) if left < end and start < right]


def _person(match: re.Match[str], names: Sequence[str]) -> int | None:
    """The index of the person whom a piece in braces names; None for a doubled brace."""
    if match[0] in ("{{", "}}"):
        return None
    if match[1] is None:
        raise PromptError(
            f'Expected braces in pairs, but "{match[0]}" stands alone at character {match.start() + 1} of the prompt: '
            f'write "{match[0] * 2}" for the brace itself.'
        )
    name = match[1].strip()
    if name not in names:
        raise PromptError(
            f"Expected the name of a person of the scene, but the prompt says '{{{name}}}'{suggest(name, names)}"
        )
    return names.index(name)


def _article(noun: str) -> str:
    return "an" if noun[:1].lower() in tuple("aeiou") else "a"


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
