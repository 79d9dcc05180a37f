// Puts a module of kernels into an engine's table and memory. Worklets and workers share it.
const constant = value => new WebAssembly.Global({ value: 'i32' }, value);

export class Linker {
  constructor(engine) {
    this.x = engine;
    this.table = engine.__indirect_function_table;
    this.free = []; // Stretches of the table: [first, length].
  }

  // Makes the code's functions entries of the table, in free ones where there are enough in a row.
  link({ module, data, functions }) {
    this.collect();
    const at = this.free.findIndex(([, length]) => length >= functions);
    let first;
    if (at < 0) {
      first = this.table.grow(functions);
    } else {
      const [start, length] = this.free[at];
      first = start;
      this.free.splice(at, 1, ...(length > functions ? [[start + functions, length - functions]] : []));
    }
    const room = this.x.code_room(data, first, functions);
    const { memory, fma32, fma64 } = this.x;
    const { table } = this;
    new WebAssembly.Instance(module, { mam: { memory, table, functions: constant(first), data: constant(room), fma32, fma64 } });
  }

  // Programs that have been dropped leave their entries.
  collect() {
    for (let first; (first = this.x.freed()) >= 0;) {
      const length = this.x.freed_functions();
      for (let i = 0; i < length; i++) this.table.set(first + i, null);
      this.free.push([first, length]);
    }
    this.free.sort((a, b) => a[0] - b[0]);
    for (let i = this.free.length - 1; i > 0; i--) {
      const [before, length] = this.free[i - 1];
      if (before + length === this.free[i][0]) {
        this.free[i - 1][1] += this.free[i][1];
        this.free.splice(i, 1);
      }
    }
  }

  // Copies bytes into the engine's memory; what is called with them frees it.
  put(bytes) {
    const at = this.x.alloc(bytes.length);
    new Uint8Array(this.x.memory.buffer, at, bytes.length).set(bytes);
    return [at, bytes.length];
  }
}
