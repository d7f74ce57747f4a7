"""What `import qwen_lab` adds to the start of a bare Python, both as whole processes, in turns.

Goal: with the import ÷ without it ≤ 1.3.
"""

import subprocess
import sys
import time
from collections.abc import Iterator

from table import Row, show


def seconds(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def rows() -> Iterator[Row]:
    seconds("import qwen_lab")
    pairs = [(seconds("import qwen_lab"), seconds("")) for _ in range(40)]
    yield Row("a bare Python", [1000 * bare for _, bare in pairs], "ms")
    yield Row("import qwen_lab ÷ a bare Python", [a / b for a, b in pairs], "", "≤ 1.3")


if __name__ == "__main__":
    show(rows())
