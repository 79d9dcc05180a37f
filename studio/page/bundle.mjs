// Makes dist/: the page's scripts as one file, what is beside it, and the examples. Without the WebAssembly, which `build` makes.
import { build } from 'esbuild';
import { minify } from 'terser';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const to = process.argv[2] ?? join(here, '../dist');
mkdirSync(to, { recursive: true });
const small = { minify: true, target: 'es2022', legalComments: 'none' };
const page = await build({ ...small, entryPoints: [join(here, 'src/main.js')], bundle: true, format: 'esm', write: false });
// Three kilobytes less by brotli.
const smaller = await minify(page.outputFiles[0].text, { module: true, ecma: 2020, compress: { passes: 3 } });
writeFileSync(join(to, 'page.js'), smaller.code);
const beside = ['style.css', 'worker.js', 'worklet.js', 'link.js', 'unpack.js', 'export.js', 'sw.js'];
await build({ ...small, entryPoints: beside.map(file => join(here, file)), outdir: to });
copyFileSync(join(here, 'index.html'), join(to, 'index.html'));
const examples = join(here, '../../examples');
const songs = readdirSync(examples).filter(name => name.endsWith('.mam')).sort();
const first = songs.indexOf('groove.mam');
songs.unshift(...songs.splice(first, 1));
const all = songs.map(name => ({ name, text: readFileSync(join(examples, name), 'utf8') }));
writeFileSync(join(to, 'examples.json'), JSON.stringify(all));
