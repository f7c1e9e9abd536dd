"use strict";
// Everything from the data is written by textContent, never as HTML.
const DATA = JSON.parse(document.getElementById("data").textContent);
const ROWS_A_PAGE = 50, MOST_BARS = 12;

const $ = (id) => document.getElementById(id);
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "hue") element.style.setProperty("--hue", value);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}
const plain = (name) => name.toLowerCase().replaceAll("_", " ");
const number = (n) => n.toLocaleString("en");
const many = (n, one) => `${number(n)} ${one}${n === 1 ? "" : "s"}`;
const two = (score) => score.toFixed(2);
const fold = (text) => (text || "").toLowerCase();
const compare = new Intl.Collator("en", { numeric: true }).compare;

// The data, each span with its document
const labels = new Map(DATA.labels.map((label) => [label.name, label]));
const voices = new Map(DATA.voices.map((voice) => [voice.name, voice]));
const hues = new Map(DATA.labels.map((label, n) => [label.name, (n * 137.5 + 25) % 360]));
const hue = (label) => hues.get(label) ?? 0;
const documents = DATA.documents;
const spans = [];
documents.forEach((document_, index) => {
  document_.index = index;
  document_.spans.forEach((span, n) => {
    span.document = document_;
    span.n = n + 1;
    if (span.around) span.sentence = document_.text.slice(...span.around);
    span.words = fold([span.text, span.sentence, span.speaker, span.target, document_.id].join("\n"));
    spans.push(span);
  });
});
const scored = documents.filter((document_) => document_.error === null);
const has = (name) => documents.some((document_) => document_[name] !== null);

// What is asked for
const fields = ["query", "label", "voice", "source", "speaker", "target", "period"].map($);
const state = { shown: spans, sort: "score", down: true, row: 0, item: 0, open: null, view: "overview" };

function wanted() {
  const [query, label, voice, source, speaker, target, period] = fields.map((field) => field.value);
  const least = Number($("threshold").value);
  const words = fold(query).split(/\s+/).filter(Boolean);
  const [who, whom, when] = [fold(speaker).trim(), fold(target).trim(), period.trim()];
  return (span) =>
    span.score >= least &&
    (!label || span.label === label) &&
    (!voice || (span.voice ?? "none") === voice) &&
    (!source || span.document.source === source) &&
    (!who || fold(span.speaker).includes(who)) &&
    (!whom || fold(span.target).includes(whom)) &&
    (!when || (span.document.date ?? "").startsWith(when)) &&
    words.every((word) => span.words.includes(word));
}

function filter() {
  state.shown = spans.filter(wanted());
  state.row = state.item = 0;
  $("threshold-value").textContent = two(Number($("threshold").value));
  const n = new Set(state.shown.map((span) => span.document)).size;
  $("status").textContent =
    `${number(state.shown.length)} of ${many(spans.length, "statement")}, in ${many(n, "document")}`;
  const asked = fields.filter((field) => field.value).map((field) => `${field.id} “${field.value}”`);
  $("asked").textContent = [...asked, `score at least ${$("threshold-value").textContent}`].join(", ");
  render();
}

function render(all = false) {
  hideCard();
  if (all || state.view === "overview") renderOverview();
  if (all || state.view === "statements") renderRows();
  if (all || state.view === "documents") renderList();
}

