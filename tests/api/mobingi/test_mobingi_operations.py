"""Does every operation take what is published and answer what is published, and only to whom it should?"""

import base64
import json
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from operations_v3 import OPERATIONS, SCOPE, Operation, call, filled

from fairlead.parts import open_registry_tokens
from house.accounts import document
from house.mobingi import CONTAINER, VERSION_1, VERSION_2, Town, wait_until, with_container
from house.world import PASSWORD, Person

UNKNOWN = {
    "stack": "mo-5447820c870e1-ZgNTSRM8K-tk",
    "served": "mo-5447820c870e1-ZgNTSRM8K-tk",
    "changed": "mo-5447820c870e1-ZgNTSRM8K-tk",
    "version": "98O0jK6CQk8qLi14S2SLU8z3JIo3.JPx",
    "changed version": "98O0jK6CQk8qLi14S2SLU8z3JIo3.JPx",
    "container": "i-0c32760b85f60aca7",
    "agent": "e8b15d4f-f027-4c65-80f5-ded5858cd213",
    "role": "morole-5447820c870e1-ZgNTSRM8K",
    "member": "nobody",
    "account": "5447820c870e1",
}
CHANGING = [each for each in OPERATIONS if each.changes]
LOOKING = [each for each in OPERATIONS if not each.changes]
WITH_A_BODY = [each for each in OPERATIONS if each.text or each.body or each.form]
ERROR_KEYS = {"code", "error", "message", "description"}
AWS = {"vendor": "aws"}


def furnish(town: Town) -> dict[str, str]:
    """One of everything in an account, by what it is. `changed` is a stack in version 2, `served` one with agents."""
    master = town.master
    member = master.get("/v3/user").json()["user_id"][:4] + "thompson"
    town.account.add(member)
    ids = UNKNOWN | {
        "stack": town.stack(),
        "changed": town.stack(),
        "served": town.stack(with_container()),
        "member": member,
        "email": town.account.email,
        "agent": "e8b15d4f-f027-4c65-80f5-ded5858cd213",
    }
    ids["account"] = ids["stack"].split("-")[1]
    ids["version"] = town.describe(ids["stack"])["version_id"]
    ids["changed version"] = town.update(ids["changed"])
    town.report(ids["served"])
    ids["container"] = town.instances(ids["served"])[0]
    report = {
        "stack_id": ids["served"],
        "agent_id": ids["agent"],
        "container_id": ids["container"],
        "instance_id": ids["container"],
        "status": "complete",
    }
    agent = town.agent(ids["served"])
    assert agent.post("/v3/alm/agent/container_status", data=report).status_code == 202
    role = master.post("/v3/role", data={"name": "sample name", "scope": SCOPE}).json()["role_id"]
    assert master.post("/v3/user/role", data={"username": member, "role_id": role}).status_code == 200
    keys = {"AWSAccountName": "standing", "AWSAccessKeyId": "AKIASTANDING", "AWSSecretKey": "a-secret-of-standing"}
    assert master.post("/v3/credentials/aws", json=keys).status_code == 200
    return ids | {"role": role}


@pytest.fixture(scope="session")
def ids(standing) -> dict[str, str]:
    """Of the account that tests leave as it was."""
    return furnish(standing)


@pytest.fixture
def own_ids(town) -> dict[str, str]:
    return furnish(town)


def answer_of(operation: Operation, reply: httpx.Response, ids: dict[str, str]) -> object:
    """The answer without what else there is in the account: the list of stacks has three."""
    found = reply.json()
    if str(operation) == "GET /v3/alm/stack":
        return [each for each in found if each["stack_id"] == ids["stack"]]
    return found


@pytest.mark.parametrize("operation", LOOKING, ids=str)
def test_an_operation_that_looks_answers_as_published(standing, ids, operation):
    who = standing.agent(ids["served"]) if operation.by == "agents" else standing.master

    reply = call(who, operation, ids)

    assert reply.status_code == operation.status, reply.text
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    if operation.answer is not None:
        assert answer_of(operation, reply, ids) == filled(operation.answer, ids)


