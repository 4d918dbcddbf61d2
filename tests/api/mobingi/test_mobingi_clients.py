"""Do mobingi-cli and alm-agent get along with us? What they send, byte for byte, and what they can read."""

import json
import urllib.request
from urllib.parse import quote, urlsplit

import pytest

from house.accounts import document
from house.go import GoClient, can_decode, go_request
from house.mobingi import VERSION_1, VERSION_2, text_of, wait_until, with_container
from house.world import PASSWORD

CONFIGURATION = {
    "description": str,
    "label": str,
    "version": str,
    "vendor": None,
    "configurations": None,
    "region": str,
    "type": str,
    "image": str,
    "nickname": str,
    "SpotInstanceMaxSize": int,
}
LISTED = {
    "auth_token": str,
    "configuration": CONFIGURATION,
    "create_time": str,
    "nickname": str,
    "stack_id": str,
    "stack_status": str,
    "user_id": str,
}
INSTANCE = {
    "AmiLaunchIndex": str,
    "EbsOptimized": bool,
    "EnaSupport": str,
    "ImageId": str,
    "InstanceId": str,
    "InstanceLifecycle": str,
    "InstanceType": str,
    "LaunchTime": str,
    "PrivateIpAddress": str,
    "ProductCodes": [str],
    "PublicIpAddress": None,
    "SourceDestCheck": bool,
    "State": {"Code": str, "Name": str},
    "Status": str,
}
DESCRIBED = LISTED | {"instances": {str: [INSTANCE]}}
VERSIONS = [{"version_id": str, "latest": bool, "last_modified": str, "size": str}]
CREDENTIALS = [{"id": str, "account": str, "lastModified": str}]
AGENT_CONFIG = {
    "container_image": str,
    "container_registry_username": str,
    "container_registry_password": str,
    "container_code_dir": str,
    "container_git_repo": str,
    "container_git_reference": str,
    "container_git_private_key": str,
    "container_ports": [int],
    "container_updated": int,
    "container_users": [{"name": str, "publicKey": str}],
    "container_env_vars": {str: str},
}
OLD_AGENT_CONFIG = {
    "image": str,
    "codeDir": str,
    "gitRepo": str,
    "gitReference": str,
    "gitPrivateKey": str,
    "ports": [int],
    "updated": int,
    "users": {str: {"publicKey": str}},
    "environmentVariables": {str: str},
}


@pytest.fixture
def cli(harbor):
    with GoClient(harbor.url) as client:
        yield client


@pytest.fixture
def agent(harbor):
    with GoClient(harbor.url) as client:
        yield client


def log_in(cli, town, username: str) -> None:
    """`mobingi-cli login`: JSON, and a 2xx with `access_token`."""
    said = {
        "client_id": town.account.client_id,
        "client_secret": town.account.client_secret,
        "grant_type": "password",
        "username": username,
        "password": PASSWORD,
    }
    answer = cli.json("POST", "/v3/access_token", json.dumps(said, separators=(",", ":")))
    assert answer.status == 200, answer.body
    assert can_decode(answer.json(), {"access_token": str, "token_type": str, "expires_in": int}) == ""
    cli.authorization = f"Bearer {answer.json()['access_token']}"


def register(agent, town, stack_id: str) -> None:
    """An agent's first request: a form, exactly 200, and a time of more than seven hours."""
    secret = town.describe(stack_id)["auth_token"]
    answer = agent.form("/v3/access_token", client_id=stack_id, client_secret=secret, grant_type="client_credentials")
    said = answer.json()
    assert answer.status == 200
    assert said["expires_in"] > 25200
    agent.authorization = f"{said['token_type']} {said['access_token']}"


def test_requests_are_written_as_go_writes_them():
    sent = go_request(
        "http://127.0.0.1:80", "POST", "/v3/role", {"Content-Type": "a/b", "Authorization": "Bearer x"}, b"n=1"
    )

    assert sent == (
        b"POST /v3/role HTTP/1.1\r\nHost: 127.0.0.1:80\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: 3\r\n"
        b"Authorization: Bearer x\r\nContent-Type: a/b\r\nAccept-Encoding: gzip\r\n\r\nn=1"
    )


