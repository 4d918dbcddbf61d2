"""Which tokens have been verified already?

Verifying a signature and asking the database costs a hundred times what a request may cost. So what was verified is
remembered by the token's digest until the token expires or its bearer loses it. Every revocation is announced, and
within a second every process forgets the bearer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from hashlib import blake2b

from fairlead.base.scope import ActorKind, Scope
from fairlead.domain.identity.api_limits import UNLIMITED, ApiLimits

MOST_TOKENS = 400_000


class Bearer:
    """Someone whose token was verified. `alive` turns false when the token is taken away, or not remembered any more.

    `limits` says how often they may call; None: as often as they like.
    """

    __slots__ = ("alive", "expires_at", "is_device", "limits", "scope", "seen_at", "subject", "token_id")

    def __init__(
        self, scope: Scope, subject: str, token_id: str, expires_at: int, limits: ApiLimits | None = None
    ) -> None:
        self.limits = limits if limits != UNLIMITED else None
        self.scope = scope
        self.is_device = scope.actor.kind is ActorKind.DEVICE
        self.subject = subject
        self.token_id = token_id
        self.expires_at = expires_at
        self.alive = True
        self.seen_at = 0


class TokenMemory:
    """Bearers by the digest of their token.

    `trusted` says whether this process has heard of all revocations up to a second ago; while it has not, nothing
    is remembered and every token is verified anew.
    """

    def __init__(self, trusted: Callable[[], bool], most: int = MOST_TOKENS) -> None:
        self._trusted = trusted
        self._most = most
        self._by_digest: dict[bytes, Bearer] = {}
        self._by_subject: dict[str, tuple[bytes, ...]] = {}
        self._lock = threading.Lock()
        self._revocations = 0

    def __len__(self) -> int:
        return len(self._by_digest)

    def find(self, token: bytes) -> Bearer | None:
        """The bearer of the token, if it was verified before and is still good. Called for nearly every request."""
        bearer = self._by_digest.get(blake2b(token, digest_size=16).digest())
        if bearer is None or not bearer.alive or bearer.expires_at <= time.time() or not self._trusted():
            return None
        return bearer

    def knows(self, bearer: Bearer) -> bool:
        """Is the bearer still as good as when their token was verified, as far as this process would have heard?"""
        return bearer.alive and self._trusted()

    def stamp(self) -> int:
        """Ask for this before verifying a token, and give it to `remember` after."""
        return self._revocations

    def remember(self, token: bytes, bearer: Bearer, stamp: int) -> None:
        """Keep the bearer, unless something was revoked since the stamp: then the next request verifies again."""
        digest = blake2b(token, digest_size=16).digest()
        with self._lock:
            if stamp != self._revocations:
                bearer.alive = False
                return
            if len(self._by_digest) >= self._most:
                self._make_room()
            if (before := self._by_digest.get(digest)) is not None and before is not bearer:
                before.alive = False  # verified twice at once: only one of them would be told
            self._by_digest[digest] = bearer
            others = (each for each in self._by_subject.get(bearer.subject, ()) if each != digest)
            self._by_subject[bearer.subject] = (*others, digest)

    def revoke(self, subject: str) -> None:
        """Forget all tokens of the user, device or session with this id."""
        with self._lock:
            self._revocations += 1
            for digest in self._by_subject.pop(subject, ()):
                self._by_digest.pop(digest).alive = False

    def revoke_tenant(self, tenant_id: str) -> None:
        """Forget all tokens of a tenant's users and devices."""
        with self._lock:
            self._revocations += 1  # also for those that are being verified at this moment
            subjects = {b.subject for b in self._by_digest.values() if b.scope.tenant_id == tenant_id}
        for subject in subjects:
            self.revoke(subject)

    def forget_all(self) -> None:
        """Verify every token anew."""
        with self._lock:
            self._revocations += 1
            for bearer in self._by_digest.values():
                bearer.alive = False
            self._by_digest.clear()
            self._by_subject.clear()

    def seen_since(self, moment: int) -> list[tuple[str, str, int]]:
        """Tenant, subject and time in epoch seconds of every bearer that was seen since the moment."""
        with self._lock:
            bearers = list(self._by_digest.values())
        return [(b.scope.tenant_id, b.subject, b.seen_at) for b in bearers if b.seen_at >= moment]

    def _make_room(self) -> None:
        """Drop what has expired; if that is not enough, the tenth that was remembered first."""
        now = time.time()
        outdated = [digest for digest, bearer in self._by_digest.items() if bearer.expires_at <= now]
        for digest in outdated or list(self._by_digest)[: max(1, self._most // 10)]:
            bearer = self._by_digest.pop(digest)
            bearer.alive = False  # for a request under way: nobody would tell it
            others = tuple(each for each in self._by_subject.pop(bearer.subject) if each != digest)
            if others:
                self._by_subject[bearer.subject] = others
