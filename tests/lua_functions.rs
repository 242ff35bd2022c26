//! Every function of Lua modulefiles in every mode, here and in Lmod.
//!
//! `tests/lua/*.table` hold one small modulefile a row. Each is shown, explained, checked, loaded, refreshed and unloaded in
//! a real bash, by xmod and by Lmod 8.6.19, and read by both `spider`s; the user must have the same variables, aliases,
//! functions, completions and status after each step, and see the same report. Lines that begin with `--@` belong to the
//! row: see [`Row::parse`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::support::{Env, Peer, Site, XMOD, same_but_state};

/// What happens to each row, in one session. The steps in parentheses leave nothing behind.
const SESSION: &str = r#"
CMD=$1 OUT=$2 ROW=$3
m() { eval "$("$CMD" bash "$@" 2>"$OUT/err")"; }
dump() {
    echo "$2" >"$OUT/$1.status"; mv "$OUT/err" "$OUT/$1.err"
    env -0 >"$OUT/$1.env"
    { alias; complete -p; declare -f; } >"$OUT/$1.shell" 2>/dev/null
}
(m show case; dump show $?)
(m help case; dump help $?)
(m whatis case; dump whatis $?)
(m --check_syntax load case; dump check $?)
m load case; dump load $?
while read -r line <&3; do m $line; dump "${line//\//_}" $?; done 3<"$OUT/then"
(unalias -a; complete -r; m refresh; dump refresh $?)
m unload case; dump unload $?
"#;

/// The steps whose report is compared.
const REPORTS: [&str; 3] = ["show", "help", "whatis"];

/// One modulefile, and what is known of it.
#[derive(Default)]
struct Row {
    name: String,
    text: String,
    /// Further commands between load and refresh.
    then: Vec<String>,
    /// Steps that are not compared with Lmod 8.6.19: by step, why.
    differs: BTreeMap<String, String>,
    /// What must hold here, whatever Lmod does: step and statement.
    holds: Vec<(String, String)>,
    /// Variables of the user.
    vars: Vec<(String, String)>,
    /// The modulefile of the same name in the modulepath behind.
    below: String,
    /// Whether it is run in other shells than bash, too.
    in_shells: bool,
}

impl Row {
    /// `--@ then COMMAND`, `--@ below LUA`, `--@ shells`, `--@ var NAME=VALUE`, `--@ differs STEP[,STEP...]: WHY` (`all` for every step), and
    /// `--@ STEP STATEMENT`, where a statement is `NAME=VALUE`, `!NAME`, `fails`, `ok`, `shell TEXT`, `says TEXT` or
    /// `silent`.
    fn parse(name: &str, lines: &[&str]) -> Row {
        let mut row = Row {
            name: name.to_owned(),
            ..Row::default()
        };
        for line in lines {
            let Some(directive) = line.strip_prefix("--@ ") else {
                row.text.push_str(line);
                row.text.push('\n');
                continue;
            };
            let (word, rest) = directive.split_once(' ').unwrap_or((directive, ""));
            match word {
                "then" => row.then.push(rest.to_owned()),
                "below" => row.below = rest.to_owned(),
                "shells" => row.in_shells = true,
                "var" => {
                    let (name, value) = rest.split_once('=').expect("NAME=VALUE");
                    row.vars.push((name.to_owned(), value.to_owned()));
                }
                "differs" => {
                    let (steps, why) = rest.split_once(": ").expect("STEP: WHY");
                    for step in steps.split(',') {
                        row.differs.insert(step.to_owned(), why.to_owned());
                    }
                }
                _ => {
                    let step = word.replace('+', " ");
                    row.holds.push((step, rest.to_owned()));
                }
            }
        }
        row
    }

    fn steps(&self) -> Vec<&str> {
        let mut steps = vec!["show", "help", "whatis", "check", "load"];
        steps.extend(self.then.iter().map(String::as_str));
        steps.extend(["refresh", "unload"]);
        steps
    }

    fn is_compared(&self, step: &str) -> bool {
        !self.differs.contains_key(step) && !self.differs.contains_key("all")
    }
}

