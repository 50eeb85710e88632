// Requests to the server that this page came from.

const PATIENCE_MS = 5000;

/** An answer that says no, in the server's words; errors: a sentence for each mistake. */
export class Refused extends Error {
  constructor(message, errors = [message]) {
    super(message);
    this.errors = errors;
  }
}

/** The answer to a request, or Refused; without a login the login page comes instead. */
export async function ask(path, options = {}) {
  const { patience_ms: patience = PATIENCE_MS, ...rest } = options;
  const answer = await fetch(path, { signal: AbortSignal.timeout(patience), ...rest });
  if (answer.ok) return answer;
  throw await refusal(answer);
}

export async function askJson(path, options) {
  return (await ask(path, options)).json();
}

/** What an answer other than 2xx says. */
export async function refusal(answer) {
  if (answer.status === 401) location.replace("/login");
  const problem = await answer.json().catch(() => ({}));
  return new Refused(problem.detail ?? `the board answered ${answer.status}`, problem.errors);
}

/** Resolves after `ms`, or at once when the signal is aborted. */
export function rest(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}

/** Calls `work` at once and then `every_ms` after each end, as long as this page can be seen. */
export function whileSeen(every_ms, work) {
  let timer = 0;
  let running = false;
  const turn = async () => {
    clearTimeout(timer);
    if (running || document.hidden) return;
    running = true;
    try {
      await work();
    } finally {
      running = false;
      timer = setTimeout(turn, every_ms);
    }
  };
  document.addEventListener("visibilitychange", turn);
  turn();
  return turn;
}
