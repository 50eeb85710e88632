// How many objects of each class there were over the last minutes: a strip for each class.

import { make, write } from "./words.js";

const SPANS_S = [60, 120, 300, 600];
const MOST_ROWS = 8;
const HIGH = 20;
const SVG = "http://www.w3.org/2000/svg";
const by = (id) => document.getElementById(id);

export class History {
  colours = {};
  #rows = new Map();

  /** An answer of /api/recent. */
  show({ step_s: step, age_s: ages, classes }) {
    const found = Object.entries(classes).filter(([, counts]) => counts.some((n) => n > 0));
    const total = (counts) => counts.reduce((a, b) => a + b, 0);
    found.sort(([, a], [, b]) => total(b) - total(a));
    const shown = found.slice(0, MOST_ROWS);
    for (const [label, row] of this.#rows) {
      if (shown.some(([other]) => other === label)) continue;
      row.item.remove();
      this.#rows.delete(label);
    }
    const oldest = Math.max(0, ...ages);
    const span = SPANS_S.find((seconds) => seconds >= oldest) ?? SPANS_S.at(-1);
    for (const [label, counts] of shown) this.#write(label, counts, ages, step, span);
    write(by("history-title"), span === 60 ? "Last minute" : `Last ${span / 60} minutes`);
    write(by("history-begin"), `${span / 60} min ago`);
    by("history-empty").hidden = shown.length > 0;
    by("history-axis").hidden = shown.length === 0;
  }

  #row(label) {
    const shape = document.createElementNS(SVG, "path");
    const chart = document.createElementNS(SVG, "svg");
    chart.setAttribute("preserveAspectRatio", "none");
    chart.setAttribute("aria-hidden", "true");
    chart.append(shape);
    const row = { chart, shape, most: make("span", "most"), words: make("span", "hidden") };
    row.item = make("li", "", make("span", "name", label), chart, row.most, row.words);
    by("history").append(row.item);
    this.#rows.set(label, row);
    return row;
  }

  #write(label, counts, ages, step, span) {
    const row = this.#rows.get(label) ?? this.#row(label);
    const most = Math.max(...counts);
    const steps = counts.map((count, at) => {
      const left = span - ages[at];
      const high = (HIGH * count) / most;
      return count ? `M${left} ${HIGH}v${-high}h${step}v${high}z` : "";
    });
    row.chart.setAttribute("viewBox", `0 0 ${span} ${HIGH}`);
    row.shape.setAttribute("d", steps.join(""));
    row.shape.style.fill = this.colours[label] ?? "gray";
    const share = counts.filter((n) => n > 0).length / counts.length;
    write(row.most, `≤ ${most}`);
    write(row.words, `: at most ${most} at once, in view ${Math.round(share * 100)}% of the time`);
  }
}