/// What the user has after a step.
#[derive(Default, Clone)]
struct After {
    status: String,
    env: Env,
    shell: String,
    said: String,
}

fn after(dir: &Path, step: &str) -> After {
    let read = |end: &str| {
        let file = format!("{}.{end}", step.replace('/', "_"));
        let bytes = std::fs::read(dir.join(file)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let own = ["_", "SHLVL", "PWD", "OLDPWD"];
    let env = read("env");
    let env = env.split('\0').filter_map(|entry| entry.split_once('='));
    After {
        status: read("status").trim().to_owned(),
        env: env
            .filter(|(name, _)| !own.contains(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        shell: read("shell"),
        said: read("err"),
    }
}

/// Runs the session of a row with one of the programs.
fn session(
    site: &Site,
    row: &Row,
    at: &Path,
    program: &str,
    out: &Path,
) -> BTreeMap<String, After> {
    std::fs::create_dir_all(out).unwrap();
    std::fs::write(out.join("then"), row.then.join("\n") + "\n").unwrap();
    let env = environment(site, row, at);
    let status = Command::new("timeout")
        .args(["60", "bash", "--noprofile", "--norc", "-c", SESSION, "bash"])
        .args([Path::new(program), out, at])
        .env_clear()
        .envs(&env)
        .current_dir(site.root())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    if !out.join("unload.status").exists() {
        let said = String::from_utf8_lossy(&status.stderr).into_owned();
        let stuck = After {
            status: format!("the session of {program} did not end"),
            said,
            ..After::default()
        };
        return row
            .steps()
            .into_iter()
            .map(|step| (step.to_owned(), stuck.clone()))
            .collect();
    }
    let steps = row.steps().into_iter();
    steps
        .map(|step| (step.to_owned(), after(out, step)))
        .collect()
}

/// The environment of the user of a row.
fn environment(site: &Site, row: &Row, at: &Path) -> Env {
    let mut env = site.env().clone();
    let common = site.root().join("common");
    let mut dirs = vec![at.to_owned(), common];
    if !row.below.is_empty() {
        dirs.insert(1, at.with_extension("below"));
    }
    let dirs: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    env.insert("MODULEPATH".into(), dirs.join(":"));
    env.insert("P".into(), "/one:/two".into());
    env.insert("KEPT".into(), "before".into());
    env.extend(row.vars.iter().cloned());
    env
}

/// Other shells: load and unload of a row, each followed by what the user then has.
const OTHER_SHELLS: [(&str, &[&str], &str); 3] = [
    (
        "tcsh",
        &["-f"],
        r#"
set CMD=$1 OUT=$2
foreach step (load unload)
    set noglob
    eval `$CMD tcsh $step case`
    echo $status > $OUT/$step.status
    unset noglob
    env -0 > $OUT/$step.env
    alias > $OUT/$step.shell
end
"#,
    ),
    (
        "zsh",
        &["-f"],
        r#"
CMD=$1 OUT=$2
dump() {
    echo "$2" >"$OUT/$1.status"
    env -0 >"$OUT/$1.env"
    { alias; functions; } >"$OUT/$1.shell"
}
for step in load unload; do
    eval "$("$CMD" zsh $step case 2>"$OUT/$step.err")"
    dump $step $?
done
"#,
    ),
    (
        "fish",
        &["--no-config"],
        r#"
set CMD $argv[1]
set OUT $argv[2]
for step in load unload
    true
    $CMD fish $step case 2>$OUT/$step.err | source
    echo $status >$OUT/$step.status
    env -0 >$OUT/$step.env
    for name in al tl
        functions -q $name; and echo $name
    end >$OUT/$step.shell
end
"#,
    ),
];

/// What is wrong with a row in another shell.
fn check_in_shell(
    site: &Site,
    row: &Row,
    at: &Path,
    (shell, options, script): (&str, &[&str], &str),
) -> Vec<String> {
    let work = site.root().join("work").join(at.file_name().unwrap());
    let session = |program: &str, name: &str| {
        let out = work.join(format!("{shell}-{name}"));
        std::fs::create_dir_all(&out).unwrap();
        let file = out.join("script");
        std::fs::write(&file, script).unwrap();
        let run = Command::new("timeout")
            .args(["60", shell])
            .args(options)
            .args([&file, Path::new(program), &out])
            .env_clear()
            .envs(environment(site, row, at))
            .current_dir(site.root())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        ["load", "unload"].map(|step| {
            let mut after = after(&out, step);
            after.said.push_str(&said);
            after
        })
    };
    let here = session(XMOD, "here");
    let compared = ["load", "unload"].map(|step| row.is_compared(&format!("{shell}-{step}")));
    let mut wrong = Vec::new();
    for (_, statement) in (row.holds.iter()).filter(|(step, _)| *step == format!("{shell}-load")) {
        wrong.extend(broken(statement, &here[0]).map(|w| format!("{shell}: load: {w}")));
    }
    if compared == [false, false] || row.differs.contains_key(shell) {
        return wrong;
    }
    let there = session(&Peer::Lmod.command(), "there");
    for (number, step) in ["load", "unload"].into_iter().enumerate() {
        let (a, b) = (&here[number], &there[number]);
        if !compared[number] {
            continue;
        }
        if a.status != b.status {
            wrong.push(format!(
                "{shell}: {step}: status {} instead of {}\n{}",
                a.status, b.status, a.said
            ));
        }
        let env = same_but_state(&a.env, &b.env);
        wrong.extend(
            env.into_iter()
                .map(|line| format!("{shell}: {step}: {line}")),
        );
        if a.shell != b.shell {
            wrong.push(format!(
                "{shell}: {step}:\n{}instead of\n{}",
                a.shell, b.shell
            ));
        }
    }
    wrong
}

/// The lines of a report that say something.
fn lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim_end).filter(|l| !l.is_empty());
    lines.map(str::to_owned).collect()
}

/// Whether a program found a mistake.
fn complains(said: &str) -> bool {
    [
        "error: ",
        "warning: ",
        "Lmod Warning: ",
        "Lmod has detected",
    ]
    .iter()
    .any(|word| said.contains(word))
}

/// What is wrong with a statement of a row; `None` where it holds.
fn broken(statement: &str, after: &After) -> Option<String> {
    let var = |name: &str| after.env.get(name).cloned();
    let holds = match statement.split_once(' ').unwrap_or((statement, "")) {
        ("fails", _) => after.status != "0",
        ("ok", _) => after.status == "0",
        ("silent", _) => after.said.trim().is_empty(),
        ("says", text) => after.said.contains(text),
        ("shell", text) => after.shell.contains(text),
        _ => match (statement.strip_prefix('!'), statement.split_once('=')) {
            (Some(name), _) => var(name).is_none(),
            (None, Some((name, value))) => var(name).as_deref() == Some(value),
            _ => panic!("`{statement}` is no statement"),
        },
    };
    (!holds).then(|| {
        let value = statement.split_once('=').map(|(name, _)| var(name));
        format!(
            "does not hold: {statement} (value {value:?}, status {}, said {:?})",
            after.status, after.said
        )
    })
}

/// What is wrong with a row.
fn check(site: &Site, row: &Row, at: &Path) -> Vec<String> {
    let work = site.root().join("work").join(at.file_name().unwrap());
    let here = session(site, row, at, XMOD, &work.join("here"));
    let there = row
        .steps()
        .iter()
        .any(|step| row.is_compared(step))
        .then(|| session(site, row, at, &Peer::Lmod.command(), &work.join("there")));
    let mut wrong = Vec::new();
    for step in row.steps() {
        let a = &here[step];
        for (_, statement) in row.holds.iter().filter(|(s, _)| s == step) {
            wrong.extend(broken(statement, a).map(|w| format!("{step}: {w}")));
        }
        let Some(there) = there.as_ref().filter(|_| row.is_compared(step)) else {
            continue;
        };
        let b = &there[step];
        // Where a file is broken, xmod says so whatever it is read for; Lmod passes over it for help and whatis.
        let broken = complains(&a.said) || complains(&b.said);
        if broken && ["help", "whatis"].contains(&step) {
            continue;
        }
        if a.status != b.status {
            wrong.push(format!(
                "{step}: status {} instead of {}\n{}",
                a.status, b.status, a.said
            ));
        }
        let env = same_but_state(&a.env, &b.env);
        wrong.extend(env.into_iter().map(|line| format!("{step}: {line}")));
        if a.shell != b.shell {
            wrong.push(format!("{step}:\n{}instead of\n{}", a.shell, b.shell));
        }
        // Without a help text xmod tells what the module is.
        let helpless = lines(&b.said)
            .last()
            .is_some_and(|line| line.contains("Module Specific Help"));
        if REPORTS.contains(&step) && !broken && !helpless && lines(&a.said) != lines(&b.said) {
            wrong.push(format!("{step}:\n{}\ninstead of\n{}", a.said, b.said));
        }
    }
    wrong
}

/// The rows of all tables, each with a directory of its own for `MODULEPATH`.
fn rows(site: &Site) -> Vec<(Row, PathBuf)> {
    let dir = crate::support::in_repo("tests/lua");
    let mut tables: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "table"))
        .collect();
    tables.sort();
    let mut rows = Vec::new();
    for table in tables {
        let text = std::fs::read_to_string(table).unwrap();
        for part in text.split("\n--== ").skip(1) {
            let lines: Vec<&str> = part.lines().collect();
            let row = Row::parse(lines[0], &lines[1..]);
            let at = site.root().join(format!("row{:03}", rows.len()));
            std::fs::create_dir_all(at.join("case")).unwrap();
            let text = row.text.replace("$SITE", site.root().to_str().unwrap());
            std::fs::write(at.join("case/1.0.lua"), text).unwrap();
            if !row.below.is_empty() {
                let below = at.with_extension("below").join("case");
                std::fs::create_dir_all(&below).unwrap();
                std::fs::write(below.join("1.0.lua"), &row.below).unwrap();
            }
            rows.push((row, at));
        }
    }
    rows
}

