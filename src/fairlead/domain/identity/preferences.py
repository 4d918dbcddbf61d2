"""What does a user want kept for themselves? Any JSON object; the GUI knows what it means.

One key is ours: `2fa` says whether the second factor is enabled or disabled.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.seal import Seal
from fairlead.domain import audit
from fairlead.domain.identity import personal_store as store
from fairlead.domain.identity import second_factor
from fairlead.domain.identity.model import UserNotFound

LARGEST_SETTINGS = 64 * 1024
SECOND_FACTOR = "2fa"
ENABLED, DISABLED = "enabled", "disabled"


class BadSecondFactorSetting(Refusal):
    message = "2fa must be enabled or disabled"


class SettingsTooLarge(Refusal):
    kind = Kind.TOO_LARGE
    message = "the settings are too large: at most {limit} bytes"


def own_settings(tx: Tx) -> dict[str, Any]:
    """The settings of whoever asks, as they were given; `2fa` is there once it was ever given, and says what is."""
    user_id = tx.scope.actor.id
    settings = _kept(tx, user_id)
    if second_factor.has_one(tx, user_id):
        return {**settings, SECOND_FACTOR: ENABLED}
    return {**settings, SECOND_FACTOR: DISABLED} if SECOND_FACTOR in settings else settings


def change_own_settings(tx: Tx, seal: Seal, settings: dict[str, Any]) -> None:
    """Keep these settings instead of those before. Without `2fa` the second factor stays as it is."""
    wanted = settings.get(SECOND_FACTOR)
    if SECOND_FACTOR in settings and wanted not in (ENABLED, DISABLED):
        raise BadSecondFactorSetting
    actor = tx.scope.actor
    tx.one_at_a_time(f"settings of {actor.id}")
    before = _kept(tx, actor.id)
    if wanted is None and SECOND_FACTOR in before:
        settings = {**settings, SECOND_FACTOR: before[SECOND_FACTOR]}
    changed: dict[str, Any] = {}
    if wanted is not None and second_factor.switch(tx, seal, enabled=wanted == ENABLED):
        changed["second factor"] = wanted
    if settings != before:
        store.change_settings(tx, actor.id, _encoded(settings))
        changed["settings"] = None
    if changed:
        said = {"second_factor": changed["second factor"]} if "second factor" in changed else {}
        audit.record(tx, "user.update", actor.id, name=actor.name, changed=sorted(changed), **said)


def _kept(tx: Tx, user_id: str) -> dict[str, Any]:
    text = store.find_settings(tx, user_id)
    if text is None:
        raise UserNotFound
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def _encoded(settings: dict[str, Any]) -> str:
    encoded = msgspec.json.encode(settings)
    if len(encoded) > LARGEST_SETTINGS:
        raise SettingsTooLarge(limit=LARGEST_SETTINGS)
    return encoded.decode()
