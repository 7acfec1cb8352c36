"""Pictures cut to a panel's shape, around the faces in them."""

from collections.abc import Sequence

from multiid.geometry import Box
from multiid.story.seen import Seen

__all__ = ["cut_around"]

_ROOM = 0.3  # of a face's box that is left around it where there is room

Span = tuple[float, float]


def cut_around(seen: Seen, aspect: float) -> Box:
    """The largest part of a picture with an aspect, placed so that faces are whole.

    A face of the cast is never cut where another place would spare it, then no other face; then each keeps room around
    itself; then the part is as near to the picture's middle as that allows.

    Args:
        seen: the picture's size and faces.
        aspect: width by height of the part.

    Returns:
        The part, in pixels; it has fractions where the picture's sides are no whole multiples of the shape.
    """
    width, height = seen.size
    across = width > height * aspect
    length, kept = (width, height * aspect) if across else (height, width / aspect)

    def span(box: Box) -> Span:
        start, end = (box.left, box.right) if across else (box.top, box.bottom)
        return max(0.0, start), min(float(length), end)

    named = [span(face.box) for face in seen.faces.values()]
    others = [span(box) for box in seen.others]
    roomy = [span(box.expanded(2 * _ROOM)) for box in seen.boxes]
    slack = length - kept

    def harm(start: float) -> tuple[float, ...]:
        end = start + kept
        return (
            *_lost(named, start, end),
            *_lost(others, start, end),
            _lost(roomy, start, end)[1],
            abs(start - slack / 2),
        )

    starts = [slack / 2, *(float(start) for start in range(int(slack) + 1)), slack]
    start = min(starts, key=harm)
    return Box(start, 0, start + kept, height) if across else Box(0, start, width, start + kept)


def _lost(spans: Sequence[Span], start: float, end: float) -> tuple[int, float]:
    """How many spans reach beyond a part, and how much of them it leaves out: a share of each, added up."""
    shares = [
        1 - max(0.0, min(end, right) - max(start, left)) / (right - left) for left, right in spans if right > left
    ]
    lost = [round(share, 6) for share in shares]  # so that no rounding decides between two places
    return sum(share > 0 for share in lost), sum(lost)
