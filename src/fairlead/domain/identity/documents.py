"""What does a scope document say? Mobingi's two dialects, read into statements (mobingi.md §2.1).

The dialects differ in the case of their keys and in the names of actions and resources, not in what they can say. So
there is one reader: keys and effects in any case, one value or a list of them. What cannot be understood is refused
with the place where it stands, rather than passed over: a misspelt `Condition` would otherwise allow more than was
meant. Only names of actions and resources are taken as they come: one that nobody knows matches nothing but itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from fairlead.base.errors import Refusal
from fairlead.domain.identity.resources import Resource
from fairlead.domain.identity.vocabulary import Act, acts_named, is_told_by_name_alone, names_of
from fairlead.domain.identity.wildcards import NO_NAMES, WILDCARD, Names, names

VERSION = "2017-05-05"
THE_CALLER = "_SUBUSER_"
LONGEST_DOCUMENT = 64 << 10
LONGEST_NAME = 256
MOST_STATEMENTS = 50
MOST_ACTIONS = 100
MOST_RESOURCES = 500
MOST_OWNERS = 100
MOST_WILDCARDS = 100  # in the resources of a whole document: each is tried on each thing in a list


class BadDocument(Refusal):
    message = "{where}: {problem}"


@dataclass(frozen=True, slots=True)
class Named:
    """The resources that a statement names: all, or those with these names in full, or with these ids."""

    all: bool
    mrns: Names = NO_NAMES
    ids: Names = NO_NAMES

    def include(self, resource: Resource) -> bool:
        return self.all or self.mrns.match(resource.mrn) or self.ids.match(resource.id)

    def name_in_full(self, resource: Resource) -> bool:
        return resource.mrn in self.mrns.in_full or resource.id in self.ids.in_full


@dataclass(frozen=True, slots=True)
class Statement:
    """Allow or deny some actions on some resources, perhaps only on those that belong to these `owners`.

    `whoever_owns`, which no document can say: all resources are those of others, too.
    """

    allows: bool
    acts: frozenset[Act]
    names: Names
    resources: Named
    owners: frozenset[str] | None = None
    whoever_owns: bool = False

    def is_about(self, act: str, resource: Resource) -> bool:
        return self._names(act, resource.vendor) and self.resources.include(resource)

    def owned(self, resource: Resource, caller: str) -> bool:
        """Does the resource belong to one of those whom the condition names?"""
        owners = self.owners or frozenset()
        if caller and resource.owner == caller and THE_CALLER in owners:
            return True
        return resource.owner in owners - {THE_CALLER}

    def _names(self, act: str, vendor: str) -> bool:
        if act in self.acts or is_told_by_name_alone(act):
            return act in self.acts
        return any(map(self.names.match, names_of(act, vendor)))


@dataclass(frozen=True, slots=True)
class ScopeDocument:
    """A document as it was given, and what it says."""

    text: str
    statements: frozenset[Statement]


def statement(
    allows: bool, actions: Iterable[str], resources: Iterable[str], owners: Iterable[str] | None = None
) -> Statement:
    """A statement of names and wildcards as documents write them."""
    called = names(_without_repeated_wildcards(action.lower()) for action in actions)
    named = _named(resources)
    return Statement(allows, acts_named(called), called, named, None if owners is None else frozenset(owners))


def _named(patterns: Iterable[str]) -> Named:
    """With a colon it is a name in full, without one an id. Names count besides `*`: they are named in full."""
    patterns = {_without_repeated_wildcards(pattern) for pattern in patterns}
    mrns = {pattern for pattern in patterns if ":" in pattern}
    return Named(WILDCARD in patterns, names(map(_with_small_head, mrns)), names(patterns - mrns - {WILDCARD}))


def _with_small_head(mrn: str) -> str:
    """Case matters in ids, and nowhere else. Where the id begins, nobody can tell behind a wildcard."""
    parts = mrn.split(":")
    if parts[0].lower() != "mrn":
        return mrn
    head = 4 if parts[1].lower() == "vendor" else 3
    wild = next((at for at, part in enumerate(parts) if WILDCARD in part), head)
    head = min(head, wild)
    return ":".join([part.lower() for part in parts[:head]] + parts[head:])


def _without_repeated_wildcards(pattern: str) -> str:
    while WILDCARD * 2 in pattern:
        pattern = pattern.replace(WILDCARD * 2, WILDCARD)
    return pattern


def read_document(text: str) -> ScopeDocument:
    """Read a document, or refuse it with `BadDocument` and the place of what is wrong with it."""
    fields = _fields(_parsed(text), "", {"version", "statement", "id"})
    where, version = fields.get("version", ("/Version", VERSION))
    if version != VERSION:
        _refuse(where, f"must be {VERSION}")
    if "statement" not in fields:
        _refuse("", "the Statement is missing")
    where, written = fields["statement"]
    listed = _listed(written, where, MOST_STATEMENTS, "statements")
    read = [_statement(value, place) for place, value in listed]
    if sum(_wildcards(each.resources) for each in read) > MOST_WILDCARDS:
        _refuse(where, f"more than {MOST_WILDCARDS} resources with wildcards")
    return ScopeDocument(text, frozenset(read))


def _statement(written: Any, place: str) -> Statement:
    fields = _fields(written, place, {"effect", "action", "resource", "condition", "sid"})
    missing = next((key for key in ("effect", "action", "resource") if key not in fields), None)
    if missing:
        _refuse(place, f"the {missing.capitalize()} is missing")
    where, effect = fields["effect"]
    if not isinstance(effect, str) or effect.lower() not in ("allow", "deny"):
        _refuse(where, "must be Allow or Deny")
    actions = _texts(*fields["action"], MOST_ACTIONS, "actions")
    resources = _texts(*fields["resource"], MOST_RESOURCES, "resources")
    owners = _owners(*fields["condition"]) if "condition" in fields else None
    return statement(effect.lower() == "allow", actions, resources, owners)


def _owners(where: str, written: Any) -> list[str] | None:
    """The users whom the only condition that there is names. An empty condition is none."""
    if written is None or written == []:
        return None
    fields = _fields(written, where, {"ownerfilter"})
    where, owner_filter = fields["ownerfilter"]
    fields = _fields(owner_filter, where, {"username"})
    if "username" not in fields:
        _refuse(where, "the username is missing")
    where, written = fields["username"]
    owners = _texts(where, written, MOST_OWNERS, "usernames")
    if any(WILDCARD in owner for owner in owners):
        _refuse(where, "wildcards are not possible in usernames")
    return owners


class _Object(list[tuple[str, Any]]):
    """The pairs of a JSON object as they were written, a key that stands there twice included."""


def _parsed(text: str) -> Any:
    try:
        size = len(text.encode())
        if size > LONGEST_DOCUMENT:
            _refuse("", f"{size} bytes are more than the {LONGEST_DOCUMENT} that are possible")
        return json.loads(text, object_pairs_hook=_Object)
    except json.JSONDecodeError as problem:
        _refuse("", f"no JSON: {problem}")
    except RecursionError:
        _refuse("", "no JSON that anybody could read: it is nested too deeply")
    except ValueError:  # a number of thousands of digits, half a character
        _refuse("", "no JSON that anybody could read")


def _fields(written: Any, where: str, known: set[str]) -> dict[str, tuple[str, Any]]:
    """The place and value of each key, by its name in small letters."""
    if not isinstance(written, _Object):
        _refuse(where, "must be an object")
    fields: dict[str, tuple[str, Any]] = {}
    for key, value in written:
        name = key.lower()
        if name not in known:
            _refuse(where, f"{_quoted(key)} is not known here; possible: {', '.join(sorted(known))}")
        if name in fields:
            _refuse(where, f"{_quoted(key)} is there twice")
        fields[name] = f"{where}/{key}", value
    return fields


def _listed(written: Any, where: str, most: int, what: str) -> Iterator[tuple[str, Any]]:
    """The place and value of each in a list; one value stands for a list of one."""
    if isinstance(written, _Object) or not isinstance(written, list):
        return iter([(where, written)])
    if len(written) > most:
        _refuse(where, f"at most {most} {what} are possible")
    return ((f"{where}/{number}", each) for number, each in enumerate(written))


def _texts(where: str, written: Any, most: int, what: str) -> list[str]:
    found = []
    for place, each in _listed(written, where, most, what):
        if not isinstance(each, str) or not 1 <= len(each) <= LONGEST_NAME:
            _refuse(place, f"must be a text of 1 to {LONGEST_NAME} characters")
        if not each.isprintable() or each != each.strip():
            _refuse(place, f"{_quoted(each)} must be printable, without space around it")
        found.append(each)
    if not found:
        _refuse(where, f"there are no {what} in it")
    return found


def _wildcards(resources: Named) -> int:
    return len(resources.mrns.between) + len(resources.ids.between)


def _quoted(text: str) -> str:
    return ascii(text[:40])


def _refuse(where: str, problem: str) -> NoReturn:
    raise BadDocument(where=where or "the scope", problem=problem)