// Overview
function renderOverview() {
  const counted = new Set(state.shown.map((span) => span.statement)).size;
  const failed = documents.length - scored.length;
  const use = scored.filter((document_) => document_.use !== null && document_.use >= 0.5).length;
  const facts = [
    [number(documents.length), documents.length === 1 ? "document" : "documents"],
    [number(new Set(state.shown.map((span) => span.document)).size), "of them with statements"],
    [number(state.shown.length), state.shown.length === 1 ? "statement" : "statements"],
    [number(counted), "with repeated ones once"],
  ];
  if (scored.some((document_) => document_.use !== null)) {
    facts.push([number(use), "documents of use ≥ 0.5"]);
  }
  if (failed) facts.push([number(failed), failed === 1 ? "document not scored" : "documents not scored"]);
  $("figures").replaceChildren(
    ...facts.map(([n, what]) => make("div", { className: "figure" }, make("b", {}, n), make("span", {}, what))),
  );
  const charts = [
    bars("By label", "label", count((span) => span.label), plain, hue),
    bars("By voice", "voice", count((span) => span.voice ?? "none"), sayVoice),
  ];
  if (has("source")) charts.push(bars("By source", "source", count((span) => span.document.source), String));
  const width = charts.length === 3 ? "third" : "half";
  charts.forEach((shown) => shown.classList.add(width));
  for (const [title, role] of [["Who says it, as named in the text", "speaker"], ["About whom, as named in the text", "target"]]) {
    charts.push(bars(title, role, count((span) => span[role]), String));
    charts.at(-1).classList.add("half");
  }
  if (has("date")) charts.unshift(times());
  $("charts").replaceChildren(...charts);
}

function count(of) {
  const counts = new Map();
  for (const span of state.shown) {
    const value = of(span);
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || compare(a[0], b[0]));
}

function chart(title, list, left, full = false) {
  const rest = left ? make("p", { className: "form" }, left) : null;
  const empty = list.childElementCount ? null : make("p", { className: "form" }, "nothing");
  return make("section", { className: full ? "chart full" : "chart" }, make("h2", {}, title), list, empty, rest);
}

function bars(title, field, counts, say, colour) {
  const most = counts.length ? counts[0][1] : 1;
  const items = counts.slice(0, MOST_BARS).map(([value, n]) => {
    const fill = make("span", { className: "fill" });
    fill.style.width = `${(100 * n) / most}%`;
    return make("li", {}, pick(field, value, make("span", { className: "name", title: say(value) }, say(value)),
      make("span", { className: "track" }, fill), make("span", { className: "n" }, number(n)), colour && colour(value)));
  });
  const left = counts.length > MOST_BARS ? `and ${number(counts.length - MOST_BARS)} more` : "";
  const list = make("ul", { className: colour ? "coloured" : "" }, ...items);
  return chart(title, list, left);
}

function pick(field, value, first, second, third, colour) {
  const chosen = $(field).value === value;
  const button = make("button", { type: "button", "aria-pressed": String(chosen) }, first, second, third);
  if (colour !== undefined) button.style.setProperty("--hue", colour);
  button.addEventListener("click", () => {
    $(field).value = chosen ? "" : value;
    filter();
    const again = [...$("charts").querySelectorAll("button")].find((other) => other.dataset.pick === button.dataset.pick);
    if (again) again.focus();
  });
  button.dataset.pick = `${field} ${value}`;
  return button;
}

// Days, months, years or decades, whichever are few enough to be seen; none between is left out.
const STEPS = [[10, 14], [7, 24], [4, 40], [3, Infinity]];
const moment = (when) => new Date(`${(when.length === 3 ? `${when}0` : when).padEnd(4, "0")}${"-01-01".slice(Math.max(0, when.length - 4))}T00:00:00Z`);
const ISO = /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])|$)|$)/;

function times() {
  const dates = state.shown.map((span) => span.document.date ?? "").filter((date) => ISO.test(date));
  const shortest = dates.reduce((least, date) => Math.min(least, date.length), 10);
  for (const [length, most] of STEPS) {
    if (length > shortest && length > 3) continue;
    const all = between(dates, length, most);
    if (all === null) continue;
    const counts = new Map(all.map((when) => [when, 0]));
    for (const date of dates) counts.set(date.slice(0, length), (counts.get(date.slice(0, length)) ?? 0) + 1);
    const highest = Math.max(1, ...counts.values());
    const items = [...counts].map(([when, n]) => {
      const fill = make("span", { className: "fill" });
      fill.style.height = `${(100 * n) / highest}px`;
      const shown = length === 3 ? `${when}0s` : when;
      const item = make("li", {}, pick("period", when, make("span", { className: "n" }, number(n)), fill,
        make("span", { className: "when" }, shown)));
      item.style.minWidth = `${shown.length + 1}ch`;
      return item;
    });
    const undated = state.shown.length - dates.length;
    const left = undated ? `${many(undated, "statement")} without a date such as 2024-05-31` : "";
    return chart("Over time", make("ul", { className: "times" }, ...items), left, true);
  }
}

