// The compiler. Compilations of texts that have been overtaken by a newer one are left out; what is compiled goes straight to
// the worklet, by a port of its own.
import { FILES, unpack } from './unpack.js';

// The compiler and the engine are one module: this worker, the worklet and each export have an instance of their own.
const loaded = load();
loaded.then(module => postMessage({ module }), error => postMessage({ unloaded: String(error) }));
let compiler = null; // An instance; none before the first question, and after one in which it has failed.
let port = null; // To the worklet, once there is one.
let latest = null; // The program that plays, or would.
const files = new Map(); // The files that songs may use, by their names: an instance that is begun anew is given them again.
const waiting = [];
let busy = false;

async function load() {
  const files = FILES.map(async name => {
    const response = await fetch(name);
    if (!response.ok) throw new Error(response.statusText);
    return new Uint8Array(await response.arrayBuffer());
  });
  return WebAssembly.compile(unpack(await Promise.all(files)));
}

async function instance() {
  if (!compiler) {
    compiler = (await WebAssembly.instantiate(await loaded, {})).exports;
    files.forEach((bytes, name) => put(compiler, name, bytes));
  }
  return compiler;
}

function filled(x, bytes) {
  const at = x.alloc(bytes.length);
  new Uint8Array(x.memory.buffer, at, bytes.length).set(bytes);
  return [at, bytes.length];
}

function put(x, name, bytes) {
  x.put_file(...filled(x, new TextEncoder().encode(name)), ...filled(x, bytes));
}

function file({ name, bytes }) {
  if (bytes) files.set(name, bytes);
  else files.delete(name);
  if (!compiler) return;
  if (bytes) put(compiler, name, bytes);
  else asked(compiler, { ask: 'forget', file: name });
}

function asked(x, question) {
  x.ask(...filled(x, new TextEncoder().encode(JSON.stringify(question))));
  return JSON.parse(new TextDecoder().decode(part(x, 0)));
}

const part = (x, index) => new Uint8Array(x.memory.buffer, x.part_address(index), x.part_bytes(index)).slice();

// V8 compiles a function when it is called first, on the thread that calls: here, so that the audio thread need not.
function warm(module, { data, functions }) {
  const first = 8192;
  const free = first + data + 16 & ~15; // State, signals and lines lie here, all in one place.
  const memory = new WebAssembly.Memory({ initial: 16 + Math.ceil(free / 65536) });
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: functions });
  const constant = value => new WebAssembly.Global({ value: 'i32' }, value);
  const fma = () => 0;
  new WebAssembly.Instance(module, { mam: { memory, table, functions: constant(0), data: constant(first), fma32: fma, fma64: fma } });
  // A call of one frame, whose tables are one table, all of whose pointers lead there.
  new Uint32Array(memory.buffer, 2048, 1024).fill(free);
  new Uint32Array(memory.buffer, 1024, 9).set([free, 2048, 2048, 2048, 2048, 2048, 2048, 0, 1]);
  for (let i = 0; i < functions; i++) {
    try { table.get(i)(1024); } catch { /* It has been compiled, which is all that is wanted. */ }
  }
}

async function program(x, answer) {
  const module = await WebAssembly.compile(part(x, 2));
  return { module, image: part(x, 1).buffer, ...answer.code, rate: answer.song.rate };
}

async function answer(question) {
  let x;
  try {
    x = await instance();
    const answer = asked(x, question);
    if (question.ask !== 'compile' || !answer.ok) return answer;
    const made = await program(x, answer);
    if (question.exact) return { ...answer, program: made };
    warm(made.module, answer.code);
    latest = made;
    port?.postMessage({ program: made });
    return answer;
  } catch (error) {
    compiler = null;
    return { failed: String(error), problems: [{
      from: 0, to: 0, severity: 'error', code: 'compiler-failed',
      message: 'the compiler gave up on this text; it may be nested too deeply', label: '', help: null, fix: null,
    }], ok: false };
  }
}

async function work() {
  if (busy) return;
  busy = true;
  while (waiting.length) {
    const next = waiting.shift();
    const overtaken = next.question.ask === 'compile' && !next.question.exact
      && waiting.some(({ question }) => question.ask === 'compile' && !question.exact);
    postMessage({ id: next.id, answer: overtaken ? { overtaken: true } : await answer(next.question) });
    // Messages that have come meanwhile are taken in.
    await new Promise(resolve => setTimeout(resolve, 0));
  }
  busy = false;
}

onmessage = ({ data }) => {
  if (data.file) return file(data.file);
  if (data.port) {
    port = data.port;
    if (latest) port.postMessage({ program: latest });
    return;
  }
  waiting.push(data);
  work();
};

// The first compilation is V8's of the compiler: before anybody waits for it.
waiting.push({ id: 0, question: { ask: 'compile', exact: true, name: 'warm.mam', text: 'out = 0.1 * sine(440)\n' } });
work();
