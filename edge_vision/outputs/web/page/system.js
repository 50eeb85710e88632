// Camera, model, board, and what did not go well.

import { duration, make, rate, since, write } from "./words.js";

const by = (id) => document.getElementById(id);

function lines(state) {
  const { camera, model, board, drops, counts } = state;
  const size = `${camera.width_px} × ${camera.height_px}`;
  const granted = camera.fps ? `${size} at ${rate(camera.fps)}/s` : size;
  const dropped = Object.entries(drops).map(([reason, count]) => `${count} ${reason}`);
  const throttled = [...board.alarms, board.held_back].filter(Boolean);
  const celsius = board.temperature_c;
  const temperature = celsius === null ? "not known" : `${celsius.toFixed(1)} °C`;
  const viewers = `${state.viewers} of ${state.max_viewers}`;
  return {
    Camera: [camera.name, camera.up ? granted : camera.reason, since(camera.since_s)],
    Model: [model.description, `${model.size}, ${model.input_hw_px.join(" × ")}`],
    Engine: [model.engine],
    Board: [board.name],
    Temperature: [temperature],
    Throttling: throttled.length ? throttled : ["none"],
    Health: [state.healthy ? "good" : state.health, board.idle ? "resting, as nothing moves" : ""],
    Frames: [`${counts.captured} captured, ${counts.analysed} analysed, ${counts.shown} shown`],
    Dropped: dropped.length ? dropped : ["none"],
    Memory: [`${state.memory_mb.toFixed(0)} MB`],
    Watching: [`${viewers} pictures, ${state.listeners} listeners`],
    Running: [duration(state.uptime_s), `version ${state.version}`],
  };
}

/** An answer of /api/state. */
export function showSystem(state) {
  const list = by("system");
  for (const [name, parts] of Object.entries(lines(state))) {
    let value = list.querySelector(`[data-name="${name}"]`);
    if (!value) {
      value = make("dd");
      value.dataset.name = name;
      list.append(make("div", "", make("dt", "", name), value));
    }
    write(value, parts.filter(Boolean).join("; "));
  }
  by("system").querySelector('[data-name="Throttling"]').classList.toggle(
    "alarm", state.board.alarms.length > 0 || state.board.held_back !== "");
  const faults = state.faults.join("\n");
  if (by("faults").dataset.said === faults) return;
  by("faults").dataset.said = faults;
  by("faults").replaceChildren(...state.faults.map((fault) => make("li", "", fault)));
  by("faults").hidden = state.faults.length === 0;
}

/** The figures under the picture. */
export function showRates(rates) {
  write(by("rate-captured"), rate(rates.captured_per_s));
  write(by("rate-analysed"), rate(rates.analysed_per_s));
  write(by("rate-shown"), rate(rates.shown_per_s));
}