@pytest.mark.parametrize("operation", CHANGING, ids=str)
def test_an_operation_that_changes_something_answers_as_published(town, own_ids, operation):
    who = town.agent(own_ids["served"]) if operation.by == "agents" else town.master

    reply = call(who, operation, own_ids)

    assert reply.status_code == operation.status, reply.text
    assert reply.json() == filled(operation.answer, own_ids)


def test_the_key_order_of_a_stack_is_of_no_matter_but_nothing_is_missing(standing, ids):
    seed = {"auth_token", "user_id", "configuration", "nickname", "create_time", "username", "stack_id"}
    seed |= {"stack_status", "version_id"}

    assert set(standing.master.get("/v3/alm/stack").json()[0]) == seed
    assert set(standing.describe(ids["stack"])) == seed | {"instances"}


def test_versions_are_listed_the_newest_first_and_each_is_described_as_it_was_given(standing, ids):
    listed = standing.master.get(f"/v3/alm/template?stack_id={ids['changed']}").json()

    assert [each["latest"] for each in listed] == [True, False]
    path = f"/v3/alm/template/{ids['changed']}?version_id="
    assert standing.master.get(path + listed[0]["version_id"]).json() == VERSION_2
    assert standing.master.get(path + listed[1]["version_id"]).json() == VERSION_1
    assert standing.master.get(path).json() == VERSION_2


def test_an_agent_is_told_of_its_container_in_the_seeds_words(standing, ids):
    agent = standing.agent(ids["served"])

    said = agent.get(f"/v3/alm/agent/config?stack_id={ids['served']}&flag=Web01").json()
    nothing = agent.get(f"/v3/alm/agent/config?stack_id={ids['served']}&flag=Web99")

    seed = {name: value for name, value in CONTAINER.items() if name != "environmentVariables"}
    assert {name: said[name] for name in seed} == seed
    assert said["environment_variables"] == CONTAINER["environmentVariables"]
    assert (nothing.status_code, nothing.content) == (200, b"{}")


def test_a_server_configuration_is_shown_and_its_variables_reach_the_agents(town):
    stack_id = town.stack(with_container())
    town.report(stack_id)
    path = f"/v3/alm/serverconfig?stack_id={stack_id}"
    before = town.master.get(path).json()

    changed = town.master.put(path, json={"stack_id": stack_id, "envvars": {"GREETING": "hello"}})

    assert (before["image"], before["gitReference"]) == (CONTAINER["image"], "master")
    assert changed.json() == {"status": "success"}
    config = town.agent(stack_id).get(f"/v3/alm/agent/config?stack_id={stack_id}&flag=Web01").json()
    assert config["container_env_vars"]["GREETING"] == "hello"
    assert config["container_updated"] > before["updated"]


def test_vendors_are_all_that_templates_may_name(standing):
    listed = standing.master.get("/v3/vendors").json()

    assert [each for each in listed if each["vendor"] in {"aws", "alicloud"}] == [AWS, {"vendor": "alicloud"}]
    assert {"vendor": "local"} in listed


def test_a_private_key_is_fetched_from_the_address_without_a_token(standing, ids, anyone):
    told = standing.master.get(f"/v3/alm/pem?stack_id={ids['stack']}&flag=Web01").json()

    fetched = httpx.get(told["data"])

    assert fetched.text.startswith("-----BEGIN ")
    assert fetched.headers["cache-control"] == "no-store"
    address = urlsplit(told["data"])
    forged = anyone.get(address.path[:-3] + ("AAA" if address.path[-3:] != "AAA" else "BBB"))
    assert forged.status_code == 403
    assert set(forged.json()) == ERROR_KEYS | {"RBAC"}


def test_an_address_of_a_private_key_is_good_for_some_minutes(standing, ids, anyone, monkeypatch):
    from datetime import timedelta

    from fairlead.api.mobingi import login_keys

    path = urlsplit(standing.master.get(f"/v3/alm/pem?stack_id={ids['stack']}&flag=Web01").json()["data"]).path
    now = login_keys.clock.now
    monkeypatch.setattr(login_keys.clock, "now", lambda: now() + timedelta(minutes=6))

    assert anyone.get(path).status_code == 403


# who may


