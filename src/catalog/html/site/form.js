// The form for job scripts: its fields, the modules to choose, the groups of commands, and the script on the side.
"use strict";

const FIELDS = [
  { id: "name", option: "job-name", label: "Name of the job", hint: "Shown in the queue." },
  { id: "partition", option: "partition", label: "Partition", choices: INDEX.job.partitions },
  { id: "account", option: "account", label: "Account", choices: INDEX.job.accounts },
  { id: "time", option: "time", label: "Time limit", value: INDEX.job.time, hint: "2:30:00, or 1-12:00:00 for a day and a half; a number is minutes." },
  { id: "nodes", option: "nodes", label: "Nodes", hint: "2, or 2-4." },
  { id: "tasks", option: "ntasks", label: "Tasks" },
  { id: "cpus", option: "cpus-per-task", label: "Cores a task" },
  { id: "gpus", option: "gpus", label: "GPUs", hint: "2, or a100:4 for four of a kind." },
  { id: "gres", option: "gres", label: "Other resources a node", hint: "As the cluster names them: gpu:2." },
  { id: "mem", option: "mem", label: "Memory a node", value: INDEX.job.mem, hint: "500M, 16G." },
  { id: "array", option: "array", label: "Array of jobs", hint: "0-15, 1,3,5, or 0-99%4 for four at a time; $SLURM_ARRAY_TASK_ID tells them apart." },
  { id: "output", option: "output", label: "File for the output", hint: "%x is the name of the job, %j its number, %a that of the task in an array." },
  { id: "error", option: "error", label: "File for errors", hint: "Empty: with the output." },
];
const MAIL_CHOICES = [["BEGIN", "it begins"], ["END", "it ends"], ["FAIL", "it fails"], ["TIME_LIMIT_80", "80 % of the time are over"]];

const chosen = { modules: [], groups: [{ order: "sequence", text: "" }] };
const touched = new Set();

function showJob(query) {
  const form = byId("job");
  if (form.childElementCount === 0) buildForm(form);
  const wanted = (query.get("modules") || "").split(",").filter((name) => name !== "");
  for (const name of wanted) addModule(name);
  // The choice is in the form now; going back and forth must not add it again.
  if (wanted.length > 0) history.replaceState(null, "", "#/job");
  writeScript();
}

function field({ id, option, label, hint, value, choices }) {
  const input = choices && choices.length > 0
    ? el("select", { id: "job-" + id }, el("option", { value: "" }, "as the cluster chooses"), ...choices.map((choice) => el("option", { value: choice }, choice)))
    : el("input", { id: "job-" + id, type: "text", spellcheck: "false" });
  if (value) input.value = value;
  input.setAttribute("aria-describedby", "job-" + id + "-hint job-" + id + "-error");
  input.addEventListener("input", writeScript);
  input.addEventListener("blur", () => {
    touched.add(option);
    writeScript();
  });
  return el("div", { class: "field" },
    el("label", { for: "job-" + id }, label), input,
    el("p", { class: "hint", id: "job-" + id + "-hint" }, hint || ""),
    el("p", { class: "wrong", id: "job-" + id + "-error", "data-error": option }));
}

function buildForm(form) {
  form.addEventListener("submit", (event) => event.preventDefault());
  const mail = el("fieldset", {}, el("legend", {}, "E-mail"),
    el("div", { class: "checks" }, "Tell me when", ...MAIL_CHOICES.map(([event, words]) => {
      const box = el("input", { type: "checkbox", name: "mail", value: event });
      box.addEventListener("change", () => {
        touched.add("mail-type");
        writeScript();
      });
      return el("label", { class: "check" }, box, " " + words);
    })),
    el("p", { class: "wrong", "data-error": "mail-type" }),
    field({ id: "mail_user", option: "mail-user", label: "Address", hint: "Empty: the one that the cluster knows." }));
  const script = el("aside", { class: "script card", "aria-labelledby": "script-title" },
    el("div", { class: "script-head" }, el("h2", { id: "script-title" }, "The script"),
      copyButton("Copy the script", () => byId("script").textContent),
      el("button", { type: "button", class: "copy", id: "download", onclick: download }, "Download")),
    el("pre", { id: "script", tabindex: "0", "aria-label": "Script" }),
    el("div", { id: "problems", role: "status" }));
  script.querySelector("button").id = "copy-script";
  form.append(
    el("div", { class: "form-columns" },
      el("div", { class: "card" },
        el("fieldset", {}, el("legend", {}, "Modules"), moduleChooser()),
        el("fieldset", {}, el("legend", {}, "Commands"), el("div", { id: "groups" }),
          el("p", { class: "wrong", "data-error": "command" }),
          el("button", { type: "button", class: "quiet add", id: "add-group", onclick: addGroup }, "+ Another group of commands")),
        el("fieldset", {}, el("legend", {}, "Job"), el("div", { class: "fields" }, ...FIELDS.map(field))),
        mail),
      script));
  drawGroups();
}

