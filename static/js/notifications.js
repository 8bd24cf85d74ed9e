/* News: the badges of every page and the open list, without a reload.
   As long as nothing is new an answer is an empty 304, which costs the server one look into Redis. */
import { call, csrfToken, fragment } from "./api.js";
import { toast } from "./toast.js";

const EVERY = 5_000; // ms
const IDLE_EVERY = 30_000;
const IDLE_AFTER = 5 * 60_000;
const SLOWEST = 60_000; // while the server does not answer

const { newsPath, newsRead } = document.body.dataset;
const list = document.querySelector("[data-notes]");
let token = document.body.dataset.news;
let version = "";
let timer = 0;
let trouble = 0;
let active = performance.now();
let stopped = false;

function show(unread) {
  for (const badge of document.querySelectorAll("[data-news-count]")) {
    badge.hidden = !unread;
    badge.firstChild.data = unread > 99 ? "99+" : String(unread);
  }
  const all = document.querySelector("[data-mark-all]");
  if (all) all.disabled = !unread;
}

/* What is the same in two answers but for the protection of its forms. */
const bare = (html) => html.replace(/<input[^>]*csrfmiddlewaretoken[^>]*>/g, "").replace(/\s+/g, " ").trim();
let shown = "";

async function refresh() {
  if (!list?.dataset.live) return;
  const html = await fragment(list.dataset.live);
  if (bare(html) === shown) return;
  shown = bare(html);
  const focused = list.contains(document.activeElement) ? document.activeElement.id : "";
  list.innerHTML = html;
  if (focused) (document.getElementById(focused) ?? list.querySelector("a"))?.focus();
}

async function ask() {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (token && version) headers["If-None-Match"] = version; // without a token one is wanted, and a 304 has none
  const response = await fetch(newsPath, { headers, cache: "no-store", credentials: token ? "omit" : "same-origin" });
  if (response.status === 401) {
    stopped = !token; // not even the cookie is good for anything any more
    token = "";
    return stopped ? undefined : ask(); // the cookie gets a new token
  }
  if (response.status === 304) return undefined;
  if (!response.ok) throw new Error(`${response.status}`);
  const news = await response.json();
  token = news.token ?? token;
  show(news.unread);
  await refresh();
  version = response.headers.get("ETag"); // last, so that a list that did not come is asked for again
  return undefined;
}

async function turn() {
  clearTimeout(timer);
  if (stopped || document.hidden) return;
  try {
    await ask();
    trouble = 0;
  } catch {
    trouble += 1;
  }
  const every = performance.now() - active > IDLE_AFTER ? IDLE_EVERY : EVERY;
  clearTimeout(timer);
  timer = setTimeout(turn, Math.min(SLOWEST, every * 2 ** trouble));
}

/* Marks as read; what is done is shown at once, and by the answer. */
async function mark(what) {
  const { unread } = await call("POST", newsRead, what);
  show(unread);
  await refresh();
}

list?.closest(".page").addEventListener("submit", (event) => {
  if (!event.target.matches("[data-mark]")) return;
  event.preventDefault();
  const button = event.submitter;
  mark(button.name === "all" ? { all: true } : { groups: [button.value] }).catch((error) => toast(error.message));
});
// All of a group is on the page, or on the next ones: it is read. What was new still looks so.
const seen = document.querySelector("[data-seen]");
if (seen) {
  mark({ groups: [seen.dataset.seen] })
    .then(() => seen.querySelectorAll("form").forEach((form) => form.remove()))
    .catch(() => {}); // its dots stay, to be pressed
}
// Whoever goes to look has read it; the page may be gone before the answer comes.
list?.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-note]");
  if (!link?.closest(".note--new")) return;
  fetch(newsRead, {
    method: "POST",
    keepalive: true,
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: JSON.stringify({ groups: [link.dataset.note] }),
  }).catch(() => {});
});

for (const name of ["pointerdown", "keydown", "wheel"]) {
  addEventListener(name, () => {
    const wasIdle = performance.now() - active > IDLE_AFTER;
    active = performance.now();
    if (wasIdle) turn();
  }, { passive: true });
}
document.addEventListener("visibilitychange", turn);
addEventListener("pageshow", (event) => event.persisted && turn());
turn();
