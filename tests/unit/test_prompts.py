"""Binding prompts to people, and their tokens with the real CLIP vocabulary."""

from typing import Any

import pytest
from conftest import needs
from hypothesis import given
from hypothesis import strategies as st

from multiid.errors import PromptError
from multiid.prompts import CLIP_WINDOW, SHARED, Subject, bind, bind_phrase, plan_tokens

ADA = Subject("ada", "woman", "in a red coat", tokens=2)
ISAAC = Subject("isaac", "old man", tokens=3)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from transformers import CLIPTokenizer

    folder = needs("clip_tokenizer")
    return CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))


def words(tokenizer: Any, ids: tuple[int, ...]) -> list[str]:
    return [token.removesuffix("</w>") for token in tokenizer.convert_ids_to_tokens(list(ids))]


def test_a_placeholder_is_the_noun_alone() -> None:
    bound = bind("a {ada} and an {isaac} having tea", [ADA, ISAAC])
    assert bound.text == "a woman and an old man having tea"
    assert [bound.text[m.start : m.noun_end] for m in bound.mentions] == ["woman", "old man"]
    assert [m.person for m in bound.mentions] == [0, 1]


def test_a_phrase_follows_the_first_mention_where_asked() -> None:
    bound = bind("a {ada} waves, {ada} smiles", [ADA], phrases=True)
    assert bound.text == "a woman in a red coat waves, woman smiles"
    assert [bound.text[m.start : m.end] for m in bound.mentions] == ["woman in a red coat", "woman"]


def test_one_persons_phrase_stands_alone_with_the_right_article() -> None:
    assert bind_phrase(ADA).text == "a woman in a red coat"
    assert bind_phrase(ISAAC).text == "an old man"


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("tea in a garden", "a woman and an old man, tea in a garden"),
        ("a {isaac} in a garden", "a woman, a old man in a garden"),
        ("", "a woman and an old man"),
        ("{{ada}} is no {ada} or {isaac}", "{ada} is no woman or old man"),
        ("{{ada}}", "a woman and an old man, {ada}"),
    ],
)
def test_people_not_mentioned_open_the_prompt(prompt: str, text: str) -> None:
    assert bind(prompt, [ADA, ISAAC]).text == text


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("a {aida}", r"'\{aida\}'; did you mean 'ada'"),
        ("a {zoltan}", "known are ada, isaac"),
        ("a {}", r"'\{\}'"),
        ("a {ada", "stands alone at character 3"),
        ("a ada} b", "stands alone at character 6"),
        ("a {{ada}", "stands alone"),
    ],
)
def test_what_is_wrong_with_braces_is_said(prompt: str, message: str) -> None:
    with pytest.raises(PromptError, match=message):
        bind(prompt, [ADA, ISAAC])


def test_a_name_given_twice_is_refused() -> None:
    with pytest.raises(PromptError, match="ada came twice"):
        bind("a {ada}", [ADA, ADA])


def test_plain_tokens_are_the_stock_tokenizers(tokenizer: Any) -> None:
    bound = bind("a {ada} and an {isaac}, film grain; Zoë's café", [ADA, ISAAC])
    plan = plan_tokens(bound, tokenizer)
    stock = tokenizer(bound.text, padding="max_length", max_length=CLIP_WINDOW, truncation=True).input_ids
    assert list(plan.ids) == stock
    assert plan.cut == ""
    assert set(plan.identity) == {SHARED}


def test_the_last_piece_of_the_noun_makes_room_for_the_identity(tokenizer: Any) -> None:
    bound = bind("a {ada} and an {isaac}", [ADA, ISAAC], phrases=True)
    plan = plan_tokens(bound, tokenizer, expand={0: 2, 1: 3})
    expected = ["a", "woman", "woman", "in", "a", "red", "coat", "and", "an", "old", "man", "man", "man"]
    assert words(tokenizer, plan.ids[1 : len(expected) + 1]) == expected
    assert plan.content == range(1, len(expected) + 1)
    assert plan.identity_positions(0) == [2, 3]
    assert plan.identity_positions(1) == [11, 12, 13]
    owned = [words(tokenizer, plan.ids)[i] for i, owner in enumerate(plan.owners) if owner == 1]
    assert owned == ["old", "man", "man", "man"]


def test_a_noun_of_several_pieces_is_owned_whole_and_expanded_once(tokenizer: Any) -> None:
    noun = "snowboarderess"
    pieces = tokenizer(noun, add_special_tokens=False).input_ids
    assert len(pieces) > 1
    plan = plan_tokens(bind("a {zoe} here", [Subject("zoe", noun)]), tokenizer, expand={0: 2})
    assert list(plan.ids[2 : 3 + len(pieces)]) == [*pieces, pieces[-1]]
    assert plan.owners[2 : 3 + len(pieces)] == (0,) * (len(pieces) + 1)
    assert plan.identity_positions(0) == [1 + len(pieces), 2 + len(pieces)]


def test_later_mentions_are_owned_but_not_expanded(tokenizer: Any) -> None:
    plan = plan_tokens(bind("a {ada} and the {ada}", [Subject("ada", "woman")]), tokenizer, expand={0: 2})
    assert plan.identity_positions(0) == [2, 3]
    assert [i for i, owner in enumerate(plan.owners) if owner == 0] == [2, 3, 6]


def test_what_is_cut_is_said_and_the_end_is_never_lost(tokenizer: Any) -> None:
    prompt = "a {ada}, " + ", ".join(["red"] * 40) + " and the last words"
    plan = plan_tokens(bind(prompt, [ADA]), tokenizer, expand={0: 2})
    assert len(plan.ids) == CLIP_WINDOW
    assert plan.ids[-1] == tokenizer.eos_token_id
    assert plan.cut.endswith("red and the last words")
    assert plan.identity_positions(0) == [2, 3]


@given(st.text(max_size=300), st.integers(1, 100))
def test_any_prompt_gives_a_whole_window(tokenizer: Any, text: str, tokens: int) -> None:
    prompt = "a {ada} " + text.replace("{", "{{").replace("}", "}}")
    plan = plan_tokens(bind(prompt, [ADA]), tokenizer, expand={0: tokens})
    assert len(plan.ids) == len(plan.owners) == len(plan.identity) == CLIP_WINDOW
    assert plan.ids[0] == tokenizer.bos_token_id
    assert plan.ids[plan.content.stop] == tokenizer.eos_token_id
    assert len(plan.identity_positions(0)) == min(tokens, CLIP_WINDOW - 3)
    assert (plan.cut == "") == (len(plan.content) < CLIP_WINDOW - 2 or plan.cut == "")


def test_a_noun_the_tokenizer_cannot_read_is_refused(tokenizer: Any) -> None:
    with pytest.raises(PromptError, match="class noun in words"):
        plan_tokens(bind("a {x}", [Subject("x", " ")]), tokenizer)
