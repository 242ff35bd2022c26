// The page of a module: what it is, how it is loaded, what it needs, what changed.
"use strict";

async function showModule(name) {
  const section = byId("page-module");
  const software = BY_NAME.get(name);
  if (!software) {
    section.replaceChildren(
      el("h1", { id: "module-title", tabindex: "-1" }, "Not found"),
      el("p", {}, "There is no module ", el("code", {}, name), " here. ", el("a", { href: "#/?q=" + encodeURIComponent(name) }, "Search for it")));
    return;
  }
  section.replaceChildren(el("h1", { id: "module-title", tabindex: "-1", dir: "auto" }, name), el("p", { class: "lead" }, software.description));
  let details;
  try {
    details = await detailsOf(software);
  } catch {
    section.append(el("p", { class: "notice" }, "The details of this module cannot be read. Try again, or tell those who look after this page."));
    return;
  }
  // Somebody may have gone on meanwhile.
  if (location.hash.split("?")[0] !== moduleLink(name) && decodeURIComponent(location.hash) !== "#/module/" + name) return;
  const standard = details.versions.find((version) => version.is_default) || details.versions[0];
  const hadFocus = section.contains(document.activeElement);
  section.replaceChildren(
    el("p", { class: "crumbs" }, el("a", { href: "#/" }, "Software"), " / ",
      el("a", { href: "#/?category=" + encodeURIComponent(software.category), dir: "auto" }, software.category)),
    el("h1", { id: "module-title", tabindex: "-1", dir: "auto" }, software.title === "" ? name : software.title),
    el("p", { class: "lead", dir: "auto" }, details.description),
    el("div", { class: "page" },
      el("div", {}, loadCard(software, standard), helpCard(details, standard), graphCard(software, standard, details), versionsCard(software, details)),
      el("aside", { "aria-label": "Facts" }, factsCard(software, details), changesCard(details))));
  if (hadFocus) byId("module-title").focus({ preventScroll: true });
}

// What is to be typed, one line for each way through the hierarchy.
function waysOf(version) {
  const ways = version.files.flatMap((file) => file.ways);
  const seen = new Set();
  const unique = ways.filter((way) => {
    const key = way.join("\n");
    return !seen.has(key) && seen.add(key);
  });
  return unique.sort((a, b) => a.length - b.length);
}

function loadLines(version, name) {
  const ways = waysOf(version);
  return (ways.length === 0 ? [[]] : ways).map((way) => "module load " + [...way, name].join(" "));
}

function commands(lines, label) {
  const most = 8;
  const list = (some) => some.map((line) => el("div", { class: "command" }, el("code", {}, line), copyButton(label + ": " + line, line)));
  const parts = list(lines.slice(0, most));
  if (lines.length > most) {
    parts.push(el("details", {}, el("summary", {}, number(lines.length - most) + " more ways"), ...list(lines.slice(most))));
  }
  return parts;
}

function loadCard(software, version) {
  const lines = loadLines(version, version.full_name);
  const parts = [el("h2", {}, "Load it")];
  if (version.forbidden !== null) {
    parts.push(el("p", { class: "notice bad", dir: "auto" }, "It cannot be loaded: " + version.forbidden));
    return el("section", { class: "card" }, ...parts);
  }
  if (lines.length === 1 && waysOf(version).every((way) => way.length === 0)) {
    const short = "module load " + software.name;
    if (version.is_default && short !== lines[0]) lines.unshift(short);
  } else {
    parts.push(el("p", { class: "hint" }, lines.length > 1 ? "It needs other modules first; any of these ways will do:" : "It needs other modules first:"));
  }
  parts.push(...commands(lines, "Copy"));
  parts.push(el("p", {}, el("a", { class: "button", href: "#/job?modules=" + encodeURIComponent(version.full_name) }, "Use it in a job script")));
  return el("section", { class: "card" }, ...parts);
}

