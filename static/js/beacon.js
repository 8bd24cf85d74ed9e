/* Impressions and watch time, sent in batches that survive leaving the page. */
import { csrfToken, signedIn } from "./api.js";

const PATH = "/videos/views";
const EVERY = 20000;
const BATCH = 20;

let current = null;
let waiting = [];
let measure = () => {};

/** `act` is called before a clip goes off, to count what it played since the last count. */
export function measureBy(act) {
  measure = act;
}

/** The clip `id` came on; a swipe away in the same instant still counts as an impression. */
export function began(id) {
  ended();
  current = { video: Number(id), seconds: 0, completed: false };
}

/** `seconds` more of the current clip were really played; `completed` when it reached its end. */
export function watched(seconds, completed) {
  if (!current) return;
  current.seconds += seconds;
  current.completed ||= completed;
}

/** The current clip went off. */
export function ended() {
  if (!current) return;
  measure();
  waiting.push({ ...current, seconds: Math.round(current.seconds * 100) / 100 });
  current = null;
  if (waiting.length >= BATCH) flush();
}

/** Send what is waiting. */
export function flush() {
  if (!waiting.length || !signedIn()) {
    waiting = [];
    return;
  }
  const form = new FormData();
  form.append("payload", JSON.stringify({ views: waiting }));
  form.append("csrfmiddlewaretoken", csrfToken());
  waiting = [];
  navigator.sendBeacon(PATH, form);
}

let left = null; // the clip that was on when the tab was hidden

function leave() {
  left ??= current?.video;
  ended();
  flush();
}

addEventListener("pagehide", leave);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") leave();
  else if (left !== null) {
    if (left && !current) began(left);
    left = null;
  }
});
setInterval(flush, EVERY);
