"""Are scope documents of both dialects read, kept as they are, and refused where they say nothing clear?"""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.domain.identity import BadDocument, Resource, policy_of_sub_user, read_document
from fairlead.domain.identity.judging import Verdict
from fairlead.domain.identity.vocabulary import Act

STACK = Resource.of_stack("mo-58c2297d25645-Tqr2xGhK4-tk", owner="kim", vendor="aws", credentials_id="AKIA1")

SENT_BY_THE_CLI = """{"Version":"2017-05-05","Statement":[
  {"Effect":"Deny","Action":["stack:describeStacks"],"Resource":["mrn:alm:stack:mo-58c2297d25645-Tqr2xGhK4-tk"]},
  {"Effect":"Allow","Action":["*"],"Resource":["*"]}]}"""
OF_2018 = """{"version":"2017-05-05","statement":[{"effect":"allow","action":"view:alm.stack",
  "resource":["mo-58c2297d25645-Tqr2xGhK4-tk"]}]}"""


def allows(text: str, act: Act, resource: Resource = STACK, caller: str = "kim") -> bool:
    return policy_of_sub_user(read_document(text)).verdict(act, resource, caller) is Verdict.ALLOWED


def written(**statement: object) -> str:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"} | statement
    kept = {key: value for key, value in statement.items() if value is not ...}
    return json.dumps({"Version": "2017-05-05", "Statement": [kept]})


@pytest.mark.parametrize("text", [SENT_BY_THE_CLI, OF_2018])
def test_a_document_is_kept_as_it_was_given(text):
    assert read_document(text).text == text


def test_both_dialects_are_read():
    assert not allows(SENT_BY_THE_CLI, Act.LIST_STACKS)
    assert allows(SENT_BY_THE_CLI, Act.LIST_VENDORS, Resource.of_vendor("aws"))
    assert allows(OF_2018, Act.LIST_STACKS)
    assert not allows(OF_2018, Act.DELETE_STACK)


@pytest.mark.parametrize(
    "text",
    [
        '{"VERSION":"2017-05-05","STATEMENT":{"EFFECT":"ALLOW","ACTION":"STACK:DESCRIBESTACKS","RESOURCE":"*"}}',
        '{"version":"2017-05-05","Statement":[{"effect":"allow","Action":["View:ALM.Stack"],"resource":"*"}]}',
        '{"statement":{"sid":"1","effect":"aLLoW","action":["stack:*"],"resource":["MRN:ALM:Stack:*"]}}',
        '{"statement":{"effect":"allow","action":["*:alm.stack"],"resource":["mo-*"],"condition":[]}}',
    ],
)
def test_case_and_lists_of_one_do_not_matter(text):
    assert allows(text, Act.LIST_STACKS)
    assert not allows(text, Act.LIST_VENDORS)


def test_case_matters_in_ids():
    assert allows(written(Resource="mrn:ALM:stack:" + STACK.id), Act.LIST_STACKS)
    assert not allows(written(Resource="mrn:alm:stack:" + STACK.id.lower()), Act.LIST_STACKS)
    assert not allows(written(Resource=STACK.id.upper()), Act.LIST_STACKS)


def test_an_action_that_nobody_knows_matches_itself_and_is_matched_by_wildcards():
    logs = "log:describeLogs"
    for action, is_allowed in (("LOG:describeLogs", True), ("log:*", True), ("*", True), ("log:describe", False)):
        policy = policy_of_sub_user(read_document(written(Action=action)))
        assert (policy.verdict(logs, Resource.of_logs(STACK), "kim") is Verdict.ALLOWED) is is_allowed


def test_nobody_asks_for_an_action_by_the_name_that_one_dialect_has_for_it():
    """It would go by the letter, and past what the other dialect calls the same."""
    with pytest.raises(ValueError, match="one dialect's name"):
        policy_of_sub_user(None).verdict("stack:deleteStack", STACK, "kim")


