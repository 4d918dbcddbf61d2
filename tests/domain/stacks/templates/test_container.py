"""Three generations of templates say what runs on a layer, and each generation of agents is told in its own words."""

from __future__ import annotations

from typing import Any

import pytest

from fairlead.domain.stacks.templates import (
    Addon,
    Container,
    Storage,
    User,
    agent_config,
    next_stamp,
)

from .written import layer, template, warned, written, wrong

FIRST = {
    "image": "registry.acme.example/shop",
    "dockerHubUserName": "acme",
    "dockerHubPassword": "pass",
    "codeDir": "/srv/shop",
    "gitRepo": "https://git.acme.example/shop.git",
    "gitReference": "main",
    "gitPrivateKey": "-----BEGIN\nkey\n",
    "ports": [80, "443"],
    "environmentVariables": {"STAGE": "test", "WORKERS": 4, "DEBUG": False, "EMPTY": "", "NONE": None},
    "users": {"ada": {"publicKey": "ssh-rsa A"}, "ben": "ssh-rsa B"},
    "addon": [{"name": "mackerel", "apiKey": "m-1"}],
    "updated": 1500000000,
}
SECOND = {
    "container_image": "registry.acme.example/shop",
    "container_registry_username": "acme",
    "container_registry_password": "pass",
    "container_code_dir": "/srv/shop",
    "container_git_repo": "https://git.acme.example/shop.git",
    "container_git_reference": "main",
    "container_git_private_key": "-----BEGIN\nkey\n",
    "container_ports": [80, 443],
    "container_env_vars": {"STAGE": "test", "WORKERS": "4", "DEBUG": "false", "EMPTY": ""},
    "container_users": [{"name": "ada", "publicKey": "ssh-rsa A"}, {"name": "ben", "publicKey": "ssh-rsa B"}],
    "container_addons": [{"name": "mackerel", "apiKey": "m-1"}],
    "container_updated": "1500000000",
}


def container(section: Any) -> Container:
    found = template(layer(container=section)).layers[0].container
    assert found is not None
    return found


def wrong_in_container(section: Any) -> list[str]:
    start = "/configurations/0/container"
    return [pointer.removeprefix(start) for pointer in wrong(written(layer(container=section)))]


def test_generations_of_names_mean_the_same():
    assert container(FIRST) == container(SECOND) == container(FIRST | SECOND)
    assert container(FIRST) == Container(
        image="registry.acme.example/shop",
        registry_username="acme",
        registry_password="pass",
        code_dir="/srv/shop",
        git_repo="https://git.acme.example/shop.git",
        git_reference="main",
        git_private_key="-----BEGIN\nkey\n",
        ports=(80, 443),
        environment={"STAGE": "test", "WORKERS": "4", "DEBUG": "false", "EMPTY": ""},
        users=(User("ada", "ssh-rsa A"), User("ben", "ssh-rsa B")),
        addons=(Addon("mackerel", "m-1"),),
        updated=1500000000,
    )
    assert not warned(layer(container=FIRST | SECOND))


def test_other_names_that_were_used_for_a_time_are_known():
    other = {
        "container_code_repo": "https://git.acme.example/shop.git",
        "environment_variables": {"A": "b"},
        "container_storage": {"type": "EFS", "id": "fs-1", "mountpath": "/data"},
        "ports": 80,
    }

    assert container(other) == Container(
        git_repo="https://git.acme.example/shop.git",
        environment={"A": "b"},
        storage=Storage("efs", "fs-1", "/data"),
        ports=(80,),
    )


def test_nothing_that_is_secret_is_in_the_logs():
    assert "pass" not in repr(container(FIRST))
    assert "key" not in repr(container(FIRST)).replace("public_key", "")
    assert "m-1" not in repr(container(FIRST))


def test_generations_that_contradict_each_other_are_refused():
    assert wrong_in_container({"image": "a", "container_image": "b"}) == ["/container_image"]


