"""How is a letter put into the outbox?"""

from __future__ import annotations

import uuid

import msgspec

from fairlead.base.database import Tx
from fairlead.base.seal import Seal
from fairlead.domain.mail import store
from fairlead.domain.mail.model import Letter, purpose_of


def post(tx: Tx, seal: Seal, letter: Letter) -> None:
    """Have the letter sent if, and only if, this transaction is committed. It is sealed: letters hold secrets."""
    letter_id = str(uuid.uuid4())
    store.add(tx, letter_id, seal.close(msgspec.json.encode(letter), purpose_of(letter_id)))
