// Zones, lines and rules while they are edited, before the board has them.

const PLAIN = {
  classes: [], min_score: 0, dwell_s: 0, count: 1, direction: "both", cooldown_s: 0, schedule: "",
};
const DIGITS = 4;

export class Draft {
  /** Each {kind: "zone" or "line", name, points: [[x, y], ...]}, in shares of the picture. */
  places = [];
  /** Each as in watch.rules, but with `place`, one of `places` or null. */
  rules = [];

  /** The section `watch` of /api/config. */
  constructor({ zones, lines, rules }) {
    for (const [kind, found] of [["zone", zones], ["line", lines]]) {
      for (const [name, points] of Object.entries(found)) {
        this.places.push({ kind, name, points: points.map((point) => [...point]) });
      }
    }
    for (const { zone, line, ...rule } of rules) {
      this.rules.push({ ...rule, place: this.#find("zone", zone) ?? this.#find("line", line) });
    }
  }

  addPlace(kind, points) {
    const place = { kind, name: this.#free(kind, this.places), points };
    this.places.push(place);
    return place;
  }

  addRule(place) {
    const rule = { name: this.#free("rule", this.rules), ...PLAIN, place };
    this.rules.push(rule);
    return rule;
  }

  /** Takes away a place with the rules about it, or a rule; the names of those rules. */
  remove(item) {
    this.places = this.places.filter((place) => place !== item);
    const about = this.rules.filter((rule) => rule.place === item);
    this.rules = this.rules.filter((rule) => rule !== item && rule.place !== item);
    return about.map(({ name }) => name);
  }

  /** Sentences about what could not even be asked for. */
  wrongs() {
    const places = new Set();
    const twice = this.places.filter(({ kind, name }) => {
      const key = `${kind} ${name}`;
      return places.has(key) || !places.add(key);
    });
    return twice.map(({ kind, name }) => `Two ${kind}s have the name ${name}; change one of them.`);
  }

  /** The body of a PATCH of /api/config. */
  wish() {
    const of = (wanted) => Object.fromEntries(
      this.places
        .filter(({ kind }) => kind === wanted)
        .map(({ name, points }) => [name, points.map((point) => point.map(rounded))]),
    );
    const rules = this.rules.map(({ place, ...rule }) => {
      const line = place?.kind === "line";
      // What a form does not offer for a place has no meaning there, and is refused.
      const fitting = line ? { dwell_s: 0, count: 1 } : { direction: "both" };
      return { ...rule, ...fitting, ...(place ? { [place.kind]: place.name } : {}) };
    });
    return { watch: { zones: of("zone"), lines: of("line"), rules } };
  }

  #find(kind, name) {
    return this.places.find((place) => place.kind === kind && place.name === name) ?? null;
  }

  #free(stem, items) {
    const taken = new Set(items.map(({ name }) => name));
    let number = 1;
    while (taken.has(`${stem}-${number}`)) number += 1;
    return `${stem}-${number}`;
  }
}

const rounded = (value) => Number(value.toFixed(DIGITS));
