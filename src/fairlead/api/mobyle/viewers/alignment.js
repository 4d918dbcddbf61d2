const WIDTH = 80;
const CLASSES = { acid: "DE", base: "KRH", polar: "STNQCYG", apolar: "AVLIMFWP", gap: "-.~" };

function fromFasta(text) {
  return text
    .split(/^>/m)
    .slice(1)
    .map((record) => {
      const [head, ...rest] = record.split("\n");
      return [head.trim().split(/\s/)[0], rest.join("").replace(/\s/g, "")];
    });
}

function fromBlocks(text) {
  const rows = new Map();
  text.split("\n").forEach((line) => {
    const found = /^(\S+)\s+([A-Za-z*.~-]+)(?:\s+\d+)?\s*$/.exec(line);
    if (found && !/^(CLUSTAL|MUSCLE|PROBCONS)/.test(line)) rows.set(found[1], (rows.get(found[1]) || "") + found[2]);
  });
  return [...rows];
}

function classOf(letter) {
  const upper = letter.toUpperCase();
  return Object.keys(CLASSES).find((name) => CLASSES[name].includes(upper)) || "";
}

function pieces(letters) {
  const made = [];
  let from = 0;
  for (let at = 1; at <= letters.length; at += 1) {
    if (at === letters.length || classOf(letters[at]) !== classOf(letters[from])) {
      made.push(element("span", letters.slice(from, at), classOf(letters[from])));
      from = at;
    }
  }
  return made;
}

function show(text) {
  const rows = text.trimStart().startsWith(">") ? fromFasta(text) : fromBlocks(text);
  if (!rows.length) throw new Error("This is neither an alignment in FASTA nor one in blocks like those of Clustal.");
  const length = Math.max(...rows.map((each) => each[1].length));
  const wide = Math.max(...rows.map((each) => each[0].length));
  tell(rows.length + " sequences, " + length + " columns");
  for (let start = 0; start < length; start += WIDTH) {
    const block = element("div", undefined, "alignment");
    rows.forEach(([name, letters]) => {
      block.append(element("span", name.padEnd(wide + 2), "name"), ...pieces(letters.slice(start, start + WIDTH)), "\n");
    });
    place.append(block);
  }
}
