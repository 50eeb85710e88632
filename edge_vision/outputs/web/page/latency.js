// Where the time goes: two waterfalls, from the light that a frame caught.

import { make, median, milliseconds, write } from "./words.js";

const OVER_MS = 1000;
const EVERY_MS = 250;

const ANALYSED = [
  ["arrived", "arrived"],
  ["taken", "taken"],
  ["prepared", "prepared"],
  ["inferred", "inferred"],
  ["tracked", "tracked"],
];
const SHOWN = [
  ["arrived", "arrived"],
  ["registered", "registered"],
  ["drawn", "drawn"],
  ["encoded", "encoded"],
  ["sent", "received"],
  ["shown", "on your screen"],
];

class Waterfall {
  #stages;
  #rows;
  #seen = [];

  constructor(table, stages) {
    this.#stages = stages;
    this.#rows = stages.map(([, name]) => {
      const bar = make("span", "part");
      const row = {
        bar,
        now: make("td", "", "–"),
        p50: make("td", "", "–"),
        p95: make("td", "", "–"),
      };
      const title = make("th", "", name);
      title.scope = "row";
      const track = make("td", "track", bar);
      table.tBodies[0].append(make("tr", "", title, track, row.now, row.p50, row.p95));
      return row;
    });
  }

  /** Stamps of one frame: stage -> ms since it was exposed. */
  add(stamps, now) {
    this.#seen.push({ stamps, now });
    while (now - this.#seen[0].now > OVER_MS) this.#seen.shift();
  }

  /** Median ms since exposed of each stage, where known. */
  ends() {
    return this.#stages.map(([key]) => {
      const known = this.#seen.map(({ stamps }) => stamps[key]).filter((ms) => ms !== undefined);
      return known.length ? median(known) : undefined;
    });
  }

  draw(ends, most) {
    let begin = 0;
    this.#rows.forEach((row, at) => {
      const end = ends[at];
      if (end === undefined) return;
      // A stage's median may lie before the last one's; a bar never goes back.
      const length = Math.max(0, end - begin);
      row.bar.style.marginInlineStart = `${(100 * begin) / most}%`;
      row.bar.style.inlineSize = `${(100 * length) / most}%`;
      write(row.now, milliseconds(length));
      begin = Math.max(begin, end);
    });
    return begin;
  }

  overall(stages_ms) {
    this.#rows.forEach((row, at) => {
      const found = stages_ms[this.#stages[at][0]];
      write(row.p50, milliseconds(found?.p50));
      write(row.p95, milliseconds(found?.p95));
    });
  }
}

export class Latency {
  #analysed;
  #shown;
  #due = 0;

  constructor() {
    const table = (id) => document.getElementById(id);
    this.#analysed = new Waterfall(table("analysed-table"), ANALYSED);
    this.#shown = new Waterfall(table("shown-table"), SHOWN);
  }

  analysed(stamps_ms) {
    this.#analysed.add(stamps_ms, performance.now());
    this.#draw();
  }

  shown(stamps_ms) {
    this.#shown.add(stamps_ms, performance.now());
    this.#draw();
  }

  /** Percentiles of the whole run, as the server counts them. */
  overall(stages_ms) {
    this.#analysed.overall(stages_ms);
    // The server hands pictures to its system; here "sent" ends when they are received.
    const { sent: _, ...rest } = stages_ms;
    this.#shown.overall(rest);
  }

  #draw() {
    const now = performance.now();
    if (now < this.#due) return;
    this.#due = now + EVERY_MS;
    const ends = [this.#analysed.ends(), this.#shown.ends()];
    // One scale for both, so that they can be compared.
    const most = Math.max(1, ...ends.flat().filter((ms) => ms !== undefined)) * 1.02;
    this.#analysed.draw(ends[0], most);
    const delay = this.#shown.draw(ends[1], most);
    if (delay) write(document.getElementById("delay"), milliseconds(delay));
  }
}
