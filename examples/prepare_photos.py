"""Puts photos for the examples into examples/photos: real ones that other packages or the test data hold.

Ada is played by the astronaut of scikit-image (NASA, public domain). Isaac is played by portraits of Newton from the
test data, if MULTIID_TEST_DATA or ../shared beside the checkout has them; otherwise by scikit-image's cameraman.
"""

import os
import shutil
from pathlib import Path

import skimage.data
from PIL import Image

HERE = Path(__file__).resolve().parent
TEST_DATA = Path(os.environ.get("MULTIID_TEST_DATA", HERE.parents[1] / "shared"))


def main() -> None:
    """Writes one folder of photos per person; folders that are there already are left alone."""
    ada, isaac = HERE / "photos" / "ada", HERE / "photos" / "isaac"
    if not ada.exists():
        ada.mkdir(parents=True)
        Image.fromarray(skimage.data.astronaut()).save(ada / "astronaut.png")
    if not isaac.exists():
        isaac.mkdir(parents=True)
        portraits = sorted((TEST_DATA / "photos" / "newton").glob("*.jpg"))
        for portrait in portraits:
            shutil.copy(portrait, isaac)
        if not portraits:
            Image.fromarray(skimage.data.camera()).save(isaac / "cameraman.png")
    for folder in (ada, isaac):
        print(f"{folder}: {', '.join(sorted(photo.name for photo in folder.iterdir()))}")  # noqa: T201


if __name__ == "__main__":
    main()
