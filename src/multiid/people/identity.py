"""Identities: what the photos of one person come down to, as a value and as a file.

An identity holds no photo, no path and no date. Its file is safetensors, never a pickle, and the same identity
gives the same bytes.
"""

import math
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from multiid.errors import EncoderMismatchError, IdentityError, NotAnIdentityError
from multiid.people.mixing import mix_directions, mix_loudness, normalise_shares
from multiid.people.tensorfile import fingerprint, read_tensors, write_tensors

__all__ = ["Identity", "check_words"]

_PLAIN, _MIXED = 1, 2  # formats of files; only a mix needs the second, so older versions still read the others
_EMBEDDINGS = "embeddings"
_LOUDNESS = "photo_loudness"
_FACES = "face_embeddings."


@dataclass(frozen=True, eq=False)
class Identity:
    """One person, as an ID encoder sees them in one to a few photos, or a mix of several.

    Attributes:
        name: what prompts call the person, "{name}"; letters of any script, digits, - and _.
        noun: the class noun that the text encoder reads in its place: one or more words ("woman", "old man").
        embeddings: ID embeddings before fusion, float32 on the CPU.
        encoder: fingerprint of the ID encoder that made them; only that one can fuse them.
        face_embeddings: for verification: the faces' embeddings by recogniser name, as they came from it; photos
            in which it found no embedding have no row. Of a mix one row, between the people's.
        photo_loudness: for each photo how loudly it is heard, above 0; 1 is untouched. None where all are 1, as in
            everybody who is no mix.

    Raises:
        IdentityError: when a name or noun cannot stand in a prompt, embeddings are empty or not finite, or there is
            not one loudness above 0 for each photo.
    """

    name: str
    noun: str
    embeddings: Float[Tensor, "images tokens width"] = field(repr=False)  # biometric data stay out of logs
    encoder: str
    face_embeddings: Mapping[str, Float[Tensor, "faces dims"]] = field(default_factory=dict[str, Tensor], repr=False)
    photo_loudness: Float[Tensor, " images"] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_words(self.name, self.noun)
        if not self.encoder:
            raise IdentityError(f"Expected the fingerprint of {self.name}'s ID encoder, but got an empty text.")
        # Copies, so that nobody who holds the originals can change this person.
        faces = {
            kind: _checked(tensor, f"{self.name}'s {kind} embeddings", 2)
            for kind, tensor in self.face_embeddings.items()
        }
        object.__setattr__(self, "embeddings", _checked(self.embeddings, f"{self.name}'s ID embeddings", 3))
        object.__setattr__(self, "face_embeddings", faces)
        object.__setattr__(self, "photo_loudness", _checked_loudness(self.name, self.images, self.photo_loudness))

    @classmethod
    def mix(cls, name: str, shares: Mapping["Identity", float], *, noun: str | None = None) -> "Identity":
        """A new identity between several: `Identity.mix("child", {ada: 0.6, isaac: 0.4})`.

        Its stack holds everybody's embeddings, heard as loudly as their shares say; only the proportions of the
        shares count, whatever the numbers of photos, and one person alone comes out exactly as they are. Mixes can
        be mixed: the result is that of all the people in them (`mixing.mix_loudness` has the formula).

        Args:
            name: what prompts call the mix.
            shares: each identity's share, any positive number; 0.6 and 0.4 are as 3 and 2.
            noun: the mix's class noun; needed where the people's differ.

        Raises:
            IdentityError: when nobody is given, a share is not above 0, or the nouns differ and none is given.
            EncoderMismatchError: when the identities were made by different ID encoders.
        """
        people = list(shares)
        if not people:
            raise IdentityError(f"Expected at least one identity to make {name} of, but got none.")
        for person, share in shares.items():
            if not (math.isfinite(share) and share > 0):
                raise IdentityError(
                    f"Expected a share above 0 for {person.name}, but got {share:g}: leave out who is not in the mix."
                )
        nouns = list(dict.fromkeys(person.noun for person in people))
        if noun is None and len(nouns) > 1:
            raise IdentityError(
                f"Expected a class noun for {name}, since those of the people differ ({', '.join(nouns)}): give one, "
                'such as "person".'
            )
        _require_alike(people)
        parts = normalise_shares(list(shares.values()))
        first = people[0]
        if len(people) == 1:
            faces = first.face_embeddings
        else:
            faces = {
                kind: mix_directions(parts, [person.face_embeddings[kind] for person in people])
                for kind in first.face_embeddings
                if all(kind in person.face_embeddings for person in people)
            }
        return cls(
            name,
            first.noun if noun is None else noun,
            torch.cat([person.embeddings for person in people]),
            first.encoder,
            faces,
            mix_loudness(parts, [person._heard() for person in people]),
        )

    @property
    def images(self) -> int:
        """Number of photos."""
        return self.embeddings.shape[0]

    @property
    def tokens(self) -> int:
        """Number of stacked ID embeddings: tokens the identity takes in a prompt."""
        return self.embeddings.shape[0] * self.embeddings.shape[1]

    @property
    def fingerprint(self) -> str:
        """Tells this person's embeddings from others: 64 hexadecimal digits, whatever the name and the noun.

        It covers what changes pictures: the ID embeddings, their encoder, and a mix's loudness.
        """
        loudness = {} if self.photo_loudness is None else {_LOUDNESS: self.photo_loudness}
        return fingerprint({f"{_EMBEDDINGS} {self.encoder}": self.embeddings} | loudness)

    @property
    def loudness(self) -> Float[Tensor, " stack"]:
        """How loudly each stacked ID embedding is heard: its photo's loudness, in the order of the stack."""
        return self._heard().repeat_interleave(self.embeddings.shape[1])

    def _heard(self) -> Float[Tensor, " images"]:
        return torch.ones(self.images) if self.photo_loudness is None else self.photo_loudness

    def require(self, encoder: str) -> None:
        """Makes sure that this identity was made by the ID encoder with that fingerprint.

        Raises:
            EncoderMismatchError: when it was not.
        """
        if self.encoder != encoder:
            raise EncoderMismatchError(
                f"Expected {self.name} to be made by ID encoder {encoder[:12]}, the one in use, but it was made by "
                f"{self.encoder[:12]}. Make the identity again from its photos, or use the adapter it was made with."
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the identity as safetensors: byte for byte the same for the same identity, whole or not at all.

        Raises:
            OutputError: when the file cannot be written; one that was there before is then unchanged.
        """
        about = {"identity": _PLAIN, "name": self.name, "noun": self.noun, "encoder": self.encoder}
        tensors = {_EMBEDDINGS: self.embeddings}
        tensors |= {_FACES + kind: tensor for kind, tensor in self.face_embeddings.items()}
        if self.photo_loudness is not None:
            about["identity"] = _MIXED
            tensors[_LOUDNESS] = self.photo_loudness
        write_tensors(path, tensors, about)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Identity":
        """Reads an identity file.

        Raises:
            IdentityError: when the file is absent or damaged; `NotAnIdentityError` when it is whole, but no identity or
                of a later format.
        """
        tensors, about = read_tensors(path, error=IdentityError)
        version = about.pop("identity", None)
        if type(version) is not int or version not in (_PLAIN, _MIXED):
            later = isinstance(version, int) and version > _MIXED
            raise NotAnIdentityError(
                f"Expected an identity file of format {_PLAIN} or {_MIXED}, but {Path(path)} is "
                + (f"of format {version}: update multiid." if later else "none: make one with multiid people add.")
            )
        try:
            return cls(**_fields(tensors, about, mixed=version == _MIXED))
        except IdentityError as error:
            raise IdentityError(
                f"Expected a whole identity file, but {Path(path)} is damaged: {error} Make the identity again."
            ) from error


def _require_alike(people: list[Identity]) -> None:
    """Makes sure that one ID encoder can fuse all of them."""
    first = people[0]
    for other in people[1:]:
        if other.encoder != first.encoder:
            raise EncoderMismatchError(
                f"Expected identities made by one ID encoder, but {first.name} was made by {first.encoder[:12]} and "
                f"{other.name} by {other.encoder[:12]}. Make them again from their photos with the same adapter."
            )
        if other.embeddings.shape[1:] != first.embeddings.shape[1:]:
            raise IdentityError(
                f"Expected ID embeddings of one shape, but {first.name}'s are {tuple(first.embeddings.shape[1:])} and "
                f"{other.name}'s {tuple(other.embeddings.shape[1:])}. Make them again from their photos."
            )


def _fields(tensors: Mapping[str, Tensor], about: Mapping[str, Any], *, mixed: bool) -> dict[str, Any]:
    required = {_EMBEDDINGS, _LOUDNESS} if mixed else {_EMBEDDINGS}
    strangers = sorted(set(about) ^ {"name", "noun", "encoder"})
    strangers += [name for name in tensors if name not in required and not name.startswith(_FACES)]
    strangers += [name for name, value in about.items() if not isinstance(value, str)]
    strangers += sorted(required - set(tensors))
    if strangers:
        raise IdentityError(f"its parts are not those of an identity ({strangers[0]}).")
    embeddings = _checked(tensors[_EMBEDDINGS], "ID embeddings", 3)
    faces = {
        name.removeprefix(_FACES): _checked(tensor, "face embeddings", 2)
        for name, tensor in tensors.items()
        if name not in required
    }
    loudness = _checked_loudness("the mix", len(embeddings), tensors.get(_LOUDNESS))
    return {**about, "embeddings": embeddings, "face_embeddings": faces, "photo_loudness": loudness}


def _checked(tensor: Tensor, what: str, axes: int) -> Tensor:
    if tensor.ndim != axes or not tensor.numel() or not tensor.is_floating_point():
        raise IdentityError(
            f"Expected {what} as numbers on {axes} axes, none empty, but got {tuple(tensor.shape)} of {tensor.dtype}."
        )
    single = tensor.detach().to("cpu", torch.float32, copy=True).contiguous()
    if not single.isfinite().all():
        raise IdentityError(f"Expected finite numbers in {what}, but some are not. Try other photos, or float32.")
    return single


def _checked_loudness(name: str, images: int, loudness: Tensor | None) -> Tensor | None:
    """One loudness for each photo; None where all are 1, so that an identity has one form only."""
    if loudness is None:
        return None
    single = _checked(loudness, f"the loudness of {name}'s photos", 1)
    if len(single) != images or not (single > 0).all():
        raise IdentityError(
            f"Expected a loudness above 0 for each of {name}'s {images} photos, but got {len(single)} numbers from "
            f"{single.min().item():g} to {single.max().item():g}: take shares that lie nearer to each other."
        )
    return None if (single == 1).all() else single


def check_words(name: str, noun: str) -> None:
    """Makes sure that a name and a class noun can stand in prompts.

    Raises:
        IdentityError: when one cannot.
    """
    # Letters, marks (vowel signs of many scripts) and digits of any script.
    if not name or not all(letter in "-_" or unicodedata.category(letter)[0] in "LMN" for letter in name):
        raise IdentityError(f"Expected a name of letters, digits, - and _, to stand in prompts, but got {name!r}.")
    words = noun.split(" ")
    if not all(words) or not all(
        letter in "-'" or unicodedata.category(letter)[0] in "LMN" for word in words for letter in word
    ):
        raise IdentityError(
            f"Expected a class noun of words with single spaces between, like 'woman' or 'old man', but got {noun!r}."
        )
