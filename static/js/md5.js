/* The MD5 of a file, which is what Cloudinary tells of an object; browsers compute none themselves. */

import "../vendor/spark-md5-3.0.2/spark-md5.min.js";

const SLICE = 1_048_576; // bytes: some 30 ms on a phone, so that the page stays usable

/** Hexadecimal. Rejects when `signal` is aborted, or the file cannot be read any more. */
export async function md5(file, signal) {
  const hash = new SparkMD5.ArrayBuffer();
  for (let start = 0; start < file.size; start += SLICE) {
    signal.throwIfAborted();
    hash.append(await file.slice(start, start + SLICE).arrayBuffer());
  }
  return hash.end();
}
