"""Photos of people: from a folder that the user gives, or portraits of the miniature's world that stand in for them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import PIL.Image

from multiid.errors import IdentityError, SuiteError
from multiid.mini.figures.trials import UNSEEN, find_strangers
from multiid.mini.world.dice import Dice
from multiid.mini.world.people import make_person
from multiid.mini.world.portrait import draw_portrait
from multiid.people.identity import check_words
from multiid.people.photo import PHOTO_SUFFIXES, PhotoSource, load_photos

__all__ = ["Album", "Entry", "draw_album", "read_album"]

_STAND_INS = 15  # people, as many as FastComposer's protocol has
_PORTRAITS = 6  # of each
_PORTRAIT = 96  # pixels
_LAYOUT = "FOLDER/NOUN/NAME/, such as FOLDER/woman/ada/1.jpg"

_Pictures = tuple[PIL.Image.Image, ...]


@dataclass(frozen=True, eq=False)
class Entry:
    """Somebody whose photos there are.

    Attributes:
        name: what prompts call them.
        noun: the class noun.
        photos: files, or pictures that were drawn; at least one.
    """

    name: str
    noun: str
    photos: tuple[PhotoSource, ...]

    def split(self, *, given: int, kept: int) -> tuple[_Pictures, _Pictures]:
        """Photos for the generator, and others to compare pictures with.

        The first ones are given and the last ones kept. Where there are too few for both, one at least is kept, and
        somebody's only photo does for both.

        Args:
            given: how many the generator should get, at least one.
            kept: how many to compare with, of those that it does not get; 0 for the very ones that it gets.

        Raises:
            PhotoError: when a file has changed since the album was read, and is no photo any more.
        """
        count = len(self.photos)
        ours = self.photos[: max(1, min(given, count - 1)) if kept else given]
        theirs = self.photos[max(len(ours), count - kept) :] if kept else ()
        given_pictures = _pictures(ours)
        return given_pictures, _pictures(theirs) if theirs else given_pictures


@dataclass(frozen=True, eq=False)
class Album:
    """Everybody whose photos there are.

    Attributes:
        entries: the people.
        drawn: whether portraits of the miniature's world stand in for photos.
        digest: of all names and pixels: the same for the same photos, in whatever folder.
    """

    entries: tuple[Entry, ...]
    drawn: bool
    digest: str


def read_album(folder: str | Path) -> Album:
    """The people of a folder that holds one folder for each class noun, with one for each person inside.

    `FOLDER/woman/ada/1.jpg` is a photo of ada, a woman. Every photo is read once, so that a broken one is told
    before any work. Hidden files, and other files than photos, are passed over.

    Raises:
        SuiteError: when the folder is none or is laid out otherwise, a name or a noun cannot stand in a prompt, or
            two people have one name.
        PhotoError: when somebody has no photo, or one cannot be used.
    """
    nouns = _folders(Path(folder), "a folder for each class noun")
    people = {person: noun.name for noun in nouns for person in _folders(noun, "a folder for each person")}
    seen: dict[str, Path] = {}
    for person, noun in people.items():
        if person.name in seen:
            raise SuiteError(
                f"Expected every person's name once, but there are {seen[person.name]} and {person}: rename one."
            )
        seen[person.name] = person
        try:
            check_words(person.name, noun)
        except IdentityError as error:
            raise SuiteError(f"{person}: {error}") from error
    return _album((_read_entry(person, noun) for person, noun in people.items()), drawn=False)


def draw_album() -> Album:
    """Portraits of 15 grown-up people of the miniature's world, on whom nothing was trained."""
    dice = Dice("stand-ins", UNSEEN)
    models = [make_person(dice.seed(), age="adult") for _ in range(_STAND_INS)]
    people: list[tuple[Entry, _Pictures]] = []
    for index, person in enumerate(find_strangers(models, dice), start=1):
        portraits = tuple(draw_portrait(person, seed=dice.seed(), size=_PORTRAIT).picture for _ in range(_PORTRAITS))
        people.append((Entry(f"p{index}", person.noun, portraits), portraits))
    return _album(people, drawn=True)


def _album(people: Iterable[tuple[Entry, _Pictures]], *, drawn: bool) -> Album:
    """The album of those people with their photos, which are needed for its digest alone."""
    digest = hashlib.sha256()
    entries: list[Entry] = []
    for entry, pictures in people:
        digest.update(f"{entry.noun}/{entry.name}:{len(pictures)}".encode())
        for picture in pictures:
            digest.update(f"{picture.width}x{picture.height}".encode() + picture.tobytes())
        entries.append(entry)
    return Album(tuple(entries), drawn=drawn, digest=digest.hexdigest())


def _folders(folder: Path, what: str) -> list[Path]:
    """The folders in a folder, by name; `what` they should be is for messages."""
    try:
        visible = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        folders = [path for path in visible if path.is_dir()]
    except FileNotFoundError as error:
        raise SuiteError(f"Expected a folder of people's photos ({_LAYOUT}), but there is no {folder}.") from error
    except NotADirectoryError as error:
        raise SuiteError(f"Expected a folder of people's photos ({_LAYOUT}), but {folder} is a file.") from error
    except OSError as error:
        raise SuiteError(f"{folder}: expected a folder that can be read, but got: {error.strerror}.") from error
    stray = [path.name for path in visible if path.suffix.lower() in PHOTO_SUFFIXES and path not in folders]
    if stray:
        raise SuiteError(f"{folder}: expected {what} ({_LAYOUT}), but got a photo, {stray[0]}.")
    if not folders:
        raise SuiteError(f"{folder}: expected {what} ({_LAYOUT}), but there is none.")
    return folders


def _read_entry(folder: Path, noun: str) -> tuple[Entry, _Pictures]:
    photos = load_photos(folder)
    entry = Entry(folder.name, noun, tuple(Path(photo.name) for photo in photos))
    return entry, tuple(photo.image for photo in photos)


def _pictures(photos: Sequence[PhotoSource]) -> _Pictures:
    return tuple(photo.image for photo in load_photos(photos))
