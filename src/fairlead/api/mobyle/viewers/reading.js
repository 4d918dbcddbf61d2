"use strict";
const LARGEST = 2000000;
const portal = document.querySelector("meta[name=portal]").content;
const place = document.querySelector("main");

function element(kind, text, name) {
  const made = document.createElement(kind);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
}

function tell(text, name) {
  place.append(element("p", text, name || "note"));
}

function address(asked) {
  const token = asked.get("token");
  const query = token ? "?token=" + encodeURIComponent(token) : "";
  if (asked.get("data")) return "/data/" + encodeURIComponent(asked.get("data")) + "/content" + query;
  if (asked.get("job") && asked.get("output")) {
    const file = encodeURIComponent(asked.get("file") || "0");
    return "/jobs/" + encodeURIComponent(asked.get("job")) + "/outputs/" + encodeURIComponent(asked.get("output")) + "/" + file;
  }
  return "";
}

async function read() {
  const path = address(new URLSearchParams(location.search));
  if (!path) throw new Error("The address must end with ?data= and the id of data, or ?job=…&output=….");
  const reply = await fetch(portal + path, { headers: { Range: "bytes=0-" + (LARGEST - 1) } });
  if (reply.status === 416) return "";
  if (!reply.ok) {
    const said = await reply.json().catch(() => ({}));
    throw new Error(said.detail || "The data cannot be read: " + reply.status);
  }
  const range = reply.headers.get("content-range");
  const whole = range ? Number(range.split("/")[1]) : 0;
  if (whole > LARGEST) tell("Only the first " + LARGEST + " of " + whole + " bytes are shown.");
  return (await reply.text()).replace(/\r\n?/g, "\n");
}

read().then(show).catch((problem) => tell(problem.message, "problem"));
