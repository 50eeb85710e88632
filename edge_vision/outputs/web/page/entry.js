// One event in the timeline: its picture, what happened, and what can be done with it.

import { duration, make, write } from "./words.js";

const LEAD_IN_S = 3;

/** What happened, as a sentence without its end. */
export function what({ kind, label, place, direction, count }) {
  const where = place || "the picture";
  if (kind === "cross") return `${label} went ${direction} over ${place}`;
  if (kind === "dwell") return `${label} stayed in ${where}`;
  if (kind === "occupancy") return `${count} at once in ${where}: ${label}`;
  return `${label} came into ${where}`;
}

function facts({ rule, score, start_s: start, end_s: end, zones, place, kind }) {
  const through = zones.filter((zone) => zone !== place);
  return [
    `rule ${rule}`,
    `${Math.round(score * 100)}%`,
    end === null ? "goes on" : kind === "cross" ? "" : duration(end - start),
    through.length ? `also in ${through.join(", ")}` : "",
  ].filter(Boolean).join(" · ");
}

export class Entry {
  id;
  day;
  item;
  #event = null;
  #parts;
  #video = null;
  #onPlay;

  /** onPlay(entry): its clip is about to be shown; onDelete(entry): it is to be deleted. */
  constructor(event, { onPlay, onDelete }) {
    this.id = event.id;
    this.#onPlay = onPlay;
    const began = new Date(event.start_s * 1000);
    this.day = began.toDateString();
    const time = make("time", "", began.toLocaleTimeString([], { timeStyle: "medium" }));
    time.dateTime = began.toISOString();
    const parts = {
      picture: make("div", "picture"),
      what: make("h3", "what"),
      facts: make("p", "muted small"),
      state: make("p", "state small"),
      play: button("Play"),
      download: link("Download"),
      snapshot: link("Picture"),
      remove: button("Delete"),
    };
    parts.snapshot.target = "_blank";
    this.#parts = parts;
    const actions = make(
      "div", "actions", parts.play, parts.download, parts.snapshot, parts.remove,
    );
    const text = make(
      "div", "text", make("div", "head", time, parts.what), parts.facts, parts.state, actions,
    );
    this.item = make("li", "card event", parts.picture, text);
    this.item.dataset.id = event.id;
    parts.play.addEventListener("click", () => (this.#video ? this.stop() : this.#start()));
    parts.picture.addEventListener("click", () => parts.play.hidden || parts.play.click());
    parts.remove.addEventListener("click", () => onDelete(this));
    this.item.addEventListener("keydown", (press) => {
      if (press.key === "Delete" && press.target !== this.#video) onDelete(this);
    });
    this.update(event);
  }

  /** What more comes: it ends, its pictures are there, its clip is whole. */
  get settled() {
    const { end_s: end, clip, clip_done: done } = this.#event;
    return end !== null && (!clip || done);
  }

  get sentence() {
    return what(this.#event);
  }

  update(event) {
    const parts = this.#parts;
    const before = this.#event;
    this.#event = event;
    write(parts.what, what(event));
    write(parts.facts, facts(event));
    const recording = event.clip && !event.clip_done;
    write(parts.state, recording ? "The clip is still being recorded." : "");
    parts.play.hidden = parts.download.hidden = !event.clip || !event.clip_done;
    parts.snapshot.hidden = !event.snapshot;
    if (event.clip) parts.download.href = `${event.clip}?download=1`;
    if (event.snapshot) parts.snapshot.href = event.snapshot;
    for (const name of ["play", "download", "snapshot", "remove"]) {
      parts[name].setAttribute("aria-label", `${parts[name].textContent}: ${what(event)}`);
    }
    if (before && before.thumbnail === event.thumbnail && before.score === event.score) return;
    this.#writePicture(event);
  }

  /** Takes the clip away again. */
  stop() {
    if (!this.#video) return;
    this.#video.removeAttribute("src");
    this.#video.load(); // or the browser goes on fetching it
    this.#video.remove();
    this.#video = null;
    this.#label("Play");
  }

  focus() {
    this.#parts.remove.focus();
  }

  #start() {
    this.#onPlay(this);
    const { clip, clip_offset_s: offset } = this.#event;
    const video = make("video");
    Object.assign(video, { controls: true, muted: true, playsInline: true, tabIndex: 0 });
    video.setAttribute("aria-label", `Clip: ${this.sentence}`);
    video.src = `${clip}#t=${Math.max(0, offset - LEAD_IN_S).toFixed(2)}`;
    video.addEventListener("error", () => {
      if (video !== this.#video) return;
      this.stop();
      write(this.#parts.state, "This browser cannot play the clip; download it instead.");
    });
    this.#video = video;
    this.item.prepend(video);
    this.#label("Close");
    // Where a browser lets nothing play by itself, its own controls do.
    video.play().catch(() => {});
  }

  #label(text) {
    const { play } = this.#parts;
    write(play, text);
    play.setAttribute("aria-expanded", String(this.#video !== null));
    play.setAttribute("aria-label", `${text}: ${this.sentence}`);
  }

  #writePicture({ thumbnail, score }) {
    const { picture } = this.#parts;
    if (!thumbnail) {
      picture.replaceChildren(make("span", "muted small", "no picture"));
      return;
    }
    const image = make("img");
    // A better view comes under the same address.
    Object.assign(image, { src: `${thumbnail}?of=${score}`, alt: "", loading: "lazy" });
    picture.replaceChildren(image);
  }
}

function button(text) {
  const made = make("button", "", text);
  made.type = "button";
  return made;
}

function link(text) {
  return make("a", "button", text);
}
