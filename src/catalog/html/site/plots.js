// The page of usage: loads a month, and what is used most. Every plot is a table as well.
"use strict";

function showUsage() {
  const section = byId("page-usage");
  const heading = el("h1", { id: "usage-title", tabindex: "-1" }, "Usage");
  if (!hasUsage) {
    section.replaceChildren(heading, el("p", {}, "Nobody counts here what is loaded."));
    return;
  }
  const usage = INDEX.usage;
  const loads = SOFTWARE.reduce((sum, software) => sum + software.loads, 0);
  const used = SOFTWARE.filter((software) => software.loads > 0);
  const top = [...used].sort((a, b) => b.loads - a.loads || a.at - b.at).slice(0, 20);
  const categories = new Map();
  for (const software of used) categories.set(software.category, (categories.get(software.category) || 0) + software.loads);
  const byCategory = [...categories].sort((a, b) => b[1] - a[1]).slice(0, 15);
  section.replaceChildren(
    heading,
    el("p", { class: "lead" }, "From " + usage.first + " to " + usage.last + "."),
    el("div", { class: "figures" },
      figure(number(loads), "loads"),
      figure(number(used.length), "modules used"),
      figure(number(SOFTWARE.length - used.length), "never used")),
    plot("Loads a month", "Month", usage.months.map(([month, count]) => ({ label: month, value: count })), columns),
    el("div", { class: "two" },
      plot("Most used modules", "Module", top.map((software) => ({ label: software.name, value: software.loads, href: moduleLink(software.name) })), bars),
      plot("By category", "Category", byCategory.map(([name, count]) => ({ label: name, value: count, href: "#/?category=" + encodeURIComponent(name) })), bars)));
}

function figure(value, label) {
  return el("div", { class: "figure" }, el("strong", {}, value), el("span", {}, label));
}

function plot(title, kind, items, draw) {
  const table = el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, kind), el("th", { scope: "col" }, "Loads"))),
    el("tbody", {}, ...items.map((item) => el("tr", {},
      el("th", { scope: "row", dir: "auto" }, item.href ? el("a", { href: item.href }, item.label) : item.label), el("td", {}, number(item.value))))));
  return el("section", { class: "card" }, el("h2", {}, title),
    items.length === 0 ? el("p", {}, "Nothing yet.") : draw(title, items),
    el("details", {}, el("summary", {}, "As a table"), table));
}

function columns(title, items) {
  const height = 180;
  const step = Math.max(44, Math.min(140, 1100 / items.length));
  const most = Math.max(...items.map((item) => item.value), 1);
  const svg = svgElement("svg", { viewBox: "0 0 " + step * items.length + " " + (height + 44), role: "img", "aria-label": title, class: "plot" });
  svg.style.maxWidth = step * items.length + "px";
  items.forEach((item, at) => {
    const tall = Math.max(2, (item.value / most) * height);
    const bar = svgElement("rect", { class: "mark", x: at * step + 5, y: height - tall + 18, width: step - 10, height: tall, rx: 4 });
    const tip = svgElement("title", {});
    tip.textContent = item.label + ": " + number(item.value);
    bar.append(tip);
    const label = svgElement("text", { x: at * step + step / 2, y: height + 36, "text-anchor": "middle" });
    label.textContent = item.label.replace(/^20/, "’");
    const value = svgElement("text", { x: at * step + step / 2, y: height - tall + 12, "text-anchor": "middle", class: "value" });
    value.textContent = short(item.value);
    svg.append(bar, label, value);
  });
  return svg;
}

function bars(title, items) {
  const step = 28;
  const most = Math.max(...items.map((item) => item.value), 1);
  const svg = svgElement("svg", { viewBox: "0 0 520 " + step * items.length, role: "img", "aria-label": title, class: "plot" });
  items.forEach((item, at) => {
    const wide = Math.max(2, (item.value / most) * 260);
    const label = svgElement("text", { x: 190, y: at * step + 19, "text-anchor": "end" });
    label.textContent = item.label.length > 25 ? "…" + item.label.slice(-24) : item.label;
    const bar = svgElement("rect", { class: "mark", x: 200, y: at * step + 4, width: wide, height: step - 8, rx: 4 });
    const value = svgElement("text", { x: 206 + wide, y: at * step + 19, class: "value" });
    value.textContent = short(item.value);
    const tip = svgElement("title", {});
    tip.textContent = item.label + ": " + number(item.value);
    bar.append(tip);
    svg.append(label, bar, value);
  });
  return svg;
}

function short(value) {
  if (value >= 1e6) return (value / 1e6).toFixed(1) + " M";
  if (value >= 1e4) return Math.round(value / 1e3) + " k";
  return number(value);
}
