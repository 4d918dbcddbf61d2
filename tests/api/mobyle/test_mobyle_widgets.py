"""Viewers: does a page hold nothing but itself, and does it show what is in the data and nothing else?"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess

import pytest

from fairlead.api.mobyle.widgets import VIEWERS

HOSTILE = "<img src=x onerror=alert(1)>"
BROWSER = """
const shown = [];
class Node {
  constructor(kind) { this.kind = kind; this.children = []; this.attributes = {}; this.text = ""; this.className = ""; }
  set textContent(text) { this.text = String(text); }
  set innerHTML(text) { throw new Error("innerHTML is set"); }
  setAttribute(name, value) { this.attributes[name] = String(value); }
  append(...nodes) { this.children.push(...nodes); }
  written() {
    const inner = this.children.map((each) => (typeof each === "string" ? each : each.written())).join("");
    return this.text + inner;
  }
}
const main = new Node("main");
globalThis.document = {
  querySelector: (what) => (what === "main" ? main : { content: "/mobyle" }),
  createElement: (kind) => new Node(kind),
  createElementNS: (_, kind) => new Node(kind),
};
globalThis.location = { search: "?data=00000000001" };
const asked = [];
globalThis.fetch = async (url, how) => {
  asked.push([url, how.headers]);
  return { ok: true, status: 200, headers: { get: () => null }, text: async () => CONTENT };
};
"""
TELL = """
setTimeout(() => {
  const count = (node, kind) => typeof node === "string" ? 0 :
    (node.kind === kind) + node.children.reduce((sum, each) => sum + count(each, kind), 0);
  const kinds = Object.fromEntries(["td", "th", "path", "text", "h2", "span", "pre"].map((k) => [k, count(main, k)]));
  console.log(JSON.stringify({ written: main.written(), asked, kinds }));
}, 20);
"""


def script_of(page: str) -> str:
    return re.search(r"<script>(.*)</script>", page, re.DOTALL)[1]


def run(page: str, content: str) -> dict:
    """What the page's script makes of the content, in something like a browser."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node to run the page's script")
    program = f"const CONTENT = {json.dumps(content)};\n{BROWSER}\n{script_of(page)}\n{TELL}"
    done = subprocess.run([node, "-"], input=program, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("path", [*(f"/widgets/{name}/" for name in VIEWERS), "/pages/confirm", "/pages/password"])
def test_a_page_lets_only_its_own_script_run_and_takes_nothing_from_elsewhere(busy_place, path):
    reply = busy_place.as_("visitor").get(path, params={"data": HOSTILE})

    policy = reply.headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(script_of(reply.text).encode()).digest()).decode()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert f"script-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "http:" not in reply.text.replace("http://www.w3.org/2000/svg", "")
    assert "https:" not in reply.text
    assert HOSTILE not in reply.text
    assert "innerHTML" not in reply.text


def test_viewers_are_listed_with_what_they_show(busy_place):
    told = busy_place.as_("visitor").told("/widgets/")

    assert set(told) == {"sequence", "alignment", "tree", "table", "text"}
    assert told["tree"]["data_terms"] == ["EDAM_data:0872"]
    assert told["tree"]["url"] == f"{busy_place.path}/widgets/tree/"


@pytest.mark.parametrize(
    ("viewer", "content", "words", "kinds"),
    [
        ("text", f"hello\r\n{HOSTILE}", ["hello\n" + HOSTILE], {"pre": 1}),
        ("table", f"a\tb\n1\t{HOSTILE}\n", ["a", "b", "1", HOSTILE], {"th": 2, "td": 2}),
        ("table", 'a,b\n"1,5","say ""hi"""\n', ["1,5", 'say "hi"'], {"th": 2, "td": 2}),
        ("sequence", f">one {HOSTILE}\nACGTACGTACGT\n>two\nMK\n", [HOSTILE, "12 letters", "ACGTACGTAC GT"], {"h2": 2}),
        ("alignment", f">{HOSTILE}\nAC-D\n>two\nACKD\n", ["2 sequences, 4 columns", "<img"], {}),
        ("alignment", "CLUSTAL W\n\none  AC-\ntwo  ACK\n\none  DE\ntwo  DE\n", ["2 sequences, 5 columns"], {}),
        ("tree", f"((a:1,'{HOSTILE}':2):1,b:3);", ["3 leaves", HOSTILE], {"path": 4, "text": 3}),
        ("tree", "(a,b,(c,d)e)f;", ["4 leaves"], {"path": 5}),
        ("tree", "no tree at all", ["This is not a tree"], {"path": 0}),
        ("alignment", "...", ["This is neither an alignment"], {}),
    ],
)
def test_a_viewer_shows_what_is_in_the_data_as_text(busy_place, viewer, content, words, kinds):
    page = busy_place.as_("visitor").get(f"/widgets/{viewer}").text

    shown = run(page, content)

    assert [url for url, _ in shown["asked"]] == ["/mobyle/data/00000000001/content"]
    for word in words:
        assert word in shown["written"]
    assert {kind: shown["kinds"][kind] for kind in kinds} == kinds


def test_a_very_deep_tree_is_drawn(busy_place):
    page = busy_place.as_("visitor").get("/widgets/tree").text

    assert "5001 leaves" in run(page, "(" * 5000 + "a" + ",b)" * 5000 + ";")["written"]
