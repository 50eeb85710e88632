// The page of events: which are shown, and that new ones come by themselves.

import { ask, askJson, Refused, whileSeen } from "./ask.js";
import { offerLogout } from "./session.js";
import { Timeline } from "./timeline.js";
import { make, megabytes, write } from "./words.js";

const LOOK_EVERY_MS = 2000;
const NEWS_MS = 6000; // an event is written, and its pictures are made, within some seconds
const AGAIN_MS = 3000;
const PAGE = 40;
const NO_ANSWER = "The board does not answer.";
const FILTERS = ["label", "place", "rule"];
const by = (id) => document.getElementById(id);

const wanted = new URLSearchParams(location.search);
const timeline = new Timeline(by("days"), remove);
let known = { zones: {}, lines: {}, rules: [] };
let look = Infinity;
let asked = 0;
let unreachable = false;

function query(more = {}) {
  const values = new URLSearchParams({ limit: String(PAGE), ...more });
  for (const name of FILTERS) if (by(name).value) values.set(name, by(name).value);
  return `/api/history?${values}`;
}

/** Newest events; what was asked for before the filters were changed is not shown any more. */
async function load() {
  const turn = asked;
  try {
    const answer = await askJson(query());
    if (turn !== asked) return;
    if (look === Infinity) look = 0;
    const first = timeline.size === 0;
    const news = timeline.showNewest(answer);
    if (news && !first) write(by("announce"), news === 1 ? "A new event" : `${news} new events`);
    if (unreachable) tell("");
    unreachable = false;
    show(answer);
  } catch (error) {
    look = Infinity;
    if (turn !== asked) return;
    unreachable = true;
    tell(said(error));
  }
}

function show({ events, totals }) {
  for (const { label, place, rule } of events) {
    offer("label", [label]);
    offer("place", place ? [place] : []);
    offer("rule", [rule]);
  }
  const count = totals.events === 1 ? "1 event" : `${totals.events} events`;
  write(by("totals"), `${count} kept, ${megabytes(totals.bytes)}`);
  by("older").hidden = timeline.next === null;
  by("empty").hidden = timeline.size > 0;
  if (timeline.size === 0) sayEmpty();
}

function sayEmpty() {
  const rules = known.rules.map(({ name }) => name);
  const [title, text] = filtered()
    ? ["No event fits", "None that is kept has this class, place and rule."]
    : rules.length
      ? ["Nothing has happened yet", `Events of ${rules.join(", ")} appear here by themselves.`]
      : ["No rules yet", "A rule says what makes an event, such as a person in a zone. "];
  write(by("empty-title"), title);
  const how = make("a", "", "Zones and lines on the live page");
  how.href = "/#places";
  by("empty-text").replaceChildren(text);
  if (!filtered() && !rules.length) by("empty-text").append("Make one with ", how, ".");
}

/** What stands in the way, instead of an empty list; "" when nothing does. */
function tell(text) {
  write(by("trouble"), text);
  by("trouble").hidden = !text;
  if (text) by("empty").hidden = true;
}

const said = (error) => (error instanceof Refused ? error.message : NO_ANSWER);
const filtered = () => FILTERS.some((name) => by(name).value);

/** Further choices of a filter, in order; what is chosen stays so. */
function offer(name, values) {
  const select = by(name);
  for (const value of values) {
    const options = [...select.options].slice(1);
    if (options.some((option) => option.value === value)) continue;
    const next = options.find((option) => option.value > value);
    const option = make("option", "", value);
    option.value = value;
    select.insertBefore(option, next ?? null);
  }
}

function choose() {
  asked += 1;
  const address = new URLSearchParams();
  for (const name of FILTERS) if (by(name).value) address.set(name, by(name).value);
  history.replaceState(null, "", address.size ? `?${address}` : location.pathname);
  by("all").hidden = !filtered();
  timeline.clear();
  tell("");
  return load();
}

by("filters").addEventListener("submit", (event) => event.preventDefault());
by("filters").addEventListener("change", choose);
by("all").addEventListener("click", () => {
  by("filters").reset();
  by("label").focus();
  choose();
});

by("older").addEventListener("click", async () => {
  by("older").disabled = true;
  const turn = asked;
  try {
    const answer = await askJson(query({ before: timeline.next }));
    if (turn !== asked) return;
    timeline.showOlder(answer);
    show(answer);
  } catch (error) {
    tell(said(error));
  } finally {
    by("older").disabled = false;
  }
});

async function remove(entry) {
  const sure = by("sure");
  if (sure.open) return;
  write(by("sure-what"), entry.sentence);
  sure.returnValue = "";
  sure.showModal();
  await new Promise((done) => sure.addEventListener("close", done, { once: true }));
  if (sure.returnValue !== "yes") return;
  try {
    await ask(`/api/history/${encodeURIComponent(entry.id)}`, {
      method: "DELETE",
      headers: { "Content-Type": "application/json" },
    });
  } catch (error) {
    tell(said(error));
    return;
  }
  tell("");
  const next = timeline.remove(entry);
  if (next) next.focus();
  else by("timeline").focus();
  write(by("announce"), "Deleted");
  await load();
}

let events = null;
function listen() {
  events?.close();
  events = null;
  if (document.hidden) return;
  events = new EventSource("/api/events");
  events.addEventListener("happening", news);
  events.addEventListener("open", news);
  events.addEventListener("error", () => {
    // A browser tries again by itself, unless it was refused.
    if (events?.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
  });
}

function news() {
  look = performance.now() + NEWS_MS;
}

async function begin() {
  for (const name of FILTERS) {
    const value = wanted.get(name);
    if (value) offer(name, [value]);
    by(name).value = value ?? "";
  }
  by("all").hidden = !filtered();
  offerLogout();
  try {
    const [{ values, colours }, { node }] = await Promise.all(
      ["/api/config", "/api/state"].map((address) => askJson(address)),
    );
    known = values.watch;
    offer("label", Object.keys(colours));
    offer("place", [...Object.keys(known.zones), ...Object.keys(known.lines)]);
    offer("rule", known.rules.map(({ name }) => name));
    write(by("node"), node);
    document.title = `Events – ${node} – edge-vision`;
  } catch {
    tell(NO_ANSWER);
    unreachable = true;
  }
  whileSeen(LOOK_EVERY_MS, async () => {
    if (performance.now() < look || !timeline.settled) await load();
  });
  document.addEventListener("visibilitychange", listen);
  listen();
}
begin();
