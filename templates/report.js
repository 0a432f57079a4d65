"use strict";
// The page works without this script; it adds sorting, a filter and the neighbourhood panel.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const safe = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
  const cut = (text, limit) => (text.length > limit ? "…" + text.slice(1 - limit) : text);

  // Sorting: a click on a heading; a second click turns the order round.
  for (const table of $$("table.sortable")) {
    $$("thead th", table).forEach((th, column) => {
      const button = document.createElement("button");
      button.textContent = th.textContent;
      th.textContent = "";
      th.append(button);
      button.addEventListener("click", () => sort(table, column, th));
    });
  }
  function sort(table, column, th) {
    const up = th.getAttribute("aria-sort") !== "ascending";
    $$("thead th", table).forEach((other) => other.removeAttribute("aria-sort"));
    th.setAttribute("aria-sort", up ? "ascending" : "descending");
    const grouped = $$("tbody.item", table);
    const items = grouped.length ? grouped : $$("tbody tr", table);
    const key = (item) => {
      const cell = (item.rows ? item.rows[0] : item).cells[column];
      const text = cell.dataset.sort ?? cell.textContent.trim();
      const number = Number(text.replaceAll(",", ""));
      return text !== "" && Number.isFinite(number) ? number : text;
    };
    const order = (a, b) => {
      if (typeof a === "number" && typeof b === "number") return a - b;
      if (typeof a === "number") return -1;
      if (typeof b === "number") return 1;
      return a < b ? -1 : a > b ? 1 : 0;
    };
    const keyed = items.map((item) => [key(item), item]);
    keyed.sort((a, b) => (up ? order(a[0], b[0]) : order(b[0], a[0])));
    const parent = items.length ? items[0].parentNode : null;
    keyed.forEach(([, item]) => parent.append(item));
  }

  // Filter of long tables.
  for (const table of $$("table.filter")) {
    const tools = document.createElement("p");
    tools.className = "tools";
    tools.innerHTML = '<input type="search" placeholder="Filter by any word" aria-label="Filter"><small></small>';
    table.parentNode.before(tools);
    const rows = $$("tbody tr", table);
    const texts = rows.map((row) => row.textContent.toLowerCase());
    $("input", tools).addEventListener("input", (event) => {
      const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, at) => {
        row.hidden = !words.every((word) => texts[at].includes(word));
        shown += !row.hidden;
      });
      $("small", tools).textContent = words.length ? `${shown} of ${rows.length}` : "";
    });
  }

  // The graph by numbers: who writes and reads what.
  const data = JSON.parse($("#graph-data").textContent);
  const push = (map, key, value) => (map.has(key) ? map.get(key).push(value) : map.set(key, [value]));
  const index = { readBy: new Map(), writtenBy: new Map(), reads: new Map(), writes: new Map(), shownBy: new Map() };
  for (const [job, dataset] of data.reads) { push(index.readBy, dataset, job); push(index.reads, job, dataset); }
  for (const [job, dataset] of data.writes) { push(index.writtenBy, dataset, job); push(index.writes, job, dataset); }
  for (const [exposure, dataset] of data.shows) push(index.shownBy, dataset, exposure);
  const panel = $("#panel");
  const overview = $("svg.overview");

  function showCluster(id) {
    const node = $(`[data-cluster="${id}"]`, overview);
    $$(".node.on", overview).forEach((other) => other.classList.remove("on"));
    node.classList.add("on");
    overview.classList.add("dim");
    $$(".flow", overview).forEach((line) => line.classList.toggle("lit", line.dataset.from === String(id) || line.dataset.to === String(id)));
    const members = data.datasets.flatMap(([name, , cluster], at) => (cluster === id ? [[name, at]] : []));
    const title = $("title", node).textContent;
    const list = members.slice(0, 300).map(([name, at]) => `<li><button data-dataset="${at}">${safe(name)}</button></li>`).join("");
    const more = members.length > 300 ? `<p class="note">and ${members.length - 300} more: see the table of all tables</p>` : "";
    const hint = members.length ? "Choose a table to see who feeds it and whom it feeds." : "BI objects; the lines lead to the tables they read.";
    panel.hidden = false;
    panel.innerHTML = `<h4>${safe(title)}</h4><p class="note">${hint}</p><ul class="names">${list}</ul>${more}`;
  }

  // Columns of jobs and datasets around one dataset; each step out is a job and what lies behind it.
  function neighbourhood(focus, hops) {
    const columns = new Map([[0, [{ kind: "dataset focus", id: focus, key: "d" + focus }]]]);
    const lines = [];
    const seen = new Set(["d" + focus]);
    const add = (level, node, from, forward) => {
      lines.push(forward ? [from, node.key] : [node.key, from]);
      if (seen.has(node.key)) return;
      seen.add(node.key);
      if (!columns.has(level)) columns.set(level, []);
      columns.get(level).push(node);
    };
    for (const side of [-1, 1]) {
      let front = [focus];
      for (let hop = 0; hop < hops; hop++) {
        const level = side * (2 * hop + 1);
        const next = new Set();
        for (const dataset of front) {
          for (const job of (side < 0 ? index.writtenBy : index.readBy).get(dataset) ?? []) {
            add(level, { kind: "job", id: job, key: "j" + job }, "d" + dataset, side > 0);
            for (const other of (side < 0 ? index.reads : index.writes).get(job) ?? []) {
              add(level + side, { kind: "dataset", id: other, key: "d" + other }, "j" + job, side > 0);
              next.add(other);
            }
          }
          if (side > 0) for (const exposure of index.shownBy.get(dataset) ?? []) add(level, { kind: "bi", id: exposure, key: "e" + exposure }, "d" + dataset, true);
        }
        front = [...next];
      }
    }
    return { columns, lines };
  }

  function showDataset(focus, hops = 1) {
    const LIMIT = 16, W = 200, H = 26, GAP = 54, ROW = 34;
    const { columns, lines } = neighbourhood(focus, hops);
    const levels = [...columns.keys()].sort((a, b) => a - b);
    const tallest = Math.max(...levels.map((level) => Math.min(columns.get(level).length, LIMIT + 1)));
    const at = new Map();
    let boxes = "";
    levels.forEach((level, column) => {
      const nodes = columns.get(level);
      const shown = nodes.slice(0, LIMIT);
      const rows = shown.length + (nodes.length > LIMIT);
      const top = ((tallest - rows) * ROW) / 2 + 4;
      shown.forEach((node, row) => {
        const x = column * (W + GAP) + 1, y = top + row * ROW;
        at.set(node.key, [x, y + H / 2]);
        const names = { j: data.jobs, e: data.exposures };
        const name = node.key[0] === "d" ? data.datasets[node.id][0] : names[node.key[0]][node.id];
        const open = node.kind === "dataset" ? ` data-dataset="${node.id}" tabindex="0" role="button"` : "";
        boxes += `<g class="hood ${node.kind}"${open}><title>${safe(name)}</title><rect class="box" x="${x}" y="${y}" width="${W}" height="${H}" rx="4"/><text x="${x + 9}" y="${y + 17}">${safe(cut(name, 30))}</text></g>`;
      });
      if (nodes.length > LIMIT) boxes += `<text class="tick" x="${column * (W + GAP) + 10}" y="${top + LIMIT * ROW + 17}">and ${nodes.length - LIMIT} more</text>`;
    });
    const curves = lines.filter(([a, b]) => at.has(a) && at.has(b)).map(([a, b]) => {
      const [x1, y1] = at.get(a), [x2, y2] = at.get(b);
      const from = x1 + W, bend = Math.max(30, (x2 - from) / 2);
      return `<path class="flow" stroke-width="1.4" d="M${from} ${y1} C${from + bend} ${y1}, ${x2 - bend} ${y2}, ${x2} ${y2}"/>`;
    }).join("");
    const width = levels.length * (W + GAP) - GAP + 2, height = tallest * ROW + 4;
    const [name, layer] = data.datasets[focus];
    const tab = (n, words) => `<button data-hops="${n}" data-dataset="${focus}" aria-pressed="${n === hops}">${words}</button>`;
    panel.hidden = false;
    panel.innerHTML = `<div class="tabs">${tab(1, "1 hop")}${tab(2, "2 hops")}</div><h4>${safe(name)}</h4><p class="note">${safe(layer)} table; grey boxes are jobs. Data flows from left to right.</p><div class="wide"><svg class="chart" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">${curves}${boxes}</svg></div>`;
  }

  function open(event) {
    const target = event.target.closest("[data-cluster],[data-dataset]");
    if (!target) return;
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    if (event.type === "keydown" && target.tagName === "BUTTON") return;
    event.preventDefault();
    if (target.dataset.cluster !== undefined) showCluster(Number(target.dataset.cluster));
    else showDataset(Number(target.dataset.dataset), Number(target.dataset.hops ?? 1));
    if (!overview || !overview.parentNode.contains(target)) panel.scrollIntoView({ block: "nearest" });
  }
  if (panel) {
    document.addEventListener("click", open);
    document.addEventListener("keydown", open);
    // Every name in the table of all tables opens its neighbourhood.
    $$("#all-tables tbody tr").forEach((row, at) => {
      const cell = row.cells[0];
      cell.innerHTML = `<button class="open" data-dataset="${at}">${safe(cell.textContent)}</button>`;
    });
  }
})();
