"""An anchor: what one picture knows of one of its people, for others of that person to keep to."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

__all__ = ["Anchor"]


@dataclass(frozen=True, eq=False)
class Anchor:
    """One person as one picture shows them, recorded while it was made: `Composer.compose(scene, record=...)`.

    A `Person` with an anchor keeps to it. It fits pictures of the same models, steps and sampler. It lives in memory:
    its picture's recipe makes it again, and `Recipe.anchor_digest` tells its digest without making it.

    Attributes:
        name: of the person.
        fingerprint: of the person's identity.
        digest: tells this anchor from others: the picture's recipe and whom of it this is, as SHA-256.
        preset: name of the preset that made the picture; None for a pipeline of the user's own.
        steps: denoising steps of the picture.
        scheduler: its sampler, by name; None for the pipeline's own.
        tokens: for each self-attention layer the hidden states of the person's places, (evaluations,
            tokens, width).
    """

    name: str
    fingerprint: str
    digest: str
    preset: str | None
    steps: int
    scheduler: str | None
    tokens: Mapping[str, Tensor]

    @property
    def nbytes(self) -> int:
        """How much memory it takes, in bytes."""
        return sum(tensor.nbytes for tensor in self.tokens.values())
