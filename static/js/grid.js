/* Arrow keys between the cells of a table marked with data-grid; without this file Tab does it. */
(function () {
  "use strict";
  const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  document.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const cell = step && event.target.closest("[data-grid] td");
    if (!cell) return;
    const table = cell.closest("table");
    let row = cell.parentElement.rowIndex;
    let column = cell.cellIndex;
    for (;;) {
      row += step[0];
      column += step[1];
      const link = table.rows[row]?.cells[column]?.querySelector("a");
      if (!table.rows[row]?.cells[column]) return;
      if (link) {
        event.preventDefault();
        link.focus();
        return;
      }
    }
  });
})();
