const label = document.createElement("label");
label.textContent = "New password";
const input = document.createElement("input");
input.type = "password";
input.autocomplete = "new-password";
label.append(input);
place.append(
  label,
  button("Set it", () => send("/users/password", { token, password: input.value }, "It is set: you can log in.")),
);
