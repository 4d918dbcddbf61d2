"""Imports point down the house, and packages are entered by their front doors."""

from importlinter.cli import lint_imports


def test_the_import_contracts_are_kept(capsys, pytestconfig, monkeypatch):
    monkeypatch.chdir(pytestconfig.rootpath)

    broken = lint_imports(no_cache=True)

    assert not broken, capsys.readouterr().out
