"use strict";
// A plot takes the page's colours and offers a choice of its periods; a grid is coloured by a moment's values.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function plotted(place, figure) {
  figure.layout.font = { color: css("--ink"), family: "system-ui, sans-serif" };
  figure.layout.hoverlabel = { bgcolor: css("--card"), bordercolor: css("--rule"), font: { color: css("--ink") } };
  legend(place, figure.layout.meta?.legend ?? []);
  const choices = figure.layout.meta?.choices ?? [];
  if (choices.length > 1) {
    const chosen = choice(place, choices, figure.layout.meta).value;
    figure.data.forEach((trace, at) => { trace.visible = figure.layout.meta.of[at] === chosen; });
  }
  const out = new Set([...legendOf(place)?.querySelectorAll(".out") ?? []].map((one) => one.textContent));
  figure.data.forEach((trace) => { if (out.has(trace.name)) trace.visible = false; });
  figure.data.filter((trace) => trace.textfont && !trace.textfont.color).forEach((trace) => { trace.textfont.color = css("--ink"); });
  return Plotly.react(place, figure.data, figure.layout, { responsive: true, displayModeBar: false });
}
function choice(place, choices, meta) {
  const known = place.previousElementSibling;
  if (known?.matches("select")) return known;
  const made = document.createElement("select");
  made.setAttribute("aria-label", meta.about ?? "period");
  for (const one of choices) made.add(new Option(one.clock, one.name));
  if (meta.chosen) made.value = meta.chosen;
  made.addEventListener("change", () => draw(place));
  place.before(made);
  return made;
}

function legendOf(place) {
  return place.nextElementSibling?.matches("p.legend") ? place.nextElementSibling : null;
}
function legend(place, entries) {
  if (!entries.length || (legendOf(place) && entries[0].toggles)) return;
  const made = legendOf(place) ?? document.createElement("p");
  made.className = "legend";
  made.replaceChildren(...entries.map((entry) => entryOf(place, entry)));
  place.after(made);
}
function entryOf(place, entry) {
  const one = document.createElement(entry.toggles ? "button" : "span");
  one.style.setProperty("--c", entry.colour);
  one.textContent = entry.name;
  one.classList.toggle("dashed", Boolean(entry.dashed));
  if (!entry.toggles) return one;
  one.setAttribute("aria-pressed", "true");
  one.addEventListener("click", () => {
    one.setAttribute("aria-pressed", String(!one.classList.toggle("out")));
    draw(place);
  });
  const faded = (name) => place.data && Plotly.restyle(place, { opacity: place.data.map((trace) => name && trace.name !== name ? 0.15 : 1) });
  one.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") faded(entry.name); });
  one.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") faded(""); });
  return one;
}

function mixed(from, to, share) {
  return `color-mix(in srgb, ${css(to)} ${Math.round(100 * Math.min(1, Math.max(0, share)))}%, ${css(from)})`;
}
function loadingColour(percent, limit) {
  if (percent === null) return css("--dead");
  const share = 100 * percent / (limit || 100);
  if (share <= 80) return mixed("--cool", "--warm", (share - 40) / 40);
  return share >= 100 ? css("--hot") : mixed("--warm", "--hot", (share - 80) / 20);
}
function voltageColour(vm, low, high) {
  if (vm === null) return css("--dead");
  const middle = (low + high) / 2;
  return vm >= middle ? mixed("--good", "--hot", (vm - middle) / (high - middle))
    : mixed("--good", "--low", (middle - vm) / (middle - low));
}
function coloured(drawing, told, moment) {
  const loading = told.loading_percent[moment], vm = told.vm_pu[moment];
  drawing.querySelector(".clock").textContent = told.clocks[moment];
  drawing.querySelectorAll("[data-branch]").forEach((line) => {
    const at = line.dataset.branch, value = loading[at];
    if (line.matches(".switch, .impedance")) { line.firstChild.textContent = told.branches[at]; return; }
    line.style.stroke = loadingColour(value, told.most_percent[at]);
    line.classList.toggle("off", value === null);
    line.firstChild.textContent = `${told.branches[at]}: ${value === null ? "no flow" : value.toFixed(1) + " %"}`;
  });
  drawing.querySelectorAll("[data-bus]").forEach((dot) => {
    const at = dot.dataset.bus, value = vm[at];
    dot.style.fill = voltageColour(value, told.least_pu[at] ?? 0.95, told.most_pu[at] ?? 1.05);
    dot.firstChild.textContent = `${told.buses[at]}: ${value === null ? "no supply" : value.toFixed(4) + " pu"}`;
  });
  const most = loading.reduce((best, value, at) => (value !== null && (best < 0 || value > loading[best]) ? at : best), -1);
  const known = vm.filter((value) => value !== null);
  drawing.querySelector(".told").textContent = !known.length ? "no power flow" :
    (most < 0 ? "" : `most loaded: ${told.branches[most]} ${loading[most].toFixed(1)} %; `) +
    `voltages ${Math.min(...known).toFixed(4)} to ${Math.max(...known).toFixed(4)} pu`;
}
