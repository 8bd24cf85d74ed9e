/* While somebody drags along a clip: the still of that moment, above the scrubber. */

const box = document.createElement("div");
box.className = "hud__still";
box.setAttribute("aria-hidden", "true");

function hide() {
  box.remove();
}

/** Show the still of the moment at which the scrubber of `hud` stands, if the clip has stills. */
export function showStill(hud) {
  const { article, video, scrubber, root } = hud;
  const { stills, stillsCount } = article?.dataset ?? {};
  // The answer may come after the finger has gone.
  if (!stills || !root.classList.contains("is-scrubbing")) return;
  const share = scrubber.value / scrubber.max;
  const last = Number(stillsCount) - 1;
  const tile = Math.min(last, Math.floor(share * (last + 1)));
  box.style.setProperty("--stills", `url("${stills}")`);
  box.style.setProperty("--count", stillsCount);
  box.style.setProperty("--place", `${last ? (tile / last) * 100 : 0}%`);
  box.style.setProperty("--share", share);
  box.style.aspectRatio = video?.videoHeight ? `${video.videoWidth} / ${video.videoHeight}` : "9 / 16";
  if (box.parentElement === root) return;
  root.append(box);
  scrubber.addEventListener("change", hide, { once: true });
}
