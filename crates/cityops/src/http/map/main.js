// The page: filters, list and details around the map, fed by the stream. Texts of incidents are set as text, never as HTML.

import { City } from "./city.js";
import { Drawing } from "./drawing.js";
import { listen } from "./events.js";
import * as words from "./words.js";

const ROWS_MAX = 200;
const AT_MOST_EVERY_MS = 200;
const TITLE = document.title;

const find = (selector) => document.querySelector(selector);
export const city = new City();
export const drawing = new Drawing(find("#map"), (id) => choose(id, false));
let chosen = null;
let due = 0;

listen(
  "api/events",
  (event, data) => {
    if (isNews(event, data)) {
      find("#news").textContent = `新的 P1 · new P1: ${words.kind(data)}，${words.where(data)}`;
    }
    if (city.take(event, data)) later();
  },
  (name, why) => {
    const status = find("#status");
    status.dataset.state = name;
    status.textContent = why ? `${words.STATES[name]} (${why})` : words.STATES[name];
  },
);
grid("");
setInterval(later, 30_000); // ages move on

function later() {
  if (!due) {
    due = setTimeout(() => {
      due = 0;
      show();
    }, AT_MOST_EVERY_MS);
  }
}

// What a screen reader says at once: not what was there already.
function isNews(event, data) {
  const is_p1 = event === "incident" && data.status === "OPEN" && data.priority.band === "P1";
  return is_p1 && !city.coming && city.incidents.get(data.incident_id)?.priority.band !== "P1";
}

function show() {
  const shown = city.shown();
  const counts = city.counts();
  for (const [band, count] of Object.entries(counts)) find(`[data-count=${band}]`).textContent = count;
  document.title = `${counts.P1 ? `(${counts.P1} P1) ` : ""}${TITLE}`;
  find("#shown").textContent = shown.length;
  kinds();
  list(shown);
  const more = find("#more");
  more.hidden = shown.length <= ROWS_MAX;
  more.textContent = `另有 ${shown.length - ROWS_MAX} 件 · and ${shown.length - ROWS_MAX} more`;
  details();
  drawing.show(shown, chosen);
}

function make(tag, text, name) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
}

// Rows are kept where they are, so that the one in focus stays in focus.
function list(shown) {
  const list = find("#list");
  const rows = new Map([...list.children].map((row) => [row.dataset.id, row]));
  const now = Date.now();
  let before = null;
  for (const it of shown.slice(0, ROWS_MAX)) {
    const row = rows.get(it.incident_id) ?? make("li");
    rows.delete(it.incident_id);
    fill(row, it, now);
    const next = before ? before.nextSibling : list.firstChild;
    if (next !== row) list.insertBefore(row, next);
    before = row;
  }
  for (const row of rows.values()) row.remove();
}

function fill(row, it, now) {
  const button = row.firstChild ?? make("button");
  const band = it.priority.band;
  const said = [band, words.kind(it), words.age(it.opened_at, now), words.where(it), `${it.member_count} 条 reports`].join("|");
  button.setAttribute("aria-current", String(it.incident_id === chosen));
  if (button.dataset.said === said) return;
  button.dataset.said = said;
  row.dataset.id = it.incident_id;
  button.type = "button";
  button.replaceChildren(
    make("span", band, `band ${band.toLowerCase()}`),
    make("span", words.kind(it), "kind"),
    make("span", words.age(it.opened_at, now), "age"),
    make("span", words.where(it), "where"),
    make("span", `${it.member_count} 条 reports`, "age"),
  );
  row.replaceChildren(button);
}

function kinds() {
  const select = find("[name=kind]");
  const kinds = city.kinds();
  if (city.kind && !kinds.some(([kind]) => kind === city.kind)) kinds.push([city.kind, city.kind]);
  const key = kinds.map(([kind]) => kind).join();
  if (select.dataset.key === key) return;
  select.dataset.key = key;
  const options = kinds.map(([kind, name]) => {
    const option = make("option", `${name} ${kind.replaceAll("_", " ")}`);
    option.value = kind;
    return option;
  });
  select.replaceChildren(select.firstElementChild, ...options);
  select.value = city.kind;
}

