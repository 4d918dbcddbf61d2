"""Which services come from files, when do they come again, and what is said of files that describe none?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fairlead.domain import catalog
from fairlead.domain.catalog import files
from house.portals import described

REAL = Path(__file__).parents[4] / "shared" / "mobyle-services"
NEEDLE = "needle::public::here"


def write(folder: Path, name: str, service: str = "needle", **said: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"_type": "Program", "name": service, "command": "true", **said}))
    return path


def load(here, folder):
    return catalog.load_folder(here.database, here.tenant_id, here.own, folder)


def names(loaded):
    return {outcome.value: [name.split("::")[0] for name in done] for outcome, done in loaded.done.items() if done}


def test_a_folder_is_loaded_with_all_below_it_and_what_is_wrong_is_told_by_file(here, tmp_path):
    write(tmp_path, "needle.json")
    write(tmp_path, "emboss/water.yaml", "water")
    write(tmp_path, "broken.json", _type="Trojan")
    (tmp_path / "empty.xml").write_bytes(b"")
    (tmp_path / "README.txt").write_text("not a description")
    (tmp_path / "large.json").write_bytes(b" " * (2 * 1024 * 1024 + 1))

    loaded = load(here, tmp_path)

    assert names(loaded) == {"added": ["water", "needle"]}
    assert set(loaded.problems) == {"broken.json", "empty.xml", "large.json"}
    assert "'trojan'" in loaded.problems["broken.json"]
    assert set(here.seen_by(here.visitor)) == {NEEDLE, "water::public::here"}
    assert {each.exported for each in here.seen_by(here.visitor).values()} == {False}


def test_what_an_administrator_has_changed_or_removed_stays_so_until_the_file_is_another(here, tmp_path):
    write(tmp_path, "needle.json", title="shipped")
    write(tmp_path, "water.json", "water")
    load(here, tmp_path)
    here.register(described("needle", "", title="edited"))
    here.do(here.admin, catalog.remove_service, here.own, "water::here")

    assert names(load(here, tmp_path)) == {}

    assert {name: each.title for name, each in here.seen_by(here.ada).items()} == {NEEDLE: "edited"}
    write(tmp_path, "needle.json", title="shipped anew")
    write(tmp_path, "water.json", "water", title="also")
    assert names(load(here, tmp_path)) == {"changed": ["needle"], "added": ["water"]}
    assert here.find(here.ada, NEEDLE).title == "shipped anew"


def test_a_broken_file_is_told_each_time_and_loaded_once_it_is_mended(here, tmp_path):
    path = write(tmp_path, "needle.json", _type="Trojan")
    assert [list(load(here, tmp_path).problems) for _ in range(2)] == [["needle.json"]] * 2

    write(tmp_path, "needle.json")

    assert names(load(here, tmp_path)) == {"added": ["needle"]}
    path.unlink()
    assert names(load(here, tmp_path)) == {}
    assert NEEDLE in here.seen_by(here.ada)


def test_a_description_that_the_catalogue_refuses_keeps_none_of_the_others_out(here, tmp_path):
    write(tmp_path, "a.json", "x" * 150)
    write(tmp_path, "b.json")

    loaded = load(here, tmp_path)

    assert (names(loaded), list(loaded.problems)) == ({"added": ["needle"]}, ["a.json"])


def test_files_that_are_named_are_imported_whatever_was_loaded_before(here, tmp_path):
    path = write(tmp_path, "needle.json")
    load(here, tmp_path)
    here.do(here.admin, catalog.remove_service, here.own, NEEDLE)

    loaded = catalog.import_files(here.database, here.admin, here.own, [path], exported=True)

    assert names(loaded) == {"added": ["needle"]}
    assert here.find(here.ada, NEEDLE).exported is True
    with pytest.raises(catalog.NoSuchFile):
        catalog.files_in(tmp_path / "none")
    with pytest.raises(catalog.UnknownFormat):
        catalog.files_in(write(tmp_path, "needle.txt"))


INCLUDE = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{}"/>'


def write_xml(folder: Path, name: str, *parameters: str, root: str = "program", said: str = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    head = f"<head><name>{path.stem}</name><command>true</command>{said}</head>"
    path.write_text(f"<{root}>{head}<parameters>{''.join(parameters)}</parameters></{root}>")
    return path


def choice(href: str) -> str:
    type_ = "<type><datatype><class>Choice</class></datatype></type>"
    return f"<parameter><name>db</name>{type_}{INCLUDE.format(href)}</parameter>"


def vlist(path: Path, *values: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<vlist>{''.join(f'<velem><value>{value}</value></velem>' for value in values)}</vlist>")
    return path


def choices(here, name: str) -> tuple[str, ...]:
    return here.do(here.ada, catalog.find_description, here.own, f"{name}::here").find_input("db").type.choices


def test_xml_files_include_parts_of_their_folder_and_are_loaded_again_when_these_change(here, tmp_path):
    write_xml(tmp_path, "programs/blast.xml", choice("../env/databases.xml"), said=INCLUDE.format("package.xml"))
    (tmp_path / "programs" / "package.xml").write_text("<package><name>ncbi</name></package>")
    vlist(tmp_path / "env" / "databases.xml", "embl")
    (tmp_path / "tutorial.xml").write_text("<tutorial><head><name>begin</name></head></tutorial>")

    loaded = load(here, tmp_path)

    assert (names(loaded), loaded.problems) == ({"added": ["blast"]}, {})
    assert set(loaded.skipped) == {"programs/package.xml", "env/databases.xml", "tutorial.xml"}
    assert choices(here, "blast") == ("embl",)
    assert names(load(here, tmp_path)) == {}
    vlist(tmp_path / "env" / "databases.xml", "embl", "genbank")
    assert names(load(here, tmp_path)) == {"changed": ["blast"]}
    assert choices(here, "blast") == ("embl", "genbank")


def test_nothing_is_included_from_outside_of_the_folder(here, tmp_path):
    outside = vlist(tmp_path / "outside.xml", "secret")
    folder = tmp_path / "folder"
    for name, href in {
        "up": "../outside.xml",
        "whole": str(outside),
        "url": outside.as_uri(),
        "link": "link.xml",
    }.items():
        write_xml(folder, f"{name}.xml", choice(href))
    write_xml(folder, "long.xml", choice("x" * 5000))
    write_xml(folder, "folder.xml", choice("."))
    write_xml(folder, "good.xml")
    (folder / "link.xml").unlink()
    (folder / "link.xml").symlink_to(outside)
    write_xml(folder, "linked.xml", choice("link.xml"))

    loaded = load(here, folder)

    assert names(loaded) == {"added": ["good"]}
    assert {name for name, said in loaded.problems.items() if "cannot be followed" in said} == {
        f"{name}.xml" for name in ("up", "whole", "url", "long", "folder", "linked")
    }


def test_a_file_that_is_imported_alone_includes_what_stands_beside_it(here, tmp_path):
    path = write_xml(tmp_path, "blast.xml", choice("env/databases.xml"))
    vlist(tmp_path / "env" / "databases.xml", "embl")

    loaded = catalog.import_files(here.database, here.admin, here.own, [path])

    assert (names(loaded), loaded.problems) == ({"added": ["blast"]}, {})
    assert choices(here, "blast") == ("embl",)


def test_what_a_service_cannot_keep_is_told_by_file(here, tmp_path):
    write_xml(
        tmp_path, "x.xml", "<parameter><name>p</name><precond><code proglang='perl'>$x</code></precond></parameter>"
    )
    write(tmp_path, "needle.json")

    loaded = load(here, tmp_path)

    assert names(loaded) == {"added": ["needle", "x"]}
    assert loaded.warnings == {"x.xml": ["p.precond is not in Python, and was left out: so it always applies"]}


def test_a_fault_of_ours_with_one_file_keeps_none_of_the_others_out(here, tmp_path, monkeypatch):
    write(tmp_path, "a.json", "faulty")
    write(tmp_path, "b.json")
    read = files.read_description

    def fail(content: bytes, *rest: object) -> object:
        return 1 / 0 if b"faulty" in content else read(content, *rest)

    monkeypatch.setattr(files, "read_description", fail)

    loaded = load(here, tmp_path)

    assert (names(loaded), list(loaded.problems)) == ({"added": ["needle"]}, ["a.json"])
    assert "fault of this server" in loaded.problems["a.json"]


def test_a_condition_without_a_name_is_told_of_its_file_only(here, tmp_path):
    (tmp_path / "a.yaml").write_text("name: a\ncommand: a\ninputs: [{name: p, precond: {1: x}}]")
    write(tmp_path, "b.json")

    loaded = load(here, tmp_path)

    assert (names(loaded), list(loaded.problems)) == ({"added": ["needle"]}, ["a.yaml"])


def test_who_may_not_register_services_imports_none(here, tmp_path):
    loaded = catalog.import_files(here.database, here.ada, here.own, [write(tmp_path, "needle.json")])

    assert names(loaded) == {}
    assert "manage the services" in next(iter(loaded.problems.values()))


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (b" <a/>", "xml"),
        (b'\xef\xbb\xbf{"a": 1}', "json"),
        (b"name: x", "yaml"),
        (b"", "yaml"),
        ("<a/>".encode("utf-16"), "xml"),
        ("\ufeff {}".encode("utf-16-be"), "json"),
    ],
)
def test_the_format_shows_in_how_a_description_begins(content, format_):
    assert catalog.format_of(content) == format_
    assert catalog.format_called(format_.upper()) is catalog.format_of(content)


def test_a_format_that_there_is_not_is_refused():
    with pytest.raises(catalog.UnknownFormat, match="toml"):
        catalog.format_called("toml")
    with pytest.raises(catalog.UnknownFormat):
        catalog.written_as(described("needle"), catalog.Format.XML)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real descriptions are not here")
def test_sixty_real_descriptions_are_registered_listed_and_given_out_again(here):
    loaded = load(here, REAL)

    assert loaded.problems == {}
    assert {outcome.value: len(done) for outcome, done in loaded.done.items()} == {
        "added": 60,
        "changed": 0,
        "unchanged": 0,
    }
    services = here.seen_by(here.ada)
    assert len(services) == 60
    assert all(each.authorized and each.type is catalog.ServiceType.PROGRAM for each in services.values())
    for name in services:
        kept = here.do(here.ada, catalog.find_description, here.own, name)
        for format_ in (catalog.Format.YAML, catalog.Format.JSON):
            assert catalog.read_description(catalog.written_as(kept, format_).encode(), format_) == kept
    with here.database.read(here.ada) as tx:
        found = catalog.search(tx, here.own)
        for branch in (catalog.by_topic(found), catalog.by_operation(found)):
            assert {service.name for service in everything(branch)} == {each.name for each in found}
    assert names(load(here, REAL)) == {}


def everything(branch):
    yield from branch.services
    for below in branch.below:
        yield from everything(below)
