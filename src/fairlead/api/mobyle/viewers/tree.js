const SVG = "http://www.w3.org/2000/svg";
const ROW = 18;
const WIDE = 600;

function newick(text) {
  const source = text.replace(/\[[^\]]*\]/g, "");
  const root = { children: [], name: "", length: 0 };
  let node = root;
  const above = [];
  const pattern = /[(),;]|:\s*([-+0-9.eE]+)|'((?:[^']|'')*)'|[^\s(),:;']+/g;
  for (let each = pattern.exec(source); each; each = pattern.exec(source)) {
    if (each[0] === "(" || each[0] === ",") {
      if (each[0] === ",") node = above.pop();
      if (!node) throw new Error("This is not a tree in Newick's format.");
      const child = { children: [], name: "", length: 0 };
      node.children.push(child);
      above.push(node);
      node = child;
    } else if (each[0] === ")") {
      node = above.pop();
      if (!node) throw new Error("This is not a tree in Newick's format.");
    } else if (each[0] === ";") {
      break;
    } else if (each[1] !== undefined) {
      node.length = Math.max(0, Number(each[1]) || 0);
    } else {
      node.name = each[2] !== undefined ? each[2].replace(/''/g, "'") : each[0];
    }
  }
  if (above.length || !root.children.length) throw new Error("This is not a tree in Newick's format.");
  return root;
}

function inOrder(root) {
  const found = [];
  const waiting = [root];
  while (waiting.length) {
    const node = waiting.pop();
    found.push(node);
    node.children.forEach((child) => {
      child.parent = node;
      waiting.push(child);
    });
  }
  return found;
}

function drawn(kind, attributes, text) {
  const made = document.createElementNS(SVG, kind);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  if (text !== undefined) made.textContent = text;
  return made;
}

function show(text) {
  const nodes = inOrder(newick(text));
  const hasLengths = nodes.some((node) => node.length > 0);
  nodes.forEach((node) => {
    node.far = node.parent ? node.parent.far + (hasLengths ? node.length : 1) : 0;
  });
  const farthest = nodes.reduce((most, node) => Math.max(most, node.far), 0) || 1;
  let rows = 0;
  nodes.forEach((node) => {
    if (!node.children.length) node.y = (rows += 1) * ROW;
  });
  [...nodes].reverse().forEach((node) => {
    if (node.children.length) node.y = node.children.reduce((sum, child) => sum + child.y, 0) / node.children.length;
  });
  const picture = drawn("svg", { width: WIDE + 300, height: (rows + 1) * ROW });
  nodes.forEach((node) => {
    const x = 10 + (node.far / farthest) * WIDE;
    if (node.parent) {
      const from = 10 + (node.parent.far / farthest) * WIDE;
      picture.append(drawn("path", { d: "M" + from + " " + node.parent.y + "V" + node.y + "H" + x }));
    }
    if (node.name) picture.append(drawn("text", { x: x + 5, y: node.y + 4 }, node.name));
  });
  tell(rows + " leaves");
  place.append(picture);
}
