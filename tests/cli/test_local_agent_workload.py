"""What a container section asks for is run: as a container, from a repository, or as a command; and nothing else is."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from fairlead.cli.local_agent.told import read_container
from house.local_stacks import ACCOUNT, STACK, LocalStack, command_of, is_alive, local_layer, local_stack, wait_until

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
PYTHON = sys.executable


@pytest.fixture
def stack(tmp_path):
    with local_stack(tmp_path / "local") as stack:
        yield stack


def deploy(stack: LocalStack, **container: object) -> Path:
    """The folder of the one instance, once it has said that it is up to date or why it is not."""
    before = len(told(stack))
    stack.carry_out(local_layer(container=container))
    wait_until(lambda: len(told(stack)) > before, "a word of the agent")
    return stack.at(stack.ids[0])


def told(stack: LocalStack) -> list[str]:
    return [each for each in stack.api.reports(kind="agent_status") if each in ("uptodate", "error")]


def error(stack: LocalStack, **container: object) -> str:
    deploy(stack, **container)
    assert stack.api.errors(), stack.api.reports()
    return stack.api.errors()[-1]


def python(script: str, *arguments: str) -> list[str]:
    return [PYTHON, "-I", "-c", textwrap.dedent(script), *arguments]


WRITE_ALL = """
    import json, os, sys
    with open("seen.json", "w") as file:
        json.dump({"arguments": sys.argv[1:], "environment": dict(os.environ), "cwd": os.getcwd()}, file)
