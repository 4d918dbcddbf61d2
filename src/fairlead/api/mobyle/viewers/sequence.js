const PER_LINE = 60;
const PER_GROUP = 10;

function sequences(text) {
  if (!text.trimStart().startsWith(">")) return [{ name: "", letters: text.replace(/[\s0-9]/g, "") }];
  return text
    .split(/^>/m)
    .slice(1)
    .map((record) => {
      const end = record.indexOf("\n");
      const name = end < 0 ? record : record.slice(0, end);
      return { name: name.trim(), letters: end < 0 ? "" : record.slice(end).replace(/\s/g, "") };
    });
}

function lines(letters) {
  const shown = element("div", undefined, "sequence");
  const width = String(letters.length).length;
  for (let start = 0; start < letters.length; start += PER_LINE) {
    const groups = letters.slice(start, start + PER_LINE).match(new RegExp(".{1," + PER_GROUP + "}", "g"));
    shown.append(element("span", String(start + 1).padStart(width) + "  ", "position"), groups.join(" ") + "\n");
  }
  return shown;
}

function show(text) {
  sequences(text).forEach(({ name, letters }) => {
    place.append(element("h2", name || "sequence"), element("p", letters.length + " letters", "note"), lines(letters));
  });
}
