"use strict";

const EVERY_MS = 1000;
const rows = document.getElementById("rows");
const summary = document.getElementById("summary");
const trouble = document.getElementById("trouble");

const figure = (value) => (value === null ? "" : value.toFixed(1));

function ago(startS) {
  const ageS = Math.max(0, Date.now() / 1000 - startS);
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (ageS >= size) return `${Math.round(ageS / size)} ${unit} ago`;
  }
  return `${Math.round(ageS)} s ago`;
}

function cellsOf(node) {
  const event = node.event_start_s === null ? "" : `${node.event}, ${ago(node.event_start_s)}`;
  const wrong = node.faults[0] || (node.camera_up ? "" : "no camera");
  return [
    [node.node], [node.alive, node.alive], [figure(node.camera_per_s), "number"],
    [figure(node.detector_per_s), "number"], [figure(node.temperature_c), "number"],
    [`${node.model} ${node.size}`.trim()], [String(node.objects), "number"], [event],
    [node.counts], [wrong],
  ];
}

// Rows and cells are kept, and only what changed is written: a hundred boards every second.
function show(nodes) {
  while (rows.rows.length > nodes.length) rows.deleteRow(-1);
  nodes.forEach((node, at) => {
    const row = rows.rows[at] || rows.insertRow();
    cellsOf(node).forEach(([text, kind], column) => {
      const cell = row.cells[column] || row.insertCell();
      if (cell.textContent !== text) cell.textContent = text;
      if (kind && cell.className !== kind) cell.className = kind;
    });
  });
}

function complain(text) {
  if (trouble.textContent !== text) trouble.textContent = text;
  trouble.hidden = !text;
}

async function look() {
  try {
    const answer = await fetch("/api/fleet", { signal: AbortSignal.timeout(5000) });
    const fleet = await answer.json();
    const alive = fleet.nodes.filter((node) => node.alive === "yes").length;
    const said = `${fleet.broker}: ${alive} of ${fleet.nodes.length} alive`;
    if (summary.textContent !== said) summary.textContent = said;
    complain(fleet.trouble);
    show(fleet.nodes);
  } catch {
    complain("No answer from edge-vision fleet; it may have ended.");
  }
  setTimeout(look, EVERY_MS);
}

look();
