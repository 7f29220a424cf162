// The service worker: serves the page while the server cannot be reached. The server's response comes first, the cache only
// if there is none. It handles the page's own files and nothing else.

// Trusted Types require a policy for script URLs.
const policy = self.trustedTypes?.createPolicy("besedka", { createScriptURL: (url) => url });
importScripts(policy ? policy.createScriptURL("files.js") : "files.js");

const CACHE = "besedka";
const PAGE_MS = 3000; // the wait for a server that may be away
const FILE_MS = 10_000; // for one that has just served the page
const SHELL = new Set(self.BESEDKA_FILES.map((file) => new URL(file, self.registration.scope).href));
const cached = new Set(); // windows whose page came from the cache: their files do, too

self.addEventListener("install", (event) => event.waitUntil(refresh().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const [file] = request.url.split(/[?#]/);
  if (request.method === "GET" && SHELL.has(file)) event.respondWith(answer(event, file));
});

// On phones a page receives no clicks on its notifications.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.hash ?? ""));
});

async function answer(event, file) {
  const { request, clientId, resultingClientId } = event;
  const isPage = request.mode === "navigate";
  const cache = await caches.open(CACHE);
  const old = await cache.match(file);
  if (old && cached.has(clientId)) return old;
  const fresh = await ask(request, old && (isPage ? PAGE_MS : FILE_MS));
  if (fresh?.ok) {
    await cache.put(file, fresh.clone());
    // The page is from this server now; refresh the other files.
    if (isPage) event.waitUntil(refresh());
  }
  if (fresh && (fresh.status < 500 || !old)) return fresh;
  if (isPage && old) cached.add(resultingClientId);
  return old ?? Response.error();
}

/** The server's response; nothing if there is none in time. */
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
