// The service worker: gives the page where the server cannot be reached. Whatever the server has to say comes first; what
// is kept is given only when it says nothing. It looks after the page's own files and nothing else.

// With Trusted Types the address of a script must be vouched for.
const policy = self.trustedTypes?.createPolicy("besedka", { createScriptURL: (url) => url });
importScripts(policy ? policy.createScriptURL("files.js") : "files.js");

const CACHE = "besedka";
const PAGE_MS = 3000; // so long one waits for a server that may not be there
const FILE_MS = 10_000; // one that has just given the page is there
const SHELL = new Set(self.BESEDKA_FILES.map((file) => new URL(file, self.registration.scope).href));
const kept = new Set(); // the windows whose page was kept: the files that belong to it are kept ones as well

self.addEventListener("install", (event) => event.waitUntil(refresh().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const [file] = request.url.split(/[?#]/);
  if (request.method === "GET" && SHELL.has(file)) event.respondWith(answer(event, file));
});

// On phones a page cannot be told that its notification was clicked.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.hash ?? ""));
});

async function answer(event, file) {
  const { request, clientId, resultingClientId } = event;
  const isPage = request.mode === "navigate";
  const cache = await caches.open(CACHE);
  const old = await cache.match(file);
  if (old && kept.has(clientId)) return old;
  const fresh = await ask(request, old && (isPage ? PAGE_MS : FILE_MS));
  if (fresh?.ok) {
    await cache.put(file, fresh.clone());
    // The page is this server's now; so shall be all that is kept.
    if (isPage) event.waitUntil(refresh());
  }
  if (fresh && (fresh.status < 500 || !old)) return fresh;
  if (isPage && old) kept.add(resultingClientId);
  return old ?? Response.error();
}

/** What the server answers; nothing, if it does not in time. */
async function ask(request, ms) {
  const late = new Promise((resolve) => ms && setTimeout(resolve, ms));
  return Promise.race([fetch(request).catch(() => null), late]);
}

async function refresh() {
  const cache = await caches.open(CACHE);
  for (const file of SHELL) {
    const fresh = await fetch(file, { cache: "no-cache" }).catch(() => null);
    if (fresh?.ok) await cache.put(file, fresh);
  }
}

async function open(hash) {
  const [window] = await self.clients.matchAll({ type: "window" });
  if (!window) return self.clients.openWindow(`./${hash}`);
  await window.focus();
  return window.navigate(new URL(hash, window.url).href);
}
