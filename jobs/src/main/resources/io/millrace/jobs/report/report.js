// Draws every canvas that carries a chart, in the page's colours, and again when these change.
(() => {
  'use strict';
  const charts = [];

  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const series = index => color('--series-' + (index % 4 + 1));

  function axis(title, rest) {
    return Object.assign({ title: { display: true, text: title } }, rest);
  }

  function configuration(spec) {
    const bars = spec.kind === 'bars';
    return {
      type: bars ? 'bar' : 'line',
      data: {
        labels: spec.labels,
        datasets: spec.series.map(one => bars
          ? { label: one.name, data: one.values, categoryPercentage: 1, barPercentage: 0.92 }
          : { label: one.name, data: one.values.map((y, at) => ({ x: spec.x[at], y: y })),
              pointRadius: spec.x.length > 60 ? 0 : 2, borderWidth: 2, spanGaps: false })
      },
      options: {
        animation: false, maintainAspectRatio: false, devicePixelRatio: Math.max(2, devicePixelRatio || 1),
        interaction: { mode: 'index', intersect: false },
        plugins: { legend: { display: spec.series.length > 1, position: 'bottom' } },
        scales: {
          x: bars ? axis(spec.xTitle, { grid: { display: false } })
            : axis(spec.xTitle, { type: 'linear', min: spec.x[0], max: spec.x[spec.x.length - 1] }),
          y: axis(spec.yTitle, { beginAtZero: true, suggestedMax: spec.yMax })
        }
      }
    };
  }

  function paint(chart) {
    chart.data.datasets.forEach((set, at) => {
      set.borderColor = series(at);
      set.backgroundColor = series(at);
    });
    for (const scale of Object.values(chart.options.scales)) {
      scale.ticks = Object.assign(scale.ticks || {}, { color: color('--soft') });
      scale.title.color = color('--soft');
      scale.grid = Object.assign(scale.grid || {}, { color: color('--line') });
    }
    chart.options.plugins.legend.labels = { color: color('--ink'), boxWidth: 14 };
    chart.update('none');
  }

  const paintAll = () => charts.forEach(paint);

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  document.querySelectorAll('canvas[data-chart]').forEach(canvas => {
    charts.push(new Chart(canvas, configuration(JSON.parse(canvas.dataset.chart))));
  });
  paintAll();
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
