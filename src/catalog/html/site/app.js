// The table of the software, and which page is shown. No library, no server, nothing from elsewhere.
"use strict";

// --- the table ---------------------------------------------------------------------------------------------------------

const view = { query: "", category: "", sort: "name", grouped: true };
let lines = []; // What the table shows: software, or the title of a category.
let tops = []; // Where each line begins, in pixels; one more for the end.
const drawn = new Map(); // The elements of the lines that are near the window.
const narrow = matchMedia("(max-width: 46rem)");

function rankOf(software, words, query) {
  const name = software.lower;
  const last = name.slice(name.lastIndexOf("/") + 1);
  if (name === query || last === query) return 0;
  if (name.startsWith(words[0]) || last.startsWith(words[0])) return 1;
  return name.includes(words[0]) ? 2 : 3;
}

// What was found last: whoever types on looks only through that.
let lately = { words: [], found: SOFTWARE };

function found(words) {
  const goesOn = lately.words.every((word) => words.some((other) => other.includes(word)));
  const among = goesOn ? lately.found : SOFTWARE;
  const all = words.length === 0 ? SOFTWARE : among.filter((software) => words.every((word) => software.hay.includes(word)));
  lately = { words, found: all };
  return all;
}

function compare(words) {
  const byName = (a, b) => a.at - b.at;
  if (view.sort === "usage") return (a, b) => b.loads - a.loads || byName(a, b);
  if (view.sort === "changed") return (a, b) => (a.changed < b.changed ? 1 : a.changed > b.changed ? -1 : byName(a, b));
  if (words.length === 0) return byName;
  const query = words.join(" ");
  const ranks = new Uint8Array(SOFTWARE.length);
  for (const software of lately.found) ranks[software.at] = rankOf(software, words, query);
  return (a, b) => ranks[a.at] - ranks[b.at] || byName(a, b);
}

const collator = new Intl.Collator("en", { numeric: true });
const inOrder = (a, b) => collator.compare(a, b);

function update() {
  const words = view.query.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const all = found(words);
  const counts = new Map();
  for (const software of all) counts.set(software.category, (counts.get(software.category) || 0) + 1);
  const shown = view.category === "" ? all.slice() : all.filter((software) => software.category === view.category);
  // By name they are in order already.
  if (view.sort !== "name" || words.length > 0) shown.sort(compare(words));
  if (view.grouped) {
    const groups = new Map();
    for (const software of shown) {
      if (!groups.has(software.category)) groups.set(software.category, []);
      groups.get(software.category).push(software);
    }
    let names = [...groups.keys()];
    // What was searched for comes first; otherwise categories have their own order, those without one last.
    if (words.length === 0) names.sort((a, b) => (a === INDEX.unsorted) - (b === INDEX.unsorted) || inOrder(a, b));
    lines = names.flatMap((name) => [{ title: name, count: groups.get(name).length }, ...groups.get(name)]);
  } else {
    lines = shown;
  }
  layOut();
  drawCategories(counts, all.length);
  byId("count").textContent = shown.length === SOFTWARE.length
    ? plural(SOFTWARE.length, "module")
    : shown.length === 0
      ? "Nothing matches. Fewer or shorter words find more."
      : plural(shown.length, "module") + " of " + number(SOFTWARE.length);
  for (const button of document.querySelectorAll("[data-sort]")) {
    const head = button.parentElement;
    if (button.dataset.sort === view.sort) head.setAttribute("aria-sort", view.sort === "name" ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
  byId("table").setAttribute("aria-rowcount", lines.length + 1);
}

function layOut() {
  const height = { row: narrow.matches ? 138 : 72, title: 52 };
  tops = new Array(lines.length + 1);
  let top = 0;
  lines.forEach((line, at) => {
    tops[at] = top;
    top += line.title !== undefined && line.at === undefined ? height.title : height.row;
  });
  tops[lines.length] = top;
  const rows = byId("rows");
  rows.style.height = top + "px";
  rows.replaceChildren();
  drawn.clear();
  draw();
}

// The last line that begins at or above `top`.
function lineAt(top) {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle] <= top) low = middle;
    else high = middle - 1;
  }
  return low;
}

