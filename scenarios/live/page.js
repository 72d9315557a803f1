// Asks every second what there is to see, and draws it; stops when the run is over.
const at = (id) => document.getElementById(id);
const diagrams = {};

function element(kind, text, classes = "") {
  const made = document.createElement(kind);
  made.textContent = text;
  made.className = classes;
  return made;
}
function card(told) {
  const box = element("div", "", "card");
  box.append(element("span", told.value, "value"), element("span", told.what, "what"));
  return box;
}
function place(plot) {
  const known = at(`plot-${plot.id}`);
  const box = known ?? element("div", "", "plot"), heading = known ? at(`title-${plot.id}`) : element("h2", "");
  heading.textContent = plot.title;
  if (known) return known;
  heading.id = `title-${plot.id}`;
  box.id = `plot-${plot.id}`;
  const part = element("div", "");
  part.append(heading, box);
  part.style.order = ["frequency", "activation", "merit-order"].indexOf(plot.id) + 1 || 4;
  at(plot.id.startsWith("delivery-") ? "deliveries" : "plots").append(part);
  return box;
}
async function grids(told) {
  const names = Object.keys(told);
  if (names.some((name) => !diagrams[name])) Object.assign(diagrams, await (await fetch("diagrams")).json());
  for (const name of names.filter((one) => diagrams[one])) {
    if (!at(`grid-${name}`)) {
      const made = at("drawing").content.cloneNode(true).firstElementChild;
      made.id = `grid-${name}`;
      made.querySelector(".svg").innerHTML = diagrams[name].svg;
      at("grids").append(made);
    }
    coloured(at(`grid-${name}`), { ...diagrams[name], ...told[name] }, 0);
    at(`grid-${name}`).querySelector("h2").textContent = `Grid ${name} at ${told[name].clocks[0]}`;
  }
}
function limits(sheet) {
  at("limits").hidden = !sheet?.rows.length;
  if (!sheet) return;
  const row = (kind, cells) => {
    const made = document.createElement("tr");
    made.append(...cells.map((text, column) => element(kind, text, sheet.numbers[column] ? "number" : "")));
    return made;
  };
  at("limits").querySelector("thead").replaceChildren(row("th", sheet.columns));
  at("limits").querySelector("tbody").replaceChildren(...sheet.rows.map((cells) => row("td", cells)));
}
async function show(told) {
  at("clock").textContent = told.clock || "not begun";
  at("share").value = told.share;
  at("state").textContent = told.over ? "the run is over" : "running";
  at("cards").replaceChildren(...told.cards.map(card));
  for (const plot of told.plots) {
    plot.layout.uirevision = "kept";
    plotted(place(plot), plot);
  }
  limits(told.limits);
  await grids(told.grids);
}
async function look() {
  try {
    const told = await (await fetch("picture")).json();
    await show(told);
    if (told.over) return;
  } catch (error) {
    at("state").textContent = "the run has gone";
    return;
  }
  setTimeout(look, Number(document.body.dataset.every));
}
look();
