// What can be tested without an editor: the words of the colours, the arguments of `play`, and the bundle.
const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const oniguruma = require('vscode-oniguruma');
const { Registry, parseRawGrammar } = require('vscode-textmate');
const { playArguments } = require('../src/play');

const here = (...parts) => path.join(__dirname, '..', ...parts);

async function grammar() {
  const wasm = fs.readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length));
  const file = here('syntaxes', 'mam.tmLanguage.json');
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (all) => new oniguruma.OnigScanner(all),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => parseRawGrammar(fs.readFileSync(file, 'utf8'), file),
  });
  return registry.loadGrammar('source.mam');
}

test('words have their colours', async () => {
  const loaded = await grammar();
  const scopes = (line, word) => {
    const { tokens } = loaded.tokenizeLine(line, null);
    const at = line.indexOf(word);
    return tokens.find((token) => token.startIndex <= at && at < token.endIndex).scopes.at(-1);
  };
  assert.equal(scopes('tempo 130', 'tempo'), 'keyword.control.mam');
  assert.equal(scopes('tempo = 130', 'tempo'), 'source.mam');
  assert.equal(scopes('out = sine(440Hz) // a', 'out'), 'keyword.control.mam');
  assert.equal(scopes('out = sine(440Hz) // a', '440Hz'), 'constant.numeric.mam');
  assert.equal(scopes('out = sine(440Hz) // a', '// a'), 'comment.line.double-slash.mam');
  assert.equal(scopes('  bd |x...|x.x.|', 'x.x.'), 'string.other.tab.mam');
  assert.equal(scopes('out = a |> echo(mix: 20%)', '|>'), 'keyword.operator.mam');
  assert.equal(scopes('out = a |> echo(mix: 20%)', 'mix'), 'variable.parameter.mam');
  assert.equal(scopes('instrument beep {', 'beep'), 'entity.name.function.mam');
});

test('every reserved word and every statement of the language is in the colours', () => {
  const words = fs.readFileSync(here('..', '..', 'grammar', 'src', 'syntax', 'words.rs'), 'utf8');
  const colours = fs.readFileSync(here('syntaxes', 'mam.tmLanguage.json'), 'utf8');
  for (const table of ['RESERVED', 'STATEMENTS']) {
    const list = words.split(`pub const ${table}:`)[1].split('= [')[1].split(']')[0];
    const names = [...list.matchAll(/"(\w+)"/g)].map((found) => found[1]);
    assert.ok(names.length > 10);
    for (const name of names) {
      assert.match(colours, new RegExp(`[(|]${name}[)|]`), name);
    }
  }
});

test('play is called with the file as it is, and from a bar', () => {
  assert.deepEqual(playArguments('/a b/-x.mam', null, []), ['play', '--', '/a b/-x.mam']);
  assert.deepEqual(playArguments('/x.mam', 5, ['-q']), ['play', '-q', '--from', '5', '--', '/x.mam']);
  assert.deepEqual(playArguments('/x.mam', '5; rm', []), ['play', '--', '/x.mam']);
});

test('the bundle has what activates it, and nothing but the editor is missing', () => {
  const bundle = fs.readFileSync(here('dist', 'extension.js'), 'utf8');
  const wanted = [...bundle.matchAll(/require\("([^"]+)"\)/g)].map((found) => found[1]);
  const built = require('node:module').builtinModules;
  const others = wanted.filter((name) => name !== 'vscode' && !built.includes(name.replace('node:', '')));
  assert.deepEqual(others, []);
  assert.match(bundle, /activate/);
});
