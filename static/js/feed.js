/* The feed: which clip is on, what is loaded, where one is. The parts it wires are modules of their own. */
import { ApiError, fragment } from "./api.js";
import { likeOnce, syncFollows } from "./actions.js";
import * as comments from "./comments.js";
import { Hud } from "./hud.js";
import { bindKeys } from "./keys.js";
import { bindMenu, openMenu, share } from "./menu.js";
import { Pool } from "./player.js";
import { calm } from "./prefs.js";
import { Shelf } from "./shelf.js";
import { toast } from "./toast.js";
import { bindWheel } from "./wheel.js";

const AHEAD = 5; // clips left when the next page is fetched
const SETTLED = 250; // ms on a clip before the address names it
const PATIENCE = 15000; // ms that a page of clips may take

const root = document.querySelector("[data-feed]");
const scroller = root.querySelector("[data-scroller]");
const list = root.querySelector("[data-list]");
const endcard = root.querySelector("[data-endcard]");
const pool = new Pool();
const shelf = new Shelf((article) => {
  syncFollows(article);
  checkCaption(article);
});
const hud = new Hud(document.getElementById("hud"), {
  onLike: (article) => {
    if (!likeOnce(article)) article.querySelector('[data-invite="like"]')?.click();
  },
  onMenu: openMenu,
  onRetry: retryClip,
});

let articles = [];
let active = -1;
let target = 0; // where the scrolling goes; differs from `active` while it moves
let nextUrl = "";
let loading = false;
let settle = 0;
let atEnd = false; // the card after the last clip is on
let generation = 0; // answers of an order that was left are thrown away

/* ── pages ──────────────────────────────────────────────── */

/* Take the clips out of a fragment; one that is here already is left out. */
function take(holder, from) {
  const seen = new Set(articles.map((article) => article.dataset.clip));
  const fresh = [...holder.querySelectorAll("article[data-clip]")].filter((article) => {
    const known = seen.has(article.dataset.clip);
    seen.add(article.dataset.clip);
    return !known;
  });
  const foot = holder.querySelector("[data-next]");
  nextUrl = foot?.dataset.next ? new URL(foot.dataset.next, new URL(from, location.href)).href : "";
  const origin = foot?.dataset.self ? new URL(foot.dataset.self, new URL(from, location.href)).href : "";
  foot?.remove();
  fresh.forEach((article) => {
    article.querySelectorAll("noscript").forEach((spare) => spare.remove());
    article.origin = origin;
  });
  return fresh;
}

function add(fresh) {
  for (const article of fresh) {
    article.setAttribute("aria-posinset", articles.length + 1);
    article.setAttribute("aria-setsize", -1);
    articles.push(article);
    if (!article.isConnected) list.append(article);
    watcher.observe(article);
    checkCaption(article);
    syncFollows(article);
  }
}

async function loadMore() {
  if (loading || !endcard) return;
  if (!nextUrl) {
    endcard.dataset.state = "end";
    return;
  }
  loading = true;
  endcard.dataset.state = "more";
  list.setAttribute("aria-busy", "true");
  const mine = generation;
  try {
    const html = await fragment(nextUrl, AbortSignal.timeout(PATIENCE));
    if (mine !== generation) return;
    const from = nextUrl;
    const waits = scroller.scrollTop > endcard.offsetTop - scroller.clientHeight / 2;
    const fresh = take(parse(html), from);
    add(fresh);
    // Who waits at the end sees the first new clip there; the snap would follow the card away.
    if (waits && fresh.length) scroller.scrollTo({ top: fresh[0].offsetTop, behavior: "instant" });
    if (!nextUrl) endcard.dataset.state = "end";
  } catch (error) {
    if (mine !== generation) return;
    showTrouble(error);
  } finally {
    if (mine === generation) {
      loading = false;
      list.setAttribute("aria-busy", "false");
    }
  }
  // The first neighbors may only exist now.
  if (mine === generation) givePlayers();
  if (nextUrl && endcard.dataset.state === "more" && articles.length - active <= AHEAD) loadMore();
}

function showTrouble(error) {
  const text = endcard.querySelector("[data-error-text]");
  endcard.dataset.state = navigator.onLine ? "error" : "offline";
  if (error instanceof ApiError && error.status === 400) {
    // The order has expired or changed: only a new one helps.
    text.textContent = "This round has expired. Start a new one.";
    nextUrl = new URL(root.dataset.home, location.href).href;
  } else if (error.message && error.status) text.textContent = error.message;
}

function parse(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content;
}

/* ── a forced refresh ───────────────────────────────────── */

/* What one has liked shows in the next order, not in this one: it offers itself. */
const renewal = root.querySelector("[data-renewal]");
renewal?.addEventListener("click", () => refresh());
document.addEventListener("clip:liked", () => {
  if (renewal && root.dataset.tab === "for-you") renewal.hidden = false;
});

