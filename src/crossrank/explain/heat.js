(function () {
  const data = JSON.parse(document.getElementById("attention").textContent);
  const bytes = Uint8Array.from(atob(data.bytes), (c) => c.charCodeAt(0));
  const [layers, heads, rows, columns] = data.shape;
  const cells = document.querySelectorAll("table.heat td");
  const layer = document.getElementById("layer"), head = document.getElementById("head");
  function show() {
    const ls = layer.value === "all" ? [...Array(layers).keys()] : [Number(layer.value)];
    const hs = head.value === "all" ? [...Array(heads).keys()] : [Number(head.value)];
    const sum = new Float64Array(rows * columns);
    for (const l of ls) for (const h of hs) {
      const at = (l * heads + h) * rows * columns, scale = data.scales[l * heads + h] / 255;
      for (let i = 0; i < sum.length; i++) sum[i] += bytes[at + i] * scale;
    }
    const most = Math.max(...sum) || 1, count = ls.length * hs.length;
    cells.forEach((cell, i) => {
      cell.style.setProperty("--a", (sum[i] / most).toFixed(3));
      cell.title = cell.dataset.pair + ": " + (sum[i] / count).toFixed(4);
    });
  }
  layer.addEventListener("change", show);
  head.addEventListener("change", show);
})();
