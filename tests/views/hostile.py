"""Text that would do harm if a page took it for HTML, and text that is hard to lay out."""

from html.parser import HTMLParser

STEAL = "window.stolen=1"
HOSTILE = [
    f"<script>{STEAL}</script>",
    f"<SCRIPT SRC=data:text/javascript,{STEAL}></SCRIPT>",
    f"</script><script>{STEAL}</script>",
    f"</style><script>{STEAL}</script>",
    f"</textarea><script>{STEAL}</script>",
    f"</pre></div><script>{STEAL}</script>",
    f"</details></summary><script>{STEAL}</script>",
    f"--><script>{STEAL}</script>",
    f"<!--<script>{STEAL}</script>",
    f"]]><script>{STEAL}</script>",
    f"<![CDATA[<script>{STEAL}</script>]]>",
    f"<img src=x onerror={STEAL}>",
    f'<img src="x" onerror="{STEAL}">',
    f"<img src=x onerror='{STEAL}'",
    f"<img/src/onerror={STEAL}>",
    f"<image href=x onerror={STEAL}>",
    f"<svg onload={STEAL}>",
    f"<svg/onload={STEAL}>",
    f"<svg><script>{STEAL}</script></svg>",
    f"<svg><animate onbegin={STEAL} attributeName=x dur=1s>",
    f"<svg><a xlink:href='javascript:{STEAL}'><text y=20>x</text></a></svg>",
    f"<math><mtext></mtext><script>{STEAL}</script></math>",
    f"<iframe src='javascript:parent.{STEAL}'></iframe>",
    f"<iframe srcdoc='<script>parent.{STEAL}</script>'></iframe>",
    f"<iframe onload={STEAL}>",
    f"<object data='data:text/html,<script>{STEAL}</script>'></object>",
    f"<embed src='javascript:{STEAL}'>",
    f"<a href='javascript:{STEAL}'>x</a>",
    f"<a href='data:text/html,<script>{STEAL}</script>'>x</a>",
    f"<form action='javascript:{STEAL}'><button>x</button></form>",
    f"<input autofocus onfocus={STEAL}>",
    f"<select autofocus onfocus={STEAL}>",
    f"<textarea autofocus onfocus={STEAL}>",
    f"<details open ontoggle={STEAL}>",
    f"<video><source onerror={STEAL}></video>",
    f"<audio src=x onerror={STEAL}>",
    f"<body onload={STEAL}>",
    f"<marquee onstart={STEAL}>",
    f"<div style='animation-name:x' onanimationstart={STEAL}>",
    f"<style>@import 'data:text/css,*{{x:expression({STEAL})}}';</style>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=data:text/css,*{display:none}>",
    f"<meta http-equiv=refresh content='0;url=javascript:{STEAL}'>",
    "<base href='http://127.0.0.1:9/'>",
    f'" onmouseover="{STEAL}" x="',
    f"' onmouseover='{STEAL}' x='",
    f'" autofocus onfocus="{STEAL}',
    f'"><script>{STEAL}</script>',
    f"'><img src=x onerror={STEAL}>",
    f"`><img src=x onerror={STEAL}>",
    f"&lt;script&gt;{STEAL}&lt;/script&gt;",
    f"&#60;script&#62;{STEAL}&#60;/script&#62;",
    f"\\u003cscript\\u003e{STEAL}\\u003c/script\\u003e",
    f"${{{STEAL}}} {{{{{STEAL}}}}} <%={STEAL}%>",
    f"\x00<script>{STEAL}</script>",
    f"<scr\x00ipt>{STEAL}</script>",
    f"\ufeff<script>{STEAL}</script>",
    f"<\u200bscript>{STEAL}</script>",
    "<!-- a comment that never ends",
    "</div></div></div></body></html>",
    "\u202egnirts lortnoc \u2066\u2067\u2068",
    "\ud800 half a character \udfff",
    "x" * 5_000,
    "字" * 3_000,
    "\u0301" * 300,
    "👩‍👩‍👧‍👦🏳️‍🌈" * 20,
    "a\r\nb\rc\u2028d\u2029e\x0b\x1b[31m",
]


def check(page, tags, attributes="class style"):
    """Hold a page to the tags and attributes that are its own: no text has become one."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, given: found.append((tag, {name for name, _ in given}))
    # What else a browser could take for more than text.
    for kind in ("comment", "decl", "pi"):
        setattr(parser, f"handle_{kind}", lambda text, kind=kind: found.append((kind, set())))
    parser.unknown_decl = lambda text: found.append(("decl", set()))
    parser.feed(page)
    parser.close()
    assert {tag for tag, _ in found} <= {*tags.split()}, page[:500]
    assert {name for _, names in found for name in names} <= {*attributes.split()}, page[:500]
    assert not any("\ud800" <= character <= "\udfff" for character in page)
