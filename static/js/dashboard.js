// Draws the charts of the administration's first page; the tables below them need no script.

const data = JSON.parse(document.getElementById("board-data").textContent);
const drawn = [];

function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function bytes(value) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const step = value > 0 ? Math.min(units.length - 1, Math.floor(Math.log2(value) / 10)) : 0;
  return `${Number((value / 1024 ** step).toPrecision(3))} ${units[step]}`;
}

function whole(value) {
  return Number.isInteger(value) ? value.toLocaleString() : "";
}

function percent(value) {
  return `${Math.round(value)} %`;
}

function ratio(value) {
  return value === null ? "–" : String(Number(value.toPrecision(3)));
}

// Steps of the axis that are round numbers in the unit: powers of two for bytes.
function stepOf(chart) {
  const top = Math.max(1024, ...chart.lines.flatMap((line) => line.values));
  return chart.unit === "bytes" ? 2 ** Math.ceil(Math.log2(top / 4)) : undefined;
}

function draw(canvas) {
  const chart = data.charts.find((one) => one.key === canvas.dataset.chart);
  const show = { bytes, "%": percent, ratio }[chart.unit] ?? whole;
  const text = color("--body-quiet-color");
  const days = data.days.map((day) =>
    new Date(`${day}T12:00Z`).toLocaleDateString(undefined, { day: "numeric", month: "short" }),
  );
  drawn.push(
    new window.Chart(canvas, {
      type: "line",
      data: {
        labels: days,
        datasets: chart.lines.map((line, index) => ({
          label: line.label,
          data: line.values,
          borderColor: color(`--chart-${index + 1}`),
          backgroundColor: `${color(`--chart-${index + 1}`)}22`,
          fill: index === 0,
          borderDash: index === 0 ? [] : [6, 4],
          borderWidth: 2,
          pointRadius: chart.unit === "ratio" ? 2 : 0, // one day alone has no line
          pointHitRadius: 12,
          cubicInterpolationMode: "monotone",
        })),
      },
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        plugins: {
          legend: { display: chart.lines.length > 1, labels: { color: text, boxHeight: 0 } },
          tooltip: {
            callbacks: { label: (item) => `${item.dataset.label}: ${show(item.raw)}` },
          },
        },
        scales: {
          x: {
            grid: { display: false },
            ticks: { color: text, maxTicksLimit: 7, maxRotation: 0 },
          },
          y: {
            beginAtZero: true,
            suggestedMax: { bytes: 1024, "%": 100, ratio: 0.01 }[chart.unit] ?? 4,
            grid: { color: color("--hairline-color") },
            ticks: { color: text, maxTicksLimit: 6, stepSize: stepOf(chart), callback: show },
          },
        },
      },
    }),
  );
}

function drawAll() {
  for (const chart of drawn.splice(0)) chart.destroy();
  for (const canvas of document.querySelectorAll("canvas[data-chart]")) draw(canvas);
}

drawAll();
// The colors are those of the theme, which the button in the header and the system change.
new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