/// The site with the modules that rows load, want or clash with.
fn site() -> Site {
    let mut site = Site::new();
    for (name, text) in [
        ("dep/1.0", "setenv('DEP', '1.0')"),
        ("dep/2.0", "setenv('DEP', '2.0')"),
        ("other/1.0", "prepend_path('PATH', '/other') family('fam')"),
        ("clash/1.0", "conflict('case') setenv('CLASH', '1')"),
        ("needs/1.0", "depends_on('dep/1.0') setenv('NEEDS', '1')"),
        (
            "sh/1.0",
            "set_alias('shl', 'ls') set_shell_function('shf', 'echo 1', 'echo 1')",
        ),
    ] {
        site = site.raw(&format!("common/{name}.lua"), text.as_bytes());
    }
    site.raw(
        "setup.sh",
        b"export TOOL_HOME=$1\nexport PATH=/tool/bin:$PATH\nalias tl='tool list'\ntool_cd() { cd /tool; }\n",
    )
    .raw("more/extra/1.0.lua", b"setenv('EXTRA', '1')")
}

#[test]
fn every_function_acts_in_every_mode_as_in_lmod() {
    for_each_row(|_| true, check);
}

/// The functions that mean something of their own in each shell, in tcsh, zsh and fish.
#[test]
fn functions_about_shells_act_in_other_shells_as_in_lmod() {
    for_each_row(
        |row| row.in_shells,
        |site, row, at| {
            let shells = OTHER_SHELLS.into_iter();
            shells
                .flat_map(|shell| check_in_shell(site, row, at, shell))
                .collect()
        },
    );
}

