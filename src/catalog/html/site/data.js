// Small tools, and the data.
"use strict";

// --- small tools -------------------------------------------------------------------------------------------------------

// Makes an element; texts become text, never markup.
function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const byId = (id) => document.getElementById(id);
const moduleLink = (name) => "#/module/" + name.split("/").map(encodeURIComponent).join("/");
const number = (count) => count.toLocaleString("en");
const plural = (count, word) => number(count) + " " + word + (count === 1 ? "" : "s");

// Only addresses on the web become links.
function webLink(url, text) {
  if (!/^(https?|ftp):\/\//i.test(url)) return document.createTextNode(text);
  return el("a", { href: url, rel: "noopener noreferrer external" }, text);
}

function hostOf(url) {
  try {
    return new URL(url).host.replace(/^www\./, "");
  } catch {
    return url;
  }
}

// Says something to those who do not see the page.
function say(text) {
  byId("said").textContent = text;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure connection there is no clipboard; the old way still works.
    const area = el("textarea", { class: "visually-hidden", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  say("Copied");
}

function copyButton(label, text) {
  const button = el("button", { type: "button", class: "copy", "aria-label": label }, "Copy");
  button.addEventListener("click", async () => {
    await copyText(typeof text === "function" ? text() : text);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return button;
}

// --- the data ----------------------------------------------------------------------------------------------------------

const INDEX = JSON.parse(XMOD_DATA.index);
delete XMOD_DATA.index;
const hasUsage = INDEX.usage !== null;
const SOFTWARE = INDEX.modules.map((row, at) => {
  const [name, title, description, categories, keywords, url, standard, versions, changed, loads, users] = row;
  const names = categories.map((category) => INDEX.categories[category]);
  return {
    at, name, title, description, keywords, url, versions, changed, loads, users,
    category: names[0] || INDEX.unsorted,
    categories: names,
    standard: standard < 0 ? null : versions[standard],
    lower: name.toLowerCase(),
    hay: [name, title, description, keywords.join(" "), names.join(" "), versions.join(" ")].join("\n").toLowerCase(),
  };
});
INDEX.modules = null;
const BY_NAME = new Map(SOFTWARE.map((software) => [software.name, software]));
const MOST_LOADS = SOFTWARE.reduce((most, software) => Math.max(most, software.loads), 1);
const fullName = (software, version) => (version === "" ? software.name : software.name + "/" + version);

// The software that a word such as `zlib/1.3` or `gcc@12:` means; null where it is not in the catalog.
function softwareOf(word) {
  let name = word.split("@")[0];
  for (;;) {
    if (BY_NAME.has(name)) return BY_NAME.get(name);
    const at = name.lastIndexOf("/");
    if (at < 0) return null;
    name = name.slice(0, at);
  }
}

const waiting = new Map();
// All that is known of a piece of software: it lies in a file with its neighbours.
function detailsOf(software) {
  const shard = Math.floor(software.at / INDEX.shard);
  if (!waiting.has(shard)) {
    waiting.set(shard, new Promise((resolve, reject) => {
      const version = document.documentElement.dataset.version;
      const script = el("script", { src: "data/" + shard + ".js?" + version });
      script.addEventListener("load", () => {
        resolve(JSON.parse(XMOD_DATA[shard]));
        delete XMOD_DATA[shard];
      });
      script.addEventListener("error", () => {
        waiting.delete(shard);
        reject(new Error("the details cannot be read"));
      });
      document.head.append(script);
    }));
  }
  return waiting.get(shard).then((all) => all[software.at % INDEX.shard]);
}
