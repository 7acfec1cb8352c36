"""Identities: what the photos of one person come down to, as a value and as a file.

An identity holds no photo, no path and no date. Its file is safetensors, never a pickle, and the same identity
gives the same bytes.
"""

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from multiid.errors import EncoderMismatchError, IdentityError
from multiid.people.tensorfile import fingerprint, read_tensors, write_tensors

__all__ = ["Identity", "check_words"]

_FORMAT = 1
_EMBEDDINGS = "embeddings"
_FACES = "face_embeddings."


@dataclass(frozen=True, eq=False)
class Identity:
    """One person, as an ID encoder sees them in one to a few photos.

    Attributes:
        name: what prompts call the person, "{name}"; letters of any script, digits, - and _.
        noun: the class noun that the text encoder reads in its place: one or more words ("woman", "old man").
        embeddings: ID embeddings before fusion, float32 on the CPU.
        encoder: fingerprint of the ID encoder that made them; only that one can fuse them.
        face_embeddings: for verification: the faces' embeddings by recogniser name, as they came from it; photos
            in which it found no embedding have no row.

    Raises:
        IdentityError: when a name or noun cannot stand in a prompt, or embeddings are empty or not finite.
    """

    name: str
    noun: str
    embeddings: Float[Tensor, "images tokens width"] = field(repr=False)  # biometric data stay out of logs
    encoder: str
    face_embeddings: Mapping[str, Float[Tensor, "faces dims"]] = field(default_factory=dict[str, Tensor], repr=False)

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

        It covers what changes pictures: the ID embeddings and their encoder.
        """
        return fingerprint({f"{_EMBEDDINGS} {self.encoder}": self.embeddings})

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
        about = {"identity": _FORMAT, "name": self.name, "noun": self.noun, "encoder": self.encoder}
        faces = {_FACES + kind: tensor for kind, tensor in self.face_embeddings.items()}
        write_tensors(path, {_EMBEDDINGS: self.embeddings} | faces, about)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Identity":
        """Reads an identity file.

        Raises:
            IdentityError: when the file is absent, damaged, no identity, or of a later format.
        """
        tensors, about = read_tensors(path, error=IdentityError)
        version = about.pop("identity", None)
        if version != _FORMAT:
            later = isinstance(version, int) and version > _FORMAT
            raise IdentityError(
                f"Expected an identity file of format {_FORMAT}, but {Path(path)} is "
                + (f"of format {version}: update multiid." if later else "none: make one with multiid people add.")
            )
        try:
            return cls(**_fields(tensors, about))
        except IdentityError as error:
            raise IdentityError(
                f"Expected a whole identity file, but {Path(path)} is damaged: {error} Make the identity again."
            ) from error


def _fields(tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> dict[str, Any]:
    strangers = sorted(set(about) ^ {"name", "noun", "encoder"})
    strangers += [name for name in tensors if name != _EMBEDDINGS and not name.startswith(_FACES)]
    strangers += [name for name, value in about.items() if not isinstance(value, str)]
    if strangers or _EMBEDDINGS not in tensors:
        raise IdentityError(f"its parts are not those of an identity ({strangers[0] if strangers else _EMBEDDINGS}).")
    faces = {
        name.removeprefix(_FACES): _checked(tensor, "face embeddings", 2)
        for name, tensor in tensors.items()
        if name != _EMBEDDINGS
    }
    return {**about, "embeddings": _checked(tensors[_EMBEDDINGS], "ID embeddings", 3), "face_embeddings": faces}


def _checked(tensor: Tensor, what: str, axes: int) -> Tensor:
    if tensor.ndim != axes or not tensor.numel() or not tensor.is_floating_point():
        raise IdentityError(
            f"Expected {what} as numbers on {axes} axes, none empty, but got {tuple(tensor.shape)} of {tensor.dtype}."
        )
    single = tensor.detach().to("cpu", torch.float32, copy=True).contiguous()
    if not single.isfinite().all():
        raise IdentityError(f"Expected finite numbers in {what}, but some are not. Try other photos, or float32.")
    return single


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
