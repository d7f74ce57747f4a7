"""Learn to call Qwen: the small helper package that the lessons import.

Public names load on first use, so `import qwen_lab` itself imports nothing else.
"""

from importlib import import_module

__version__ = "0.1.0"

# Each public name and the class or function it stands for; one without a colon is a module.
_HOMES = {
    "Calls": "watch.calls:Calls",
    "Lab": "lab:Lab",
    "LabError": "words:LabError",
    "Panel": "widgets.panel:Panel",
    "anatomy": "views.anatomy:anatomy",
    "checks": "checks",
    "compare": "widgets.compare:Compare",
    "connect": "connection:connect",
    "difference": "views.difference:difference",
    "figures": "watch.sweep:figures",
    "knobs": "views.knobs:knobs",
    "panel": "widgets.panel:Panel",
    "odds": "views.odds:odds",
    "playground": "widgets.playground:Playground",
    "price": "models:price",
    "progress": "course.progress:progress",
    "quiz": "course.quiz:Quiz",
    "sampler": "widgets.sampler:Sampler",
    "sweep": "widgets.sweep:Sweep",
    "timeline": "views.timeline:timeline",
    "wire": "views.wire:Wire",
    "xray": "views.xray:xray",
}

__all__ = sorted(_HOMES)


def __getattr__(name):
    if name not in _HOMES:
        from difflib import get_close_matches

        # IPython leaves out Python's own suggestion; `obj` keeps Python from making it twice.
        near = "".join(f". Did you mean: {a!r}?" for a in get_close_matches(name, _HOMES, n=1))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{near}", obj=None)
    module, _, attribute = _HOMES[name].partition(":")
    value = import_module(f".{module}", __name__)
    if attribute:
        value = globals()[name] = getattr(value, attribute)
    return value


def __dir__():
    return __all__
