// The live page: what comes from the server goes to the parts that show it.

import { ask, askJson, Refused, whileSeen } from "./ask.js";
import { setClock } from "./clock.js";
import { History } from "./history.js";
import { Latency } from "./latency.js";
import { delay, Live } from "./live.js";
import { Objects } from "./objects.js";
import { Places } from "./places.js";
import { offerLogout } from "./session.js";
import { Settings } from "./settings.js";
import { showRates, showSystem } from "./system.js";
import { write } from "./words.js";

const STATE_EVERY_MS = 1000;
const RECENT_EVERY_MS = 2000;
const COUNTS_EVERY_MS = 2000;
const CONFIG_EVERY_MS = 10000;
const EVENTS_AGAIN_MS = 3000;
const TOLD_MS = 8000;
const by = (id) => document.getElementById(id);

const latency = new Latency();
const objects = new Objects();
const history = new History();
const live = new Live(({ head, received, shown }) => {
  const stamps = JSON.parse(head.get("x-stamps") ?? "{}");
  latency.shown({ ...stamps, sent: delay(head, received), shown: delay(head, shown) });
});
const places = new Places(live);
const settings = new Settings((values, colours) => {
  for (const part of [live, objects, history]) part.colours = colours;
  places.labels = Object.keys(colours);
  places.watch = values.watch;
});

whileSeen(STATE_EVERY_MS, async () => {
  const begin = performance.now();
  let state;
  try {
    state = await askJson("/api/state");
  } catch {
    live.gone();
    return;
  }
  setClock(state.now_ns, begin, performance.now());
  live.answered(state.camera);
  if (!state.camera.up || !state.healthy) objects.clear();
  showRates(state.rates);
  showSystem(state);
  latency.overall(state.stages_ms);
  write(by("node"), state.node);
  document.title = `${state.node} – edge-vision`;
});

/** What can wait until the server answers again. */
const quiet = (work) => () => work().catch(() => {});
whileSeen(RECENT_EVERY_MS, quiet(async () => history.show(await askJson("/api/recent"))));
whileSeen(COUNTS_EVERY_MS, quiet(async () => places.show(await askJson("/api/counts"))));
whileSeen(CONFIG_EVERY_MS, quiet(() => settings.load()));

let events = null;
function listen() {
  events?.close();
  events = null;
  if (document.hidden) return;
  events = new EventSource("/api/events");
  events.addEventListener("scene", (event) => {
    const scene = JSON.parse(event.data);
    objects.show(scene.objects);
    latency.analysed(scene.stamps_ms);
  });
  events.addEventListener("error", () => {
    objects.clear();
    // A browser tries again by itself, unless it was refused.
    if (events?.readyState === EventSource.CLOSED) setTimeout(listen, EVENTS_AGAIN_MS);
  });
}
document.addEventListener("visibilitychange", listen);
listen();

function pressed(button, on) {
  button.setAttribute("aria-pressed", String(on));
}

by("pause").addEventListener("click", () => {
  live.setPaused(!live.paused);
  pressed(by("pause"), live.paused);
});

by("crisp-toggle").addEventListener("click", () => {
  live.setCrisp(!live.crisp);
  pressed(by("crisp-toggle"), live.crisp);
});

by("snapshot").addEventListener("click", async () => {
  try {
    const answer = await ask("/snapshot.jpg");
    const name = /filename="?([^";]+)/.exec(answer.headers.get("Content-Disposition") ?? "");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = name ? name[1] : "snapshot.jpg";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    tell(`Snapshot: ${link.download}`);
  } catch (error) {
    tell(error instanceof Refused ? error.message : "The board does not answer.");
  }
});

let telling = 0;
function tell(text) {
  clearTimeout(telling);
  by("told").textContent = text;
  telling = setTimeout(() => (by("told").textContent = ""), TOLD_MS);
}

by("full").hidden = !document.fullscreenEnabled;
by("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else by("live").requestFullscreen();
});
document.addEventListener("fullscreenchange", () => {
  pressed(by("full"), document.fullscreenElement !== null);
});

offerLogout();
