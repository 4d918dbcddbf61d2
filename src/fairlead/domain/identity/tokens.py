"""What do the tokens that we issue say, and are they ours?

Claims as Mender 2.6 writes them (mender.md §2.1 and §2.5): clients read them, so the names are part of the API. Access
tokens are another sort, for those who go by scope documents: neither is ever taken for the other.
"""

from __future__ import annotations

import base64
import enum
import json
import re
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from fairlead.base import clock
from fairlead.domain.identity.model import BadToken, TokenExpired, User

LIFETIME = timedelta(days=7)
ACCESS_LIFETIME = timedelta(hours=12)
LONGEST_TOKEN = 4096
_ACCESS_ISSUER = "fairlead.access"
_HEADER = {"alg": "RS256", "typ": "JWT"}
_HEADERS = (b'{"alg":"RS256","typ":"JWT"}', b'{"typ":"JWT","alg":"RS256"}')
_AS_WRITTEN = "|".join(base64.urlsafe_b64encode(header).decode() for header in _HEADERS)  # 27 bytes: without padding
_OWN_WAY = re.compile(rf"(?:{_AS_WRITTEN})\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""A header that names a key, an address or anything else is not one of ours."""


class TokenKind(enum.Enum):
    USER = "user"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token of ours says about its bearer. `generation` counts how often a device's token was revoked."""

    kind: TokenKind
    id: str
    subject: str
    tenant_id: str | None
    expires_at: int
    generation: int = 0


class AccessKind(enum.StrEnum):
    """Whose an access token is."""

    USER = "user"
    MEMBER = "member"
    PROGRAM = "program"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says. `generation` is that of what its bearer proved themselves with, if that can change."""

    kind: AccessKind
    id: str
    subject: str
    tenant_id: str
    expires_at: int
    generation: int = 0


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is said twice")
    return found


class _Decoder(json.JSONDecoder):
    """Refuses a claim that is said twice: of two readers one may believe the first and the other the last."""

    def __init__(self) -> None:
        super().__init__(object_pairs_hook=_once)


class Tokens:
    """Issues and reads tokens. In a single-tenant server they carry no tenant, and one that does is refused."""

    def __init__(self, key: rsa.RSAPrivateKey, *, multitenant: bool, default_tenant_id: str) -> None:
        self._key = RSAKey.import_key(key)
        self._public = RSAKey.import_key(key.public_key())
        self.multitenant = multitenant
        self._default_tenant_id = default_tenant_id

    def for_user(self, user: User, plan: str) -> tuple[str, Claims]:
        """A token for someone who has just logged in."""
        now = int(clock.now().timestamp())
        claims = Claims(TokenKind.USER, str(uuid.uuid4()), user.id, user.tenant_id, now + int(LIFETIME.total_seconds()))
        said = self._common(claims, now, "mender.useradm", plan) | {"nbf": now, "scp": "mender.*", "mender.user": True}
        return jwt.encode(_HEADER, said, self._key), claims

    def for_device(self, auth_set_id: str, device_id: str, tenant_id: str, plan: str, generation: int) -> str:
        """A token for an accepted auth set. Its `jti` is the auth set's id, as in deviceauth 2.5."""
        now = int(clock.now().timestamp())
        expires_at = now + int(LIFETIME.total_seconds())
        claims = Claims(TokenKind.DEVICE, auth_set_id, device_id, tenant_id, expires_at, generation)
        said = self._common(claims, now, "Mender", plan) | {"mender.device": True}
        if generation:
            said["fairlead.generation"] = generation
        return jwt.encode(_HEADER, said, self._key)

    def for_access(
        self, kind: AccessKind, subject: str, tenant_id: str, generation: int = 0
    ) -> tuple[str, AccessClaims]:
        """A token for somebody who goes by scope documents, or for the agent of the stack whose id is the subject."""
        now = int(clock.now().timestamp())
        expires_at = now + int(ACCESS_LIFETIME.total_seconds())
        claims = AccessClaims(kind, str(uuid.uuid4()), subject, tenant_id, expires_at, generation)
        said = {
            "jti": claims.id,
            "sub": subject,
            "iss": _ACCESS_ISSUER,
            "iat": now,
            "exp": expires_at,
            "fairlead.access": kind.value,
            "fairlead.tenant": tenant_id,
            "fairlead.generation": generation,
        }
        return jwt.encode(_HEADER, said, self._key), claims

    def for_tenant(self, tenant_id: str) -> str:
        """The tenant token that devices carry so that we know whose they are. It never expires."""
        return jwt.encode(_HEADER, {"mender.tenant": tenant_id, "iss": "Mender", "sub": tenant_id}, self._key)

    def read(self, token: str) -> Claims:
        """What the token says, if we signed it; otherwise `BadToken`, or `TokenExpired` if its time has run out."""
        said = self._verified(token)
        kind = TokenKind.DEVICE if said.get("mender.device") is True else TokenKind.USER
        if (said.get("mender.user") is True) is (kind is TokenKind.DEVICE):  # neither, or both
            raise BadToken
        issuer = "Mender" if kind is TokenKind.DEVICE else "mender.useradm"
        texts = [said.get(name) for name in ("jti", "sub", "iss")]
        if said.get("iss") != issuer or not all(isinstance(text, str) and text for text in texts):
            raise BadToken
        expires_at, generation = said.get("exp"), said.get("fairlead.generation", 0)
        if type(expires_at) is not int or type(generation) is not int:
            raise BadToken
        claims = Claims(kind, str(texts[0]), str(texts[1]), self._tenant(said), expires_at, generation)
        if expires_at <= clock.now().timestamp():
            raise TokenExpired
        return claims

    def read_access(self, token: str) -> AccessClaims:
        """What the access token says, if we signed it; otherwise `BadToken`, or `TokenExpired`."""
        said = self._verified(token)
        texts = [said.get(name) for name in ("jti", "sub", "fairlead.tenant")]
        numbers = [said.get(name) for name in ("exp", "fairlead.generation")]
        if said.get("iss") != _ACCESS_ISSUER or said.get("fairlead.access") not in list(AccessKind):
            raise BadToken
        if not all(isinstance(text, str) and text for text in texts) or not all(type(each) is int for each in numbers):
            raise BadToken
        claims = AccessClaims(AccessKind(said["fairlead.access"]), *texts, *numbers)  # type: ignore[arg-type]
        if not self.multitenant and claims.tenant_id != self._default_tenant_id:
            raise BadToken
        if claims.expires_at <= clock.now().timestamp():
            raise TokenExpired
        return claims

    def read_tenant(self, token: str) -> str:
        """The id of the tenant whose token this is, or `BadToken`."""
        said = self._verified(token.strip())  # from a file that somebody has edited
        tenant_id = said.get("mender.tenant")
        if not isinstance(tenant_id, str) or not tenant_id or said.get("sub") != tenant_id:  # a bearer's token
            raise BadToken
        return tenant_id

    def _common(self, claims: Claims, now: int, issuer: str, plan: str) -> dict[str, Any]:
        said: dict[str, Any] = {
            "jti": claims.id,
            "sub": claims.subject,
            "iss": issuer,
            "iat": now,
            "exp": claims.expires_at,
            "mender.plan": plan,
        }
        if self.multitenant:
            said["mender.tenant"] = claims.tenant_id
        return said

    def _tenant(self, said: dict[str, Any]) -> str:
        tenant_id = said.get("mender.tenant")
        if not self.multitenant:
            if tenant_id is not None:
                raise BadToken
            return self._default_tenant_id
        if not isinstance(tenant_id, str) or not tenant_id:
            raise BadToken
        return tenant_id

    def _verified(self, token: str) -> dict[str, Any]:
        """What a token of ours says. One that is written in any other way than we do is none, well signed or not."""
        if len(token) > LONGEST_TOKEN or not _OWN_WAY.fullmatch(token):
            raise BadToken
        try:
            decoded = jwt.decode(token, self._public, algorithms=["RS256"], decoder_cls=_Decoder)
        except (JoseError, ValueError, TypeError, RecursionError):
            raise BadToken from None
        return dict(decoded.claims)
