"""Embeddings and the embedding stack, with the tiny pipeline's text encoders."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from multiid.conditioning import Conditioning, Member, TextEncoders, condition
from multiid.errors import PromptError
from multiid.people.adapter import Adapter
from multiid.people.identity import Identity
from multiid.pipeline.tiny import tiny_adapter, tiny_pipeline
from multiid.prompts import CLIP_WINDOW, SHARED

PROMPT = "a {ada} and an {isaac} in a garden"


@pytest.fixture(scope="module")
def pipeline() -> Any:
    return tiny_pipeline()


@pytest.fixture(scope="module")
def adapter() -> Adapter:
    return tiny_adapter()


def person(name: str, noun: str, images: int, adapter: Adapter) -> Identity:
    generator = torch.Generator().manual_seed(sum(map(ord, name)))
    return Identity(name, noun, torch.randn(images, 1, 48, generator=generator), adapter.fingerprint)


def conditioned(
    pipeline: Any, adapter: Adapter, members: Sequence[Member], layout: Any, prompt: str = PROMPT
) -> Conditioning:
    return condition(prompt, members, encoders=TextEncoders.of(pipeline), id_encoder=adapter.encoder, layout=layout)


@pytest.fixture
def cast(adapter: Adapter) -> list[Member]:
    return [
        Member(person("ada", "woman", 2, adapter), "in a red coat"),
        Member(person("isaac", "old man", 3, adapter), strength=0.5),
    ]


def stock(pipeline: Any, text: str) -> tuple[torch.Tensor, torch.Tensor]:
    embeds, _, pooled, _ = pipeline.encode_prompt(text, do_classifier_free_guidance=False)
    return embeds, pooled


@pytest.mark.parametrize("layout", ["stack", "inline"])
def test_before_merging_it_is_the_stock_encoding_of_the_plain_text(
    pipeline: Any, adapter: Adapter, cast: list[Member], layout: str
) -> None:
    result = conditioned(pipeline, adapter, cast, layout)
    embeds, pooled = stock(pipeline, "a woman and an old man in a garden")
    assert torch.equal(result.text, embeds)
    assert torch.equal(result.pooled, pooled)


def test_the_stack_holds_each_persons_phrase_with_their_identity(
    pipeline: Any, adapter: Adapter, cast: list[Member]
) -> None:
    result = conditioned(pipeline, adapter, cast, "stack")
    # "a woman woman in a red coat" and "an old man man man", without beginning, end and padding
    assert result.owners.tolist() == [SHARED] * CLIP_WINDOW + [0] * 7 + [1] * 5
    assert result.loudness.tolist() == [1.0] * (CLIP_WINDOW + 7) + [0.5] * 5
    assert result.merged_text is result.text
    assert result.merged_pooled is result.pooled
    assert result.read == (
        ("scene", "a woman and an old man in a garden"),
        ("ada", "a woman in a red coat"),
        ("isaac", "an old man"),
    )
    other = [replace(cast[0], identity=person("adb", "woman", 2, adapter)), cast[1]]
    changed = conditioned(pipeline, adapter, other, "stack", PROMPT.replace("ada", "adb"))
    differs = (result.stack != changed.stack).any(dim=1)
    # The last two tokens of the noun's place carry the identity; all other tokens are text.
    assert differs.tolist() == [False, True, True] + [False] * 9


def test_inline_holds_the_identities_where_the_nouns_stand(pipeline: Any, adapter: Adapter, cast: list[Member]) -> None:
    result = conditioned(pipeline, adapter, cast, "inline")
    # "a woman woman in a red coat and an old man man man in a garden"
    owned = [0] * 6 + [SHARED] * 2 + [1] * 4
    assert result.owners.tolist()[2:14] == owned
    assert result.loudness.tolist()[2:14] == [1.0] * 9 + [0.5] * 3
    assert len(result.stack) == 0
    assert not torch.equal(result.merged_text, result.text)
    assert not torch.equal(result.merged_pooled, result.pooled)
    embeds, _ = stock(pipeline, "a woman woman in a red coat and an old man man man in a garden")
    fused = (result.merged_text != embeds).any(dim=2)[0]
    assert fused.nonzero().flatten().tolist() == [2, 3, 11, 12, 13]
    by_hand = adapter.encoder.fuse(cast[0].identity.embeddings, embeds[0, 2:4])
    torch.testing.assert_close(result.merged_text[0, 2:4], by_hand)


@pytest.mark.parametrize("layout", ["stack", "inline"])
def test_a_mix_is_heard_by_shares_where_its_identity_stands(pipeline: Any, adapter: Adapter, layout: str) -> None:
    parents = {person("ada", "woman", 2, adapter): 0.75, person("isaac", "woman", 1, adapter): 0.25}
    child = Identity.mix("child", parents)
    result = conditioned(pipeline, adapter, [Member(child, "in red", strength=0.5)], layout, "a {child} at home")
    # "a woman woman woman in red"; as loud as 0.75 x 2 + 0.25 = 1.75 photos, and all of it half as loud
    carried = [0.5 * 0.75 * 1.75 / 2] * 2 + [0.5 * 0.25 * 1.75]
    if layout == "stack":
        expected = [1.0] * CLIP_WINDOW + [0.5, *carried, 0.5, 0.5]
    else:
        expected = [1.0, 1.0, *carried] + [1.0] * (CLIP_WINDOW - 5)
    assert result.loudness.tolist() == pytest.approx(expected)
    assert (result.owners == 0).sum() == (6 if layout == "stack" else 5)


@pytest.mark.parametrize("layout", ["stack", "inline"])
def test_a_person_of_strength_zero_is_but_a_noun(
    pipeline: Any, adapter: Adapter, cast: list[Member], layout: str
) -> None:
    silent = [replace(member, strength=0.0) for member in cast]
    result = conditioned(pipeline, adapter, silent, layout)
    assert not result.shows_identities
    assert torch.equal(result.merged_text, result.text)
    one = conditioned(pipeline, adapter, [silent[0], cast[1]], layout)
    assert set(one.owners.tolist()) == {SHARED, 1}


def test_auto_is_inline_as_long_as_everything_fits(pipeline: Any, adapter: Adapter, cast: list[Member]) -> None:
    assert conditioned(pipeline, adapter, cast, "auto").layout == "inline"
    long = PROMPT + " and the sun" * 21
    crowded = conditioned(pipeline, adapter, cast, "auto", long)
    assert crowded.layout == "stack"
    assert crowded.notes == ()
    cut = conditioned(pipeline, adapter, cast, "inline", long)
    assert cut.layout == "inline"
    assert 'was cut: "' in cut.notes[0]


def test_identities_that_do_not_fit_inline_are_an_error_that_names_them(
    pipeline: Any, adapter: Adapter, cast: list[Member]
) -> None:
    late = "the sun and " * 24 + PROMPT
    with pytest.raises(PromptError, match=r'but isaac did not fit.*layout "stack"'):
        conditioned(pipeline, adapter, cast, "inline", late)
    stacked = conditioned(pipeline, adapter, cast, "auto", late)
    assert stacked.layout == "stack"
    assert 'was cut: "' in stacked.notes[0]
    assert (stacked.owners == 1).sum() == 5


def test_more_photos_than_one_window_holds_are_refused(pipeline: Any, adapter: Adapter) -> None:
    many = [Member(person("ada", "woman", 80, adapter))]
    with pytest.raises(PromptError, match="ada has 80: use fewer photos"):
        conditioned(pipeline, adapter, many, "stack", "a {ada}")


def test_a_text_encoder_that_splits_words_otherwise_is_refused(
    pipeline: Any, adapter: Adapter, cast: list[Member]
) -> None:
    from transformers import CLIPTokenizer

    letters = {symbol: i for i, symbol in enumerate(t for t in pipeline.tokenizer.get_vocab() if len(t) < 6)}
    other = CLIPTokenizer(
        vocab=letters | {"<|startoftext|>": len(letters), "<|endoftext|>": len(letters) + 1}, merges=[]
    )
    encoders = replace(TextEncoders.of(pipeline), tokenizers=(pipeline.tokenizer, other))
    with pytest.raises(PromptError, match="two tokenizers with one vocabulary"):
        condition(PROMPT, cast, encoders=encoders, id_encoder=adapter.encoder, layout="stack")
