/* The front of the comments: the panel (talk.js) and htmx come when it is first opened. */
import { toast } from "./toast.js";

const dialog = document.getElementById("comments");
let panel = null;

/** Open the comments of `clip`; `from` gets the focus back. */
export async function openComments(clip, from) {
  try {
    panel ??= await import("./talk.js");
  } catch {
    toast("No connection. Try again when you are back online.");
    return;
  }
  panel.openComments(clip, from);
}

export const commentsOpen = () => dialog.open;
export const closeComments = () => dialog.close();

/** The clip changed: an open panel follows it. */
export const followClip = (clip) => panel?.followClip(clip);
