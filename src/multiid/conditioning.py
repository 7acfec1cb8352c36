"""From prompts and identities to embeddings: the embedding stack and what goes with it.

Two layouts. `stack` (InstantFamily eq. 4, 5): the scene's text with plain class nouns, and behind it one short stack
per person, made of that person's own phrase with their identity fused in; any number of people and photos fits.
`inline` (PhotoMaker): the identities stand inside the one prompt, where the nouns are. `auto` takes `inline` as long
as all tokens fit and `stack` when they do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from multiid.errors import PromptError
from multiid.people.encoders import IDEncoder
from multiid.people.identity import Identity
from multiid.prompts import (
    CLIP_WINDOW,
    SHARED,
    BoundPrompt,
    Layout,
    Subject,
    TokenPlan,
    bind,
    bind_phrase,
    plan_tokens,
)

__all__ = ["Conditioning", "Member", "TextEncoders", "condition"]


@dataclass(frozen=True)
class Member:
    """One person of a scene as the text side sees them: who, in which phrase, and how strongly.

    `strength` 0 leaves the person's identity and phrase out altogether; 1 is untouched.
    """

    identity: Identity
    phrase: str = ""
    strength: float = 1.0

    @property
    def subject(self) -> Subject:
        """What the prompt needs to know."""
        return Subject(self.identity.name, self.identity.noun, self.phrase, self.identity.tokens)


@dataclass(frozen=True)
class Conditioning:
    """Everything a pipeline needs to be told of a scene's words and identities.

    Attributes:
        layout: the layout used, never "auto".
        text: embeddings of the scene's text with plain nouns, for the steps before identities are merged.
        pooled: its pooled embedding.
        merged_text: what takes the place of `text` once identities are merged (the same in layout `stack`).
        merged_pooled: likewise for `pooled`.
        stack: the embedding stack of all people; no tokens in layout `inline`.
        owners: for each key (the tokens of the text, then of the stack) the person it belongs to, or `SHARED`.
        loudness: for each key its own factor: the strength of the person whose it is, and in a mixed identity the
            share of the photo that it carries.
        read: who is read how, as ("scene" or a person's name, text).
        notes: what the user should know, such as words that were cut.
    """

    layout: Literal["stack", "inline"]
    text: Float[Tensor, "1 text channels"]
    pooled: Float[Tensor, "1 pooled"]
    merged_text: Float[Tensor, "1 text channels"]
    merged_pooled: Float[Tensor, "1 pooled"]
    stack: Float[Tensor, "tokens channels"]
    owners: Int[Tensor, " keys"]
    loudness: Float[Tensor, " keys"]
    read: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    @property
    def shows_identities(self) -> bool:
        """Whether anything but the scene's plain text is to be seen."""
        return bool((self.owners != SHARED).any())


@dataclass(frozen=True)
class TextEncoders:
    """The two tokenizers and CLIP text encoders of an SDXL pipeline, and the device they run on."""

    tokenizers: tuple[Any, Any]
    models: tuple[Any, Any]
    device: torch.device

    @classmethod
    def of(cls, pipeline: Any) -> "TextEncoders":
        """Those of a stock SDXL pipeline."""
        return cls(
            (pipeline.tokenizer, pipeline.tokenizer_2),
            (pipeline.text_encoder, pipeline.text_encoder_2),
            # Where an offloaded pipeline computes; the public `device` says where it rests.
            pipeline._execution_device,
        )

    def plans(self, bound: BoundPrompt, expand: dict[int, int] | None = None) -> tuple[TokenPlan, TokenPlan]:
        """The prompt's tokens for each of the two encoders."""
        first, second = (plan_tokens(bound, tokenizer, expand=expand) for tokenizer in self.tokenizers)
        if first.owners != second.owners:
            raise PromptError(
                "Expected two tokenizers with one vocabulary, as SDXL has, but they split the prompt differently."
            )
        return first, second

    def encode(
        self, plans: Sequence[tuple[TokenPlan, TokenPlan]]
    ) -> tuple[Float[Tensor, "prompts text channels"], Float[Tensor, "prompts pooled"]]:
        """SDXL's embeddings: the last hidden layer but one of both encoders side by side; pooled is the second's."""
        hidden: list[Tensor] = []
        pooled: Tensor | None = None
        for number, model in enumerate(self.models):
            ids = torch.tensor([pair[number].ids for pair in plans], device=self.device)
            output = model(ids, output_hidden_states=True)
            hidden.append(output.hidden_states[-2])
            pooled = output[0]
        if pooled is None or pooled.ndim != 2:
            raise PromptError("Expected a second text encoder with a projection, as SDXL has, but it has none.")
        return torch.cat(hidden, dim=-1), pooled


@torch.no_grad()
def condition(
    prompt: str, members: Sequence[Member], *, encoders: TextEncoders, id_encoder: IDEncoder, layout: Layout
) -> Conditioning:
    """Encodes a scene's text and everybody's identity.

    Args:
        prompt: the scene in words, with a "{name}" for each person.
        members: the people, in the order of the scene.
        encoders: the pipeline's text encoders.
        id_encoder: fuses identities with the class noun's embedding; on the encoders' device.
        layout: where the identities go.

    Raises:
        PromptError: when the prompt cannot be bound, or layout `inline` is asked for and an identity does not fit.
    """
    subjects = [member.subject for member in members]
    scene = bind(prompt, subjects)
    plain = encoders.plans(scene)
    text, pooled = encoders.encode([plain])
    if layout != "stack":
        bound = bind(prompt, [_heard(s, m) for s, m in zip(subjects, members, strict=True)], phrases=True)
        expand = {i: member.identity.tokens for i, member in enumerate(members) if member.strength > 0}
        inline = encoders.plans(bound, expand)
        lost = [subjects[i].name for i, tokens in expand.items() if len(inline[0].identity_positions(i)) < tokens]
        if layout == "inline" and lost:
            raise PromptError(
                f"Expected all identities within the prompt's {CLIP_WINDOW} tokens, but {', '.join(lost)} did not fit: "
                'shorten the prompt, use fewer photos, or use layout "stack".'
            )
        if layout == "inline" or not (lost or inline[0].cut):
            return _inline(text, pooled, bound, inline, members, encoders, id_encoder)
    return _stack(text, pooled, scene, plain, members, encoders, id_encoder)


def _inline(
    text: Tensor,
    pooled: Tensor,
    bound: BoundPrompt,
    plans: tuple[TokenPlan, TokenPlan],
    members: Sequence[Member],
    encoders: TextEncoders,
    id_encoder: IDEncoder,
) -> Conditioning:
    """Identities inside the prompt: PhotoMaker's layout, with each person's tokens owned by that person."""
    plan = plans[0]
    merged_text, merged_pooled = encoders.encode([plans])
    loudness = torch.ones(len(plan.ids), device=text.device)
    owners = torch.tensor(plan.owners, device=text.device)
    for person, member in enumerate(members):
        positions = plan.identity_positions(person)
        if positions:
            merged_text[0, positions] = _fused(member, merged_text[0, positions], id_encoder)
            loudness[positions] = member.strength * member.identity.loudness.to(text.device)
        else:
            owners[owners == person] = SHARED
    return Conditioning(
        layout="inline",
        text=text,
        pooled=pooled,
        merged_text=merged_text,
        merged_pooled=merged_pooled,
        stack=text.new_zeros(0, text.shape[2]),
        owners=owners,
        loudness=loudness,
        read=(("scene", bound.text),),
        notes=_cut_notes([(bound, plan)]),
    )


def _stack(
    text: Tensor,
    pooled: Tensor,
    scene: BoundPrompt,
    plans: tuple[TokenPlan, TokenPlan],
    members: Sequence[Member],
    encoders: TextEncoders,
    id_encoder: IDEncoder,
) -> Conditioning:
    """One short stack per person behind the scene's text: InstantFamily's layout."""
    shown = {person: member for person, member in enumerate(members) if member.strength > 0}
    phrases = {person: bind_phrase(member.subject) for person, member in shown.items()}
    phrase_plans = {
        person: encoders.plans(phrases[person], {0: member.identity.tokens}) for person, member in shown.items()
    }
    keys = [text.new_zeros(0, text.shape[2])]
    owners, loudness = [SHARED] * text.shape[1], [1.0] * text.shape[1]
    hidden, _ = encoders.encode(list(phrase_plans.values())) if shown else (text, pooled)
    for phrase, (person, member) in zip(hidden, shown.items(), strict=False):
        plan = phrase_plans[person][0]
        positions = plan.identity_positions(0)
        if len(positions) < member.identity.tokens:
            raise PromptError(
                f"Expected at most {CLIP_WINDOW} tokens for one person's noun and photos, but "
                f"{member.identity.name} has {member.identity.tokens}: use fewer photos."
            )
        phrase[positions] = _fused(member, phrase[positions], id_encoder)
        heard = torch.full((len(plan.ids),), member.strength)
        heard[positions] *= member.identity.loudness
        # Without the phrase's own beginning, end and padding, which would draw attention to themselves.
        keys.append(phrase[plan.content.start : plan.content.stop])
        owners += [person] * len(plan.content)
        loudness += heard[plan.content.start : plan.content.stop].tolist()
    return Conditioning(
        layout="stack",
        text=text,
        pooled=pooled,
        merged_text=text,
        merged_pooled=pooled,
        stack=torch.cat(keys),
        owners=torch.tensor(owners, device=text.device),
        loudness=torch.tensor(loudness, device=text.device),
        read=(("scene", scene.text), *((members[p].identity.name, phrase.text) for p, phrase in phrases.items())),
        notes=_cut_notes([(scene, plans[0]), *((phrases[p], phrase_plans[p][0]) for p in shown)]),
    )


def _heard(subject: Subject, member: Member) -> Subject:
    """A person of strength 0 is but a noun."""
    return subject if member.strength > 0 else replace(subject, phrase="")


def _fused(member: Member, class_embeds: Tensor, id_encoder: IDEncoder) -> Tensor:
    """A person's stacked ID embedding, fused with the class noun."""
    parameter = next(id_encoder.parameters())
    embeddings = member.identity.embeddings.to(device=parameter.device, dtype=parameter.dtype)
    return id_encoder.fuse(embeddings, class_embeds.to(parameter.dtype)).to(class_embeds.dtype)


def _cut_notes(texts: Sequence[tuple[BoundPrompt, TokenPlan]]) -> tuple[str, ...]:
    return tuple(
        f'The text encoder reads {CLIP_WINDOW} tokens, so the end of "{bound.text}" was cut: "{plan.cut}".'
        for bound, plan in texts
        if plan.cut
    )
