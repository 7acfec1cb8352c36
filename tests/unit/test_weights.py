"""Who may look where: grids and weights."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from multiid.attention.weights import grid_masks, key_weights
from multiid.prompts import SHARED


def test_each_level_halves_as_a_strided_convolution_does() -> None:
    grids = grid_masks(torch.ones(2, 127 * 8, 65 * 8), (127, 65), 4)
    conv = torch.nn.Conv2d(1, 1, 3, stride=2, padding=1)
    x = torch.zeros(1, 1, 127, 65)
    for grid in grids:
        assert grid.shape == (2, *x.shape[2:])
        x = conv(x)


@given(st.integers(8, 90), st.integers(8, 90), st.integers(0, 2**31))
def test_grids_keep_constant_masks_and_stay_within_range(rows: int, columns: int, seed: int) -> None:
    torch.manual_seed(seed)
    masks = torch.stack([torch.ones(rows * 2, columns * 2), torch.rand(rows * 2, columns * 2)])
    for grid in grid_masks(masks, (rows, columns), 4):
        torch.testing.assert_close(grid[0], torch.ones_like(grid[0]))
        assert grid[1].min() >= 0
        assert grid[1].max() <= 1 + 1e-6


def test_a_half_covered_cell_weighs_half() -> None:
    mask = torch.zeros(1, 16, 16)
    mask[:, :, :4] = 1
    assert grid_masks(mask, (2, 2), 1)[0][0].tolist() == [[0.5, 0.0], [0.5, 0.0]]


def test_weights_are_mask_times_loudness_and_text_is_heard_everywhere() -> None:
    masks = torch.tensor([[[1.0, 0.25, 0.0]], [[0.0, 0.0, 1.0]]])
    owners = torch.tensor([SHARED, 0, 0, 1])
    weights = key_weights(masks, owners, torch.tensor([1.0, 1.0, 0.5, 2.0]))
    assert weights.tolist() == [[1.0, 1.0, 0.5, 0.0], [1.0, 0.25, 0.125, 0.0], [1.0, 0.0, 0.0, 2.0]]


def test_silenced_text_is_still_heard_so_no_row_is_wholly_masked() -> None:
    weights = key_weights(torch.zeros(1, 2, 2), torch.tensor([SHARED, 0]), torch.tensor([0.0, 1.0]))
    assert (weights[:, 0] > 0).all()
    assert (weights[:, 1] == 0).all()
    assert torch.softmax(weights.log(), dim=1).isfinite().all()


def test_a_scene_without_people_is_all_text() -> None:
    grids = grid_masks(torch.zeros(0, 96, 64), (12, 8), 3)
    assert [grid.shape for grid in grids] == [(0, 12, 8), (0, 6, 4), (0, 3, 2)]
    weights = key_weights(grids[2], torch.full((77,), SHARED), torch.ones(77))
    assert weights.shape == (6, 77)
    assert weights.unique().tolist() == [pytest.approx(1.0)]
