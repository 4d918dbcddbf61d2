"""Which operations does the API have, what does a good call of each look like, and what is answered?

The examples are the seed's, retyped. A name in braces stands for what a test has of its own, and `Like` for what is
different each time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from house.mobingi import VERSION_1, VERSION_2, text_of
from house.world import Person

SCOPE = '{"Version": "2017-05-05", "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}'


@dataclass(frozen=True)
class Like:
    """Equals every text that looks like this."""

    pattern: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(self.pattern, other) is not None

    def __hash__(self) -> int:
        return hash(self.pattern)


ANY_TEXT = Like(".+")
JAPAN = Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00")
SECONDS = Like(r"\d{10}")
VERSION_ID = Like(r"[A-Za-z0-9._]{32}")
STACK_ID = Like(r"mo-[0-9a-f]{13}-[0-9A-Za-z]{9}-tk")
ROLE_ID = Like(r"morole-[0-9a-f]{13}-[0-9A-Za-z]{9}")
NICKNAME = Like(r"[a-z]+ [a-z]+ [a-z]+")
AUTH_TOKEN = Like("[A-Za-z0-9]{28}")


def a_stack(template: Mapping[str, Any], status: str, **more: Any) -> dict[str, Any]:
    """A stack as it is listed, and with `instances` as it is described."""
    return {
        "auth_token": AUTH_TOKEN,
        "user_id": "{account}",
        "configuration": template,
        "nickname": NICKNAME,
        "create_time": JAPAN,
        "username": "{email}",
        "stack_id": "{stack}",
        "stack_status": status,
        "version_id": "{version}",
        **more,
    }


def applied(status: str, stack_id: Any = "{stack}") -> dict[str, Any]:
    return {"status": "success", "stack_status": status, "stack_id": stack_id, "version_id": VERSION_ID}


A_CONTAINER = {
    "container_id": "{container}",
    "agent_id": "{agent}",
    "update_time": SECONDS,
    "stack_id": "{served}",
    "instance_id": "{container}",
    "status": "complete",
}
A_ROLE = {
    "role_id": "{role}",
    "user_id": "{account}",
    "name": "sample name",
    "scope": SCOPE,
    "create_time": JAPAN,
    "update_time": JAPAN,
}
DIFFERENCE = {
    "new": [],
    "removed": {"configurations/provision/volume_type": "${computed}"},
    "edited": {
        "label": {"oldvalue": "template version label #1", "newvalue": "template version label #2"},
        "configurations/provision/instance_type": {"oldvalue": "t2.micro", "newvalue": "m3.medium"},
        "configurations/provision/instance_count": {"oldvalue": 1, "newvalue": 2},
    },
}
"""The seed has `configurations/1/…` for the one that is removed, of a template with one layer: see mobingi.md §1.10."""
DONE = {"status": "success"}
OLD_FORM = json.dumps({"architecture": "art_single", "type": "t2.micro", "image": "mobingi/ubuntu-apache2-php7:7.1"})
AWS_KEYS = {"AWSAccountName": "acme", "AWSAccessKeyId": "AKIAEXAMPLE", "AWSSecretKey": "the-secret-key"}
INSTANCE = {"InstanceId": Like("i-[0-9a-f]{17}"), "State": {"Code": "16", "Name": "running"}}


@dataclass(frozen=True)
class Operation:
    """`text` is a body as it is, `body` one that is sent as JSON, `form` one that is sent as a form.

    `needs` names the parameters that must be there. `by` says who may: `people`, `agents` (of the stack) or `master`.
    `lists`: whoever sees nothing is told of an empty list.
    """

    method: str
    path: str
    status: int
    answer: Any = field(compare=False)
    text: str = ""
    body: Any = None
    form: Mapping[str, str] | None = None
    needs: tuple[str, ...] = ()
    by: str = "people"
    lists: bool = False
    changes: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def names_a_stack(self) -> bool:
        return any(f"{{{name}}}" in f"{self.path}{self.body}{self.form}" for name in ("stack", "served", "container"))


OPERATIONS = (
    Operation(
        "POST", "/v3/alm/template", 201, applied("CREATE_IN_PROGRESS", STACK_ID), text_of(VERSION_1), changes=True
    ),
    Operation("PUT", "/v3/alm/template/{stack}", 202, applied("UPDATE_IN_PROGRESS"), text_of(VERSION_2), changes=True),
    Operation(
        "POST",
        "/v3/alm/template/compare",
        202,
        {"status": "success", "source": VERSION_1, "target": VERSION_2, "diff": DIFFERENCE},
        body={"id": [{"{stack}": {"version": "{version}"}}, {"{changed}": {"version": "{changed version}"}}]},
        needs=("id",),
    ),
    Operation(
        "POST",
        "/v3/alm/template/compare",
        202,
        {"status": "success", "source": VERSION_1, "target": VERSION_2, "diff": DIFFERENCE},
        body={
            "id": [{"{stack}": {"version": "{version}"}}],
            "body": [text_of(VERSION_2).replace('"keypair": true}', '"keypair": true,}')],
        },
        needs=("id", "body"),
    ),
    Operation("POST", "/v3/alm/template/verify", 200, {"status": "success", "warnings": []}, text_of(VERSION_1)),
    Operation(
        "GET",
        "/v3/alm/template?stack_id={stack}",
        200,
        [
            {
                "version_id": "{version}",
                "latest": True,
                "last_modified": Like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z"),
                "size": Like(r"\d+"),
            }
        ],
        needs=("stack_id",),
    ),
    Operation("GET", "/v3/alm/template/{stack}?version_id=latest", 200, VERSION_1),
    Operation("GET", "/v3/alm/template/{stack}", 200, VERSION_1),
    Operation("GET", "/v3/alm/template/{stack}?version_id={version}", 200, VERSION_1),
    Operation("GET", "/v3/alm/stack", 200, [a_stack(VERSION_1, "CREATE_COMPLETE")], lists=True),
    Operation(
        "GET",
        "/v3/alm/stack/{stack}",
        200,
        a_stack(VERSION_1, "CREATE_COMPLETE", instances={"Web01": [INSTANCE]}),
    ),
    Operation("DELETE", "/v3/alm/stack/{stack}", 200, {"status": "DELETE_IN_PROGRESS"}, changes=True),
    Operation(
        "POST",
        "/v3/alm/stack",
        201,
        {"stack_id": STACK_ID, "status": "CREATE_IN_PROGRESS"},
        form={"vendor": "aws", "region": "ap-northeast-1", "cred": "AKIAJ...DZLA", "configurations": OLD_FORM},
        needs=("configurations",),
        changes=True,
    ),
    Operation(
        "PUT",
        "/v3/alm/stack/{stack}",
        202,
        {"stack_id": "{stack}", "status": "UPDATE_IN_PROGRESS"},
        body={"configurations": '{"type": "m3.medium"}'},
        needs=("configurations",),
        changes=True,
    ),
    Operation("GET", "/v3/alm/container/{container}", 200, A_CONTAINER),
    Operation("GET", "/v3/alm/container?stack_id={served}", 200, [A_CONTAINER], needs=("stack_id",), lists=True),
    Operation(
        "GET",
        "/v3/alm/container?stack_id={stack}&instance_id={container}",
        200,
        [A_CONTAINER],
        lists=True,
    ),
    Operation(
        "GET", "/v3/alm/pem?stack_id={stack}&flag=Web01", 200, {**DONE, "data": ANY_TEXT}, needs=("stack_id", "flag")
    ),
    Operation("GET", "/v3/alm/serverconfig?stack_id={served}", 200, None, needs=("stack_id",)),
    Operation(
        "PUT",
        "/v3/alm/serverconfig?stack_id={served}",
        200,
        DONE,
        body={"stack_id": "{served}", "envvars": {"KEY": "value"}},
        needs=("envvars",),
        changes=True,
    ),
    Operation(
        "POST",
        "/v3/role",
        200,
        {**DONE, "role_id": ROLE_ID},
        form={"name": "sample name", "scope": SCOPE},
        needs=("name", "scope"),
        by="master",
        changes=True,
    ),
    Operation(
        "PUT",
        "/v3/role/{role}",
        200,
        {**DONE, "role_id": "{role}"},
        form={"name": "sample name", "scope": SCOPE},
        needs=("name", "scope"),
        by="master",
        changes=True,
    ),
    Operation("GET", "/v3/role", 200, [A_ROLE], by="master"),
    Operation("GET", "/v3/user/{member}/role", 200, [A_ROLE], by="master"),
    Operation("DELETE", "/v3/role/{role}", 200, {**DONE, "role_id": "{role}"}, by="master", changes=True),
    Operation(
        "POST",
        "/v3/user/role",
        200,
        {**DONE, "user_role_id": Like("mour-.+")},
        form={"username": "{member}", "role_id": "{role}"},
        needs=("username", "role_id"),
        by="master",
        changes=True,
    ),
    Operation(
        "PUT",
        "/v3/user/role/{role}",
        200,
        {**DONE, "role_id": "{role}"},
        form={"username": "{member}"},
        needs=("username",),
        by="master",
        changes=True,
    ),
    Operation(
        "DELETE",
        "/v3/user/role/{role}",
        200,
        {**DONE, "role_id": "{role}"},
        body={"username": "{member}"},
        needs=("username",),
        by="master",
        changes=True,
    ),
    Operation(
        "POST",
        "/v3/alm/agent/agent_status",
        202,
        {
            "stack_id": "{served}",
            "agent_id": "{agent}",
            "status": "uptodate",
            "update_time": SECONDS,
            "instance_id": "{container}",
        },
        body={
            "stack_id": "{served}",
            "agent_id": "{agent}",
            "status": "uptodate",
            "instance_id": "{container}",
            "message": "",
        },
        needs=("stack_id", "agent_id", "status"),
        by="agents",
    ),
    Operation(
        "POST",
        "/v3/alm/agent/container_status",
        202,
        A_CONTAINER,
        form={
            "stack_id": "{served}",
            "agent_id": "{agent}",
            "container_id": "{container}",
            "status": "complete",
            "instance_id": "{container}",
        },
        needs=("stack_id", "agent_id", "container_id", "status"),
        by="agents",
    ),
    Operation(
        "GET",
        "/v3/alm/agent/config?stack_id={served}&flag=Web01",
        200,
        None,
        needs=("stack_id", "flag"),
        by="agents",
    ),
    Operation(
        "GET",
        "/v3/alm/sts?service=logs&stack_id={served}",
        200,
        {"AccessKeyID": ANY_TEXT, "SecretAccessKey": ANY_TEXT, "SessionToken": ANY_TEXT},
        needs=("stack_id",),
        by="agents",
    ),
    Operation(
        "POST",
        "/v3/event/spot/shutdown",
        200,
        {**DONE, "stack_id": "{served}", "instance_id": "{container}"},
        form={"user_id": "{account}", "stack_id": "{served}", "instance_id": "{container}"},
        needs=("stack_id", "instance_id"),
        by="agents",
        changes=True,
    ),
    Operation(
        "GET",
        "/v3/credentials/aws",
        200,
        [{"id": "AKIASTANDING", "account": "standing", "lastModified": JAPAN}],
        lists=True,
    ),
    Operation(
        "POST",
        "/v3/credentials/aws",
        200,
        {**DONE, "id": "AKIAEXAMPLE", "account": "acme", "lastModified": JAPAN},
        form={"vendor": "aws", "user_id": "{account}", "credentials": json.dumps({"credentials": AWS_KEYS})},
        needs=("credentials",),
        changes=True,
    ),
    Operation(
        "DELETE",
        "/v2/credentials/aws",
        200,
        DONE,
        body={"credential_id": "AKIASTANDING"},
        needs=("credential_id",),
        changes=True,
    ),
    Operation("GET", "/v3/vendors", 200, None),
)


def filled(value: Any, ids: Mapping[str, str]) -> Any:
    """The value with what the test has in place of the names in braces."""
    if isinstance(value, str):
        return re.sub(r"{([a-z ]+)}", lambda name: ids.get(name[1], name[0]), value)
    if isinstance(value, Mapping):
        return {filled(key, ids): filled(each, ids) for key, each in value.items()}
    return [filled(each, ids) for each in value] if isinstance(value, list) else value


def call(
    who: Person | httpx.Client, operation: Operation, ids: Mapping[str, str], leave_out: str = ""
) -> httpx.Response:
    """The operation, with or without one of its parameters."""
    path, _, query = filled(operation.path, ids).partition("?")
    said = [pair for pair in query.split("&") if pair and pair.partition("=")[0] != leave_out]
    arguments: dict[str, Any] = {}
    if operation.text:
        arguments["content"] = operation.text
    if operation.body is not None:
        body = {name: each for name, each in operation.body.items() if name != leave_out}
        arguments |= {"content": json.dumps(filled(body, ids)), "headers": {"Content-Type": "application/json"}}
    if operation.form is not None:
        arguments["data"] = filled({name: each for name, each in operation.form.items() if name != leave_out}, ids)
    return who.request(operation.method, path + ("?" + "&".join(said) if said else ""), **arguments)
