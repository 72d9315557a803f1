"use strict";
// Plots are made when they come into view; grids are coloured at the moment that the slider says.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function draw(place) {
  const figure = JSON.parse(document.querySelector(`script[data-plot="${CSS.escape(place.id)}"]`).textContent);
  figure.layout.font = { color: css("--ink"), family: "system-ui, sans-serif" };
  Plotly.react(place, figure.data, figure.layout, { responsive: true, displayModeBar: false });
}

const watch = new IntersectionObserver((seen) => {
  for (const entry of seen) {
    if (entry.isIntersecting) { draw(entry.target); watch.unobserve(entry.target); }
  }
}, { rootMargin: "300px" });
document.querySelectorAll(".plot").forEach((place) => watch.observe(place));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.querySelectorAll(".plot.js-plotly-plot").forEach(draw);
  document.querySelectorAll(".drawing").forEach((one) => one.querySelector("input").dispatchEvent(new Event("input")));
});

function mixed(from, to, share) {
  return `color-mix(in srgb, ${css(to)} ${Math.round(100 * Math.min(1, Math.max(0, share)))}%, ${css(from)})`;
}
function loadingColour(percent) {
  if (percent === null) return css("--dead");
  if (percent <= 80) return mixed("--cool", "--warm", (percent - 40) / 40);
  return percent >= 100 ? css("--hot") : mixed("--warm", "--hot", (percent - 80) / 20);
}
function voltageColour(vm) {
  if (vm === null) return css("--dead");
  return vm >= 1 ? mixed("--good", "--hot", (vm - 1) / 0.05) : mixed("--good", "--cool", (1 - vm) / 0.05);
}

document.querySelectorAll(".drawing").forEach((drawing) => {
  const told = JSON.parse(drawing.querySelector(".moments").textContent);
  const slider = drawing.querySelector("input");
  slider.max = told.clocks.length - 1;
  const show = (moment) => {
    drawing.querySelector(".clock").textContent = told.clocks[moment];
    const loading = told.loading_percent[moment], vm = told.vm_pu[moment];
    drawing.querySelectorAll("[data-branch]").forEach((line) => {
      const value = loading[line.dataset.branch];
      line.style.stroke = loadingColour(value);
      line.classList.toggle("off", value === null && !line.classList.contains("switch"));
      line.firstChild.textContent = `${told.branches[line.dataset.branch]}: ${value === null ? "no flow" : value.toFixed(1) + " %"}`;
    });
    drawing.querySelectorAll("[data-bus]").forEach((dot) => {
      const value = vm[dot.dataset.bus];
      dot.style.fill = voltageColour(value);
      dot.firstChild.textContent = `${told.buses[dot.dataset.bus]}: ${value === null ? "no supply" : value.toFixed(4) + " pu"}`;
    });
    const most = loading.reduce((best, value, at) => (value !== null && (best < 0 || value > loading[best]) ? at : best), -1);
    const known = vm.filter((value) => value !== null);
    drawing.querySelector(".told").textContent = most < 0 ? "no power flow" :
      `${told.branches[most]} ${loading[most].toFixed(1)} %, ${Math.min(...known).toFixed(4)} to ${Math.max(...known).toFixed(4)} pu`;
  };
  slider.addEventListener("input", () => show(Number(slider.value)));
  drawing.querySelector("button").addEventListener("click", () => { slider.value = told.worst; show(told.worst); });
  slider.value = told.worst;
  show(told.worst);
});
