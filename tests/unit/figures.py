"""A simple person for tests of outlines and regions."""

from multiid.geometry import Point, Size
from multiid.poses.skeleton import JOINTS, Joint, Skeleton

# Where the points of an upright adult who faces the camera are, in statures from the crown, x from the middle.
_UPRIGHT: dict[Joint, tuple[float, float]] = {
    "nose": (0.0, 0.09), "neck": (0.0, 0.195),
    "right_shoulder": (-0.106, 0.195), "right_elbow": (-0.135, 0.37), "right_wrist": (-0.14, 0.515),
    "left_shoulder": (0.106, 0.195), "left_elbow": (0.135, 0.37), "left_wrist": (0.14, 0.515),
    "right_hip": (-0.055, 0.485), "right_knee": (-0.055, 0.72), "right_ankle": (-0.055, 0.96),
    "left_hip": (0.055, 0.485), "left_knee": (0.055, 0.72), "left_ankle": (0.055, 0.96),
    "right_eye": (-0.019, 0.064), "left_eye": (0.019, 0.064),
    "right_ear": (-0.0415, 0.075), "left_ear": (0.0415, 0.075),
}  # fmt: skip


def upright(
    size: Size, *, x: float, crown: float, stature: float, hidden: tuple[Joint, ...] = (), head: float = 1.0
) -> Skeleton:
    """A person whose crown is at (x, crown), all in pixels of a canvas of `size`; `head` enlarges the head alone."""
    points: list[Point | None] = []
    for joint in JOINTS:
        right, down = _UPRIGHT[joint]
        if joint.endswith(("nose", "eye", "ear")):
            right, down = right * head, 0.13 - (0.13 - down) * head
        place = Point((x + right * stature) / size.width, (crown + down * stature) / size.height)
        points.append(None if joint in hidden else place)
    return Skeleton(tuple(points))
