"""Who the cast are: their photos and identity files, read beside the script."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from multiid.errors import IdentityError, MultiIDError
from multiid.people.identity import Identity, check_words
from multiid.people.photo import Photo, load_photos
from multiid.story.partial import CharacterPart
from multiid.validation import Misfit

__all__ = ["Sources", "read_sources"]


@dataclass(frozen=True)
class Sources:
    """Where the cast's identities come from.

    Attributes:
        photos: of those who are given by photos, by name.
        identities: of the others, as their files have them; their names may differ from those of the cast.
        misfits: everything wrong with photos, files and nouns.
    """

    photos: Mapping[str, tuple[Photo, ...]]
    identities: Mapping[str, Identity]
    misfits: tuple[Misfit, ...]


def read_sources(cast: Mapping[str, CharacterPart], folder: Path) -> Sources:
    """Reads the photos and identity files of a cast.

    Photos are decoded, since a broken one would otherwise be found when the models are loaded.

    Args:
        cast: by name.
        folder: of the script.
    """
    photos: dict[str, tuple[Photo, ...]] = {}
    identities: dict[str, Identity] = {}
    misfits: list[Misfit] = []
    for name, character in cast.items():
        if character.identity is not None:
            try:
                identities[name] = Identity.load(folder / character.identity)
            except IdentityError as error:
                misfits.append(Misfit(("cast", name, "identity"), str(error)))
            continue
        if character.noun is not None:
            try:
                check_words("name", character.noun)
            except IdentityError as error:
                misfits.append(Misfit(("cast", name, "noun"), str(error)))
        found, broken = _photos(name, character, folder)
        misfits += broken
        photos[name] = tuple(found)
    misfits += _of_other_encoders(identities)
    return Sources(photos, identities, tuple(misfits))


def _of_other_encoders(identities: Mapping[str, Identity]) -> list[Misfit]:
    """Those identities that no pipeline can compose together with the first."""
    first = next(iter(identities), None)
    return [
        Misfit(
            ("cast", name, "identity"),
            f"expected identities of one ID encoder, but {first}'s was made by {identities[first].encoder[:12]} and "
            f"this one by {identity.encoder[:12]}: make it again from its photos",
        )
        for name, identity in identities.items()
        if first is not None and identity.encoder != identities[first].encoder
    ]


def _photos(name: str, character: CharacterPart, folder: Path) -> tuple[list[Photo], list[Misfit]]:
    found: list[Photo] = []
    misfits: list[Misfit] = []
    for where, path in character.photos.items():
        try:
            found += load_photos(folder / path)
        except MultiIDError as error:
            misfits.append(Misfit(("cast", name, "photos", *where), str(error)))
    return found, misfits
