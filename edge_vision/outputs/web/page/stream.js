// /stream.mjpg, taken apart: multipart/x-mixed-replace with a Content-Length in each part.

import { refusal, Refused, rest } from "./ask.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8000;
const HEAD_END = [13, 10, 13, 10];

/** Parts of a body, each with its headers (names in lower case) and its bytes. */
export class Parts {
  #bytes = new Uint8Array(1 << 18);
  #filled = 0;
  #head = null;

  /** Takes what came, and calls `give(headers, bytes)` for each part that is whole now. */
  add(chunk, give) {
    this.#append(chunk);
    let at = 0;
    for (;;) {
      if (this.#head === null) {
        const end = this.#headEnd(at);
        if (end < 0) break;
        this.#head = headers(this.#bytes.subarray(at, end));
        at = end;
      }
      const size = Number(this.#head.get("content-length"));
      if (!Number.isInteger(size)) throw new Error("a part without Content-Length");
      if (this.#filled - at < size) break;
      give(this.#head, this.#bytes.slice(at, at + size));
      at += size;
      this.#head = null;
    }
    this.#bytes.copyWithin(0, at, this.#filled);
    this.#filled -= at;
  }

  #append(chunk) {
    if (this.#filled + chunk.length > this.#bytes.length) {
      const wider = new Uint8Array(2 * (this.#filled + chunk.length));
      wider.set(this.#bytes.subarray(0, this.#filled));
      this.#bytes = wider;
    }
    this.#bytes.set(chunk, this.#filled);
    this.#filled += chunk.length;
  }

  #headEnd(from) {
    for (let at = from; at + 4 <= this.#filled; at++) {
      if (HEAD_END.every((byte, i) => this.#bytes[at + i] === byte)) return at + 4;
    }
    return -1;
  }
}

/** The header lines among a boundary and what is left of the part before. */
function headers(bytes) {
  const found = new Map();
  for (const line of new TextDecoder().decode(bytes).split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) found.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return found;
}

/** One stream that begins again, after growing pauses, whenever it ends. */
export class Stream {
  #ending = null;

  /** onPart(headers, bytes); onBroken(sentence or ""): it ended, and will be tried again. */
  constructor(onPart, onBroken) {
    this.onPart = onPart;
    this.onBroken = onBroken;
  }

  open(address) {
    this.close();
    this.#ending = new AbortController();
    this.#run(address, this.#ending.signal);
  }

  close() {
    this.#ending?.abort();
    this.#ending = null;
  }

  async #run(address, signal) {
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      let why = "";
      try {
        await this.#read(address, signal, () => (pause = FIRST_PAUSE_MS));
      } catch (error) {
        if (error instanceof Refused) why = error.message;
      }
      if (signal.aborted) return;
      this.onBroken(why);
      await rest(pause, signal);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }

  async #read(address, signal, works) {
    const answer = await fetch(address, { signal, cache: "no-store" });
    if (!answer.ok) throw await refusal(answer);
    const reader = answer.body.getReader();
    const parts = new Parts();
    for (;;) {
      const { value, done } = await reader.read();
      if (done || signal.aborted) return;
      parts.add(value, (head, bytes) => {
        works();
        this.onPart(head, bytes);
      });
    }
  }
}
