"""How does a server process run, and how do several of them run together?

A process serves two listeners in one event loop: the public one, and the internal one. With more than one worker a
parent holds the sockets, starts the workers and starts one anew that has died.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import multiprocessing
import os
import resource
import shutil
import signal
import socket
import ssl
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import structlog
import uvicorn
import uvloop
from prometheus_client.multiprocess import mark_process_dead

from fairlead.app import Fairlead
from fairlead.base.errors import Kind, Refusal
from fairlead.logs import set_up_logs
from fairlead.settings import BadSetting, Settings, address_of

GRACE_SECONDS = 15
RESTART_SECONDS = 1.0
BACKLOG = 2048
_M_ARENA_MAX = -8

log = structlog.get_logger()


class AddressTaken(Refusal):
    kind = Kind.UNAVAILABLE
    message = "{name}: {address} cannot be listened on: {reason}. Stop what uses it, or choose another address."


@dataclass(frozen=True)
class Listeners:
    """The sockets of a server, bound before anything else happens so that a taken port is known at once."""

    public: socket.socket
    internal: socket.socket | None

    @classmethod
    def open(cls, settings: Settings) -> Listeners:
        public = _bind("--listen", settings.listen)
        try:
            internal = _bind("--internal-listen", settings.internal_listen) if settings.internal_listen else None
        except Refusal:
            public.close()
            raise
        return cls(public, internal)

    def addresses(self, settings: Settings) -> tuple[str, str]:
        """Where the server can be reached: as it was set, with the port that port 0 became. "" is not served."""
        internal = _with_port(settings.internal_listen, self.internal) if self.internal else ""
        return _with_port(settings.listen, self.public), internal


def _with_port(text: str, listener: socket.socket) -> str:
    return f"{text.rpartition(':')[0]}:{listener.getsockname()[1]}"


def with_real_ports(settings: Settings, public: socket.socket, internal: socket.socket | None) -> Settings:
    """The settings with the ports that port 0 became: workflows call this server's own listeners."""
    listen = _with_port(settings.listen, public)
    return replace(
        settings, listen=listen, internal_listen=_with_port(settings.internal_listen, internal) if internal else ""
    )


def _bind(name: str, text: str) -> socket.socket:
    host, port = address_of(name, text)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as problem:
        raise AddressTaken(name=name, address=text, reason=problem.strerror or problem) from None
    listener.set_inheritable(True)
    return listener


class _Listener(uvicorn.Server):
    """A server that leaves the signals to us: two of them run in one process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def make_sure_certificate_is_good(settings: Settings) -> None:
    """Refuse a certificate or key that cannot be used before anything is begun."""
    if settings.is_tls:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(settings.tls_cert, settings.tls_key)
        except (ssl.SSLError, OSError) as problem:
            raise BadSetting(name="--tls-cert", reason=f"the certificate and key cannot be used: {problem}") from None


def run(settings: Settings, listeners: Listeners) -> None:
    """Serve until told to stop; returns after a graceful stop."""
    _raise_file_limit()
    if settings.workers == 1:
        serve_here(settings, listeners.public, listeners.internal)
    else:
        _run_workers(settings, listeners)


def serve_here(settings: Settings, public: socket.socket, internal: socket.socket | None) -> None:
    """One process's share of the work."""
    set_up_logs(settings.log_level, settings.log_format)
    settings = with_real_ports(settings, public, internal)
    _share_the_heap()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, public, internal))


async def _serve(settings: Settings, public: socket.socket, internal: socket.socket | None) -> None:
    fairlead = Fairlead(settings)
    servers = [(_Listener(_configured(settings, fairlead.door, tls=True)), public)]
    if internal is not None:
        servers.append((_Listener(_configured(settings, fairlead.internal, tls=False)), internal))
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server, _ in servers:
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    parent = multiprocessing.parent_process()
    if parent is not None:
        loop.add_reader(parent.sentinel, stop)  # a worker whose parent was killed would hold the address for ever
    await fairlead.start()
    _spare_the_collector()
    log.info("server.ready", listen=settings.listen, internal=settings.internal_listen, process=os.getpid())
    try:
        await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in servers))
    finally:
        await fairlead.stop()
        log.info("server.stopped", process=os.getpid())


def _configured(settings: Settings, app: Any, *, tls: bool) -> uvicorn.Config:
    trusted = [each.strip() for each in settings.trusted_proxies.split(",") if each.strip()]
    encrypted = tls and settings.is_tls
    config = uvicorn.Config(
        app,
        interface="asgi3",
        http="httptools",
        ws="websockets-sansio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted or None,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=BACKLOG,
        ssl_certfile=settings.tls_cert if encrypted else None,
        ssl_keyfile=settings.tls_key if encrypted else None,
    )
    config.load()
    return config


def _share_the_heap() -> None:
    """Have all threads use few heaps: one for each would keep what its thread once needed (glibc's mallopt)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def _spare_the_collector() -> None:
    """What was made until now stays: never look at it for garbage again, and look less often at what comes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)


def _raise_file_limit() -> None:
    """Every connection is an open file: allow as many as the system lets us."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _run_workers(settings: Settings, listeners: Listeners) -> None:
    """Keep the workers running until told to stop, then let each finish what it has begun."""
    set_up_logs(settings.log_level, settings.log_format)
    stopping: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stopping.append(received))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = _empty_folder(settings.data / "metrics")
    workers = [_start_worker(settings, listeners) for _ in range(settings.workers)]
    while not stopping:
        time.sleep(0.2)
        workers = [_kept_alive(worker, settings, listeners, stopping) for worker in workers]
    _stop(workers)


def _empty_folder(folder: Path) -> str:
    """Where the workers of this start leave their figures for each other."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return str(folder)


def _start_worker(settings: Settings, listeners: Listeners) -> SpawnProcess:
    context = multiprocessing.get_context("spawn")
    worker = context.Process(target=_work, args=(settings, listeners.public, listeners.internal))
    worker.start()
    return worker


def _work(settings: Settings, public: socket.socket, internal: socket.socket | None) -> None:
    """A worker's life. What keeps it from starting is one line in the log, and the parent tries again."""
    try:
        serve_here(settings, public, internal)
    except Refusal as refusal:
        log.error("worker.cannot_start", reason=str(refusal))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def _kept_alive(
    worker: SpawnProcess, settings: Settings, listeners: Listeners, stopping: Sequence[int]
) -> SpawnProcess:
    if worker.is_alive() or stopping:
        return worker
    log.error("worker.died", process=worker.pid, exit_code=worker.exitcode)
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # its gauges end with it, its counts stand
    time.sleep(RESTART_SECONDS)
    return _start_worker(settings, listeners)


def _stop(workers: Sequence[SpawnProcess]) -> None:
    for worker in workers:
        worker.terminate()
    until = time.monotonic() + GRACE_SECONDS + 15
    for worker in workers:
        worker.join(max(0.1, until - time.monotonic()))
        if worker.is_alive():
            log.error("worker.killed", process=worker.pid)
            worker.kill()
