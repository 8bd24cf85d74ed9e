/* Subtitles of the clip that plays. The article lists them; the player itself wanders from clip to clip. */

const HEIGHT = 62; // percent from the top: above the caption of the clip and its controls

function best(tracks) {
  const wanted = navigator.languages.map((language) => language.toLowerCase());
  for (const language of wanted) {
    const same = tracks.find((one) => one.language.toLowerCase() === language)
      ?? tracks.find((one) => one.language.split("-")[0].toLowerCase() === language.split("-")[0]);
    if (same) return same;
  }
  return tracks[0];
}

/** Show the subtitles of `article` on `video`, in the language that suits the reader. */
export function show(video, article) {
  const { language, label, url } = best(JSON.parse(article.dataset.subtitles));
  const track = document.createElement("track");
  Object.assign(track, { kind: "subtitles", srclang: language, label, src: url });
  track.addEventListener("load", () => {
    for (const cue of track.track.cues ?? []) {
      cue.snapToLines = false;
      cue.line = HEIGHT;
    }
  });
  video.replaceChildren(track);
  track.track.mode = "showing";
}
