/* The menu of a clip: speed, captions, save, link, why it is here; and what one does not want to see. */
import { call } from "./api.js";
import { pref, setPref } from "./prefs.js";
import { copyLink } from "./share.js";
import { toast } from "./toast.js";

const dialog = document.getElementById("clip-menu");
const words = dialog.dataset;
const item = (name) => dialog.querySelector(`[data-menu="${name}"]`);
let article = null;
let feed = null;
let sure = false; // blocking asks twice

/* ── what leaves the feed ───────────────────────────────── */

/* Take `clips` out of the feed at once and tell the server; the toast takes it back. */
async function dismiss(clips, path, text, undoable = true) {
  const leave = () => clips.forEach((clip) => clip.dispatchEvent(new CustomEvent("clip:leave", { bubbles: true })));
  const comeBack = () => {
    for (const clip of clips) document.dispatchEvent(new CustomEvent("clip:return", { detail: clip }));
  };
  leave();
  try {
    await call("POST", path);
  } catch (error) {
    comeBack();
    toast(error.message);
    return;
  }
  toast(text, 7000, undoable && {
    label: words.undo,
    act: async () => {
      comeBack();
      try {
        await call("DELETE", path);
      } catch (error) {
        toast(error.message);
      }
    },
  });
}

const clipsOf = (handle) => [...document.querySelectorAll(`article[data-handle="${CSS.escape(handle)}"]`)];

/** The reader does not want to see `clip`. */
export function refuse(clip) {
  if (clip.hasAttribute("data-own")) return;
  const invitation = clip.querySelector("[data-invite]");
  if (invitation) invitation.click();
  else dismiss([clip], `/videos/${clip.dataset.clip}/not-interested`, words.refused);
}

const ACTS = {
  refuse: () => refuse(article),
  mute: () => {
    const { handle } = article.dataset;
    dismiss(clipsOf(handle), `/users/@${handle}/mute`, words.muted.replace("HANDLE", handle));
  },
  block: () => {
    const { handle } = article.dataset;
    // Unblocking would not bring the follows back, so there is no undo that would promise it.
    dismiss(clipsOf(handle), `/users/@${handle}/block`, words.blocked.replace("HANDLE", handle), false);
  },
  copy: () => copyLink(article),
  save: () => article.querySelector('[data-act="save"] button').click(),
  captions: () => document.dispatchEvent(new CustomEvent("clip:captions")),
  keys: () => feed.openKeys(),
  full: () => feed.fullScreen(),
  why: () => why(article),
};

/* ── why ────────────────────────────────────────────────── */

async function why(clip) {
  const box = document.getElementById("clip-why");
  const list = box.querySelector("[data-reasons]");
  const show = (reasons) => list.replaceChildren(...reasons.map((reason) => {
    const row = document.createElement("li");
    row.textContent = reason.text;
    if (LESS[reason.less]) row.append(lessButton(clip, reason, box));
    return row;
  }));
  show([{ text: list.dataset.loading }]);
  box.showModal();
  try {
    const { reasons } = await call("GET", `/videos/${clip.dataset.clip}/why`);
    show(reasons);
  } catch (error) {
    show([{ text: error.message }]);
  }
}

/* What a reason is about, and where one says to want less of it. */
const LESS = {
  video: (clip) => `/videos/${clip.dataset.clip}`,
  creator: (clip) => `/users/@${clip.dataset.handle}`,
  hashtag: (clip, reason) => `/hashtags/${encodeURIComponent(reason.hashtag)}`,
};

function lessButton(clip, reason, box) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button--small button--ghost";
  button.textContent = words.less;
  button.addEventListener("click", () => {
    box.close();
    const gone = reason.less === "creator" ? clipsOf(clip.dataset.handle) : [clip];
    dismiss(gone, `${LESS[reason.less](clip, reason)}/not-interested`, words.lessened);
  });
  return button;
}

/* ── the menu ───────────────────────────────────────────── */

function showSpeed(speed) {
  for (const button of dialog.querySelectorAll("[data-speed]")) {
    button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === speed));
  }
}

function askForBlock(asks) {
  const label = item("block")?.querySelector("[data-menu-ask]");
  if (!label) return;
  sure = asks;
  label.hidden = asks;
  item("block").querySelector("[data-menu-sure]")?.remove();
  if (!asks) return;
  const question = document.createElement("span");
  question.dataset.menuSure = "";
  question.textContent = label.dataset.menuAsk;
  item("block").append(question);
}

/** Open the menu for `clip` of `around` (hud, openKeys, fullScreen). */
export function openMenu(clip, around) {
  article = clip;
  feed = around;
  const own = clip.hasAttribute("data-own");
  for (const part of dialog.querySelectorAll("[data-menu-for]")) {
    part.hidden = (part.dataset.menuFor === "own") !== own;
    if (part.dataset.menuPath) part.href = `${clip.dataset.url}/${part.dataset.menuPath}`;
  }
  for (const name of dialog.querySelectorAll("[data-menu-handle]")) name.textContent = `@${clip.dataset.handle}`;
  const saved = clip.querySelector('[data-act="save"] button')?.getAttribute("aria-pressed");
  item("save")?.setAttribute("aria-pressed", saved ?? "false");
  item("captions").hidden = !clip.dataset.subtitles;
  item("captions").setAttribute("aria-pressed", String(pref("captions")));
  showSpeed(pref("speed"));
  askForBlock(false);
  dialog.showModal();
}

dialog.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { speed, menu } = button.dataset;
  if (speed) {
    setPref("speed", Number(speed));
    feed.hud.setSpeed(Number(speed));
    showSpeed(Number(speed));
  }
  if (menu === "block" && !sure) {
    askForBlock(true);
    return;
  }
  dialog.close();
  ACTS[menu]?.();
});

// Up and down walk through the menu.
dialog.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const stops = [...dialog.querySelectorAll(".menu :is(a, button)")].filter((stop) => stop.offsetParent);
  const place = stops.indexOf(document.activeElement);
  stops.at((place + step) % stops.length).focus();
  event.preventDefault();
});
