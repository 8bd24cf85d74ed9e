/* The menu of a clip: speed, link, full screen, keys, report or edit. And sharing. */
import { call, signedIn } from "./api.js";
import { showCount } from "./actions.js";
import { pref, setPref } from "./prefs.js";
import { toast } from "./toast.js";

const dialog = document.getElementById("clip-menu");
let article = null;

const linkOf = (clip) => new URL(clip.dataset.url, location.origin).href;

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Plain http has no clipboard API: the old way, inside an open dialog if there is one.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "sr-only";
    (document.querySelector("dialog:modal") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast("Link copied");
}

async function countShare(clip) {
  if (!signedIn()) return;
  try {
    const answer = await call("POST", `/videos/${clip.dataset.clip}/share`);
    const button = clip.querySelector("[data-share-button]");
    const count = answer?.shares_count ?? Number(button.dataset.count) + 1;
    if (button) showCount(button, count);
  } catch {
    /* a share that was not counted is no trouble for the person who shared */
  }
}

/** Share by the system's sheet where there is one, else copy the link. */
export async function share(clip) {
  const data = { url: linkOf(clip), title: clip.getAttribute("aria-label") };
  const touch = matchMedia("(pointer: coarse)").matches;
  if (touch && navigator.canShare?.(data)) {
    try {
      await navigator.share(data);
    } catch (error) {
      if (error.name === "AbortError") return;
    }
  } else await copyText(data.url);
  countShare(clip);
}

/** Open the menu for `clip`. */
export function openMenu(clip) {
  article = clip;
  const own = clip.hasAttribute("data-own");
  for (const link of dialog.querySelectorAll("[data-menu-for]")) {
    link.hidden = (link.dataset.menuFor === "own") !== own;
    link.href = `${clip.dataset.url}/${link.dataset.menuPath}`;
  }
  dialog.showModal();
}

/** Wire the menu to the feed's `hud` and to `openKeys`. */
export function bindMenu(hud, openKeys, fullScreen) {
  const speeds = [...dialog.querySelectorAll("[data-speed]")];
  const show = (speed) => speeds.forEach((button) => {
    button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === speed));
  });
  hud.setSpeed(pref("speed"));
  show(pref("speed"));
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const { speed, menu } = button.dataset;
    if (speed) {
      setPref("speed", Number(speed));
      hud.setSpeed(Number(speed));
      show(Number(speed));
    }
    if (menu === "copy") copyText(linkOf(article));
    dialog.close();
    if (menu === "keys") openKeys();
    if (menu === "full") fullScreen();
  });
}