// Help was made into harmless markup when the page was exported: headings, lists, code, links to the web and nothing else.
function helpBlock(details, version) {
  if (version.help === null) return null;
  const block = el("div", { class: "help", dir: "auto" });
  block.innerHTML = details.helps[version.help];
  return block;
}

function helpCard(details, version) {
  const help = helpBlock(details, version);
  return help === null ? null : el("section", { class: "card" }, el("h2", {}, "Help"), help);
}

function moduleNames(words) {
  return words.flatMap((word, at) => {
    const software = softwareOf(word);
    const shown = software === null ? el("span", {}, word) : el("a", { href: moduleLink(software.name) }, word);
    return at === 0 ? [shown] : [", ", shown];
  });
}

function versionsCard(software, details) {
  const rows = details.versions.map((version) => {
    const marks = [];
    if (version.is_default) marks.push(el("span", { class: "badge standard" }, "default"));
    for (const symbol of version.symbols) marks.push(el("span", { class: "badge" }, symbol));
    for (const tag of version.tags) marks.push(el("span", { class: "badge" }, tag));
    if (version.forbidden !== null) marks.push(el("span", { class: "badge bad" }, "cannot be loaded"));
    else if (version.warnings.length > 0) marks.push(el("span", { class: "badge warn" }, "see the warning"));
    const facts = [];
    const fact = (key, ...value) => facts.push(el("dt", {}, key), el("dd", { dir: "auto" }, ...value));
    for (const warning of version.warnings) fact("Warning", warning);
    if (version.forbidden !== null) fact("Forbidden", version.forbidden);
    if (version.requires.length > 0) fact("Needs", ...moduleNames(version.requires));
    if (version.families.length > 0) fact("Family", version.families.join(", "));
    if (version.extensions.length > 0) fact("Brings along", version.extensions.join(", "));
    if (version.changed !== null) fact("Changed", version.changed);
    if (version.usage) fact("Usage", plural(version.usage.loads, "load") + " by " + plural(version.usage.users, "user"));
    fact("Modulefile", ...version.files.slice(0, 8).flatMap((file, at) => (at === 0 ? [el("code", {}, file.path)] : [el("br"), el("code", {}, file.path)])),
      version.files.length > 8 ? " and " + number(version.files.length - 8) + " more" : "");
    const inside = version.forbidden === null ? commands(loadLines(version, version.full_name), "Copy") : [];
    const folded = el("details", {},
      el("summary", {}, el("span", { class: "full" }, version.full_name), ...marks, el("span", { class: "when" }, version.changed || "")));
    // Filled when it is opened: there may be hundreds.
    folded.addEventListener("toggle", () => {
      if (folded.childElementCount === 1) {
        const help = version.is_default ? null : helpBlock(details, version);
        folded.append(...inside, el("dl", {}, ...facts), help === null ? "" : help);
      }
    });
    return folded;
  });
  return el("section", { class: "card versions" }, el("h2", {}, plural(rows.length, "version")), ...rows);
}

function factsCard(software, details) {
  const facts = [];
  const fact = (key, ...value) => facts.push(el("dt", {}, key), el("dd", { dir: "auto" }, ...value));
  fact("Module", el("code", {}, software.name));
  if (software.url !== "") fact("Home page", webLink(software.url, hostOf(software.url)));
  if (software.categories.length > 0) fact("Category", ...software.categories.flatMap((name, at) => [at === 0 ? "" : ", ", el("a", { href: "#/?category=" + encodeURIComponent(name) }, name)]));
  if (software.keywords.length > 0) fact("Keywords", ...software.keywords.map((word) => el("a", { class: "chip", href: "#/?q=" + encodeURIComponent(word) }, word)));
  if (details.license !== "") fact("Licence", details.license);
  if (details.maintainers.length > 0) fact("Maintainer", details.maintainers.join(", "));
  if (hasUsage) fact("Usage", plural(software.loads, "load") + " by " + plural(software.users, "user"));
  for (const [key, values] of Object.entries(details.metadata)) fact(key, ...values.flatMap((value, at) => [at === 0 ? "" : ", ", webLink(value, value)]));
  return el("section", { class: "card" }, el("h2", {}, "Facts"), el("dl", {}, ...facts));
}

