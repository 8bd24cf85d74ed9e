/* The edit page: a slider over the clip's stills chooses the cover. The still of the tenth shows at
once; the exact frame follows as soon as the clip has been sought. */
import { complete } from "./mentions.js";

function bindCover(place) {
  const video = place.querySelector("[data-cover-video]");
  const slider = place.querySelector("[data-cover-slider]");
  const value = place.querySelector("[data-cover-value]");
  const still = place.querySelector("[data-cover-still]");
  const columns = Number(still?.dataset.columns);
  if (still) still.style.backgroundImage = `url("${still.dataset.url}")`;

  slider.addEventListener("input", () => {
    const part = Number(slider.value) / Number(slider.max);
    if (still) {
      const column = Math.min(columns - 1, Math.floor(part * columns));
      still.style.backgroundSize = `${columns * 100}% 100%`;
      still.style.backgroundPosition = `${(column / (columns - 1)) * 100}% 0`;
      still.hidden = false;
    }
    video.removeAttribute("poster");
    video.preload = "auto";
    video.currentTime = Number(slider.value);
    value.value = slider.value;
    slider.setAttribute("aria-valuetext", `${Number(slider.value).toFixed(1)} s`);
  });
  // While the slider goes on moving, the next seek has begun already.
  video.addEventListener("seeked", () => {
    if (still && !video.seeking) still.hidden = true;
  });
}

document.querySelectorAll("[data-cover]").forEach(bindCover);
document.querySelectorAll("[data-caption-field] textarea").forEach((field) => complete(field, "@#"));