function draw() {
  if (byId("page-table").hidden) return;
  const rows = byId("rows");
  const start = window.scrollY - (rows.getBoundingClientRect().top + window.scrollY);
  const first = Math.max(0, lineAt(Math.max(0, start - 400)));
  const last = Math.min(lines.length, lineAt(Math.max(0, start + window.innerHeight + 400)) + 1);
  for (const [at, element] of drawn) {
    // What has the focus stays, wherever it is.
    if ((at < first || at >= last) && !element.contains(document.activeElement)) {
      element.remove();
      drawn.delete(at);
    }
  }
  let before = null;
  for (let at = last - 1; at >= first; at--) {
    let element = drawn.get(at);
    if (!element) {
      const line = lines[at];
      element = line.at === undefined ? titleRow(line) : softwareRow(line);
      element.style.transform = "translateY(" + tops[at] + "px)";
      element.style.height = tops[at + 1] - tops[at] + "px";
      element.setAttribute("aria-rowindex", at + 2);
      element.dataset.at = at;
      drawn.set(at, element);
      // The order of the elements is that of the lines: the keyboard goes along it.
      if (before === null) {
        const after = [...drawn.keys()].filter((other) => other > at).sort((a, b) => a - b)[0];
        before = after === undefined ? null : drawn.get(after);
      }
      rows.insertBefore(element, before);
    }
    before = element;
  }
}

function titleRow(line) {
  return el("div", { role: "row", class: "row title" },
    el("div", { role: "rowheader", "aria-colspan": "5" }, line.title, el("span", { class: "tally" }, number(line.count))));
}

function softwareRow(software) {
  const text = software.title === "" || software.description === ""
    ? software.title + software.description
    : software.title + ": " + software.description;
  const usage = el("div", { role: "cell", class: "c-usage" });
  if (hasUsage) {
    const share = Math.sqrt(software.loads / MOST_LOADS);
    const meter = el("span", { class: "meter", "aria-hidden": "true" }, el("i"));
    meter.firstChild.style.width = Math.round(100 * share) + "%";
    usage.append(meter, el("span", {}, number(software.loads)));
    usage.title = plural(software.loads, "load") + " by " + plural(software.users, "user");
  }
  return el("div", { role: "row", class: "row" },
    el("div", { role: "cell", class: "c-module" },
      el("a", { href: moduleLink(software.name), dir: "auto" }, software.name),
      el("span", { class: "about", dir: "auto", title: text }, text)),
    usage,
    el("div", { role: "cell", class: "c-url" }, software.url === "" ? "" : webLink(software.url, hostOf(software.url))),
    el("div", { role: "cell", class: "c-keywords" }, ...software.keywords.slice(0, 4).map((word) => el("span", { class: "chip", dir: "auto" }, word))),
    el("div", { role: "cell", class: "c-versions" }, ...versionChips(software)));
}

function versionChips(software) {
  const most = narrow.matches ? 3 : 4;
  const names = software.versions.filter((version) => version !== "");
  let shown = names.slice(0, most);
  if (software.standard && !shown.includes(software.standard)) shown = [software.standard, ...shown.slice(0, most - 1)];
  const chips = shown.map((version) => version === software.standard
    ? el("span", { class: "version standard", title: version + ", the default" }, version, el("span", { class: "visually-hidden" }, " (default)"))
    : el("span", { class: "version", title: version }, version));
  if (names.length > shown.length) chips.push(el("a", { class: "more", href: moduleLink(software.name) }, "+" + (names.length - shown.length), el("span", { class: "visually-hidden" }, " more versions of " + software.name)));
  return chips;
}

function drawCategories(counts, total) {
  const names = [...counts.keys()].sort((a, b) => (a === INDEX.unsorted) - (b === INDEX.unsorted) || inOrder(a, b));
  if (view.category !== "" && !counts.has(view.category)) names.unshift(view.category);
  const choose = (category) => () => {
    view.category = category;
    window.scrollTo({ top: 0 });
    update();
    remember();
    byId("categories").querySelector("[aria-pressed=true]").focus();
  };
  const entry = (category, label, count) =>
    el("li", {}, el("button", { type: "button", "aria-pressed": String(view.category === category), onclick: choose(category) },
      el("span", { dir: "auto" }, label), el("span", { class: "tally" }, number(count))));
  byId("categories").replaceChildren(entry("", "All", total), ...names.map((name) => entry(name, name, counts.get(name) || 0)));
  const select = byId("category-select");
  select.replaceChildren(el("option", { value: "" }, "All categories"), ...names.map((name) => el("option", { value: name }, name + " (" + number(counts.get(name) || 0) + ")")));
  select.value = view.category;
}

// --- pages -------------------------------------------------------------------------------------------------------------

// The state of the table is in the address, so that a link shows what one sees.
function remember() {
  const query = new URLSearchParams();
  if (view.query !== "") query.set("q", view.query);
  if (view.category !== "") query.set("category", view.category);
  if (view.sort !== "name") query.set("sort", view.sort);
  if (!view.grouped) query.set("flat", "1");
  const text = query.toString();
  history.replaceState(null, "", "#/" + (text === "" ? "" : "?" + text));
}

