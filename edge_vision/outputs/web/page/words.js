// Figures as people read them.

export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [days, hours, minutes] = [whole / 86400, (whole / 3600) % 24, (whole / 60) % 60];
  if (days >= 1) return `${Math.floor(days)} d ${Math.floor(hours)} h`;
  if (hours >= 1) return `${Math.floor(hours)} h ${Math.floor(minutes)} min`;
  if (minutes >= 1) return `${Math.floor(minutes)} min ${whole % 60} s`;
  return `${whole} s`;
}

/** "since 12:03:11, 2 min 10 s" of something that began so many seconds ago. */
export function since(seconds) {
  const began = new Date(Date.now() - seconds * 1000);
  const day = seconds > 72000 ? { dateStyle: "medium" } : {};
  const at = began.toLocaleString([], { timeStyle: "medium", ...day });
  return `since ${at}, ${duration(seconds)}`;
}

export function milliseconds(value) {
  return value === undefined ? "–" : value.toFixed(value < 10 ? 1 : 0);
}

export function rate(value) {
  return value.toFixed(value < 9.95 ? 1 : 0);
}

export function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Sets a text only when it is another one: nothing is laid out, and nothing read out, for less. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A new element: tag, class, and what is in it. */
export function make(tag, name = "", ...content) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...content);
  return element;
}

export function megabytes(bytes) {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return `${(bytes / 1e6).toFixed(bytes < 9.95e6 ? 1 : 0)} MB`;
}
