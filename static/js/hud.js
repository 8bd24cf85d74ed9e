/* The one set of controls over the clip that plays: pause, sound, scrubber, trouble, heart. */
import { pref, setPref, calm } from "./prefs.js";
import { enough, stalled } from "./player.js";
import * as beacon from "./beacon.js";
import { toast } from "./toast.js";

const DOUBLE = 280; // ms between the taps of a double tap
const LONG = 550; // ms of a long press

export class Hud {
  constructor(template, { onLike, onMenu, onRetry }) {
    this.root = template.content.firstElementChild.cloneNode(true);
    const find = (name) => this.root.querySelector(`[data-${name}]`);
    this.playButton = find("play");
    this.soundButton = find("sound");
    this.trouble = find("trouble");
    this.time = find("time");
    this.scrubber = find("scrubber");
    Object.assign(this, { onLike, onMenu, onRetry, article: null, video: null, wanted: true, speed: 1 });
    this.playButton.addEventListener("click", () => this.toggle());
    this.soundButton.addEventListener("click", () => this.toggleSound());
    find("replay").addEventListener("click", () => this.onRetry(this.article));
    this.scrubber.addEventListener("input", () => this.#scrub());
    this.scrubber.addEventListener("change", () => this.root.classList.remove("is-scrubbing"));
    this.#showSound(!pref("muted"));
    beacon.measureBy(() => this.#count());
    document.addEventListener("clip:captions", () => this.toggleCaptions());
  }

  /** Move to `article` and its `video`, and play. */
  attach(article, video) {
    this.detach();
    this.article = article;
    this.video = video;
    const stage = article.querySelector("[data-stage]");
    stage.append(this.root);
    this.trouble.hidden = Boolean(video);
    this.#showProgress(0);
    this.scrubber.setAttribute("aria-valuetext", "");
    if (!video) return;
    this.events = new AbortController();
    const on = (name, act) => video.addEventListener(name, act, { signal: this.events.signal });
    on("timeupdate", () => this.#tick());
    on("playing", () => this.#showState());
    on("play", () => this.#showState());
    on("pause", () => this.#showState());
    on("waiting", () => this.#wait(true));
    on("canplay", () => this.#wait(false));
    on("error", () => this.#fail());
    if (video.error) this.#fail();
    this.#bindTaps(stage, this.events.signal);
    // Setting it, even to where it is, is a seek that throws the first frame away.
    if (video.currentTime) video.currentTime = 0;
    this.last = 0;
    video.playbackRate = this.speed;
    this.wanted = pref("autoplay") && !calm();
    this.#showCaptions();
    beacon.began(article.dataset.clip);
    if (this.wanted) this.play();
    else this.#showState();
  }

  /** Let go of the clip that played. */
  detach() {
    this.events?.abort();
    this.video?.pause();
    this.video?.replaceChildren(); // the subtitles of this clip
    if (this.video) beacon.ended();
    clearTimeout(this.patience);
    this.root.classList.remove("is-waiting", "is-scrubbing");
    this.article = this.video = null;
  }

  async play() {
    const { video } = this;
    if (!video) return;
    this.wanted = true;
    video.muted = pref("muted");
    this.#showSound(!video.muted);
    await enough(video);
    if (video !== this.video || !this.wanted) return;
    try {
      await video.play();
    } catch (error) {
      if (video !== this.video || error.name !== "NotAllowedError") return;
      // Browsers refuse sound before the first gesture on a page: begin silently instead.
      video.muted = true;
      this.#showSound(false);
      await video.play().catch(() => this.#showState());
    }
  }

  pause() {
    this.wanted = false;
    this.video?.pause();
  }

  toggle() {
    if (this.video?.paused) this.play();
    else this.pause();
  }

  /** The tab came back: go on if the reader had not paused. */
  resume() {
    if (this.wanted && this.video?.paused) this.play();
  }

  toggleSound() {
    const muted = this.video ? !this.video.muted : !pref("muted");
    setPref("muted", muted);
    if (this.video) this.video.muted = muted;
    this.#showSound(!muted);
  }

  /** Subtitles on or off, here and in the clips to come. */
  toggleCaptions() {
    const { captionsOn, captionsOff, noCaptions } = document.getElementById("clip-menu").dataset;
    if (!this.article?.dataset.subtitles) {
      toast(noCaptions);
      return;
    }
    setPref("captions", !pref("captions"));
    toast(pref("captions") ? captionsOn : captionsOff);
    this.#showCaptions();
  }

  async #showCaptions() {
    const { article, video } = this;
    if (!article.dataset.subtitles || !video) return;
    video.replaceChildren();
    if (!pref("captions")) return;
    const { show } = await import("./captions.js");
    if (video === this.video && article === this.article) show(video, article);
  }

  setSpeed(speed) {
    this.speed = speed;
    if (this.video) this.video.playbackRate = speed;
  }

  /** Jump to `share` (0 … 1) of the clip. */
  seek(share) {
    if (this.video?.duration) this.video.currentTime = this.video.duration * Math.min(share, 0.999);
  }

  skip(seconds) {
    if (!this.video?.duration) return;
    const end = this.video.duration - 0.05;
    this.video.currentTime = Math.max(0, Math.min(end, this.video.currentTime + seconds));
  }

  /** A heart where the finger was (or in the middle). */
  burst(x, y) {
    if (calm()) return;
    const box = this.root.getBoundingClientRect();
    const heart = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `${document.body.dataset.sprite}#heart`);
    heart.append(use);
    heart.classList.add("burst");
    heart.style.setProperty("--x", `${(x ?? box.left + box.width / 2) - box.left}px`);
    heart.style.setProperty("--y", `${(y ?? box.top + box.height / 2) - box.top}px`);
    heart.style.setProperty("--tilt", `${Math.round(Math.random() * 40 - 20)}deg`);
    heart.addEventListener("animationend", () => heart.remove());
    this.root.append(heart);
  }

  #bindTaps(stage, signal) {
    let taps = 0;
    let timer = 0;
    let press = 0;
    const free = (event) => !event.target.closest("a, button, input, video[controls]");
    stage.addEventListener("click", (event) => {
      if (!free(event)) return;
      taps += 1;
      clearTimeout(timer);
      if (taps > 1) {
        this.onLike(this.article);
        this.burst(event.clientX, event.clientY);
        timer = setTimeout(() => (taps = 0), DOUBLE);
        return;
      }
      timer = setTimeout(() => {
        taps = 0;
        if (!signal.aborted) this.toggle();
      }, DOUBLE);
    }, { signal });
    stage.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "touch" || !free(event)) return;
      press = setTimeout(() => {
        swallowClick();
        this.onMenu(this.article);
      }, LONG);
    }, { signal });
    for (const name of ["pointerup", "pointercancel", "pointermove"]) {
      stage.addEventListener(name, (event) => {
        if (name !== "pointermove" || Math.hypot(event.movementX, event.movementY) > 6) clearTimeout(press);
      }, { signal });
    }
    stage.addEventListener("contextmenu", (event) => {
      if (event.pointerType === "touch") event.preventDefault();
    }, { signal });
  }

  /* What was played since the last count. */
  #count() {
    const { video } = this;
    if (!video) return;
    const passed = video.currentTime - this.last;
    // A step back is the loop beginning again; a long step is a jump and was not watched.
    const looped = passed < -0.5 && this.last > (video.duration || 0) - 1;
    const near = video.duration && video.currentTime > video.duration - 0.35;
    if (passed > 0 && passed < 1.5) beacon.watched(passed, Boolean(near));
    else if (looped) beacon.watched(0, true);
    this.last = video.currentTime;
  }

  #tick() {
    const { video } = this;
    this.#count();
    if (!this.root.classList.contains("is-scrubbing")) this.#showProgress(video.currentTime / (video.duration || 1));
    this.#wait(false);
  }

  #scrub() {
    const share = this.scrubber.value / 1000;
    this.root.classList.add("is-scrubbing");
    const { duration } = this.video ?? {};
    if (!duration) return;
    this.video.currentTime = Math.min(share * duration, duration - 0.05);
    const text = `${clock(share * duration)} / ${clock(duration)}`;
    this.time.textContent = text;
    this.scrubber.setAttribute("aria-valuetext", text);
    this.scrubber.style.setProperty("--share", share);
  }

  #showProgress(share) {
    this.scrubber.value = Math.round(share * 1000);
    this.scrubber.style.setProperty("--share", share);
  }