function recall(query) {
  view.query = query.get("q") || "";
  view.category = query.get("category") || "";
  view.sort = ["usage", "changed"].includes(query.get("sort")) ? query.get("sort") : "name";
  view.grouped = !query.has("flat");
  byId("search").value = view.query;
  byId("sort").value = view.sort;
  byId("grouped").checked = view.grouped;
}

const scrolled = new Map();
let page = null;

function show() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [kind, ...rest] = path.split("/");
  const pages = ["module", "new", "usage", "job"];
  const next = pages.includes(kind) ? kind : "table";
  if (page !== null) scrolled.set(page, window.scrollY);
  const began = page === null;
  page = location.hash;
  for (const name of ["table", ...pages]) byId("page-" + name).hidden = name !== next;
  for (const link of document.querySelectorAll("[data-page]")) {
    if (link.dataset.page === next) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const values = new URLSearchParams(query || "");
  const site = byId("table-title").textContent;
  if (next === "table") {
    recall(values);
    update();
    document.title = site;
    window.scrollTo({ top: scrolled.get(location.hash) || 0 });
    draw();
  } else {
    window.scrollTo({ top: 0 });
    if (next === "module") {
      let name = rest.join("/");
      try {
        name = rest.map(decodeURIComponent).join("/");
      } catch {
        // An address that nobody wrote as one: the name is not found then.
      }
      showModule(name);
      document.title = name + " – " + site;
    } else if (next === "new") {
      showNew();
      document.title = "New – " + site;
    } else if (next === "usage") {
      showUsage();
      document.title = "Usage – " + site;
    } else {
      showJob(values);
      document.title = "Job script – " + site;
    }
  }
  if (!began) {
    const heading = document.querySelector("#page-" + next + " h1");
    if (heading) heading.focus({ preventScroll: true });
  }
}

function showNew() {
  const latest = SOFTWARE.filter((software) => software.changed !== "").sort((a, b) => (a.changed < b.changed ? 1 : a.changed > b.changed ? -1 : a.at - b.at)).slice(0, 60);
  const days = new Map();
  for (const software of latest) {
    if (!days.has(software.changed)) days.set(software.changed, []);
    days.get(software.changed).push(software);
  }
  const parts = [];
  for (const [day, list] of days) {
    parts.push(el("section", { class: "card" }, el("h2", {}, day), el("ul", { class: "news" }, ...list.map((software) =>
      el("li", {}, el("a", { href: moduleLink(software.name), dir: "auto" }, software.name), " ", el("span", { class: "about", dir: "auto" }, software.description))))));
  }
  byId("page-new").replaceChildren(
    el("h1", { id: "new-title", tabindex: "-1" }, "New"),
    el("p", { class: "lead" }, "The modulefiles that were added or changed last."),
    ...parts);
}

// --- start -------------------------------------------------------------------------------------------------------------

byId("search").addEventListener("input", (event) => {
  view.query = event.target.value.trim();
  window.scrollTo({ top: 0 });
  update();
  remember();
});
byId("category-select").addEventListener("change", (event) => {
  view.category = event.target.value;
  update();
  remember();
});
byId("sort").addEventListener("change", (event) => {
  view.sort = event.target.value;
  update();
  remember();
});
byId("grouped").addEventListener("change", (event) => {
  view.grouped = event.target.checked;
  update();
  remember();
});
for (const button of document.querySelectorAll("[data-sort]")) {
  button.addEventListener("click", () => {
    view.sort = button.dataset.sort;
    byId("sort").value = view.sort;
    update();
    remember();
  });
}
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("main").focus();
});
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    if (byId("page-table").hidden) {
      location.hash = "#/";
      // The table is shown when the address has changed.
      setTimeout(() => byId("search").focus());
    } else {
      // At once: the next key may be on its way.
      byId("search").focus();
    }
  }
});
byId("table").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const row = event.target.closest(".row[data-at]");
  if (!step || !row) return;
  event.preventDefault();
  let at = Number(row.dataset.at) + step;
  while (lines[at] && lines[at].at === undefined) at += step;
  if (!lines[at]) return;
  const top = byId("rows").getBoundingClientRect().top + tops[at];
  if (top < 130 || top > window.innerHeight - 120) window.scrollBy({ top: step * (tops[at + 1] - tops[at]) });
  draw();
  const next = drawn.get(at);
  if (next) next.querySelector("a").focus();
});
let pending = false;
window.addEventListener("scroll", () => {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    draw();
  });
}, { passive: true });
window.addEventListener("resize", draw);
narrow.addEventListener("change", layOut);
window.addEventListener("hashchange", show);
show();
