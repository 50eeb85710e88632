// Zones, lines and what was counted there; the editor comes when it is asked for.

import { make, write } from "./words.js";

const by = (id) => document.getElementById(id);

export class Places {
  labels = [];
  #live;
  #watch = { zones: {}, lines: {}, rules: [] };
  #counts = { lines: {}, zones: {}, now: {} };
  #rows = new Map();
  #editor = null;

  /** live: its picture is drawn on. */
  constructor(live) {
    this.#live = live;
    by("places-edit").addEventListener("click", () => this.#edit());
  }

  /** The section `watch` of /api/config. */
  set watch(watch) {
    this.#watch = watch;
    const known = new Set();
    for (const [kind, places] of [["zone", watch.zones], ["line", watch.lines]]) {
      for (const name of Object.keys(places)) {
        known.add(name);
        if (!this.#rows.has(name)) this.#add(kind, name);
      }
    }
    for (const [name, row] of this.#rows) {
      if (known.has(name)) continue;
      row.item.remove();
      this.#rows.delete(name);
    }
    by("places-empty").hidden = known.size > 0;
    const rules = watch.rules.map(({ name }) => name);
    write(by("places-rules"), rules.length ? `Rules: ${rules.join(", ")}` : "");
    this.show(this.#counts);
  }

  /** An answer of /api/counts. */
  show(counts) {
    this.#counts = counts;
    const { lines, zones, now } = counts;
    for (const [name, row] of this.#rows) {
      const ways = lines[name] ?? {};
      const text = name in this.#watch.lines
        ? `in ${sum(ways.in)}, out ${sum(ways.out)}`
        : `${sum(now[name])} there, ${sum(zones[name])} came`;
      write(row.text, text);
      const each = name in this.#watch.lines
        ? [["in", ways.in], ["out", ways.out]]
        : [["there", now[name]], ["came", zones[name]]];
      write(row.each, each.filter(([, counts]) => sum(counts)).map(inWords).join("; "));
    }
  }

  #add(kind, name) {
    const row = { text: make("b"), each: make("span", "muted small each") };
    const title = make("span", "name", make("span", "muted", `${kind} `), name);
    row.item = make("li", "", title, row.text, row.each);
    by("places-list").append(row.item);
    this.#rows.set(name, row);
  }

  async #edit() {
    by("places-edit").disabled = true;
    try {
      const { Editor } = await import("./editor.js");
      this.#editor ??= new Editor(
        (watch) => (this.watch = watch),
        () => this.#closed(),
      );
      by("places-edit").hidden = by("places-shown").hidden = true;
      // The picture without its own zones and lines: the edited ones are drawn over it.
      this.#live.setBare(true);
      this.#editor.open(this.#watch, this.labels);
      by("add-zone").focus();
    } finally {
      by("places-edit").disabled = false;
    }
  }

  #closed() {
    by("places-edit").hidden = by("places-shown").hidden = false;
    this.#live.setBare(false);
    by("places-edit").focus();
  }
}

function sum(counts = {}) {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}

function inWords([word, counts]) {
  const most = Object.entries(counts).filter(([, n]) => n).sort(([, a], [, b]) => b - a);
  return `${word}: ${most.map(([label, n]) => `${n} ${label}`).join(", ")}`;
}
