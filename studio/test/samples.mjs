// The samples of the page's compiler and engine are those of `mamc render --portable`, to the bit.
// node samples.mjs MAMC [SONG...]: without songs, all examples.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Linker } from '../page/link.js';
import { FILES, unpack } from '../page/unpack.js';
import { asked, part } from './compiler.mjs';

const root = join(import.meta.dirname, '../..');
const [mamc, ...given] = process.argv.slice(2);
const songs = given.length ? given
  : readdirSync(join(root, 'examples')).filter(name => /\.(mam|json)$/.test(name)).map(name => join(root, 'examples', name));
const module = new WebAssembly.Module(unpack(FILES.map(name => readFileSync(join(root, 'studio/dist', name)))));
const compiler = new WebAssembly.Instance(module, {}).exports;
const folder = mkdtempSync(join(tmpdir(), 'mam-samples-'));

// The samples of a WAV file of 32-bit floats, as words.
function words(file) {
  const bytes = readFileSync(file);
  for (let at = 12; at < bytes.length;) {
    const length = bytes.readUInt32LE(at + 4);
    if (bytes.toString('latin1', at, at + 4) === 'data') {
      return new Uint32Array(bytes.buffer.slice(bytes.byteOffset + at + 8, bytes.byteOffset + at + 8 + length));
    }
    at += 8 + length + (length & 1);
  }
  throw new Error(`${file} has no samples`);
}

function rendered(song, exact) {
  const answer = asked(compiler, { ask: 'compile', name: basename(song), text: readFileSync(song, 'utf8'), exact });
  if (!answer.ok) throw new Error(JSON.stringify(answer.problems));
  const x = new WebAssembly.Instance(module, {}).exports;
  const linker = new Linker(x);
  linker.link({ module: new WebAssembly.Module(part(compiler, 2)), ...answer.code });
  const channels = x.render(...linker.put(part(compiler, 1)), 0);
  const all = [];
  let user = 0;
  const next = () => {
    const began = process.cpuUsage();
    const count = x.rendered();
    user += process.cpuUsage(began).user;
    return count;
  };
  for (let count; (count = next()) > 0;) {
    const planes = new Uint32Array(x.memory.buffer, x.rendered_address(), channels * count);
    for (let i = 0; i < count; i++) for (let channel = 0; channel < channels; channel++) all.push(planes[channel * count + i]);
  }
  return { all, nanoseconds: user * 1000 * channels / all.length };
}

let [passed, failed] = [0, 0];
for (const song of songs) {
  const file = join(folder, 'native.wav');
  execFileSync(mamc, ['render', '--portable', '--threads', '1', '--quiet', '-o', file, song]);
  const expected = words(file);
  for (const exact of [true, false]) {
    const { all, nanoseconds } = rendered(song, exact);
    const differ = all.length === expected.length ? all.reduce((sum, word, i) => sum + (word !== expected[i]), 0) : -1;
    const what = `${basename(song)}${exact ? ', each op flushed' : ''}: ${all.length} samples, ${nanoseconds.toFixed(0)} ns a frame`;
    differ ? failed++ : passed++;
    console.log(differ ? `${what}: ${differ} differ (of ${expected.length})` : `${what}: the same`);
  }
}
rmSync(folder, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
