function show(text) {
  place.append(element("pre", text));
}