@pytest.mark.parametrize(
    ("section", "pointer"),
    [
        ("a", ""),
        ({"image": 1 == 1}, "/image"),
        ({"image": "--privileged"}, "/image"),
        ({"gitRepo": "--upload-pack=id"}, "/gitRepo"),
        ({"gitRepo": "ext::sh -c id"}, "/gitRepo"),
        ({"gitReference": "-x"}, "/gitReference"),
        ({"codeDir": "srv"}, "/codeDir"),
        ({"ports": [0]}, "/ports/0"),
        ({"ports": [80, 65536]}, "/ports/1"),
        ({"ports": ["http"]}, "/ports/0"),
        ({"ports": {"80": 80}}, "/ports"),
        ({"ports": 0}, "/ports"),
        ({"environmentVariables": ["A=b"]}, "/environmentVariables"),
        ({"environmentVariables": {"A": {"b": "c"}}}, "/environmentVariables/A"),
        ({"environmentVariables": {"A=": "b"}}, "/environmentVariables/A="),
        ({"environmentVariables": {"": "b"}}, "/environmentVariables/"),
        ({"users": [{"name": "ada"}]}, "/users/0/public_key"),
        ({"users": {"ada; id": "k"}}, "/users/ada; id"),
        ({"users": [{"name": "ada", "publicKey": "k"}] * 2}, "/users"),
        ({"users": {f"u{at}": "k" for at in range(201)}}, "/users"),
        ({"addons": [{"apiKey": "k"}]}, "/addons/0/name"),
        ({"container_storage": {"type": "nfs", "mountpath": "/x"}}, "/container_storage/type"),
        ({"container_storage": {"type": "efs", "id": "x"}}, "/container_storage/mount_path"),
        ({"updated": "yesterday"}, "/updated"),
        ({"updated": -1}, "/updated"),
        ({"updated": 2**53}, "/updated"),
    ],
)
def test_what_no_agent_could_run_is_refused(section, pointer):
    assert wrong_in_container(section) == [pointer]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("nginx -g 'daemon off;'", ("nginx", "-g", "daemon off;")),
        (["sh", "-c", "echo ${HOME} $(id)\n"], ("sh", "-c", "echo ${HOME} $(id)\n")),
        ("echo ${HOME}", ("echo", "${HOME}")),
        (["serve", 80, ""], ("serve", "80", "")),
        ("", ()),
        ([], ()),
    ],
)
def test_a_command_is_a_program_and_its_words(command, words):
    assert container({"command": command}) == container({"container_command": command})
    assert container({"command": command}).command == words
    told = agent_config(container({"command": command}), 7)
    assert told.get("command") == told.get("container_command") == (list(words) or None)


@pytest.mark.parametrize(
    ("command", "pointer"),
    [
        ("echo 'open", "/command"),
        (["", "x"], "/command"),
        ([["x"]], "/command/0"),
        ({"sh": "-c"}, "/command"),
        (7 == 7, "/command"),
        ("x" * 9000, "/command"),
        (["x"] * 257, "/command"),
    ],
)
def test_what_is_no_command_is_refused(command, pointer):
    assert wrong_in_container({"command": command}) == [pointer]


def test_an_agent_is_told_in_all_spellings():
    config = agent_config(container(FIRST | {"container_storage": {"type": "local", "mountpath": "/d"}}), 1600000000)

    without = {"updated", "container_updated", "environmentVariables", "container_env_vars", "ports", "container_ports"}
    for said in (SECOND, FIRST | {"users": {"ada": {"publicKey": "ssh-rsa A"}, "ben": {"publicKey": "ssh-rsa B"}}}):
        assert {key: config[key] for key in said if key not in without} == {
            key: value for key, value in said.items() if key not in without
        }
    assert config["updated"] == config["container_updated"] == 1600000000
    assert config["ports"] == config["container_ports"] == [80, 443]
    assert (
        config["environment_variables"]
        == config["environmentVariables"]
        == config["container_env_vars"]
        == {"STAGE": "test", "WORKERS": "4", "DEBUG": "false", "EMPTY": ""}
    )
    assert config["container_storage"] == {"type": "local", "id": "", "mountpath": "/d"}


def test_an_agent_is_told_the_types_that_it_reads():
    config = agent_config(container({}), 7)

    assert config == {
        "ports": [],
        "container_ports": [],
        "environment_variables": {},
        "environmentVariables": {},
        "container_env_vars": {},
        "users": {},
        "container_users": [],
        "addon": [],
        "container_addons": [],
        "updated": 7,
        "container_updated": 7,
    }
    assert container({"environmentVariables": [], "users": []}) == container({})


def test_a_layer_without_a_container_has_no_config():
    assert agent_config(template().layers[0].container, 7) == {}


@pytest.mark.parametrize(
    ("old", "changed", "now", "written_one", "new"),
    [
        (None, True, 100, None, 100),
        (None, False, 100, 50, 50),
        (90, False, 100, None, 90),
        (90, False, 100, 200, 90),
        (90, True, 100, None, 100),
        (100, True, 100, None, 101),
        (500, True, 100, None, 501),
        (90, True, 100, 95, 95),
        (90, True, 100, 50, 91),
    ],
)
def test_a_stamp_grows_with_each_change_and_with_nothing_else(old, changed, now, written_one, new):
    assert next_stamp(old, changed=changed, now=now, written=written_one) == new


def test_spelling_a_section_anew_is_no_change_and_a_new_port_is_one():
    assert container(FIRST) == container(SECOND)
    assert container(FIRST) != container(FIRST | {"ports": [80]})
    assert container({"image": "a", "updated": "${computed}"}) == container({"image": "a"})
