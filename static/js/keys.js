/* Keyboard of the feed. Off in the playback settings for those whom single keys disturb. */
import { pref } from "./prefs.js";

const TYPING = "input:not([type=range]), textarea, select, [contenteditable]";

/** Map keys to the feed's `acts`: next, previous, toggle, sound, like, comments, full, help, seek, skip. */
export function bindKeys(acts) {
  const table = {
    j: acts.next, arrowdown: acts.next, pagedown: acts.next,
    k: acts.previous, arrowup: acts.previous, pageup: acts.previous,
    " ": acts.toggle, m: acts.sound, l: acts.like, c: acts.comments, f: acts.full, "?": acts.help,
    arrowleft: () => acts.skip(-2), arrowright: () => acts.skip(2),
    home: acts.first,
  };
  for (let digit = 0; digit < 10; digit += 1) table[digit] = () => acts.seek(digit / 10);

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog:modal") || event.target.closest?.(TYPING)) return;
    const key = event.key.toLowerCase();
    const act = table[key];
    if (!act) return;
    const single = key.length === 1 && key !== " ";
    if (single && !pref("keys")) return;
    // Space and Enter belong to the control that has the focus, arrows to a slider.
    if (key === " " && event.target.closest?.("button, a, summary")) return;
    if (key.startsWith("arrow") && event.target.matches?.("input[type=range]")) return;
    if (event.target.closest?.("#comments-body") && !single) return;
    event.preventDefault();
    if (event.repeat && !["arrowdown", "arrowup", "arrowleft", "arrowright"].includes(key)) return;
    act();
  });
}