@pytest.mark.parametrize(
    "token", ["", "Bearer", "Bearer nonsense", "Basic YTpi"], ids=["none", "empty", "nonsense", "basic"]
)
def test_nobody_gets_in_without_a_token(anyone, ids, token):
    stranger = Person(anyone, "")
    headers = {"Authorization": token} if token else {}

    replies = {
        str(each): stranger.client.request(each.method, filled(each.path, ids), headers=headers) for each in OPERATIONS
    }

    assert {name: reply.status_code for name, reply in replies.items() if reply.status_code != 401} == {}
    assert all(set(reply.json()) == ERROR_KEYS for reply in replies.values())
    assert all(reply.headers["www-authenticate"] == "Bearer" for reply in replies.values())


def test_another_account_sees_and_changes_nothing_of_this_one(standing, ids, elsewhere):
    before = everything_of(standing)
    elsewhere.stack()

    replies = {str(each): call(elsewhere.master, each, ids) for each in OPERATIONS if each.names_a_stack or each.lists}

    told = " ".join(reply.text.replace(ids[name], "") for reply in replies.values() if reply.is_success for name in ids)
    unasked = {name: reply for name, reply in replies.items() if reply.is_success}
    assert all(reply.status_code == 404 for name, reply in replies.items() if name not in unasked), replies
    assert [name for name, reply in unasked.items() if ids["stack"] in reply.text or ids["served"] in reply.text] == []
    assert "AKIASTANDING" not in told
    assert everything_of(standing) == before


def everything_of(town: Town) -> list[object]:
    paths = ("/v3/alm/stack", "/v3/role", "/v3/credentials/aws")
    return [town.master.get(path).json() for path in paths]


def test_roles_of_another_account_are_not_there(standing, ids, elsewhere):
    replies = [call(elsewhere.master, each, ids) for each in OPERATIONS if "{role}" in f"{each.path}{each.form}"]

    assert {reply.status_code for reply in replies} == {404}
    assert elsewhere.master.get("/v3/role").json() == []


def test_a_member_whose_role_names_one_stack_sees_that_one_on_every_route(town, own_ids):
    own = own_ids["served"]
    kim = town.member("kim", document(f"Allow * {own}"))
    hidden = own_ids | {"served": own_ids["stack"], "container": own_ids["stack"]}

    seen = {
        str(each): call(kim, each, own_ids).status_code
        for each in LOOKING
        if each.by == "people"
        and {"{served}", "{container}"} & {part for part in ("{served}", "{container}") if part in each.path}
    }
    unseen = {str(each): call(kim, each, hidden) for each in OPERATIONS if each.by != "master" and each.names_a_stack}

    assert seen
    assert set(seen.values()) == {200}, seen
    shown = {name: reply.content for name, reply in unseen.items() if reply.status_code not in {403, 404}}
    assert set(shown.values()) == {b"[]"}, shown
    assert [each["stack_id"] for each in kim.get("/v3/alm/stack").json()] == [own]
    assert kim.get("/v3/credentials/aws").json() == []


def test_a_member_may_do_nothing_that_is_the_masters(standing, ids):
    thompson = standing.as_(ids["member"])

    replies = {str(each): call(thompson, each, ids) for each in OPERATIONS if each.by == "master"}

    assert {name: reply.status_code for name, reply in replies.items() if reply.status_code != 403} == {}
    assert {reply.json()["RBAC"] for reply in replies.values()} == {"Action not allowed"}
    assert {(reply.json()["code"], reply.json()["message"]) for reply in replies.values()} == {
        ("4000", "RBAC response is limited.")
    }


def test_an_agent_does_what_agents_do_for_its_own_stack_and_nothing_else(standing, ids):
    agent = standing.agent(ids["stack"])

    others = {str(each): call(agent, each, ids).status_code for each in OPERATIONS if each.by != "agents"}
    next_door = {str(each): call(agent, each, ids) for each in OPERATIONS if each.by == "agents"}

    assert {name: status for name, status in others.items() if status != 403} == {}
    assert {name: reply.status_code for name, reply in next_door.items() if reply.status_code != 403} == {}


