// A song in a link: deflated, in base64url, in the fragment, which no server sees.

const KEY = '#s=';

async function piped(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

export async function link(text) {
  const bytes = await piped(new TextEncoder().encode(text), new CompressionStream('deflate-raw'));
  const base64 = btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(''));
  const { origin, pathname } = location;
  return `${origin}${pathname}${KEY}${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

// The song of a link; null where there is none, or it cannot be read.
export async function linked(hash) {
  if (!hash.startsWith(KEY)) return null;
  try {
    const letters = atob(hash.slice(KEY.length).replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(letters, letter => letter.charCodeAt(0));
    return new TextDecoder().decode(await piped(bytes, new DecompressionStream('deflate-raw')));
  } catch {
    return null;
  }
}
