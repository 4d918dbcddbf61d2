place.append(
  button("This address is mine", () => send("/users/confirm", { token }, "Your account is in force: you can log in.")),
);