// --- modules -----------------------------------------------------------------------------------------------------------

function moduleChooser() {
  const list = el("ul", { role: "listbox", id: "module-list", "aria-label": "Modules that match", hidden: true });
  const input = el("input", {
    id: "module-input", type: "text", role: "combobox", "aria-expanded": "false", "aria-controls": "module-list",
    "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", placeholder: "Type a name, choose a version …", "aria-describedby": "modules-error",
  });
  let matches = [];
  let active = -1;
  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    active = -1;
  }
  function choose(name) {
    input.value = "";
    close();
    addModule(name);
    input.focus();
  }
  function activate(at) {
    active = at;
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", "module-option-" + at);
      list.children[at].scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }
  function open() {
    matches = matching(input.value.trim().toLowerCase());
    list.replaceChildren(...matches.map(({ name, standard }, at) =>
      el("li", { role: "option", id: "module-option-" + at, "aria-selected": "false", onmousedown: (event) => event.preventDefault(), onclick: () => choose(name) },
        el("span", { dir: "auto" }, name), standard ? el("span", { class: "badge standard" }, "default") : null)));
    list.hidden = matches.length === 0;
    input.setAttribute("aria-expanded", String(matches.length > 0));
    activate(-1);
  }
  input.addEventListener("input", open);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) open();
      else activate((active + (event.key === "ArrowDown" ? 1 : -1) + matches.length) % matches.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!list.hidden && matches.length > 0) choose(matches[Math.max(active, 0)].name);
    } else if (event.key === "Escape") {
      close();
    }
  });
  return el("div", {}, el("label", { for: "module-input" }, "Add a module"),
    el("div", { class: "combo" }, input, list),
    el("ol", { id: "chosen", "aria-label": "Modules of the job, in this order" }),
    el("p", { class: "wrong", id: "modules-error", "data-error": "modules" }));
}

// Up to a dozen versions of the software that fits best.
function matching(text) {
  if (text === "") return [];
  const all = [];
  const at = text.lastIndexOf("/");
  const ranked = SOFTWARE.filter((software) => software.lower.includes(text) || (at > 0 && text.startsWith(software.lower + "/")))
    .map((software) => ({ software, rank: software.lower === text || text.startsWith(software.lower + "/") ? 0 : software.lower.startsWith(text) ? 1 : 2 }))
    .sort((a, b) => a.rank - b.rank || a.software.at - b.software.at);
  for (const { software } of ranked) {
    const names = software.versions.map((version) => ({ name: fullName(software, version), standard: version === software.standard }));
    names.sort((a, b) => b.standard - a.standard);
    for (const entry of names) {
      if (entry.name.toLowerCase().includes(text)) all.push(entry);
      if (all.length === 12) return all;
    }
  }
  return all;
}

// Adds a module, and in front of it those that have to be loaded first: the shortest way that fits what is chosen already.
async function addModule(name) {
  if (chosen.modules.includes(name)) return;
  const software = softwareOf(name);
  let way = [];
  if (software) {
    try {
      const details = await detailsOf(software);
      const version = details.versions.find((v) => v.full_name === name) || details.versions.find((v) => v.is_default);
      const ways = version ? waysOf(version) : [];
      const missing = (some) => some.filter((step) => !chosen.modules.includes(step)).length;
      way = ways.sort((a, b) => missing(a) - missing(b) || a.length - b.length)[0] || [];
    } catch {
      say("The modules that " + name + " needs first are not known");
    }
  }
  const before = way.filter((step) => !chosen.modules.includes(step));
  chosen.modules.push(...before, name);
  say(before.length === 0 ? name + " added" : name + " added, with " + before.join(" and ") + " in front");
  drawModules();
  writeScript();
}

