// The score: notes over time, bars, what plays now.
import { colour, fitted } from './pictures.js';

export const hue = index => `hsl(${(index * 67 + 205) % 360} 70% 58%)`;

// A row for each instrument that plays one pitch, and one for each pitch of the others, the lowest at the bottom.
function rows({ notes, targets }) {
  const pitches = targets.map(() => new Set());
  notes.forEach(([target, , , note]) => pitches[target]?.add(note));
  const plain = targets.map((_, i) => i).filter(i => pitches[i].size === 1);
  const others = notes.filter(([target]) => !plain.includes(target)).map(note => note[3]);
  const [low, high] = others.length ? [Math.floor(Math.min(...others)), Math.ceil(Math.max(...others))] : [0, -1];
  const row = (target, note) => (plain.includes(target) ? plain.indexOf(target) : plain.length + high - note);
  return { count: plain.length + high - low + 1, row, labels: plain.map(i => targets[i]) };
}

export function roll(canvas, seek) {
  let song = { notes: [], bars: [], seconds: 1, targets: [] };
  let lanes = rows(song);
  canvas.onclick = event => seek(event.offsetX / canvas.clientWidth * song.seconds);
  canvas.onkeydown = event => { if (event.key === 'Home') seek(0); };
  const draw = now => {
    const { g, width, height, scale } = fitted(canvas);
    const x = seconds => seconds / song.seconds * width;
    const high = height / Math.max(lanes.count, 6);
    g.clearRect(0, 0, width, height);
    g.fillStyle = colour('--line');
    const every = Math.ceil(song.bars.length / 64);
    song.bars.forEach((bar, i) => i % every === 0 && g.fillRect(x(bar), 0, 1, height));
    const at = now === null ? -1 : now % song.seconds;
    for (const [target, start, end, note, vel] of song.notes) {
      const sounds = at >= start && at < end;
      g.globalAlpha = sounds ? 1 : 0.35 + 0.4 * Math.min(1, vel);
      g.fillStyle = sounds ? colour('--text') : hue(target);
      g.fillRect(x(start), lanes.row(target, note) * high, Math.max(2 * scale, x(end) - x(start) - 1), Math.max(1, high - scale));
    }
    g.globalAlpha = 1;
    g.fillStyle = colour('--text');
    g.font = `${Math.min(11 * scale, high)}px system-ui`;
    if (high >= 8 * scale) lanes.labels.forEach((name, i) => g.fillText(name, 3 * scale, (i + 0.75) * high));
    if (at >= 0) {
      g.fillStyle = colour('--accent');
      g.fillRect(x(at), 0, 2 * scale, height);
    }
  };
  return {
    draw,
    song(next, targets) {
      song = { ...next, seconds: next.seconds || 1, targets };
      lanes = rows(song);
      draw(null);
    },
  };
}