async function refresh(url = root.dataset.home) {
  const mine = (generation += 1);
  if (renewal) renewal.hidden = true;
  root.classList.add("is-refreshing");
  try {
    const content = parse(await fragment(url));
    if (mine !== generation) return;
    if (!content.querySelector("article")) {
      location.assign(url);
      return;
    }
    clear();
    add(take(content, new URL(url, location.href).href));
    if (endcard) endcard.dataset.state = nextUrl ? "more" : "end";
    scroller.scrollTo({ top: 0, behavior: "instant" });
    activate(0);
  } catch (error) {
    toast(error.message || "That did not load. Try again.");
  } finally {
    root.classList.remove("is-refreshing");
  }
}

function clear() {
  loading = false; // what was on its way is of the order that is left
  hud.detach();
  hud.root.remove();
  pool.assign([]);
  watcher.disconnect();
  shelf.clear();
  articles.forEach((article) => article.remove());
  if (endcard) watcher.observe(endcard);
  articles = [];
  active = -1;
  target = 0;
}

/* ── the clip that is on ────────────────────────────────── */

function givePlayers() {
  if (active < 0) return;
  const near = [active, active + 1, active + 2, active - 1];
  pool.assign(near.map((index) => articles[index]).filter(Boolean));
}

function activate(index) {
  const article = articles[index];
  if (!article || index === active) return;
  articles[active]?.classList.remove("is-active");
  const held = articles[active]?.contains(document.activeElement);
  active = index;
  shelf.wakeNear(articles, index);
  givePlayers();
  article.classList.add("is-active");
  hud.attach(article, pool.of(article));
  shelf.putFar(articles, index);
  if (held) article.focus({ preventScroll: true });
  comments.followClip(article);
  root.classList.toggle("is-first", index === 0);
  clearTimeout(settle);
  settle = setTimeout(() => nameInAddress(article), SETTLED);
  if (articles.length - index <= AHEAD) loadMore();
}

/* Reload, share and "back" all find the clip that plays, in the order it was in. */
function nameInAddress(article) {
  history.replaceState({ origin: article.origin, tab: root.dataset.tab, home: root.dataset.home }, "", article.dataset.url);
}

const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (entry.target === endcard) {
      atEnd = entry.isIntersecting;
      if (atEnd) hud.video?.pause();
      else hud.resume();
      continue;
    }
    if (entry.isIntersecting && entry.intersectionRatio >= 0.6) {
      const index = articles.indexOf(entry.target);
      if (index < 0) continue;
      activate(index);
      if (!moving()) target = index;
    }
  }
}, { root: scroller, threshold: 0.6 });

let movedAt = -Infinity;
const moving = () => performance.now() - movedAt < 900;
scroller.addEventListener("scrollend", () => {
  movedAt = -Infinity;
  target = Math.round(scroller.scrollTop / scroller.clientHeight);
  if (target >= articles.length) loadMore();
});

/** Go one clip on (1) or back (-1); the card after the last clip is a stop too. */
function move(step) {
  const last = articles.length - 1 + (endcard ? 1 : 0);
  const from = moving() ? target : Math.round(scroller.scrollTop / scroller.clientHeight);
  target = Math.max(0, Math.min(last, from + step));
  movedAt = performance.now();
  const stop = articles[target] ?? endcard;
  scroller.scrollTo({ top: stop.offsetTop, behavior: calm() ? "instant" : "smooth" });
  if (target === last) loadMore();
}

function retryClip(article) {
  pool.renew(article);
  givePlayers();
  hud.attach(article, pool.of(article));
}

/* ── clips that are not wanted ──────────────────────────── */

/* A clip leaves the feed, and the next one takes its place. */
function leave(article) {
  const index = articles.indexOf(article);
  if (index < 0) return;
  article.place = index;
  watcher.unobserve(article);
  articles.splice(index, 1);
  if (index === active) {
    hud.detach();
    hud.root.remove();
    active = -1;
  } else if (index < active) active -= 1;
  article.remove();
  renumber(index);
}

/* It comes back where it was, and is on. */
function comeBack(article) {
  if (articles.includes(article)) return;
  const index = Math.min(article.place, articles.length);
  list.insertBefore(article, articles[index] ?? null);
  articles.splice(index, 0, article);
  watcher.observe(article);
  if (index <= active) active += 1;
  renumber(index);
  delete article.place;
}

function renumber(index) {
  articles.forEach((one, place) => one.setAttribute("aria-posinset", place + 1));
  const on = articles[index] ?? null;
  if (active < 0 && !on) {
    pool.assign([]);
    target = articles.length;
    loadMore();
    return;
  }
  target = active < 0 || on?.place === index ? index : active;
  scroller.scrollTo({ top: articles[target].offsetTop, behavior: "instant" });
  activate(target);
}

