"""Which nouns are whose: children's, elders' or grown-ups'."""

import unicodedata

from multiid.poses.anatomy import Age

__all__ = ["ROLE_NOUNS", "plain_text", "role_of"]

ROLE_NOUNS: dict[Age, frozenset[str]] = {
    "child": frozenset((
        "baby", "boy", "child", "daughter", "girl", "grandchild", "granddaughter", "grandkid", "grandson", "infant",
        "kid", "newborn", "schoolboy", "schoolchild", "schoolgirl", "son", "stepdaughter", "stepson", "toddler",
    )),
    "elder": frozenset((
        "elder", "gran", "granddad", "grandfather", "grandma", "grandmother", "grandpa", "grandparent", "granny", "nan",
        "nana", "pensioner", "senior",
    )),
}  # fmt: skip
"""Nouns that say how old somebody is; all others are adults'."""

_OLD = frozenset(("old", "elderly", "aged"))  # words before a noun that make an elder of an adult


def role_of(noun: str) -> Age:
    """Whose place a class noun asks for, by its last word and what stands before it: "old man" is an elder.

    Of a word with hyphens the last part counts, as in "great-grandmother". Nouns that tell no age are adults'
    (`ROLE_NOUNS`).
    """
    *before, last = plain_text(noun).split() or [""]
    for role, nouns in ROLE_NOUNS.items():
        if last.rsplit("-", 1)[-1] in nouns:
            return role
    return "elder" if _OLD.intersection(before) else "adult"


def plain_text(text: str) -> str:
    """A text as words are compared: in small letters, full-width ones as others (Unicode's NFKC)."""
    return unicodedata.normalize("NFKC", text).casefold()
