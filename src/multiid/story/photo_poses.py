"""Poses that a story takes from photos: each photo is read once, and its pose kept as a template in the folder."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from multiid.files import write_whole
from multiid.people.photo import load_photo
from multiid.pipeline.kept import make_folder
from multiid.poses.extract import PoseReader, extract_pose
from multiid.poses.skeleton import Pose
from multiid.poses.templates import Template, load_template

__all__ = ["PhotoPoses"]


@dataclass(frozen=True)
class PhotoPoses:
    """Gives the pose of a photo's people.

    Attributes:
        folder: that keeps them; made where it is absent.
        reader: gives what finds the people; called only for photos that have not been read.
    """

    folder: Path
    reader: Callable[[], PoseReader]

    def __call__(self, photo: Path) -> Pose:
        """The pose, always as its file says it, so that it is the same in every run.

        Raises:
            PhotoError: when the photo cannot be used.
            MissingExtraError, ModelFileError: when what finds people is not there.
            OutputError: when the file cannot be written.
        """
        image = load_photo(photo)
        digest = hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()[:20]
        file = self.folder / f"{digest}.json"
        if not file.is_file():
            found = extract_pose(image, self.reader())
            template = Template.of(found.pose, name=f"photo-{digest}", title="From a photo", tags=("photo",))
            make_folder(self.folder)
            with write_whole(file) as temporary:
                temporary.write_text(template.to_json(), encoding="utf-8")
        return load_template(file).pose()