"""


class Repository:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch", "trunk")

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=Ada", "-c", "user.email=ada@acme.example"]
        command = ["git", "-C", str(self.folder), *who, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, **files: str) -> str:
        for name, text in files.items():
            path = self.folder / name.replace("__", "-").replace("_sh", ".sh")
            path.write_text(textwrap.dedent(text))
            path.chmod(0o755)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "more")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit(mobingi__init_sh='#!/bin/sh\necho "$STAGE in $PWD" > ../../prepared\n', version="1")
    return made


# Commands.


def test_a_command_runs_with_its_words_and_variables_as_they_are(stack):
    words = ["a b", "$HOME", "; touch /tmp/never", "$(id)", "`id`", "*", "--help", "new\nline", "ünï"]
    variables = {"STAGE": "a;b", "LINES_": "one\ntwo", "EXPANDED": "$PATH $(id)", "HOME": "/elsewhere"}

    folder = deploy(stack, command=python(WRITE_ALL, *words), environmentVariables=variables, ports=[8099, 9])

    seen = json.loads((folder / "work" / "seen.json").read_text())
    assert seen["arguments"] == words
    assert seen["cwd"] == str(folder / "work")
    environment = seen["environment"]
    assert environment.items() >= variables.items()
    assert environment["MO_USER_ID"] == ACCOUNT
    assert environment["MO_STACK_ID"] == STACK
    assert environment["MO_INSTANCE_ID"] == stack.ids[0]
    assert environment["PORT"] == "8099"
    assert environment["HOST"] == stack.observe().instances[0].details["PrivateIpAddress"]
    assert set(environment) - set(variables) <= {
        *("PATH", "TMPDIR", "LANG", "LC_CTYPE", "HOST", "PORT", "FAIRLEAD_LASTING"),
        *("MO_USER_ID", "MO_STACK_ID", "MO_INSTANCE_ID"),
    }


def test_variables_cannot_hide_a_workload_from_whoever_ends_it(stack):
    folder = deploy(
        stack, command=["sleep", "1000"], environmentVariables={"FAIRLEAD_LASTING": "/x", "MO_USER_ID": "x"}
    )

    assert str(folder).startswith(str(stack.folder))
    assert len(stack.processes()) == 3


def test_a_command_given_as_a_text_is_split_into_words_without_a_shell(stack):
    folder = deploy(stack, command=f"{PYTHON} -I -c '{textwrap.dedent(WRITE_ALL)}' 'a b' ; id")

    assert json.loads((folder / "work" / "seen.json").read_text())["arguments"] == ["a b", ";", "id"]


def test_a_command_that_ends_well_is_complete_and_not_started_again(stack):
    folder = deploy(stack, command=python("open('runs', 'a').write('x')"))
    time.sleep(0.5)

    assert told(stack) == ["uptodate"]
    assert (folder / "work" / "runs").read_text() == "x"


def test_a_command_that_fails_is_started_again_until_it_goes(stack):
    script = """
        import sys, time
        open("runs", "a").write("x")
        if len(open("runs").read()) > 2:
            time.sleep(1000)
        sys.exit(3)
    """

    folder = deploy(stack, command=python(script))

    assert told(stack) == ["uptodate"]
    assert stack.api.reports(kind="container_status")[-1] == "complete"
    assert (folder / "work" / "runs").read_text() == "xxx"


def test_a_command_that_always_fails_is_an_error_with_its_last_words_and_no_secrets(stack):
    said = error(
        stack,
        command=python("import os; raise SystemExit('cannot open ' + os.environ['DSN'])"),
        environmentVariables={"DSN": "postgres://ada:secret@db"},
    )

    assert said.startswith(f"the command {PYTHON!r} ended with exit code 1, 3 times in a row")
    assert said.endswith("cannot open ***")


def test_short_secrets_are_not_told_either(stack):
    said = error(
        stack, command=["sh", "-c", "echo pw is $PW on $PORTS; exit 3"], env_vars={"PW": "abc12", "PORTS": "80"}
    )

    assert said.endswith("pw is *** on 80")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/x.git?private_token=SECRET%2DTOKEN&ref=1",
        "http://ada:SECRET%2DTOKEN@127.0.0.1:1/x.git",
        "http://SECRET%2DTOKEN@127.0.0.1:1/x.git",
    ],
)
def test_a_token_in_the_address_of_a_repository_is_not_told(stack, address):
    secrets = read_container({"container_git_repo": address}).secrets
    said = error(stack, gitRepo=address)

    assert {"SECRET%2DTOKEN", "SECRET-TOKEN"} <= set(secrets)
    assert said.startswith("git clone ended with exit code 128")
    assert "SECRET" not in said + stack.log(stack.ids[0])


def test_the_user_of_ssh_is_no_secret():
    assert read_container({"container_git_repo": "ssh://git@example.com/x.git"}).secrets == ()
    assert read_container({"container_git_repo": "git@example.com:x.git"}).secrets == ()


def test_a_command_that_comes_back_is_up_to_date_again(stack):
    script = "import os, time; os.path.exists('mended') or exit(1); time.sleep(1000)"
    folder = deploy(stack, command=python(script))
    assert told(stack) == ["error"]

    (folder / "work" / "mended").touch()

    wait_until(lambda: told(stack)[-1] == "uptodate")


def test_what_becomes_of_a_version_is_no_news_once_another_one_was_told_of(stack):
    """It runs on until the other is up, or the other has failed: a server would take it for what it is waiting for."""
    script = "import os, time; open('runs', 'a').write('x'); time.sleep(.4); exit(1)"
    folder = deploy(stack, command=python(script))
    stack.carry_out(local_layer(container={"command": ["no-such-program"]}))
    wait_until(lambda: any("no-such-program" in each for each in stack.api.errors()), "the error of the new one")
    runs = len((folder / "work" / "runs").read_text())

    stack.api.heard.clear()
    wait_until(lambda: len((folder / "work" / "runs").read_text()) > runs + 1, "that the old one goes on", 40)

    assert set(stack.api.reports(kind="container_status")) <= {"installing"}
    assert all("no-such-program" in each for each in stack.api.errors())


def test_a_version_is_announced_before_what_is_deployed_is_asked_for(stack):
    """A still newer one that is told of in between must not be taken for the one that was announced."""
    deploy(stack, command=["true"])
    stack.api.heard.clear()
    newest = {"container_updated": 1002, "container_command": ["sleep", "7003"]}
    stack.api.when_told["updating"] = lambda: stack.api.configs["Web01"].update(newest)

    stack.api.configs["Web01"] |= {"container_updated": 1001, "container_command": ["false"]}
    wait_until(lambda: stack.api.reports()[-1:] == ["uptodate"])

    assert stack.api.reports() == ["updating", "updating", "installing", "complete", "uptodate"]
    assert sleeping(7003)


def test_a_program_that_is_not_there_is_an_error(stack):
    assert error(stack, command=["no-such-program"]) == (
        "the command 'no-such-program' cannot be started: No such file or directory"
    )


def test_a_variable_that_no_program_can_have_is_an_error(stack):
    """The compiler lets none through, so the agent is told directly."""
    deploy(stack, command=["true"])

    stack.api.configs["Web01"] |= {"container_env_vars": {"A": "a\0b"}, "container_updated": 10**9}

    wait_until(stack.api.errors)
    assert stack.api.errors() == ["the command 'true' cannot be started: embedded null byte"]


def test_what_a_workload_says_is_kept_and_does_not_grow_without_end(stack):
    folder = deploy(stack, command=python("for _ in range(300): print('x' * 9999 + 'end', flush=True)"))

    wait_until(lambda: (folder / "workload.log").read_text().endswith("end\n"))

    assert sum(each.stat().st_size for each in folder.glob("workload.log*")) < 3 * 1024 * 1024


def test_a_workload_may_leave_no_core_and_gives_way_to_others(stack):
    script = """
        import json, os, resource
        caps = [resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_FSIZE)[0], os.nice(0)]
        json.dump(caps, open("caps", "w"))
    """

    folder = deploy(stack, command=python(script))

    core, file_bytes, nice = json.loads((folder / "work" / "caps").read_text())
    assert core == [0, 0]
    assert 0 < file_bytes <= 10 * 1024**3
    assert nice >= 5


def test_an_empty_section_has_nothing_to_run(stack):
    deploy(stack, environmentVariables={"A": "b"})

    assert told(stack) == ["uptodate"]


def sleeping(seconds: int) -> list[int]:
    mark = f"sleep\0{seconds}\0".encode()
    found = [int(each) for each in os.listdir("/proc") if each.isdigit()]
    return [each for each in found if is_alive(each) and command_of(each) == mark]


def test_the_new_version_is_up_before_the_old_one_goes(stack):
    deploy(stack, command=["sleep", "7001"])
    (old,) = sleeping(7001)

    deploy(stack, command=["no-such-program"])
    assert is_alive(old)
    assert told(stack) == ["uptodate", "error"]

    deploy(stack, command=["sleep", "7002"])
    wait_until(lambda: not is_alive(old), "the end of the old version")
    assert sleeping(7002)


LISTEN = """
    import os, socket, time
    listening = socket.create_server((os.environ["HOST"], int(os.environ["PORT"])))
    time.sleep(1000)
