/* A pool of at most four <video> elements that wander with the reader: the clip that plays, the next
   two, and the one before. They load one after the other, the clip that plays first: on a slow line
   the neighbors would take from it just what it needs. */
import { pref } from "./prefs.js";

const SIZE = 4;
const AHEAD = 4; // seconds that the clip that plays has in hand before a neighbor may load
const CAUTIOUS = 1.7e6; // bits a second that a line is taken for until it has been measured
const SHARE = 0.6; // of the line that a clip may need
const QUICK = 150; // ms; what comes sooner comes from the cache and tells nothing of the line
const SAMPLES = 6;
const FAST = 2.5e6; // bits a second from which a line is not slow
const RESERVE = 1; // seconds of a clip that a slow line has to have brought before it begins
const PATIENCE = 4000; // ms after which it begins in any case
const NEWS = ["progress", "suspend", "error", "emptied"];
const connection = navigator.connection;

/** The renditions of an article, small to large: [{url, width, bitrate}]. */
export function sourcesOf(article) {
  return (article.dataset.sources ?? "")
    .split(", ")
    .filter(Boolean)
    .map((text) => {
      const [url, width, bitrate] = text.split(" ");
      return { url, width: Number(width), bitrate: Number(bitrate) };
    })
    .sort((a, b) => a.width - b.width);
}

/** Whether the reader or the network asks to go easy on data. */
export function frugal() {
  return pref("saver") || connection?.saveData || /(^|slow-)2g|3g/.test(connection?.effectiveType ?? "");
}

/* ── how fast the line is ───────────────────────────────── */

let ceiling = Infinity; // bits a second; lowered when a clip stalls, and slowly forgotten
let samples = [];
const marks = new WeakMap(); // video -> {end, at}: what it had at the last look

/** Bits a second that the line carries, as far as is known. */
export function line() {
  if (samples.length) return [...samples].sort((a, b) => b - a)[Math.min(1, samples.length - 1)];
  return Math.min(CAUTIOUS, (connection?.downlink ?? Infinity) * 1e6);
}

const bufferedTo = (video) => (video.buffered.length ? video.buffered.end(video.buffered.length - 1) : 0);

function measure(video) {
  const before = marks.get(video);
  const now = { end: bufferedTo(video), at: performance.now() };
  marks.set(video, now);
  const bits = (now.end - (before?.end ?? now.end)) * Number(video.dataset.bitrate);
  const time = now.at - (before?.at ?? now.at);
  if (bits > 0 && time > QUICK) samples = [...samples, (bits * 1000) / time].slice(-SAMPLES);
}

/** A clip waited for data: the next ones are taken lighter. */
export function stalled(article) {
  const bitrate = Number(article.querySelector("video")?.dataset.bitrate);
  if (bitrate) ceiling = Math.min(ceiling, bitrate * 0.8);
}

/** The rendition for a stage `width` CSS pixels wide: sharp enough for the screen, light enough for the line. */
export function choose(sources, width) {
  if (frugal()) return sources[0];
  const wanted = width * Math.min(devicePixelRatio || 1, 2) * 0.85;
  const most = Math.min(ceiling, line() * SHARE);
  const light = sources.filter((source, index) => index === 0 || source.bitrate <= most);
  return light.find((source) => source.width >= wanted) ?? light.at(-1);
}

/* ── when to begin ──────────────────────────────────────── */

const slow = () => samples.length > 0 && line() < FAST;

/* Whether `video` could play to its end while the line brings the rest. */
function inHand(video) {
  const late = video.duration * (1 - (line() * SHARE) / Number(video.dataset.bitrate));
  return whole(video) || bufferedTo(video) - video.currentTime >= Math.max(RESERVE, late || 0);
}

/** Resolves when `video` may begin: at once, but on a slow line when it will not stop on its way. */
export function enough(video) {
  if (!slow() || inHand(video)) return Promise.resolve();
  return new Promise((resolve) => {
    const look = (event) => {
      if (event?.type === "progress" && !inHand(video)) return;
      clearTimeout(timer);
      for (const name of NEWS) video.removeEventListener(name, look);
      resolve();
    };
    const timer = setTimeout(look, PATIENCE);
    for (const name of NEWS) video.addEventListener(name, look);
  });
}

