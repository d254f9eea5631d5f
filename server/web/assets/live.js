// An element with data-live="ADDRESS" listens to a stream of events there and, at each one, sends itself the event "live", so
// that data-hx-trigger="live" fetches what changed. Where the stream breaks the browser connects again by itself.
"use strict";
for (const element of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(element.dataset.live);
  source.addEventListener("message", () => element.dispatchEvent(new Event("live")));
  addEventListener("pagehide", () => source.close());
}
