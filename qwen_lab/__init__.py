"""Learn to call Qwen: the small helper package that the lessons import.

Public names load on first use, so `import qwen_lab` itself imports nothing else.
"""

from importlib import import_module

__version__ = "0.1.0"

# Where each public name is defined; "" where it is a module itself.
_HOMES = {
    "Calls": ".watch.calls",
    "Lab": ".connection",
    "LabError": ".words",
    "Panel": ".widgets.panel",
    "anatomy": ".views.anatomy",
    "checks": "",
    "compare": ".widgets.compare",
    "connect": ".connection",
    "difference": ".views.difference",
    "playground": ".widgets.playground",
    "progress": ".course.progress",
    "quiz": ".course.quiz",
    "sampler": ".widgets.sampler",
    "sweep": ".widgets.sweep",
    "timeline": ".views.timeline",
    "wire": ".watch.stream",
    "xray": ".views.xray",
}

__all__ = [
    "Calls",
    "Lab",
    "LabError",
    "Panel",
    "anatomy",
    "checks",
    "compare",
    "connect",
    "difference",
    "playground",
    "progress",
    "quiz",
    "sampler",
    "sweep",
    "timeline",
    "wire",
    "xray",
]


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if not _HOMES[name]:
        return import_module(f"{__name__}.{name}")
    value = globals()[name] = getattr(import_module(f"{__name__}{_HOMES[name]}"), name)
    return value


def __dir__():
    return __all__
