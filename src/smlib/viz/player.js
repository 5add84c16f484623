"use strict";

const SVG = "http://www.w3.org/2000/svg";
const PAUSE = 1200; // milliseconds between two steps that play

const find = (id) => document.getElementById(id);
const steps = JSON.parse(find("recording").textContent);
const scenes = decode(steps);
const picture = document.querySelector("svg.scene");
const sources = [...document.querySelectorAll(".source")];

let current = 0; // the step that is shown
let asking = false; // whether the next step's question stands in place of the caption
let predicting = false;
let timer = 0;
const shown = new Map(); // mark number -> its element, and the mark as it was last painted

// Add up the differences. A scene is a list of [number, mark] from the lowest to the topmost; a mark that did not
// change is the same object in both scenes.
function decode(steps) {
  let marks = new Map();
  return steps.map(({ changes, order }) => {
    marks = new Map(marks);
    for (const [numbers, changed] of changes) {
      for (const number of numbers) {
        if (changed === null) marks.delete(number);
        else marks.set(number, merge(marks.get(number), changed));
      }
    }
    if (order) marks = new Map(order.map((number) => [number, marks.get(number)]));
    return [...marks];
  });
}

function merge(mark, changed) {
  return Object.fromEntries(Object.entries({ ...mark, ...changed }).filter(([, value]) => value !== null));
}

// Bring the picture to a scene: elements are kept by number, and moved in the document only where their order changed.
function paint(scene) {
  const wanted = new Set(scene.map(([number]) => number));
  for (const [number, { element }] of shown) {
    if (wanted.has(number)) continue;
    element.remove();
    shown.delete(number);
  }
  let place = picture.firstChild;
  for (const [number, mark] of scene) {
    let entry = shown.get(number);
    if (!entry) shown.set(number, (entry = { element: document.createElementNS(SVG, mark.tag), mark: {} }));
    if (entry.mark !== mark) change(entry, mark);
    if (entry.element === place) place = place.nextSibling;
    else picture.insertBefore(entry.element, place);
  }
}

function change(entry, mark) {
  const { tag, x, y, text, ...attributes } = mark;
  for (const name in entry.mark) if (!(name in mark)) entry.element.removeAttribute(name);
  for (const name in attributes) entry.element.setAttribute(name, attributes[name]);
  entry.element.style.transform = `translate(${x}px, ${y}px)`;
  if (text !== entry.mark.text) entry.element.textContent = text ?? "";
  entry.mark = mark;
}

function show(number) {
  current = Math.min(Math.max(number, 0), steps.length - 1);
  asking = false;
  const step = steps[current];
  paint(scenes[current]);
  tell(`Step ${current} of ${steps.length - 1}`, step.caption);
  find("invariants").replaceChildren(...step.invariants.map(listItem));
  sources.forEach((source, i) => (source.hidden = i !== step.source));
  find("slider").value = current;
  find("slider").setAttribute("aria-valuetext", `step ${current} of ${steps.length - 1}`);
  find("back").setAttribute("aria-disabled", current === 0);
  find("next").setAttribute("aria-disabled", current === steps.length - 1);
  try {
    history.replaceState(null, "", `#${current}`);
  } catch {
    // A page inside a notebook has no address of its own.
  }
}

function tell(count, sentence) {
  find("count").textContent = count;
  find("caption").textContent = sentence;
  find("told").classList.toggle("asking", asking);
}

function listItem([name, holds]) {
  const item = document.createElement("li");
  const mark = document.createElement("span");
  const word = document.createElement("b");
  item.className = holds ? "holds" : "broken";
  mark.textContent = holds ? "✓" : "✗";
  mark.setAttribute("aria-hidden", "true");
  word.textContent = `${item.className}: `;
  item.append(mark, word, name);
  return item;
}

// One step on. In predict mode the question comes first, and the step with the next call.
function advance() {
  if (current === steps.length - 1) return stop();
  if (!predicting || asking) return show(current + 1);
  stop();
  asking = true;
  tell(`Before step ${current + 1}`, steps[current + 1].question || "What happens next?");
}

function play() {
  if (timer) return stop();
  if (current === steps.length - 1) show(0);
  else advance();
  if (asking) return;
  timer = setInterval(advance, PAUSE);
  find("play").textContent = "Pause";
}

function stop() {
  clearInterval(timer);
  timer = 0;
  find("play").textContent = "Play";
}

function goTo(number) {
  stop();
  show(number);
}

function next() {
  stop();
  advance();
}

function togglePrediction() {
  predicting = !predicting;
  find("predict").setAttribute("aria-pressed", predicting);
  if (asking) show(current);
}

const back = () => goTo(current - 1);
const KEYS = {
  ArrowLeft: back,
  ArrowRight: next,
  Home: () => goTo(0),
  End: () => goTo(steps.length - 1),
  " ": play,
  p: togglePrediction,
  P: togglePrediction,
};

find("back").onclick = back;
find("next").onclick = next;
find("play").onclick = play;
find("predict").onclick = togglePrediction;
find("slider").oninput = () => goTo(find("slider").valueAsNumber);
document.onkeydown = (event) => {
  const action = KEYS[event.key];
  const own = event.target.closest(event.key === " " ? "button, .listing" : ".listing"); // it has a use for this key
  if (!action || own || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  action();
};
window.onhashchange = () => goTo(Number(location.hash.slice(1)) || 0);

picture.replaceChildren();
show(Number(location.hash.slice(1)) || 0);