def test_a_program_is_an_agent_of_all_stacks_and_nothing_else(standing, ids):
    program = standing.program()

    others = {str(each): call(program, each, ids).status_code for each in OPERATIONS if each.by != "agents"}
    reported = [call(program, each, ids).status_code for each in LOOKING if each.by == "agents"]

    assert set(others.values()) == {403}, others
    assert set(reported) == {200, 202}


# what is wrong


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if each.names_a_stack and each.by != "agents" and not each.lists],
    ids=str,
)
def test_what_is_not_there_is_not_found(standing, operation):
    reply = call(standing.master, operation, UNKNOWN)

    assert reply.status_code == 404, reply.text
    assert set(reply.json()) == ERROR_KEYS


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.needs], ids=str)
def test_what_is_missing_is_named(standing, ids, operation):
    who = standing.agent(ids["served"]) if operation.by == "agents" else standing.master
    for name in operation.needs:
        reply = call(who, operation, ids, leave_out=name)

        assert reply.status_code == 400, name
        assert (reply.json()["code"], set(reply.json())) == ("1000", ERROR_KEYS)
        if name not in {"body", "credentials"}:
            assert name in reply.json()["message"]


@pytest.mark.parametrize("operation", [each for each in WITH_A_BODY if not each.text], ids=str)
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"name": '),
        ("application/json", b"[]"),
        ("application/json", b'{"name": "\xff"}'),
        ("application/json", b"[" * 100_000),
        ("application/xml", b"<name/>"),
        ("application/x-www-form-urlencoded", b"name=%ff"),
        ("multipart/form-data", b"name"),
        ("multipart/form-data; boundary=x", b"--x\r\nname"),
    ],
    ids=["broken", "a list", "no text", "deep", "of another kind", "no UTF-8", "no boundary", "cut off"],
)
def test_a_body_that_cannot_be_read_is_refused(standing, ids, operation, content_type, body):
    who = standing.agent(ids["served"]) if operation.by == "agents" else standing.master

    reply = who.request(
        operation.method, filled(operation.path, ids), content=body, headers={"Content-Type": content_type}
    )

    assert reply.status_code == 400, reply.text
    assert reply.json()["code"] == "1000"


