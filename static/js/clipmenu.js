/* The menu of a clip: speed, captions, save, link, why it is here; and what one does not want to see. */
import { call } from "./api.js";
import { pref, setPref } from "./prefs.js";
import { copyLink } from "./share.js";
import { toast } from "./toast.js";

const dialog = document.getElementById("clip-menu");
const words = dialog.dataset;
const item = (name) => dialog.querySelector(`[data-menu="${name}"]`);
const TAGS = 2; // of each kind of entry that the menu has for hashtags
let article = null;
let feed = null;
let sure = false; // blocking asks twice

/* ── what leaves the feed ───────────────────────────────── */

/*
 * Take `clips` out of the feed at once and tell the server; the toast takes it back. What is
 * refused stands in `data` when it is said, and in the query when it is taken back.
 */
async function dismiss(clips, path, text, { undoable = true, data } = {}) {
  const leave = () => clips.forEach((clip) => clip.dispatchEvent(new CustomEvent("clip:leave", { bubbles: true })));
  const comeBack = () => {
    for (const clip of clips) document.dispatchEvent(new CustomEvent("clip:return", { detail: clip }));
  };
  leave();
  try {
    await call("POST", path, data);
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
        await call("DELETE", data ? `${path}?${new URLSearchParams(data)}` : path);
      } catch (error) {
        toast(error.message);
      }
    },
  });
}

/* Only what is recommended gets less: whom one follows, and everybody's clips, stay where they are. */
function lessOf(clip, data, label, fits) {
  const recommends = clip.closest('[data-tab="for-you"]');
  const clips = recommends ? [...document.querySelectorAll("article[data-clip]")].filter(fits) : [];
  dismiss(clips, `/videos/${clip.dataset.clip}/not-interested`, words.less.replace("LESS", label), { data });
}

function lessOfCreator(clip) {
  const { handle } = clip.dataset;
  lessOf(clip, { what: "creator" }, `@${handle}`, (other) => other.dataset.handle === handle);
}

function lessOfTag(clip, hashtag) {
  lessOf(clip, { what: "hashtag", hashtag }, `#${hashtag}`, (other) => tagsOf(other).includes(hashtag));
}

const tagsOf = (clip) => clip.dataset.tags?.split(" ") ?? [];
const clipsOf = (handle) => [...document.querySelectorAll(`article[data-handle="${CSS.escape(handle)}"]`)];

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
  "less-creator": () => lessOfCreator(article),
  "less-tag": (button) => lessOfTag(article, button.dataset.menuTag),
  mute: () => {
    const { handle } = article.dataset;
    dismiss(clipsOf(handle), `/users/@${handle}/mute`, words.muted.replace("HANDLE", handle));
  },
  muteTag: (button) => {
    const tag = button.dataset.menuTag;
    const path = `/hashtags/${encodeURIComponent(tag)}/mute`;
    dismiss(clipsWith(tag), path, words.mutedTag.replace("TAG", tag));
  },
  block: () => {
    const { handle } = article.dataset;
    // Unblocking would not bring the follows back, so there is no undo that would promise it.
    dismiss(clipsOf(handle), `/users/@${handle}/block`, words.blocked.replace("HANDLE", handle), { undoable: false });
  },
  copy: () => copyLink(article),
  save: () => article.querySelector('[data-act="save"] button').click(),
  captions: () => document.dispatchEvent(new CustomEvent("clip:captions")),
  keys: () => feed.openKeys(),
  full: () => feed.fullScreen(),
  why: () => why(article),
};

/* ── why ────────────────────────────────────────────────── */

const LESS = {
  video: (clip) => refuse(clip),
  creator: (clip) => lessOfCreator(clip),
  hashtag: (clip, reason) => lessOfTag(clip, reason.hashtag),
};

async function why(clip) {
  const box = document.getElementById("clip-why");
  const list = box.querySelector("[data-reasons]");
  const show = (reasons) => list.replaceChildren(...reasons.map((reason) => {
    const row = document.createElement("li");
    row.textContent = reason.text;
    if (reason.less) row.append(lessButton(reason));
    return row;
  }));
  const lessButton = (reason) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--ghost button--small";
    button.textContent = list.dataset.less;
    button.addEventListener("click", () => {
      box.close();
      LESS[reason.less](clip, reason);
    });
    return button;
  };
  show([{ text: list.dataset.loading }]);
  box.showModal();
  try {
    const { reasons } = await call("GET", `/videos/${clip.dataset.clip}/why`);
    // Of the feed that one is in; a page of a single clip is in none.
    const tab = clip.closest("[data-feed]")?.dataset.tab;
    const here = reasons.filter(({ mode }) => !mode || mode === tab);
    show(here.length ? here : reasons);
  } catch (error) {
    show([{ text: error.message }]);
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

/* One entry of each kind for each of the first hashtags of the clip. */
function offerTags(tags) {
  for (const shown of dialog.querySelectorAll("[data-menu-tag]")) shown.remove();
  for (const form of dialog.querySelectorAll("[data-menu-tags]")) {
    for (const tag of tags.slice(0, TAGS)) {
      const entry = form.content.cloneNode(true);
      entry.querySelector("button").dataset.menuTag = tag;
      entry.querySelector("bdi").textContent = `#${tag}`;
      form.before(entry);
    }
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
  ACTS[menu]?.(button);
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
