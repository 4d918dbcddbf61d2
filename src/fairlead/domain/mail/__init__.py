"""Letters to people: written in the transaction of the deed that they tell of, sent afterwards."""

from fairlead.domain.mail.model import NOBODY, Letter
from fairlead.domain.mail.posting import post
from fairlead.domain.mail.sending import send_due

__all__ = ["NOBODY", "Letter", "post", "send_due"]
