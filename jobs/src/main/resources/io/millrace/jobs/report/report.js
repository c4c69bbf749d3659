// Draws every canvas that carries a chart, in the page's colours, and again when these change.
(() => {
  'use strict';
  const charts = [];

  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const series = index => color('--series-' + (index % 4 + 1));

  // asked for anew at every update
  const soft = () => color('--soft');
  const line = () => color('--line');

  function axis(title, rest) {
    return Object.assign(
      { title: { display: true, text: title, color: soft }, ticks: { color: soft }, grid: { color: line } }, rest);
  }

  function configuration(spec) {
    const bars = spec.kind === 'bars';
    return {
      type: bars ? 'bar' : 'line',
      data: {
        labels: spec.labels,
        datasets: spec.series.map((one, at) => Object.assign(
          { label: one.name, borderColor: () => series(at), backgroundColor: () => series(at) },
          bars
            ? { data: one.values, categoryPercentage: 1, barPercentage: 0.92 }
            : { data: one.values.map((y, place) => ({ x: spec.x[place], y: y })),
                pointRadius: spec.x.length > 60 ? 0 : 2, borderWidth: 2 }))
      },
      options: {
        animation: false, maintainAspectRatio: false, devicePixelRatio: Math.max(2, devicePixelRatio || 1),
        interaction: { mode: 'index', intersect: false },
        plugins: {
          legend: {
            display: spec.series.length > 1, position: 'bottom',
            labels: { color: () => color('--ink'), boxWidth: 14 }
          }
        },
        scales: {
          x: bars ? axis(spec.xTitle, { grid: { display: false } })
            : axis(spec.xTitle, { type: 'linear', min: spec.x[0], max: spec.x[spec.x.length - 1] }),
          y: axis(spec.yTitle, { beginAtZero: true })
        }
      }
    };
  }

  const paintAll = () => charts.forEach(chart => chart.update('none'));

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  document.querySelectorAll('canvas[data-chart]').forEach(canvas => {
    charts.push(new Chart(canvas, configuration(JSON.parse(canvas.dataset.chart))));
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paintAll);
  addEventListener('beforeprint', () => {
    document.documentElement.dataset.print = '';
    document.querySelectorAll('details').forEach(one => { one.open = true; });
    paintAll();
  });
  addEventListener('afterprint', () => {
    delete document.documentElement.dataset.print;
    paintAll();
  });
})();