function choose(id, fromList) {
  chosen = id;
  show();
  const it = city.incidents.get(id);
  if (it?.location) drawing.bring(it.location);
  const row = [...find("#list").children].find((row) => row.dataset.id === id);
  if (!fromList) row?.scrollIntoView({ block: "nearest" });
}

function details() {
  const panel = find("#details");
  const it = chosen && city.incidents.get(chosen);
  panel.hidden = !chosen;
  if (!chosen) return;
  const key = it ? `${it.incident_id} ${it.revision}` : `${chosen} closed`;
  if (panel.dataset.key === key) return;
  panel.dataset.key = key;
  const close = make("button", "×", "close");
  close.type = "button";
  close.setAttribute("aria-label", "关闭详情 · Close the details");
  close.addEventListener("click", leave);
  if (!it) {
    panel.replaceChildren(close, make("h3", "该事件已结束或移出 · This incident has ended or was removed"), make("p", chosen));
    return;
  }
  const { priority } = it;
  const title = make("h3");
  title.append(make("span", priority.band, priority.band.toLowerCase()), ` ${words.kind(it)}`);
  const facts = make("dl");
  for (const [name, value] of words.facts(it)) facts.append(make("dt", name), make("dd", value));
  panel.replaceChildren(close, title);
  section(panel, "定级理由", priority.reasons_zh ?? [], "zh-CN");
  section(panel, "Reasons", priority.reasons_en ?? [], "en");
  panel.append(facts);
  if (it.explanation) panel.append(make("h4", "归并说明 explanation"), make("p", it.explanation));
  section(panel, "最近上报 newest reports", (it.members ?? []).map(words.member));
}

function section(panel, title, lines, lang) {
  if (!lines.length) return;
  const items = make("ul");
  if (lang) items.lang = lang;
  items.append(...lines.map((line) => make("li", line)));
  panel.append(make("h4", title), items);
}

function leave() {
  const row = [...find("#list").children].find((row) => row.dataset.id === chosen);
  chosen = null;
  show();
  (row?.firstChild ?? find("#list")).focus();
}

async function grid(layer) {
  const trouble = find("#grid-trouble");
  try {
    const of = (level) => {
      const query = new URLSearchParams({ layer, level });
      return fetch(`api/grid?${query}`).then(async (answer) => {
        const body = await answer.json();
        if (!answer.ok) throw new Error(body.error);
        return body;
      });
    };
    const fine = await of("");
    // Of three levels and more the second is the towns.
    const wide = fine.levels.length > 1 ? await of(fine.levels[fine.levels.length > 2 ? 1 : 0]) : { features: [] };
    drawing.setGrid(fine, wide);
    const select = find("[name=layer]");
    find("#layers").hidden = fine.layers.length < 2;
    select.replaceChildren(...fine.layers.map((name) => make("option", name)));
    select.value = fine.layer;
    trouble.hidden = true;
  } catch (error) {
    trouble.textContent = `网格无法显示 · the grid cannot be shown: ${error.message}`;
    trouble.hidden = false;
  }
}

find("#filters").addEventListener("change", (event) => {
  if (event.target.name === "layer") {
    grid(event.target.value);
    return;
  }
  const form = new FormData(find("#filters"));
  city.bands = new Set(form.getAll("band"));
  city.kind = form.get("kind");
  show();
});
find("#filters").addEventListener("submit", (event) => event.preventDefault());

find("#list").addEventListener("click", (event) => {
  const row = event.target.closest("li");
  if (row) choose(row.dataset.id, true);
});
find("#list").addEventListener("keydown", (event) => {
  const row = event.target.closest("li");
  const to = { ArrowDown: row?.nextSibling, ArrowUp: row?.previousSibling, Home: find("#list").firstChild, End: find("#list").lastChild }[event.key];
  if (!to) return;
  event.preventDefault();
  to.firstChild.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && chosen) leave();
});
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => {
    if (button.dataset.zoom === "in") drawing.zoom(1.5);
    else if (button.dataset.zoom === "out") drawing.zoom(1 / 1.5);
    else drawing.fit();
  });
}
