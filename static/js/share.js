/* Sharing a clip: the system's sheet, or the link in the clipboard. */
import { showCount } from "./actions.js";
import { call, signedIn } from "./api.js";
import { toast } from "./toast.js";

const linkOf = (clip) => new URL(clip.dataset.url, location.origin).href;

/** Put the clip's address into the clipboard and say so. */
export async function copyLink(clip) {
  const text = linkOf(clip);
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Plain http has no clipboard API: the old way, inside an open dialog if there is one.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "sr-only";
    (document.querySelector("dialog:modal") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast(document.getElementById("clip-menu").dataset.copied);
}

async function countShare(clip) {
  if (!signedIn()) return;
  try {
    const answer = await call("POST", `/videos/${clip.dataset.clip}/share`);
    const button = clip.querySelector("[data-share-button]");
    if (button) showCount(button, answer?.shares_count ?? Number(button.dataset.count) + 1);
  } catch {
    /* a share that was not counted is no trouble for the person who shared */
  }
}

/** Share by the system's sheet where there is one, else copy the link. */
export async function share(clip) {
  const data = { url: linkOf(clip), title: clip.getAttribute("aria-label") };
  const touch = matchMedia("(pointer: coarse)").matches;
  if (touch && navigator.canShare?.(data)) {
    try {
      await navigator.share(data);
    } catch (error) {
      if (error.name === "AbortError") return;
      await copyLink(clip);
    }
  } else await copyLink(clip);
  countShare(clip);
}
