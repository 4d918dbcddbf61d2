"""What does someone at a shell read when something is wrong? One line that says what, and never a traceback."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from pathlib import Path

import pytest

from house.organizations import found
from house.program import Program, run_many

COMMANDS = ("", "serve", "user", "user create", "user list", "user password", "doctor", "backup", "restore", "simulate")
COMMANDS += ("audit", "audit verify", "tenant", "tenant create", "tenant list", "tenant show", "tenant suspend")
COMMANDS += ("create-artifact", "create-artifact single-file", "worker", "workflows", "workflows list")
COMMANDS += ("workflows show", "workflows retry", "workflows cancel")
NOBODY = "postgresql://ada:hush-hush@127.0.0.1:1/fairlead"
WITHOUT_ROOTS_POWERS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all"]
CAN_DROP_POWERS = os.geteuid() == 0 and shutil.which("setpriv") is not None


class Bad:
    """Commands that cannot work, in a folder that holds what they need to fail."""

    def __init__(self, folder: Path, taken: int) -> None:
        data, text = folder / "data", folder / "a file"
        text.write_text("in the way")
        (folder / "unknown.toml").write_text('colour = "blue"')
        (folder / "broken.toml").write_text("workers = = 2")
        garbage = folder / "garbage"
        garbage.mkdir()
        (garbage / "fairlead.db").write_text("dear diary, " * 100)
        newer = folder / "newer"
        newer.mkdir()
        with sqlite3.connect(newer / "fairlead.db") as database:
            database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
            database.execute("INSERT INTO alembic_version VALUES ('9999')")
        locked = folder / "locked"
        locked.mkdir(mode=0)
        many = folder / "many"
        found(many)
        broken_key = folder / "broken key"
        (broken_key / "keys").mkdir(parents=True)
        (broken_key / "keys" / "tokens.pem").write_text("nonsense")
        serve = ("serve", "--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0", "--data")
        user = ("user", "create", "--email", "ada@acme.example", "--password", "correct horse", "--data")
        acme = ("--name", "Acme", "--email", "ada@acme.example", "--data", data)
        tenant = ("tenant", "create", "--multitenant", *acme)
        both = f"127.0.0.1:{taken}"
        self.commands: dict[str, tuple[tuple[object, ...], str]] = {
            "a bad port": (("serve", "--data", data, "--listen", "localhost:http"), "--listen"),
            "a taken port": (("serve", "--data", data, "--listen", both), "Address already in use"),
            "a name of no machine": (("serve", "--data", data, "--listen", "no.such.invalid:1"), "--listen"),
            "an unknown key in the file": ((*serve, data, "--config", folder / "unknown.toml"), "'colour'"),
            "a broken file": ((*serve, data, "--config", folder / "broken.toml"), "TOML"),
            "a certificate that is none": ((*serve, data, "--tls-cert", text, "--tls-key", text), "--tls-cert"),
            "such a certificate and two workers": (
                (*serve, data, "--tls-cert", text, "--tls-key", text, "--workers", "2"),
                "--tls-cert",
            ),
            "a file for a folder": ((*serve, text), "is not a folder"),
            "a folder below a file": ((*serve, text / "data"), "Not a directory"),
            "a key folder below a file": ((*serve, data, "--keys", text / "keys"), "keys"),
            "a broken key": ((*serve, broken_key), "backup of the keys folder"),
            "a server of one with the organizations of many": ((*serve, many), "--multitenant"),
            "a bad database URL": ((*serve, data, "--database", "mysql://host/name"), "mysql://host/name"),
            "a database that is away": ((*serve, data, "--database", NOBODY), "127.0.0.1"),
            "an unknown database option": ((*serve, data, "--database", NOBODY + "?colour=blue"), "colour"),
            "a database that is none": ((*serve, garbage), "not a database"),
            "a database of a newer version": ((*serve, newer), "9999"),
            "a bad blobs URL": ((*serve, data, "--blobs", "ftp://host/path"), "'ftp'"),
            "a payload folder below a file": ((*serve, data, "--blobs", text / "blobs"), "payload store"),
            "an unknown user": (
                ("user", "password", "--email", "eve@acme.example", "--password", "correct horse", "--data", data),
                "eve@acme.example",
            ),
            "no password": (("user", "create", "--email", "ada@acme.example", "--data", data), "too short"),
            "a bad e-mail": ((*user, data, "--email", "ada"), "email"),
            "an unknown tenant": ((*user, data, "--tenant-id", "acme"), "tenant"),
            "a user and no database": ((*user, data, "--database", NOBODY), "127.0.0.1"),
            "a tenant without --multitenant": (("tenant", "create", *acme), "--multitenant"),
            "a tenant of an unknown plan": ((*tenant, "--password", "correct horse", "--plan", "gold"), "'gold'"),
            "a tenant with more devices than can be counted": (
                (*tenant, "--password", "correct horse", "--device-limit", "99999999999999999999"),
                "device limit: 99999999999999999999 is not between 0 and",
            ),
            "a tenant with less than no devices": (
                (*tenant, "--password", "correct horse", "--device-limit", "-1"),
                "device limit",
            ),
            "a tenant without a password": (tenant, "password"),
            "an unknown tenant to show": (("tenant", "show", "nowhere", "--data", data), "tenant"),
            "no tenant to show": (("tenant", "show", "--data", data), "tenant list"),
            "a bad Stripe URL": ((*serve, data, "--stripe-url", "stripe"), "--stripe-url"),
            "a price of no plan": ((*serve, data, "--stripe-prices", "gold=price_1"), "gold=price_1"),
            "a trial of no days": ((*serve, data, "--trial-days", "0"), "--trial-days"),
            "a backup of nothing": (("backup", folder / "b.tar", "--data", folder / "none"), "nothing to back up"),
            "a backup of an absent database": (("backup", folder / "b.tar", "--database", NOBODY), "127.0.0.1"),
            "a backup over another file": (("backup", text, "--data", data), "exists already"),
            "a backup that is not there": (("restore", folder / "none.tar", "--data", data), "No such file"),
            "a backup that is none": (("restore", text, "--data", folder / "new"), "cannot be read as a backup"),
        }
        if CAN_DROP_POWERS:
            self.commands |= {
                "a folder that may not be read": ((*serve, locked), "ermission denied"),
                "a payload folder that may not be read": ((*serve, data, "--blobs", locked), "ermission denied"),
                "a key folder that may not be read": ((*serve, data, "--keys", locked), "ermission denied"),
            }


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """What was said to each of the commands, and what it should have been."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        commands = Bad(tmp_path_factory.mktemp("bad"), taken.getsockname()[1]).commands
        fence = WITHOUT_ROOTS_POWERS if CAN_DROP_POWERS else ()
        results = run_many([command for command, _ in commands.values()], fence=fence)
    return {name: (finished, commands[name][1]) for name, finished in zip(commands, results, strict=True)}