function between(dates, length, most) {
  if (!dates.length) return [];
  const sorted = dates.map((date) => date.slice(0, length)).sort();
  const all = [sorted[0]];
  while (all.at(-1) < sorted.at(-1) && all.length <= Math.min(most, 1100)) {
    const next = moment(all.at(-1));
    if (length === 10) next.setUTCDate(next.getUTCDate() + 1);
    else if (length === 7) next.setUTCMonth(next.getUTCMonth() + 1);
    else next.setUTCFullYear(next.getUTCFullYear() + (length === 3 ? 10 : 1));
    all.push(next.toISOString().slice(0, length));
  }
  return all.length > most ? null : all;
}

const sayVoice = (voice) => (voice === "none" ? "none (counter)" : voice);

// Statements
const COLUMNS = [
  ["score", "Score", (span) => span.score],
  ["label", "Label", (span) => span.label],
  ["voice", "Voice", (span) => span.voice ?? ""],
  ["text", "Statement", (span) => span.text],
  ["speaker", "Speaker", (span) => span.speaker ?? ""],
  ["target", "Target", (span) => span.target ?? ""],
  ["document", "Document", (span) => span.document.id],
  ...(has("date") ? [["date", "Date", (span) => span.document.date ?? ""]] : []),
];

function sortBy(name) {
  state.down = state.sort === name ? !state.down : name === "score";
  state.sort = name;
  state.row = 0;
  renderRows();
}

function sorted() {
  const value = COLUMNS.find(([name]) => name === state.sort)[2];
  const sign = state.down ? -1 : 1;
  const blank = (a, b) => (value(a) === "") - (value(b) === "");
  const order = state.sort === "score" ? (a, b) => a.score - b.score : (a, b) => compare(value(a), value(b));
  const rows = [...state.shown].sort((a, b) => blank(a, b) || sign * order(a, b));
  if (!$("once").checked) return rows;
  const seen = new Set();
  return rows.filter((span) => !seen.has(span.statement) && seen.add(span.statement));
}

function renderRows() {
  for (const head of $("heads").children) {
    const here = head.dataset.name === state.sort;
    head.setAttribute("aria-sort", here ? (state.down ? "descending" : "ascending") : "none");
  }
  const rows = sorted();
  page("rows", rows.length, state.row);
  const shown = rows.slice(state.row, state.row + ROWS_A_PAGE).map(makeRow);
  if (!shown.length) shown.push(make("tr", {}, make("td", { className: "empty", colSpan: COLUMNS.length }, nothing())));
  $("rows").replaceChildren(...shown);
}

const nothing = () => (spans.length ? "No statement fits. Lower the score or clear the filters." : "No statements were found.");

function makeRow(span) {
  const link = make("button", { type: "button", className: "link" }, span.document.id);
  link.addEventListener("click", () => openDocument(span.document, span));
  return make("tr", {},
    make("td", { className: "number" }, two(span.score)),
    make("td", {}, chip(span)),
    make("td", {}, span.voice ?? "–"),
    make("td", { className: "words" }, ...inSentence(span), repeated(span)),
    make("td", { className: "role" }, span.speaker ?? "–"),
    make("td", { className: "role" }, span.target ?? "–"),
    make("td", { className: "where" }, link, span.document.source ? make("span", { className: "form" }, span.document.source) : null),
    ...(has("date") ? [make("td", { className: "when" }, span.document.date ?? "–")] : []));
}

function chip(span) {
  const form = span.form ? make("span", { className: "form" }, span.form) : null;
  return make("span", {}, make("span", { className: "chip", hue: hue(span.label) }, plain(span.label)), form);
}

function inSentence(span) {
  const marked = make("mark", { hue: hue(span.label) }, span.text);
  const sentence = span.sentence ?? span.text;
  const at = span.around ? span.start - span.around[0] : sentence.indexOf(span.text);
  if (at < 0) return [marked];
  return [sentence.slice(0, at), marked, sentence.slice(at + span.text.length)];
}

