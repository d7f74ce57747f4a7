"""A server's sockets: bound before there is a server, then served; who asks nothing is let go."""

import asyncio
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from ..words import LabError, reason
from . import server_file

# Seconds for a request to come, all but its body: who holds connections open shuts out others.
PATIENCE = 20
# On a slow network the system tells only now and then that some of an answer has been taken.
UNREAD = 3


def listen(place: Path, port: int | None, host: str = "127.0.0.1") -> socket.socket:
    """A bound socket: the port asked for, else the last one, so that old clients work again.

    Raises `LabError` when the host or the port cannot be used.
    """
    earlier = server_file.load(place)
    for choice in [port] if port else [earlier.port if earlier else 0, 0]:
        # Without its protocol named, asyncio lets small answers wait 40 ms for more to send.
        listener = socket.socket(proto=socket.IPPROTO_TCP)
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, choice))
            # Who asks while the model loads waits, and does not find the port closed.
            listener.listen()
            return listener
        except (OSError, OverflowError) as error:
            listener.close()
            problem = error
    raise LabError("server.port_unusable", port=port, reason=reason(problem)) from problem


def serve(
    app: ASGIApp,
    listeners: Iterable[tuple[socket.socket, ssl.SSLContext | None]],
    watch: Callable[[uvicorn.Server], Coroutine],
) -> None:
    """Serve an app until a signal ends it, or what `watch` does beside it to the first server.

    It listens on sockets, each with what TLS it has.
    """
    servers = {each: _server(app, tls) for each, tls in listeners}
    # When it has served, uvicorn raises the signal that ended it: to die of it leaves a socket.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    asyncio.run(_serve(servers, watch))


def _server(app: ASGIApp, tls: ssl.SSLContext | None) -> uvicorn.Server:
    own = {"ssl_context_factory": lambda *_: tls} if tls else {}
    config = uvicorn.Config(
        app, http=Connection, ws="none", log_level="warning", timeout_graceful_shutdown=2, **own
    )
    return uvicorn.Server(config)


async def _serve(servers: dict[socket.socket, uvicorn.Server], watch: Callable) -> None:
    watching = asyncio.create_task(watch(next(iter(servers.values()))))
    # The signal that ends the last one ends all: each passes it on when it has ended.
    await asyncio.gather(*(server.serve(sockets=[each]) for each, server in servers.items()))
    watching.cancel()


class Connection(AutoHTTPProtocol):
    """A connection that is broken off where for `PATIENCE` seconds no request comes.

    Or where for `UNREAD` times as long nobody reads of what is written.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.loop.call_later(PATIENCE, self._look, None, 0, 0)

    def _look(self, last: object, waited: int, times: int) -> None:
        """See what has changed since its `last` request, when so many bytes `waited`."""
        asks_nothing = self.cycle is last and (last is None or last.response_complete)
        waits = self.transport.get_write_buffer_size()
        times = times + 1 if waits and waits == waited else 0
        if asks_nothing or times == UNREAD:
            self.transport.abort()
        if not self.transport.is_closing():
            self.loop.call_later(PATIENCE, self._look, self.cycle, waits, times)
