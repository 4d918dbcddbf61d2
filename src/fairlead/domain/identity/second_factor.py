"""What does somebody have to show besides the password, and how do they get it?

A code of six digits that changes every 30 seconds (RFC 6238), made by an app from a secret that both sides know. The
secret is shown as a QR code until a first code of it was verified; from then on it is in force, and never shown again.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import Scope
from fairlead.base.seal import Seal
from fairlead.domain import audit
from fairlead.domain.identity import attempts, store
from fairlead.domain.identity import personal_store as personal
from fairlead.domain.identity.model import SIGNED_OUT, Permission, UserNotFound
from fairlead.domain.identity.personal_store import SecondFactor
from fairlead.domain.identity.plans import Plan, make_sure_plan_includes

ISSUER = "Fairlead"
LEAST_PLAN = Plan.PROFESSIONAL
_CODE = re.compile(r"[0-9]{6}")


class SecondFactorMissing(Refusal):
    """The word 2fa is what Mender's GUI looks for before it asks for the code."""

    kind = Kind.UNAUTHENTICATED
    message = "the 2fa code is missing: give it as token2fa"


class WrongSecondFactor(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "the 2fa code is wrong, or was used before"


class BadCode(Refusal):
    message = "token2fa must be the six digits that your app shows"


class SecondFactorNotEnabled(Refusal):
    message = '2fa is not enabled: POST {{"2fa": "enabled"}} to the settings first'


class SecondFactorInForce(Refusal):
    message = "2fa is in force already, and its secret is not shown again: disable it first to set up another app"


def has_one(tx: Tx, user_id: str) -> bool:
    """Has the user enabled it, whether or not it is in force yet?"""
    return personal.find_second_factor(tx, user_id).sealed is not None


def switch(tx: Tx, seal: Seal, *, enabled: bool) -> bool:
    """Enable or disable the second factor of whoever asks. Whether that changed anything."""
    user_id = tx.scope.actor.id
    if enabled == has_one(tx, user_id):
        return False
    if enabled:
        make_sure_plan_includes(tx, LEAST_PLAN)
        personal.change_second_factor(tx, user_id, seal.close(_new_secret(), _purpose(user_id)))
    else:
        personal.change_second_factor(tx, user_id, None)
    return True


def address_for_app(tx: Tx, seal: Seal) -> str:
    """The address that an app reads from the QR code: with the secret, and only until a code of it was verified."""
    import pyotp

    user_id = tx.scope.actor.id
    factor = personal.find_second_factor(tx, user_id)
    if factor.sealed is None:
        raise SecondFactorNotEnabled
    if factor.is_on:
        raise SecondFactorInForce
    totp = pyotp.TOTP(_opened(seal, factor.sealed, user_id))
    return totp.provisioning_uri(name=tx.scope.actor.name, issuer_name=ISSUER)


def verify(database: Database, scope: Scope, seal: Seal, code: str) -> None:
    """Put the second factor in force with a first code of it. A wrong one counts against whoever tries it.

    Takes the database, not a transaction: that something failed has to be kept though the request is refused.
    """
    if not _CODE.fullmatch(code):
        raise BadCode
    counter = attempts.verifications_by(scope.actor.id)
    try:
        with database.begin(scope) as tx:
            attempts.make_sure_more_are_allowed(tx, [counter])
            _verify(tx, seal, code)
            attempts.forget(tx, counter)
    except WrongSecondFactor:
        with database.begin(scope) as tx:
            attempts.note(tx, [counter])
        raise


def _verify(tx: Tx, seal: Seal, code: str) -> None:
    actor = tx.scope.actor
    factor = personal.find_second_factor(tx, actor.id)
    if factor.sealed is None:
        raise SecondFactorNotEnabled
    step = _step_of(_opened(seal, factor.sealed, actor.id), code, clock.now())
    if step is None or not personal.turn_second_factor_on(tx, actor.id, factor.sealed, step):
        raise WrongSecondFactor
    if not factor.is_on:
        audit.record(tx, "user.update", actor.id, name=actor.name, changed=["second factor"], second_factor="in force")


def step_to_use(seal: Seal, factor: SecondFactor, user_id: str, code: str) -> int:
    """The step that a login with this code uses up; refuses a code that is missing, wrong, or used before."""
    if not code:
        raise SecondFactorMissing
    step = None
    if factor.sealed is not None and _CODE.fullmatch(code):
        step = _step_of(_opened(seal, factor.sealed, user_id), code, clock.now())
    if step is None or step <= factor.step:
        raise WrongSecondFactor
    return step


def reset(tx: Tx, user_id: str) -> None:
    """Take the second factor from somebody who lost their phone. All their sessions end."""
    tx.require(Permission.MANAGE_USERS)
    user = store.find_user(tx, user_id)
    if user is None:
        raise UserNotFound
    personal.change_second_factor(tx, user_id, None)
    store.remove_sessions_of(tx, user_id)
    tx.announce(SIGNED_OUT, user_id)
    audit.record(tx, "user.update", user_id, name=user.email, changed=["second factor"], second_factor="reset")


def _new_secret() -> bytes:
    import pyotp

    return pyotp.random_base32().encode()  # 160 bits, as RFC 4226 recommends


def _purpose(user_id: str) -> str:
    return f"second factor of {user_id}"


def _opened(seal: Seal, sealed: str, user_id: str) -> str:
    return seal.open(sealed, _purpose(user_id)).decode()


def _step_of(secret: str, code: str, moment: datetime) -> int | None:
    """Which step the code is of: this one, the one before or the one after, for clocks that are a little off."""
    import pyotp

    totp = pyotp.TOTP(secret)
    now = totp.timecode(moment)
    return next((step for step in (now, now - 1, now + 1) if hmac.compare_digest(totp.generate_otp(step), code)), None)
