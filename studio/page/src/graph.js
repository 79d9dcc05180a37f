// The song's nodes from left to right: each stands right of what it hears.
const [WIDTH, HEIGHT, GAP_X, GAP_Y] = [120, 24, 36, 10];

export function graph(parent, { nodes, edges }) {
  const level = nodes.map(() => 0);
  // As many rounds as there are nodes would do; cycles are cut off.
  for (let round = 0; round < Math.min(nodes.length, 40); round++) {
    let moved = false;
    for (const [from, to] of edges) {
      if (from !== to && level[to] <= level[from] && level[from] < 30) { level[to] = level[from] + 1; moved = true; }
    }
    if (!moved) break;
  }
  const rows = [];
  const place = nodes.map((_, i) => {
    const row = rows[level[i]] = (rows[level[i]] ?? -1) + 1;
    return [8 + level[i] * (WIDTH + GAP_X), 8 + row * (HEIGHT + GAP_Y)];
  });
  const width = 16 + (Math.max(0, ...level) + 1) * (WIDTH + GAP_X) - GAP_X;
  const height = 16 + Math.max(1, ...rows.map(row => (row ?? 0) + 1)) * (HEIGHT + GAP_Y) - GAP_Y;
  const svg = element('svg', { width, height, viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': `Graph of ${nodes.length} nodes` });
  for (const [from, to] of edges) {
    const [x, y, toX, toY] = [place[from][0] + WIDTH, place[from][1] + HEIGHT / 2, place[to][0], place[to][1] + HEIGHT / 2];
    svg.append(element('path', { d: `M${x} ${y} C${x + GAP_X / 2} ${y} ${toX - GAP_X / 2} ${toY} ${toX} ${toY}` }));
  }
  nodes.forEach((name, i) => {
    const [x, y] = place[i];
    svg.append(element('rect', { x, y, width: WIDTH, height: HEIGHT, rx: 5 }));
    const text = element('text', { x: x + WIDTH / 2, y: y + 16, 'text-anchor': 'middle' });
    text.textContent = name.length > 17 ? `${name.slice(0, 16)}…` : name;
    const title = element('title', {});
    title.textContent = name;
    text.append(title);
    svg.append(text);
  });
  parent.replaceChildren(svg);
}

function element(name, attributes) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  return made;
}
