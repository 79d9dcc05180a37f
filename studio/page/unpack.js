// The page's WebAssembly as it is sent, and how it is unpacked. In a module each opcode stands beside its operands, which have
// little to do with it; what servers compress by finds a tenth more where opcodes stand with opcodes, and operands with operands
// of their kind. Packed, a module is these streams: in two files, as what compresses keeps statistics of so many parts of a file
// at most. Each is a section of a module that has nothing else: servers know its type.
export const FILES = ['mam.wasm', 'operands.wasm'];
export const SECTION = 'mam';

export const BEFORE = 0; // The sections before the code.
export const AFTER = 1;
const LOCALS = 2; // Declarations.
export const RECENT = 3; // Locals: how many others have been named since.
export const OPS = 4;
const BLOCKS = 5;
const BRANCHES = 6;
const TABLES = 7;
const CALLS = 8;
const OFFSETS = 9;
const WIDE = 10;
const FLOATS = 11;
export const OTHER = 12;
const CONSTANTS = 13; // As many streams as there are kinds of instructions that use one.
export const STREAMS = 20;

// The file that has a stream.
export const file = stream => stream === RECENT || stream === CALLS || stream === OFFSETS || stream >= CONSTANTS ? 1 : 0;

// The stream of a constant, by the opcode after it.
export function constants(next) {
  if (next >= 0x20 && next <= 0x22) return CONSTANTS + 1;
  if (next === 0x41) return CONSTANTS + 2;
  if (next === 0x6a) return CONSTANTS + 3;
  if (next >= 0x36 && next <= 0x3e) return CONSTANTS + 4;
  if (next >= 0x45 && next <= 0x4f) return CONSTANTS + 5;
  return next === 0x10 ? CONSTANTS + 6 : CONSTANTS;
}

// Loads and stores have the alignment of what they move, listed from the first opcode on; else the opcode is one that is free.
export const ALIGNED = [2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2];
export const UNALIGNED = 0xb0;
export const memory = op => op >= 0x28 && op <= 0x3e;

// How many numbers are behind an opcode: those of tables and of memory as a whole, which have a prefix, and others.
const WHOLE = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];
const NUMBERS = { 0x00: 0, 0x01: 0, 0x05: 0, 0x0f: 0, 0x11: 2, 0x1a: 0, 0x1b: 0, 0x23: 1, 0x24: 1, 0x3f: 1, 0x40: 1 };
for (let op = 0x45; op <= 0xc4; op++) NUMBERS[op] = 0;

// Goes through a function, as `io` reads it in one form and writes it in the other.
export function body(io) {
  for (let left = io.number(LOCALS); left > 0; left--) {
    io.number(LOCALS);
    io.bytes(LOCALS, 1);
  }
  io.order = [];
  for (let depth = 0; depth >= 0;) {
    const op = io.op();
    if (op >= 0x20 && op <= 0x22) {
      io.local();
    } else if (memory(op)) {
      io.alignment(op);
      io.number(OFFSETS);
    } else if (op === 0x41) {
      io.constant();
    } else if (op === 0x0b) {
      depth--;
    } else if (op >= 0x02 && op <= 0x04) {
      depth++;
      io.number(BLOCKS, true);
    } else if (op === 0x0c || op === 0x0d) {
      io.number(BRANCHES);
    } else if (op === 0x0e) {
      for (let left = io.number(TABLES); left >= 0; left--) io.number(TABLES);
    } else if (op === 0x10) {
      io.number(CALLS);
    } else if (op === 0x42) {
      io.number(WIDE, true);
    } else if (op === 0x43 || op === 0x44) {
      io.bytes(FLOATS, op === 0x43 ? 4 : 8);
    } else if (op === 0xfd) {
      const simd = io.number(OPS);
      if (simd <= 11 || simd >= 84 && simd <= 93) {
        io.number(OTHER);
        io.number(OFFSETS);
      }
      if (simd === 12 || simd === 13) io.bytes(FLOATS, 16);
      if (simd >= 21 && simd <= 34 || simd >= 84 && simd <= 91) io.bytes(OTHER, 1);
    } else {
      const numbers = op === 0xfc ? WHOLE[io.number(OPS)] : NUMBERS[op];
      if (numbers === undefined) throw new Error(`no packed form for opcode ${op}`);
      for (let left = numbers; left > 0; left--) io.number(OTHER);
    }
  }
}

// The local at a place in the order in which they were named, which comes to the front.
export function named(order, at) {
  const local = order[at];
  for (; at > 0; at--) order[at] = order[at - 1];
  order[0] = local;
  return local;
}

// Reads numbers in LEB128, of 32 bits.
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }
}

class Unpacker {
  constructor(files) {
    this.streams = [];
    for (const bytes of files) {
      const reader = new Reader(bytes);
      reader.at = 8 + 1; // Behind the module's head and the section's type.
      reader.number();
      reader.at += 1 + SECTION.length;
      this.to = new Uint8Array(reader.number());
      this.functions = reader.number();
      const lengths = Array.from({ length: STREAMS }, () => reader.number());
      lengths.forEach((length, stream) => {
        if (length) this.streams[stream] = new Reader(bytes.subarray(reader.at, reader.at += length));
      });
    }
    this.at = 0;
  }

  write(number) {
    for (; number > 127; number >>>= 7) this.to[this.at++] = number & 127 | 128;
    this.to[this.at++] = number;
  }

  // Writes what is told with its length before it, which takes five bytes at most.
  sized(tell) {
    const begin = this.at;
    this.at += 5;
    tell();
    const end = this.at;
    this.at = begin;
    this.write(end - begin - 5);
    this.to.copyWithin(this.at, begin + 5, end);
    this.at += end - begin - 5;
  }

  // Longer numbers than 32 bits are copied, and not known.
  number(stream) {
    const from = this.streams[stream];
    const begin = from.at;
    const value = from.number();
    for (let at = begin; at < from.at; at++) this.to[this.at++] = from.bytes[at];
    return value;
  }

  bytes(stream, length) {
    const from = this.streams[stream];
    this.to.set(from.bytes.subarray(from.at, from.at += length), this.at);
    this.at += length;
  }

  op() {
    const from = this.streams[OPS];
    const op = from.bytes[from.at++];
    this.odd = memory(op - UNALIGNED);
    return this.to[this.at++] = this.odd ? op - UNALIGNED : op;
  }

  alignment(op) {
    if (this.odd) this.number(OTHER);
    else this.to[this.at++] = ALIGNED[op - 0x28];
  }

  constant() {
    const { bytes, at } = this.streams[OPS];
    this.number(constants(bytes[at]));
  }

  local() {
    const at = this.streams[RECENT].number();
    while (this.order.length <= at) this.order.push(this.order.length);
    this.write(named(this.order, at));
  }

  module() {
    this.bytes(BEFORE, this.streams[BEFORE].bytes.length);
    this.write(10);
    this.sized(() => {
      this.write(this.functions);
      for (let left = this.functions; left > 0; left--) this.sized(() => body(this));
    });
    this.bytes(AFTER, this.streams[AFTER].bytes.length);
    return this.to.subarray(0, this.at);
  }
}

// The module of which these files' bytes are the packed form.
export const unpack = files => new Unpacker(files).module();
