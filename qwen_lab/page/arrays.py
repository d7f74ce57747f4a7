"""What the lab uses of NumPy, in plain Python: the page's `numpy`, for PyPI has none for browsers.

One dimension, lists inside; a thousand candidates take a few milliseconds. Not covered: all else.
"""

import ast
import math
import operator
import random as _random
import struct
from array import array as _packed
from bisect import bisect
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from itertools import accumulate, repeat
from typing import IO
from zipfile import ZipFile

LETTERS = {"i4": "i", "i8": "q", "f4": "f", "f8": "d", "u1": "B"}


class dtype(str):
    """A kind of numbers by its name in NumPy's files; called, it makes them of others."""

    def __call__(self, value: object) -> object:
        return ndarray(value, self) if isinstance(value, Iterable) else _cast([value], self)[0]


int32, int64, float32, float64, uint8 = map(dtype, ("i4", "i8", "f4", "f8", "u1"))
bool_ = dtype("b1")


def _cast(values: Iterable, kind: str) -> list:
    if kind == "f4":
        return _packed("f", values).tolist()
    return [*map({"f": float, "b": bool, "U": _shortest}.get(kind[0], int), values)]


def _shortest(number: float) -> str:
    """A number of 32 bits in as few digits as tell it from its neighbours."""
    texts = (f"{number:.{digits}g}" for digits in range(6, 10))
    return next((text for text in texts if float32(float(text)) == number), str(number))


class ndarray:
    """Numbers in a row."""

    def __init__(self, values: Iterable, kind: str | type) -> None:
        kind = {str: "U", float: "f8", int: "i8", bool: "b1"}.get(kind, kind)
        self.dtype, self.ndim = dtype(kind), 1
        self._values = _cast(values, kind)

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterable:
        return iter(self._values)

    def _places(self, key: object) -> Sequence[int]:
        if isinstance(key, slice):
            return range(len(self))[key]
        return flatnonzero(key)._values if getattr(key, "dtype", "") == "b1" else [*key]

    def __getitem__(self, key: object) -> object:
        if isinstance(key, int):
            return self._values[key]
        return ndarray([self._values[place] for place in self._places(key)], self.dtype)

    def __setitem__(self, key: object, value: object) -> None:
        places = [key] if isinstance(key, int) else self._places(key)
        given = value if isinstance(value, ndarray) else repeat(value, len(places))
        for place, each in zip(places, _cast(given, self.dtype), strict=True):
            self._values[place] = each

    def __neg__(self) -> "ndarray":
        return 0 - self

    def __invert__(self) -> "ndarray":
        return ndarray([not value for value in self._values], bool_)

    def astype(self, kind: str | type) -> "ndarray":
        return ndarray(self._values, kind)

    def copy(self) -> "ndarray":
        return self[:]

    def tolist(self) -> list:
        return [*self._values]

    def tobytes(self) -> bytes:
        return _packed(LETTERS[self.dtype], self._values).tobytes()

    def item(self) -> object:
        return self._values[0]

    def sum(self) -> float:
        return math.fsum(self._values) if self.dtype[0] == "f" else sum(self._values)

    def max(self, initial: float = -math.inf) -> float:
        return max(self._values, default=initial)

    def argmax(self) -> int:
        return self._values.index(max(self._values))

    def clip(self, least: float, most: object = math.inf) -> "ndarray":
        return ndarray(map(min, map(max, self, repeat(least)), _many(most)), self.dtype)


def _many(value: object) -> Iterable:
    return value if isinstance(value, ndarray) else repeat(value)


def _paired(work: Callable, one: object, other: object, kind: str = "") -> ndarray:
    floats = "f" in "".join(getattr(x, "dtype", type(x).__name__)[0] for x in (one, other))
    return ndarray(map(work, _many(one), _many(other)), kind or ("f8" if floats else "i8"))


def _operators() -> None:
    for name in ("add", "sub", "mul", "truediv", "gt", "lt", "ge", "le", "eq", "ne"):
        work = getattr(operator, name)
        kind = "f8" if name == "truediv" else "b1" if len(name) == 2 else ""
        setattr(ndarray, f"__{name}__", lambda a, b, w=work, k=kind: _paired(w, a, b, k))
        setattr(ndarray, f"__r{name}__", lambda a, b, w=work, k=kind: _paired(w, b, a, k))


_operators()


class _Rows(list):
    """Rows of numbers, of which only the columns are wanted."""

    @property
    def T(self) -> list[ndarray]:
        return [ndarray(column, float64) for column in zip(*self, strict=True)]


