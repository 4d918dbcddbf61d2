"use strict";
const portal = document.querySelector("meta[name=portal]").content;
const place = document.querySelector("main");
const token = location.hash.slice(1);

function tell(text, name) {
  const said = document.createElement("p");
  said.textContent = text;
  said.className = name || "note";
  place.replaceChildren(said);
}

async function send(path, body, done) {
  const headers = { "Content-Type": "application/json", "X-Mobyle-Request": "page" };
  const reply = await fetch(portal + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (reply.ok) return tell(done);
  const said = await reply.json().catch(() => ({}));
  return tell(said.detail || "It did not work: " + reply.status, "problem");
}

function button(text, act) {
  const made = document.createElement("button");
  made.textContent = text;
  made.addEventListener("click", () => act().catch((problem) => tell(problem.message, "problem")));
  return made;
}
