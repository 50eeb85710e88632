// What can be changed while it runs.  Saved only when asked to.

import { ask, askJson, Refused } from "./ask.js";
import { make, write } from "./words.js";

// A larger model is loaded and warmed up before anything changes.
const PATIENCE_MS = 25000;
const by = (id) => document.getElementById(id);

export class Settings {
  #onConfig;
  #mine = {};
  #last = Promise.resolve();
  #sent = 0;
  #waiting = 0;
  #dragged = false;
  #values = null;

  /** onConfig(values, colours): what is in effect; label -> "#rrggbb". */
  constructor(onConfig) {
    this.#onConfig = onConfig;
    by("settings").addEventListener("submit", (event) => event.preventDefault());
    by("score").addEventListener("input", () => {
      this.#dragged = true;
      this.#writeScore();
    });
    by("score").addEventListener("change", () => {
      this.#dragged = false;
      this.#change("model", "min_score", Number(by("score").value) / 100);
    });
    by("hud").addEventListener("change", () => this.#change("overlay", "hud", by("hud").checked));
    by("save").addEventListener("click", () => this.#save());
  }

  /** Takes over what is in effect, unless a change is under way. */
  async load() {
    const sent = this.#sent;
    const { values, colours, choices } = await askJson("/api/config");
    if (this.#waiting || this.#dragged || sent !== this.#sent) return;
    this.#segments("style", "overlay", choices["overlay.style"]);
    this.#segments("size", "model", choices["model.size"]);
    this.#values = values;
    this.#write();
    this.#onConfig(values, colours);
  }

  #segments(key, section, choices) {
    const group = by(key);
    if (group.childElementCount) return;
    for (const choice of choices) {
      const input = make("input");
      Object.assign(input, { type: "radio", name: key, value: choice });
      input.addEventListener("change", () => this.#change(section, key, choice));
      group.append(make("label", "", input, make("span", "", choice)));
    }
  }

  #write() {
    if (!this.#values) return;
    const { overlay, model } = this.#values;
    for (const [key, value] of [["style", overlay.style], ["size", model.size]]) {
      for (const input of document.getElementsByName(key)) input.checked = input.value === value;
    }
    by("score").value = String(Math.round(model.min_score * 100));
    by("hud").checked = overlay.hud;
    this.#writeScore();
  }

  #writeScore() {
    const text = `${by("score").value}%`;
    write(by("score-value"), text);
    by("score").setAttribute("aria-valuetext", text);
  }

  #say(text, wrong = false) {
    by("said").classList.toggle("wrong", wrong);
    write(by("said"), text);
  }

  #change(section, key, value) {
    this.#send({ [section]: { [key]: value } }, "", (answer) => {
      const mine = (this.#mine[section] ??= {});
      mine[key] = value;
      const changed = answer.changed.length > 0;
      this.#say(changed ? "Changed until the next start; Save keeps it." : "Nothing to change.");
    });
  }

  #save() {
    if (Object.keys(this.#mine).length === 0) {
      this.#say("Nothing has been changed on this page.");
      return;
    }
    this.#send(this.#mine, "?save=true", ({ saved_to: file, backup }) => {
      this.#mine = {};
      this.#say(`Saved to ${file}; what it was before is in ${backup}.`);
    });
  }

  /** One change after the other, in the order in which they were wished for. */
  #send(wish, query, done) {
    this.#sent += 1;
    this.#waiting += 1;
    by("settings").setAttribute("aria-busy", "true");
    this.#last = this.#last.then(async () => {
      try {
        const answer = await ask(`/api/config${query}`, {
          method: "PATCH",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(wish),
          patience_ms: PATIENCE_MS,
        }).then((found) => found.json());
        this.#values = answer.values;
        done(answer);
      } catch (error) {
        this.#say(error instanceof Refused ? error.message : "The board does not answer.", true);
      }
      this.#waiting -= 1;
      if (this.#waiting) return;
      // What was refused goes back to what is in effect.
      this.#write();
      by("settings").removeAttribute("aria-busy");
    });
  }
}
