// Makes the page work without a server: by a service worker or, where browsers allow none (plain http from another
// machine), by fetching at once the files that are usually fetched on first use.

import "../../files.js";

const { serviceWorker: worker } = navigator;

if (worker) {
  // Trusted Types require a policy for script URLs.
  const policy = globalThis.trustedTypes?.createPolicy("besedka", { createScriptURL: (url) => url });
  worker.register(policy ? policy.createScriptURL("sw.js") : "sw.js").catch(() => {}); // then there is none
} else {
  // Not this module: it would wait for itself.
  const modules = self.BESEDKA_FILES.filter((file) => /^chat\/.*\.js$/.test(file) && !/language\/|offline/.test(file));
  for (const file of modules) await import(`../../${file}`).catch(() => {});
}
