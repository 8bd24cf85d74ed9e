/* Posting a clip: checks before the transfer, drag and drop, real progress, how the processing
goes, and a draft of what was written.

The transfer begins when a file is chosen, as a clip that only its author sees; the form stays
usable, and "Post" then sets caption and audience. Without this module the form just works. */

import { call, csrfToken } from "./api.js";
import { draft } from "./draft.js";
import { complete } from "./mentions.js";

const LOOK_AGAIN = 1500; // ms

class Uploader {
  constructor(form) {
    this.form = form;
    this.text = form.dataset;
    this.input = form.querySelector('input[type="file"]');
    this.video = null; // what the API answered
    this.request = null;
    this.wantsPost = false;
    this.find = (name) => form.querySelector(`[data-${name}]`);
    this.draft = draft(form);
    complete(form.elements.caption, "@#");
    this.bind();
  }

  bind() {
    const zone = this.find("dropzone");
    this.input.addEventListener("change", () => this.choose(this.input.files[0]));
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.find("other").addEventListener("click", () => this.other());
    this.find("again").addEventListener("click", () => this.choose(this.file));
    for (const kind of ["dragenter", "dragover"]) {
      zone.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.classList.add("dropzone--over");
      });
    }
    for (const kind of ["dragleave", "drop"]) {
      zone.addEventListener(kind, () => zone.classList.remove("dropzone--over"));
    }
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files.length) this.choose(event.dataTransfer.files[0]);
    });
    window.addEventListener("beforeunload", (event) => {
      if (this.isBusy()) event.preventDefault();
    });
  }

  isBusy() {
    return Boolean(this.request) || (this.video && !this.posted);
  }

  async choose(file) {
    if (!file) return;
    this.stop();
    this.file = file;
    this.find("again").hidden = true;
    this.showError("");
    const problem = await this.check(file);
    if (file !== this.file) return; // another one was chosen meanwhile, or none
    if (problem) {
      this.input.value = "";
      this.showError(problem);
      return;
    }
    this.showChosen(true);
    this.find("name").textContent = `${file.name} · ${megabytes(file.size)}`;
    this.send(file);
  }

  /* Type, size and length, as far as the browser can tell; the server checks all again. */
  async check(file) {
    if (file.size === 0) return this.text.empty;
    if (file.size > Number(this.text.maxBytes)) return this.text.tooLarge;
    if (file.type && !file.type.startsWith("video/")) return this.text.notAVideo;
    const seconds = await this.preview(file);
    if (seconds > Number(this.text.maxSeconds) + 0.5) return this.text.tooLong;
    return "";
  }

  /* Seconds of the clip, or 0 when this browser cannot play it, which is no reason to refuse. */
  preview(file) {
    const player = this.find("preview");
    if (player.src) URL.revokeObjectURL(player.src);
    const source = URL.createObjectURL(file);
    return new Promise((resolve) => {
      const settle = (seconds) => {
        if (player.src === source) player.onloadedmetadata = player.onerror = null;
        resolve(Number.isFinite(seconds) ? seconds : 0);
      };
      player.onloadedmetadata = () => {
        player.hidden = !player.videoWidth; // only its sound can be played here
        settle(player.duration);
        player.play().catch(() => {});
      };
      player.onerror = () => {
        player.hidden = true;
        settle(0);
      };
      player.src = source;
      setTimeout(() => settle(0), 4000);
    });
  }

  send(file) {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("visibility", "private");
    body.append("file", file);
    this.request = request;
    this.video = null;
    this.state(this.text.sending, 0);
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const percent = Math.floor((100 * event.loaded) / event.total);
      this.state(percent < 100 ? `${this.text.sending} ${percent} %` : this.text.checking, percent);
    });
    request.addEventListener("load", () => this.arrived(request));
    request.addEventListener("error", () => this.failed(this.text.broken, true));
    request.open("POST", this.text.api);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.send(body);
  }

  arrived(request) {
    if (request !== this.request) return;
    if (request.status !== 201) {
      const answer = request.response || {};
      const again = request.status >= 500 || request.status === 429 || !request.status;
      this.failed(answer.detail || this.text.broken, again);
      return;
    }
    this.request = null;
    this.video = request.response;
    this.state(this.text.arrived, 100);
    if (this.wantsPost) this.post();
    else this.watch(this.video.id);
  }

  /* While one still writes, the clip is processed already: say how far, or why not. */
  async watch(id) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN));
    if (this.video?.id !== id || this.wantsPost) return;
    let video = null;
    try {
      const answer = await fetch(`/videos/${id}`, { headers: { Accept: "application/json" } });
      if (answer.ok) video = await answer.json();
    } catch {
      /* offline for a moment */
    }
    if (this.video?.id !== id || this.wantsPost) return;
    if (video?.status === "rejected") {
      this.stop();
      this.failed(video.reason, false);
    } else if (video?.status === "ready") {
      this.state(this.text.ready, 100);
      const player = this.find("preview");
      if (player.hidden && video.poster) {
        player.removeAttribute("src");
        player.poster = video.poster;
        player.hidden = false;
      }
    } else if (video?.status === "failed") {
      this.state(video.reason, 0);
    } else {
      if (video?.status === "processing") this.state(`${this.text.processing} ${video.progress} %`, video.progress);
      this.watch(id);
    }
  }

  failed(message, again) {
    this.request = null;
    this.wantsPost = false;
    this.find("post").disabled = false;
    this.state("", 0);
    this.showError(message);
    this.find("again").hidden = !again;
    if (!again) this.showChosen(false);
  }

  submit(event) {
    if (!this.request && !this.video) {
      if (this.file) event.preventDefault();
      return; // nothing chosen: the server says so
    }
    event.preventDefault();
    this.wantsPost = true;
    this.find("post").disabled = true;
    if (this.video) this.post();
    else this.state(this.text.waiting);
  }

  async post() {
    const form = new FormData(this.form);
    const body = { caption: form.get("caption"), visibility: form.get("visibility") };
    try {
      const video = await call("PATCH", `/videos/${this.video.id}`, body);
      this.posted = true;
      this.draft.forget();
      location.assign(`${video.url}/status`);
    } catch (error) {
      this.wantsPost = false;
      this.find("post").disabled = false;
      this.showError(error.message);
    }
  }

  other() {
    this.stop();
    this.showChosen(false);
    this.input.value = "";
    this.file = null;
    this.input.focus();
  }

  /* Give up the transfer; what arrived already is deleted again. */
  stop() {
    const { request, video } = this;
    this.request = null;
    this.video = null;
    this.wantsPost = false;
    this.find("post").disabled = false;
    if (request) request.abort();
    if (video) call("DELETE", `/videos/${video.id}`).catch(() => {}); // it stays private
  }

  state(text, percent) {
    this.find("state").textContent = text;
    if (percent !== undefined) this.find("progress").value = percent;
  }

  showChosen(chosen) {
    this.find("chosen").hidden = !chosen;
    this.find("invite").hidden = chosen;
  }

  showError(message) {
    const place = this.find("error");
    place.textContent = message;
    place.hidden = !message;
    this.input.toggleAttribute("aria-invalid", Boolean(message));
  }
}

function megabytes(bytes) {
  const amount = bytes / 1048576;
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)} MB`;
}

document.querySelectorAll("[data-uploader]").forEach((form) => new Uploader(form));
