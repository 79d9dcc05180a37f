// Scope, spectrum and spectrogram of what is heard.

const FLOOR = -100; // dB

// A colour of the style sheet as canvases take it: that of the theme which is shown.
const known = new Map();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => known.clear());

export function colour(name) {
  if (!known.has(name)) {
    const probe = document.createElement('i');
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    known.set(name, getComputedStyle(probe).color);
    probe.remove();
  }
  return known.get(name);
}

// Brings a canvas to the pixels of the screen.
export function fitted(canvas) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight].map(side => Math.max(1, Math.round(side * scale)));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  return { g: canvas.getContext('2d'), width, height, scale };
}

export function pictures(canvases) {
  let column = 0;
  return analyser => {
    const wave = new Float32Array(2048);
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatTimeDomainData(wave);
    analyser.getFloatFrequencyData(bins);
    scope(canvases.scope, wave);
    spectrum(canvases.spectrum, bins, analyser.context.sampleRate);
    column = spectrogram(canvases.spectrogram, bins, analyser.context.sampleRate, column);
  };
}

function scope(canvas, wave) {
  const { g, width, height, scale } = fitted(canvas);
  g.clearRect(0, 0, width, height);
  g.strokeStyle = colour('--line');
  g.beginPath(); g.moveTo(0, height / 2); g.lineTo(width, height / 2); g.stroke();
  // From a crossing upwards on, so that a steady tone stands still.
  const half = wave.length / 2;
  let start = 0;
  for (let i = 1; i < half; i++) if (wave[i - 1] < 0 && wave[i] >= 0) { start = i; break; }
  g.strokeStyle = colour('--accent');
  g.lineWidth = 1.5 * scale;
  g.beginPath();
  for (let x = 0; x < width; x++) {
    const y = wave[start + Math.floor(x / width * half)];
    g.lineTo(x, height / 2 * (1 - Math.max(-1, Math.min(1, y))));
  }
  g.stroke();
}

// The bin of a place from 20 Hz (0) to 20 kHz (1).
const bin = (place, rate, bins) => Math.min(bins.length - 1, 20 * 1000 ** place / (rate / 2) * bins.length);

// The greatest level between two places.
function level(bins, rate, from, to) {
  let most = FLOOR;
  for (let i = Math.floor(bin(from, rate, bins)); i <= bin(to, rate, bins); i++) most = Math.max(most, bins[i]);
  return Math.max(0, Math.min(1, 1 - most / FLOOR));
}

function spectrum(canvas, bins, rate) {
  const { g, width, height, scale } = fitted(canvas);
  g.clearRect(0, 0, width, height);
  g.fillStyle = colour('--dim');
  g.strokeStyle = colour('--line');
  g.font = `${10 * scale}px system-ui`;
  for (const [hz, label] of [[100, '100 Hz'], [1000, '1 kHz'], [10000, '10 kHz']]) {
    const x = width * Math.log10(hz / 20) / 3;
    g.beginPath(); g.moveTo(x, 0); g.lineTo(x, height); g.stroke();
    // Left of its line where it would reach beyond the picture.
    const long = g.measureText(label).width, gap = 3 * scale;
    g.fillText(label, x + gap + long > width ? x - gap - long : x + gap, 11 * scale);
  }
  g.strokeStyle = colour('--accent');
  g.lineWidth = 1.5 * scale;
  g.beginPath();
  for (let x = 0; x < width; x++) g.lineTo(x, height * (1 - level(bins, rate, x / width, (x + 1) / width)));
  g.stroke();
}

function spectrogram(canvas, bins, rate, column) {
  const { g, width, height } = fitted(canvas);
  const x = column % width;
  for (let y = 0; y < height; y += 2) {
    const loud = level(bins, rate, 1 - (y + 2) / height, 1 - y / height);
    g.fillStyle = `hsl(${260 - 220 * loud} 90% ${8 + 52 * loud}%)`;
    g.fillRect(x, y, 1, 2);
  }
  g.fillStyle = colour('--back');
  g.fillRect((x + 1) % width, 0, 3, height);
  return x + 1;
}
