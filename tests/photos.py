"""Small made-up photos for tests that need pixels, not faces."""

from pathlib import Path

import numpy as np
import PIL.Image


def blocks(seed: int, side: int = 96) -> PIL.Image.Image:
    """A photo of four by four coloured blocks, unlike that of any other seed."""
    colours = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    return PIL.Image.fromarray(colours).resize((side, side), PIL.Image.Resampling.NEAREST)


def write_blocks(path: Path, seed: int = 0, side: int = 96) -> Path:
    """Such a photo as a file; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks(seed, side).save(path)
    return path
