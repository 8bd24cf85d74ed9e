/* Sends a file in pieces and has it taken in; goes on after whatever breaks: line, server or tab.

The first piece goes before the others and the last one after them, as Cloudinary wants it; the
same code serves both stores. What was acknowledged is not sent again. Where pieces cannot be checked
one by one, the server is told before the last one what MD5 the file has. */

import { csrfToken } from "./api.js";
import { md5 } from "./md5.js";
import { claim, dropFile, forget, keepFile, remember } from "./unfinished.js";

const AT_ONCE = 3; // pieces on their way
const PAUSES = [1, 2, 4, 8, 16, 30]; // s, after failures in a row
const OFFLINE = 60; // s; the browser may be wrong about it
const SILENT = 90_000; // ms without a sign of life: the connection is dead
const FRESH = 20 * 60_000; // ms that signed fields are used; they hold for an hour
const REFUSALS = 3; // of Cloudinary in a row, before the upload begins anew
const BEGINNINGS = 3;
const PASSING = new Set([0, 408, 409, 420, 425, 429]);

/** Why a request failed; `message` has the server's words, if it had any. */
export class Fault extends Error {
  constructor(status, answer, retryAfter) {
    super(typeof answer?.detail === "string" ? answer.detail : "");
    this.status = status;
    this.retryAfter = Number(retryAfter) || 0; // s
    this.damaged = answer?.code === "checksum_mismatch"; // on its way: a piece, or the whole
    this.passes = PASSING.has(status) || status >= 500 || this.damaged;
  }
}

/* The decoded answer. Unlike fetch, an XMLHttpRequest says how much of a body is out. */
function request(method, url, { body, json, headers = {}, signal, onProgress } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const ours = new URL(url, location.href).origin === location.origin;
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    let watchdog = setTimeout(abort, SILENT);
    xhr.upload.onprogress = ({ loaded }) => {
      clearTimeout(watchdog);
      watchdog = setTimeout(abort, SILENT);
      onProgress?.(loaded);
    };
    xhr.onloadend = () => {
      clearTimeout(watchdog);
      signal?.removeEventListener("abort", abort);
      const { status, response } = xhr;
      const good = status === 204 || (status >= 200 && status < 300 && response);
      if (signal?.aborted) reject(signal.reason);
      else if (good) resolve(response);
      // A page in place of an answer is somebody in between: a proxy, the sign-in of a café.
      else reject(new Fault(status < 300 ? 0 : status, response, ours && xhr.getResponseHeader("Retry-After")));
    };
    signal?.addEventListener("abort", abort);
    xhr.open(method, url);
    xhr.responseType = "json";
    if (ours) headers = { Accept: "application/json", "X-CSRFToken": csrfToken(), ...headers };
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    if (json) xhr.setRequestHeader("Content-Type", "application/json");
    xhr.send(json ? JSON.stringify(json) : body);
  });
}

export class Transfer {
  /** Of `file` for `account`. `earlier` is what `resumable` gave for the same file: it goes on.
   * `onProgress(percent)` and `onPause(fault, offline)` say how it goes. */
  constructor(file, { account, earlier, api, onProgress, onPause }) {
    Object.assign(this, { file, account, api, onProgress, onPause });
    this.record = earlier?.record ?? null;
    this.release = earlier?.release ?? null;
    this.moved = !earlier; // since it was resumed
    this.wasTakenIn = Boolean(this.record?.arrived);
    this.beginnings = 0;
    this.refusals = 0;
    this.loading = new Map(); // bytes of a piece that are out, by its number
    this.stopping = new AbortController();
  }

  /** Send what is missing. Resolves to the clip as the API has it, which is private yet.
   * Rejects with a Fault that will not pass: refused, or expired before anything was sent. */
  async run() {
    for (let failures = 0; ; failures += 1) {
      const before = this.record?.sent.length;
      try {
        return await this.attempt();
      } catch (fault) {
        if (!fault.passes) throw fault;
        if (this.record?.sent.length > before) failures = 0;
        await this.pause(fault, failures);
      }
    }
  }

  /** Go on at once, in place of waiting. */
  hurry() {
    this.wake?.();
  }

  /** End here; the upload waits for its account to go on. */
  stop() {
    this.stopping.abort();
    this.release?.();
  }

  /** End it for good: nothing stays of it, here or on the server. A clip that was on the profile
   * already when this page was opened stays there. */
  giveUp() {
    this.stop();
    if (this.wasTakenIn) forget(this.record.id);
    else if (this.record) this.discard(this.record);
  }

  async discard({ id, video, arrived }) {
    forget(id);
    const remove = (path) => request("DELETE", path).catch((fault) => fault.status);
    if (arrived || (await remove(`${this.api}/upload/${id}`)) === 404) remove(`/videos/${video}`);
  }

  async attempt() {
    if (this.record ? await this.look() : await this.reserve()) await this.sendMissing();
    return this.takeIn();
  }

  async reserve() {
    const { name, size, lastModified } = this.file;
    // The same key until an answer comes: a reservation whose answer was lost is the one we get.
    this.key ??= randomKey();
    const headers = { "Idempotency-Key": this.key };
    // Not aborted half-way: what is reserved then would have no one to give it up.
    const ticket = await request("POST", `${this.api}/upload`, { json: { size }, headers });
    this.key = null;
    const { id, video } = ticket;
    if (this.stopping.signal.aborted) {
      this.discard(ticket);
      throw this.stopping.signal.reason;
    }
    this.beginnings += 1;
    this.record = { id, video, account: this.account, name, size, lastModified, sent: [] };
    this.accept(ticket);
    this.release = await claim(id);
    keepFile(id, this.file);
    return true;
  }

