// Renders a program to a WAV file of 32-bit floats, as fast as it goes.
import { Linker } from './link.js';

onmessage = async ({ data: { module, program, seconds } }) => {
  try {
    const x = (await WebAssembly.instantiate(module, {})).exports;
    const linker = new Linker(x);
    linker.link(program);
    const channels = x.render(...linker.put(new Uint8Array(program.image)), seconds ?? 0);
    if (!channels) throw new Error('the program cannot be read');
    const blocks = [];
    let frames = 0;
    for (let count; (count = x.rendered()) > 0; frames += count) {
      const planes = new Float32Array(x.memory.buffer, x.rendered_address(), channels * count);
      const block = new Float32Array(channels * count);
      for (let i = 0; i < count; i++) {
        for (let channel = 0; channel < channels; channel++) block[i * channels + channel] = planes[channel * count + i];
      }
      blocks.push(block);
      if (blocks.length % 64 === 0) postMessage({ seconds: frames / program.rate });
    }
    postMessage({ wav: new Blob([header(program.rate, channels, frames), ...blocks], { type: 'audio/wav' }) });
  } catch (error) {
    postMessage({ failed: String(error) });
  }
};

function header(rate, channels, frames) {
  const view = new DataView(new ArrayBuffer(58));
  const text = (at, word) => [...word].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  const bytes = 4 * channels * frames;
  text(0, 'RIFF'); view.setUint32(4, 50 + bytes, true); text(8, 'WAVEfmt ');
  view.setUint32(16, 18, true); view.setUint16(20, 3, true); view.setUint16(22, channels, true);
  view.setUint32(24, rate, true); view.setUint32(28, 4 * channels * rate, true);
  view.setUint16(32, 4 * channels, true); view.setUint16(34, 32, true);
  text(38, 'fact'); view.setUint32(42, 4, true); view.setUint32(46, frames, true);
  text(50, 'data'); view.setUint32(54, bytes, true);
  return view.buffer;
}