function repeated(span) {
  if (span.n_documents < 2) return null;
  const sources = span.n_sources === span.n_documents ? "" : `, ${many(span.n_sources, "source")}`;
  return make("span", { className: "repeated" }, ` in ${span.n_documents} documents${sources}`);
}

// Documents
function listed() {
  const counts = new Map();
  for (const span of state.shown) counts.set(span.document, (counts.get(span.document) ?? 0) + 1);
  const chosen = $("flagged").checked ? documents.filter((document_) => counts.has(document_)) : documents;
  return [chosen, counts];
}

function renderList() {
  const [chosen, counts] = listed();
  page("list", chosen.length, state.item);
  const items = chosen.slice(state.item, state.item + ROWS_A_PAGE).map((document_) => {
    const facts = document_.error !== null ? "not scored"
      : [many(counts.get(document_) ?? 0, "statement"), document_.date, document_.source].filter(Boolean).join(" · ");
    const button = make("button", { type: "button" }, make("span", { className: "id" }, document_.id),
      make("span", { className: "facts" }, facts));
    button.dataset.index = document_.index;
    button.addEventListener("click", () => showDocument(document_));
    return make("li", {}, button);
  });
  $("list").replaceChildren(...(items.length ? items : [make("li", { className: "empty" }, nothing())]));
  showDocument(chosen.includes(state.open) ? state.open : chosen[state.item] ?? null);
}

function openDocument(document_, span) {
  state.open = document_;
  const [chosen] = listed();
  state.item = Math.max(0, Math.floor(chosen.indexOf(document_) / ROWS_A_PAGE) * ROWS_A_PAGE);
  show("documents");
  const mark = $("document").querySelector(`[data-first="${span.n}"]`);
  if (mark) {
    mark.scrollIntoView({ block: "center" });
    mark.focus({ preventScroll: true });
  } else $("tab-documents").focus();
}

function showDocument(document_) {
  hideCard();
  state.open = document_;
  for (const button of $("list").querySelectorAll("button")) {
    const here = document_ !== null && Number(button.dataset.index) === document_.index;
    button.setAttribute("aria-current", String(here));
  }
  if (document_ === null) return $("document").replaceChildren(make("p", { className: "empty" }, nothing()));
  const facts = [document_.date, document_.place, document_.source,
    document_.mention === null ? null : `mention ${two(document_.mention)}`,
    document_.use === null ? null : `use ${two(document_.use)}`].filter(Boolean).join(" · ");
  const visible = state.shown.filter((span) => span.document === document_);
  $("document").replaceChildren(
    make("h2", {}, document_.id),
    make("p", { className: "facts" }, facts),
    document_.error !== null ? make("p", { className: "problem" }, `Not scored: ${document_.error}`) : "",
    document_.text !== null ? make("div", { className: "text" }, ...marked(document_, visible))
      : document_.error === null ? make("p", { className: "facts" }, "The text is not in this report; make it with --documents to see it.") : "",
    make("ol", { className: "found" }, ...visible.map(describe)),
  );
}

function describe(span) {
  return make("li", {}, make("span", { className: "n" }, `${span.n}`),
    make("span", {}, make("span", { className: "words" }, `“${span.text}”`), repeated(span) ?? "",
      make("span", { className: "facts" }, details(span).map(([, value]) => value).join(" · "))),
    chip(span));
}

function details(span) {
  const answered = span.answers === null ? null : `statement ${span.answers + 1}`;
  return [
    ["voice", span.voice === null ? null : span.voice_score === null ? span.voice : `${span.voice} (${two(span.voice_score)})`],
    ["speaker", span.speaker === null ? null : `by ${span.speaker}`],
    ["target", span.target === null ? null : `about ${span.target}`],
    ["answers", answered === null ? null : `answers ${answered}`],
    ["score", `score ${two(span.score)}`],
  ].filter(([, value]) => value !== null);
}