  /* Whether the upload is still on its way; if so, with fresh fields. */
  async look() {
    try {
      this.accept(await this.call("GET", `/upload/${this.record.id}`));
      return true;
    } catch (fault) {
      if (fault.status === 404) return false;
      throw fault;
    }
  }

  accept(ticket) {
    this.ticket = ticket;
    this.ticketAt = Date.now();
    // Cloudinary does not tell which pieces it has: we remember.
    if (ticket.received) this.record.sent = ticket.received;
    this.record.chunk = ticket.chunk_bytes;
    this.record.expires = Date.parse(ticket.expires_at);
    remember(this.record);
    this.report();
  }

  async sendMissing() {
    const { chunk_bytes: size, checksum } = this.ticket;
    if (!this.checksOf(checksum)) {
      this.digest ??= md5(this.file, this.stopping.signal);
      this.digest.catch(() => {}); // whoever waits for it is told
    }
    const last = Math.ceil(this.file.size / size) - 1;
    const missing = Array.from({ length: last + 1 }, (_, n) => n).filter((n) => !this.record.sent.includes(n));
    const ending = missing.at(-1) === last ? missing.pop() : null;
    try {
      if (missing[0] === 0) await this.send(missing.shift());
      await this.sendTogether(missing);
      if (this.digest) await this.announce();
      if (ending !== null) await this.send(ending);
    } catch (fault) {
      // Posted or expired meanwhile, or Cloudinary refuses a piece, perhaps as it has it and the
      // answer was lost: whether it can be taken in tells.
      const refused = !checksum && fault.status >= 400 && !fault.passes;
      if (!refused && fault.status !== 404) throw fault;
      if (refused && (this.refusals += 1) < REFUSALS) throw Object.assign(fault, { passes: true });
    }
  }

  /* When one fails the others come to their end, so that what arrives of them is known. */
  async sendTogether(numbers) {
    let failed = null;
    const work = async () => {
      while (numbers.length && !failed) {
        await this.send(numbers.shift()).catch((fault) => (failed ??= fault));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (failed) throw failed;
  }

  /* Whether each piece can be sent with its checksum: `crypto.subtle` needs HTTPS. */
  checksOf(checksum) {
    return checksum === "sha256" && Boolean(crypto.subtle);
  }

  /* Once for each time that it begins: of the file as it is now, even if another one was begun. */
  async announce() {
    const { id } = this.record;
    if (this.announced === id) return;
    await this.call("PATCH", `/upload/${id}`, { json: { etag: await this.digest } });
    this.announced = id;
  }

  async send(number) {
    if (Date.now() - this.ticketAt > FRESH) await this.look();
    const { id, url, fields, checksum, chunk_bytes: size } = this.ticket;
    const start = number * size;
    const bytes = await this.file.slice(start, start + size).arrayBuffer();
    const headers = {
      "Content-Range": `bytes ${start}-${start + bytes.byteLength - 1}/${this.file.size}`,
      "X-Unique-Upload-Id": id,
    };
    if (this.checksOf(checksum)) headers["X-Piece-Checksum"] = await sha256(bytes);
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    body.append("file", new Blob([bytes]), "piece");
    const onProgress = (loaded) => {
      this.loading.set(number, Math.min(loaded, bytes.byteLength));
      this.report();
    };
    try {
      await request("POST", url, { body, headers, onProgress, signal: this.stopping.signal });
      this.moved = true;
      this.refusals = 0;
      this.record.sent = [...this.record.sent, number];
      remember(this.record);
    } finally {
      this.loading.delete(number);
    }
    this.report();
  }

  async takeIn() {
    const body = new FormData();
    body.append("upload", this.record.id);
    try {
      const video = await this.call("POST", "", { body });
      remember(Object.assign(this.record, { arrived: true }));
      dropFile(this.record.id);
      return video;
    } catch (fault) {
      const lost = fault.status === 404 || fault.damaged || (fault.status === 409 && this.refusals >= REFUSALS);
      if (lost) this.beginAnew(fault);
      throw fault;
    }
  }

  /* It expired, its pieces are gone, or they are not the file: from the first byte, unless nobody
   * waits for that. */
  beginAnew(fault) {
    this.discard(this.record);
    this.record = null;
    this.refusals = 0;
    fault.passes = this.moved && this.beginnings < BEGINNINGS;
  }

  async pause(fault, failures) {
    const offline = !navigator.onLine;
    const pause = PAUSES[Math.min(failures, PAUSES.length - 1)] * (0.5 + Math.random());
    this.onPause(fault, offline);
    await new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, 1000 * Math.max(pause, fault.retryAfter, offline ? OFFLINE : 0));
      addEventListener("online", resolve, { once: true });
      this.stopping.signal.addEventListener("abort", resolve, { once: true });
    });
    this.stopping.signal.throwIfAborted();
    this.report();
  }

  call(method, path, content) {
    return request(method, this.api + path, { ...content, signal: this.stopping.signal });
  }

  report() {
    if (this.stopping.signal.aborted || !this.record) return;
    const { sent, chunk, size: total } = this.record;
    const pieces = sent.map((number) => Math.min(chunk, total - number * chunk));
    const bytes = [...pieces, ...this.loading.values()].reduce((sum, each) => sum + each, 0);
    this.onProgress(Math.floor((100 * bytes) / total));
  }
}

/* `crypto.randomUUID` needs HTTPS. */
const randomKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), String).join("-");

async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
