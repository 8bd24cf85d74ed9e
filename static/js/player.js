/* A pool of at most four <video> elements that wander with the reader: the clip that plays, the next
   two (metadata only), and the one before. */
import { pref } from "./prefs.js";

const SIZE = 4;
const connection = navigator.connection;
let ceiling = Infinity; // bits a second; lowered when a clip stalls

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

/** The rendition for a stage `width` CSS pixels wide: sharp enough for the screen, light enough for the line. */
export function choose(sources, width) {
  if (frugal()) return sources[0];
  const wanted = width * Math.min(devicePixelRatio || 1, 2) * 0.85;
  const line = Math.min(ceiling, (connection?.downlink ?? Infinity) * 1e6 * 0.7);
  const light = sources.filter((source, index) => index === 0 || source.bitrate <= line);
  return light.find((source) => source.width >= wanted) ?? light.at(-1);
}

function blank() {
  const video = document.createElement("video");
  video.className = "stage__video";
  video.playsInline = true;
  video.loop = true;
  video.muted = true;
  video.preload = "none";
  video.disableRemotePlayback = true;
  video.tabIndex = -1;
  return video;
}

export class Pool {
  #videos = [];
  #owners = new Map(); // article -> video

  /** The player of `article`, if it has one now. */
  of(article) {
    return this.#owners.get(article);
  }

  /** Give players to `articles` (most wanted first) and take them from all others. */
  assign(articles) {
    const wanted = articles.slice(0, SIZE);
    for (const [article, video] of this.#owners) {
      if (!wanted.includes(article)) this.#release(article, video);
    }
    const preloads = frugal() ? ["auto", "metadata", "none", "none"] : ["auto", "metadata", "metadata", "metadata"];
    wanted.forEach((article, index) => this.#give(article, preloads[index]));
  }

  #give(article, preload) {
    const stage = article.querySelector("[data-stage]");
    if (!stage) return;
    const known = this.#owners.get(article);
    if (known?.isConnected) {
      if (preload === "auto" || known.preload === "none") known.preload = preload;
      return;
    }
    const sources = sourcesOf(article);
    if (!sources.length) return;
    const video = known ?? this.#videos.pop() ?? blank();
    video.preload = preload;
    video.src = choose(sources, stage.clientWidth).url;
    this.#owners.set(article, video);
    stage.querySelector(".stage__shade").before(video);
    const live = () => {
      if (video.isConnected && video.parentElement === stage) stage.classList.add("is-live");
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(live);
    else video.addEventListener("timeupdate", live, { once: true });
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

/** A clip waited for data: the next ones are taken lighter. */
export function stalled(article) {
  const used = sourcesOf(article).find((source) => article.querySelector("video")?.src.endsWith(source.url));
  if (used?.bitrate) ceiling = Math.min(ceiling, used.bitrate * 0.8);
}
