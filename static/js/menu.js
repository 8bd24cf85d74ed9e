/* The front of a clip's menu and of sharing: what they do comes when they are first used. */
import { pref } from "./prefs.js";
import { toast } from "./toast.js";

let feed = null;

/* `act` with the module that `load` fetches; without a connection a word instead. */
async function late(load, act) {
  try {
    await act(await load());
  } catch {
    toast("No connection. Try again when you are back online.");
  }
}

/** Share by the system's sheet where there is one, else copy the link. */
export const share = (clip) => late(() => import("./share.js"), (part) => part.share(clip));

/** Open the menu for `clip`. */
export const openMenu = (clip) => late(() => import("./clipmenu.js"), (part) => part.openMenu(clip, feed));

/** Tell the menu about the feed's `hud`, `openKeys` and `fullScreen`. */
export function bindMenu(hud, openKeys, fullScreen) {
  feed = { hud, openKeys, fullScreen };
  hud.setSpeed(pref("speed"));
}
