// The live picture: the newest one that came, and what is said over it when there is none.

import { msSince } from "./clock.js";
import { drawCrisp } from "./crisp.js";
import { Stream } from "./stream.js";
import { duration, rate, since, write } from "./words.js";

const RATE_OVER_MS = 3000;
const by = (id) => document.getElementById(id);
const stage = by("stage");
const picture = by("picture");
const crisp = by("crisp");
const pen = picture.getContext("2d", { alpha: false });

/** Says what stands in the way of a picture; most important first. */
const TITLES = {
  gone: "No connection to the board",
  camera: "No camera",
  paused: "Paused",
  refused: "No picture",
  wait: "Connecting",
};
const CHIPS = {
  gone: "no connection", camera: "no camera", paused: "paused", refused: "no picture",
  wait: "connecting", live: "live",
};

export class Live {
  colours = {};
  paused = false;
  crisp = false;
  #bare = false;
  #onShown;
  #stream;
  #newest = null;
  #decoding = false;
  #objects = [];
  #times = [];
  #camera = { up: true, reason: "", since_s: 0 };
  #goneAt = 0;
  #refused = "";
  #hasPicture = false;
  #kind = "";

  /** onShown({head, received, shown}): a picture is on the screen; by performance.now(). */
  constructor(onShown) {
    this.#onShown = onShown;
    this.#stream = new Stream((head, bytes) => this.#take(head, bytes), (why) => this.#broken(why));
    document.addEventListener("visibilitychange", () => this.#begin());
    new ResizeObserver(() => this.#drawBoxes()).observe(stage);
    this.#begin();
    this.#tell();
    setInterval(() => {
      this.#tell();
      write(by("rate-received"), rate(this.rate()));
    }, 1000);
  }

  setPaused(paused) {
    this.paused = paused;
    this.#begin();
    this.#tell();
  }

  setCrisp(on) {
    this.crisp = on;
    this.#objects = [];
    this.#drawBoxes();
    this.#begin();
  }

  /** Without what the board draws of its own but for the objects: others draw over it. */
  setBare(on) {
    this.#bare = on;
    this.#objects = [];
    this.#drawBoxes();
    this.#begin();
  }

  /** The server answers, and says this of its camera. */
  answered(camera) {
    if (this.#goneAt) this.#begin();
    this.#goneAt = 0;
    this.#camera = camera;
    this.#tell();
  }

  /** The server does not answer any more. */
  gone() {
    this.#goneAt ||= performance.now();
    this.#tell();
  }

  /** Pictures a second, over the last ones. */
  rate() {
    const now = performance.now();
    this.#times = this.#times.filter((at) => now - at < RATE_OVER_MS);
    const [first, count] = [this.#times[0], this.#times.length];
    return count > 1 ? ((count - 1) * 1000) / (this.#times[count - 1] - first) : 0;
  }

  get #crisp() {
    return this.crisp || this.#bare;
  }

  /** Opens the stream, or closes it: what nobody sees need not be drawn. */
  #begin() {
    this.#newest = null;
    if (this.paused || document.hidden) this.#stream.close();
    else this.#stream.open(this.#crisp ? "/stream.mjpg?overlay=0&objects=1" : "/stream.mjpg");
  }

  #take(head, bytes) {
    const received = performance.now();
    this.#refused = "";
    this.#newest = { head, bytes, received };
    if (!this.#decoding) this.#decode();
  }

  async #decode() {
    this.#decoding = true;
    while (this.#newest) {
      const { head, bytes, received } = this.#newest;
      this.#newest = null;
      const blob = new Blob([bytes], { type: "image/jpeg" });
      // A picture that cannot be read is left out, as one that came too late is.
      const bitmap = await createImageBitmap(blob).catch(() => null);
      if (bitmap && !this.paused) this.#show(head, bitmap, received);
      bitmap?.close();
    }
    this.#decoding = false;
  }

  #show(head, bitmap, received) {
    const seq = Number(head.get("x-seq"));
    this.#hasPicture = seq >= 0;
    if (this.#hasPicture) {
      this.#camera.up = true;
      if (picture.width !== bitmap.width || picture.height !== bitmap.height) {
        [picture.width, picture.height] = [bitmap.width, bitmap.height];
        stage.style.aspectRatio = `${bitmap.width} / ${bitmap.height}`;
      }
      pen.drawImage(bitmap, 0, 0);
      this.#objects = JSON.parse(head.get("x-objects") ?? "[]");
      picture.dataset.seq = String(seq);
      this.#drawBoxes();
      this.#times.push(received);
      this.#onShown({ head, received, shown: performance.now() });
    } else {
      // The picture itself says so, too; it gives way to words that can be read out.
      if (this.#camera.up) this.#camera = { up: false, reason: "", since_s: 0 };
    }
    this.#tell();
  }

  #drawBoxes() {
    crisp.hidden = !this.#crisp;
    if (this.#crisp) drawCrisp(crisp, picture, this.#objects, this.colours);
  }

  #broken(why) {
    this.#refused = why;
    this.#hasPicture = false;
    this.#tell();
  }

  #state() {
    if (this.#goneAt) return ["gone", "", duration((performance.now() - this.#goneAt) / 1000)];
    if (!this.#camera.up) return ["camera", this.#camera.reason, since(this.#camera.since_s)];
    if (this.paused) return ["paused", "The board draws nothing for this page.", ""];
    if (this.#refused) return ["refused", this.#refused, ""];
    return [this.#hasPicture ? "live" : "wait", "", ""];
  }

  #tell() {
    const [kind, text, time] = this.#state();
    write(by("notice-text"), text);
    write(by("notice-since"), time);
    if (kind === this.#kind) return;
    const before = this.#kind;
    this.#kind = kind;
    stage.dataset.kind = by("chip").dataset.kind = kind;
    by("chip-text").textContent = CHIPS[kind];
    by("notice-title").textContent = TITLES[kind] ?? "";
    const news = kind in TITLES && kind !== "wait";
    if (news) by("announce").textContent = `${TITLES[kind]}. ${text}`;
    else if (kind === "live" && before !== "wait") by("announce").textContent = "Live picture";
  }
}

/** ms from the light to a time of performance.now(), of a part with its own clock. */
export function delay(head, now) {
  return msSince(Number(head.get("x-exposed-ns")), now);
}
