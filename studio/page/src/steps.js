// The steps of the text that sound now. They are asked for a stretch at a time, a little ahead of what plays.

const STRETCH = 8; // Seconds that are asked for.
const AHEAD = 3; // Seconds before the end of what is known when the next stretch is asked for.
const APART = 0.5; // Seconds between two questions, at least.

export function steps({ host, page }) {
  let known = [0, 0]; // From when to when the page has the steps, in seconds of the song.
  let since = null; // What has changed in the text since it was compiled.
  let asking = false;
  let asked = 0;

  async function ask(now) {
    [asking, asked] = [true, performance.now()];
    const [of, from, to] = [since, Math.max(0, now - 0.1), now + STRETCH];
    const found = await host.ask({ ask: 'steps', from, to }).catch(() => null);
    asking = false;
    if (of !== since || !Array.isArray(found)) return;
    known = [from, to];
    page.steps(found, since.changes);
  }

  return {
    // Another program plays, of the text of which `next` holds the changes that have been made since.
    song(next) {
      if (since) page.forget(since);
      since = next;
      known = [0, 0];
    },
    // Lights those of a moment; none where it is null.
    draw(now) {
      page.light(now);
      if (now === null || !since || asking || performance.now() - asked < 1000 * APART) return;
      if (now < known[0] || now > known[1] - AHEAD) ask(now);
    },
  };
}
