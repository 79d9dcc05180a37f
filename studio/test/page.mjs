// Drives the page in a headless Chromium: as a user would, and with edits at random while it plays.
// node page.mjs [FOLDER-FOR-SCREENSHOTS]; CHROMIUM is the browser.
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { chromium } from 'playwright-core';

const dist = join(import.meta.dirname, '../dist');
const shots = process.argv[2];
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm' };
const server = createServer((request, response) => {
  const file = join(dist, request.url === '/' ? 'index.html' : request.url.split('?')[0]);
  if (!existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
});
await new Promise(ready => server.listen(0, '127.0.0.1', ready));
const address = `http://localhost:${server.address().port}/`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless=new', '--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const page = await context.newPage();
const errors = [];
page.on('pageerror', error => errors.push(error.message));
page.on('console', message => message.type() === 'error' && errors.push(message.text()));

let [passed, failed] = [0, 0];
async function check(what, test) {
  try {
    const said = await test();
    passed++;
    console.log(`${what}: ${said ?? 'yes'}`);
  } catch (error) {
    failed++;
    console.log(`${what}: FAILED: ${error.message.split('\n')[0]}`);
  }
}
const until = (condition, argument) => page.waitForFunction(condition, argument, { timeout: 60_000 });
const peak = () => page.evaluate(() => Math.max(...(studio.figures() ?? [0]).slice(7, 9)));
const underruns = () => page.evaluate(() => studio.host.context.playbackStats?.underrunEvents ?? 0);
const shot = async name => shots && page.screenshot({ path: join(shots, `${name}.png`), fullPage: name === 'phone' });

await page.goto(address);
await check('the first example has no problems', async () => {
  await until(() => window.studio?.problems);
  const found = await page.evaluate(() => studio.problems.filter(found => found.severity === 'error').length);
  if (found) throw new Error(`${found} errors`);
});
await check('one click and it sounds', async () => {
  await page.click('#play');
  await until(() => studio.figures() && studio.figures()[7] > 0.01);
  return `peak ${(await peak()).toFixed(3)}`;
});
await check('the steps that sound are lit in the text, wherever an edit moves them', async () => {
  const seen = () => page.$$eval('.lit', all => all.map(one => one.textContent));
  await page.waitForSelector('.lit');
  const steps = await seen();
  await page.evaluate(() => studio.page.edit([{ from: 0, to: 0, insert: '// moved\n' }]));
  await page.waitForTimeout(300);
  await page.waitForSelector('.lit');
  const written = await page.evaluate(() => studio.page.text());
  if ([...steps, ...await seen()].some(step => /\s/.test(step) || !written.includes(step))) throw new Error(steps.join(' '));
  await shot('lit');
  await page.evaluate(() => studio.page.edit([{ from: 0, to: 9, insert: '' }]));
  return steps.join(' ');
});
await check('a mistake is marked where it is, and its fix is offered', async () => {
  await page.click('.cm-content');
  await page.keyboard.press('Control+End');
  await page.keyboard.type('\nzz = kikc()\n');
  await until(() => studio.problems.some(found => found.code === 'unknown-name' || found.severity === 'error'));
  await page.waitForSelector('.cm-lintRange-error');
  await shot('mistake');
  for (let i = 0; i < 13; i++) await page.keyboard.press('Backspace');
  await until(() => !studio.problems.some(found => found.severity === 'error'));
});
await check('hover says what a word is', async () => {
  await page.hover('.t-instrument >> nth=0');
  await page.waitForSelector('.hover');
  return (await page.textContent('.hover')).split('\n')[0].slice(0, 60);
});
await check('completion offers names', async () => {
  await page.mouse.move(5, 5);
  await page.click('.cm-content');
  await page.keyboard.press('Control+End');
  await page.keyboard.type('\nzz = kic');
  await page.waitForSelector('.cm-tooltip-autocomplete li');
  const offered = await page.textContent('.cm-tooltip-autocomplete li');
  await page.keyboard.press('Escape');
  for (let i = 0; i < 9; i++) await page.keyboard.press('Backspace');
  return offered;
});
await check('edits while it plays, without an underrun', async () => {
  await page.waitForTimeout(3000);
  const edits = Number(process.env.EDITS ?? 200);
  const before = await underruns();
  const seen = await page.evaluate(async edits => {
    const before = studio.page.text();
    const times = [];
    const numbers = [...before.matchAll(/\d+(?=ms|%|Hz)/g)];
    for (let i = 0; i < edits; i++) {
      const found = numbers[i * 7 % numbers.length];
      const insert = String(Math.max(1, Number(found[0]) + i % 3));
      const began = performance.now();
      const answered = new Promise(resolve => {
        const { host } = studio, ask = host.ask.bind(host);
        host.ask = question => {
          const answer = ask(question);
          if (question.ask === 'compile') { host.ask = ask; answer.then(resolve); }
          return answer;
        };
      });
      studio.page.replace(before.slice(0, found.index) + insert + before.slice(found.index + found[0].length));
      await answered;
      times.push(performance.now() - began);
    }
    studio.page.replace(before);
    times.sort((a, b) => a - b);
    return { median: times[times.length >> 1], most: times.at(-1) };
  }, edits);
  await page.waitForTimeout(1500);
  const more = await underruns() - before;
  if (await peak() < 0.001) throw new Error('it is silent');
  if (more && !process.env.BUSY) throw new Error(`${more} underruns`);
  return `${edits} edits, ${more} underruns, answered in ${seen.median.toFixed(0)} ms (median), ${seen.most.toFixed(0)} ms at most`;
});
await check('a knob is turned', async () => {
  await page.evaluate(() => studio.page.replace('knob level = 0.5 in 0..1\nout = level * sine(220)\n'));
  await page.waitForSelector('#knob-level');
  await until(() => studio.figures()[7] > 0.3);
  await page.fill('#knob-level', '100');
  await until(() => studio.figures()[7] < 0.15);
});
await check('a link holds the song', async () => {
  await page.click('#share');
  await until(() => location.hash.startsWith('#s='));
  const link = await page.evaluate(() => location.href);
  const other = await context.newPage();
  await other.goto(link);
  await other.waitForFunction(() => window.studio?.problems);
  const same = await other.evaluate(() => studio.page.text());
  await other.close();
  if (!same.startsWith('knob level')) throw new Error(same.slice(0, 40));
  return `${link.length} characters`;
});
await check('the song is exported', async () => {
  await page.selectOption('#examples', 'groove.mam');
  await until(() => studio.page.text().includes('Groove') && studio.problems?.length === 0);
  const [download] = await Promise.all([page.waitForEvent('download', { timeout: 120_000 }), page.click('#export')]);
  const bytes = readFileSync(await download.path()).length;
  if (bytes < 1_000_000) throw new Error(`${bytes} bytes`);
  return `${bytes} bytes`;
});
// A second of a tone of 441 Hz as a WAV file of 16 bits.
function tone() {
  const [rate, bytes] = [44100, 2 * 44100];
  const file = Buffer.alloc(44 + bytes);
  file.write('RIFF', 0);
  file.writeUInt32LE(36 + bytes, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(2 * rate, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36);
  file.writeUInt32LE(bytes, 40);
  for (let i = 0; i < rate; i++) file.writeInt16LE(Math.round(16000 * Math.sin(2 * Math.PI * i / 100)), 44 + 2 * i);
  return file;
}
await check('files that the page is given are used, played and kept', async () => {
  const has = async (page, error) => page.waitForFunction(error =>
    window.studio?.problems?.some(found => found.message.includes('tone.wav')) === error, error, { timeout: 60_000 });
  await page.evaluate(() => studio.page.replace('out = loop_to(sample("sounds/tone.wav"), 2 beats)\n'));
  await has(page, true);
  await page.setInputFiles('#files input', { name: 'tone.wav', mimeType: 'audio/wav', buffer: tone() });
  await has(page, false);
  await until(() => studio.figures()[7] > 0.3);
  const other = await context.newPage();
  await other.goto(address);
  await has(other, false);
  await other.close();
  await page.click('#files li button');
  await has(page, true);
  await page.selectOption('#examples', '');
  await page.selectOption('#examples', 'groove.mam');
  await until(() => studio.page.text().includes('Groove') && studio.problems?.length === 0);
});
const everything = `kit beat {
  bd = kick()
  ch = closed_hat()
  oh = open_hat()
  choke ch oh
}
instrument hum {
  param wave = saw in saw|square|tri
  param cutoff = 800Hz in 50Hz..8kHz
  preset "deep" { cutoff: 200Hz }
  latency 2ms
  amp = decay(trig, 300ms)
  x = if wave == square then square(freq) else saw(freq)
  out = tap(lowpass(x, cutoff), 2ms, max: 2ms) * amp * vel
  until amp < 0.0001
}
dr = beat(bd.gain: 0.5)
b = hum(preset: "deep", wave: square)
play { dr.bd |x...x...|
  dr.ch |..x...x.|
  b "c3 e3" }
out = (dr + b) * 0.5 + convolve(b, sample("tone.wav")) * 0.01
`;
await check('kits, presets, words, latency and convolution are played', async () => {
  await page.setInputFiles('#files input', { name: 'tone.wav', mimeType: 'audio/wav', buffer: tone() });
  await page.evaluate(song => studio.page.replace(song), everything);
  await until(() => studio.page.text().startsWith('kit beat') && studio.problems?.length === 0);
  await until(() => studio.figures()[7] > 0.05);
  await page.click('#files li button');
  await page.selectOption('#examples', '');
  await page.selectOption('#examples', 'groove.mam');
  await until(() => studio.page.text().includes('Groove') && studio.problems?.length === 0);
});
await check('a worklet that dies is replaced', async () => {
  await page.evaluate(() => { const { host } = studio; host.node.onprocessorerror(new Event('error')); });
  await page.waitForTimeout(500);
  await until(() => studio.figures()[7] > 0.001);
});
await page.waitForTimeout(2500);
await shot('desktop');
await check('nothing that axe calls serious', async () => {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate(() => axe.run());
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  if (serious.length) throw new Error(serious.map(({ id, nodes }) => `${id} (${nodes[0].html.slice(0, 80)})`).join('; '));
  return violations.map(({ id }) => id).join(', ') || 'nothing at all';
});
await page.setViewportSize({ width: 390, height: 844 });
await page.waitForTimeout(500);
await shot('phone');
await check('it fits a phone', async () => {
  const [has, wants] = await page.evaluate(() => [innerWidth, document.documentElement.scrollWidth]);
  if (wants > has) throw new Error(`${wants} of ${has} pixels`);
});
await check('it works offline once it has been loaded', async () => {
  await page.evaluate(() => navigator.serviceWorker.ready);
  await until(async () => (await (await caches.open('mam-studio')).keys()).length >= 10);
  server.close();
  server.closeAllConnections();
  await context.setOffline(true);
  await page.goto(address);
  await until(() => window.studio?.problems);
});
await check('no script failed', () => {
  const own = errors.filter(error => !error.includes('ERR_INTERNET_DISCONNECTED') && !error.includes('Failed to load resource'));
  if (own.length) throw new Error(own.slice(0, 3).join('; '));
});
await browser.close();
server.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