// Cut the text where any span begins or ends; a piece carries the innermost span.
function marked(document_, visible) {
  const text = document_.text;
  const cuts = [...new Set([0, text.length, ...visible.flatMap((span) => [span.start, span.end])])].sort((a, b) => a - b);
  const started = new Set();
  const pieces = [];
  for (let n = 0; n + 1 < cuts.length; n++) {
    const [start, end] = [cuts[n], cuts[n + 1]];
    const over = visible.filter((span) => span.start <= start && span.end >= end);
    if (!over.length) { pieces.push(make("span", { "data-start": start }, text.slice(start, end))); continue; }
    const inner = over.reduce((a, b) => (b.end - b.start <= a.end - a.start ? b : a));
    const fresh = over.filter((span) => !started.has(span));
    fresh.forEach((span) => started.add(span));
    const mark = make("mark", { hue: hue(inner.label), "data-start": start, "data-voice": inner.voice ?? "none",
      "data-spans": over.map((span) => span.n).join(" ") }, text.slice(start, end));
    if (fresh.length) {
      mark.dataset.tag = fresh.map((span) => `${span.n} ${plain(span.label)}${span.voice ? ` · ${span.voice}` : ""}`).join(" / ");
      mark.dataset.first = inner.n;
      mark.tabIndex = 0;
      mark.setAttribute("role", "button");
      mark.setAttribute("aria-describedby", "card");
    }
    const aim = fresh.includes(inner) || !fresh.length ? inner : fresh[0];
    for (const event of ["mouseenter", "focus", "click"]) mark.addEventListener(event, () => showCard(mark, aim));
    for (const event of ["mouseleave", "blur"]) mark.addEventListener(event, hideCard);
    pieces.push(mark);
  }
  return pieces;
}

function showCard(mark, span) {
  hideCard();
  const list = make("dl", {}, ...details(span).flatMap(([name, value]) =>
    [make("dt", {}, name), make("dd", {}, value.replace(/^(by|about|answers|score) /, ""))]));
  const definition = labels.get(span.label)?.definition ?? "";
  const voice = voices.get(span.voice)?.definition;
  $("card").replaceChildren(make("b", {}, plain(span.label) + (span.form ? ` (${span.form})` : "")),
    make("p", {}, definition), list, voice ? make("p", {}, `${span.voice}: ${voice}`) : "");
  $("card").hidden = false;
  for (const other of $("document").querySelectorAll("mark")) {
    if (other.dataset.spans.split(" ").includes(String(span.n))) other.classList.add("active");
  }
  if (span.answers !== null) {
    for (const other of $("document").querySelectorAll("mark")) {
      if (other.dataset.spans.split(" ").includes(String(span.answers + 1))) other.classList.add("active");
    }
  }
  for (const role of ["speaker", "target"]) if (span[`${role}_place`]) pointOut(role, ...span[`${role}_place`]);
  state.carded = mark;
  placeCard();
}

function placeCard() {
  const box = state.carded.getClientRects()[0], card = $("card").getBoundingClientRect();
  const below = box.bottom + 8 + card.height < innerHeight;
  $("card").style.left = `${Math.max(8, Math.min(box.left, innerWidth - card.width - 12))}px`;
  $("card").style.top = `${below ? box.bottom + 8 : Math.max(8, box.top - card.height - 8)}px`;
}

// Name a speaker or target where it stands; the text node is split, and joined again afterwards.
function pointOut(role, start, end) {
  for (const piece of $("document").querySelectorAll("[data-start]")) {
    const from = Number(piece.dataset.start);
    let at = from;
    for (const node of [...piece.childNodes]) {
      const length = node.textContent.length, low = Math.max(start, at), high = Math.min(end, at + length);
      if (low < high && node.nodeType === Node.TEXT_NODE) {
        const named = node.splitText(low - at);
        named.splitText(high - low);
        const wrapper = make("span", { className: "role" });
        if (low === start) wrapper.dataset.role = role;
        named.replaceWith(wrapper);
        wrapper.append(named);
      }
      at += length;
    }
  }
}

function hideCard() {
  $("card").hidden = true;
  for (const named of $("document").querySelectorAll(".role")) {
    const around = named.parentNode;
    named.replaceWith(...named.childNodes);
    around.normalize();
  }
  for (const mark of $("document").querySelectorAll(".active")) mark.classList.remove("active");
}