def test_mobingi_cli_takes_a_stack_through_its_life(town, cli):
    log_in(cli, town, town.account.email)

    created = cli.json("POST", "/v3/alm/template", text_of(VERSION_1))
    assert (created.status, b"success" in created.body) == (201, True)
    stack_id, first = created.json()["stack_id"], created.json()["version_id"]
    town.settle(stack_id)

    listed = cli.get("/v3/alm/stack")
    assert (listed.status, can_decode(listed.json(), [LISTED])) == (200, "")
    described = cli.get(f"/v3/alm/stack/{stack_id}")
    assert (described.status, can_decode(described.json(), DESCRIBED)) == (200, "")
    assert isinstance(described.json()["instances"], dict)

    updated = cli.json("PUT", f"/v3/alm/template/{stack_id}", text_of(VERSION_2))
    assert (updated.status, b"success" in updated.body) == (202, True)
    town.settle(stack_id)

    versions = cli.get(f"/v3/alm/template?stack_id={stack_id}")
    assert (versions.status, can_decode(versions.json(), VERSIONS), len(versions.json())) == (200, "", 2)
    template = cli.get(f"/v3/alm/template/{stack_id}?version_id={first}")
    assert template.json() == VERSION_1

    second = updated.json()["version_id"]
    asked = {"id": [{stack_id: {"version": first}}, {stack_id: {"version": second}}]}
    difference = cli.json("POST", "/v3/alm/template/compare", json.dumps(asked))
    assert (difference.status, set(difference.json()["diff"])) == (202, {"new", "removed", "edited"})

    rolled_back = cli.json("PUT", f"/v3/alm/template/{stack_id}", json.dumps(template.json()))
    assert rolled_back.status == 202
    town.settle(stack_id)
    assert cli.get(f"/v3/alm/template/{stack_id}?version_id=latest").json() == VERSION_1

    deleted = cli.delete(f"/v3/alm/stack/{stack_id}")
    assert (deleted.status, deleted.json()) == (200, {"status": "DELETE_IN_PROGRESS"})
    wait_until(lambda: cli.get(f"/v3/alm/stack/{stack_id}").status == 404)
    assert cli.get("/v3/alm/stack").json() == []


def test_mobingi_cli_manages_roles(town, cli):
    town.account.add("kim")
    stack_id = town.stack()
    scope = document(f"Deny stack:describeStacks mrn:alm:stack:{stack_id}", "Allow * *")
    log_in(cli, town, town.account.email)

    created = cli.form("/v3/role", name="no stack", scope=scope)
    role_id = created.json()["role_id"]
    attached = cli.form("/v3/user/role", username="kim", role_id=role_id)
    roles = cli.get("/v3/role")
    of_kim = cli.get("/v3/user/kim/role")

    assert (created.status, attached.status) == (200, 200)
    kinds = [{"role_id": str, "user_id": str, "name": str, "scope": None, "create_time": str, "update_time": str}]
    assert can_decode(roles.json(), kinds) == can_decode(of_kim.json(), kinds) == ""
    assert [each["scope"] for each in of_kim.json()] == [scope]
    assert town.as_("kim").get("/v3/alm/stack").json() == []
    assert cli.delete(f"/v3/role/{role_id}").status == 200
    assert cli.get("/v3/role").json() == []


def test_mobingi_cli_fetches_a_private_key(town, cli):
    stack_id = town.stack()
    log_in(cli, town, town.account.email)

    told = cli.get(f"/v3/alm/pem?flag=Web01&stack_id={stack_id}").json()

    assert can_decode(told, {str: str}) == ""
    assert urlsplit(told["data"]).netloc == urlsplit(cli.url).netloc
    with urllib.request.urlopen(told["data"]) as fetched:
        assert fetched.read().startswith(b"-----BEGIN ")


def test_mobingi_cli_creates_a_stack_of_flags(town, cli):
    """`stack create --arch=art_single`: the form of version 2, and credentials taken from the list before."""
    log_in(cli, town, town.account.email)
    keys = {"AWSAccountName": "acme", "AWSSecretKey": "AKIAIOSFODNN7EXAMPLE", "AWSSecretKeyId": "hush"}
    cli.form("/v3/credentials/aws", vendor="aws", user_id="", credentials=json.dumps({"credentials": keys}))
    credentials = cli.get("/v3/credentials/aws").json()
    settings = '{"region":"ap-northeast-1","architecture":"art_single","type":"m3.medium","image":"mobingi/web"}'

    created = cli.form(
        "/v3/alm/stack", vendor="aws", region="ap-northeast-1", cred=credentials[0]["id"], configurations=settings
    )
    stack_id = created.json()["stack_id"]
    town.report(stack_id)
    updated = cli.json("PUT", f"/v3/alm/stack/{stack_id}", '{"configurations":"{\\"type\\":\\"t2.micro\\"}"}')

    assert can_decode(credentials, CREDENTIALS) == ""
    assert (created.status, updated.status) == (201, 202)
    assert {"stack_id", "status"} <= set(created.json())
    town.report(stack_id)
    layer = cli.get(f"/v3/alm/stack/{stack_id}").json()["configuration"]["configurations"][0]
    assert (layer["provision"]["instance_type"], layer["container"]["image"]) == ("t2.micro", "mobingi/web")


def test_the_image_of_a_newer_container_section_is_shown_where_mobingi_cli_looks(town, cli):
    stack_id = town.stack(with_container(container_image="mobingi/web"))
    log_in(cli, town, town.account.email)

    layer = cli.get(f"/v3/alm/stack/{stack_id}").json()["configuration"]["configurations"][0]

    assert layer["container"] == {"image": "mobingi/web", "container_image": "mobingi/web"}


