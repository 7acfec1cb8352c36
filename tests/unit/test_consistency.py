"""Tales of the miniature's world, and how their people's consistency is measured."""

import numpy as np
import pytest
from minis import shipped_miniature

from multiid import Composer
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.consistency import WAYS, consistency_table, measure_consistency
from multiid.mini.figures.judges import cloth_medians, lit_clothes, read_clothes
from multiid.mini.figures.tales import make_tale, panel_scene, tale_people
from multiid.mini.world.people import is_held_out


@pytest.fixture(scope="module")
def composer() -> Composer:
    return shipped_miniature()


def test_a_tale_is_the_same_unseen_people_elsewhere() -> None:
    tale = make_tale(3, people=2, panels=4)
    assert tale == make_tale(3, people=2, panels=4)
    assert tale.cast != make_tale(4, people=2, panels=4).cast
    assert all(is_held_out(person) for person in tale.cast.people)
    assert len({clothes.colour for clothes in tale.cast.clothes}) == 2
    for panel in tale.panels[1:]:
        assert (panel.cast.people, panel.cast.clothes) == (tale.cast.people, tale.cast.clothes)
    assert len({panel.cast.place for panel in tale.panels}) == 4
    assert len({panel.pose for panel in tale.panels}) == 4


def test_panels_say_what_people_wear_or_do_not(composer: Composer) -> None:
    tale = make_tale(0, panels=2)
    people = tale_people(composer, tale)
    dressed, bare = (
        panel_scene(tale.panels[1], people, dressed=dressed, anchors={}, consistency=1.0, steps=1)
        for dressed in (True, False)
    )
    assert [person.phrase for person in dressed.cast] == [str(clothes) for clothes in tale.cast.clothes]
    assert [person.phrase for person in bare.cast] == ["", ""]
    assert dressed.prompt.count("{p1}") == dressed.prompt.count("{p2}") == 1


def test_true_clothes_are_of_the_true_colour() -> None:
    for index in range(6):
        for panel in make_tale(index).panels:
            truth, place = panel.truth(), panel.cast.place
            medians = cloth_medians(np.asarray(truth.picture), truth, place)
            colours = read_clothes(np.asarray(truth.picture), truth, place)
            for clothes, median, colour in zip(panel.cast.clothes, medians, colours, strict=True):
                assert (median is None) == (colour is None)
                if median is not None:
                    assert colour == clothes.colour
                    assert np.abs(median - lit_clothes(place)[colour]).max() <= 14


def test_consistency_is_measured_in_every_way(composer: Composer) -> None:
    shown: dict[str, int] = {}
    figures = measure_consistency(
        composer,
        MiniFaces(),
        tales=1,
        panels=2,
        steps=4,
        show=lambda _, way, pictures: shown.__setitem__(way, len(pictures)),
    )
    assert tuple(figures) == WAYS
    assert shown == dict.fromkeys(WAYS, 2)
    table = consistency_table(figures)
    print(table)
    assert all(way in table for way in WAYS[1:])
    true = figures["true"]
    assert true.distance < 10  # strokes lie over plain cloth
    assert true.agreement.share == true.clothes.share == true.own.share == 1
    assert 0.8 < true.similarity <= 1
    for way in WAYS[1:]:
        assert figures[way].own.of == 4
        assert figures[way].similarity < 1
    assert figures["no words"].distance > figures["words"].distance
    assert figures["words, anchors"] != figures["words"]
    assert figures["no words, anchors"] != figures["no words"]
