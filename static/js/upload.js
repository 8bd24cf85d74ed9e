/* Posting a clip: checks before the transfer, drag and drop, real progress, how the processing
goes, and a draft of what was written.

The transfer begins when a file is chosen, as a clip that only its author sees; the form stays
usable, and "Post" then sets caption and audience. One that did not end goes on when the page is
opened again. Without this module the form just works. */

import { call } from "./api.js";
import { draft } from "./draft.js";
import { complete } from "./mentions.js";
import { Fault, Transfer } from "./transfer.js";
import { fileOf, forget, resumable } from "./unfinished.js";

const LOOK_AGAIN = 1500; // ms

class Uploader {
  constructor(form) {
    this.form = form;
    this.text = form.dataset;
    this.input = form.querySelector('input[type="file"]');
    this.turn = 0; // counts the files chosen: what is found out about an earlier one is void
    this.transfer = null;
    this.video = null; // what the API answered
    this.wantsPost = false;
    this.find = (name) => form.querySelector(`[data-${name}]`);
    this.draft = draft(form);
    complete(form.elements.caption, "@#");
    this.bind();
    this.restore();
  }

  bind() {
    const zone = this.find("dropzone");
    this.input.addEventListener("change", () => this.choose(this.input.files[0]));
    this.form.addEventListener("submit", (event) => this.submit(event));
    this.find("other").addEventListener("click", () => this.other());
    this.find("again").addEventListener("click", () => this.again());
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
    return Boolean(this.transfer || this.video) && !this.posted;
  }

  async choose(file) {
    if (!file) return;
    this.stop();
    const turn = this.turn;
    this.file = file;
    this.showError("");
    this.find("resume").hidden = true;
    const problem = await this.check(file);
    const isSame = ({ name, size, lastModified, arrived }) =>
      !arrived && name === file.name && size === file.size && lastModified === file.lastModified;
    const earlier = problem ? null : await resumable(this.text.account, isSame);
    if (turn !== this.turn) {
      earlier?.release();
      return;
    }
    if (problem) this.failed(problem, false);
    else this.send(file, earlier);
  }

  /* Go on with what did not end when this page was closed. */
  async restore() {
    const earlier = await resumable(this.text.account);
    const file = earlier && (await fileOf(earlier.record.id));
    if (!earlier || this.turn || this.input.files.length) {
      earlier?.release();
      return;
    }
    const { record, release } = earlier;
    if (file || record.arrived) {
      if (file) this.preview(file);
      this.send(file, earlier);
    } else {
      release();
      this.find("resume").textContent = this.text.chooseAgain.replace("{name}", record.name);
      this.find("resume").hidden = false;
    }
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
    return new Promise((resolve) => {
      const settle = (seconds) => {
        player.onloadedmetadata = player.onerror = null;
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
      player.src = URL.createObjectURL(file);
      setTimeout(() => settle(0), 4000);
    });
  }

  /* Send `file`; `earlier` is an upload of it that goes on. */
  async send(file, earlier) {
    const { name, size } = earlier?.record ?? file;
    const word = earlier ? this.text.continuing : this.text.sending;
    const transfer = new Transfer(file, {
      account: this.text.account,
      api: this.text.api,
      earlier,
      onProgress: (percent) => this.going(percent, word),
      onPause: (fault, offline) => this.waiting(this.excuse(fault, offline)),
    });
    this.file = file;
    this.transfer = transfer;
    this.showChosen(true);
    this.find("name").textContent = `${name} · ${megabytes(size)}`;
    this.going(0, word);
    try {
      const video = await transfer.run();
      if (this.transfer === transfer) this.arrived(video, Boolean(earlier));
    } catch (fault) {
      if (this.transfer === transfer) this.refused(fault);
    }
  }

  going(percent, word) {
    this.find("again").hidden = true;
    this.find("chosen").classList.remove("dropzone__chosen--waiting");
    const text = percent < 100 ? `${word} ${percent} %` : this.text.checking;
    this.state(this.wantsPost ? `${text} · ${this.text.waiting}` : text, percent);
  }

  /* What was damaged is sent again by itself, whatever the server asks for. */
  excuse(fault, offline) {
    if (offline) return this.text.offline;
    return (!fault.damaged && fault.message) || this.text.pausing;
  }

  waiting(sentence) {
    this.find("again").hidden = false;
    this.find("chosen").classList.add("dropzone__chosen--waiting");
    this.state(sentence);
  }

  /* At once, where it waits; from where it ended, where it was refused. */
  again() {
    const { transfer, file } = this;
    if (transfer) transfer.hurry();
    else this.choose(file);
  }

  arrived(video, wasEarlier) {
    const { record } = this.transfer;
    if (wasEarlier && video.visibility !== "private") {
      forget(record.id); // published meanwhile, on another page
      this.reset();
      return;
    }
    this.video = video;
    this.state(this.text.arrived, 100);
    if (this.wantsPost) this.post();
    else this.watch(video.id);
  }

  /* It will not pass by itself. Who has to sign in, or to make room first, can try again. */
  refused(fault) {
    const { transfer } = this;
    if (fault.status === 404 && !transfer.moved) {
      this.reset(); // it expired while nobody was here
      return;
    }
    const again = [401, 403, 404].includes(fault.status);
    if (again) transfer.stop();
    else transfer.giveUp();
    const unreadable = fault instanceof DOMException; // moved, changed or deleted on this device
    this.failed(unreadable ? this.text.unreadable : fault.message || this.text.broken, again);
    if (!unreadable && !(fault instanceof Fault)) throw fault;
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
    this.transfer = null;
    this.wantsPost = false;
    this.find("post").disabled = false;
    this.state("", 0);
    this.find("again").hidden = !again;
    if (!again) this.reset();
    this.showError(message);
  }

  submit(event) {
    if (!this.transfer) {
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
    const names = ["caption", "visibility", "comments_from", "comments_held"];
    const body = Object.fromEntries(names.map((name) => [name, form.get(name)]));
    try {
      const video = await call("PATCH", `/videos/${this.video.id}`, body);
      this.posted = true;
      this.draft.forget();
      await forget(this.transfer.record.id);
      location.assign(`${video.url}/status`);
    } catch (error) {
      this.wantsPost = false;
      this.find("post").disabled = false;
      this.showError(error.message || this.text.broken);
    }
  }

  other() {
    this.stop();
    this.reset();
    this.input.focus();
  }

  reset() {
    this.transfer = this.file = null;
    this.input.value = "";
    this.showChosen(false);
  }

  /* Give up what was chosen before; what arrived of it is deleted again. */
  stop() {
    const { transfer } = this;
    this.turn += 1;
    this.transfer = this.video = this.file = null;
    this.wantsPost = false;
    this.find("post").disabled = false;
    transfer?.giveUp();
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
