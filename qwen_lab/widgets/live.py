"""What all widgets that call have in common: one task at a time, calm painting, Run and Stop."""

import asyncio
import time
from collections.abc import Coroutine

from ipywidgets import HTML, Button, HBox, VBox, Widget

from ..lab import Lab
from ..words import need_type, say
from . import style

# At most twenty paintings a second: more are not seen, and each sends text to the browser.
PAUSE = 0.05


class Work:
    """Of a widget, its work: it runs in a task, so that the page stays live and Stop works.

    There is one task at a time: starting again stops the one before. A subclass gives the work
    (`_work`), paints its state (`_show`), says whether it runs (`_running`), that it was stopped
    (`_stopped`), and of an error that the work does not handle itself what it says (`_failed`).
    """

    _task: asyncio.Task | None = None
    _later: asyncio.TimerHandle | None = None
    _painted = 0.0

    def stop(self) -> None:
        """Stop what runs, if anything does; what has come so far stays."""
        if self._task and not self._task.done():
            _cancel(self._task)
            self._running(False)
            self._stopped()

    def close(self) -> None:
        """Stop what runs and take the widget away."""
        self.stop()
        super().close()

    def _work(self) -> Coroutine:
        """Show that a new run begins, and give what it does."""
        raise NotImplementedError

    def _show(self) -> None:
        """Show the state as it now is."""
        raise NotImplementedError

    def _failed(self, words: str) -> None:
        """Show what went wrong; "" where nothing did."""
        raise NotImplementedError

    def _running(self, running: bool) -> None:
        """Show that the work begins, or ends."""

    def _stopped(self) -> None:
        """Show that the run was stopped."""

    def _start(self, **options: bool) -> asyncio.Task:
        """Begin the work, with its options, in a task of its own."""
        self.stop()
        self._failed("")
        self._task = asyncio.get_running_loop().create_task(self._work(**options))
        self._task.add_done_callback(self._ended)
        self._running(True)
        return self._task

    async def _wait(self, task: asyncio.Task) -> None:
        """Wait for the task; when the cell that waits is interrupted, so is the task."""
        try:
            await asyncio.wait({task})
        finally:
            if task is self._task:
                self.stop()

    def _ended(self, task: asyncio.Task) -> None:
        if task is not self._task:
            return
        self._running(False)
        if not task.cancelled() and (error := task.exception()):
            self._stopped()
            self._paint()
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            self._failed(str(error) or type(error).__name__)

    def _paint(self) -> None:
        """Show the state at once."""
        if self._later:
            self._later.cancel()
            self._later = None
        # The clock of every event loop.
        self._painted = time.monotonic()
        self._show()

    def _paint_soon(self) -> None:
        """Show the state, but not sooner than `PAUSE` seconds after the last time."""
        if self._later:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            # Nothing would paint it later.
            self._paint()
        else:
            moment = max(loop.time(), self._painted + PAUSE)
            self._later = loop.call_at(moment, self._paint)


class Live(Work, VBox):
    """A widget with Run and Stop. `error` may be any HTML of it."""

    def __init__(self, lab: Lab) -> None:
        self._lab = need_lab(lab, self)
        self.run_button = Button(description=say("panel.run"), button_style="primary")
        self.stop_button = Button(description=say("panel.stop"), disabled=True)
        self.error = HTML()
        super().__init__()
        self.add_class("qwen-panel")
        self.run_button.on_click(lambda _: self._pressed())
        self.stop_button.on_click(lambda _: self.stop())

    def _buttons(self, *parts: Widget) -> HBox:
        """Run, Stop and more parts; in a page that plays a tape also what Run can do there."""
        told = [style.sentence("page.only_recorded")] if self._lab.kind == "page" else []
        for sentence in told:
            sentence.add_class("qwen-recorded")
        return style.row(self.run_button, self.stop_button, *parts, *told)

    def _pressed(self) -> None:
        self._start()

    def _failed(self, words: str) -> None:
        self.error.value = style.box("failed", words)

    def _running(self, running: bool) -> None:
        # What can be done now stands out.
        for button, can in ((self.run_button, not running), (self.stop_button, running)):
            button.disabled, button.button_style = not can, "primary" * can


def need_lab(lab: Lab, widget: object) -> Lab:
    """The lab, where it is one; a `TypeError` in the reader's words that names the widget."""
    need_type("panel.no_lab", lab, Lab, name=type(widget).__name__.lower())
    return lab


def _cancel(task: asyncio.Task) -> None:
    """Cancel the task. JupyterLab may deliver a click in another thread than the task's."""
    loop = task.get_loop()
    try:
        here = asyncio.get_running_loop() is loop
    except RuntimeError:
        here = False
    if here:
        task.cancel()
    else:
        loop.call_soon_threadsafe(task.cancel)
