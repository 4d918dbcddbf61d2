"""What are stacks called, and what do their agents show to prove whose they are?"""

from __future__ import annotations

import re
import secrets
import string

_LETTERS_AND_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_OF_VERSIONS = _LETTERS_AND_DIGITS + "._"
_VERSION_LENGTH = 32
_AUTH_TOKEN_LENGTH = 28
_REGIONS = {
    "ap-northeast-1": "tk",
    "ap-northeast-2": "kr",
    "us-east-1": "nv",
    "us-west-1": "nc",
    "cn-north-1": "bj",
}
_ELSEWHERE = "tk"
_STACK_ID = re.compile(r"mo-[0-9a-f]{13}-[0-9A-Za-z]{9}-[a-z]{2}")
_WORDS = (
    "amber brave brisk calm clean clear copper deep eager early fair fresh gentle golden grand green hardy honest "
    "keen lively lucky mellow noble patient plain polar quick quiet ready robust sandy silent silver steady stout "
    "sunny swift tidal true warm western white wise young",
    "anchor atoll bay beacon boom bowline breeze buoy cabin canal cape capstan channel cleat cove current deck dock "
    "ferry fjord galley gull harbor helm inlet island jetty keel lagoon lantern mast oar pier pilot port quay reef "
    "river rudder sail shore sound spar strait tide tiller wharf",
    "arrive ascend assist balance beckon carry circle climb cross deliver depart descend drift embark explore follow "
    "gather glide guide hoist journey launch lead linger load moor navigate observe pass pause ponder reach rest "
    "return roam sail settle signal steer surge travel turn voyage wander watch wave",
)


def stack_id_suffix(region: str) -> str:
    """The end of a stack's id says where it runs."""
    return _REGIONS.get(region, _ELSEWHERE)


def is_stack_id(text: str) -> bool:
    return _STACK_ID.fullmatch(text) is not None


def account_in(stack_id: str) -> str:
    """The id of the account that the stack belongs to."""
    return stack_id.split("-")[1]


def new_version_id() -> str:
    return _random(_OF_VERSIONS, _VERSION_LENGTH)


def new_auth_token() -> str:
    return _random(_LETTERS_AND_DIGITS, _AUTH_TOKEN_LENGTH)


def new_nickname() -> str:
    """Three words that people can tell stacks by."""
    return " ".join(secrets.choice(words.split()) for words in _WORDS)


def _random(characters: str, length: int) -> str:
    return "".join(secrets.choice(characters) for _ in range(length))