"""


def test_where_ports_are_fixed_the_old_version_goes_first(stack):
    deploy(stack, command=python(LISTEN), ports=[28431])

    deploy(stack, command=python(LISTEN, "again"), ports=[28431])

    assert told(stack) == ["uptodate", "uptodate"]
    assert stack.api.errors() == []
    assert "restarting" not in stack.api.reports()


def test_two_instances_on_one_host_may_have_the_same_port(stack):
    stack.carry_out(local_layer(container={"command": python(LISTEN), "ports": [28432]}, instance_count=2))

    wait_until(lambda: told(stack) == ["uptodate", "uptodate"])


# Repositories.


def test_the_script_of_a_repository_prepares_and_the_command_runs_in_its_code(stack, repository):
    folder = deploy(stack, gitRepo=repository.url, environmentVariables={"STAGE": "test"}, command=python(WRITE_ALL))

    (release,) = (folder / "releases").iterdir()
    assert told(stack) == ["uptodate"]
    assert (folder / "prepared").read_text() == f"test in {release}\n"
    assert json.loads((release / "seen.json").read_text())["cwd"] == str(release)


def test_a_daemon_that_the_script_leaves_behind_lives_as_long_as_the_version(stack, repository):
    repository.commit(mobingi__init_sh="#!/bin/sh\nsetsid sleep 7003 > /dev/null 2>&1 &\n")
    deploy(stack, gitRepo=repository.url)
    (daemon,) = wait_until(lambda: sleeping(7003))
    assert told(stack) == ["uptodate"]

    deploy(stack, gitRepo=repository.url, environmentVariables={"A": "b"})

    wait_until(lambda: not is_alive(daemon), "the end of the first version's daemon")
    assert len(sleeping(7003)) == 1


def test_a_script_that_fails_is_an_error_with_its_last_words(stack, repository):
    repository.commit(mobingi__init_sh="#!/bin/sh\necho there is no compiler >&2\nexit 7\n")

    assert error(stack, gitRepo=repository.url) == "mobingi-init.sh ended with exit code 7: there is no compiler"


def test_the_other_script_and_one_that_is_not_executable_are_run_too(stack, tmp_path):
    other = Repository(tmp_path / "other")
    other.commit(mobingi__install_sh="echo installed > ../../prepared\n")
    (other.folder / "mobingi-install.sh").chmod(0o644)
    other.git("commit", "--all", "--message", "plain")

    folder = deploy(stack, gitRepo=other.url)

    assert (folder / "prepared").read_text() == "installed\n"


def test_branches_tags_and_commits_are_found(stack, repository):
    first = repository.git("rev-parse", "HEAD")
    repository.git("tag", "v1")
    repository.git("checkout", "--quiet", "-b", "feature/x")
    repository.commit(version="2")
    repository.git("checkout", "--quiet", "trunk")
    repository.commit(version="3")

    found = []
    for reference in ("", "trunk", "feature/x", "v1", first, first[:10]):
        folder = deploy(stack, gitRepo=repository.url, gitReference=reference, command=["cp", "version", "../../found"])
        found.append((folder / "found").read_text())

    assert found == ["3", "3", "2", "1", "1", "1"]


def test_a_branch_or_tag_may_be_called_by_the_name_that_the_repository_has_for_it(stack, repository):
    """As alm-agent takes them: mostly to say that the tag is meant where there is a branch of that name."""
    repository.git("tag", "both")
    repository.git("checkout", "--quiet", "-b", "both")
    repository.commit(version="2")
    repository.git("checkout", "--quiet", "trunk")

    found = []
    for reference in ("both", "refs/heads/both", "heads/both", "refs/tags/both", "tags/both"):
        folder = deploy(stack, gitRepo=repository.url, gitReference=reference, command=["cp", "version", "../../found"])
        found.append((folder / "found").read_text())

    assert found == ["2", "2", "2", "1", "1"]


@pytest.mark.parametrize(
    "reference",
    ["no-such", "trunk^", "trunk~1", "v1;id", "@{upstream}", ":/more", "a..b", "a b", "refs/heads/", "tags/v1"],
)
def test_a_reference_that_is_no_name_in_the_repository_is_an_error(stack, repository, reference):
    repository.commit(version="2")

    assert error(stack, gitRepo=repository.url, gitReference=reference, command=["true"]) == (
        f"the repository has no branch, tag or commit {reference!r}"
    )


def test_five_releases_are_kept(stack, repository):
    for number in range(7):
        folder = deploy(stack, gitRepo=repository.url, environmentVariables={"N": str(number)})

    assert told(stack) == ["uptodate"] * 7
    assert len(list((folder / "releases").iterdir())) == 5


HOSTILE = [
    "--upload-pack=touch {witness}",
    "-u touch {witness}",
    "ext::sh -c touch% {witness}",
    "fd::17/{witness}",
    "ssh://-oProxyCommand=touch% {witness}/x",
    "file:///nowhere; touch {witness}",
    "file:///nowhere$(touch {witness})",
    "file:///nowhere\ntouch {witness}",
    "testgit::{witness}",
]


@pytest.mark.parametrize("address", HOSTILE)
def test_a_hostile_address_makes_git_do_nothing(stack, tmp_path, address):
    """The compiler refuses some of these, so the agent is told directly."""
    witness = tmp_path / "witness"
    stack.carry_out(local_layer(container={"gitRepo": "file:///nowhere", "command": ["true"]}))
    wait_until(lambda: told(stack))
    stack.api.configs["Web01"] |= {"container_git_repo": address.format(witness=witness), "container_updated": 10**9}

    wait_until(lambda: len(told(stack)) > 1)

    assert told(stack)[-1] == "error"
    assert "git clone" in stack.api.errors()[-1]
    assert not witness.exists()


def test_hooks_and_attributes_of_a_repository_do_nothing(stack, repository, tmp_path):
    witness = tmp_path / "witness"
    repository.commit(_gitattributes="* filter=bad\n", _gitconfig=f'[filter "bad"]\n\tsmudge = touch {witness}\n')
    for name in ("_gitattributes", "_gitconfig"):
        (repository.folder / name).rename(repository.folder / name.replace("_", ".", 1))
    repository.commit()

    deploy(stack, gitRepo=repository.url, environmentVariables={"STAGE": "x"})

    assert told(stack) == ["uptodate"]
    assert not witness.exists()


def test_a_private_key_is_given_to_ssh_alone_and_removed(tmp_path, monkeypatch):
    programs = recording_program(tmp_path, "ssh", code=255, copy_key=True)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with local_stack(tmp_path / "local") as stack:
        key = "-----BEGIN KEY-----\nsecret-lines\n-----END KEY-----"
        said = error(stack, gitRepo="git://github.com/acme/shop.git", gitPrivateKey=key, command=["true"])
        folder = stack.at(stack.ids[0])
        (call, *_) = calls(programs, "ssh")

        assert said.startswith("git clone ended with exit code 128")
        assert call[-2] == "git@github.com"
        assert call[-1] == "git-upload-pack '/acme/shop.git'"
        assert "IdentitiesOnly=yes" in call
        assert "BatchMode=yes" in call
        assert (programs / "key").read_text() == key + "\n"
        assert (programs / "key-mode").read_text() == "600"
        assert not [each for each in folder.rglob("*") if each.is_file() and "secret-lines" in each.read_text()]


# Images.


def recording_program(tmp_path: Path, name: str, code: int = 0, copy_key: bool = False) -> Path:
    """A program that writes down how it is called; as an engine it stays as long as a container that is started."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / name).write_text(
        textwrap.dedent(f"""\
        #!{PYTHON} -I
        import json, os, shutil, sys, time
        here = os.path.dirname(os.path.realpath(__file__))
        words = sys.argv[1:]
        with open(here + "/{name}.calls", "a") as file:
            file.write(json.dumps(words) + "\\n")
        if {copy_key}:
            key = words[words.index("-i") + 1]
            shutil.copy(key, here + "/key")
            open(here + "/key-mode", "w").write(oct(os.stat(key).st_mode)[-3:])
        for kind in ("--env-file",):
            if kind in words:
                path = words[words.index(kind) + 1]
                shutil.copy(path, here + "/env-file")
                open(here + "/env-mode", "w").write(oct(os.stat(path).st_mode)[-3:])
        if words[:1] == ["pull"] and os.environ.get("DOCKER_CONFIG"):
            shutil.copy(os.environ["DOCKER_CONFIG"] + "/config.json", here + "/login.json")
        if words[:1] == ["stop"]:
            open(here + "/stopped-" + words[-1], "w").close()
        if words[:1] == ["start"]:
            while not os.path.exists(here + "/stopped-" + words[-1]):
                time.sleep(0.02)
        sys.exit({code})
        """)
    )
    (folder / name).chmod(0o755)
    return folder