/* ── the pool ───────────────────────────────────────────── */

const whole = (video) => video.duration > 0 && bufferedTo(video) >= video.duration - 0.2;
const troubled = (video) => Boolean(video.error) || video.networkState === video.NETWORK_NO_SOURCE;

/* Whether the clip that plays needs the line no longer, for now. */
const atEase = (video) =>
  whole(video) || troubled(video) || (video.readyState > 2 && bufferedTo(video) - video.currentTime > AHEAD);

/* Whether a neighbor could begin at once. */
const prepared = (video) => troubled(video) || video.readyState > 1;

export class Pool {
  #videos = [];
  #owners = new Map(); // article -> video
  #wanted = [];

  /** The player of `article`, if it has one now. */
  of(article) {
    return this.#owners.get(article);
  }

  /** Give players to `articles` (most wanted first; the first one plays) and take them from all others. */
  assign(articles) {
    this.#wanted = articles.slice(0, frugal() ? 2 : SIZE);
    ceiling *= 1.05;
    const first = this.#owners.get(this.#wanted[0]);
    const busy = !first || !atEase(first);
    for (const [article, video] of this.#owners) {
      const place = this.#wanted.indexOf(article);
      // What is half loaded would go on, above all the one that played; what is left of it has time.
      const loads = video.preload === "auto" || (slow() && video.networkState === video.NETWORK_LOADING);
      const greedy = !whole(video) && (loads || !prepared(video));
      if (place < 0 || (busy && place > 0 && greedy)) this.#release(article, video);
    }
    if (this.#wanted.length) this.#give(this.#wanted[0], "auto");
    this.#go();
  }

  /* Let the next neighbor load when all before it have what they need. */
  #go = () => {
    const [first, ...neighbors] = this.#wanted;
    const playing = this.of(first);
    let free = !playing || atEase(playing);
    for (const article of neighbors) {
      if (!free) return;
      this.#give(article, "metadata");
      const video = this.of(article);
      free = !video || prepared(video);
    }
  };

  #give(article, preload) {
    const stage = article.querySelector("[data-stage]");
    if (!stage) return;
    const known = this.#owners.get(article);
    if (known?.isConnected) {
      if (preload === "auto") known.preload = preload;
      return;
    }
    const sources = sourcesOf(article);
    if (!sources.length) return;
    const early = stage.querySelector("video");
    const video = early ?? known ?? this.#videos.pop() ?? document.createElement("video");
    if (!marks.has(video)) this.#furnish(video);
    this.#owners.set(article, video);
    marks.set(video, { end: 0, at: performance.now() });
    video.preload = preload;
    if (!early) {
      const source = choose(sources, stage.clientWidth);
      video.dataset.bitrate = source.bitrate;
      video.src = source.url;
      stage.querySelector(".stage__shade").before(video);
    }
    const live = () => {
      if (video.isConnected && video.parentElement === stage) stage.classList.add("is-live");
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(live);
    else video.addEventListener("timeupdate", live, { once: true });
  }

  /* Make a new element, or the one that came with the page, one of ours. */
  #furnish(video) {
    video.className = "stage__video";
    video.controls = false;
    video.playsInline = video.loop = video.muted = video.disableRemotePlayback = true;
    video.tabIndex = -1;
    video.addEventListener("progress", () => measure(video));
    for (const name of ["progress", "loadeddata", "canplaythrough", "suspend", "error"]) {
      video.addEventListener(name, this.#go);
    }
  }

  #release(article, video) {
    this.#owners.delete(article);
    video.pause();
    video.parentElement?.classList.remove("is-live");
    video.remove();
    video.removeAttribute("src");
    video.load(); // lets go of the connection and the decoded frames
    video.playbackRate = 1;
    this.#videos.push(video);
  }

  /** Start again from nothing for `article`: its player failed. */
  renew(article) {
    const video = this.#owners.get(article);
    if (video) this.#release(article, video);
  }
}