def array(values: Sequence, kind: str | None = None) -> ndarray | _Rows:
    if kind is None and values and isinstance(values[0], list):
        return _Rows(values)
    return ndarray(
        values, kind or (float64 if any(isinstance(v, float) for v in values) else int64)
    )


def empty(size: int, kind: str) -> ndarray:
    return ndarray([0] * size, kind)


def ones(size: int, kind: str) -> ndarray:
    return ndarray([1] * size, kind)


def zeros_like(other: ndarray) -> ndarray:
    return empty(len(other), other.dtype)


def frombuffer(content: bytes, kind: str) -> ndarray:
    return ndarray(_packed(LETTERS[kind], content), kind)


def concatenate(parts: Sequence[ndarray]) -> ndarray:
    kinds = {part.dtype for part in parts}
    kind = kinds.pop() if len(kinds) == 1 else float64
    return ndarray([value for part in parts for value in part], kind)


def append(values: ndarray, value: float) -> ndarray:
    return ndarray([*values, value], values.dtype)


def argsort(values: ndarray, kind: str = "stable") -> ndarray:
    return ndarray(sorted(range(len(values)), key=values._values.__getitem__), int64)


def flatnonzero(values: ndarray) -> ndarray:
    return ndarray([place for place, value in enumerate(values) if value], int64)


def isin(values: ndarray, others: ndarray) -> ndarray:
    return ndarray(map({*others}.__contains__, values), bool_)


def where(condition: ndarray, one: ndarray, other: ndarray) -> ndarray:
    rows = zip(condition, one, other, strict=True)
    return ndarray([a if holds else b for holds, a, b in rows], one.dtype)


def maximum(one: ndarray, other: object) -> ndarray:
    return _paired(max, one, other)


def clip(values: ndarray, least: float, most: object) -> ndarray:
    return values.clip(least, most)


def cumsum(values: Iterable) -> ndarray:
    return array([*accumulate(values)], getattr(values, "dtype", None))


def floor(values: ndarray) -> ndarray:
    return ndarray(map(math.floor, values), float64)


def ceil(values: ndarray) -> ndarray:
    return ndarray([math.ceil(x) if math.isfinite(x) else x for x in values], float64)


def exp(values: ndarray) -> ndarray:
    return ndarray(map(math.exp, values), float64)


def divide(one: ndarray, other: ndarray, out: ndarray, where: ndarray) -> ndarray:
    rows = zip(one, other, out, where, strict=True)
    return ndarray([a / b if holds else no for a, b, no, holds in rows], float64)


def bincount(places: ndarray, weights: ndarray | None = None, minlength: int = 0) -> ndarray:
    counts = [0] * max(minlength, places.max(initial=-1) + 1)
    for place, weight in zip(places, repeat(1) if weights is None else weights, strict=False):
        counts[place] += weight
    return ndarray(counts, int64 if weights is None else float64)


def unique(values: ndarray, return_inverse: bool) -> tuple[ndarray, ndarray]:
    found = sorted({*values})
    places = {value: place for place, value in enumerate(found)}
    return ndarray(found, values.dtype), ndarray([places[value] for value in values], int64)


def errstate(**_: str) -> nullcontext:
    return nullcontext()


def savez(file: IO[bytes], **arrays: object) -> None:
    """An archive as NumPy writes it: each array with a line that says what it holds."""
    with ZipFile(file, "w") as archive:
        for name, value in arrays.items():
            one = not isinstance(value, ndarray)
            kept = array([value]) if one else value
            shape = () if one else (len(kept),)
            told = {"descr": f"<{kept.dtype}", "fortran_order": False, "shape": shape}
            head = f"{told}\n".encode()
            start = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head))
            archive.writestr(f"{name}.npy", start + head + kept.tobytes())


def load(file: IO[bytes], allow_pickle: bool) -> nullcontext[dict[str, ndarray]]:
    """The arrays of such an archive."""
    found = {}
    with ZipFile(file) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            end = 10 + struct.unpack("<H", content[8:10])[0]
            told = ast.literal_eval(content[10:end].decode())
            kept = found[name.removesuffix(".npy")] = frombuffer(content[end:], told["descr"][1:])
            kept.ndim = len(told["shape"])
    return nullcontext(found)


class random:
    """Numbers by chance; a seed gives others than NumPy's."""

    class Generator(_random.Random):
        def multinomial(self, times: int, weights: Iterable[float]) -> ndarray:
            ends = [*accumulate(weights)]
            counts = [0] * len(ends)
            for _ in range(times):
                counts[bisect(ends, self.random() * ends[-1], hi=len(ends) - 1)] += 1
            return ndarray(counts, int64)

        def choice(self, size: int, p: Iterable[float]) -> int:
            return self.multinomial(1, p).argmax()

    default_rng = Generator
