const dark = window.matchMedia("(prefers-color-scheme: dark)");
const names = [...document.querySelectorAll("figure.plot")].map((figure) => figure.id);

function colours() {
  const style = getComputedStyle(document.documentElement);
  return { "font.color": style.getPropertyValue("--ink").trim() };
}

for (const name of names) {
  const { data, layout } = JSON.parse(document.getElementById(name + "-data").textContent);
  Plotly.newPlot(name, data, layout, { responsive: true, displaylogo: false }).then(() => Plotly.relayout(name, colours()));
}
dark.addEventListener("change", () => names.forEach((name) => Plotly.relayout(name, colours())));
