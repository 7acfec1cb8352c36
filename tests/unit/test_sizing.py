"""Picture sizes by a model's own area, for models that were trained on other sizes than templates are made for."""

import pytest

from multiid import PRESETS, Pose, Scene, Size, load_template, template_names
from multiid.pipeline.sizing import AreaRule
from multiid.pipeline.staging import Stage, set_stage

MINI = PRESETS["mini"].defaults


def stage(scene: Scene, area: AreaRule | None = MINI.area) -> Stage:
    return set_stage(scene, default_size=MINI.size, multiple=8, limb_width=MINI.limb_width, area=area)


@pytest.mark.parametrize(
    ("size", "places", "expected"),
    [
        (Size(1024, 1024), 1, Size(128, 128)),
        (Size(1024, 1024), 2, Size(160, 160)),
        (Size(1216, 832), 4, Size(232, 160)),
        (Size(1344, 768), 8, Size(312, 184)),
        (Size(8, 8), 1, Size(128, 128)),
        (Size(4000, 100), 1, Size(808, 64)),  # no side under 64
        (Size(1024, 1024), 0, Size(128, 128)),
    ],
)
def test_sizes_grow_with_the_places(size: Size, places: int, expected: Size) -> None:
    assert AreaRule(side=128, growth=0.6).scaled(size, places=places, multiple=8) == expected


def test_growth_is_between_one_area_for_all_and_one_for_each() -> None:
    square = Size(1024, 1024)
    assert AreaRule(side=128, growth=0).scaled(square, places=4, multiple=8) == Size(128, 128)
    assert AreaRule(side=128, growth=1).scaled(square, places=4, multiple=8) == Size(256, 256)
    assert AreaRule(side=128, growth=0).scaled(square, places=4, multiple=48) == Size(144, 144)
    for wrong in ({"side": 63, "growth": 0.5}, {"side": 128, "growth": 1.1}, {"side": 128, "growth": -0.1}):
        with pytest.raises(ValueError, match="Expected a side of at least 64 and a growth from 0 to 1"):
            AreaRule(**wrong)


@pytest.mark.parametrize("name", template_names())
def test_every_template_fits_the_miniature(name: str) -> None:
    """The control image and the skeletons are of the picture's size, and limbs are seen."""
    pose = load_template(name).pose()
    staged = stage(Scene("", template=name))
    area = 128**2 * len(pose.places) ** 0.6
    print(name, staged.size, f"{staged.size.width * staged.size.height / area:.3f} of {area:.0f} pixels")
    assert staged.size.width * staged.size.height == pytest.approx(area, rel=0.08)
    assert staged.size.aspect == pytest.approx(pose.size.aspect, rel=0.05)
    assert staged.control is not None
    assert staged.control.size == staged.size == staged.pose.size
    assert all(side % 8 == 0 for side in staged.size)


def test_a_pose_counts_as_a_template_does() -> None:
    pose = load_template("family-four").pose()
    assert stage(Scene("", pose=pose)).size == Size(232, 160)
    assert stage(Scene("", pose=Pose(Size(400, 200), pose.places[:1]))).size == Size(184, 88)


def test_a_size_that_the_scene_gives_counts_more() -> None:
    assert stage(Scene("", template="family-four", width=320, height=256)).size == Size(320, 256)


def test_without_a_rule_templates_keep_their_sizes() -> None:
    for name in template_names()[::5]:  # some of each kind; all of them take long
        assert stage(Scene("", template=name), None).size == load_template(name).pose().size
    assert PRESETS["sdxl"].defaults.area is None


def test_without_places_the_preset_s_size_holds() -> None:
    assert stage(Scene("")).size == MINI.size == Size(128, 128)
