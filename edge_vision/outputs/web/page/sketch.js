// Zones and lines drawn over the picture: with mouse, finger and keys.

import { fit } from "./crisp.js";

const SVG = "http://www.w3.org/2000/svg";
const GRAB_PX = 20;
const SAME_PX = 10;
const HANDLE_PX = 8;
const ARROW_PX = 26;
const STEP = 0.01;
const FINE_STEP = 0.002;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LEAST = { zone: 3, line: 2 };

const within = (value) => Math.min(1, Math.max(0, value));
const percent = (value) => `${Math.round(value * 100)}%`;
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

export class Sketch {
  places = [];
  chosen = null;
  #svg;
  #picture;
  #on;
  #size = [1, 1];
  #drawing = null;
  #pointer = null;
  #drag = null;

  /** svg lies over `picture`, a canvas.  on: choose(place), change(), drawn(kind, points),
   * tell(sentence). */
  constructor(svg, picture, on) {
    this.#svg = svg;
    this.#picture = picture;
    this.#on = on;
    svg.addEventListener("pointerdown", (event) => this.#down(event));
    svg.addEventListener("pointermove", (event) => this.#move(event));
    svg.addEventListener("pointerup", (event) => this.#up(event));
    svg.addEventListener("pointercancel", () => (this.#drag = null));
    svg.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.draw()).observe(picture);
  }

  get drawing() {
    return this.#drawing !== null;
  }

  /** Corners of a new place are the next points touched. */
  begin(kind) {
    this.#drawing = { kind, points: [] };
    this.draw();
  }

  /** Takes what was drawn so far, if it is enough. */
  finish() {
    const { kind, points } = this.#drawing;
    if (points.length < LEAST[kind]) {
      this.#on.tell(`A ${kind} needs ${LEAST[kind]} points; touch the picture where they are.`);
      return;
    }
    this.cancel();
    this.#on.drawn(kind, points);
  }

  cancel() {
    this.#drawing = this.#pointer = null;
    this.draw();
  }

  focus(at) {
    this.#svg.querySelector(`[data-at="${at}"]`)?.focus();
  }

  /** Draws all anew; the corner that had the focus keeps it. */
  draw() {
    const focused = this.#svg.contains(document.activeElement)
      ? document.activeElement.dataset.at : undefined;
    const [left, top, width, height] = fit(this.#picture, this.#picture);
    this.#size = [width, height];
    Object.assign(this.#svg.style, {
      left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px`,
    });
    this.#svg.classList.toggle("drawing", this.drawing);
    this.#svg.replaceChildren(...this.places.flatMap((place, at) => this.#place(place, at)));
    if (this.drawing) this.#svg.append(...this.#unfinished());
    else if (this.chosen) this.#svg.append(...this.#handles(this.chosen));
    if (focused !== undefined) this.focus(focused);
  }

  #place(place, at) {
    const chosen = place === this.chosen && !this.drawing ? " chosen" : "";
    const points = place.points.map((point) => this.#px(point));
    const list = points.join(" ");
    const shape = place.kind === "zone" ? "polygon" : "polyline";
    const parts = [
      make(shape, { class: `halo ${place.kind}`, points: list }),
      make(shape, { class: `${place.kind}${chosen}`, points: list, "data-place": at }),
    ];
    if (place.kind === "line") parts.push(make("path", { class: "arrow", d: arrow(...points) }));
    const [x, y] = [0, 1].map((axis) => mean(points.map((point) => point[axis])));
    // Behind a line's arrow, so that neither hides the other.
    const [right, down] = place.kind === "line" ? side(...points) : [0, 0];
    const text = make("text", { x: x - 22 * right, y: y - 18 * down });
    text.textContent = place.name;
    return [...parts, text];
  }

  #handles({ kind, name, points }) {
    const middles = kind === "zone" ? this.#middles() : [];
    return [
      ...middles.map(([cx, cy]) => make("circle", { class: "middle", cx, cy, r: 5 })),
      ...points.map(([x, y], at) => {
        const [cx, cy] = this.#px([x, y]);
        const where = `${percent(x)} from the left, ${percent(y)} from the top`;
        return make("circle", {
          class: "handle", cx, cy, r: HANDLE_PX, tabindex: 0, role: "button", "data-at": at,
          "aria-label": `Point ${at + 1} of ${name}: ${where}`,
        });
      }),
    ];
  }

  #unfinished() {
    const points = this.#drawing.points.map((point) => this.#px(point));
    const shown = this.#pointer ? [...points, this.#px(this.#pointer)] : points;
    return [
      make("polyline", { class: "halo line", points: shown.join(" ") }),
      make("polyline", { class: "unfinished", points: shown.join(" ") }),
      ...points.map(([cx, cy]) => make("circle", { class: "middle", cx, cy, r: 5 })),
    ];
  }

  #middles() {
    const points = this.chosen.points.map((point) => this.#px(point));
    return points.map(([x, y], at) => {
      const [x1, y1] = points[(at + 1) % points.length];
      return [(x + x1) / 2, (y + y1) / 2];
    });
  }

  #px([x, y]) {
    return [x * this.#size[0], y * this.#size[1]];
  }

  #at(event) {
    const { left, top } = this.#svg.getBoundingClientRect();
    return [
      within((event.clientX - left) / this.#size[0]), within((event.clientY - top) / this.#size[1]),
    ];
  }

  /** The nearest of some points on the screen, if near enough; else -1. */
  #nearest(points, here) {
    const away = points.map((point) => far(point, this.#px(here)));
    const at = away.indexOf(Math.min(...away));
    return at >= 0 && away[at] <= GRAB_PX ? at : -1;
  }

  #down(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.#svg.setPointerCapture(event.pointerId);
    const here = this.#at(event);
    if (this.drawing) this.#touch(here);
    else if (!this.#grab(here)) {
      const place = this.places[event.target.dataset.place] ?? null;
      if (place && place === this.chosen) this.#drag = { from: here };
      else this.#on.choose(place);
    }
  }

  #grab(here) {
    if (!this.chosen) return false;
    const { kind, points } = this.chosen;
    let at = this.#nearest(points.map((point) => this.#px(point)), here);
    if (at < 0 && kind === "zone") {
      const middle = this.#nearest(this.#middles(), here);
      if (middle < 0) return false;
      at = middle + 1;
      points.splice(at, 0, here);
    }
    if (at < 0) return false;
    this.#drag = { at };
    this.draw();
    this.focus(at);
    return true;
  }

  #touch(here) {
    const { kind, points } = this.#drawing;
    const px = points.map((point) => this.#px(point));
    const again = [px[0], px.at(-1)].some((one) => one && far(one, this.#px(here)) <= SAME_PX);
    if (again && points.length >= LEAST[kind]) {
      this.finish();
      return;
    }
    if (!again) points.push(here);
    if (kind === "line" && points.length === 2) this.finish();
    else this.draw();
  }

  #move(event) {
    const here = this.#at(event);
    if (this.drawing) {
      this.#pointer = here;
      this.draw();
      return;
    }
    if (!this.#drag) return;
    const { points } = this.chosen;
    if (this.#drag.from) {
      const by = [0, 1].map((axis) => {
        const values = points.map((point) => point[axis]);
        const wanted = here[axis] - this.#drag.from[axis];
        return Math.max(-Math.min(...values), Math.min(1 - Math.max(...values), wanted));
      });
      for (const point of points) [point[0], point[1]] = [point[0] + by[0], point[1] + by[1]];
      this.#drag.from = here;
    } else {
      points[this.#drag.at] = here;
    }
    this.#changed();
  }

  #up(event) {
    this.#drag = null;
    const drawn = this.#drawing?.points.at(-1);
    if (!drawn) return;
    // Drawn in one go, from where it was pressed to where it is let go.
    const here = this.#at(event);
    if (far(this.#px(drawn), this.#px(here)) > SAME_PX) this.#touch(here);
  }

  #key(event) {
    const at = Number(event.target.dataset.at ?? -1);
    if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
    const { kind, points } = this.chosen;
    const step = event.shiftKey ? FINE_STEP : STEP;
    if (event.key in KEYS) {
      points[at] = points[at].map((value, axis) => within(value + KEYS[event.key][axis] * step));
    } else if (kind === "zone" && ["Insert", "+"].includes(event.key)) {
      const next = points[(at + 1) % points.length];
      points.splice(at + 1, 0, points[at].map((value, axis) => (value + next[axis]) / 2));
      this.draw();
      this.focus(at + 1);
    } else if (["Delete", "Backspace"].includes(event.key)) {
      if (points.length <= LEAST[kind]) {
        this.#on.tell(`A ${kind} needs ${LEAST[kind]} points; Remove takes all of it away.`);
        event.preventDefault();
        return;
      }
      points.splice(at, 1);
      this.draw();
      this.focus(Math.min(at, points.length - 1));
    } else return;
    event.preventDefault();
    this.#changed();
  }

  #changed() {
    this.draw();
    this.#on.change();
  }
}

/** Which way is in: to the right hand, looking from the first point to the second. */
function side([x0, y0], [x1, y1]) {
  const length = Math.max(Math.hypot(x1 - x0, y1 - y0), 1e-9);
  return [-(y1 - y0) / length, (x1 - x0) / length];
}

function arrow(begin, end) {
  const [right, down] = side(begin, end);
  const [x, y] = [(begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2];
  const tip = [x + ARROW_PX * right, y + ARROW_PX * down];
  const barb = 0.4 * ARROW_PX;
  const [a, b] = [1, -1].map((way) => [
    tip[0] - barb * (right + way * down), tip[1] - barb * (down - way * right),
  ]);
  return `M${x} ${y}L${tip}M${a}L${tip}L${b}`;
}

function make(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
