// Keeps the whole page for a time without a server: by a service worker; where browsers allow none (plain http from
// another machine), by fetching now what is usually fetched when it is first needed.

import "../../files.js";

const { serviceWorker: worker } = navigator;

if (worker) {
  // With Trusted Types the address of a script must be vouched for.
  const policy = globalThis.trustedTypes?.createPolicy("besedka", { createScriptURL: (url) => url });
  worker.register(policy ? policy.createScriptURL("sw.js") : "sw.js").catch(() => {}); // then there is none
} else {
  // Not this module: it would wait for itself.
  const modules = self.BESEDKA_FILES.filter((file) => /^chat\/.*\.js$/.test(file) && !/language\/|offline/.test(file));
  for (const file of modules) await import(`../../${file}`).catch(() => {});
}
