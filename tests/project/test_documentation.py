"""Do the pages say what the code does? Each list in the documentation is held against the code that it describes."""

import ast
import re
from pathlib import Path

import pytest

from fairlead.api.mender import internal, not_built
from fairlead.api.mobingi import not_built as mobingi_not_built
from fairlead.schedule import Task
from fairlead.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
STATUS = (ROOT / "docs/status.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
DIVERGENCES = (ROOT / "docs/divergences.md").read_text()


def _plain(path: str) -> str:
    return re.sub(r"\{(\w+):str\}", r"{\1}", path)


def _missing() -> list[str]:
    listed = [f"{method} /api/management{_plain(path)}" for method, path in not_built.MANAGEMENT]
    listed += [f"{method} /api/devices{_plain(path)}" for method, path in not_built.DEVICES]
    return listed + [
        f"{method} {_plain(path)}" for method, path in (*internal.NOT_BUILT, *mobingi_not_built.OPERATIONS)
    ]


def test_every_operation_that_answers_501_is_listed_in_the_status_page_and_no_other():
    listed = re.findall(r"^\* `([A-Z]+ /\S+)`$", STATUS, re.MULTILINE)

    assert sorted(listed) == sorted(_missing())


@pytest.mark.parametrize("name", Settings.__dataclass_fields__)
def test_every_setting_is_described(name):
    assert f"`--{name.replace('_', '-')}`" in OPERATIONS


def test_the_page_says_how_settings_come_from_the_environment():
    assert f"`{PREFIX}…`" in OPERATIONS


def test_everything_that_runs_by_itself_is_described():
    source = ast.parse((ROOT / "src/fairlead/housekeeping.py").read_text())
    names = [
        call.args[0].value
        for call in ast.walk(source)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == Task.__name__
    ]

    assert names
    for name in names:
        assert f"| {name}" in OPERATIONS


def test_every_divergence_names_a_test_that_exists():
    rows = [row for row in DIVERGENCES.splitlines() if row.startswith("|") and "`test_" in row]
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))

    assert rows
    for row in rows:
        for name in re.findall(r"`(test_\w+)`", row):
            assert f"def {name}(" in sources, f"docs/divergences.md names {name}, which no test is called"


def test_every_divergence_is_a_whole_row():
    rows = [row for row in DIVERGENCES.splitlines() if row.startswith("| ") and not row.startswith("| reference says")]

    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4, row
        assert all(cells), row


def test_no_file_has_a_name_that_says_nothing():
    nothing = {"utils", "helpers", "common", "manager", "misc"}

    assert not [path for path in (ROOT / "src").rglob("*.py") if path.stem in nothing]
