"""The two buttons of everything that calls: Run, and Stop while it runs."""

from ipywidgets import Button, Layout

from ..words import say


def run_and_stop() -> tuple[Button, Button]:
    """A Run button, and a Stop button that waits for a run."""
    narrow = Layout(width="auto", min_width="7em")
    run = Button(description=say("panel.run"), button_style="primary", layout=narrow)
    return run, Button(description=say("panel.stop"), disabled=True, layout=narrow)
