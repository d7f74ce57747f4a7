"""Calls of the page's kernel over the network, which go by the browser's `fetch`.

The SDK's transport for that counts the wait for an answer as part of connecting, five seconds, and
lets an answer that nobody reads any more run on. Both are put right here.
"""

import asyncio

import httpx2_jsfetch as transport


def prepare() -> None:
    """Put them right, once and for all calls."""
    if transport._compute_timeouts is not _patience:
        transport._compute_timeouts = _patience
        transport._run_async_with_timeout = _leaving(transport._run_async_with_timeout)
        transport.EmscriptenStream.close = _close
        transport.AsyncEmscriptenStream.aclose = _aclose


def _patience(extensions: dict) -> tuple[float, float]:
    """How long to wait for an answer to begin, and for each piece of it; 0 is for ever."""
    patience = (extensions.get("timeout") or {}).get("read") or 0
    return patience, patience


def _leaving(wait):
    """`wait`, which also breaks off the call when its task is cancelled."""

    async def wait_or_leave(promise, timeout, controller, *errors):
        try:
            return await wait(promise, timeout, controller, *errors)
        except asyncio.CancelledError:
            controller.abort()
            raise

    return wait_or_leave


def _close(stream) -> None:
    stream.abort_controller_js.abort()
    stream._stream_js = None


async def _aclose(stream) -> None:
    _close(stream)
