"""The attention formula."""

import torch

from multiid.attention.masked import join_keys, masked_attention


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


def test_the_stack_stands_behind_the_text_of_every_row() -> None:
    text, stack = torch.randn(3, 2, 77, 4), torch.randn(1, 2, 5, 4)
    joined = join_keys(text, stack)
    assert torch.equal(joined[:, :, :77], text)
    assert all(torch.equal(row, stack[0]) for row in joined[:, :, 77:])
