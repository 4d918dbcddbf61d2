"""How do the tests run a server? The real one, with its real listeners, in a thread of the test process."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

import uvicorn
import uvloop

from fairlead.app import Fairlead
from fairlead.parts import prepare
from fairlead.serve import Listeners, _configured, _Listener, with_real_ports
from fairlead.settings import Settings


class RunningServer:
    """A server between `with` and its end. `fairlead` is what it is made of, for tests that look inside."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.fairlead: Fairlead
        self.url = self.internal_url = ""
        self._servers: list[uvicorn.Server] = []
        self._thread: threading.Thread | None = None

    def __enter__(self) -> RunningServer:
        prepare(self.settings).close()
        settings = Settings(**{**_values(self.settings), "listen": "127.0.0.1:0", "internal_listen": "127.0.0.1:0"})
        listeners = Listeners.open(settings)
        scheme = "https" if settings.is_tls else "http"
        self.url = f"{scheme}://127.0.0.1:{listeners.public.getsockname()[1]}"
        self.internal_url = f"http://127.0.0.1:{listeners.internal.getsockname()[1]}"
        ready: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(settings, listeners, ready), daemon=True)
        self._thread.start()
        ready.result(timeout=120)
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.should_exit = True
        self._thread.join(timeout=30)

    def _run(self, settings: Settings, listeners: Listeners, ready: Future[None]) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            try:
                runner.run(self._serve(settings, listeners, ready))
            except BaseException as problem:
                if not ready.done():
                    ready.set_exception(problem)
                raise

    async def _serve(self, settings: Settings, listeners: Listeners, ready: Future[None]) -> None:
        self.fairlead = Fairlead(with_real_ports(settings, listeners.public, listeners.internal))
        public = _Listener(_configured(settings, self.fairlead.door, tls=True))
        internal = _Listener(_configured(settings, self.fairlead.internal, tls=False))
        self._servers = [public, internal]
        await self.fairlead.start()
        ready.set_result(None)
        await asyncio.gather(public.serve(sockets=[listeners.public]), internal.serve(sockets=[listeners.internal]))
        await self.fairlead.stop()


def _values(settings: Settings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in Settings.__dataclass_fields__}
