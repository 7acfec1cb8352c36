"""The formulas of consistent self-attention."""

import math

import pytest
import torch

from multiid.attention.anchored import anchored_attention, kept_cells, leaning, loudness
from multiid.attention.masked import masked_attention


def test_tokens_stand_behind_the_places_with_their_weight() -> None:
    query, key, value = torch.randn(2, 3, 4, 8), torch.randn(2, 3, 10, 8), torch.randn(2, 3, 10, 8)
    anchor_key, anchor_value = torch.randn(1, 3, 5, 8), torch.randn(1, 3, 5, 8)
    heard = anchored_attention(query, key, value, anchor_key, anchor_value, 2.5)
    keys, values = (
        torch.cat([own, other.expand(2, -1, -1, -1)], dim=2)
        for own, other in ((key, anchor_key), (value, anchor_value))
    )
    terms = (query @ keys.transpose(-1, -2) / 8**0.5).exp() * torch.tensor([1.0] * 10 + [2.5] * 5)
    torch.testing.assert_close(heard, terms / terms.sum(-1, keepdim=True) @ values)


def test_by_hand() -> None:
    """One query of logits ln 2 for its own place and ln 3 for a token of weight 4: terms 2 and 12."""
    query, key, value = torch.ones(1, 1, 1, 1), torch.full((1, 1, 1, 1), math.log(2)), torch.full((1, 1, 1, 1), 7.0)
    token = torch.full((1, 1, 1, 1), math.log(3))
    heard = anchored_attention(query, key, value, token, torch.full((1, 1, 1, 1), 14.0), 4.0)
    assert heard.item() == pytest.approx((2 * 7 + 12 * 14) / 14)


def test_the_same_tokens_again_change_nothing() -> None:
    """Who hears themselves twice hears the same."""
    query, key, value = torch.randn(1, 2, 4, 8), torch.randn(1, 2, 10, 8), torch.randn(1, 2, 10, 8)
    twice = anchored_attention(query, key, value, key, value, 1.0)
    torch.testing.assert_close(twice, masked_attention(query, key, value))


def test_how_many_tokens_are_kept_does_not_change_how_loud_they_are() -> None:
    mask = torch.rand(4, 5)
    assert 3 * loudness(mask, 3, 2.0) == pytest.approx(17 * loudness(mask, 17, 2.0))
    assert 3 * loudness(mask, 3, 2.0) == pytest.approx(2 * mask.sum().item())


def test_leaning_goes_its_share_of_the_way_and_beyond() -> None:
    own, heard = torch.randn(2, 3, 4), torch.randn(2, 3, 4)
    leant = own + leaning(own, heard, torch.tensor([0.0, 1.0, 3.0]))
    assert torch.equal(leant[:, 0], own[:, 0])
    torch.testing.assert_close(leant[:, 1], heard[:, 1])
    torch.testing.assert_close(leant[:, 2], own[:, 2] + 3 * (heard - own)[:, 2])


def test_kept_cells_are_the_persons_own() -> None:
    mask = torch.tensor([[0.0, 0.4, 0.5], [1.0, 0.9, 0.1]])
    assert kept_cells(mask, 9).tolist() == [2, 3, 4]
    assert kept_cells(mask * 0.3, 9).tolist() == []


def test_of_too_many_cells_some_are_kept_evenly() -> None:
    mask = torch.zeros(10, 10)
    mask[2:8] = 1
    kept = kept_cells(mask, 20)
    assert kept.tolist() == list(range(20, 80, 3))
    assert torch.equal(kept, kept_cells(mask, 20))
