"""Tasks of type `nats`: a message that is published."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec

from fairlead.domain.workflows.definition import NatsTask, Task
from fairlead.domain.workflows.model import Result, Run, StepFailed
from fairlead.domain.workflows.substitution import Values, filled, filled_text, without_expressions

SECONDS = 10
_SUBJECT = re.compile(r"(?!\$)[^\s.*>\x00-\x20\x7f]+(\.[^\s.*>\x00-\x20\x7f]+)*")
"""Words between dots. What begins with $ is the NATS server's own: it takes orders there."""
_LONGEST_SUBJECT = 1000


def run_nats(task: Task, said: NatsTask, values: Values, run: Run, server: str) -> Result:
    """Publish the data as JSON, with the key as `Nats-Msg-Id`, by which a stream recognizes what it has already."""
    subject = filled_text(said.subject, values)
    shown = {"nats": {"subject": subject[:_LONGEST_SUBJECT]}}
    failed = Result(task.name, task.type, success=False, data=shown)
    if not server:
        raise StepFailed("there is no NATS server: the operator can name one with --nats-url", failed, for_good=True)
    if len(subject) > _LONGEST_SUBJECT or not _SUBJECT.fullmatch(subject):
        reason = f"what {without_expressions(said.subject, '…')[:100]!r} stands for is no subject to publish on"
        raise StepFailed(reason, failed, for_good=True)
    try:
        asyncio.run(_publish(server, subject, msgspec.json.encode(filled(said.data, values)), run.key))
    except (OSError, TimeoutError) as problem:
        raise StepFailed(f"NATS: {str(problem) or 'no answer in time'}", failed) from None
    except Exception as problem:
        if type(problem).__module__.partition(".")[0] != "nats":
            raise
        raise StepFailed(f"NATS: {type(problem).__name__}: {problem}", failed) from None
    return Result(task.name, task.type, success=True, data=shown)


async def _publish(server: str, subject: str, payload: bytes, key: str) -> None:
    import nats

    heard: list[Exception] = []

    async def hear(problem: Exception) -> None:
        """The library would print it, and say no more than that there is no server."""
        heard.append(problem)

    options: Any = {"connect_timeout": SECONDS, "max_reconnect_attempts": 1, "reconnect_time_wait": 0.1}
    async with asyncio.timeout(2 * SECONDS):
        try:
            client = await nats.connect(server, error_cb=hear, allow_reconnect=False, **options)
        except nats.errors.NoServersError:
            raise heard[-1] if heard else OSError("the server is away") from None
        try:
            await client.publish(subject, payload, headers={"Nats-Msg-Id": key})
            await client.flush(timeout=SECONDS)
        finally:
            await client.close()
