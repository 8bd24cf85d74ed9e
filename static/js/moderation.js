// Keys of the queues of reports and appeals: everything works without, by buttons.

const cards = [...document.querySelectorAll(".report-card")];

function here() {
  return cards.indexOf(document.activeElement?.closest(".report-card"));
}

function go(step) {
  const next = cards[Math.min(cards.length - 1, Math.max(0, here() + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function play(card) {
  const video = card.querySelector("video");
  if (video) video.paused ? video.play() : video.pause();
}

function answer(card, key) {
  const button = card.querySelector(`[data-key="${key}"]`);
  if (!button) return;
  button.click();
  // What cannot be undone asks once more: the question opens, and Enter says yes.
  button.parentElement.querySelector(":scope > summary ~ button")?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select")) return;
  if (event.key === "j") return go(1);
  if (event.key === "k") return go(-1);
  const card = cards[here()];
  if (!card) return;
  if (event.key === " " && event.target === card) {
    event.preventDefault();
    play(card);
  }
  if ("dhorsuw".includes(event.key)) answer(card, event.key);
});

cards[0]?.focus({ preventScroll: true });
