// The form of one rule: where, about what, and when it makes an event.

import { make } from "./words.js";

const by = (id) => document.getElementById(id);
const NUMBERS = ["dwell_s", "count", "cooldown_s"];

export class RuleForm {
  #rule = null;
  #places = [];

  /** onChange(): the rule that is shown is another. */
  constructor(onChange) {
    by("rule-form").addEventListener("input", () => {
      this.#read();
      onChange();
    });
  }

  offerClasses(labels) {
    const options = labels.map((label) => {
      const option = make("option");
      option.value = label;
      return option;
    });
    by("classes").replaceChildren(...options);
  }

  /** The rule of a draft, or null; places: what it may be about. */
  show(rule, places) {
    this.#rule = rule;
    this.#places = places;
    by("rule-form").hidden = !rule;
    if (!rule) return;
    const where = ["the whole picture", ...places.map(({ kind, name }) => `${kind} ${name}`)];
    by("rule-place").replaceChildren(...where.map((text, at) => {
      const option = make("option", "", text);
      option.value = String(at);
      return option;
    }));
    by("rule-place").value = String(places.indexOf(rule.place) + 1);
    by("rule-name").value = rule.name;
    by("rule-classes").value = rule.classes.join(", ");
    by("rule-min_score").value = String(Math.round(rule.min_score * 100));
    by("rule-direction").value = rule.direction;
    by("rule-schedule").value = rule.schedule;
    for (const key of NUMBERS) by(`rule-${key}`).value = String(rule[key]);
    this.#fit();
  }

  #read() {
    const rule = this.#rule;
    rule.name = by("rule-name").value.trim();
    rule.place = this.#places[Number(by("rule-place").value) - 1] ?? null;
    const classes = by("rule-classes").value.split(",").map((label) => label.trim());
    rule.classes = classes.filter(Boolean);
    rule.min_score = Number(by("rule-min_score").value) / 100;
    rule.direction = by("rule-direction").value;
    rule.schedule = by("rule-schedule").value.trim();
    for (const key of NUMBERS) rule[key] = Number(by(`rule-${key}`).value);
    this.#fit();
  }

  /** Nothing dwells on a line, and only there is a direction. */
  #fit() {
    const line = this.#rule.place?.kind === "line";
    by("rule-way").hidden = !line;
    by("rule-stay").hidden = line;
  }
}
