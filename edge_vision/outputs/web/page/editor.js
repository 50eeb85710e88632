// Changes zones, lines and rules: a draft, which the board gets with Try or Save.

import { ask, Refused } from "./ask.js";
import { Draft } from "./draft.js";
import { RuleForm } from "./ruleform.js";
import { Sketch } from "./sketch.js";
import { make, write } from "./words.js";

const PATIENCE_MS = 25000;
const DRAW = {
  zone: "Touch the corners in the picture, one after the other; the first again to finish.",
  line: "Touch where the line begins and where it ends; an arrow shows which way is in.",
};
// For who has no pointer: a place in the middle, whose points the arrow keys move.
const READY = {
  zone: [[0.35, 0.35], [0.65, 0.35], [0.65, 0.65], [0.35, 0.65]],
  line: [[0.5, 0.7], [0.5, 0.3]],
};
const MOVE = "Drag its points, or move them with the arrow keys; "
  + "Insert adds a corner, Delete takes one away.";
const by = (id) => document.getElementById(id);

export class Editor {
  #draft = null;
  #chosen = null;
  #sketch;
  #ruleForm;
  #onWatch;
  #onClose;
  #changed = false;
  #warned = false;

  /** onWatch(values): the board's section `watch` is another; onClose(): nothing is edited. */
  constructor(onWatch, onClose) {
    this.#onWatch = onWatch;
    this.#onClose = onClose;
    this.#sketch = new Sketch(by("sketch"), by("picture"), {
      choose: (place) => this.#choose(place),
      change: () => this.#touch(),
      drawn: (kind, points) => this.#drawn(kind, points),
      tell: (text) => this.#say(text),
    });
    this.#ruleForm = new RuleForm(() => {
      this.#touch();
      this.#writeList();
    });
    this.#listen();
  }

  open(watch, labels) {
    this.#draft = new Draft(watch);
    this.#chosen = null;
    this.#changed = this.#warned = false;
    this.#ruleForm.offerClasses(labels);
    by("editor").hidden = false;
    by("sketch").removeAttribute("hidden");
    document.body.classList.add("editing");
    this.#say("Nothing changes on the board before Try or Save.");
    this.#refuse([]);
    this.#show();
  }

  close() {
    by("editor").hidden = true;
    by("sketch").setAttribute("hidden", "");
    document.body.classList.remove("editing");
    this.#sketch.cancel();
    this.#onClose();
  }

  #listen() {
    for (const kind of ["zone", "line"]) {
      by(`add-${kind}`).addEventListener("click", (event) => this.#add(kind, event.detail === 0));
    }
    by("add-rule").addEventListener("click", () => {
      const { kind } = this.#chosen ?? {};
      this.#choose(this.#draft.addRule(kind ? this.#chosen : null));
      this.#touch();
      by("rule-name").select();
    });
    by("finish").addEventListener("click", () => this.#sketch.finish());
    by("cancel").addEventListener("click", () => this.#stopDrawing());
    by("editor").addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#sketch.drawing) this.#stopDrawing();
    });
    by("editor").addEventListener("submit", (event) => event.preventDefault());
    by("place-name").addEventListener("input", () => {
      this.#chosen.name = by("place-name").value.trim();
      this.#touch();
      this.#sketch.draw();
      this.#writeList();
    });
    by("turn").addEventListener("click", () => {
      this.#chosen.points.reverse();
      this.#touch();
      this.#sketch.draw();
      this.#say("What was in is out now.");
    });
    for (const id of ["place-remove", "rule-remove"]) {
      by(id).addEventListener("click", () => this.#remove());
    }
    by("try").addEventListener("click", () => this.#send(false));
    by("keep").addEventListener("click", () => this.#send(true));
    by("editor-close").addEventListener("click", () => this.#leave());
  }

  #add(kind, ready) {
    if (ready) {
      this.#drawn(kind, READY[kind].map((point) => [...point]));
      this.#sketch.focus(0);
      return;
    }
    this.#choose(null);
    this.#sketch.begin(kind);
    by("drawing").hidden = false;
    by("adding").hidden = true;
    by("finish").focus();
    this.#say(DRAW[kind]);
  }

  #stopDrawing() {
    this.#sketch.cancel();
    this.#show();
    this.#say("");
    by("add-zone").focus();
  }

  #drawn(kind, points) {
    this.#choose(this.#draft.addPlace(kind, points));
    this.#touch();
    this.#say(MOVE);
    by("place-name").select();
  }

  #choose(item) {
    this.#chosen = item;
    this.#show();
    this.#say(item?.kind ? MOVE : "");
  }

  #remove() {
    const { name } = this.#chosen;
    const rules = this.#draft.remove(this.#chosen);
    const also = rules.length ? `, and with it what is about it: ${rules.join(", ")}` : "";
    this.#choose(null);
    this.#touch();
    this.#say(`${name} is taken away${also}.`);
    by("add-zone").focus();
  }

  #leave() {
    if (this.#changed && !this.#warned) {
      this.#warned = true;
      this.#say("There are changes the board does not have; Close again drops them.");
      return;
    }
    this.close();
  }

  #touch() {
    this.#changed = true;
    this.#warned = false;
  }

  #show() {
    const place = this.#chosen?.kind ? this.#chosen : null;
    const rule = this.#chosen && !place ? this.#chosen : null;
    this.#sketch.places = this.#draft.places;
    this.#sketch.chosen = place;
    this.#sketch.draw();
    by("drawing").hidden = true;
    by("adding").hidden = false;
    by("place-form").hidden = !place;
    by("turn").hidden = place?.kind !== "line";
    if (place) by("place-name").value = place.name;
    this.#ruleForm.show(rule, this.#draft.places);
    this.#writeList();
  }

  #writeList() {
    const items = [...this.#draft.places, ...this.#draft.rules];
    const at = [...by("chooser").querySelectorAll("button")].indexOf(document.activeElement);
    const buttons = items.map((item) => {
      const kind = make("span", "muted", item.kind ?? "rule");
      const button = make("button", "", kind, ` ${item.name}`);
      button.type = "button";
      button.setAttribute("aria-pressed", String(item === this.#chosen));
      button.addEventListener("click", () => this.#choose(item));
      return button;
    });
    by("chooser").replaceChildren(...buttons.map((button) => make("li", "", button)));
    buttons[at]?.focus();
  }

  async #send(save) {
    const wrongs = this.#draft.wrongs();
    this.#refuse(wrongs);
    if (wrongs.length) return;
    this.#busy(true);
    try {
      const answer = await ask(`/api/config${save ? "?save=true" : ""}`, {
        method: "PATCH",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(this.#draft.wish()),
        patience_ms: PATIENCE_MS,
      }).then((found) => found.json());
      this.#changed = this.#warned = false;
      this.#onWatch(answer.values.watch);
      const { saved_to: file, backup } = answer;
      this.#say(
        save
          ? `Saved to ${file}; what it was before is in ${backup}.`
          : "In effect until the next start; Save keeps it.",
      );
    } catch (error) {
      this.#refuse(error instanceof Refused ? error.errors : ["The board does not answer."]);
    }
    this.#busy(false);
  }

  #busy(on) {
    for (const id of ["try", "keep"]) by(id).disabled = on;
    if (on) this.#say("Asking the board");
  }

  #refuse(sentences) {
    by("wrongs").replaceChildren(...sentences.map((text) => make("li", "", text)));
    by("wrongs").hidden = sentences.length === 0;
    if (sentences.length) this.#say("");
  }

  #say(text) {
    write(by("editor-said"), text);
  }
}
