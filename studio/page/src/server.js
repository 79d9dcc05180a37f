// Everything that is not the page, where `mamc studio` serves it: the native compiler and engine, and the song's file.

const POLL = 33; // Milliseconds between two looks at what plays.
const TOKEN = '#token=';
const KEPT = 'mam-studio-token';

export class ServerHost {
  constructor({ figures, failed, changed, turned }) {
    this.on = { figures, failed, changed, turned };
    if (location.hash.startsWith(TOKEN)) sessionStorage.setItem(KEPT, location.hash.slice(TOKEN.length));
    this.token = sessionStorage.getItem(KEPT) ?? '';
    this.playing = false;
    this.known = 0; // How often another program had changed the file when the page took its text.
    this.compiling = false;
    this.waiting = null;
  }

  async post(question) {
    const response = await fetch('ask', {
      method: 'POST', body: JSON.stringify(question), headers: { authorization: `Bearer ${this.token}` },
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    return answer;
  }

  async load() {
    const loaded = await this.post({ ask: 'load' });
    this.known = loaded.changes;
    if (loaded.silent) this.on.failed(`no sound: ${loaded.silent}`);
    return loaded;
  }

  // Of compilations only the newest is answered; the others say that they have been overtaken.
  ask(question) {
    if (question.ask !== 'compile') return this.post(question);
    this.waiting?.resolve({ overtaken: true });
    return new Promise((resolve, reject) => {
      this.waiting = { question, resolve, reject };
      this.compile();
    });
  }

  async compile() {
    if (this.compiling) return;
    this.compiling = true;
    while (this.waiting) {
      const { question, resolve, reject } = this.waiting;
      this.waiting = null;
      try {
        const answer = await this.post({ ...question, changes: this.known });
        if (answer.unsaved) this.on.failed(`not saved: ${answer.unsaved}`);
        resolve(answer);
      } catch (error) {
        reject(error);
      }
    }
    this.compiling = false;
  }

  async start() {
    this.scope = new Heard();
    this.context = this.scope.context;
    this.poll();
  }

  async poll() {
    try {
      const { figures, heard, rate, changes, said, turned } = await this.post({ ask: 'figures' });
      if (heard) this.scope.take(heard, rate);
      if (figures) this.on.figures(figures);
      if (said) this.on.failed(said);
      Object.entries(turned ?? {}).forEach(([name, value]) => this.on.turned(name, value));
      if (changes !== this.known) {
        const { text } = await this.load();
        this.on.changed(text);
      }
    } catch (error) {
      this.on.failed(`mamc does not answer: ${error.message}`);
      await new Promise(resolve => setTimeout(resolve, 1000));
    }
    setTimeout(() => this.poll(), POLL);
  }

  play(playing) {
    this.playing = playing;
    this.post({ ask: 'steer', play: playing });
  }

  seek(seconds) {
    this.post({ ask: 'steer', seek: seconds });
  }

  set(name, value) {
    this.post({ ask: 'steer', name, value });
  }

  gate(name, what) {
    this.post({ ask: 'steer', name, gate: what });
  }
}

// What an AnalyserNode gives, of samples that come from elsewhere.
class Heard {
  constructor() {
    this.context = { sampleRate: 48000 };
    this.frequencyBinCount = 2048;
    this.samples = new Float32Array(4096);
  }

  take(samples, rate) {
    this.context.sampleRate = rate;
    this.samples = Float32Array.from(samples, x => x / 32768);
  }

  getFloatTimeDomainData(out) {
    out.set(this.samples.subarray(this.samples.length - out.length));
  }

  // Blackman's window, a transform, decibels: as the Web Audio API says.
  getFloatFrequencyData(out) {
    const n = this.samples.length;
    const re = this.samples.map((x, i) => x * (0.42 - 0.5 * Math.cos(2 * Math.PI * i / n) + 0.08 * Math.cos(4 * Math.PI * i / n)));
    const im = new Float32Array(n);
    transform(re, im);
    for (let i = 0; i < out.length; i++) out[i] = 20 * Math.log10(Math.hypot(re[i], im[i]) / n + 1e-10);
  }
}

// The discrete Fourier transform in place, of a power of two of samples: J. Cooley, J. Tukey (1965).
function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const [c, s] = [Math.cos(2 * Math.PI * k / size), -Math.sin(2 * Math.PI * k / size)];
      for (let i = k; i < n; i += size) {
        const j = i + size / 2;
        const [x, y] = [re[j] * c - im[j] * s, re[j] * s + im[j] * c];
        [re[j], im[j], re[i], im[i]] = [re[i] - x, im[i] - y, re[i] + x, im[i] + y];
      }
    }
  }
}