def test_whatever_is_wrong_is_told_in_one_line_and_with_exit_code_2(bad):
    for name, (finished, reason) in bad.items():
        lines = finished.err.strip().splitlines()
        assert (name, finished.code) == (name, 2), finished
        assert len(lines) == 1, f"{name}: {finished.err}"
        assert lines[0].startswith("fairlead: "), f"{name}: {finished.err}"
        assert reason in lines[0], f"{name}: {finished.err}"
        assert "hush-hush" not in finished.err, name
        assert finished.out == "", f"{name}: {finished.out}"


def test_the_same_from_the_installed_program():
    with Program("serve", "--listen", "localhost:http", warm=False) as program:
        finished = program.finish()

    assert (finished.code, finished.out) == (2, "")
    assert finished.err == "fairlead: --listen: 'localhost:http' is not HOST:PORT, for example 127.0.0.1:8080\n"


@pytest.fixture(scope="module")
def help_texts(tmp_path_factory):
    commands = [(*name.split(), "--help") for name in COMMANDS]
    return dict(zip(COMMANDS, run_many(commands), strict=True))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(help_texts, command):
    told = help_texts[command]

    assert told.code == 0
    assert told.err == ""
    assert f"Usage: fairlead {command}".rstrip() in told.out
    assert "[dim]" not in told.out
    assert "[/" not in told.out
    assert max(map(len, told.out.splitlines())) <= 100


def test_every_setting_of_the_server_can_be_given_and_is_explained(help_texts):
    from fairlead.settings import Settings

    for name in Settings.__dataclass_fields__:
        assert f"--{name.replace('_', '-')}" in help_texts["serve"].out
        assert f"FAIRLEAD_{name.upper()}" in help_texts["serve"].out


def test_the_version_is_told(tmp_path):
    from fairlead import __version__

    with Program("--version", warm=False) as program:
        assert program.finish().out.strip() == __version__
