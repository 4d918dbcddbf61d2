"""The `.mender` artifact format: is this file one, what does it say, and how is one written?

Format versions 1, 2 and 3 as in mender-artifact's own documents ("Mender artifact file format") and mender.md §2.10.
"""

from .broken import BrokenArtifact
from .description import Description, File, Update
from .limits import Limits
from .payload import FILE_NAME
from .reader import ArtifactReader
from .writing import Content, ContentChanged, Heading, write_artifact

__all__ = [
    "FILE_NAME",
    "ArtifactReader",
    "BrokenArtifact",
    "Content",
    "ContentChanged",
    "Description",
    "File",
    "Heading",
    "Limits",
    "Update",
    "write_artifact",
]
