//! The script of a Slurm batch job: what the form of the catalog and `xmod sbatch` write, to the letter the same.
//!
//! `src/catalog/html/site/job.js` says the same in JavaScript; `tests/catalog/browser.py` compares the two.
//!
//! Source: `sbatch(1)`.

use std::fmt::Write;

/// A batch job. What is empty is left to Slurm.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// The tasks of an array of jobs: `0-15`, `1,3,5`, `0-99%4`.
    pub array: String,
    /// Where standard output goes; `%x` is the name, `%j` the number of the job.
    pub output: String,
    /// Where standard error goes; with standard output where it is empty.
    pub error: String,
    /// The partition, or several joined by commas.
    pub partition: String,
    /// Who pays.
    pub account: String,
    /// How many nodes: `2`, `2-4`.
    pub nodes: String,
    /// How many tasks.
    pub tasks: String,
    /// How many cores a task.
    pub cpus: String,
    /// GPUs of the job: `2`, `a100:4`.
    pub gpus: String,
    /// Other resources a node: `gpu:2`, `license:1`.
    pub gres: String,
    /// Memory a node: `16G`.
    pub mem: String,
    /// The time limit: `2:30:00`, `1-12`.
    pub time: String,
    /// What e-mail is sent for.
    pub mail_events: Vec<String>,
    /// Who gets the e-mail.
    pub mail_user: String,
    /// The modules to load, in this order.
    pub modules: Vec<String>,
    /// What is run.
    pub groups: Vec<Group>,
}

/// Commands that belong together.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// How they are run.
    pub order: Order,
    /// One line of bash each.
    pub commands: Vec<String>,
}

/// How the commands of a group are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// One after the other; the first that fails ends the job.
    Sequence,
    /// All at the same time; the job goes on when all have ended, and ends if one failed.
    Parallel,
}

/// What Slurm sends e-mail for.
pub const MAIL_EVENTS: &[&str] = &[
    "BEGIN",
    "END",
    "FAIL",
    "REQUEUE",
    "TIME_LIMIT",
    "TIME_LIMIT_90",
    "TIME_LIMIT_80",
    "TIME_LIMIT_50",
    "ARRAY_TASKS",
    "ALL",
];

impl Job {
    /// What is wrong with it: the option, and a sentence.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let mut check = |option, value: &str, is_right: fn(&str) -> bool, hint: &str| {
            if !value.is_empty() && !is_right(value) {
                problems.push((option, format!("`{value}` is no {hint}")));
            }
        };
        check(
            "job-name",
            &self.name,
            is_text,
            "name of a job: it holds a sign that cannot be written",
        );
        check(
            "array",
            &self.array,
            is_array,
            "list of tasks: 0-15, 1,3,5, 0-99%4 (four at a time)",
        );
        check("output", &self.output, is_text, "name of a file");
        check("error", &self.error, is_text, "name of a file");
        check(
            "partition",
            &self.partition,
            is_names,
            "name of a partition",
        );
        check("account", &self.account, is_names, "name of an account");
        check("nodes", &self.nodes, is_nodes, "number of nodes: 2, or 2-4");
        check("ntasks", &self.tasks, is_count, "number of tasks");
        check("cpus-per-task", &self.cpus, is_count, "number of cores");
        check("gpus", &self.gpus, is_gpus, "number of GPUs: 2, a100:4");
        check("gres", &self.gres, is_gres, "list of resources: gpu:2");
        check("mem", &self.mem, is_memory, "amount of memory: 500M, 16G");
        check(
            "time",
            &self.time,
            is_time,
            "time limit: 90 (minutes), 2:30:00, 1-12:00:00 (days-hours:minutes:seconds)",
        );
        check(
            "mail-user",
            &self.mail_user,
            is_address,
            "address of e-mail",
        );
        for event in &self.mail_events {
            check(
                "mail-type",
                event,
                |e| MAIL_EVENTS.contains(&e),
                "event that e-mail is sent for",
            );
        }
        for module in &self.modules {
            check("modules", module, is_module, "name of a module");
        }
        for command in self.groups.iter().flat_map(|group| &group.commands) {
            check("command", command, is_line, "single line");
        }
        if !self.mail_user.is_empty() && self.mail_events.is_empty() {
            problems.push((
                "mail-type",
                "nothing is chosen that e-mail is sent for".to_owned(),
            ));
        }
        if self.groups.iter().all(|group| group.commands.is_empty()) {
            problems.push(("command", "there is no command to run".to_owned()));
        }
        problems
    }

    /// The script. It is right where there are no [`problems`](Job::problems).
    pub fn script(&self) -> String {
        let mut text = String::from("#!/bin/bash\n");
        let mail = self.mail_events.join(",");
        let options = [
            ("job-name", &self.name),
            ("array", &self.array),
            ("output", &self.output),
            ("error", &self.error),
            ("partition", &self.partition),
            ("account", &self.account),
            ("nodes", &self.nodes),
            ("ntasks", &self.tasks),
            ("cpus-per-task", &self.cpus),
            ("gpus", &self.gpus),
            ("gres", &self.gres),
            ("mem", &self.mem),
            ("time", &self.time),
            ("mail-type", &mail),
            ("mail-user", &self.mail_user),
        ];
        for (option, value) in options {
            if !value.is_empty() {
                let _ = writeln!(text, "#SBATCH --{option}={}", for_sbatch(value));
            }
        }
        if !self.modules.is_empty() {
            text.push('\n');
        }
        for module in &self.modules {
            let _ = writeln!(text, "module load {} || exit 1", for_bash(module));
        }
        for (index, group) in self
            .groups
            .iter()
            .filter(|g| !g.commands.is_empty())
            .enumerate()
        {
            if index == 0 {
                text.push_str("\n# The first command that fails ends the job.\nset -e\n");
            }
            text.push('\n');
            group.write(&mut text);
        }
        text
    }
}

