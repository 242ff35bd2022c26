// The script of a Slurm batch job. src/catalog/job.rs says the same in Rust; the two give the same text, to the letter.
"use strict";
const Job = (function () {
  const MAIL_EVENTS = ["BEGIN", "END", "FAIL", "REQUEUE", "TIME_LIMIT", "TIME_LIMIT_90", "TIME_LIMIT_80", "TIME_LIMIT_50", "ARRAY_TASKS", "ALL"];
  const control = /[\u0000-\u001f\u007f-\u009f]/;
  const plain = /^[A-Za-z0-9_./%:@,+=-]*$/;

  const isText = (text) => !control.test(text);
  const isLine = (text) => text.trim() !== "" && !control.test(text.replace(/\t/g, ""));
  const isModule = (name) => isText(name) && !name.startsWith("-") && !/\s/.test(name);
  const isNames = (names) => names.split(",").every((name) => /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/.test(name));
  const isCount = (text) => /^[0-9]{1,9}$/.test(text) && /[1-9]/.test(text);
  const isMemory = (text) => isCount(text.replace(/[kmgtKMGT]$/, ""));
  const isAddress = (text) => /^[A-Za-z0-9._%+-]+@[A-Za-z0-9._%+-]+$/.test(text);

  function isNodes(text) {
    const at = text.indexOf("-");
    if (at < 0) return isCount(text);
    const least = text.slice(0, at);
    const most = text.slice(at + 1);
    return isCount(least) && isCount(most) && Number(least) <= Number(most);
  }

  function isTime(text) {
    const digits = (part) => /^[0-9]{1,6}$/.test(part);
    const below = (part, limit) => /^[0-9]{1,2}$/.test(part) && Number(part) < limit;
    const at = text.indexOf("-");
    const parts = text.slice(at + 1).split(":");
    const first = at < 0 ? digits(parts[0]) : digits(text.slice(0, at)) && below(parts[0], 24);
    const rest = parts.slice(1);
    return first && rest.length <= 2 && rest.every((part) => below(part, 60)) && /[1-9]/.test(text);
  }

  // Numbers and ranges (0-15, with steps 0-15:4), how many at a time behind %.
  function isArray(text) {
    const number = (part) => /^[0-9]{1,7}$/.test(part);
    const isTask = (task) => {
      const range = /^([0-9]+)-([0-9]+)(?::([0-9]+))?$/.exec(task);
      if (!range) return number(task);
      return number(range[1]) && number(range[2]) && Number(range[1]) <= Number(range[2]) && isCount(range[3] || "1");
    };
    const at = text.indexOf("%");
    return (at < 0 ? text : text.slice(0, at)).split(",").every(isTask) && (at < 0 || isCount(text.slice(at + 1)));
  }

  const kind = "[A-Za-z][A-Za-z0-9_.-]*";
  const isGpus = (text) => text.split(",").every((part) => {
    const found = new RegExp("^(?:" + kind + ":)?([0-9]+)$").exec(part);
    return found !== null && isCount(found[1]);
  });
  const isGres = (text) => text.split(",").every((resource) => {
    const found = new RegExp("^" + kind + "(?::" + kind + ")?(?::([0-9]+))?$").exec(resource);
    return found !== null && (found[1] === undefined || isCount(found[1]));
  });

  // What is wrong with a job: pairs of the option and a sentence.
  function problems(job) {
    const found = [];
    function check(option, value, isRight, hint) {
      if (value !== "" && !isRight(value)) found.push([option, "`" + value + "` is no " + hint]);
    }
    check("job-name", job.name, isText, "name of a job: it holds a sign that cannot be written");
    check("array", job.array, isArray, "list of tasks: 0-15, 1,3,5, 0-99%4 (four at a time)");
    check("output", job.output, isText, "name of a file");
    check("error", job.error, isText, "name of a file");
    check("partition", job.partition, isNames, "name of a partition");
    check("account", job.account, isNames, "name of an account");
    check("nodes", job.nodes, isNodes, "number of nodes: 2, or 2-4");
    check("ntasks", job.tasks, isCount, "number of tasks");
    check("cpus-per-task", job.cpus, isCount, "number of cores");
    check("gpus", job.gpus, isGpus, "number of GPUs: 2, a100:4");
    check("gres", job.gres, isGres, "list of resources: gpu:2");
    check("mem", job.mem, isMemory, "amount of memory: 500M, 16G");
    check("time", job.time, isTime, "time limit: 90 (minutes), 2:30:00, 1-12:00:00 (days-hours:minutes:seconds)");
    check("mail-user", job.mail_user, isAddress, "address of e-mail");
    for (const event of job.mail_events) check("mail-type", event, (e) => MAIL_EVENTS.includes(e), "event that e-mail is sent for");
    for (const module of job.modules) check("modules", module, isModule, "name of a module");
    for (const group of job.groups) for (const command of group.commands) check("command", command, isLine, "single line");
    if (job.mail_user !== "" && job.mail_events.length === 0) found.push(["mail-type", "nothing is chosen that e-mail is sent for"]);
    if (job.groups.every((group) => group.commands.length === 0)) found.push(["command", "there is no command to run"]);
    return found;
  }

  function forSbatch(value) {
    return plain.test(value) ? value : '"' + value.replace(/\\/g, "\\\\").replace(/"/g, '\\"') + '"';
  }

  function forBash(word) {
    return word !== "" && plain.test(word) ? word : "'" + word.replace(/'/g, "'\\''") + "'";
  }

  function groupText(group) {
    if (group.order === "sequence") return group.commands.map((command) => command + "\n").join("");
    let text = "# At the same time:\npids=()\n";
    for (const command of group.commands) text += "(\n  " + command + '\n) & pids+=("$!")\n';
    return text + 'status=0\nfor pid in "${pids[@]}"; do\n  wait "$pid" || status=$?\ndone\n(exit "$status")\n';
  }

  // The script; right where there are no problems.
  function script(job) {
    const options = [
      ["job-name", job.name], ["array", job.array], ["output", job.output], ["error", job.error], ["partition", job.partition],
      ["account", job.account], ["nodes", job.nodes], ["ntasks", job.tasks], ["cpus-per-task", job.cpus],
      ["gpus", job.gpus], ["gres", job.gres], ["mem", job.mem], ["time", job.time], ["mail-type", job.mail_events.join(",")], ["mail-user", job.mail_user],
    ];
    let text = "#!/bin/bash\n";
    for (const [option, value] of options) if (value !== "") text += "#SBATCH --" + option + "=" + forSbatch(value) + "\n";
    if (job.modules.length > 0) text += "\n";
    for (const module of job.modules) text += "module load " + forBash(module) + " || exit 1\n";
    job.groups.filter((group) => group.commands.length > 0).forEach((group, index) => {
      if (index === 0) text += "\n# The first command that fails ends the job.\nset -e\n";
      text += "\n" + groupText(group);
    });
    return text;
  }

  return { MAIL_EVENTS, problems, script };
})();