def test_an_agent_may_repeat_whatever_a_program_has_said(standing, ids):
    """Programs say their last words in any encoding, and with NULs: an error that is refused would be lost."""
    told = {"stack_id": ids["served"], "agent_id": "a-1", "status": "installing"}

    for words in ("caf%E9", "caf%C3%A9%00", "caf%EF%BF%BD"):
        reply = standing.agent(ids["served"]).post(
            "/v3/alm/agent/agent_status",
            content=f"{urlencode(told)}&message={words}",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert (reply.status_code, reply.json().get("status")) == (202, "installing"), reply.text
    as_json = standing.agent(ids["served"]).post("/v3/alm/agent/agent_status", json=told | {"message": "caf\0"})
    assert as_json.status_code == 202, as_json.text


WITH_FIELDS = [each for each in WITH_A_BODY if each.form or each.body]


@pytest.mark.parametrize("operation", [each for each in WITH_FIELDS if each.changes], ids=str)
def test_fields_of_what_is_changed_are_taken_in_any_of_three_encodings(town, own_ids, operation):
    """What they say is judged in one place: so what is right in one encoding is right in all."""
    as_form, as_parts, as_json = in_three_encodings(town, own_ids, operation)

    assert as_form.status_code == operation.status, as_form.text
    assert {as_parts.status_code, as_json.status_code} <= {operation.status, 404, 409}, (as_parts.text, as_json.text)


@pytest.mark.parametrize("operation", [each for each in WITH_FIELDS if not each.changes], ids=str)
def test_fields_are_taken_in_any_of_three_encodings(standing, ids, operation):
    for answer in in_three_encodings(standing, ids, operation):
        assert answer.status_code == operation.status, answer.text


def in_three_encodings(town, known, operation):
    """The answers to the same fields as a form, in parts, and as JSON."""
    who = town.agent(known["served"]) if operation.by == "agents" else town.master
    said = filled(operation.form or operation.body, known)
    texts = {name: each if isinstance(each, str) else json.dumps(each) for name, each in said.items()}
    if "serverconfig" in operation.path:
        texts = {"stack_id": known["served"], "filepath": "https://github.com/mobingilabs/default-site-php"}
        said = texts
    path = filled(operation.path, known)
    encodings = ({"data": texts}, {"files": {name: (None, each) for name, each in texts.items()}}, {"json": said})
    for encoded in encodings:
        yield who.request(operation.method, path, **encoded)
        if operation.changes and operation.method != "DELETE":
            wait_until(lambda: town.settle(known["stack"]))


@pytest.mark.parametrize("content_type", ["application/json", "application/x-yaml", "text/plain", ""])
def test_a_template_is_read_whatever_it_calls_itself(standing, content_type):
    headers = {"Content-Type": content_type} if content_type else {}

    reply = standing.master.post("/v3/alm/template/verify", content=json.dumps(VERSION_1), headers=headers)

    assert reply.json() == {"status": "success", "warnings": []}


@pytest.mark.parametrize(
    ("change", "description"),
    [
        ({"version": "2016"}, "Alm template version is not supported, current supported version is '2017-03-03'."),
        (
            {"vendor": {"ibm": {}}},
            "This cloud vendor is not supported, please check your template's 'vendor' section.",
        ),
        ({"configurations": []}, "Missing 'configurations' section in your alm template."),
    ],
)
def test_a_bad_template_is_refused_in_the_words_of_the_reference_server(standing, change, description):
    for path in ("/v3/alm/template", "/v3/alm/template/verify"):
        reply = standing.master.post(path, json=VERSION_1 | change)

        assert reply.status_code == 400
        assert reply.json() | {"errors": []} == {
            "code": "1006",
            "error": "invalid_template",
            "message": "Alm template failed to pass the format verification",
            "description": description,
            "errors": [],
        }


def test_all_that_is_wrong_with_a_template_is_told_with_its_place(standing):
    template = json.loads(json.dumps(VERSION_1))
    template["configurations"][0]["flag"] = "no"
    template["configurations"][0]["provision"]["instance_count"] = "many"

    reply = standing.master.post("/v3/alm/template", json=template)

    pointers = [each["pointer"] for each in reply.json()["errors"]]
    assert pointers == ["/configurations/0/flag", "/configurations/0/provision/instance_count"]
    assert all(each["message"] for each in reply.json()["errors"])


@pytest.mark.parametrize(
    ("text", "code"), [("", "1007"), (" \n", "1007"), ("version: 2017-03-03\n", "1006"), ("{", "1006")]
)
def test_what_is_no_template_at_all_is_refused(standing, text, code):
    reply = standing.master.post("/v3/alm/template", content=text, headers={"Content-Type": "application/x-yaml"})

    assert (reply.status_code, reply.json()["code"]) == (400, code)


def test_a_vendor_without_a_driver_is_told_of_clearly_and_only_if_the_template_is_good(standing):
    good = VERSION_1 | {"vendor": {"k5": {"cred": "acme", "region": "jp-east-1"}}}
    bad = good | {"version": "1"}

    refused = standing.master.post("/v3/alm/template", json=good)

    assert refused.status_code == 422
    assert "no driver for the vendor k5 is installed" in refused.json()["message"]
    assert standing.master.post("/v3/alm/template", json=bad).json()["code"] == "1006"


@pytest.mark.parametrize(
    "said",
    [
        {"id": [{"{stack}": {"version": "latest"}}]},
        {"body": [json.dumps(VERSION_1), json.dumps(VERSION_2)]},
        {"id": "nonsense"},
        {"id": ["{stack}", "{stack}"]},
        {"id": [{"{stack}": "latest"}], "body": [json.dumps(VERSION_1)]},
        {"id": [{"{stack}": {"version": 1.5}}], "body": [json.dumps(VERSION_1)]},
        {"id": [{"{stack}": {}}] * 2, "body": [json.dumps(VERSION_1)]},
        {"id": [{"{stack}": {}}], "body": [3]},
        {"id": [{"{stack}": {}}], "body": {"a": 1}},
    ],
)
def test_a_comparison_of_anything_but_two_is_refused(standing, ids, said):
    reply = standing.master.post("/v3/alm/template/compare", json=filled(said, ids))

    assert (reply.status_code, reply.json()["code"]) == (400, "1000")


def test_two_updates_at_once_give_one_refusal(town):
    stack_id = town.stack(with_container())

    reply = town.master.put(f"/v3/alm/template/{stack_id}", json=VERSION_2)

    assert (reply.status_code, reply.json()["code"]) == (409, "2000")


@pytest.mark.parametrize(
    "path",
    [
        "/v3",
        "/v3/",
        "/v3/nothing",
        "/v3/alm",
        "/v3/alm/stack/a/b",
        "/v2/alm/stack",
        "/v3/%00",
        "/v3/alm/stack/%2e%2e/x",
    ],
)
def test_an_unknown_path_is_refused_in_this_apis_shape(anyone, standing, path):
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        reply = standing.master.request(method, path)

        assert reply.status_code == 404, method
        assert set(reply.json()) == ERROR_KEYS
        assert reply.headers["access-control-allow-origin"] == "*"


def test_a_wrong_method_is_refused_and_the_others_are_named(standing):
    reply = standing.master.request("PATCH", "/v3/alm/template")

    assert reply.status_code == 405
    assert set(reply.headers["allow"].replace(" ", "").split(",")) - {"OPTIONS"} == {"GET", "POST"}
    assert set(reply.json()) == ERROR_KEYS


def test_a_browser_may_call_from_anywhere(anyone):
    reply = anyone.options("/v3/alm/stack", headers={"Origin": "https://elsewhere.example"})

    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-allow-methods"] == "POST, GET, OPTIONS, PUT, DELETE"
    assert "Authorization" in reply.headers["access-control-allow-headers"]
    assert "POST" in reply.headers["allow"]


def test_a_body_that_is_too_large_is_refused(standing):
    large = b'{"name": "' + b"x" * (5 * 1024 * 1024) + b'"}'

    template = standing.master.post("/v3/alm/template", content=large)
    role = standing.master.post("/v3/role", content=large)

    assert (template.status_code, role.status_code) == (413, 413)
    assert set(role.json()) == ERROR_KEYS


def test_our_own_mistakes_are_told_as_nothing_but_that(standing, monkeypatch):
    from fairlead.api.mobingi import stack

    def fail(*_: object) -> None:
        raise RuntimeError("the password is opensesame")

    monkeypatch.setattr(stack.stacks, "list_stacks", fail)

    reply = standing.master.get("/v3/alm/stack")

    assert reply.status_code == 500
    assert reply.json() == {"code": "9000", "error": "server_error", "message": "internal error", "description": ""}


def test_the_other_apis_keep_their_own_shape(anyone):
    assert set(anyone.get("/api/management/v1/nothing").json()) == {"error", "request_id"}
    assert "access-control-allow-origin" not in anyone.get("/api/management/v1/nothing").headers


# credentials


@pytest.mark.parametrize(
    ("vendor", "said"),
    [
        ("aws", {"AWSAccountName": "acme", "AWSAccessKeyId": "AKIAKEY", "AWSSecretKey": "hush-hush"}),
        ("aws", {"credentials": {"AWSAccountName": "acme", "AWSSecretKey": "AKIAKEY", "AWSSecretKeyId": "hush-hush"}}),
        (
            "alicloud",
            {
                "credentials": {
                    "AliCloudAccountName": "acme",
                    "AliCloudAccessKeyId": "AKIAKEY",
                    "AliCloudSecretKey": "hush-hush",
                }
            },
        ),
        ("k5", {"account": "acme", "id": "AKIAKEY", "secret": "hush-hush"}),
    ],
    ids=["version 2", "the SDK's, the wrong way round", "alicloud", "any vendor"],
)
def test_credentials_are_taken_in_all_spellings_and_their_secret_is_never_given_back(town, vendor, said):
    added = town.master.post(f"/v3/credentials/{vendor}", json=said)

    listed = town.master.get(f"/v3/credentials/{vendor}")

    assert [(each["id"], each["account"]) for each in listed.json()] == [("AKIAKEY", "acme")]
    assert "hush-hush" not in added.text + listed.text
    removed = town.master.request("DELETE", f"/v3/credentials/{vendor}?credential_id=AKIAKEY")
    assert removed.json() == {"status": "success"}
    assert town.master.get(f"/v3/credentials/{vendor}").json() == []


# the old form


def test_the_old_form_makes_a_template_that_can_be_described(town):
    settings = {
        "region": "ap-northeast-1",
        "architecture": "art_elb",
        "type": "m3.medium",
        "image": "mobingi/ubuntu-apache2-php7:7.1",
        "min": 2,
        "max": 10,
        "spotRange": 50,
        "nickname": "sample",
        "code": "github.com/mobingilabs/default-site-php",
        "gitReference": "master",
        "database": [{"Engine": "db_mysql", "DBType": "db.m3.medium", "DBStorage": "5", "ReadReplica1": True}],
    }
    form = {"vendor": "aws", "region": "ap-northeast-1", "cred": "AKIA", "configurations": json.dumps(settings)}

    created = town.master.post("/v3/alm/stack", data=form)
    assert created.status_code == 201, created.text
    stack_id = created.json()["stack_id"]
    town.report(stack_id)
    updated = town.master.put(f"/v3/alm/stack/{stack_id}", json={"configurations": '{"min":4,"max":20}'})

    assert updated.status_code == 202, updated.text
    layer = town.master.get(f"/v3/alm/template/{stack_id}").json()["configurations"][0]
    scaling = layer["provision"]["auto_scaling"]
    assert (scaling["min"], scaling["max"], scaling["spot_to_ondemand_ratio"]) == (4, 20, 50)
    assert layer["provision"]["rds"]["engine"] == "mysql"
    assert layer["container"]["gitRepo"] == "https://github.com/mobingilabs/default-site-php"


SPELT_OTHERWISE = {
    "Version": "2017-03-03",
    "Vendor": {"aws": {"cred": "AKIA", "region": "ap-northeast-1"}},
    "Configurations": [
        {
            "Role": "web",
            "Flag": "Web01",
            "Provision": {"InstanceType": "t2.micro", "AutoScaling": {"Min": 1, "Max": 1, "AvailabilityZones": "a"}},
            "Container": {"ContainerImage": "mobingi/web", "container_git_repo": "https://example.com/a.git"},
        }
    ],
}


def test_the_old_form_changes_a_template_whose_keys_are_written_otherwise(town):
    stack_id = town.master.post("/v3/alm/template", json=SPELT_OTHERWISE).json()["stack_id"]
    town.report(stack_id)
    settings = {"type": "t2.small", "image": "mobingi/other", "code": "github.com/a/b", "min": 2, "max": 3}

    reply = town.master.put(f"/v3/alm/stack/{stack_id}", json={"configurations": json.dumps(settings)})

    assert reply.status_code == 202, reply.text
    (layer,) = town.master.get(f"/v3/alm/template/{stack_id}").json()["Configurations"]
    changed = dict(SPELT_OTHERWISE["Configurations"][0])
    changed["Provision"] = {
        "InstanceType": "t2.small",
        "AutoScaling": {"Min": 2, "Max": 3, "AvailabilityZones": "a"},
    }
    changed["Container"] = {"ContainerImage": "mobingi/other", "container_git_repo": "https://github.com/a/b"}
    assert layer == changed


def test_a_template_is_shown_with_the_keys_that_it_has_and_the_vendor_under_the_one_that_clients_know(town):
    stack_id = town.stack(VERSION_1)
    assert town.master.put(f"/v3/alm/template/{stack_id}", json=SPELT_OTHERWISE).status_code == 202

    shown = town.describe(stack_id)["configuration"]

    assert shown.keys() == {"vendor" if key == "Vendor" else key for key in SPELT_OTHERWISE}  # the stack's, not its own
    assert shown["Configurations"][0]["Container"] == {
        **SPELT_OTHERWISE["Configurations"][0]["Container"],
        "image": "mobingi/web",
    }


def test_after_a_failed_update_the_old_form_changes_what_runs(town):
    """The newest version had failed, and another one is in force again."""
    stack_id = town.stack(with_container(command=["good"]))
    town.report(stack_id)
    good = stamp_of(town, stack_id)
    bad = town.master.put(f"/v3/alm/template/{stack_id}", json=with_container(command=["bad"])).json()["version_id"]
    wait_until(lambda: stamp_of(town, stack_id) > good)
    failed = stamp_of(town, stack_id)
    report_an_error(town, stack_id)
    wait_until(lambda: stamp_of(town, stack_id) > failed)
    town.report(stack_id)
    assert town.settle(stack_id) == "UPDATE_ROLLBACK_COMPLETE"
    assert town.master.get(f"/v3/alm/template?stack_id={stack_id}").json()[0]["version_id"] == bad

    reply = town.master.put(f"/v3/alm/stack/{stack_id}", json={"configurations": '{"type":"t2.small"}'})

    assert reply.status_code == 202, reply.text
    (layer,) = town.master.get(f"/v3/alm/template/{stack_id}").json()["configurations"]
    assert (layer["container"], layer["provision"]["instance_type"]) == ({"command": ["good"]}, "t2.small")


def stamp_of(town: Town, stack_id: str) -> int:
    """What an agent is told that the version in force belongs to."""
    config = town.agent(stack_id).get("/v3/alm/agent/config", params={"stack_id": stack_id, "flag": "Web01"})
    return int(config.json()["updated"])


def report_an_error(town: Town, stack_id: str) -> None:
    (instance,) = town.instances(stack_id)
    said = {"stack_id": stack_id, "agent_id": f"agent-{instance}", "instance_id": instance}
    town.agent(stack_id).post("/v3/alm/agent/agent_status", data=said | {"status": "error", "message": "no"})


def test_the_old_form_says_what_templates_have_no_place_for(town):
    form = {"vendor": "aws", "configurations": json.dumps({"elasticache": [{"ElastiCacheEngine": "Redis"}]})}

    reply = town.master.post("/v3/alm/stack", data=form)

    assert reply.status_code == 400
    assert "elasticache" in reply.json()["message"]


# the registry


def basic(name: str, password: str = PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def granted(harbor, reply: httpx.Response) -> list[dict[str, object]]:
    assert reply.status_code == 200, reply.text
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(open_registry_tokens(harbor.settings).certificate())
    decoded = jwt.decode(reply.json()["token"], RSAKey.import_key(certificate.public_key()), algorithms=["RS256"])
    claims = decoded.claims
    assert (claims["iss"], claims["aud"]) == ("fairlead", "Mobingi Docker Registry")
    assert claims["exp"] - claims["iat"] == 300
    assert decoded.header["kid"].count(":") == 11
    return claims["access"]


def test_a_registry_token_grants_what_the_role_allows_in_the_own_accounts_repositories(harbor, town, elsewhere, anyone):
    account = town.master.get("/v3/user").json()["user_id"]
    town.account.add("puller", document("Allow registry:describeRegistry *"))
    other = elsewhere.master.get("/v3/user").json()["user_id"]
    query = {
        "service": "Mobingi Docker Registry",
        "scope": [f"repository:{account}/web:pull,push", f"repository:{other}/web:pull", "registry:catalog:*"],
    }

    master = anyone.get("/v3/docker/token", params=query, headers=basic(town.account.email))
    member = anyone.get("/v3/docker/token", params=query, headers=basic(f"{account}/puller"))

    both = {"type": "repository", "name": f"{account}/web", "actions": ["pull", "push"]}
    assert granted(harbor, master) == [both]
    assert granted(harbor, member) == [both | {"actions": ["pull"]}]


@pytest.mark.parametrize(
    "headers", [{}, basic("nobody@example.org"), basic("5447820c870e1/kim"), {"Authorization": "Basic %"}]
)
def test_nobody_gets_a_registry_token_without_a_password(anyone, headers):
    reply = anyone.get("/v3/docker/token?service=registry", headers=headers)

    assert reply.status_code == 401
    assert reply.headers["www-authenticate"] == 'Basic realm="Fairlead"'
    assert set(reply.json()) == ERROR_KEYS


def test_a_wrong_password_gets_no_registry_token(town, anyone):
    reply = anyone.get("/v3/docker/token?service=registry", headers=basic(town.account.email, "wrong password"))

    assert reply.status_code == 401
    assert "token" not in reply.json()
