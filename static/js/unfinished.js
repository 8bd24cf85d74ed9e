/* Uploads that did not end: the file and what was acknowledged of it, kept in this browser.

Each account sees its own. Where the browser keeps nothing, everything here answers "none". */

const STORES = ["uploads", "files"];
let opened = null;

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("unfinished", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("uploads", { keyPath: "id" });
      request.result.createObjectStore("files");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/* What `act(uploads, files)` asked for, in one transaction; null when it failed. */
async function within(mode, act) {
  try {
    opened ??= open();
    const transaction = (await opened).transaction(STORES, mode);
    const request = act(...STORES.map((name) => transaction.objectStore(name)));
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    return request.result;
  } catch {
    return null;
  }
}

/** Keep the record of an upload: `{id, account, name, size, lastModified, sent, expires, …}`. */
export const remember = (record) => within("readwrite", (uploads) => uploads.put(record));

/** Keep its file as well, if there is room for it. */
export const keepFile = (id, file) => within("readwrite", (_, files) => files.put(file, id));

/** Its file is not needed any more. */
export const dropFile = (id) => within("readwrite", (_, files) => files.delete(id));

/** The upload was posted, given up, or it expired. */
export function forget(id) {
  return within("readwrite", (uploads, files) => {
    uploads.delete(id);
    return files.delete(id);
  });
}

/** Whoever signs out leaves nothing behind in this browser. */
export function forgetAll() {
  return within("readwrite", (uploads, files) => {
    uploads.clear();
    return files.clear();
  });
}

/** An upload of `account` that `isWanted(record)`, and that no other tab is sending: `{record,
 * release}`, or null. Those of everybody that are too old go. */
export async function resumable(account, isWanted = () => true) {
  const all = (await within("readonly", (uploads) => uploads.getAll())) ?? [];
  for (const record of all) {
    if (record.expires < Date.now()) {
      forget(record.id);
    } else if (record.account === account && isWanted(record)) {
      const release = await claim(record.id);
      if (release) return { record, release };
    }
  }
  return null;
}

/** The file of an upload, or null. */
export const fileOf = async (id) => (await within("readonly", (_, files) => files.get(id))) ?? null;

/** Have an upload for this tab alone: a function that lets it go, or null while another tab has it. */
export function claim(id) {
  if (!navigator.locks) return () => {}; // without HTTPS
  return new Promise((resolve) => {
    navigator.locks.request(`upload-${id}`, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(null);
      return new Promise((release) => resolve(release));
    });
  });
}
