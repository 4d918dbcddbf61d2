"""What does the preparation leave to several processes? Keys and signatures: all that costs whole cores."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from fairlead.cli.simulate.identity import Addresses, AnyKey, Identities, KeyType
from fairlead.domain import identity
from fairlead.parts import open_tokens
from fairlead.settings import Settings

MOST_PROCESSES = 8
RSA_BITS = 2048
_tokens: list[identity.Tokens] = []


@contextlib.contextmanager
def crew(settings: Settings) -> Iterator[ProcessPoolExecutor]:
    """A process for each core that we may use; each can sign as the server does."""
    processes = min(MOST_PROCESSES, len(os.sched_getaffinity(0)))
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, initializer=_join, initargs=(settings,)) as pool:
        yield pool


def _join(settings: Settings) -> None:
    _tokens.append(open_tokens(settings))


def sign_tokens(sets: Sequence[tuple[str, str]], tenant_id: str, plan: str) -> list[bytes]:
    """A token for each auth set and its device, as the server would issue it."""
    issue = _tokens[0].for_device
    return [issue(auth_set, device, tenant_id, plan, 0).encode() for auth_set, device in sets]


class _New:
    """A new key whenever one is asked for."""

    def __init__(self, kind: KeyType) -> None:
        self._kind = kind

    def find(self, index: int) -> AnyKey:
        if self._kind is KeyType.RSA:
            return rsa.generate_private_key(65537, RSA_BITS)
        return ed25519.Ed25519PrivateKey.generate()


def make_auth_requests(kind: KeyType, first: int, count: int) -> list[tuple[bytes, bytes]]:
    """Bodies and signatures of devices with keys of their own."""
    identities = Identities(Addresses(f"bench {kind}", ""), _New(kind))
    return [identities.auth_request(index) for index in range(first, first + count)]
