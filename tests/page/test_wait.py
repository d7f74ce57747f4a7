"""What a learner sees who waits: for Python, and for the Qwen in the page."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import Error, expect

from qwen_lab.words import patterns, say, use

from .conftest import PATIENCE

pytestmark = pytest.mark.page

LESSON = "en/01_basic_call.ipynb"
# A worker as a lesson's, with our script for the Qwen and a llama.cpp that writes as it is told.
QWEN = """root => {
  const chunk = (ids) => JSON.stringify({ choices: [{ text: "" }], __verbose: { tokens: ids } });
  const script = `
    import { Qwen } from "${root}static/wllama/qwen.js";
    const heard = [], waiting = [];
    onmessage = ({ data }) => (waiting.shift() ?? ((each) => heard.push(each)))(data);
    const next = () => new Promise((go) => (heard.length ? go(heard.shift()) : waiting.push(go)));
    class Wllama {
      proxy = { wllamaAction: (name) => (name === "get_result" ? next() : { req_id: 1 }) };
      setCompat() {}
      loadModel() {}
    }
    await new Qwen(Wllama, "", null, {}).ask("{}", () => false);`;
  const address = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = follow(new Worker(address, { type: "module" }));
  window.write = (ids, more) => worker.postMessage({ data_json: chunk(ids), has_more: more });
}"""


@pytest.fixture
def page(visit):
    """A lesson whose Python doesn't come; `page.held` is what is asked for and gets no answer."""
    use("en")
    here, held = visit(), []
    here.context.route("**/pyodide.asm.wasm", lambda route: held.append(route))
    page = here.open(LESSON)
    page.held, page.root = held, here.root
    yield page
    for route in held:
        # The one that was answered in the test.
        with suppress(Error):
            route.abort()


def test_a_line_says_that_python_starts_and_why_it_could_not(page):
    told = page.locator(".qwen-lab-wait p")
    expect(told).to_contain_text(say("page_wait.starting"), timeout=PATIENCE)
    page.held[0].fulfill(status=404, body="Nothing here.")
    expect(told).to_contain_text(say("page_wait.failed", why="…").split("…")[0], timeout=PATIENCE)
    expect(told).to_contain_text("WebAssembly")
    expect(told).to_have_class("qwen-view qwen-failed")


def test_a_line_says_what_the_qwen_in_the_page_does_as_long_as_it_is_waited_for(page):
    told = page.locator(".qwen-lab-wait p").filter(has_text="Qwen")
    page.evaluate(QWEN, page.root)
    reading = re.escape(say("page_wait.reading"))
    expect(told).to_have_text(re.compile(rf"^{reading}\d+ s$"), timeout=PATIENCE)
    page.evaluate("write([], true)")
    for token in range(9):
        page.evaluate("token => write([token], true)", token)
    expect(told).to_contain_text(f"{say('page_wait.writing')}9 tokens, ")
    page.evaluate("write([], false)")
    expect(told).to_have_count(0)


def test_what_fails_at_the_very_beginning_is_told_too(visit):
    use("zh")
    here = visit()
    here.context.route("**/comlink.worker*", lambda route: route.abort())
    page = here.open("zh/01_basic_call.ipynb")
    expected = patterns("page_wait")["failed"].split("{why}")[0]
    expect(page.locator(".qwen-lab-wait")).to_contain_text(expected, timeout=PATIENCE)
