const MOST_ROWS = 5000;

function cells(line, separator) {
  if (separator === "\t") return line.split("\t");
  const found = [];
  const pattern = /("(?:[^"]|"")*"|[^,]*)(,|$)/g;
  for (let each = pattern.exec(line); each; each = pattern.exec(line)) {
    found.push(each[1].startsWith('"') ? each[1].slice(1, -1).replace(/""/g, '"') : each[1]);
    if (each[2] === "") break;
  }
  return found;
}

function row(values, kind) {
  const made = element("tr");
  values.forEach((value) => made.append(element(kind, value)));
  return made;
}

function show(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  if (!lines.length) return tell("There is nothing in it.");
  const separator = lines[0].includes("\t") ? "\t" : ",";
  const table = element("table");
  table.append(row(cells(lines[0], separator), "th"));
  lines.slice(1, MOST_ROWS + 1).forEach((line) => table.append(row(cells(line, separator), "td")));
  place.append(table);
  if (lines.length > MOST_ROWS + 1) tell("Only the first " + MOST_ROWS + " rows of " + (lines.length - 1) + " are shown.");
}
