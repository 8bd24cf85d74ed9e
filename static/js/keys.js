/* Keyboard of the feed. What does what stands in the rows of the help dialog (videos/shortcuts.py).
   Letters are off in the playback settings for those whom single keys disturb. */
import { pref } from "./prefs.js";

const TYPING = "input:not([type=range]), textarea, select, [contenteditable]";
const HELD = ["arrowdown", "arrowup", "arrowleft", "arrowright"]; // these repeat while they are held

const clip = () => document.querySelector("article.is-active");

/** Map keys to the feed's `acts`: next, previous, first, toggle, sound, like, comments, full, help, seek, skip. */
export function bindKeys(acts) {
  const all = {
    ...acts,
    back: () => acts.skip(-2),
    ahead: () => acts.skip(2),
    save: () => clip()?.querySelector('[data-act="save"] button, [data-invite="save"]')?.click(),
    menu: () => clip()?.querySelector("[data-menu-button]")?.click(),
    captions: () => document.dispatchEvent(new CustomEvent("clip:captions")),
    refuse: async () => {
      const article = clip();
      if (article) (await import("./clipmenu.js")).refuse(article);
    },
  };
  const table = new Map();
  for (const row of document.querySelectorAll("#keys-help [data-shortcut]")) {
    for (const key of row.dataset.keys.split(" ")) {
      table.set(key === "space" ? " " : key, all[row.dataset.shortcut]);
    }
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog:modal") || event.target.closest?.(TYPING)) return;
    const key = event.key.toLowerCase();
    const act = table.get(key);
    if (!act) return;
    const single = key.length === 1 && key !== " ";
    if (single && !pref("keys")) return;
    // Space and Enter belong to the control that has the focus, arrows to a slider.
    if (key === " " && event.target.closest?.("button, a, summary")) return;
    if (key.startsWith("arrow") && event.target.matches?.("input[type=range]")) return;
    if (event.target.closest?.("#comments-body") && !single) return;
    event.preventDefault();
    if (event.repeat && !HELD.includes(key)) return;
    act(Number(key) / 10); // only `seek` takes the digit
  });
}
