// The files that songs of this page may use. They are kept in the browser, by their names.

const MOST_BYTES = 64 << 20; // Of a file.

const done = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

// Where they are kept; without it (a private window) they last as long as the page.
async function store() {
  const opening = indexedDB.open('mam-studio', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('files');
  const database = await done(opening);
  return mode => database.transaction('files', mode).objectStore('files');
}

export async function files({ panel, host, changed, failed }) {
  const kept = await store().catch(() => null);
  const sizes = new Map();

  const show = () => {
    panel.querySelector('ul').replaceChildren(...[...sizes].sort().map(([name, size]) => {
      const item = document.createElement('li');
      const label = document.createElement('span');
      const button = document.createElement('button');
      label.textContent = `${name}, ${Math.ceil(size / 1024)} KB`;
      button.textContent = 'Remove';
      button.setAttribute('aria-label', `Remove ${name}`);
      button.onclick = () => put(name, null);
      item.append(label, button);
      return item;
    }));
  };
  const give = (name, bytes) => {
    host.file(name, bytes);
    if (bytes) sizes.set(name, bytes.length);
    else sizes.delete(name);
    show();
  };
  async function put(name, bytes) {
    give(name, bytes);
    changed();
    try {
      if (kept) await done(bytes ? kept('readwrite').put(bytes, name) : kept('readwrite').delete(name));
    } catch (error) {
      failed(`${name} is not kept in the browser: ${error.message}`);
    }
  }
  async function add(list) {
    for (const file of list) {
      if (file.size > MOST_BYTES) failed(`${file.name} has more than ${MOST_BYTES >> 20} MB`);
      else await put(file.name, new Uint8Array(await file.arrayBuffer()));
    }
  }

  const input = panel.querySelector('input');
  input.onchange = async () => {
    await add(input.files);
    input.value = '';
  };
  const hasFiles = event => event.dataTransfer?.types.includes('Files');
  const dropping = on => document.body.classList.toggle('dropping', on);
  // Before the editor, which would insert a file's text.
  addEventListener('dragover', event => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    dropping(true);
  }, true);
  addEventListener('dragleave', event => { if (!event.relatedTarget) dropping(false); });
  addEventListener('drop', event => {
    dropping(false);
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    add(event.dataTransfer.files);
  }, true);

  if (kept) {
    const [names, all] = await Promise.all([done(kept('readonly').getAllKeys()), done(kept('readonly').getAll())]);
    names.forEach((name, i) => give(name, all[i]));
  }
}
