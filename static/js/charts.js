/* Draws every [data-chart] of a page or fragment, again when theme or width change. */
(function () {
  "use strict";
  const texts = JSON.parse(document.getElementById("ui-texts")?.textContent || "{}") || {};
  const locale = document.documentElement.lang.startsWith("zh") ? "ZH" : "EN";
  const { kinds, palette } = window.hengsuanCharts;

  function draw(element) {
    const source = document.getElementById(element.dataset.source);
    const make = kinds[element.dataset.chart];
    if (!source || !make || !element.clientWidth) return;
    const label = element.getAttribute("aria-label");
    window.echarts.getInstanceByDom(element)?.dispose();
    const chart = window.echarts.init(element, null, { renderer: "canvas", locale });
    const narrow = element.clientWidth < 520;
    const size = { width: element.clientWidth, height: element.clientHeight };
    const options = make(JSON.parse(source.textContent), palette(), texts, narrow, size);
    chart.setOption({ ...options, aria: { enabled: true, label: { description: label }, decal: { show: false } } });
    element.dataset.drawnWidth = String(element.clientWidth);
  }

  const watcher = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    if (Math.abs(target.clientWidth - Number(target.dataset.drawnWidth || 0)) > 2) draw(target);
  }));

  function drawAll(scope) {
    const found = [...scope.querySelectorAll("[data-chart]")];
    if (scope.matches?.("[data-chart]")) found.push(scope);
    found.forEach((element) => { draw(element); watcher.observe(element); });
  }

  document.addEventListener("theme-changed", () => document.querySelectorAll("[data-chart]").forEach(draw));
  document.addEventListener("htmx:load", (event) => { if (event.detail.elt !== document.body) drawAll(event.detail.elt); });
  document.addEventListener("htmx:beforeCleanupElement", ({ detail }) => {
    if (detail.elt.dataset?.chart) { watcher.unobserve(detail.elt); window.echarts.getInstanceByDom(detail.elt)?.dispose(); }
  });
  drawAll(document.body);
})();