// Pages, views, keys
function page(name, n, at) {
  const last = Math.min(n, at + ROWS_A_PAGE);
  $(`${name}-place`).textContent = n ? `${number(at + 1)}–${number(last)} of ${number(n)}` : "0";
  $(`${name}-back`).disabled = at === 0;
  $(`${name}-on`).disabled = last >= n;
}

function show(view) {
  state.view = view;
  for (const tab of $("tabs").children) {
    const here = tab.id === `tab-${view}`;
    tab.setAttribute("aria-selected", String(here));
    tab.tabIndex = here ? 0 : -1;
    $(tab.getAttribute("aria-controls")).hidden = !here;
  }
  render();
}

function move(step, among) {
  const at = among.indexOf(document.activeElement);
  if (at < 0) return null;
  const next = among[Math.max(0, Math.min(among.length - 1, at + step))];
  next.focus();
  return next;
}

function onKey(event) {
  if (event.key === "Escape") hideCard();
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !event.target.closest("input, select")) {
    event.preventDefault();
    $("query").focus();
  }
  const steps = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
  const step = steps[event.key];
  if (!step) return;
  if (event.target.closest("#tabs")) {
    move(step, [...$("tabs").children]).click();
    event.preventDefault();
  } else if (event.target.closest("#list")) {
    const next = move(step, [...$("list").querySelectorAll("button")]);
    if (next) next.click();
    event.preventDefault();
  }
}

function options(select, values, say = String) {
  select.append(...values.map((value) => make("option", { value }, say(value))));
}

function start() {
  const failed = documents.length - scored.length;
  $("about").textContent = [many(documents.length, "document"), many(spans.length, "statement"),
    failed ? `${number(failed)} not scored` : "", DATA.models.length ? `model ${DATA.models.join(", ")}` : ""].filter(Boolean).join(" · ");
  const found = (of) => new Set(spans.map(of).filter((value) => value !== null));
  const [used, spoken] = [found((span) => span.label), found((span) => span.voice ?? "none")];
  options($("label"), [...new Set([...labels.keys(), ...used])].filter((name) => used.has(name)), plain);
  options($("voice"), [...voices.keys(), "none"].filter((name) => spoken.has(name)), sayVoice);
  options($("source"), [...found((span) => span.document.source)].sort(compare));
  $("source-field").hidden = !has("source");
  $("period-field").hidden = !has("date");
  const lowest = Math.floor(100 * spans.reduce((least, span) => Math.min(least, span.score), 1)) / 100;
  const slider = $("threshold");
  slider.min = slider.defaultValue = slider.value = spans.length ? lowest : 0;
  $("heads").append(...COLUMNS.map(([name, title]) => {
    const button = make("button", { type: "button" }, title);
    button.addEventListener("click", () => sortBy(name));
    const head = make("th", { scope: "col" }, button);
    head.dataset.name = name;
    return head;
  }));
  for (const field of [...fields, slider]) field.addEventListener("input", () => requestAnimationFrame(filter));
  $("filters").addEventListener("reset", () => setTimeout(filter));
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("once").addEventListener("change", () => { state.row = 0; renderRows(); });
  $("flagged").addEventListener("change", () => { state.item = 0; renderList(); });
  for (const [name, at, draw] of [["rows", "row", renderRows], ["list", "item", renderList]]) {
    for (const [way, step] of [["back", -ROWS_A_PAGE], ["on", ROWS_A_PAGE]]) {
      $(`${name}-${way}`).addEventListener("click", () => {
        state[at] += step;
        if (name === "list") state.open = null;
        draw();
      });
    }
  }
  for (const tab of $("tabs").children) tab.addEventListener("click", () => show(tab.id.slice(4)));
  $("scheme").addEventListener("change", (event) => { document.documentElement.dataset.scheme = event.target.value; });
  document.addEventListener("keydown", onKey);
  document.addEventListener("scroll", () => { if (!$("card").hidden) placeCard(); }, true);
  addEventListener("beforeprint", () => render(true));
  filter();
}

start();