/// Checks the rows that `wanted` chooses; all that is wrong is shown.
fn for_each_row(
    wanted: impl Fn(&Row) -> bool,
    check: impl Fn(&Site, &Row, &Path) -> Vec<String> + Sync,
) {
    let site = site();
    #[expect(clippy::disallowed_methods, reason = "tests have no session")]
    let only = std::env::var("XMOD_ROWS").unwrap_or_default();
    let rows: Vec<(Row, PathBuf)> = rows(&site)
        .into_iter()
        .filter(|(row, _)| row.name.contains(&only) && wanted(row))
        .collect();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((row, at)) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = check(&site, row, at);
                    if !found.is_empty() {
                        let text = format!("== {}\n{}  {}", row.name, row.text, found.join("\n  "));
                        wrong.lock().unwrap().insert(at.clone(), text);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    let texts: Vec<&str> = wrong.values().map(String::as_str).collect();
    println!("{} rows, {} differ", rows.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", texts.join("\n\n"));
}

/// What listings, searches and the catalog see of every row.
#[test]
fn every_function_is_read_by_spider_as_by_lmod() {
    const FIELDS: [&str; 13] = [
        "fullName",
        "Version",
        "Description",
        "Category",
        "URL",
        "whatis",
        "help",
        "family",
        "propT",
        "provides",
        "pathA",
        "lpathA",
        "hidden",
    ];
    let site = site();
    let rows = rows(&site);
    let rows: Vec<_> = rows
        .iter()
        .filter(|(row, _)| row.is_compared("spider"))
        .collect();
    let dirs: Vec<String> = rows
        .iter()
        .map(|(_, at)| at.display().to_string())
        .collect();
    let dirs = dirs.join(":");
    let ours = site.xmod(&["spider", "-o", "spider-json", &dirs]);
    let spider = Path::new(&Peer::Lmod.command()).with_file_name("spider");
    let theirs = Command::new(spider)
        .args(["-o", "spider-json", &dirs])
        .env_clear()
        .envs(site.env())
        .output()
        .unwrap();
    let ours: Value = serde_json::from_slice(&ours.stdout).unwrap();
    let theirs: Value = serde_json::from_slice(&theirs.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&theirs.stdout)));
    let mut wrong = Vec::new();
    for (row, at) in rows {
        let file = at.join("case/1.0.lua").display().to_string();
        let facts = |all: &Value| -> BTreeMap<&str, Value> {
            let about = &all["case"][&file];
            FIELDS.iter().map(|f| (*f, about[*f].clone())).collect()
        };
        let (a, b) = (facts(&ours), facts(&theirs));
        for field in FIELDS.iter().filter(|f| a[*f] != b[*f]) {
            wrong.push(format!(
                "{}: {field}: {} instead of {}",
                row.name, a[*field], b[*field]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every name that the specification lists is used by a row.
#[test]
fn every_name_of_the_sandbox_has_a_row() {
    const NAMES: &str = "load load_any try_load try_add mgrload unload always_load always_unload depends_on depends_on_any \
        atleast atmost between latest prepend_path append_path remove_path setenv pushenv unsetenv add_property \
        remove_property set_alias unset_alias set_shell_function unset_shell_function prereq prereq_any conflict family \
        inherit whatis help extensions source_sh complete uncomplete export_shell_function purge haveDynamicMPATH execute \
        LmodBreak LmodMsgRaw LmodError LmodMessage LmodVersion LmodWarning LmodSystemError convertToCanonical hierarchyA \
        isPending isloaded isAvail is_spider loaded_modules mode moduleStackTraceBack myConfig myFileName \
        myModuleFullName myModuleName myModuleUsrName myModuleUsrAndAliasName myModuleVersion myShellName myShellType \
        protected_getenv requireFullName userInGroup userInGroups colorize color_banner subprocess capture UUIDString \
        isDefined isNotDefined pathJoin isDir isFile mkdir_recursive dirname extname removeExt barefilename \
        splitFileName abspath realpath path_regularize Pkg \
        assert loadfile require ipairs next pairs pcall dofile loadstring tonumber tostring type unpack print string \
        table os io package math lfs posix _VERSION";
    let site = Site::new();
    let rows = rows(&site);
    let words: BTreeSet<&str> = rows
        .iter()
        .flat_map(|(row, _)| {
            row.text
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        })
        .collect();
    let missing: Vec<&str> = NAMES
        .split_whitespace()
        .filter(|name| !words.contains(name))
        .collect();
    assert!(missing.is_empty(), "no row uses {missing:?}");
}
