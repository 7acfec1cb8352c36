"""Draws examples/portraits: two portraits of each person of the examples, from the miniature's world.

    python examples/draw_portraits.py

The files come with the checkout; this makes them again after the world's drawing has changed.
"""

from pathlib import Path

from multiid.mini.world.people import Person
from multiid.mini.world.portrait import draw_portrait

FOLDER = Path(__file__).resolve().parent / "portraits"
PORTRAITS = 2
_SIDE = 96  # pixels

PEOPLE = {
    "ada": Person(
        gender="female", age="adult", hair_colour="brown", hair_style="bun", skin="peach", eyes="green",
        glasses="round", beard="none", face="heart",
    ),
    "isaac": Person(
        gender="male", age="adult", hair_colour="blonde", hair_style="long", skin="porcelain",
        eyes="blue", glasses="none", beard="moustache", face="square",
    ),
    "grace": Person(
        gender="female", age="adult", hair_colour="black", hair_style="curly", skin="umber", eyes="blue",
        glasses="none", beard="none", face="square",
    ),
    "alan": Person(
        gender="male", age="adult", hair_colour="ginger", hair_style="quiff", skin="peach",
        eyes="blue", glasses="none", beard="short", face="square",
    ),
    "mia": Person(
        gender="female", age="child", hair_colour="pink", hair_style="pigtails", skin="bronze", eyes="blue",
        glasses="none", beard="none", face="oval",
    ),
    "leo": Person(
        gender="male", age="child", hair_colour="blue", hair_style="spiky", skin="honey",
        eyes="blue", glasses="none", beard="none", face="oval",
    ),
    "lise": Person(
        gender="female", age="elder", hair_colour="lilac", hair_style="bob", skin="honey",
        eyes="green", glasses="none", beard="none", face="heart",
    ),
    "otto": Person(
        gender="male", age="elder", hair_colour="white", hair_style="tufts", skin="peach", eyes="brown",
        glasses="none", beard="full", face="round",
    ),
}  # fmt: skip
"""Nothing was trained on any of them."""


def draw(folder: Path) -> list[Path]:
    """Writes a folder of portraits for each person; gives the files."""
    files: list[Path] = []
    for index, (name, person) in enumerate(PEOPLE.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(1, PORTRAITS + 1):
            file = folder / name / f"{number}.png"
            seed = 100 * index + number
            draw_portrait(person, seed=seed, size=_SIDE).picture.save(file, optimize=True)
            files.append(file)
    return files


if __name__ == "__main__":
    print(*draw(FOLDER), sep="\n")  # noqa: T201