impl Group {
    fn write(&self, text: &mut String) {
        match self.order {
            Order::Sequence => {
                for command in &self.commands {
                    text.push_str(command);
                    text.push('\n');
                }
            }
            Order::Parallel => {
                text.push_str("# At the same time:\npids=()\n");
                for command in &self.commands {
                    let _ = write!(text, "(\n  {command}\n) & pids+=(\"$!\")\n");
                }
                text.push_str(
                    "status=0\nfor pid in \"${pids[@]}\"; do\n  wait \"$pid\" || status=$?\ndone\n(exit \"$status\")\n",
                );
            }
        }
    }
}

/// Words of a command line as one line of bash.
pub fn command_line(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| for_bash(word)).collect();
    words.join(" ")
}

/// A value as `sbatch` reads it in a line of a script: what is not plain stands in double quotes.
fn for_sbatch(value: &str) -> String {
    if value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_./%:@,+=-".contains(c))
    {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A word of bash.
fn for_bash(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./%:@,+=-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn is_text(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(|c| c.is_control() && c != '\t')
}

fn is_module(name: &str) -> bool {
    is_text(name) && !name.starts_with('-') && !name.contains(char::is_whitespace)
}

fn is_names(names: &str) -> bool {
    names.split(',').all(|name| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
            && !name.starts_with('-')
    })
}

/// A number from 1 on, without a sign.
fn is_count(text: &str) -> bool {
    text.len() < 10 && text.bytes().all(|b| b.is_ascii_digit()) && text.bytes().any(|b| b != b'0')
}

fn is_nodes(text: &str) -> bool {
    match text.split_once('-') {
        Some((least, most)) => {
            let number = |text: &str| text.parse::<u64>().ok();
            is_count(least) && is_count(most) && number(least) <= number(most)
        }
        None => is_count(text),
    }
}

/// Numbers and ranges (`0-15`, with steps `0-15:4`), how many at a time behind `%`.
fn is_array(text: &str) -> bool {
    let digits = |text: &str| text.len() < 8 && text.bytes().all(|b| b.is_ascii_digit());
    let number = |text: &str| text.parse::<u32>().ok().filter(|_| digits(text));
    let is_task = |text: &str| {
        let (range, step) = text.split_once(':').unwrap_or((text, "1"));
        match range.split_once('-') {
            Some((first, last)) => {
                is_count(step) && number(first).is_some() && number(first) <= number(last)
            }
            None => number(text).is_some(),
        }
    };
    let (tasks, at_once) = text.split_once('%').unwrap_or((text, "1"));
    tasks.split(',').all(is_task) && is_count(at_once)
}

/// A word of letters, digits and `_.-` that begins with a letter.
fn is_kind(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
}

/// A number, or numbers for kinds: `2`, `a100:4,v100:1`.
fn is_gpus(text: &str) -> bool {
    text.split(',').all(|part| match part.split_once(':') {
        Some((kind, count)) => is_kind(kind) && is_count(count),
        None => is_count(part),
    })
}

/// Resources with their kinds and numbers: `gpu`, `gpu:2`, `gpu:a100:2`.
fn is_gres(text: &str) -> bool {
    text.split(',').all(|resource| {
        let parts: Vec<&str> = resource.split(':').collect();
        match parts.as_slice() {
            [name] => is_kind(name),
            [name, last] => is_kind(name) && (is_kind(last) || is_count(last)),
            [name, kind, count] => is_kind(name) && is_kind(kind) && is_count(count),
            _ => false,
        }
    })
}

fn is_memory(text: &str) -> bool {
    let number = text
        .strip_suffix(|c: char| "kmgtKMGT".contains(c))
        .unwrap_or(text);
    is_count(number)
}

/// `minutes`, `minutes:seconds`, `hours:minutes:seconds`, `days-hours`, `days-hours:minutes`, `days-hours:minutes:seconds`.
fn is_time(text: &str) -> bool {
    let digits =
        |text: &str| !text.is_empty() && text.len() < 7 && text.bytes().all(|b| b.is_ascii_digit());
    let below = |text: &str, limit: u32| {
        digits(text) && text.len() <= 2 && text.parse::<u32>().is_ok_and(|n| n < limit)
    };
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (Some(days), rest),
        None => (None, text),
    };
    let parts: Vec<&str> = rest.split(':').collect();
    let is_right = match (days, parts.as_slice()) {
        (Some(days), [hours, rest @ ..]) if rest.len() <= 2 => {
            digits(days) && below(hours, 24) && rest.iter().all(|part| below(part, 60))
        }
        (None, [first, rest @ ..]) if rest.len() <= 2 => {
            digits(first) && rest.iter().all(|part| below(part, 60))
        }
        _ => false,
    };
    is_right && text.bytes().any(|b| (b'1'..=b'9').contains(&b))
}

fn is_address(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._%+-".contains(c))
    };
    text.split_once('@')
        .is_some_and(|(who, host)| is_part(who) && is_part(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_script_says_all_that_was_chosen() {
        let job = Job {
            name: "align it".into(),
            output: "%x-%j.out".into(),
            partition: "short".into(),
            time: "2:30:00".into(),
            mail_events: words(&["END", "FAIL"]),
            mail_user: "ada@example.org".into(),
            modules: words(&["gcc/13.2.0", "odd name"]),
            groups: vec![
                Group {
                    order: Order::Sequence,
                    commands: words(&["bwa index ref.fa"]),
                },
                Group {
                    order: Order::Parallel,
                    commands: words(&["one # first", "two"]),
                },
            ],
            ..Job::default()
        };
        assert_eq!(
            job.script(),
            "#!/bin/bash\n#SBATCH --job-name=\"align it\"\n#SBATCH --output=%x-%j.out\n#SBATCH --partition=short\n\
             #SBATCH --time=2:30:00\n#SBATCH --mail-type=END,FAIL\n#SBATCH --mail-user=ada@example.org\n\n\
             module load gcc/13.2.0 || exit 1\nmodule load 'odd name' || exit 1\n\n\
             # The first command that fails ends the job.\nset -e\n\nbwa index ref.fa\n\n\
             # At the same time:\npids=()\n(\n  one # first\n) & pids+=(\"$!\")\n(\n  two\n) & pids+=(\"$!\")\nstatus=0\n\
             for pid in \"${pids[@]}\"; do\n  wait \"$pid\" || status=$?\ndone\n(exit \"$status\")\n"
        );
    }

    #[test]
    fn values_that_slurm_would_refuse_are_problems() {
        for right in [
            "90",
            "90:00",
            "2:30:00",
            "1-0",
            "1-12",
            "1-12:30",
            "1-12:30:15",
            "0:30",
        ] {
            assert!(is_time(right), "{right}");
        }
        for wrong in [
            "",
            "0",
            "0:00",
            "2h",
            "1:60",
            "1-24",
            "1-2:3:4:5",
            "-1",
            "1:2:3:4",
            "1-",
            "x",
            " 1",
            "1:234",
        ] {
            assert!(!is_time(wrong), "{wrong}");
        }
        assert!(
            is_memory("16G")
                && is_memory("500")
                && !is_memory("16 G")
                && !is_memory("0")
                && !is_memory("GG")
        );
        for right in ["0", "0-15", "1,3,5", "0-15:4", "0-99%4", "7-7", "1-3,9%2"] {
            assert!(is_array(right), "{right}");
        }
        for wrong in [
            "", "a", "5-1", "1-", "-1", "1,,2", "1:2", "0-5:0", "1%0", "1%2%3", "99999999",
        ] {
            assert!(!is_array(wrong), "{wrong}");
        }
        assert!(is_gpus("2") && is_gpus("a100:4") && is_gpus("a100:4,v100:1"));
        assert!(!is_gpus("0") && !is_gpus("a100:") && !is_gpus("4:a100") && !is_gpus("two"));
        assert!(is_gres("gpu") && is_gres("gpu:2") && is_gres("gpu:a100:2,license:1"));
        assert!(!is_gres("gpu:0") && !is_gres(":2") && !is_gres("a:b:c") && !is_gres("gpu;x"));
        assert!(
            is_nodes("2")
                && is_nodes("2-4")
                && !is_nodes("4-2")
                && !is_nodes("0")
                && !is_nodes("1-2-3")
        );
        assert!(
            is_address("ada@example.org")
                && !is_address("ada")
                && !is_address("a b@c")
                && !is_address("a@b\n")
        );
        assert!(is_names("short,long") && !is_names("a;b") && !is_names("a,") && !is_names("-x"));
        assert!(!is_module("-gcc") && !is_module("a b") && is_module("gcc/13"));
    }

    #[test]
    fn a_job_without_a_command_and_a_line_break_in_one_are_problems() {
        let mut job = Job::default();
        assert_eq!(
            job.problems(),
            [("command", "there is no command to run".to_owned())]
        );
        job.groups = vec![Group {
            order: Order::Sequence,
            commands: words(&["a\nb"]),
        }];
        assert_eq!(job.problems()[0].0, "command");
        job.groups[0].commands = words(&["a"]);
        assert_eq!(job.problems(), []);
    }

    #[test]
    fn words_become_a_line_that_bash_splits_again() {
        assert_eq!(
            command_line(&words(&["echo", "a b", "it's", ""])),
            "echo 'a b' 'it'\\''s' ''"
        );
    }
}
