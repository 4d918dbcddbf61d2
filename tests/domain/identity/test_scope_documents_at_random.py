"""Does the evaluator decide as mobingi.md §2.2 reads? Random documents, judged by it and by a plain reading."""

import fnmatch
import json
import random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from fairlead.domain.identity import Act, Resource, Verdict, policy_of_sub_user, read_document

A, B = 0, 1
WORDS = {  # what both dialects have a name for
    "see vendors": (["vendor:describeVendors"], None),
    "see credentials": (["cred:describeCredentials"], ["view:credentials"]),
    "delete aws credentials": (["cred:deleteCredentials::aws"], None),
    "delete credentials": (["cred:deleteCredentials"], ["delete:credentials"]),
    "list stacks": (["stack:describeStacks"], None),
    "see stacks": (["stack:describeStacks", "stack:describeStack"], ["view:alm.stack"]),
    "edit stacks": (["stack:updateStack"], ["edit:alm.stack"]),
    "delete stacks": (["stack:deleteStack"], ["delete:alm.stack"]),
    "see templates": (["template:describeAlmTemplate"], ["view:alm.template"]),
    "edit templates": (["template:updateAlmTemplate"], ["edit:alm.template"]),
    "all of stacks": (["stack:*"], ["*:alm.stack"]),
    "unknown": (["oven:heat"], ["heat:oven"]),
    "everything": (["*"], ["*"]),
}
NAMED = {
    "everything": (["*"], ["*"]),
    "aws": (["mrn:vendor:aws"], ["aws"]),
    "AKIA1": (["mrn:vendor:aws:cred:AKIA1"], ["AKIA1"]),
    "all of aws": (["mrn:vendor:aws:cred:*"], None),
    "mo-1": (["mrn:alm:stack:mo-1", "mrn:alm:template:mo-1"], ["mo-1"]),
    "mo-2": (["mrn:alm:stack:mo-2", "mrn:alm:template:mo-2"], ["mo-2"]),
    "any mo-": (["mrn:alm:stack:mo-*", "mrn:alm:template:mo-*"], ["mo-*"]),
    "stack mo-3": (["mrn:alm:stack:mo-3"], None),
}
CALLED = {  # an action, and all that a document may call it
    Act.LIST_VENDORS: ["vendor:describeVendors"],
    Act.VIEW_CREDENTIALS: ["cred:describeCredentials", "view:credentials"],
    Act.DELETE_CREDENTIALS: ["cred:deleteCredentials", "delete:credentials"],
    Act.LIST_STACKS: ["stack:describeStacks", "view:alm.stack"],
    Act.VIEW_STACK: ["stack:describeStack", "view:alm.stack"],
    Act.EDIT_STACK: ["stack:updateStack", "edit:alm.stack"],
    Act.DELETE_STACK: ["stack:deleteStack", "delete:alm.stack"],
    Act.VIEW_TEMPLATE: ["template:describeAlmTemplate", "view:alm.template"],
    Act.EDIT_TEMPLATE: ["template:updateAlmTemplate", "edit:alm.template"],
}
ON_STACKS = [Act.LIST_STACKS, Act.VIEW_STACK, Act.EDIT_STACK, Act.DELETE_STACK]
ON_TEMPLATES = [Act.VIEW_TEMPLATE, Act.EDIT_TEMPLATE]
# id: owner, vendor, credentials
STACKS = {
    "mo-1": ("kim", "aws", "AKIA1"),
    "mo-2": ("lee", "aws", "AKIA2"),
    "mo-3": ("kim", "alicloud", "ALI1"),
    "mo-4": ("max", "local", ""),
}


@st.composite
def sentences(draw, words=tuple(WORDS), things=tuple(NAMED)):
    owners = draw(
        st.none() | st.none() | st.lists(st.sampled_from(["_SUBUSER_", "kim", "lee"]), min_size=1, max_size=2)
    )
    return (
        draw(st.sampled_from(["allow", "allow", "deny"])),
        draw(st.lists(st.sampled_from(words), min_size=1, max_size=3)),
        draw(st.lists(st.sampled_from(things), min_size=1, max_size=2)),
        owners,
    )


documents = st.lists(sentences(), min_size=1, max_size=5)
in_both_dialects = st.lists(
    sentences(
        tuple(word for word, names in WORDS.items() if names[B]),
        tuple(thing for thing, names in NAMED.items() if names[B]),
    ),
    min_size=1,
    max_size=5,
)
dialects = st.lists(st.sampled_from([A, B]), min_size=6, max_size=6)
callers = st.sampled_from(["kim", "lee", "ann"])


def written(sentence, dialect):
    """The statement in a dialect; in the other one what this one has no word for."""
    effect, words, things, owners = sentence
    actions = [name for word in words for name in (WORDS[word][dialect] or WORDS[word][A])]
    resources = [name for thing in things for name in (NAMED[thing][dialect] or NAMED[thing][A])]
    if dialect == A:
        statement = {"Effect": effect.capitalize(), "Action": actions, "Resource": resources}
        condition = {"Condition": {"ownerFilter": {"username": owners}}}
    else:
        one = actions[0] if len(actions) == 1 else actions
        statement = {"effect": effect, "action": one, "resource": resources}
        condition = {"condition": {"ownerfilter": {"username": owners}}}
    return statement if owners is None else statement | condition


def policy(statements):
    return policy_of_sub_user(read_document(json.dumps({"version": "2017-05-05", "Statement": statements})))


