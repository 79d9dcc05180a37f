// Makes dist/: the page's scripts as one file, what is beside it, and the examples. Without the WebAssembly, which `build` makes.
import { build } from 'esbuild';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const to = process.argv[2] ?? join(here, '../dist');
mkdirSync(to, { recursive: true });
await build({
  entryPoints: [join(here, 'src/main.js')], outfile: join(to, 'page.js'),
  bundle: true, minify: true, format: 'esm', target: 'es2022', legalComments: 'none',
});
for (const file of ['index.html', 'style.css', 'worker.js', 'worklet.js', 'link.js', 'export.js', 'sw.js']) {
  copyFileSync(join(here, file), join(to, file));
}
const examples = join(here, '../../examples');
const songs = readdirSync(examples).filter(name => name.endsWith('.mam')).sort();
const first = songs.indexOf('groove.mam');
songs.unshift(...songs.splice(first, 1));
const all = songs.map(name => ({ name, text: readFileSync(join(examples, name), 'utf8') }));
writeFileSync(join(to, 'examples.json'), JSON.stringify(all));
