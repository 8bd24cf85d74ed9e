/* htmx, fetched when a page first needs it. */

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
    script.onload = () => resolve(window.htmx);
    script.onerror = () => {
      loading = null;
      reject(new Error("htmx did not load"));
    };
    document.head.append(script);
  });
  return loading;
}
