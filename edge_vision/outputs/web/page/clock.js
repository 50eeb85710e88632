// The server's clock (its time.monotonic_ns) as this browser sees it.

const KEEP = 30;
const seen = [];

/** One answer of /api/state, asked at `begin` and there at `end` (performance.now()). */
export function setClock(now_ns, begin, end) {
  seen.push({ ahead: now_ns / 1e6 - (begin + end) / 2, doubt: end - begin });
  if (seen.length > KEEP) seen.shift();
}

/** ms from a time of the server's clock to a time of this browser's; undefined if not known yet. */
export function msSince(time_ns, now) {
  if (seen.length === 0) return undefined;
  // The quickest answer tells the time best: it is wrong by half its duration at most.
  const best = seen.reduce((a, b) => (b.doubt < a.doubt ? b : a));
  return now + best.ahead - time_ns / 1e6;
}
