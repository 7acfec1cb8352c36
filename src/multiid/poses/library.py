"""Finding a template in the library: by words, by number of people, by tags, by who they are."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from multiid.poses.anatomy import Age
from multiid.poses.roles import plain_text, role_of
from multiid.poses.templates import Template, library_templates, spare_places
from multiid.validation import suggest

__all__ = ["find_templates", "fitting_templates", "known_tags", "why_none"]

_TAG, _TITLE, _DESCRIPTION = 4, 2, 1  # what a word counts where it is found
_LEAST_STEM = 3  # letters that words must share at their beginning
_MOST_ENDING = 4  # letters that one of them may have more then: "sit" and "sitting"
_ENDINGS = frozenset(("e", "ed", "er", "es", "ies", "ing", "ion", "y"))  # or in which they may differ: "hike", "hiking"

_IDLE = frozenset((
    "a", "an", "and", "are", "at", "for", "in", "is", "of", "on", "or", "people", "person", "persons", "the", "to",
    "who", "with",
))  # fmt: skip
_SAME = {
    "bike": "bicycle", "children": "child", "cycling": "bicycle", "dad": "parent", "embracing": "hugging",
    "father": "parent", "kid": "child", "kids": "child", "man": "adult", "men": "adult", "mom": "parent",
    "mother": "parent", "mum": "parent", "seated": "sitting", "woman": "adult", "women": "adult",
}  # fmt: skip
_COUNTED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {word: str(number) for number, word in enumerate(_COUNTED, start=1)}


def find_templates(text: str = "", *, people: int | None = None, tags: Sequence[str] = ()) -> list[Template]:
    """The library's templates that fit all that is asked for, the best first; all of them where nothing is.

    Args:
        text: words to look for in a template's name, tags, title and description, and in the roles of its places;
            a number, in digits or as a word, is that of the people, extras apart. Words match that begin alike, as
            "sit" and "sitting" do, or mean the same, as "kids" and "children". Case, order and small words do not
            matter. Those templates are found that have most of the words. A word counts 4 in the name, the tags, the
            roles or as the number, 2 in the title and 1 in the description, in the best of these alone; one that is
            not there but tells a role ("grandma", "boys") counts 2 where a place has it. The larger the sum, the
            earlier the template, and the one whose name the text is comes first of all.
        people: only templates with at least so many places. Of equals the one with fewest to spare is first, as in
            `templates_for`.
        tags: only templates that have every one of them.

    Returns:
        The templates; of those that are equal in all this, by name. None where nothing fits (`why_none` says why).
    """
    fitting = [template for template in library_templates() if set(tags) <= set(template.tags)]
    if people is not None:
        fitting = [template for template in fitting if len(template.places) >= people]
        fitting.sort(key=lambda template: spare_places(template, people))
    words = _query(text)
    if not words:
        return fitting
    found = {template.name: [_weight(word, template) for word in words] for template in fitting}
    counts = {name: sum(weight > 0 for weight in weights) for name, weights in found.items()}
    most = max(counts.values(), default=0)
    best = [template for template in fitting if most and counts[template.name] == most]
    named = _words(text)

    def rank(template: Template) -> tuple[bool, int]:
        return _words(template.name) != named, -sum(found[template.name])

    return sorted(best, key=rank)  # stable: of equals as before


def fitting_templates(roles: Sequence[str], *, tags: Sequence[str] = ()) -> list[Template]:
    """The library's templates with a place for each of some people, those that suit them best first.

    Those with fewest places to spare come first, as in `templates_for`; of these, those with most places for the
    people's own roles; of these, those with most of the tags.

    Args:
        roles: of the people: "adult", "child" or "elder".
        tags: that like templates have.
    """
    wanted = Counter(roles)

    def rank(template: Template) -> tuple[bool, int, int, int, str]:
        offered = Counter(place.role for place in template.places if not place.extra)
        suited = sum((wanted & offered).values())
        shared = len(set(tags) & set(template.tags))
        return *spare_places(template, len(roles)), -suited, -shared, template.name

    return [template for template in sorted(library_templates(), key=rank) if len(template.places) >= len(roles)]


def known_tags() -> list[str]:
    """Every tag of the library, in alphabetical order."""
    return sorted({tag for template in library_templates() for tag in template.tags})


def why_none(text: str = "", *, people: int | None = None, tags: Sequence[str] = ()) -> str:
    """One line for whoever asked `find_templates` and got nothing: what was looked for, and what there is instead."""
    asked = [f'"{text}"'] if text else []
    asked += [f"places for {people}"] if people is not None else []
    asked += [f"the tag{'s' if len(tags) > 1 else ''} {' and '.join(tags)}"] if tags else []
    line = f"No template fits: looked for {', '.join(asked) or 'any'}."
    largest = max((len(template.places) for template in library_templates()), default=0)
    if people is not None and people > largest:
        return f"{line} The most people that a template has places for are {largest}."
    known = known_tags()
    for tag in tags:
        if tag not in known:
            near = _names(find_templates(tag)) if _query(tag) else ""
            return f"{line} There is no tag '{tag}'{suggest(tag, known)}" + (f" Near it are {near}." if near else "")
    parts = [_names(find_templates(text))] if text and (tags or people is not None) else []
    parts += [_names(find_templates(people=people, tags=tags))] if text and (tags or people is not None) else []
    parts += [_names(find_templates(tags=tags))] if people is not None and tags else []
    near = next(filter(None, parts), "")
    return f"{line} Near it are {near}." if near else f"{line} Tags are {', '.join(known)}."


def _names(templates: Sequence[Template]) -> str:
    return ", ".join(template.name for template in templates[:3])


def _query(text: str) -> list[str]:
    words = [word for word in _words(text) if word not in _IDLE]
    return list(dict.fromkeys(words))


def _words(text: str) -> list[str]:
    words: list[str] = re.findall(r"[^\W_]+", plain_text(text))
    return [_NUMBERS.get(word, _SAME.get(word, word)) for word in words]


def _weight(word: str, template: Template) -> int:
    """What a word counts in a template: as in the best place where it is found; 0 where it is not."""
    if word.isdecimal():
        return _TAG if word == str(template.people) else 0
    roles: list[str] = [place.role for place in template.places]
    places = (
        (_TAG, [template.name, *template.tags, *roles]),
        (_TITLE, [template.title]),
        (_DESCRIPTION, [template.description]),
    )
    found = (weight for weight, texts in places if any(_alike(word, other) for other in _words(" ".join(texts))))
    return max(next(found, 0), _TITLE if _told_role(word) in roles else 0)


def _told_role(word: str) -> Age | None:
    """The role that a noun tells, with a plural's s or without; None for other words, which would all be adults'."""
    role = role_of(word.removesuffix("s"))
    return None if role == "adult" else role


def _alike(word: str, other: str) -> bool:
    if word == other:
        return True
    stem = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, other, strict=False)))
    ends = {word[stem:], other[stem:]}
    return stem >= _LEAST_STEM and (ends <= _ENDINGS or ("" in ends and max(map(len, ends)) <= _MOST_ENDING))
