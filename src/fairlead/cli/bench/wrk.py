"""How is wrk made to walk through a hundred thousand tokens?

wrk is a load generator in C. Where it is installed it plays the simplest rows, because it keeps up with a bare server.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from fairlead.cli.bench.child import command
from fairlead.cli.bench.load import Load, LoadFailed

WRK = "wrk"
_MARK = "bench-figures "
_SCRIPT = """
local requests, count, at = {}, 0, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  for request in file:read("*a"):gmatch("(.-\\r\\n\\r\\n)") do
    count = count + 1
    requests[count] = request
  end
  file:close()
end

function request()
  at = at % count + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write("bench-figures ", string.format(
    '{"answers": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
"""


def is_here() -> bool:
    return shutil.which(WRK) is not None


class Queue:
    """The requests and the script that walks through them, as files."""

    def __init__(self, folder: Path, requests: Iterable[bytes]) -> None:
        self.script, self.requests = folder / "walk.lua", folder / "requests"
        self.script.write_text(_SCRIPT)
        with self.requests.open("wb") as file:
            file.writelines(requests)


def press(address: tuple[str, int], queue: Queue, connections: int, seconds: float, core: int) -> Load:
    """Send the requests, which have no bodies and are answered with 204, round and round."""
    url = f"http://{address[0]}:{address[1]}/"
    options = ["-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s", "-s", str(queue.script)]
    called = command(core, "run", WRK, *options, url, "--", str(queue.requests))
    done = subprocess.run(called, capture_output=True, text=True, check=False)  # noqa: S603
    return read(done.stdout, done.stderr)


def read(output: str, complaints: str = "") -> Load:
    """What wrk's script has said at the end."""
    said = next((line for line in output.splitlines() if line.startswith(_MARK)), None)
    if said is None:
        raise LoadFailed(reason=f"wrk says {(complaints or output).strip()[-300:]!r}")
    figures = json.loads(said.removeprefix(_MARK))
    statuses = Counter({204: figures["answers"] - figures["refused"], 0: figures["refused"]})
    seconds = figures["microseconds"] / 1e6
    return Load(WRK, statuses, seconds, figures["p50"] / 1000, figures["p99"] / 1000, figures["broken"])
