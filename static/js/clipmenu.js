/* The menu of a clip: speed, captions, save, link, why it is here; and what one does not want to see. */
import { call } from "./api.js";
import { pref, setPref } from "./prefs.js";
import { copyLink } from "./share.js";
import { toast } from "./toast.js";

const dialog = document.getElementById("clip-menu");
const words = dialog.dataset;
const item = (name) => dialog.querySelector(`[data-menu="${name}"]`);
const TAGS = 3; // entries for hashtags in the menu
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

/* The hashtags of a clip's caption, each once: the last part of the addresses of their links. */
const tagsOf = (clip) =>
  [...new Set([...clip.querySelectorAll(".caption__text a.tag")].map((link) => decodeURIComponent(link.pathname.split("/").pop())))];

const clipsWith = (tag) =>
  [...document.querySelectorAll("article[data-clip]")].filter((clip) => !clip.hasAttribute("data-own") && tagsOf(clip).includes(tag));

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
  muteTag: ({ menuTag: tag }) => {
    const path = `/hashtags/${encodeURIComponent(tag)}/mute`;
    dismiss(clipsWith(tag), path, words.mutedTag.replace("TAG", tag));
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
  const show = (texts) => list.replaceChildren(...texts.map((text) => {
    const row = document.createElement("li");
    row.textContent = text;
    return row;
  }));
  show([list.dataset.loading]);
  box.showModal();
  try {
    const { reasons } = await call("GET", `/videos/${clip.dataset.clip}/why`);
    show(reasons.map((reason) => reason.text ?? reason));
  } catch (error) {
    show([error.message]);
  }
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

/* One entry for each of the first hashtags of the clip. */
function offerTags(tags) {
  const form = dialog.querySelector("[data-menu-tags]");
  if (!form) return;
  for (const shown of dialog.querySelectorAll("[data-menu-tag]")) shown.remove();
  for (const tag of tags.slice(0, TAGS)) {
    const entry = form.content.cloneNode(true);
    entry.querySelector("button").dataset.menuTag = tag;
    entry.querySelector("bdi").textContent = `#${tag}`;
    form.before(entry);
  }
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
  offerTags(own ? [] : tagsOf(clip));
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
  ACTS[menu]?.(button.dataset);
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
