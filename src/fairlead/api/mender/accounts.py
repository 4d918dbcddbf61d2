"""What people do about their own accounts: settings, second factor, forgotten passwords, and what their plan has."""

from __future__ import annotations

import base64
import io
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post, put

from fairlead.api.mender.auth import for_users
from fairlead.api.mender.context import Call, Context
from fairlead.api.mender.errors import BadParameter
from fairlead.api.mender.wire import add_header, address_of_client, empty
from fairlead.domain import identity

TAGS = ["User administration and authentication"]
MINIMAL_PLAN = "X-Mender-Required-Minimal-Plan"
_RESET = "failed to decode password reset request"
_SETTINGS = "failed to decode settings"
_CODE = "failed to decode two factor authentication token"


class ResetStart(msgspec.Struct):
    email: str = ""


@post(
    "/auth/password-reset/start",
    sync_to_thread=True,
    status_code=202,
    opt={"decoding": _RESET},
    tags=TAGS,
    summary="Initiate Password Reset Request",
)
def start_password_reset(context: Context, data: ResetStart) -> Response[bytes]:
    """Send a letter with a link to set a new password. The answer is the same for an e-mail that is nobody's."""
    identity.start_password_reset(context.database, context.seal, data.email, context.home)
    return empty(202)


class ResetCompletion(msgspec.Struct):
    """The reference calls it `secret`, Mender's own GUI and tests `secret_hash`."""

    secret: str = ""
    secret_hash: str = ""
    password: str = ""


@post(
    "/auth/password-reset/complete",
    sync_to_thread=True,
    status_code=202,
    opt={"decoding": _RESET},
    tags=TAGS,
    summary="Complete Password Reset Request",
)
def complete_password_reset(
    request: Request[Any, Any, Any], context: Context, data: ResetCompletion
) -> Response[bytes]:
    """Set the password with the secret of the letter. All sessions of the user end."""
    secret = data.secret or data.secret_hash
    identity.complete_password_reset(context.database, secret, data.password, address_of_client(request))
    return empty(202)


@post("/auth/plan-verify", sync_to_thread=True, status_code=202, summary="Verify Plan")
def verify_plan(request: Request[Any, Any, Any], call: Call) -> Response[bytes]:
    """Does the tenant have the plan that the header names, or a larger one?"""
    wanted = request.headers.get(MINIMAL_PLAN)
    if not wanted:
        raise BadParameter(reason=f"Missing required header {MINIMAL_PLAN}")
    with call.read() as tx:
        identity.make_sure_plan_includes(tx, identity.plan_called(wanted))
    return empty(202)


@get("/settings", sync_to_thread=True, summary="Show User Settings")
def show_settings(call: Call) -> dict[str, Any]:
    with call.read() as tx:
        return identity.own_settings(tx)


@post("/settings", sync_to_thread=True, opt={"decoding": _SETTINGS}, summary="Update User Settings")
def change_settings(call: Call, data: dict[str, Any]) -> Response[bytes]:
    """Keep this object instead of the one before. `2fa` enables or disables the second factor."""
    with call.begin() as tx:
        identity.change_own_settings(tx, call.context.seal, data)
    return empty(201)


class QrCode(msgspec.Struct):
    """A PNG image, in base64."""

    qr: str


@get("/2faqr", sync_to_thread=True, summary="Get 2FA QR code")
def show_qr_code(request: Request[Any, Any, Any], call: Call) -> QrCode:
    """The secret of the second factor for an app to read, until a first code of it is verified."""
    with call.read() as tx:
        address = identity.second_factor_address(tx, call.context.seal)
    add_header(request, "cache-control", "no-store")
    return QrCode(base64.b64encode(_drawn(address)).decode())


def _drawn(text: str) -> bytes:
    import segno

    image = io.BytesIO()
    segno.make_qr(text).save(image, kind="png", scale=5)
    return image.getvalue()


class Code(msgspec.Struct):
    token2fa: str = ""


@put("/2faverify", sync_to_thread=True, status_code=202, opt={"decoding": _CODE}, summary="Verify the 2FA token")
def verify_second_factor(call: Call, data: Code) -> Response[bytes]:
    """Put the second factor in force with a code of it: from now on each login needs one."""
    identity.verify_second_factor(call.context.database, call.scope, call.context.seal, data.token2fa)
    return empty(202)


open_routes = Router("/api/management/v1/useradm", route_handlers=[start_password_reset, complete_password_reset])
routes = Router(
    "/api/management/v1/useradm",
    guards=[for_users],
    tags=TAGS,
    route_handlers=[verify_plan, show_settings, change_settings, show_qr_code, verify_second_factor],
)