  #showState() {
    const paused = this.video?.paused ?? true;
    this.root.classList.toggle("is-paused", paused);
    const { labelPlay, labelPause } = this.playButton.dataset;
    this.playButton.setAttribute("aria-label", paused ? labelPlay : labelPause);
  }

  #showSound(on) {
    this.root.classList.toggle("is-loud", on);
    const { labelOn, labelOff } = this.soundButton.dataset;
    this.soundButton.setAttribute("aria-label", on ? labelOn : labelOff);
  }

  #wait(waiting) {
    clearTimeout(this.patience);
    if (!waiting) {
      this.root.classList.remove("is-waiting");
      return;
    }
    const { article } = this;
    this.patience = setTimeout(() => {
      this.root.classList.add("is-waiting");
      if (article) stalled(article);
    }, 350);
  }

  #fail() {
    this.trouble.hidden = false;
    this.root.classList.remove("is-waiting");
  }
}

/* The lifting of a long press is no click: not on the stage, and not beside the menu that opened. */
function swallowClick() {
  const swallow = (event) => {
    event.stopPropagation();
    event.preventDefault();
  };
  // The next press, or a key, is meant again.
  const stop = new AbortController();
  document.addEventListener("click", swallow, { capture: true, signal: stop.signal });
  for (const name of ["pointerdown", "keydown"]) {
    document.addEventListener(name, () => stop.abort(), { capture: true, signal: stop.signal });
  }
}

function clock(seconds) {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