def calls(programs: Path, name: str) -> list[list[str]]:
    return [json.loads(line) for line in (programs / f"{name}.calls").read_text().splitlines()]


@pytest.fixture(params=["docker", "podman"])
def engine(request, tmp_path, monkeypatch):
    programs = recording_program(tmp_path, request.param)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return request.param, programs


def test_an_image_is_run_by_an_engine_that_answers(engine, tmp_path, repository):
    name, programs = engine
    with local_stack(tmp_path / "local", engine=name) as stack:
        folder = deploy(
            stack,
            image="registry.acme.example/shop:1",
            dockerHubUserName="acme",
            dockerHubPassword="password-of-acme",
            codeDir="/srv/shop",
            gitRepo=repository.url,
            ports=[80, 443],
            environmentVariables={"STAGE": "a b;$(id)"},
            command=["serve", "--all", "$HOME"],
        )
        (instance,) = stack.ids
        address = stack.observe().instances[0].details["PrivateIpAddress"]
        (release,) = (folder / "releases").iterdir()
        container = json.loads((folder / "containers").read_text())
        assert told(stack) == ["uptodate"]

        stack.delete()

        version, pull, create, start, stop, remove, *_ = calls(programs, name)
        made = f"fairlead-{STACK}-{instance}-{release.name}"
        assert container == [[str(programs / name), made]]
        assert version == ["version", "--format", "{{.Server.Version}}"]
        assert pull == ["pull", "--quiet", "registry.acme.example/shop:1"]
        file = create[create.index("--env-file") + 1]
        assert create == [
            *("create", "--name", made),
            *("--label", f"fairlead.stack={STACK}", "--label", f"fairlead.instance={instance}"),
            *("--env-file", file),
            *("--publish", f"{address}:80:80", "--publish", f"{address}:443:443"),
            *("--volume", f"{release}:/srv/shop"),
            *("--volume", f"{release}/mobingi-init.sh:/tmp/init/init.sh:ro"),
            *("registry.acme.example/shop:1", "serve", "--all", "$HOME"),
        ]
        assert start == ["start", "--attach", made]
        assert stop == ["stop", "--time", "3", made]
        assert remove == ["rm", "--force", made]
        assert (programs / "env-mode").read_text() == "600"
        assert (programs / "env-file").read_text().splitlines() == [
            "STAGE=a b;$(id)",
            f"MO_USER_ID={ACCOUNT}",
            f"MO_STACK_ID={STACK}",
            f"MO_INSTANCE_ID={instance}",
        ]
        login = json.loads((programs / "login.json").read_text())
        assert login == {"auths": {"registry.acme.example": {"auth": "YWNtZTpwYXNzd29yZC1vZi1hY21l"}}}
        assert not any("password" in word for call in calls(programs, name) for word in call)