def test_a_refusal_reads_as_mobingi_cli_prints_it(town, cli):
    """`[401 Unauthorized][code] error: message` needs all three of them to be texts."""
    refused = cli.json("POST", "/v3/access_token", '{"client_id":"a","client_secret":"b","grant_type":"password"}')

    assert refused.status in {400, 401}
    assert can_decode(refused.json(), {"code": str, "error": str, "message": str}) == ""
    assert len(refused.json()["code"]) == 4


def test_alm_agent_registers_ensures_deploys_and_stops(town, agent):
    stack_id = town.stack(with_container())
    wait_until(lambda: town.instances(stack_id))
    instance = town.instances(stack_id)[0]
    register(agent, town, stack_id)
    said = {"agent_id": "4e9a6b9a-2a1f-454e-be5e-847573b44f10", "stack_id": stack_id, "instance_id": instance}
    config = f"/v3/alm/agent/config?flag=Web01&stack_id={stack_id}"

    def report(status: str) -> int:
        return agent.form("/v3/alm/agent/container_status", container_id=instance, status=status, **said).status

    assert report("starting") == 202
    keys = agent.get(f"/v3/alm/sts?service=logs&stack_id={stack_id}")
    assert (keys.status, can_decode(keys.json(), {str: str})) == (200, "")
    first = agent.get(config)
    assert (first.status, can_decode(first.json(), AGENT_CONFIG), can_decode(first.json(), OLD_AGENT_CONFIG)) == (
        200,
        "",
        "",
    )
    assert [report("installing"), report("installing"), report("complete")] == [202, 202, 202]
    uptodate = agent.form("/v3/alm/agent/agent_status", status="uptodate", **said)
    assert (uptodate.status, uptodate.json()["status"]) == (202, "uptodate")
    assert town.settle(stack_id) == "CREATE_COMPLETE"

    assert agent.get(config).json()["container_updated"] == first.json()["container_updated"]
    changed = with_container(image="mobingi/ubuntu-apache2-php7:7.1")
    assert town.master.put(f"/v3/alm/template/{stack_id}", json=changed).status_code == 202
    wait_until(lambda: agent.get(config).json()["container_updated"] > first.json()["container_updated"])
    assert [report("updating"), report("complete")] == [202, 202]
    assert agent.form("/v3/alm/agent/agent_status", status="uptodate", **said).status == 202
    assert town.settle(stack_id) == "UPDATE_COMPLETE"

    assert agent.form("/v3/alm/agent/agent_status", status="stopped", **said).status == 202
    shown = town.master.get(f"/v3/alm/container/{instance}").json()
    assert can_decode(shown, {str: str}) == ""
    assert (shown["status"], shown["agent_id"]) == ("complete", said["agent_id"])


def test_the_agent_of_2017_says_starting_first_and_nothing_of_its_instance(town, agent):
    stack_id = town.stack(with_container())
    register(agent, town, stack_id)

    said = agent.form("/v3/alm/agent/agent_status", agent_id="one", stack_id=stack_id, status="starting")
    nameless = agent.form(
        "/v3/alm/agent/container_status", agent_id="one", stack_id=stack_id, container_id="", status="starting"
    )

    assert said.status == 202
    assert (nameless.status, nameless.json()["message"]) == (400, "container_id not specified")


def test_alm_agent_announces_the_end_of_a_spot_instance_and_another_takes_its_place(town, agent):
    template = with_container()
    scaling = {"min": 1, "max": 1, "availability_zones": "ap-northeast-1a", "spot_to_ondemand_ratio": 100}
    template["configurations"][0]["provision"]["auto_scaling"] = scaling
    stack_id = town.stack(template)
    town.report(stack_id)
    going = town.describe(stack_id)["instances"]["Web01"][0]
    assert going["InstanceLifecycle"] == "spot"
    register(agent, town, stack_id)
    user_id = stack_id.split("-")[1]

    told = [
        agent.form("/v3/event/spot/shutdown", user_id=user_id, stack_id=stack_id, instance_id=going["InstanceId"])
        for _ in range(2)
    ]

    assert [each.status for each in told] == [200, 200]
    wait_until(lambda: town.instances(stack_id) and going["InstanceId"] not in town.instances(stack_id))
    assert len(town.instances(stack_id)) == 1


def test_a_token_of_an_agent_dies_with_its_stack(town, agent):
    stack_id = town.stack()
    register(agent, town, stack_id)
    config = f"/v3/alm/agent/config?flag=Web01&stack_id={stack_id}"
    assert agent.get(config).status == 200

    town.master.delete(f"/v3/alm/stack/{stack_id}")
    wait_until(lambda: town.master.get(f"/v3/alm/stack/{stack_id}").status_code == 404)

    assert agent.get(config).status == 401


def test_docker_gets_a_token_for_a_registry(town, anyone):
    user_id = town.master.get("/v3/user").json()["user_id"]
    scope = quote(f"repository:{user_id}/web:pull", safe="")

    reply = anyone.get(
        f"/v3/docker/token?scope={scope}&service=Mobingi+Docker+Registry", auth=(town.account.email, PASSWORD)
    )

    assert reply.status_code == 200
    assert can_decode(reply.json(), {"token": str, "access_token": str, "expires_in": int, "issued_at": str}) == ""
