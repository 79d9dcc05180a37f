// node pack.mjs FROM FOLDER: a module as the page is sent it, see unpack.js.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AFTER, ALIGNED, BEFORE, FILES, OPS, OTHER, RECENT, SECTION, STREAMS, UNALIGNED, body, constants, file, memory, named, unpack,
} from './unpack.js';

// What Binaryen does to a module, in this order: functions that are the same become one, and those that differ in a constant too,
// such as the growing of each kind of table. Its -Oz makes modules smaller that are no smaller compressed.
const PASSES = [
  'duplicate-function-elimination', 'precompute-propagate',
  'optimize-instructions', 'precompute', 'vacuum', 'remove-unused-brs', 'merge-blocks', 'vacuum', 'rse', 'vacuum',
  'duplicate-function-elimination', 'code-folding', 'merge-similar-functions', 'duplicate-function-elimination', 'vacuum',
  'remove-unused-brs', 'optimize-instructions', 'vacuum', 'merge-blocks', 'vacuum', 'rse', 'vacuum',
  'duplicate-function-elimination',
];

async function smaller(module) {
  const found = await import('binaryen').catch(() => null);
  if (!found) {
    console.error('binaryen is not installed (`npm ci` installs it): the page is 1 % larger for it');
    return module;
  }
  const { default: binaryen } = found, { Features } = binaryen, read = binaryen.readBinary(module);
  read.setFeatures(
    Features.MVP | Features.BulkMemory | Features.BulkMemoryOpt | Features.SignExt | Features.NontrappingFPToInt | Features.MutableGlobals |
      Features.Multivalue | Features.ReferenceTypes,
  );
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(2);
  read.runPasses(PASSES);
  return Buffer.from(read.emitBinary());
}

// A number's bytes in LEB128 without what pads it: linkers leave room for what they fill in later.
function shortest(bytes, signed) {
  let length = bytes.length;
  const sign = signed ? bytes[length - 1] & 64 : 0;
  const pads = (last, before) => (last & 127) === (sign ? 127 : 0) && (!signed || (before & 64) === sign);
  while (length > 1 && pads(bytes[length - 1], bytes[length - 2])) length--;
  return [...bytes.subarray(0, length)].map((byte, i) => i < length - 1 ? byte | 128 : byte & 127);
}

function leb(number) {
  const bytes = [];
  for (; number > 127; number >>>= 7) bytes.push(number & 127 | 128);
  return [...bytes, number];
}

class Packer {
  constructor(module) {
    this.module = module;
    this.at = 0;
    this.streams = Array.from({ length: STREAMS }, () => []);
  }

  // A number's bytes.
  digits(signed) {
    const begin = this.at;
    while (this.module[this.at++] > 127);
    return shortest(this.module.subarray(begin, this.at), signed);
  }

  read() {
    return this.digits(false).reduceRight((value, byte) => value * 128 + (byte & 127), 0);
  }

  number(stream, signed = false) {
    const digits = this.digits(signed);
    this.streams[stream].push(...digits);
    return digits.reduceRight((value, byte) => value * 128 + (byte & 127), 0);
  }

  bytes(stream, length) {
    for (const end = this.at + length; this.at < end; this.at++) this.streams[stream].push(this.module[this.at]);
  }

  // Of the instruction at a place.
  packedOp(at) {
    const op = this.module[at];
    return memory(op) && this.module[at + 1] !== ALIGNED[op - 0x28] ? op + UNALIGNED : op;
  }

  op() {
    const packed = this.packedOp(this.at);
    this.streams[OPS].push(packed);
    const op = this.module[this.at++];
    this.odd = packed !== op;
    return op;
  }

  alignment() {
    if (this.odd) this.number(OTHER);
    else this.at++;
  }

  constant() {
    const digits = this.digits(true);
    this.streams[constants(this.packedOp(this.at))].push(...digits);
  }

  local() {
    const local = this.read();
    while (this.order.length <= local) this.order.push(this.order.length);
    const at = this.order.indexOf(local);
    named(this.order, at);
    this.streams[RECENT].push(...leb(at));
  }

  pack() {
    this.bytes(BEFORE, 8);
    let [functions, stream] = [0, BEFORE];
    while (this.at < this.module.length) {
      const begin = this.at;
      const section = this.module[this.at++];
      const end = this.read() + this.at;
      if (section === 10) {
        functions = this.read();
        for (let left = functions; left > 0; left--) {
          this.read();
          body(this);
        }
        stream = AFTER;
      } else {
        this.at = begin;
        this.bytes(stream, end - begin);
      }
    }
    // Lengths are written with room before them, two within each other.
    const head = [...leb(this.module.length + 10), ...leb(functions)];
    return FILES.map((_, index) => {
      const streams = this.streams.map((stream, of) => file(of) === index ? stream : []);
      const content = [SECTION.length, ...Buffer.from(SECTION), ...head, ...streams.flatMap(stream => leb(stream.length))];
      const length = streams.reduce((sum, stream) => sum + stream.length, content.length);
      return Buffer.concat([this.module.subarray(0, 8), [0, ...leb(length), ...content], ...streams].map(part => Uint8Array.from(part)));
    });
  }
}

const [from, to] = process.argv.slice(2);
const module = await smaller(readFileSync(from));
const packed = new Packer(module).pack();
// What comes back has its numbers in their shortest form; packed again, that is the same.
const back = unpack(packed);
const again = unpack(new Packer(back).pack());
if (!WebAssembly.validate(back) || Buffer.compare(back, again)) throw new Error('what has been packed cannot be unpacked');
FILES.forEach((name, index) => writeFileSync(join(to, name), packed[index]));