def test_a_new_version_of_an_image_replaces_the_container(engine, tmp_path):
    name, programs = engine
    with local_stack(tmp_path / "local", engine=name) as stack:
        deploy(stack, image="shop:1")
        folder = deploy(stack, image="shop:2")
        wait_until(lambda: len([each for each in calls(programs, name) if each[0] == "rm"]) == 1)
        wait_until(lambda: len(json.loads((folder / "containers").read_text())) == 1)

        done = [each[0] for each in calls(programs, name) if each[0] in ("start", "stop", "rm")]
        assert done == ["start", "start", "stop", "rm"]
        assert json.loads((folder / "containers").read_text())[0][1].endswith("-2")


def test_containers_of_an_agent_that_was_killed_are_removed_with_the_instance(engine, tmp_path):
    name, programs = engine
    with local_stack(tmp_path / "local", engine=name) as stack:
        deploy(stack, image="shop:1")
        stack.end_at_once()
        before = len(calls(programs, name))

        stack.delete()

        (again,) = [each for each in calls(programs, name)[before:] if each[0] == "rm"]
        assert again[2].startswith(f"fairlead-{STACK}-{stack.ids[0]}-")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"environmentVariables": {"A": "one\nB=two"}}, "the variable A has several lines"),
        ({"environmentVariables": {"#A": "b"}}, "the variable '#A' cannot be given to a container"),
        ({"codeDir": "/srv:/etc"}, "the code directory '/srv:/etc' cannot be told to a container engine"),
    ],
)
def test_what_an_engine_would_read_otherwise_is_an_error(tmp_path, monkeypatch, repository, more, said):
    programs = recording_program(tmp_path, "docker")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with local_stack(tmp_path / "local", engine="docker") as stack:
        assert error(stack, image="shop:1", gitRepo=repository.url, **more).startswith(said)
        assert "create" not in [each[0] for each in calls(programs, "docker")]


def test_an_image_without_an_engine_is_an_error_that_says_what_to_do(tmp_path, monkeypatch):
    programs = recording_program(tmp_path, "docker", code=1)
    shutil.copy(programs / "docker", programs / "podman")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with local_stack(tmp_path / "local", engine="auto") as stack:
        assert error(stack, image="shop:1") == (
            "the image shop:1 needs Docker or Podman, and neither answers on this host: start one, or give the "
            "container section a 'command', or a git repository with a mobingi-init.sh"
        )


def test_engines_may_be_switched_off(tmp_path, monkeypatch):
    programs = recording_program(tmp_path, "docker")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with local_stack(tmp_path / "local", engine="off") as stack:
        deploy(stack, image="shop:1", command=["sleep", "1000"])

        assert told(stack) == ["uptodate"]
        assert not (programs / "docker.calls").exists()


def test_files_that_hold_secrets_are_for_nobody_else(stack, repository):
    folder = deploy(stack, gitRepo=repository.url, command=["sleep", "1000"])

    assert stat.S_IMODE((folder / "workload.log").stat().st_mode) == 0o600
    for name in ("releases", "home", "tmp"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700