function drawModules() {
  byId("chosen").replaceChildren(...chosen.modules.map((name, at) =>
    el("li", {}, el("span", { dir: "auto" }, name),
      el("button", {
        type: "button", "aria-label": "Remove " + name, onclick: () => {
          chosen.modules.splice(at, 1);
          drawModules();
          writeScript();
          byId("module-input").focus();
        },
      }, "×"))));
}

// --- commands ----------------------------------------------------------------------------------------------------------

function addGroup() {
  chosen.groups.push({ order: "parallel", text: "" });
  drawGroups();
  writeScript();
  byId("commands-" + (chosen.groups.length - 1)).focus();
}

function drawGroups() {
  byId("groups").replaceChildren(...chosen.groups.map((group, at) => {
    const order = el("select", { id: "order-" + at },
      el("option", { value: "sequence" }, "one after the other"), el("option", { value: "parallel" }, "all at the same time"));
    order.value = group.order;
    order.addEventListener("change", () => {
      group.order = order.value;
      writeScript();
    });
    const text = el("textarea", { id: "commands-" + at, rows: "3", spellcheck: "false", placeholder: "One command a line" });
    text.value = group.text;
    text.addEventListener("input", () => {
      group.text = text.value;
      writeScript();
    });
    text.addEventListener("blur", () => {
      touched.add("command");
      writeScript();
    });
    const remove = el("button", { type: "button", class: "quiet", "aria-label": "Remove group " + (at + 1) }, "Remove");
    remove.addEventListener("click", () => {
      chosen.groups.splice(at, 1);
      drawGroups();
      writeScript();
      byId("add-group").focus();
    });
    return el("div", { class: "group" },
      el("div", { class: "group-head" }, el("label", { for: "order-" + at }, "Run"), order, chosen.groups.length > 1 ? remove : null),
      el("label", { class: "visually-hidden", for: "commands-" + at }, "Commands of group " + (at + 1) + ", one a line"), text);
  }));
}

// --- the script --------------------------------------------------------------------------------------------------------

function theJob() {
  const value = (id) => byId("job-" + id).value.trim();
  const job = {
    mail_events: [...document.querySelectorAll("[name=mail]:checked")].map((box) => box.value),
    mail_user: value("mail_user"),
    modules: chosen.modules,
    groups: chosen.groups.map((group) => ({ order: group.order, commands: group.text.split("\n").filter((line) => line.trim() !== "") })),
  };
  for (const { id } of FIELDS) job[id] = value(id);
  return job;
}

function writeScript() {
  const job = theJob();
  const problems = Job.problems(job);
  byId("script").textContent = Job.script(job);
  for (const place of document.querySelectorAll("[data-error]")) {
    // A field is told off when it was left, not while it is filled.
    const problem = problems.find(([option]) => option === place.dataset.error && touched.has(option));
    place.textContent = problem ? problem[1] : "";
    const input = place.parentElement.querySelector("input[aria-describedby], select[aria-describedby]");
    if (input && place.parentElement.classList.contains("field")) input.setAttribute("aria-invalid", String(Boolean(problem)));
  }
  byId("problems").replaceChildren(...(problems.length === 0
    ? [el("p", { class: "fine" }, "Ready: save it as job.sh, then run sbatch job.sh.")]
    : [el("p", {}, "Still to be done:"), el("ul", {}, ...problems.map(([, text]) => el("li", {}, text)))]));
  byId("copy-script").disabled = problems.length > 0;
  byId("download").disabled = problems.length > 0;
}

function download() {
  const url = URL.createObjectURL(new Blob([byId("script").textContent], { type: "text/x-shellscript" }));
  const link = el("a", { href: url, download: "job.sh" });
  link.click();
  URL.revokeObjectURL(url);
}