function changesCard(details) {
  const dated = details.versions.filter((version) => version.changed !== null);
  if (dated.length === 0) return null;
  dated.sort((a, b) => (a.changed < b.changed ? 1 : a.changed > b.changed ? -1 : 0));
  return el("section", { class: "card" }, el("h2", {}, "Changed lately"),
    el("ul", { class: "changes" }, ...dated.slice(0, 6).map((version) =>
      el("li", {}, el("time", { datetime: version.changed }, version.changed), " ", version.full_name))));
}

// What the module needs on the left, who needs it on the right.
function graphCard(software, version, details) {
  const most = 10;
  const needs = version.requires.map((word) => ({ label: word, software: softwareOf(word) }));
  const needed = details.needed_by.map((name) => ({ label: name, software: BY_NAME.get(name) || null }));
  if (needs.length + needed.length === 0) return null;
  const left = needs.slice(0, most);
  const right = needed.slice(0, most);
  const box = { width: 210, height: 32, gap: 10 };
  const tall = Math.max(left.length, right.length, 1) * (box.height + box.gap) - box.gap;
  const wide = box.width * 3 + 140;
  const svg = svgElement("svg", { viewBox: "0 0 " + (wide + 4) + " " + (tall + 4), width: wide + 4, height: tall + 4, role: "group", "aria-label": "What " + software.name + " needs, and what needs it" });
  const column = [2, box.width + 72, 2 * box.width + 142];
  const place = (count, at) => 2 + (tall - (count * (box.height + box.gap) - box.gap)) / 2 + at * (box.height + box.gap);
  const middle = place(1, 0) + box.height / 2;
  function edge(x1, y1, x2, y2) {
    const bend = (x2 - x1) / 2;
    svg.append(svgElement("path", { class: "edge", d: "M" + x1 + " " + y1 + "C" + (x1 + bend) + " " + y1 + " " + (x2 - bend) + " " + y2 + " " + x2 + " " + y2 }));
  }
  function node(item, x, y, kind) {
    const label = item.label.length > 26 ? item.label.slice(0, 25) + "…" : item.label;
    const group = svgElement(item.software && kind !== "self" ? "a" : "g", { class: "node " + kind });
    if (item.software && kind !== "self") group.setAttribute("href", moduleLink(item.software.name));
    const title = svgElement("title", {});
    title.textContent = item.label;
    const text = svgElement("text", { x: x + box.width / 2, y: y + box.height / 2 + 5, "text-anchor": "middle" });
    text.textContent = label;
    group.append(title, svgElement("rect", { x, y, width: box.width, height: box.height, rx: 8 }), text);
    svg.append(group);
  }
  left.forEach((item, at) => edge(column[0] + box.width, place(left.length, at) + box.height / 2, column[1], middle));
  right.forEach((item, at) => edge(column[1] + box.width, middle, column[2], place(right.length, at) + box.height / 2));
  left.forEach((item, at) => node(item, column[0], place(left.length, at), "needs"));
  node({ label: software.name, software }, column[1], middle - box.height / 2, "self");
  right.forEach((item, at) => node(item, column[2], place(right.length, at), "needed"));
  const rest = [];
  if (needs.length > most) rest.push(number(needs.length - most) + " more that it needs");
  if (needed.length > most) rest.push(number(needed.length - most) + " more that need it");
  return el("section", { class: "card" }, el("h2", {}, "Dependencies"),
    el("p", { class: "hint" }, "Left: what it needs (" + number(needs.length) + "). Right: what needs it (" + number(needed.length) + ")."),
    el("div", { class: "graph", tabindex: "0", role: "region", "aria-label": "Dependencies" }, svg),
    rest.length === 0 ? null : el("p", { class: "hint" }, "Not drawn: " + rest.join(", ") + "."));
}

function svgElement(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