root.addEventListener("clip:leave", (event) => leave(event.target));
document.addEventListener("clip:return", (event) => comeBack(event.detail));

/* ── captions ───────────────────────────────────────────── */

function checkCaption(article) {
  const text = article.querySelector("[data-caption]");
  const more = article.querySelector("[data-caption-more]");
  if (text && more && !text.classList.contains("is-open")) {
    requestAnimationFrame(() => (more.hidden = text.scrollHeight <= text.clientHeight + 2));
  }
}

list.addEventListener("click", (event) => {
  const article = event.target.closest("article");
  const more = event.target.closest("[data-caption-more]");
  if (more) {
    const open = article.querySelector("[data-caption]").classList.toggle("is-open");
    more.setAttribute("aria-expanded", String(open));
    more.textContent = open ? "less" : "more";
  }
  const opener = event.target.closest("[data-open-comments]");
  if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    if (comments.commentsOpen()) comments.closeComments();
    else comments.openComments(article, opener);
  }
  if (event.target.closest("[data-share-button]")) share(article);
  if (event.target.closest("[data-menu-button]")) openMenu(article);
});

/* ── wiring ─────────────────────────────────────────────── */

const openKeys = () => document.getElementById("keys-help").showModal();

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else root.requestFullscreen?.().catch(() => {});
}

bindWheel(scroller, move);
bindKeys({
  next: () => move(1),
  previous: () => move(-1),
  first: () => move(-articles.length),
  toggle: () => hud.toggle(),
  sound: () => hud.toggleSound(),
  like: () => {
    const article = articles[active];
    const button = article?.querySelector('form[data-act="like"] button');
    if (button) {
      if (button.getAttribute("aria-pressed") === "false") hud.burst();
      button.form.requestSubmit(button);
    } else article?.querySelector('[data-invite="like"]')?.click();
  },
  comments: () => {
    if (comments.commentsOpen()) comments.closeComments();
    else if (articles[active]) comments.openComments(articles[active], articles[active].querySelector("[data-open-comments]"));
  },
  full: fullScreen,
  help: openKeys,
  seek: (share_) => hud.seek(share_),
  skip: (seconds) => hud.skip(seconds),
});
bindMenu(hud, openKeys, fullScreen);
if (navigator.maxTouchPoints) {
  import("./pull.js").then(({ bindPull }) => bindPull(scroller, root, () => refresh()), () => {});
}
// The stills of a clip come when somebody first drags along it.
hud.scrubber.addEventListener("input", async () => {
  const { showStill } = await import("./stills.js");
  showStill(hud);
});

root.querySelector("[data-previous]").addEventListener("click", () => move(-1));
root.querySelector("[data-following]").addEventListener("click", () => move(1));
for (const button of root.querySelectorAll("[data-retry]")) button.addEventListener("click", loadMore);
root.querySelector("[data-refresh]")?.addEventListener("click", (event) => {
  event.preventDefault();
  refresh();
});
for (const link of root.querySelectorAll("[data-tab-link][aria-current]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    refresh();
  });
}
addEventListener("online", () => {
  if (endcard && ["offline", "error"].includes(endcard.dataset.state)) loadMore();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) hud.video?.pause();
  else if (!atEnd) hud.resume();
});
addEventListener("pageshow", (event) => {
  if (event.persisted && !atEnd) hud.resume();
});
addEventListener("resize", () => {
  const article = articles[active];
  if (article) scroller.scrollTo({ top: article.offsetTop, behavior: "instant" });
});

/* A page that is come back to (without the browser's own page cache) gets its order back around its clip. */
async function restore() {
  const { origin, tab, home } = history.state ?? {};
  const here = articles[0];
  if (!origin || !here || root.dataset.tab || articles.length > 1) return;
  const mine = generation;
  loading = true; // what follows this clip is the rest of its order, not a new one
  try {
    const content = parse(await fragment(origin));
    if (mine !== generation) return;
    const place = [...content.querySelectorAll("article")].findIndex((one) => one.dataset.clip === here.dataset.clip);
    if (place < 0) return;
    clear();
    add(take(content, origin));
    root.dataset.tab = tab ?? "";
    root.dataset.home = home ?? root.dataset.home;
    endcard.dataset.state = nextUrl ? "more" : "end";
    scroller.scrollTo({ top: articles[place].offsetTop, behavior: "instant" });
    activate(place);
  } catch {
    /* the clip itself plays; what came around it is a comfort */
  } finally {
    loading = false;
  }
  if (articles.length - active <= AHEAD) loadMore();
}

// What only serves pages without JavaScript would double ids of the panel.
document.getElementById("comments-plain")?.remove();
add(take(list, location.href));
if (endcard) watcher.observe(endcard);
restore();
activate(0);
