/* Like, save, follow: answered at once, settled with the server behind, rolled back when it refuses.
   They are forms, so that they work without this file too. */
import { ApiError, call } from "./api.js";
import { toast } from "./toast.js";

const followed = new Map(); // handle -> off, on, or asked
const settled = new Map(); // handle -> whether the server had one follow them when it last answered

/** 1234 as 1.2K, cut like the server's filter. */
export function compact(number) {
  for (const [size, letter] of [[1e9, "B"], [1e6, "M"], [1e3, "K"]]) {
    if (number >= size) {
      const tenths = Math.floor((number * 10) / size);
      const whole = Math.floor(tenths / 10);
      return whole >= 100 || tenths % 10 === 0 ? `${whole}${letter}` : `${tenths / 10}${letter}`;
    }
  }
  return String(number);
}

/** Show `count` in a button: the number, and the label that contains it. */
export function showCount(button, count) {
  const before = compact(Number(button.dataset.count));
  const after = compact(count);
  button.dataset.count = count;
  const number = button.querySelector(".action__count, [data-number]");
  if (number) number.textContent = number.matches("[data-number]") && !count ? "" : after;
  const label = button.getAttribute("aria-label") ?? "";
  button.setAttribute("aria-label", label.replace(before, after));
}

const isOn = (button) => button.getAttribute("aria-pressed") === "true";
const setOn = (button, on) => button.setAttribute("aria-pressed", String(on));

/* One toggle in flight a button; a tap in the meantime only changes the wish, and the last wish wins. */
const settling = new WeakSet();

/* `read` finds in the answer whether the toggle is on now. */
async function settle(button, path, read, apply) {
  if (settling.has(button)) return;
  settling.add(button);
  let known = button.dataset.known === "true";
  try {
    while (isOn(button) !== known) {
      const wish = isOn(button);
      const answer = await call(wish ? "POST" : "DELETE", path);
      known = read(answer) ?? wish;
      button.dataset.known = known;
      if (isOn(button) === wish) apply(answer, known);
    }
  } catch (error) {
    apply(null, known);
    toast(error instanceof ApiError ? error.message : "That did not work. Try again.");
  } finally {
    settling.delete(button);
  }
}

/* Flip a button that has a count; the server's count replaces ours when it arrives. */
function toggleCounted(button, path, field, countField) {
  button.dataset.known ??= String(isOn(button));
  const on = !isOn(button);
  setOn(button, on);
  showCount(button, Math.max(0, Number(button.dataset.count) + (on ? 1 : -1)));
  if (on) {
    button.classList.add("is-popping");
    setTimeout(() => button.classList.remove("is-popping"), 450);
  }
  settle(button, path, (answer) => answer?.[field], (answer, known) => {
    if (isOn(button) !== known) {
      setOn(button, known);
      showCount(button, Math.max(0, Number(button.dataset.count) + (known ? 1 : -1)));
    }
    if (answer && Number.isFinite(answer[countField])) showCount(button, answer[countField]);
    if (answer && known && /^\/videos.*like$/.test(path)) document.dispatchEvent(new CustomEvent("clip:liked"));
  });
}

function showFollow(form, state) {
  const button = form.querySelector("button");
  setOn(button, state !== "off");
  form.dataset.state = state;
  form.elements.action.value = state === "off" ? "follow" : "unfollow";
}

/** Make follow buttons under `root` agree with what was pressed on this page. */
export function syncFollows(root) {
  for (const form of root.querySelectorAll('form[data-act="follow"]')) {
    if (followed.has(form.dataset.handle)) showFollow(form, followed.get(form.dataset.handle));
  }
}

/* Follow, ask to follow a private account, or take either back. */
function toggleFollow(form) {
  const button = form.querySelector("button");
  const { handle } = form.dataset;
  // All buttons of a person start from what the server is known to know.
  if (!settling.has(button)) button.dataset.known = String(settled.get(handle) ?? isOn(button));
  const spread = (state) => {
    followed.set(handle, state);
    syncFollows(document);
  };
  const wish = form.dataset.private === undefined ? "on" : "asked";
  spread(isOn(button) ? "off" : wish);
  const read = (answer) => (answer?.following ? "on" : answer?.requested ? "asked" : "off");
  settle(button, `/users/@${handle}/follow`, (answer) => read(answer) !== "off", (answer, known) => {
    spread(answer ? read(answer) : known ? form.dataset.settled ?? "on" : "off");
    if (answer) form.dataset.settled = read(answer);
    if (!known) endBell(form);
    settled.set(handle, known);
    const shown = document.querySelector(`[data-followers-of="${CSS.escape(handle)}"]`);
    if (shown && Number.isFinite(answer?.followers_count)) shown.textContent = compact(answer.followers_count);
  });
}

