"""Scientific services are managed from the shell, and loaded from a folder at each start."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from fairlead import migrations
from fairlead.base.database import Database
from fairlead.cli.commands import app
from fairlead.domain import catalog, identity
from fairlead.settings import BadSetting, Settings, load
from house.program import Server

NEEDLE = "needle::public::lab"


def write(folder, name, **said):
    folder.mkdir(exist_ok=True)
    document = {"_type": "Program", "name": name, "command": "true", "version": "1", **said}
    (folder / f"{name}.json").write_text(json.dumps(document))


@pytest.fixture
def data(tmp_path):
    """A folder for data with all tables in it."""
    folder = tmp_path / "data"
    database = Database(Settings(data=folder).database_url)
    migrations.upgrade(database)
    database.close()
    return folder


def service(data, *arguments):
    """The command, in this process, because a new one takes its time to begin: exit code, and what it says."""
    words = ["service", *map(str, arguments), "--data", str(data), "--portal-name", "lab"]
    return CliRunner().invoke(app, words, env={"COLUMNS": "200", "NO_COLOR": "1"})


def test_services_are_imported_listed_disabled_enabled_exported_and_removed(data, tmp_path):
    write(tmp_path / "shipped", "needle", title="Global alignment")
    write(tmp_path / "shipped", "water")

    made = service(data, "import", tmp_path / "shipped", "--export")

    assert (made.exit_code, made.stdout, made.stderr) == (0, "added: 2\n", "")
    assert service(data, "import", tmp_path / "shipped").stdout == "unchanged: 2\n"
    listed = service(data, "list", "--text", "global").stdout
    assert "needle" in listed
    assert "exported" in listed
    assert "water" not in listed
    assert service(data, "disable", NEEDLE, "--message", "Until Monday.").stdout == f"{NEEDLE} is disabled.\n"
    assert "disabled" in service(data, "list").stdout
    assert service(data, "enable", "needle::lab").exit_code == 0
    assert "disabled" not in service(data, "list").stdout
    written = service(data, "export", NEEDLE, "--format", "json").stdout
    assert catalog.read_description(written.encode()).title == "Global alignment"
    assert catalog.read_description(service(data, "export", NEEDLE).stdout.encode()).title == "Global alignment"
    assert service(data, "remove", NEEDLE).exit_code == 0
    assert "needle" not in service(data, "list").stdout


def test_a_file_with_problems_is_named_and_the_others_are_imported(data, tmp_path):
    write(tmp_path / "shipped", "needle")
    write(tmp_path / "shipped", "broken", _type="Trojan")

    made = service(data, "import", tmp_path / "shipped")

    assert (made.exit_code, made.stdout) == (1, "added: 1\n")
    assert "broken.json: _type must be a program" in made.stderr


def test_parts_of_descriptions_are_skipped_and_what_is_left_out_is_told(data, tmp_path):
    folder = tmp_path / "shipped"
    write(folder, "needle")
    (folder / "package.xml").write_text("<package><name>emboss</name></package>")
    parameter = "<parameter><name>p</name><format><code proglang='perl'>$p</code></format></parameter>"
    (folder / "old.xml").write_text(
        "<program><head><name>old</name><command>old</command>"
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="package.xml"/>'
        f"</head><parameters>{parameter}</parameters></program>"
    )

    made = service(data, "import", folder)

    assert (made.exit_code, made.stdout) == (0, "added: 2\n")
    assert "package.xml: skipped: package is a part of descriptions" in made.stderr
    assert "old.xml: warning: p.format is not in Python" in made.stderr
    assert "package: emboss" in service(data, "export", "old::public::lab").stdout


def test_what_is_not_there_is_refused(data, tmp_path):
    for arguments, refusal in {
        ("remove", "none::lab"): catalog.ServiceNotFound,
        ("export", "none::lab", "--format", "toml"): catalog.UnknownFormat,
        ("import", tmp_path / "none"): catalog.NoSuchFile,
        ("list", "--tenant-id", "none"): identity.TenantNotFound,
    }.items():
        assert isinstance(service(data, *arguments).exception, refusal)


def test_a_folder_is_loaded_at_each_start_and_what_is_wrong_with_it_is_logged(data, tmp_path):
    write(tmp_path / "shipped", "needle")
    write(tmp_path / "shipped", "broken", _type="Trojan")

    with Server(data, "--services", tmp_path / "shipped", "--portal-name", "lab") as server:
        assert server.stop() == 0
        said = server.out + server.err

    assert "broken.json" in said
    assert "services.not_loaded" in said
    assert "needle" in service(data, "list").stdout
    service(data, "remove", NEEDLE)
    with Server(data, "--services", tmp_path / "shipped", "--portal-name", "lab") as server:
        assert server.stop() == 0
    assert "needle" not in service(data, "list").stdout


@pytest.mark.parametrize("name", ["public", "", "a b", "a::b", "-a", "x" * 64, "lab", "Lab-2_x", "x" * 63])
def test_the_name_of_this_server_follows_the_rule_for_names_of_servers(tmp_path, name):
    def accepted(check):
        try:
            check()
        except (BadSetting, catalog.BadServerName):
            return False
        return True

    by_setting = accepted(lambda: load({"portal_name": name, "data": tmp_path}, {}))

    assert by_setting == accepted(lambda: catalog.make_sure_server_name_is_good(name))


def test_a_folder_of_services_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadSetting, match="--services: there is no folder"):
        load({"services": str(tmp_path / "none"), "data": tmp_path}, {})
