// Plots are made when they come into view; grids are coloured at the moment that the slider says.
function draw(place) {
  return plotted(place, JSON.parse(document.querySelector(`script[data-plot="${CSS.escape(place.id)}"]`).textContent));
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

document.querySelectorAll(".drawing").forEach((drawing) => {
  const told = JSON.parse(drawing.querySelector(".moments").textContent);
  const slider = drawing.querySelector("input");
  slider.max = told.clocks.length - 1;
  slider.addEventListener("input", () => coloured(drawing, told, Number(slider.value)));
  drawing.querySelector("button").addEventListener("click", () => { slider.value = told.worst; coloured(drawing, told, told.worst); });
  slider.value = told.worst;
  coloured(drawing, told, told.worst);
});
