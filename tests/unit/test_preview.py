import numpy as np
from PIL import Image

from multiid.geometry import Point, Size
from multiid.poses.body import Body
from multiid.poses.draw import place_colour
from multiid.poses.preview import draw_preview
from multiid.poses.skeleton import Place, Pose, Skeleton

SIZE = Size(2048, 512)
STEP = 2048 // 11


def eleven() -> Pose:
    """Eleven people in a row, so that the last number has two digits."""
    people = (Body(height=0.5, face=Point((index + 0.5) / 11, 0.4)) for index in range(11))
    return Pose(SIZE, tuple(Place(body.skeleton(SIZE)) for body in people))


def ink(picture: np.ndarray, index: int, top: float, bottom: float) -> np.ndarray:
    """Where the colour of the place at `index` is found among the rows given, in that person's columns."""
    part = picture[round(top) : round(bottom), index * STEP : (index + 1) * STEP].astype(int)
    return np.abs(part - place_colour(index)).max(axis=2) < 40


def test_each_face_has_a_box_and_the_number_of_its_place():
    pose = eleven()
    picture = np.asarray(draw_preview(pose, long_side=2048).convert("RGB"))
    assert picture.shape == (512, 2048, 3)
    widths = []
    for index, place in enumerate(pose.places):
        face = place.skeleton.face_box(SIZE)
        assert face is not None
        columns = np.flatnonzero(ink(picture, index, face.top - 80, face.top - 3).any(axis=0))
        widths.append(int(np.ptp(columns)))
        sides = ink(picture, index, face.top + 5, face.bottom - 5).all(axis=0)
        assert sides.sum() >= 4, "two lines of two pixels run down the whole face"
    assert max(widths[:10]) < 50, "0 to 9 have one digit"
    assert widths[10] > 1.2 * max(widths[2:10]), "10 has two"


def test_a_face_at_the_upper_edge_has_its_number_below():
    body = Body(height=0.5, face=Point(0.5 / 11, 0.08)).skeleton(SIZE)
    picture = np.asarray(draw_preview(Pose(SIZE, (Place(body),)), long_side=2048).convert("RGB"))
    face = body.face_box(SIZE)
    assert face is not None
    below = ink(picture, 0, face.bottom + 3, face.bottom + 80)
    print(f"{below.sum()} pixels of the number below, required 100")
    assert below.sum() > 100


def test_size_and_form():
    tall = Pose(Size(896, 1152), ())
    assert draw_preview(tall).size == (398, 512)
    assert draw_preview(tall).mode == "P"


def test_a_backdrop_is_dimmed_behind_the_skeletons():
    pose = eleven()
    backdrop = Image.new("RGB", (500, 100), (200, 100, 40))
    plain = np.asarray(draw_preview(pose).convert("RGB")).astype(int)
    picture = draw_preview(pose, backdrop=backdrop)
    assert picture.mode == "RGB"
    seen = np.asarray(picture).astype(int)
    empty = (plain == 0).all(axis=2)
    dimmed = (np.abs(seen[empty] - (90, 45, 18)).max(axis=1) <= 1).mean()
    print(f"{dimmed:.3f} of the ground is the dimmed backdrop, required 0.95 (numbers have a black rim)")
    assert dimmed > 0.95
    drawn = np.abs(seen[~empty] - plain[~empty]).max(axis=1)
    print(f"{(drawn < 40).mean():.2f} of the ink is as without, required 0.9")
    assert (drawn < 40).mean() > 0.9


def test_a_head_seen_from_behind_has_an_ellipse_and_extras_are_grey():
    body = Body(height=0.5, face=Point(0.5, 0.4), turn=180.0, head_turn=180.0).skeleton(SIZE)
    box = body.head_box(SIZE)
    assert box is not None
    for extra, colour in ((False, place_colour(0)), (True, (150, 150, 150))):
        drawn = draw_preview(Pose(SIZE, (Place(body, extra=extra),)), long_side=2048).convert("RGB")
        marked = np.abs(np.asarray(drawn).astype(int) - colour).max(axis=2) < 12
        left, top, right, bottom = (round(corner) for corner in box.corners)
        assert marked[top : bottom + 1, left : right + 1].any()
        assert not marked[top + 1 : top + 4, left + 1 : left + 4].any(), "an ellipse has no corners"
        assert marked[: top - 3].sum() > 50, "its number stands above"


def test_people_without_a_face_are_drawn_without_number():
    faceless = Skeleton((None, Point(0.5, 0.2), Point(0.4, 0.2), *[None] * 15))
    picture = np.asarray(draw_preview(Pose(SIZE, (Place(faceless),))).convert("RGB"))
    assert picture.any()
    assert not (np.abs(picture.astype(int) - place_colour(0)).max(axis=2) < 40).any()
