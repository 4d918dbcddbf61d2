"""The link of a letter leads to a page that does what the letter says, and holds nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess

import pytest

from house.mail import letter_to
from house.world import ADA, LOGIN, USERADM

NEW = "an altogether new password"
BROWSER = """
class Node {
  constructor(kind) { this.kind = kind; this.children = []; this.text = ""; this.value = NEW; this.heard = {}; }
  set textContent(text) { this.text = String(text); }
  set innerHTML(text) { throw new Error("innerHTML is set"); }
  append(...nodes) { this.children.push(...nodes); }
  replaceChildren(...nodes) { this.children = nodes; }
  addEventListener(name, act) { this.heard[name] = act; }
  all() { return [this, ...this.children.flatMap((each) => each.all())]; }
  written() { return this.all().map((each) => each.text).join(" "); }
}
const main = new Node("main");
globalThis.document = { querySelector: () => main, createElement: (kind) => new Node(kind) };
globalThis.addEventListener = () => {};
globalThis.location = { hash: HASH, pathname: "/ui/", reload: () => {} };
globalThis.history = { replaceState: (state, title, url) => { location.hash = url; } };
const asked = [];
globalThis.fetch = async (url, how) => {
  asked.push({ url, method: how.method, type: how.headers["Content-Type"], body: how.body });
  return { ok: STATUS < 300, status: STATUS, json: async () => ({ error: "it is no good any more" }) };
};
"""
PRESS = """
const button = main.all().find((each) => each.kind === "button");
if (button) button.heard.click();
setTimeout(() => console.log(JSON.stringify({ asked, written: main.written(), hash: location.hash })), 20);
"""


@pytest.fixture
def letter(server, mender, acme):
    (email,) = [mender.as_(ADA).get(f"{USERADM}/users/me").json()["email"]]
    assert mender.client.post(f"{USERADM}/auth/password-reset/start", json={"email": email}).status_code == 202
    return letter_to(server, email)


@pytest.fixture
def link(letter) -> str:
    return re.search(r"^http\S+$", letter.get_content(), re.MULTILINE)[0]


def script_of(page: str) -> str:
    return re.search(r"<script>(.*)</script>", page, re.DOTALL)[1]


def press(page: str, link: str, status: int = 202) -> dict:
    """What comes of the only button of the page, in something like a browser."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node to run the page's script")
    said = {"HASH": "#" + link.partition("#")[2], "STATUS": status, "NEW": NEW}
    known = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in said.items())
    program = f"{known}{BROWSER}\n{script_of(page)}\n{PRESS}"
    done = subprocess.run([node, "-"], input=program, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_link_of_the_letter_leads_to_a_page_that_sets_the_password(mender, letter, link):
    page = mender.client.get(link)
    assert page.status_code == 200

    pressed = press(page.text, link)

    (asked,) = pressed["asked"]
    done = mender.client.request(
        asked["method"], asked["url"], content=asked["body"], headers={"Content-Type": asked["type"]}
    )
    assert done.status_code == 202, done.text
    assert mender.client.post(LOGIN, auth=(letter["To"], NEW)).status_code == 200
    assert "you can log in" in pressed["written"]
    assert pressed["hash"] == "/ui/"  # the secret is not left in the address


def test_a_secret_that_is_no_good_is_told_and_the_form_stays(mender, link):
    pressed = press(mender.client.get(link).text, link, status=400)

    assert "it is no good any more" in pressed["written"]
    assert "New password" in pressed["written"]


def test_any_other_link_asks_for_nothing(mender):
    pressed = press(mender.client.get("/ui/").text, "/ui/#/devices")

    assert pressed["asked"] == []
    assert "letter" in pressed["written"]


@pytest.mark.parametrize("path", ["/ui", "/ui/"])
def test_the_page_lets_only_its_own_script_run_and_tells_nobody_where_it_came_from(mender, path):
    reply = mender.client.get(path)

    digest = base64.b64encode(hashlib.sha256(script_of(reply.text).encode()).digest()).decode()
    policy = reply.headers["content-security-policy"]
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{digest}';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (reply.headers["referrer-policy"], reply.headers["x-content-type-options"]) == ("no-referrer", "nosniff")
    assert "http:" not in reply.text
    assert "https:" not in reply.text


def test_without_javascript_the_page_says_what_to_do(mender):
    text = mender.client.get("/ui/").text

    told = re.search("<noscript>(.*)</noscript>", text, re.DOTALL)[1]
    assert f"{USERADM}/auth/password-reset/complete" in told


def test_there_is_nothing_else_below_the_page(mender):
    assert mender.client.get("/ui/other").status_code == 404
    assert mender.client.post("/ui/", json={}).status_code == 405
