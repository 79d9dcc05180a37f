// The page: what its parts tell each other.
import { WorkerHost } from './host.js';
import { ServerHost } from './server.js';
import { editor } from './editor.js';
import { pictures } from './pictures.js';
import { roll } from './roll.js';
import { graph } from './graph.js';
import { steps } from './steps.js';
import * as panels from './panels.js';
import { files } from './files.js';
import { link, linked } from './share.js';

const $ = id => document.getElementById(id);
const say = words => { $('state').textContent = words; };
const SAVED = 'mam-studio-song';

// For tests: what the page knows.
window.studio = { problems: null, figures: () => figures };

let name = 'song.mam';
let song = null; // What is known of the last text without errors.
let figures = null;
let levels = () => {};
let turned = () => {}; // Shows a knob that was turned elsewhere.
// Where `mamc studio` serves the page, the song is a file there, and the engine plays there.
const served = document.body.dataset.host === 'server';
const events = { figures: now => { figures = now; }, failed: say, changed: text => text !== page.text() && page.replace(text), turned: (...knob) => turned(...knob) };
const host = served ? new ServerHost(events) : new WorkerHost(events);
window.studio.host = host;
const about = (ask, at) => host.ask({ ask, name, text: text(), at });
const score = roll($('roll'), seconds => host.seek(seconds));
const draw = pictures({ scope: $('scope'), spectrum: $('spectrum'), spectrogram: $('spectrogram') });

// Where the page has no disk, it has the files that it is given.
if (served) $('files').hidden = true;
else await files({ panel: $('files'), host, changed: () => window.studio.problems && compile(), failed: say });

const examples = served ? [] : await (await fetch('examples.json')).json();
const first = await firstText();
const page = editor({
  parent: $('editor'), text: first, about, changed: compile,
  commands: [
    { key: 'Mod-Enter', run: () => (play(), true), preventDefault: true },
    { key: 'Shift-Alt-f', run: () => (format(), true) },
  ],
});
const lights = steps({ host, page });
function text() { return page.text(); }

async function firstText() {
  if (!served) return await linked(location.hash) ?? localStorage.getItem(SAVED) ?? examples[0].text;
  try {
    const loaded = await host.load();
    name = loaded.name;
    return loaded.text;
  } catch (error) {
    say(error.message);
    return '';
  }
}

// Every change is compiled; what plays goes on with it.
async function compile() {
  const asked = text();
  if (!served) localStorage.setItem(SAVED, asked);
  const since = page.follow();
  const answer = await host.ask({ ask: 'compile', name, text: asked, rate: host.rate ?? 0 });
  if (answer.ok) lights.song(since);
  else page.forget(since);
  if (answer.overtaken || text() !== asked) return;
  window.studio.problems = answer.problems;
  page.problems(answer.problems);
  panels.problems($('problems'), $('count'), answer.problems, page.show);
  if (answer.ok) show(answer.song);
  const tokens = await about('tokens', 0);
  if (Array.isArray(tokens) && text() === asked) page.colour(tokens);
}

function show(next) {
  const before = song;
  song = next;
  const same = key => before && JSON.stringify(before[key]) === JSON.stringify(next[key]);
  if (!same('params')) {
    turned = panels.knobs($('knobs'), next.params, {
      turn: (param, value) => host.set(param, value),
      shown: async (param, value) => (await host.ask({ ask: 'show', param, value })).shown,
    });
  }
  if (!same('targets')) levels = panels.meters($('meters'), next.targets, (target, what) => host.gate(target, what));
  if (!same('roll') || !same('targets')) score.song(next.roll, next.targets);
  if (!same('graph')) graph($('graph'), next.graph);
}

async function play() {
  const playing = $('play').getAttribute('aria-pressed') !== 'true';
  $('play').setAttribute('aria-pressed', String(playing));
  $('play').textContent = playing ? 'Stop' : 'Play';
  host.play(playing);
  if (playing && !host.context && !served) {
    try {
      await host.start(song?.rate ?? 48000);
      say('');
    } catch (error) {
      say(`no sound: ${error.message}`);
    }
  }
}

async function format() {
  const edits = await about('format', 0);
  if (Array.isArray(edits)) page.edit(edits.map(({ from, to, insert }) => ({ from, to, insert })));
}

$('play').onclick = play;
$('format').onclick = format;
$('share').onclick = async () => {
  const address = await link(text());
  if (!served) history.replaceState(null, '', address);
  try {
    await navigator.clipboard.writeText(address);
    say('link copied');
  } catch {
    say('the link is in the address bar');
  }
};
$('export').onclick = async () => {
  $('export').disabled = true;
  try {
    const wav = await host.render({ name, text: text() }, seconds => say(`${seconds.toFixed(0)} s rendered`));
    const anchor = Object.assign(document.createElement('a'), { href: URL.createObjectURL(wav), download: `${name.replace(/\.\w+$/, '')}.wav` });
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(anchor.href), 60_000);
    say('exported');
  } catch (error) {
    say(error.message);
  }
  $('export').disabled = false;
};
if (served) {
  // The text is a file, which no example is to replace; `mamc render` exports it.
  document.title = `${name} – mam studio`;
  for (const id of ['examples', 'export']) $(id).closest('label, button').hidden = true;
}
$('examples').append(new Option('choose …', ''), ...examples.map(({ name }) => new Option(name)));
$('examples').onchange = () => {
  const chosen = examples.find(example => example.name === $('examples').value);
  if (!chosen) return;
  name = chosen.name;
  history.replaceState(null, '', location.pathname);
  page.replace(chosen.text);
};
window.onhashchange = async () => {
  if (served) return;
  const shared = await linked(location.hash);
  if (shared !== null) page.replace(shared);
};

function look() {
  requestAnimationFrame(look);
  if (!host.scope || !figures) return;
  const [seconds, bar, beats, stopped, voices] = figures;
  if (host.playing || !stopped) draw(host.scope);
  score.draw(stopped ? null : seconds);
  lights.draw(stopped ? null : seconds);
  levels(figures.slice(9));
  const beat = Math.floor((bar % 1) * beats) + 1;
  $('place').textContent = bar < 0 ? `${seconds.toFixed(1)} s` : `${Math.floor(bar) + 1}:${beat}`;
  $('place').title = `${seconds.toFixed(2)} s, ${voices} voices`;
}

Object.assign(window.studio, { page });
await compile();
look();
if (served) await host.start();
else if ('serviceWorker' in navigator) {
  navigator.serviceWorker.register('sw.js').catch(() => {});
}
