"""JupyterLite's JupyterLab as a learner needs it: with a way back, and widgets that are kept."""

import json
import re
from pathlib import Path

from .. import words
from .archive import Files

PAGE, SCRIPT = "lab/index.html", "lab/lab.js"
STYLE = """<style>
#jp-MainLogo a { color: var(--jp-ui-font-color1); display: block; font-size: 20px; padding: 0 9px }
.jupyterlite-loading-indicator-text { box-sizing: border-box; line-height: 1.6; padding: 0 24px;
  text-align: center; width: 100% }
</style>"""
# JupyterLite's kernel leaves this request without an answer, and then no widget that was kept with
# a notebook is ever shown; the pieces are of its script, whose hash is locked.
ASKED = 'case"comm_open":'
REPLY = """case"comm_info_request":this._sendMessage({0}.KernelMessage.createMessage({{\
msgType:"comm_info_reply",channel:"shell",session:e.header.session,parentHeader:e.header,\
content:await this.commInfoRequest(e.content)}}));break;"""
# Where a page is isolated, the kernel would be reached through memory that both share: that garbles
# now and then what it reads, and leaves cells running that are done. By messages it does not.
SHARED, APART = b"crossOriginIsolated?", b"!1?"
CREATED = re.compile(r'(\w+)\.KernelMessage\.createMessage\(\{msgType:"is_complete_reply"')


def finished(frame: Files) -> Files:
    """The files of JupyterLab's page, with what is changed and the script that is new."""
    told = [words.patterns("page", language) for language in reversed(words.LANGUAGES)]
    home, loading = (" · ".join(each[name] for each in told) for name in ("home", "loading"))
    script = Path(__file__).with_name("lab.js").read_text(encoding="utf-8")
    head = f"const HOME = {json.dumps(home, ensure_ascii=False)};\n"
    changed = {name: _answering(each) for name, each in frame.items() if ASKED.encode() in each}
    page = _page(frame[PAGE].decode(), loading)
    return frame | changed | {PAGE: page, SCRIPT: (head + script).encode()}


def apart(kernel: Files) -> Files:
    """The files of the kernel, which is reached by messages everywhere."""
    return {name: content.replace(SHARED, APART) for name, content in kernel.items()}


def _page(page: str, loading: str) -> bytes:
    page = page.replace("Loading JupyterLite...", loading).replace("JupyterLite<", "Qwen Lab<")
    page = re.sub(r' *<link rel="manifest".*\n', "", page)
    return page.replace("</head>", f'{STYLE}<script src="lab.js"></script>\n</head>').encode()


def _answering(script: bytes) -> bytes:
    text = script.decode()
    if not (created := CREATED.search(text)):
        return script
    return text.replace(ASKED, REPLY.format(created[1]) + ASKED).encode()
