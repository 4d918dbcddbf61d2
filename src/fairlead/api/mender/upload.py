"""How do artifacts come in? As uploads of any size, with Mender's words for a form that is not as it should be."""

from __future__ import annotations

from typing import TypeVar

from fairlead.api.mender.errors import BadBody
from fairlead.base.errors import Refusal
from fairlead.base.http import uploads
from fairlead.base.http.uploads import receive

__all__ = ["UploadForm", "receive"]

R = TypeVar("R", bound=uploads.Receiver)


class NoArtifactFile(Refusal):
    message = "request does not contain the artifact file"


class UploadForm(uploads.UploadForm[R]):
    """A form with an artifact, or with the file that one is made of."""

    no_file = NoArtifactFile
    bad = BadBody
    called = "artifact file"
