// The score: notes over time, bars, what plays now.
import { colour, fitted } from './pictures.js';

export const hue = index => `hsl(${(index * 67 + 205) % 360} 70% 58%)`;

export function roll(canvas, seek) {
  let song = { notes: [], bars: [], seconds: 1 };
  let low = 36, high = 84;
  canvas.onclick = event => seek(event.offsetX / canvas.clientWidth * song.seconds);
  canvas.onkeydown = event => { if (event.key === 'Home') seek(0); };
  const draw = now => {
    const { g, width, height, scale } = fitted(canvas);
    const x = seconds => seconds / song.seconds * width;
    const y = note => height - (note - low + 1) / (high - low + 2) * height;
    const row = Math.max(2 * scale, height / (high - low + 2) - scale);
    g.clearRect(0, 0, width, height);
    g.fillStyle = colour('--line');
    const every = Math.ceil(song.bars.length / 64);
    song.bars.forEach((bar, i) => i % every === 0 && g.fillRect(x(bar), 0, 1, height));
    const at = now === null ? -1 : now % song.seconds;
    for (const [target, start, end, note, vel] of song.notes) {
      const sounds = at >= start && at < end;
      g.globalAlpha = sounds ? 1 : 0.35 + 0.4 * Math.min(1, vel);
      g.fillStyle = sounds ? colour('--text') : hue(target);
      g.fillRect(x(start), y(note), Math.max(2 * scale, x(end) - x(start) - 1), row);
    }
    g.globalAlpha = 1;
    if (at >= 0) {
      g.fillStyle = colour('--accent');
      g.fillRect(x(at), 0, 2 * scale, height);
    }
  };
  return {
    draw,
    song(next) {
      song = { ...next, seconds: next.seconds || 1 };
      const pitches = song.notes.map(note => note[3]);
      low = Math.min(...pitches, 60) - 1;
      high = Math.max(...pitches, 60) + 1;
      draw(null);
    },
  };
}