def test_a_document_that_says_nothing_allows_nothing():
    assert not allows('{"Version":"2017-05-05","Statement":[]}', Act.LIST_STACKS)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{ _role scope body_ }", "the scope: no JSON: "),
        ("", "the scope: no JSON: "),
        ('"\ud800"', "the scope: no JSON that anybody could read"),
        ("[" * 30_000, "the scope: no JSON that anybody could read"),
        ('{"Version":' + "9" * 10_000 + "}", "the scope: no JSON that anybody could read"),
        ("[]", "the scope: must be an object"),
        ("null", "the scope: must be an object"),
        ('{"Version":"2012-10-17","Statement":[]}', "/Version: must be 2017-05-05"),
        ('{"version":20170505,"Statement":[]}', "/version: must be 2017-05-05"),
        ('{"Version":"2017-05-05"}', "the scope: the Statement is missing"),
        ('{"Statement":[],"statement":[]}', "the scope: 'statement' is there twice"),
        ('{"Statement":[],"Statements":[]}', "the scope: 'Statements' is not known here"),
        ('{"statement":["allow"]}', "/statement/0: must be an object"),
        ('{"Statement":[{"Effect":"Deny","Effect":"Allow"}]}', "/Statement/0: 'Effect' is there twice"),
        (written(Effect=...), "/Statement/0: the Effect is missing"),
        (written(Action=...), "/Statement/0: the Action is missing"),
        (written(Resource=...), "/Statement/0: the Resource is missing"),
        (written(NotAction="*"), "/Statement/0: 'NotAction' is not known here"),
        (written(**{"\ud800\n": 1}), "/Statement/0: '\\ud800\\n' is not known here"),
        (written(Effect="permit"), "/Statement/0/Effect: must be Allow or Deny"),
        (written(Effect=["Allow"]), "/Statement/0/Effect: must be Allow or Deny"),
        (written(Action=[]), "/Statement/0/Action: there are no actions in it"),
        (written(Action={"a": 1}), "/Statement/0/Action: must be a text of 1 to 256 characters"),
        (written(Action=["*", ""]), "/Statement/0/Action/1: must be a text of 1 to 256 characters"),
        (written(Action=["*", " stack:*"]), "/Statement/0/Action/1: ' stack:*' must be printable"),
        (written(Resource=["*", "a" * 257]), "/Statement/0/Resource/1: must be a text of 1 to 256 characters"),
        (written(Resource="mo-\x00"), "/Statement/0/Resource: 'mo-\\x00' must be printable"),
        (written(Resource="mo-\ud800"), "/Statement/0/Resource: 'mo-\\ud800' must be printable"),
        (written(Condition={"ipFilter": []}), "/Statement/0/Condition: 'ipFilter' is not known here"),
        (written(Condition="kim"), "/Statement/0/Condition: must be an object"),
        (written(Condition={"ownerFilter": {}}), "/Statement/0/Condition/ownerFilter: the username is missing"),
        (
            written(Condition={"ownerFilter": {"username": []}}),
            "/Statement/0/Condition/ownerFilter/username: there are no usernames in it",
        ),
        (
            written(Condition={"ownerFilter": {"username": ["kim", "l*"]}}),
            "/Statement/0/Condition/ownerFilter/username: wildcards are not possible",
        ),
        (json.dumps({"Statement": [{}] * 51}), "/Statement: at most 50 statements are possible"),
        (written(Action=["*"] * 101), "/Statement/0/Action: at most 100 actions are possible"),
        (written(Resource=["*"] * 501), "/Statement/0/Resource: at most 500 resources are possible"),
        (
            written(Resource=[f"mo-{each}*" for each in range(101)]),
            "/Statement: more than 100 resources with wildcards",
        ),
        (" " * 65_537, "the scope: 65537 bytes are more than the 65536 that are possible"),
        ("é" * 32_769, "the scope: 65538 bytes are more than the 65536 that are possible"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place(text, complaint):
    with pytest.raises(BadDocument) as refused:
        read_document(text)

    assert str(refused.value).startswith(complaint)
    str(refused.value).encode()  # it can be answered


def test_documents_as_large_as_possible_are_read():
    read_document(written(Action=["*"] * 100, Resource=["*"] * 500))
    read_document(json.dumps({"Statement": [json.loads(written())["Statement"][0]] * 50}).ljust(65_536))
    read_document(written(Resource=[f"mo-{each}*" for each in range(100)]))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Version", "statement", "Effect", "ACTION", "resource", "condition", "ownerFilter", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(anything, anything)
def test_whatever_stands_in_a_document_it_is_read_or_refused(part, other):
    for document in (
        part,
        {"Statement": part},
        {"statement": [{"effect": "Allow", "action": part, "resource": other}]},
    ):
        try:
            read_document(json.dumps(document))
        except BadDocument as refused:
            str(refused).encode()
