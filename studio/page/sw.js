// Makes the page work offline once it has been loaded: what is in the cache is given at once, and brought up to date behind it.
const CACHE = 'mam-studio';
const FILES = ['./', 'page.js', 'style.css', 'worker.js', 'worklet.js', 'link.js', 'unpack.js', 'export.js', 'examples.json', 'mam.wasm', 'operands.wasm'];

self.addEventListener('install', event => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then(cache => cache.addAll(FILES)));
});
self.addEventListener('activate', event => event.waitUntil(self.clients.claim()));
self.addEventListener('fetch', event => {
  const { request } = event;
  if (request.method !== 'GET' || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith((async () => {
    const cache = await caches.open(CACHE);
    const known = await cache.match(request, { ignoreSearch: true });
    const fresh = fetch(request).then(response => {
      if (response.ok) cache.put(request, response.clone());
      return response;
    });
    if (!known) return fresh;
    event.waitUntil(fresh.catch(() => undefined));
    return known;
  })());
});
