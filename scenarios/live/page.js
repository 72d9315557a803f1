"use strict";
// Asks every second what there is to see, and draws it; stops when the run is over.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const at = (id) => document.getElementById(id);

function card(told) {
  const box = document.createElement("div"), value = document.createElement("span"), what = document.createElement("span");
  box.className = "card"; value.className = "value"; what.className = "what";
  value.textContent = told.value; what.textContent = told.what;
  box.append(value, what);
  return box;
}
function place(plot) {
  const known = at(`plot-${plot.id}`);
  if (known) return known;
  const heading = document.createElement("h2"), box = document.createElement("div");
  heading.textContent = plot.title;
  box.id = `plot-${plot.id}`; box.className = "plot";
  at("plots").append(heading, box);
  return box;
}
function show(told) {
  at("clock").textContent = told.clock || "not begun";
  at("share").value = told.share;
  at("state").textContent = told.over ? "the run is over" : "running";
  at("cards").replaceChildren(...told.cards.map(card));
  for (const plot of told.plots) {
    plot.layout.font = { color: css("--ink"), family: "system-ui, sans-serif" };
    plot.layout.uirevision = "kept";
    Plotly.react(place(plot), plot.data, plot.layout, { responsive: true, displayModeBar: false });
  }
}
async function look() {
  try {
    const told = await (await fetch("picture")).json();
    show(told);
    if (told.over) return;
  } catch (error) {
    at("state").textContent = "the run has gone";
    return;
  }
  setTimeout(look, Number(document.body.dataset.every));
}
look();
