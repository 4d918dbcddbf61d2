"""How does a run go from an empty folder to figures, and leave nothing behind?"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fairlead.cli.bench.cores import Cores
from fairlead.cli.bench.plan import Plan
from fairlead.cli.bench.prepare import Advance, Fleet, filled
from fairlead.cli.bench.process import ADDRESS, Server, running
from fairlead.cli.bench.rows import Figure, measure
from fairlead.cli.bench.stage import Stage
from fairlead.settings import PREFIX, Settings


def run(plan: Plan, cores: Cores, console: Console) -> list[Figure]:
    """Prepare, start the server, measure, and clean up whatever happens."""
    with tempfile.TemporaryDirectory(prefix="fairlead-bench-") as name:
        folder = Path(name)
        settings = Settings(data=folder / "data", database=plan.database)
        with _prepared(settings, plan, console) as fleet, _serving(settings, cores, folder) as server:
            stage = Stage(plan, cores, folder, fleet, server, lambda text: console.print(f"{text} ...", style="dim"))
            figures = measure(stage)
            if any(figure.wrong for figure in figures):
                console.print("The server wrote:", server.said(), markup=False, soft_wrap=True)
            return figures


@contextlib.contextmanager
def _prepared(settings: Settings, plan: Plan, console: Console) -> Iterator[Fleet]:
    """The fleet; what is shown of its making is gone before anything is measured."""
    columns = (TextColumn("{task.description:>16}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    progress = Progress(*columns, console=console, transient=True)

    def begin(what: str, steps: int) -> Advance:
        task = progress.add_task(what, total=steps)
        return lambda done: progress.advance(task, done)

    with contextlib.ExitStack() as shown:
        shown.enter_context(progress)
        with filled(settings, plan, begin) as fleet:
            shown.close()
            yield fleet


def _serving(settings: Settings, cores: Cores, folder: Path) -> contextlib.AbstractContextManager[Server]:
    """The real server. The database is told by the environment: a command line can be read by everyone.

    It leaves jobs alone: those of the bench are for the worker that is measured.
    """
    told = {f"{PREFIX}DATA": str(settings.data), f"{PREFIX}DATABASE": settings.database_url}
    told[f"{PREFIX}WORKFLOW_THREADS"] = "0"
    return running(
        "server", cores.server, folder, "serve", "--listen", ADDRESS, "--internal-listen", "", environment=told
    )
