"use strict";
const place = document.querySelector("main");
const [, what, secret] = location.hash.split("/");
const said = document.createElement("p");

function tell(text, name) {
  said.textContent = text;
  said.className = name || "note";
}

async function complete(password) {
  const how = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ secret, password }),
  };
  const reply = await fetch("/api/management/v1/useradm/auth/password-reset/complete", how);
  if (reply.ok) {
    history.replaceState(null, "", location.pathname);
    tell("It is set: you can log in.");
    place.replaceChildren(said);
    return;
  }
  const told = await reply.json().catch(() => ({}));
  tell(told.error || "It did not work: " + reply.status, "problem");
}

function ask() {
  const label = document.createElement("label");
  label.textContent = "New password";
  const input = document.createElement("input");
  input.type = "password";
  input.autocomplete = "new-password";
  label.append(input);
  const button = document.createElement("button");
  button.textContent = "Set it";
  button.addEventListener("click", () => complete(input.value).catch((problem) => tell(problem.message, "problem")));
  place.replaceChildren(label, button, said);
}

addEventListener("hashchange", () => location.reload());
if (what === "password" && secret) {
  ask();
} else {
  tell("This is where the links of letters lead: open the whole link, as it is in the letter.");
  place.replaceChildren(said);
}
