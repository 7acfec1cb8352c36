"""The attention formula."""

import math

import pytest
import torch

from multiid.attention.masked import join_keys, masked_attention, multiplied_attention


def _plain(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """softmax(QK^T / sqrt(d)) with every term weighted, written out."""
    terms = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).exp() * weights
    return terms / terms.sum(-1, keepdim=True) @ value


def test_weights_multiply_the_terms_of_the_softmax() -> None:
    query, key, value = torch.randn(2, 3, 10, 8), torch.randn(2, 3, 7, 8), torch.randn(2, 3, 7, 8)
    weights = torch.rand(10, 7) * 2
    weights[:, 3] = 0
    torch.testing.assert_close(masked_attention(query, key, value, weights.log()), _plain(query, key, value, weights))


def test_a_key_of_weight_zero_adds_exactly_nothing() -> None:
    query, key, value = torch.randn(1, 2, 10, 8), torch.randn(1, 2, 7, 8), torch.randn(1, 2, 7, 8)
    weights = torch.ones(10, 7)
    weights[:5, 6] = 0
    before = masked_attention(query, key, value, weights.log())
    key[:, :, 6], value[:, :, 6] = 100 * torch.randn(8), 100 * torch.randn(8)
    after = masked_attention(query, key, value, weights.log())
    assert torch.equal(before[:, :, :5], after[:, :, :5])
    assert not torch.equal(before[:, :, 5:], after[:, :, 5:])


def test_multiplied_weights_by_hand() -> None:
    """One query, three keys of logits ln 2, ln 3 and -ln 4; weights 1, 0 and 2: terms 2, 1 and 1/16."""
    query = torch.ones(1, 1, 1, 1)
    key = torch.tensor([math.log(2), math.log(3), -math.log(4)]).view(1, 1, 3, 1)
    value = torch.tensor([1.0, 10.0, 100.0]).view(1, 1, 3, 1)
    heard = multiplied_attention(query, key, value, torch.tensor([[1.0, 0.0, 2.0]]))
    assert heard.item() == pytest.approx((2 * 1 + 1 * 10 + 100 / 16) / (2 + 1 + 1 / 16))


def test_multiplied_weights_of_one_are_plain_attention() -> None:
    query, key, value = torch.randn(2, 3, 10, 8), torch.randn(2, 3, 7, 8), torch.randn(2, 3, 7, 8)
    heard = multiplied_attention(query, key, value, torch.ones(10, 7))
    torch.testing.assert_close(heard, masked_attention(query, key, value))


def test_a_key_multiplied_by_zero_is_still_heard_whatever_it_says() -> None:
    """Eq. 6 does not exclude: the key's logit is 0, so its value comes in, but what it would answer does not count."""
    query, key, value = torch.randn(1, 2, 10, 8), torch.randn(1, 2, 7, 8), torch.randn(1, 2, 7, 8)
    weights = torch.ones(10, 7)
    weights[:, 6] = 0
    before = multiplied_attention(query, key, value, weights)
    assert (before - masked_attention(query, key, value, weights.log())).abs().max() > 1e-2
    key[:, :, 6] = 100 * torch.randn(8)
    assert torch.equal(multiplied_attention(query, key, value, weights), before)
    value[:, :, 6] += 1
    assert (multiplied_attention(query, key, value, weights) - before).abs().min() > 1e-3


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_multiplied_weights_keep_the_dtype_and_are_finite(dtype: torch.dtype) -> None:
    query, key, value = (100 * torch.randn(1, 2, 7, 8).to(dtype) for _ in range(3))
    heard = multiplied_attention(query, key, value, torch.rand(7, 7).to(dtype))
    assert heard.dtype == dtype
    assert heard.isfinite().all()


def test_the_stack_stands_behind_the_text_of_every_row() -> None:
    text, stack = torch.randn(3, 2, 77, 4), torch.randn(1, 2, 5, 4)
    joined = join_keys(text, stack)
    assert torch.equal(joined[:, :, :77], text)
    assert all(torch.equal(row, stack[0]) for row in joined[:, :, 77:])
