// The engine, on the audio thread.
import { Linker } from './link.js';

const PLANE = 1024; // Frames between the channels of what the engine has filled.
const LOOK = 12; // Callbacks between two looks at figures: about 30 a second.

registerProcessor('mam', class extends AudioWorkletProcessor {
  constructor({ processorOptions: { module } }) {
    super();
    this.x = new WebAssembly.Instance(module, {}).exports;
    this.linker = new Linker(this.x);
    this.begun = false;
    this.wanted = false;
    this.callbacks = 0;
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take(data) {
    const { x } = this;
    if (data.port) data.port.onmessage = message => this.take(message.data);
    if (data.program) this.program(data.program);
    if (data.play !== undefined) {
      this.wanted = data.play;
      if (this.begun) data.play ? x.play() : x.stop();
    }
    if (data.seek !== undefined) x.seek(data.seek);
    if (data.set) x.set(...this.linker.put(bytes(data.set.name)), data.set.value);
    if (data.gate) x.gate(...this.linker.put(bytes(data.gate.name)), data.gate.what);
  }

  program(program) {
    const { x, linker } = this;
    linker.link(program);
    const image = linker.put(new Uint8Array(program.image));
    if (this.begun) {
      x.edit(...image, 0);
    } else if (x.begin(...image)) {
      this.begun = true;
      if (this.wanted) x.play();
    }
    this.port.postMessage({ taken: true });
  }

  process(_, outputs) {
    const { x } = this;
    const out = outputs[0];
    const frames = out[0].length;
    const at = x.process(frames);
    for (let channel = 0; channel < out.length; channel++) {
      out[channel].set(new Float32Array(x.memory.buffer, at + 4 * PLANE * channel, frames));
    }
    this.callbacks = (this.callbacks + 1) % LOOK;
    if (this.callbacks === 0 && this.begun) {
      const figures = x.figures();
      const count = new Float64Array(x.memory.buffer, figures, 1)[0];
      this.port.postMessage({ figures: new Float64Array(x.memory.buffer, figures, count).slice(1) });
    }
    return true;
  }
});

// A worklet has no TextEncoder. Names of parameters are mostly ASCII, and never have unpaired surrogates.
function bytes(text) {
  return Uint8Array.from(unescape(encodeURIComponent(text)), letter => letter.charCodeAt(0));
}
