"""Many threads may read JSON into the same types as soon as a server has started."""

import importlib
import pkgutil
import subprocess
import sys
import textwrap

import fairlead.api
import fairlead.base
import fairlead.domain
from fairlead import app, parts
from fairlead.base.records import learn_types
from fairlead.settings import Settings

MANY_AT_ONCE = """
    import sys, threading
    import msgspec
    from fairlead.base.records import learn_types

    def read(start, found):
        start.wait()
        found.append(msgspec.json.decode(b'{"first":{"some":["a"]},"more":[{}],"last":{}}', type=Outer))

    sys.setswitchinterval(1e-6)
    for number in range(400):
        Inner = msgspec.defstruct("Inner", [("some", list[str], msgspec.field(default_factory=list))])
        fields = [("first", Inner), ("more", tuple[Inner, ...], ()), ("last", Inner | None, None)]
        Outer = msgspec.defstruct("Outer", fields)
        if "learn" in sys.argv:
            learn_types()
        start, found = threading.Barrier(8), []
        threads = [threading.Thread(target=read, args=(start, found)) for _ in range(8)]
        [each.start() for each in threads]
        [each.join() for each in threads]
        assert len(found) == 8 and all(each.first.some == ["a"] for each in found)
    print("all were read")
"""


def test_eight_threads_read_into_a_type_that_nobody_has_read_into_before():
    program = [sys.executable, "-c", textwrap.dedent(MANY_AT_ONCE), "learn"]

    ended = subprocess.run(program, capture_output=True, text=True)

    assert (ended.returncode, ended.stdout) == (0, "all were read\n"), ended.stderr


def test_a_server_knows_all_its_types_before_it_starts_a_thread_that_reads(tmp_path, monkeypatch):
    known = set()
    monkeypatch.setattr(app, "learn_types", lambda: known.update(learn_types()))
    settings = Settings(data=tmp_path)
    parts.prepare(settings).close()

    app.Fairlead(settings).database.close()

    for package in (fairlead.base, fairlead.domain, fairlead.api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    ours = {
        each for each in learn_types() if each.__module__.startswith("fairlead.") and ".cli." not in each.__module__
    }
    assert len(ours) > 150
    assert ours <= known
