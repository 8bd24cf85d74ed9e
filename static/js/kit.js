/* htmx, fetched when a page first needs it, and what to do when a fragment does not come. */
import "./retry.js";

let loading = null;

/** A promise of htmx. */
export function htmx() {
  loading ??= new Promise((resolve, reject) => {
    if (window.htmx) {
      resolve(window.htmx);
      return;
    }
    const script = document.createElement("script");
    script.src = document.body.dataset.htmx;
    script.onload = () => {
      // While pictures still load, htmx waits for an event that has already been: say it again.
      if (document.readyState !== "complete") document.dispatchEvent(new Event("DOMContentLoaded"));
      resolve(window.htmx);
    };
    script.onerror = () => {
      loading = null;
      reject(new Error("htmx did not load"));
    };
    document.head.append(script);
  });
  return loading;
}
