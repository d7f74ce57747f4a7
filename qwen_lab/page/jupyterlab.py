"""JupyterLite's JupyterLab as a learner needs it.

With a way back, widgets that are kept, and a Python that starts at once and says so.
"""

import json
import re
from pathlib import Path

from .. import words
from ..views import theme
from .archive import Files

PAGE, SCRIPT = "lab/index.html", "lab/lab.js"
STYLE = """<style>
#jp-MainLogo a { color: var(--jp-ui-font-color1); display: block; font-size: 20px; padding: 0 9px }
.jupyterlite-loading-indicator-text { box-sizing: border-box; line-height: 1.6; padding: 0 24px;
  text-align: center; white-space: pre-line; width: 100% }
.qwen-lab-wait { bottom: 32px; display: grid; gap: 6px; justify-items: center; left: 0;
  pointer-events: none; position: fixed; right: 0; z-index: 999 }
.qwen-lab-wait p { background: var(--jp-layout-color1, #fff); border-radius: 8px; margin: 0;
  border: 1px solid var(--jp-border-color1, #bdbdbd); box-shadow: 0 2px 8px #0004;
  box-sizing: border-box; color: var(--jp-ui-font-color1, #212121); font: 14px/1.5 system-ui;
  max-width: min(640px, 94vw); padding: 6px 14px; pointer-events: auto }
.qwen-lab-wait small { font-variant-numeric: tabular-nums; margin-left: 10px; opacity: .8 }
</style>"""
# What is changed in the scripts of JupyterLab, whose hash is locked, and of its kernel.
FRAME = {
    # The kernel leaves this request without an answer, and then no widget that was kept with a
    # notebook is ever shown.
    r'(case"comm_open":)(?=.*?(\w+)\.KernelMessage\.createMessage\(\{msgType:"is_complete_reply")':
        r'case"comm_info_request":this._sendMessage(\2.KernelMessage.createMessage({'
        r'msgType:"comm_info_reply",channel:"shell",session:e.header.session,'
        r"parentHeader:e.header,content:await this.commInfoRequest(e.content)}));break;\1",
    # A lesson would be taken for the one of the same name in the other language, and no Python
    # would start for it: a session is known by its path.
    r"(\{path:(\w+),name:(\w+)\}=\w+,\w+=this\._sessions\.find\((\w+)=>\4)\.name===\3\)":
        r"\1.path===\2)",
    # A cell that is run before it is known which Python there is would ask for one, or not run.
    r"if\((\w+)\.hasNoKernel&&await":
        r"if(await \1._initPromise.promise,\1.hasNoKernel&&await",
}  # fmt: skip
# Where a page is isolated, the kernel would be reached through memory that both share: that garbles
# now and then what it reads, and leaves cells running that are done. By messages it does not.
KERNEL = {
    r"crossOriginIsolated\?": "!1?",
    # Python starts with the worker (`start.js`), and this with the page (`wait.js`).
    r'new Worker\((\w+),\{type:"module"\}\)': r"beginPython(\1)",
    r"(\{loadPyodide:\w+\}=)await \w+\(\w+\)": r"\1{loadPyodide:()=>begun}",
    # No package is ever installed.
    r"await this\.initPackageManager\(\w+\),": "",
}
WORKER = re.compile(r"/comlink\.worker\.\w+\.js$")


def finished(frame: Files, kernel: Files) -> Files:
    """The files of JupyterLab's page and of its kernel, with what is changed and what is new."""
    told = [words.patterns("page", language) for language in reversed(words.LANGUAGES)]
    home = " · ".join(each["home"] for each in told)
    loading = "\n".join(each["loading"] for each in told)
    kernel = {name: _sooner(name, content) for name, content in kernel.items()}
    [worker] = [name for name in kernel if WORKER.search(name)]
    head = {
        "HOME": home,
        "PYTHON": f"../extensions/{worker}",
        "WORDS": {each: words.patterns("page_wait", each) for each in words.LANGUAGES},
    }
    script = [
        f"const {name} = {json.dumps(each, ensure_ascii=False)};" for name, each in head.items()
    ]
    script += [_script("wait"), _script("lab")]
    changed = {name: _changed(each, FRAME) for name, each in frame.items() if name.endswith(".js")}
    page = _page(frame[PAGE].decode(), loading)
    frame = frame | changed | {PAGE: page, SCRIPT: "\n".join(script).encode()}
    return frame | {f"extensions/{name}": content for name, content in kernel.items()}


def _script(name: str) -> str:
    return Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8")


def _sooner(name: str, content: bytes) -> bytes:
    """A file of the kernel, whose Python starts sooner, and which is reached by messages."""
    if not name.endswith(".js"):
        return content
    content = _changed(content, KERNEL)
    return f"{_script('start')}\n".encode() + content if WORKER.search(name) else content


def _changed(script: bytes, changes: dict[str, str]) -> bytes:
    text = script.decode()
    for pattern, instead in changes.items():
        text = re.sub(pattern, instead, text, flags=re.DOTALL)
    return text.encode()


def _page(page: str, loading: str) -> bytes:
    page = page.replace("Loading JupyterLite...", loading).replace("JupyterLite<", "Qwen Lab<")
    page = re.sub(r' *<link rel="manifest".*\n', "", page)
    style = f"{STYLE}<style>{theme.sheet('failed')}</style>"
    return page.replace("</head>", f'{style}<script src="lab.js"></script>\n</head>').encode()
