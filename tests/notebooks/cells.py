"""Run the cells of a lesson in this process, as a kernel does: in a running loop, with `await`."""

import ast
import inspect

from IPython.core.inputtransformer2 import TransformerManager
from IPython.display import display
from openai import AsyncOpenAI, OpenAI


def fresh() -> dict:
    """The names that a kernel begins with."""
    return {"__name__": "__main__", "display": display}


async def run(source: str, names: dict) -> object:
    """Run a cell; return the value of its last line, which Jupyter would show."""
    tree = ast.parse(TransformerManager().transform_cell(source))
    names["_"] = None
    if isinstance(tree.body[-1], ast.Expr):
        tree.body[-1] = ast.Assign([ast.Name("_", ast.Store())], tree.body[-1].value)
    tree = ast.fix_missing_locations(tree)
    running = eval(compile(tree, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
    if inspect.isawaitable(running):
        await running
    return names["_"]


async def close(names: dict) -> None:
    """Close the clients that the cells made."""
    for value in names.values():
        if isinstance(value, OpenAI | AsyncOpenAI):
            closing = value.close()
            await closing if inspect.isawaitable(closing) else None