/* Be told of somebody's new clips; the bell ends with the follow, and pages.css hides it. */
function toggleBell(form, button) {
  button.dataset.known ??= String(isOn(button));
  setBell(form, button, !isOn(button));
  const path = `/users/@${form.dataset.handle}/bell`;
  settle(button, path, (answer) => answer?.bell, (_, known) => setBell(form, button, known));
}

function setBell(form, button, on) {
  setOn(button, on);
  form.elements.action.value = on ? "off" : "on";
}

function endBell(form) {
  const bell = form.parentElement.querySelector('form[data-act="bell"]');
  if (!bell) return;
  const button = bell.querySelector("button");
  button.dataset.known = "false";
  setBell(bell, button, false);
}

async function deleteComment(form) {
  const item = form.closest("[data-comment]");
  const box = form.closest("[data-comments]");
  // What waits or is hidden is not counted, nor is what hangs below it.
  const thread = [item, ...item.querySelectorAll("[data-comment]")];
  const gone = thread.filter((one) => !one.closest("[data-uncounted]")).length;
  item.hidden = true;
  try {
    await call("DELETE", `/comments/${form.dataset.commentId}`);
    item.remove();
    if (box) {
      box.dataset.count = Math.max(0, Number(box.dataset.count) - gone);
      box.dispatchEvent(new CustomEvent("comments:count", { bubbles: true }));
    }
  } catch (error) {
    item.hidden = false;
    toast(error.message);
  }
}

const ACTS = {
  like: (form, button) => toggleCounted(button, `/videos/${clipOf(form)}/like`, "liked", "likes_count"),
  save: (form, button) => toggleCounted(button, `/videos/${clipOf(form)}/save`, "saved", "saves_count"),
  follow: toggleFollow,
  bell: toggleBell,
  "comment-like": (form, button) =>
    toggleCounted(button, `/comments/${form.dataset.commentId}/like`, "liked", "likes_count"),
  "comment-delete": deleteComment,
};

const clipOf = (form) => form.dataset.id ?? form.closest("[data-clip]").dataset.clip;

/** Like the clip of `article` if it is not liked yet (the double tap never takes a like back). */
export function likeOnce(article) {
  const button = article.querySelector('form[data-act="like"] button');
  if (button && !isOn(button)) button.form.requestSubmit(button);
  return Boolean(button);
}

/** Invite a visitor to join, and bring them back to `next` afterwards. */
export function invite(kind, next) {
  const dialog = document.getElementById("invite");
  if (!dialog) return false;
  const words = {
    like: "Sign up to like clips and find them again.",
    save: "Sign up to keep clips for later.",
    follow: "Sign up to follow people and see what they post next.",
  };
  dialog.querySelector("[data-invite-text]").textContent =
    words[kind] ?? "Sign up to join the conversation.";
  const query = `?next=${encodeURIComponent(next)}`;
  dialog.querySelector("[data-invite-signup]").href = document.body.dataset.signup + query;
  dialog.querySelector("[data-invite-signin]").href = document.body.dataset.signin + query;
  dialog.showModal();
  return true;
}

/** Take over the forms and invitations under `root`; htmx and shelved articles may add more at any time. */
export function bindActions(root) {
  root.addEventListener("submit", (event) => {
    const act = ACTS[event.target.dataset?.act];
    if (!act) return;
    event.preventDefault();
    act(event.target, event.target.querySelector("button"));
  });
  root.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-invite]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const next = new URL(link.href).searchParams.get("next") ?? "/";
    if (invite(link.dataset.invite, next)) event.preventDefault();
  });
  // A press beside a dialog closes it.
  root.addEventListener("click", (event) => {
    if (event.target instanceof HTMLDialogElement && event.target.matches(":modal")) {
      const box = event.target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right
        && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) event.target.close();
    }
    event.target.closest?.("[data-close]")?.closest("dialog")?.close();
  });
}
