// Boxes and labels drawn by the browser, as sharp as its screen, over the same frame's picture.

const TEXT_PX = 13;
const PAD_PX = 6;
const LINE_PX = 2;

/** Black or white, whichever stands out more: WCAG 2.2 relative luminance against 0.179. */
function ink(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const value = parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#101010" : "#ffffff";
}

/** Where a picture lies in a canvas that it fits into: left, top, width, height in CSS pixels. */
export function fit(canvas, picture) {
  const scale = Math.min(
    canvas.clientWidth / picture.width,
    canvas.clientHeight / picture.height,
  );
  const [width, height] = [picture.width * scale, picture.height * scale];
  return [(canvas.clientWidth - width) / 2, (canvas.clientHeight - height) / 2, width, height];
}

/** Draws objects (label, id, score, state, box 0..1) over `picture`, a canvas of the same place. */
export function drawCrisp(canvas, picture, objects, colours) {
  const ratio = window.devicePixelRatio;
  const wide = Math.round(canvas.clientWidth * ratio);
  const high = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== wide) canvas.width = wide;
  if (canvas.height !== high) canvas.height = high;
  const pen = canvas.getContext("2d");
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, wide, high);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const [left, top, width, height] = fit(canvas, picture);
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.save();
  pen.clip();
  // What is only guessed at lies under what is seen.
  const seen = objects.filter(({ state }) => state !== "coasting");
  const guessed = objects.filter(({ state }) => state === "coasting");
  for (const object of [...guessed, ...seen]) {
    const [x0, y0, x1, y1] = object.box;
    const frame = [left + x0 * width, top + y0 * height, (x1 - x0) * width, (y1 - y0) * height];
    drawObject(pen, object, frame, [left, top, width], colours[object.label] ?? "#ffffff");
  }
  pen.restore();
}

function drawObject(pen, object, [x, y, width, height], [left, top, room], colour) {
  pen.globalAlpha = object.state === "coasting" ? 0.55 : 1;
  pen.beginPath();
  pen.roundRect(x, y, width, height, 4);
  pen.lineWidth = LINE_PX + 2;
  pen.strokeStyle = "rgb(0 0 0 / 45%)";
  pen.stroke();
  pen.lineWidth = LINE_PX;
  pen.strokeStyle = colour;
  pen.stroke();

  const id = object.id ? ` #${object.id}` : "";
  const text = `${object.label}${id} ${Math.round(object.score * 100)}%`;
  pen.font = `600 ${TEXT_PX}px system-ui, sans-serif`;
  pen.textBaseline = "middle";
  const plate = [pen.measureText(text).width + 2 * PAD_PX, TEXT_PX + PAD_PX];
  const at = [
    Math.max(left, Math.min(x - LINE_PX / 2, left + room - plate[0])),
    y - plate[1] < top ? y : y - plate[1],
  ];
  pen.fillStyle = colour;
  pen.beginPath();
  pen.roundRect(...at, ...plate, 3);
  pen.fill();
  pen.fillStyle = ink(colour);
  pen.fillText(text, at[0] + PAD_PX, at[1] + plate[1] / 2 + 0.5);
}
