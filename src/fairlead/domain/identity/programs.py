"""Which programs may speak for an account, and how do they show that they are it?

Whoever logs in does so through a program, whose id and secret they need besides their own password. The secret is
made by us and long, so that a plain digest keeps it as well as a slow one would.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.domain import audit
from fairlead.domain.identity import member_store as store
from fairlead.domain.identity.account_ids import new_id, random_text
from fairlead.domain.identity.principals import make_sure_may
from fairlead.domain.identity.resources import Resource
from fairlead.domain.identity.vocabulary import Act

SECRET_LENGTH = 30
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Program:
    """Credentials of a client, without the secret: that is shown once, when they are made."""

    id: str
    tenant_id: str
    name: str
    secret_hash: str = field(repr=False)
    created_at: datetime


class ProgramNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "there is no client {program_id}"


class BadProgramName(Refusal):
    message = "name: must be printable and have at most {most} characters"


class UnknownProgram(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "Client authentication failed"


def add_program(tx: Tx, name: str = "") -> tuple[Program, str]:
    """A program with new credentials, and its secret, which nobody can be told again."""
    make_sure_may(tx.scope, Act.CREATE_USER, _as_resource(""))
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise BadProgramName(most=LONGEST_NAME)
    secret = random_text(SECRET_LENGTH)
    program = Program(new_id(tx, "lg", "tm"), tx.tenant_id, name, _digest(secret), clock.now())
    store.add_program(tx, {each: getattr(program, each) for each in Program.__dataclass_fields__})
    audit.record(tx, "program.create", program.id, name=name)
    return program, secret


def list_programs(tx: Tx) -> list[Program]:
    """All of the account, oldest first."""
    make_sure_may(tx.scope, Act.VIEW_USERS, _as_resource(""))
    return [as_program(row) for row in store.list_programs(tx)]


def remove_program(tx: Tx, program_id: str) -> None:
    """Take its credentials from a program. Its own tokens are good no more; those of people who used it stay."""
    make_sure_may(tx.scope, Act.DELETE_USER, _as_resource(program_id))
    if not store.remove_program(tx, program_id):
        raise ProgramNotFound(program_id=program_id[:LONGEST_NAME])
    audit.record(tx, "program.delete", program_id)


def program_with(tx: Tx, program_id: str, secret: str) -> Program:
    """Across tenants: the program whose id and secret these are, or `UnknownProgram`."""
    row = store.find_any_program(tx, program_id)
    if not hmac.compare_digest(_digest(secret), row.secret_hash if row else "") or row is None:
        raise UnknownProgram
    return as_program(row)


def as_program(row: sa.Row[Any]) -> Program:
    return Program(**{name: getattr(row, name) for name in Program.__dataclass_fields__})


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _as_resource(program_id: str) -> Resource:
    return Resource.other("program", program_id)
