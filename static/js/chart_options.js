/* Chart data of the server -> ECharts options, one function per kind. Colours come from tokens.css.
   Data shapes: docs/explanation/design-language.md. Everything is drawn on canvas; tooltips are
   canvas text too, so a strict content security policy holds. */
(function () {
  "use strict";

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue("--hs-" + name).trim();

  function palette() {
    return {
      text: token("text"), soft: token("text-2"), line: token("line"), surface: token("surface"), sunken: token("sunken"),
      accent: token("chart-1"), second: token("chart-2"), danger: token("red"), ground: token("ground"),
      series: [1, 2, 3, 4, 5, 6, 7, 8].map((index) => token("chart-" + index)),
      heat: [0, 1, 2, 3, 4].map((index) => token("heat-" + index)),
    };
  }

  const number = (value) => (value === null || value === undefined || value === "" ? null : Number(value));

  function figure(value, most) {
    const shown = number(value);
    if (shown === null) return "–";
    return shown.toLocaleString("en-US", { maximumFractionDigits: most ?? 4 });
  }

  const withUnit = (value, unit) => figure(value) + (unit ? " " + unit : "");

  /* Prices always show two decimals, more only where there are any. */
  function price(value, unit) {
    if (number(value) === null) return "–";
    return number(value).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 4 }) + (unit ? " " + unit : "");
  }

  function base(colours, narrow) {
    return {
      color: colours.series,
      backgroundColor: "transparent",
      textStyle: { color: colours.text, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 },
      animation: false,
      grid: { left: 8, right: narrow ? 12 : 24, top: 40, bottom: 8, containLabel: true },
      legend: { top: 4, type: "scroll", textStyle: { color: colours.soft }, itemWidth: 18, itemHeight: 8, pageTextStyle: { color: colours.soft } },
      tooltip: {
        renderMode: "richText", confine: true, backgroundColor: colours.surface, borderColor: colours.line,
        textStyle: { color: colours.text, fontSize: 12 },
      },
    };
  }

  function axis(colours, options) {
    return {
      nameTextStyle: { color: colours.soft },
      axisLine: { lineStyle: { color: colours.line } },
      axisTick: { show: false },
      axisLabel: { color: colours.soft, hideOverlap: true },
      splitLine: { lineStyle: { color: colours.line } },
      ...options,
    };
  }

  /* Steps [{price, quantity}] in merit order -> corners of a step line over cumulated quantity. */
  function corners(steps) {
    const points = [];
    let sum = 0;
    (steps || []).forEach((step) => {
      points.push([sum, number(step.price)]);
      sum += Number(step.quantity);
      points.push([sum, number(step.price)]);
    });
    return points;
  }

  function meritOrder(data, colours, texts, narrow) {
    const clearing = data.clearing && number(data.clearing.price) !== null ? data.clearing : null;
    const supply = corners(data.supply);
    const demand = corners(data.demand);
    const reach = clearing ? Number(clearing.quantity) : 0;
    const bound = Math.max(...supply.concat(demand).map((point) => point[0]), reach, 1);
    const mark = clearing ? {
      symbol: "none", silent: true, lineStyle: { color: colours.text, type: "dotted", width: 1 },
      label: { show: false },
      data: [[{ coord: [0, number(clearing.price)] }, { coord: [reach, number(clearing.price)] }],
        [{ coord: [reach, 0] }, { coord: [reach, number(clearing.price)] }]],
    } : undefined;
    const line = (name, points, colour, type) => ({
      name, type: "line", data: points, showSymbol: false, lineStyle: { width: 2, color: colour, type }, itemStyle: { color: colour },
    });
    // A side that is hidden or empty has no line, so it has no place in the legend either.
    const series = [
      line(texts.supply, supply, colours.series[0], "solid"), line(texts.demand, demand, colours.series[1], "dashed"),
    ].filter((side) => side.data.length);
    if (series.length) series[0].markLine = mark;
    if (clearing) {
      series.push({
        name: texts.clearing_price, type: "scatter", data: [[reach, number(clearing.price)]], symbolSize: 11,
        itemStyle: { color: colours.text, borderColor: colours.surface, borderWidth: 2 }, z: 5,
        label: {
          show: true, position: "top", distance: 8, align: reach > bound * 0.7 ? "right" : "center", color: colours.text, fontWeight: 600,
          backgroundColor: colours.surface, borderColor: colours.line, borderWidth: 1, borderRadius: 4, padding: [4, 6],
          formatter: () => price(clearing.price) + " · " + withUnit(clearing.quantity, data.quantity_unit),
        },
      });
    }
    return {
      ...base(colours, narrow),
      grid: { left: 8, right: narrow ? 14 : 28, top: 56, bottom: 26, containLabel: true },
      tooltip: {
        ...base(colours).tooltip, trigger: "item",
        formatter: (item) => item.seriesName + "\n" + withUnit(item.value[0], data.quantity_unit) + "\n" + price(item.value[1], data.price_unit),
      },
      xAxis: axis(colours, {
        type: "value", max: "dataMax", name: texts.quantity + (data.quantity_unit ? " (" + data.quantity_unit + ")" : ""),
        nameLocation: "middle", nameGap: 26, splitLine: { show: false }, axisLabel: { color: colours.soft, hideOverlap: true, formatter: (value) => figure(value, 0) },
      }),
      yAxis: axis(colours, { type: "value", name: data.price_unit || texts.price, nameTextStyle: { color: colours.soft, align: "left" } }),
      series,
    };
  }

  function heatmap(data, colours, texts, narrow) {
    const cells = data.values.map(([x, y, value]) => [x, y, number(value)]);
    const known = cells.map((cell) => cell[2]).filter((value) => value !== null);
    const low = Math.min(...known, Infinity);
    const high = Math.max(...known, -Infinity);
    const dense = data.x.length > 12 || narrow;
    /* A share is read against the whole and more of it is better: one colour, and no warm end. */
    const scale = data.is_share
      ? { min: 0, max: 100, color: colours.heat.slice(0, 3), text: ["100 %", "0 %"] }
      : {
          min: known.length ? low : 0, max: known.length ? (high > low ? high : low + 1) : 1, color: colours.heat,
          text: known.length ? [price(high, data.unit), price(low)] : undefined,
        };
    return {
      ...base(colours, narrow),
      grid: { left: 8, right: 12, top: 8, bottom: 48, containLabel: true },
      tooltip: {
        ...base(colours).tooltip,
        formatter: ({ value }) => data.y[value[1]] + "  " + data.x[value[0]] + "\n" + (number(value[2]) === null ? texts.no_trade : price(value[2], data.unit)),
      },
      xAxis: axis(colours, { type: "category", data: data.x, splitLine: { show: false }, axisLabel: { color: colours.soft, hideOverlap: true, interval: narrow ? 5 : "auto" } }),
      yAxis: axis(colours, { type: "category", data: data.y, inverse: true, splitLine: { show: false }, axisLabel: { color: colours.soft, width: narrow ? 84 : 150, overflow: "truncate" } }),
      visualMap: {
        min: scale.min, max: scale.max, calculable: false, orient: "horizontal", left: "center", bottom: 0, itemWidth: 10, itemHeight: narrow ? 120 : 200,
        inRange: { color: scale.color }, textStyle: { color: colours.soft }, dimension: 2, seriesIndex: 0,
        text: scale.text,
      },
      series: [
        {
          type: "heatmap", data: cells.filter((cell) => cell[2] !== null), itemStyle: { borderColor: colours.surface, borderWidth: 1 },
          label: { show: !dense, color: colours.text, fontSize: 11, formatter: ({ value }) => figure(value[2], 2) },
          emphasis: { itemStyle: { borderColor: colours.text, borderWidth: 1.5 } },
        },
        { type: "scatter", symbol: "rect", symbolSize: [7, 1.5], itemStyle: { color: colours.soft }, data: cells.filter((cell) => cell[2] === null).map((cell) => [cell[0], cell[1], "-"]) },
      ],
    };
  }

  const GROUPS = ["east", "central", "west", "city"];
  const SYMBOLS = { east: "circle", central: "diamond", west: "roundRect", city: "triangle" };

  /* Stretches the schematic to the room there is, so that symbols keep their shape. */
  function spread(nodes, axisName, room) {
    const places = nodes.map((node) => Number(node[axisName]));
    const low = Math.min(...places);
    const width = Math.max(...places) - low || 1;
    return (node) => ((Number(node[axisName]) - low) / width) * room;
  }

  const BEND = 0.12;
  const GAP = 3; // between a node and its name, halved

  /* Half the width of a text of 12 px; Chinese characters are square. */
  function halfWidth(text) {
    return Math.max(...text.split("\n").map((line) => [...line].reduce((sum, char) => sum + (char.charCodeAt(0) > 255 ? 12 : 6.5), 0))) / 2;
  }

  /* Where a node and its name lie: middle and half sizes. */
  function nameBox(node) {
    const text = node.label.formatter;
    const [half, high, radius] = [halfWidth(text), text.split("\n").length * 8, node.symbolSize / 2];
    const way = { left: [-1, 0], right: [1, 0], top: [0, -1], bottom: [0, 1] }[node.label.position] || [0, 1];
    const beside = way[0] ? half + GAP : 0;
    const below = way[1] ? high + GAP : 0;
    return { x: node.x + way[0] * beside, y: node.y + way[1] * below, w: beside ? beside + radius : half, h: below ? below + radius : high };
  }

  /* Where the word in the middle of a bent link lies; it is turned with the link, so its box is square. */
  function middleBox(from, to, text) {
    return {
      x: (from.x + to.x) / 2 - ((from.y - to.y) * BEND) / 2,
      y: (from.y + to.y) / 2 - ((to.x - from.x) * BEND) / 2,
      w: halfWidth(text) + 3, h: halfWidth(text) + 3,
    };
  }

  function network(data, colours, texts, narrow, size) {
    const margin = { side: narrow ? 40 : 70, top: 52, bottom: 52 };
    const across = spread(data.nodes, "x", size.width - 2 * margin.side);
    const down = spread(data.nodes, "y", size.height - margin.top - margin.bottom);
    const peak = Math.max(...data.nodes.map((node) => Math.abs(number(node.weight) || 0)), 1);
    const names = Object.fromEntries(data.nodes.map((node) => [node.id, node.name]));
    const nodes = data.nodes.map((node) => {
      const group = Math.max(0, GROUPS.indexOf(node.group));
      return {
        id: node.id, name: node.name, x: across(node), y: down(node), category: group, symbol: SYMBOLS[GROUPS[group]], value: node.value, detail: node.detail,
        symbolSize: (narrow ? 12 : 16) + 16 * Math.sqrt(Math.abs(number(node.weight) || 0) / peak),
        itemStyle: { color: colours.series[[0, 3, 1, 4][group]], borderColor: colours.surface, borderWidth: 1.5 },
        label: { show: true, position: node.label_position || "bottom", color: colours.text, fontSize: narrow ? 10 : 12, textBorderColor: colours.surface, textBorderWidth: 3, formatter: node.label ? node.name + "\n" + node.label : node.name },
      };
    });
    const places = new Map(nodes.map((node) => [node.id, node]));
    const taken = nodes.map(nameBox);
    const hasRoom = (link) => {
      const box = middleBox(places.get(link.source), places.get(link.target), texts.full);
      const free = !taken.some((other) => Math.abs(other.x - box.x) < other.w + box.w && Math.abs(other.y - box.y) < other.h + box.h);
      if (free) taken.push(box);
      return free;
    };
    // On a phone the arrows would cover the names: fewer and thinner ones, the table has all.
    const shownLinks = narrow ? data.links.slice(0, 10) : data.links;
    const links = shownLinks.map((link) => {
      const load = number(link.capacity) ? Number(link.flow) / Number(link.capacity) : 0;
      const full = link.full ?? load >= 0.999;
      return {
        source: link.source, target: link.target, value: link.flow, capacity: link.capacity, load, full,
        symbol: Number(link.flow) > 0 ? ["none", "arrow"] : "none", symbolSize: narrow ? 6 : 8,
        lineStyle: { width: 1 + (narrow ? 2 : 5) * Math.min(1, load), color: full ? colours.danger : load > 0 ? colours.accent : colours.soft, type: load > 0 ? "solid" : "dashed", curveness: BEND, opacity: 0.95 },
        label: { show: full && !narrow && hasRoom(link), formatter: texts.full, color: colours.danger, fontSize: 11, backgroundColor: colours.surface, padding: [1, 3] },
      };
    });
    return {
      ...base(colours, narrow),
      legend: { ...base(colours).legend, data: GROUPS.filter((group) => data.nodes.some((node) => node.group === group)).map((group) => ({ name: texts[group], icon: SYMBOLS[group] })), itemWidth: 12, itemHeight: 12 },
      tooltip: {
        ...base(colours).tooltip,
        formatter: ({ dataType, data: item }) => (dataType === "edge"
          ? names[item.source] + " → " + names[item.target] + "\n" + texts.flow + " " + withUnit(item.value, data.flow_unit) + "\n" + texts.capacity + " " + withUnit(item.capacity, data.flow_unit) + "\n" + texts.load + " " + figure(item.load * 100, 0) + " %"
          : item.name + (item.detail ? "\n" + item.detail : "") + (number(item.value) === null ? "" : "\n" + withUnit(item.value, data.value_unit))),
      },
      series: [{
        type: "graph", layout: "none", data: nodes, links, categories: GROUPS.map((group, index) => ({ name: texts[group], symbol: SYMBOLS[group], itemStyle: { color: colours.series[[0, 3, 1, 4][index]] } })),
        left: margin.side, right: margin.side, top: margin.top, bottom: margin.bottom, roam: false, emphasis: { focus: "adjacency" }, edgeSymbol: ["none", "arrow"],
      }],
    };
  }

  function sankey(data, colours, texts, narrow) {
    const known = new Map(data.nodes.map((node) => [node.name, node]));
    const targets = new Set(data.links.map((link) => link.target));
    return {
      ...base(colours, narrow),
      tooltip: {
        ...base(colours).tooltip,
        formatter: ({ dataType, data: item, name, value }) => (dataType === "edge" ? (known.get(item.source)?.label || item.source) + " → " + (known.get(item.target)?.label || item.target) : known.get(name)?.label || name) + "\n" + withUnit(dataType === "edge" ? item.value : value, data.unit),
      },
      series: [{
        type: "sankey", left: narrow ? 92 : 110, right: narrow ? 92 : 110, top: 12, bottom: 12, nodeGap: 10, nodeWidth: 12, draggable: false,
        data: data.nodes.map((node, index) => ({
          name: node.name, label: { position: targets.has(node.name) ? "right" : "left" }, itemStyle: { color: node.group ? colours.series[[0, 3, 1, 4][Math.max(0, GROUPS.indexOf(node.group))]] : colours.series[index % 8] },
        })),
        links: data.links.map((link) => ({ ...link, value: Number(link.value) })),
        label: { color: colours.text, fontSize: narrow ? 10 : 12, formatter: ({ name }) => known.get(name)?.label || name, textBorderWidth: 0 },
        lineStyle: { color: "source", opacity: 0.35, curveness: 0.5 },
      }],
    };
  }

  const DASHES = ["solid", "dashed", "dotted", [8, 3, 2, 3]];
  const MARKS = ["circle", "rect", "triangle", "diamond"];

  function categoryAxis(data, colours) {
    return axis(colours, { type: "category", data: data.x, splitLine: { show: false }, boundaryGap: true });
  }

  function priceLines(data, colours, texts, narrow) {
    return {
      ...base(colours, narrow),
      tooltip: { ...base(colours).tooltip, trigger: "axis", valueFormatter: (value) => withUnit(value, data.unit) },
      xAxis: categoryAxis(data, colours),
      yAxis: axis(colours, { type: "value", scale: data.from_zero !== true, name: data.unit, nameTextStyle: { color: colours.soft, align: "left" } }),
      grid: { ...base(colours, narrow).grid, top: 56 },
      series: data.series.map((series, index) => ({
        name: series.name, type: "line", step: series.step ? "end" : false, data: series.values.map(number), connectNulls: false,
        showSymbol: data.x.length <= 31, symbol: MARKS[index % 4], symbolSize: 6, lineStyle: { width: 2, type: DASHES[index % 4] },
      })),
    };
  }

  function stackedBars(data, colours, texts, narrow) {
    return {
      ...base(colours, narrow),
      tooltip: { ...base(colours).tooltip, trigger: "axis", axisPointer: { type: "shadow", shadowStyle: { opacity: 0.12 } }, valueFormatter: (value) => withUnit(value, data.unit) },
      xAxis: data.horizontal ? axis(colours, { type: "value", name: data.unit, nameLocation: "middle", nameGap: 26, nameTextStyle: { color: colours.soft } }) : categoryAxis(data, colours),
      yAxis: data.horizontal ? axis(colours, { type: "category", data: data.x, inverse: true, splitLine: { show: false } }) : axis(colours, { type: "value", name: data.unit, nameTextStyle: { color: colours.soft, align: "left" } }),
      grid: { ...base(colours, narrow).grid, top: 56, bottom: data.horizontal && data.unit ? 26 : 8 },
      series: data.series.map((series, index) => ({
        name: series.name, type: "bar", stack: data.grouped ? undefined : "all", data: series.values.map(number), barMaxWidth: 28,
        itemStyle: { borderColor: colours.surface, borderWidth: 0.5, decal: index % 2 ? { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: Math.PI / 4, color: "rgba(255,255,255,0.35)" } : undefined },
      })),
    };
  }

  window.hengsuanCharts = {
    palette,
    kinds: { merit_order: meritOrder, heatmap, network, sankey, price_lines: priceLines, stacked_bars: stackedBars },
  };
})();
