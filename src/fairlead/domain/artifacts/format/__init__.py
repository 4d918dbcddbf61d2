"""The `.mender` artifact format: is this file one, and what does it say?

Format versions 1, 2 and 3 as in mender-artifact's own documents ("Mender artifact file format") and mender.md §2.10.
"""

from .broken import BrokenArtifact
from .description import Description, File, Update
from .limits import Limits
from .reader import ArtifactReader

__all__ = ["ArtifactReader", "BrokenArtifact", "Description", "File", "Limits", "Update"]
