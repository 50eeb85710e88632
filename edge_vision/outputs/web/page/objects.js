// What is in view now, from the server's events.

import { duration, make, write } from "./words.js";

const KEEP_MS = 500;
const EVERY_MS = 250;
const by = (id) => document.getElementById(id);

export class Objects {
  colours = {};
  #rows = new Map();
  #due = 0;

  /** A scene's objects: new ones appear at once, figures change at a pace that can be read. */
  show(objects) {
    const now = performance.now();
    let news = false;
    const counts = {};
    for (const object of objects) {
      // Without tracking every id is 0, and an object is only "the second cup".
      const place = (counts[object.label] = (counts[object.label] ?? 0) + 1);
      const key = object.id ? `${object.id}` : `${object.label} ${place}`;
      const row = this.#rows.get(key) ?? this.#add(key, object);
      news ||= row.seen === 0;
      row.seen = now;
      row.object = object;
    }
    if (!news && now < this.#due) return;
    this.#due = now + EVERY_MS;
    this.#write(now);
  }

  /** Nothing is known any more. */
  clear() {
    for (const row of this.#rows.values()) row.seen = -Infinity;
    this.#write(performance.now());
  }

  #add(key, object) {
    const row = {
      seen: 0,
      object,
      mark: make("span", "mark"),
      label: make("span", "name"),
      id: make("span", "id"),
      age: make("span", "age"),
      score: make("span", "score"),
    };
    row.item = make("li", "", row.mark, row.label, row.id, row.age, row.score);
    // By id, as they were first met, however often they come back.
    const after = [...this.#rows.values()].filter((other) => other.object.id > object.id);
    const next = after.sort((a, b) => a.object.id - b.object.id)[0];
    by("objects").insertBefore(row.item, next?.item ?? null);
    this.#rows.set(key, row);
    return row;
  }

  #write(now) {
    for (const [key, row] of this.#rows) {
      if (now - row.seen > KEEP_MS) {
        row.item.remove();
        this.#rows.delete(key);
        continue;
      }
      const { label, id, age_s: age, score, state } = row.object;
      row.mark.style.backgroundColor = this.colours[label] ?? "gray";
      row.item.classList.toggle("coasting", state === "coasting");
      write(row.label, label);
      write(row.id, id ? `#${id}` : "");
      write(row.age, id ? duration(age) : "");
      write(row.score, `${Math.round(score * 100)}%`);
    }
    write(by("objects-count"), String(this.#rows.size));
    by("nothing").hidden = this.#rows.size > 0;
  }
}
