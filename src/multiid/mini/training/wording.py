"""From the people of a scene to token ids and keys, as the pipeline itself would read them, with dropout."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from multiid.mini.models import tokenizer
from multiid.mini.world.dice import Dice
from multiid.mini.world.words import PLACES
from multiid.prompts import SHARED, Subject, TokenPlan, bind, bind_phrase, plan_tokens

__all__ = ["PHRASE_WINDOW", "Kind", "Part", "Wording", "draw_kind", "word_scene"]

Kind = Literal["unconditional", "text", "unmasked", "inline", "stack"]
"""What an example shows: nothing, the text alone, all but regions, or identities in the prompt or in the stack."""

_SHARES: dict[Kind, float] = {"unconditional": 0.10, "text": 0.06, "unmasked": 0.08, "inline": 0.12, "stack": 0.64}

PHRASE_WINDOW = 24
"""Tokens of a phrase that are read: text encoders look back only, so what follows a phrase changes nothing in it."""

_NO_PLACE = 0.05
_PLACE_FIRST = 0.2


@dataclass(frozen=True)
class Part:
    """One person of a wording.

    Attributes:
        subject: name, noun, phrase and number of photos.
        place: which place of the pose is theirs.
    """

    subject: Subject
    place: int


@dataclass(frozen=True)
class Wording:
    """A scene in tokens.

    Attributes:
        scene: the scene's text.
        phrases: each person's own text; empty unless the stack is shown.
        owners: for each key, the text's tokens first and the phrases' after, whose it is: an index of `parts`.
        identity: for each key whose ID embedding is fused there, or `SHARED`.
        sources: for each key of a phrase (which phrase, which of its tokens).
    """

    scene: TokenPlan
    phrases: tuple[TokenPlan, ...]
    owners: tuple[int, ...]
    identity: tuple[int, ...]
    sources: tuple[tuple[int, int], ...]


def draw_kind(dice: Dice) -> Kind:
    """What to show, in the shares that training uses."""
    return dice.pick(tuple(_SHARES), tuple(_SHARES.values()))


def word_scene(parts: Sequence[Part], place: str, kind: Kind, dice: Dice) -> Wording:
    """The tokens of a scene.

    Args:
        parts: the people who are shown, in the order in which they are named.
        place: a key of `words.PLACES`.
        kind: what is shown; "unconditional" has no words at all.
        dice: chooses the order of the words.
    """
    subjects = [part.subject for part in parts]
    where = "" if dice.chance(_NO_PLACE) else PLACES[place]
    names = _listed([f"{'an' if s.noun[:1] in 'aeiou' else 'a'} {{{s.name}}}" for s in subjects])
    prompt = f"{where}, {names}" if where and dice.chance(_PLACE_FIRST) else f"{names} {where}".strip()
    if kind in ("unconditional", "text") or not parts:
        plan = plan_tokens(bind(prompt, subjects), _words())
        return Wording(plan, (), tuple([SHARED] * len(plan.ids)), tuple([SHARED] * len(plan.ids)), ())
    if kind == "inline":
        expand = {number: subject.tokens for number, subject in enumerate(subjects)}
        plan = plan_tokens(bind(prompt, subjects, phrases=True), _words(), expand=expand)
        whole = all(len(plan.identity_positions(number)) == tokens for number, tokens in expand.items())
        if whole and not plan.cut:
            return Wording(plan, (), plan.owners, plan.identity, ())
    plan = plan_tokens(bind(prompt, subjects), _words())
    phrases = tuple(_phrase(subject.noun, subject.phrase, subject.tokens) for subject in subjects)
    owners, identity = [SHARED] * len(plan.ids), [SHARED] * len(plan.ids)
    sources: list[tuple[int, int]] = []
    for number, phrase in enumerate(phrases):
        for position in phrase.content:
            owners.append(number)
            identity.append(number if phrase.identity[position] != SHARED else SHARED)
            sources.append((number, position))
    return Wording(plan, phrases, tuple(owners), tuple(identity), tuple(sources))


@cache
def _words() -> object:
    return tokenizer()


@cache
def _phrase(noun: str, phrase: str, tokens: int) -> TokenPlan:
    return plan_tokens(
        bind_phrase(Subject("one", noun, phrase, tokens)), _words(), expand={0: tokens}, length=PHRASE_WINDOW
    )


def _listed(items: Sequence[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""
