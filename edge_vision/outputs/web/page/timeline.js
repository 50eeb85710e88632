// The events that are shown, under the day on which each began.

import { Entry } from "./entry.js";
import { make } from "./words.js";

export class Timeline {
  /** Where the next page begins, an id; null: there is none. */
  next = null;
  #place;
  #actions;
  #entries = new Map();
  #days = new Map();
  #playing = null;

  /** place: an element; onDelete(entry): somebody wants an event gone. */
  constructor(place, onDelete) {
    this.#place = place;
    const onPlay = (entry) => {
      this.#playing?.stop();
      this.#playing = entry;
    };
    this.#actions = { onPlay, onDelete };
  }

  get size() {
    return this.#entries.size;
  }

  /** Nothing more is to come of what is shown. */
  get settled() {
    return [...this.#entries.values()].every((entry) => entry.settled);
  }

  /** The newest events there are: an answer of /api/history.  How many of them are new. */
  showNewest({ events, next }) {
    const found = new Set(events.map(({ id }) => id));
    const last = next === null ? "" : events.at(-1).id;
    const joined = [...found].some((id) => this.#entries.has(id));
    for (const entry of [...this.#entries.values()]) {
      // More than a page has come: what lies between is fetched with the older ones again.
      const beyond = entry.id < last && !joined;
      if ((entry.id >= last && !found.has(entry.id)) || beyond) this.remove(entry);
    }
    if (!joined || next === null) this.next = next;
    return this.#add(events);
  }

  /** The page after what is shown. */
  showOlder({ events, next }) {
    this.next = next;
    this.#add(events);
  }

  clear() {
    for (const entry of [...this.#entries.values()]) this.remove(entry);
    this.next = null;
  }

  /** Takes one away; the one that stood after it, or before it, or null. */
  remove(entry) {
    const order = this.#inOrder();
    const at = order.indexOf(entry);
    entry.stop();
    entry.item.remove();
    this.#entries.delete(entry.id);
    const day = this.#days.get(entry.day);
    if (!day.list.childElementCount) {
      day.section.remove();
      this.#days.delete(entry.day);
    }
    return order[at + 1] ?? order[at - 1] ?? null;
  }

  #inOrder() {
    return [...this.#entries.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  #add(events) {
    let news = 0;
    for (const event of events) {
      const known = this.#entries.get(event.id);
      if (known) {
        known.update(event);
        continue;
      }
      const entry = new Entry(event, this.#actions);
      const { list } = this.#days.get(entry.day) ?? this.#addDay(entry.day);
      const before = [...list.children].find((item) => item.dataset.id < entry.id);
      list.insertBefore(entry.item, before ?? null);
      this.#entries.set(entry.id, entry);
      news += 1;
    }
    return news;
  }

  #addDay(name) {
    const date = new Date(name);
    const list = make("ol");
    const section = make("section", "day", make("h2", "", dayName(date)), list);
    const made = { date, section, list };
    const older = [...this.#days.values()].filter((day) => day.date < date);
    older.sort((a, b) => b.date - a.date);
    this.#place.insertBefore(section, older[0]?.section ?? null);
    this.#days.set(name, made);
    return made;
  }
}

function dayName(date) {
  const today = new Date();
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return "Today";
  if (date.toDateString() === yesterday.toDateString()) return "Yesterday";
  return date.toLocaleDateString([], { dateStyle: "full" });
}