def questions():
    """Everything that can be asked: the act, the resource, and what the plain reading calls it."""
    for vendor in ("aws", "alicloud"):
        yield Act.LIST_VENDORS, Resource.of_vendor(vendor), ("vendor", vendor)
    for vendor, name in (("aws", "AKIA1"), ("aws", "AKIA2"), ("alicloud", "ALI1")):
        for act in (Act.VIEW_CREDENTIALS, Act.DELETE_CREDENTIALS):
            yield act, Resource.of_credentials(vendor, name), ("credentials", vendor, name)
    for name, (owner, vendor, credentials) in STACKS.items():
        stack = Resource.of_stack(name, owner=owner, vendor=vendor, credentials_id=credentials)
        for act in ON_STACKS:
            yield act, stack, ("stack", name)
        for act in ON_TEMPLATES:
            yield act, Resource.of_template(stack), ("template", name)


QUESTIONS = list(questions())


def allowed(statements, caller):
    judged = policy(statements)
    return {
        (act, described) for act, asked, described in QUESTIONS if judged.verdict(act, asked, caller) is Verdict.ALLOWED
    }


# The plain reading: no compiling, no classes, the rules in the order in which the reference says them.


def key(statement, wanted):
    return next((value for name, value in statement.items() if name.lower() == wanted), None)


def in_full(thing):
    match thing:
        case ("vendor", vendor):
            return [f"mrn:vendor:{vendor}", vendor]
        case ("credentials", vendor, name):
            return [f"mrn:vendor:{vendor}:cred:{name}", name]
        case (kind, name):
            return [f"mrn:alm:{kind}:{name}", name]


def is_about(statement, act, thing):
    actions, resources = key(statement, "action"), key(statement, "resource")
    called = list(CALLED[act])
    if thing[0] == "credentials":
        called += [f"{name}::{thing[1]}" for name in CALLED[act]]
    for pattern in [actions] if isinstance(actions, str) else actions:
        for name in called:
            if fnmatch.fnmatchcase(name, pattern):
                for resource in resources:
                    for known in in_full(thing):
                        if fnmatch.fnmatchcase(known, resource):
                            return True
    return False


def owner_of(thing):
    return STACKS[thing[1]][0] if thing[0] in ("stack", "template") else None


def owners_of(statement, caller):
    condition = key(statement, "condition")
    if condition is None:
        return None
    return [caller if name == "_SUBUSER_" else name for name in key(key(condition, "ownerfilter"), "username")]


def denied(statements, caller, act, thing):
    for statement in statements:
        if key(statement, "effect").lower() == "deny" and is_about(statement, act, thing):
            owners = owners_of(statement, caller)
            if owners is None or owner_of(thing) in owners:
                return True
    return False


def hidden(statements, caller, thing):
    if thing[0] == "vendor":
        return denied(statements, caller, Act.LIST_VENDORS, thing)
    if thing[0] == "credentials":
        own = denied(statements, caller, Act.VIEW_CREDENTIALS, thing)
        return own or hidden(statements, caller, ("vendor", thing[1]))
    if thing[0] == "template":
        stack = ("stack", thing[1])
        return denied(statements, caller, Act.VIEW_STACK, stack) or hidden(statements, caller, stack)
    _, vendor, credentials = STACKS[thing[1]]
    if denied(statements, caller, Act.LIST_STACKS, thing):
        return True
    return hidden(statements, caller, ("credentials", vendor, credentials) if credentials else ("vendor", vendor))


def plainly_allowed(statements, caller, act, thing):
    if denied(statements, caller, act, thing) or hidden(statements, caller, thing):
        return False
    if thing[0] == "stack" and act != Act.LIST_STACKS and denied(statements, caller, Act.VIEW_STACK, thing):
        return False
    if act == Act.EDIT_TEMPLATE and denied(statements, caller, Act.EDIT_STACK, ("stack", thing[1])):
        return False
    with_condition, without = [], []
    for statement in statements:
        if key(statement, "effect").lower() == "allow" and is_about(statement, act, thing):
            (without if owners_of(statement, caller) is None else with_condition).append(statement)
    if with_condition and owner_of(thing) is not None:
        return any(owner_of(thing) in owners_of(statement, caller) for statement in with_condition)
    if act in (Act.VIEW_STACK, Act.EDIT_STACK, Act.DELETE_STACK, Act.EDIT_TEMPLATE) and owner_of(thing) != caller:
        for statement in without:
            for resource in key(statement, "resource"):
                if resource in in_full(thing):
                    return True
        return False
    return bool(without)


def mixed(sentences, order):
    return [written(sentence, dialect) for sentence, dialect in zip(sentences, order, strict=False)]


@settings(max_examples=400, deadline=None)
@given(documents, dialects, callers)
def test_it_decides_as_the_reference_reads(said, order, caller):
    statements = mixed(said, order)
    expected = {(act, thing) for act, _, thing in QUESTIONS if plainly_allowed(statements, caller, act, thing)}
    event("nothing" if not expected else "everything" if len(expected) == len(QUESTIONS) else "something")

    assert allowed(statements, caller) == expected


@settings(max_examples=200, deadline=None)
@given(in_both_dialects, callers)
def test_both_dialects_decide_alike(said, caller):
    one, other = ([written(sentence, dialect) for sentence in said] for dialect in (A, B))

    assert allowed(one, caller) == allowed(other, caller)


@settings(max_examples=200, deadline=None)
@given(documents, dialects, callers, sentences())
def test_one_deny_more_never_allows_more(said, order, caller, more):
    statements = mixed(said, order)

    assert allowed([*statements, written(("deny", *more[1:]), order[5])], caller) <= allowed(statements, caller)


@settings(max_examples=200, deadline=None)
@given(documents, dialects, callers, st.randoms(use_true_random=False))
def test_order_never_matters(said, order, caller, chance: random.Random):
    statements = mixed(said, order)
    otherwise = [dict(chance.sample(list(each.items()), len(each))) for each in statements]
    chance.shuffle(otherwise)

    assert allowed(otherwise, caller) == allowed(statements, caller)
