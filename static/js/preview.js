/* The moving picture of a clip in a grid, while the pointer or the focus is on it. */
import { calm, pref } from "./prefs.js";

const PATIENCE = 180; // ms: who only passes over wants nothing

const frugal = () => pref("saver") || navigator.connection?.saveData;

/** Move the picture of `link` until pointer and focus have left it. */
export function preview(link) {
  if (calm() || frugal() || link.matches(".is-previewed")) return;
  link.classList.add("is-previewed");
  const moving = new Image();
  const timer = setTimeout(() => {
    moving.className = "tile__preview";
    moving.alt = "";
    moving.src = link.dataset.preview;
    link.querySelector(".tile__poster")?.after(moving);
  }, PATIENCE);
  const stop = new AbortController();
  const leave = () => {
    if (link.matches(":hover, :focus-visible")) return;
    clearTimeout(timer);
    stop.abort();
    moving.remove();
    link.classList.remove("is-previewed");
  };
  for (const name of ["pointerleave", "blur"]) link.addEventListener(name, leave, { signal: stop.signal });
}
