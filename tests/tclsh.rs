//! The Tcl interpreter as a plain shell: `tests/tcl/*.test` run by xmod, and by the real `tclsh` where there is one.
//!
//! Each file prints one result per case; what tclsh 8.6 prints is kept beside it in a file of the same name ending in
//! `.out`. `XMOD_TCL_BLESS=1` writes these files again, from tclsh.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Peer, XMOD, in_repo};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tcl")
}

fn cases() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "test"))
        .collect();
    files.sort();
    assert!(files.len() >= 6, "the case files are gone");
    files
}

/// What a shell prints for a file of cases.
fn run(mut shell: Command, file: &Path) -> Vec<u8> {
    let output = shell
        .arg(file)
        .env_clear()
        .envs([
            ("PATH", "/usr/bin:/bin"),
            ("HOME", "/"),
            ("TZ", "UTC"),
            ("LC_ALL", "C.UTF-8"),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{} did not run to its end: {errors}",
        file.display()
    );
    output.stdout
}

fn xmod() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xmod"));
    command.arg("tclsh");
    command
}

fn tclsh() -> Option<Command> {
    let probe = Command::new("tclsh8.6").stdin(Stdio::null()).output();
    if probe.is_err() {
        eprintln!("skipped: no tclsh8.6");
        return None;
    }
    Some(Command::new("tclsh8.6"))
}

/// The first lines that differ, for the message of a failing test.
fn difference(ours: &[u8], wanted: &[u8]) -> String {
    let lines = |text: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(text);
        text.lines().map(str::to_owned).collect()
    };
    let (ours, wanted) = (lines(ours), lines(wanted));
    let differing: Vec<String> = (0..ours.len().max(wanted.len()))
        .filter(|&at| ours.get(at) != wanted.get(at))
        .take(10)
        .map(|at| {
            format!(
                "line {}\n  ours   {:?}\n  wanted {:?}",
                at + 1,
                ours.get(at),
                wanted.get(at)
            )
        })
        .collect();
    differing.join("\n")
}

#[test]
fn every_case_gives_what_tclsh_gave() {
    let mut failures = BTreeMap::new();
    let mut count = 0;
    for file in cases() {
        let wanted = std::fs::read(file.with_extension("out")).unwrap();
        let ours = run(xmod(), &file);
        count += wanted.iter().filter(|&&b| b == b'\n').count();
        if ours != wanted {
            failures.insert(file.clone(), difference(&ours, &wanted));
        }
    }
    for (file, text) in &failures {
        eprintln!("{}:\n{text}", file.display());
    }
    assert!(failures.is_empty(), "{} files differ", failures.len());
    assert!(count >= 1500, "only {count} cases");
}

#[test]
fn the_kept_answers_are_those_of_tclsh() {
    let Some(_) = tclsh() else { return };
    let bless = std::process::Command::new("printenv")
        .arg("XMOD_TCL_BLESS")
        .output()
        .is_ok_and(|output| output.status.success());
    for file in cases() {
        let theirs = run(tclsh().unwrap(), &file);
        let kept = file.with_extension("out");
        if bless {
            std::fs::write(&kept, &theirs).unwrap();
        }
        let wanted = std::fs::read(&kept).unwrap();
        assert!(
            theirs == wanted,
            "{}: {}",
            kept.display(),
            difference(&theirs, &wanted)
        );
    }
}

/// Runs a script text: status, standard output, standard error.
fn script(text: &[u8], args: &[&str]) -> (Option<i32>, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("script.tcl");
    std::fs::write(&file, text).unwrap();
    let output = xmod()
        .arg(&file)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text =
        |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&*file.to_string_lossy(), "FILE");
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn an_uncaught_error_prints_its_trace_and_exits_with_1() {
    let (status, stdout, stderr) = script(
        b"puts before\nproc f {} {\n  error boom\n}\nf\nputs after\n",
        &[],
    );
    assert_eq!((status, &*stdout), (Some(1), "before\n"));
    let trace = "boom\n    while executing\n\"error boom\"\n    (procedure \"f\" line 2)\n    invoked from within\n\"f\"\n    (file \"FILE\" line 5)\n";
    assert_eq!(stderr, trace);
}

#[test]
fn arguments_and_exit_status_are_those_of_tclsh() {
    let (status, stdout, _) = script(b"puts $argc,$argv; exit 7", &["a", "b c"]);
    assert_eq!((status, &*stdout), (Some(7), "2,a {b c}\n"));
}

#[test]
fn a_broken_body_that_is_never_called_does_no_harm() {
    let (status, stdout, _) = script(b"proc broken {} {\n  set x {a}b\n}\nputs fine\n", &[]);
    assert_eq!((status, &*stdout), (Some(0), "fine\n"));
}

#[test]
fn commands_before_a_syntax_error_are_run() {
    let (status, stdout, stderr) = script(b"puts first\nset x {a}b\nputs never\n", &[]);
    assert_eq!((status, &*stdout), (Some(1), "first\n"));
    assert!(
        stderr.starts_with("extra characters after close-brace"),
        "{stderr}"
    );
}

#[test]
fn a_wait_that_nothing_can_end_is_an_error() {
    let text =
        b"set log {}; lappend log [catch {vwait forever} text] $text [trace info variable forever]
        lassign [chan pipe] in out; fileevent $in readable {set x 1}; close $in
        lappend log [catch {vwait forever} text] $text; puts $log";
    let (status, stdout, stderr) = script(text, &[]);
    let told = "{can't wait for variable \"forever\": would wait forever}";
    assert_eq!(
        (status, &*stdout, &*stderr),
        (Some(0), &*format!("1 {told} {{}} 1 {told}\n"), "")
    );
}

#[test]
fn an_error_that_nobody_waits_for_is_written_to_standard_error() {
    let (status, _, stderr) = script(b"after 0 {error late}; update; exit 3", &[]);
    let trace = "late\n    while executing\n\"error late\"\n    (\"after\" script)\n";
    assert_eq!((status, &*stderr), (Some(3), trace));
}

#[test]
fn packages_come_from_xmod_then_from_the_systems_tcl() {
    let text = b"puts [package require platform]; puts [platform::generic]
        puts [lrange [platform::patterns linux-glibc2.1-x86_64] 0 end]
        puts [regexp {^linux-glibc[0-9.]+-[^-]+$} [platform::identify]]
        puts [package require opt]; puts [catch {interp eval [interp create -safe] {package require opt}}]";
    let (status, stdout, stderr) = script(text, &[]);
    let machine = std::env::consts::ARCH;
    let wanted = format!(
        "1.0.19\nlinux-{machine}\nlinux-glibc2.1-x86_64 linux-glibc2.0-x86_64 tcl\n1\n0.4.8\n1\n"
    );
    assert_eq!((status, &*stdout, &*stderr), (Some(0), &*wanted, ""));
}

/// Requests to Environment Modules, itself a Tcl program of twenty thousand lines, run by an interpreter; gives what is said
/// and the environment at the end.
fn environment_modules(interpreter: &str) -> (String, String) {
    let start = std::fs::read_to_string(Peer::Modules.command()).unwrap();
    let program = start.split('"').nth(1).unwrap();
    let requests = [
        "load compiler/13 base",
        "load app",
        "list",
        "-t avail",
        "avail -d comp",
        "swap compiler/14",
        "show leaf",
        "whatis",
        "save kept",
        "purge",
        "restore kept",
        "load nosuch",
        "unload app",
        "saveshow kept",
        "config",
        "help",
        "--version",
    ];
    let session: String = requests
        .iter()
        .map(|request| format!("eval \"$({interpreter} '{program}' bash {request})\"\n"))
        .collect();
    let home = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .args(["-c", &format!("{session}env | sort")])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", home.path())
        .env("MODULEPATH", in_repo("modulefiles/twins/tcl/Core"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).replace(&*home.path().to_string_lossy(), "HOME")
    };
    (text(&output.stderr), text(&output.stdout))
}

#[test]
fn environment_modules_runs_as_in_tclsh() {
    let ours = environment_modules(&format!("{XMOD} tclsh"));
    assert_eq!(ours, environment_modules("tclsh8.6"));
    assert!(
        ours.1.contains("LOADEDMODULES=base/1.0:compiler/14"),
        "{}",
        ours.1
    );
}

#[test]
fn an_index_file_may_name_more_directories() {
    let dir = tempfile::tempdir().unwrap();
    let lib = dir.path().join("lib");
    std::fs::create_dir_all(lib.join("collection/part")).unwrap();
    let write = |file: &str, text: &str| std::fs::write(lib.join(file), text).unwrap();
    write("collection/pkgIndex.tcl", "lappend ::auto_path $dir");
    write(
        "collection/part/pkgIndex.tcl",
        "package ifneeded part 1.5 {package provide part 1.5}",
    );
    let text = format!(
        "lappend auto_path {}; puts [package require part]",
        lib.display()
    );
    assert_eq!(script(text.as_bytes(), &[]).1, "1.5\n");
}

#[test]
fn a_script_does_not_wait_for_itself_at_its_end() {
    // What a channel that may not block still holds is given up; nobody else could ever read it.
    let text = b"lassign [chan pipe] in out; fconfigure $out -blocking 0
        puts -nonewline $out [string repeat x 200000]; flush $out
        lassign [chan pipe] in2 out2; fconfigure $out2 -blocking 0
        puts -nonewline $out2 [string repeat y 200000]; close $out2
        set n 0; fileevent $in2 readable {incr n [string length [read $in2 8192]]; if {[eof $in2]} {set done 1}}
        vwait done; puts $n";
    let (status, stdout, stderr) = script(text, &[]);
    assert_eq!((status, &*stdout, &*stderr), (Some(0), "200000\n", ""));
}

#[test]
fn a_tcl_script_has_no_words_of_languages_and_one_system_encoding() {
    let text = b"puts [clock format 0 -gmt 1 -locale de -format {%A %B}]
        encoding system iso8859-1; puts [encoding system]
        foreach name {iso2022 iso2022-kr jis0201 jis0212 gb12345 gb1988 cns11643 ebcdic symbol dingbats macDingbats} {
            if {![catch {encoding convertto $name a}]} {puts $name}
        }
        puts [llength [encoding names]]";
    let (status, stdout, stderr) = script(text, &[]);
    let wanted = "Thursday January\nutf-8\n70\n";
    assert_eq!((status, &*stdout, &*stderr), (Some(0), wanted, ""));
}

#[test]
fn lines_reach_whoever_reads_them_at_once() {
    use std::io::{BufRead, BufReader, Write};
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("script.tcl");
    // The script neither reads nor waits: nothing but `puts` sends its lines on their way.
    std::fs::write(
        &file,
        "puts ready; while {![file exists go]} {incr i}; puts gone",
    )
    .unwrap();
    let mut child = xmod()
        .arg(&file)
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    std::fs::File::create(dir.path().join("go"))
        .unwrap()
        .write_all(b"x")
        .unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "gone");
    assert!(child.wait().unwrap().success());
}

#[test]
fn bytes_that_are_not_utf8_come_out_as_they_went_in() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("script.tcl");
    std::fs::write(
        &file,
        b"set x caf\xe9; puts [string length $x]; puts $x$env(BYTES)",
    )
    .unwrap();
    let output = xmod()
        .arg(&file)
        .env(
            "BYTES",
            std::os::unix::ffi::OsStrExt::from_bytes(b"\xff\xfe") as &std::ffi::OsStr,
        )
        .output()
        .unwrap();
    assert_eq!(output.stdout, b"4\ncaf\xe9\xff\xfe\n");
}

#[test]
fn endless_recursion_is_an_error_and_deep_values_do_no_harm() {
    for text in [
        "proc f {} {f}; puts [catch f m]; puts $m",
        "proc f {} {eval {if 1 {f}}}; puts [catch f m]; puts $m",
        "proc f {} {expr {[f] + 1}}; puts [catch f m]; puts $m",
    ] {
        let (status, stdout, stderr) = script(text.as_bytes(), &[]);
        assert_eq!(
            (status, &*stdout),
            (Some(0), "1\ntoo many nested evaluations (infinite loop?)\n"),
            "{text}: {stderr}"
        );
    }
    let deep = "set x a; for {set i 0} {$i < 20000} {incr i} {set x [list $x]}; puts [llength $x]; unset x; puts gone";
    assert_eq!(script(deep.as_bytes(), &[]).1, "1\ngone\n");
    for open in ["[", "(", "{", "\"[", "$a(", "[expr {("] {
        let text = format!("puts [catch {{expr {}}} m]", open.repeat(20_000));
        assert!(
            script(text.as_bytes(), &[]).0.is_some(),
            "{open} brought it down"
        );
    }
}

#[test]
fn a_script_on_standard_input_and_one_that_starts_its_own_shell() {
    let inner = r#"puts [exec [info nameofexecutable] << {puts "inner [expr {6 * 7}]"}]"#;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("outer.tcl");
    std::fs::write(&file, inner).unwrap();
    let output = xmod()
        .stdin(std::fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "inner 42\n");
    assert_eq!(script(inner.as_bytes(), &[]).1, "inner 42\n");
}

#[test]
fn commands_on_standard_input_run_one_by_one_and_answers_come_at_once() {
    let input = "puts one\nerror oops\nputs [gets stdin]\nnext line\nset a {\n2\n}\nputs [string trim $a]\nputs \"open";
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("input.tcl");
    std::fs::write(&file, input).unwrap();
    let output = xmod()
        .stdin(std::fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "one\nnext line\n2\n"
    );
    assert_eq!(String::from_utf8_lossy(&output.stderr), "oops\n");
    assert_eq!(output.status.code(), Some(0));
    // A program that talks to such a shell gets each answer before it says the next word.
    let talk = r#"
        set shell [open |[list [info nameofexecutable]] r+]
        foreach word {first second} {
            puts $shell [list puts $word]
            puts $shell {gets stdin line}
            puts $shell x
            flush $shell
            puts [gets $shell]
        }
        close $shell
    "#;
    assert_eq!(script(talk.as_bytes(), &[]).1, "first\nsecond\n");
}

/// A small generator with a fixed beginning: the same cases in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % limit
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// A text over the characters that matter to lists and words.
fn text(random: &mut Random, pieces: &[&str]) -> String {
    let length = random.below(9);
    (0..length).map(|_| random.pick(pieces)).collect()
}

/// An expression of bounded depth.
fn expression(random: &mut Random, depth: usize) -> String {
    const LEAVES: &[&str] = &[
        "0",
        "1",
        "-1",
        "7",
        "08",
        "010",
        "0x1f",
        "1e3",
        ".5",
        "2.5",
        "\"abc\"",
        "{x}",
        "true",
        "\"\"",
        "\" 3 \"",
        "9223372036854775807",
        "1e308",
        "abc",
        "$v",
        "[set v]",
    ];
    const OPERATORS: &[&str] = &[
        "+", "-", "*", "/", "%", "<", ">", "<=", ">=", "==", "!=", "eq", "ne", "&&", "||", "&",
        "|", "^", "in", "ni",
    ];
    if depth == 0 || random.below(4) == 0 {
        return random.pick(LEAVES).to_owned();
    }
    let part = |random: &mut Random| expression(random, depth - 1);
    match random.below(8) {
        0 => format!("({})", part(random)),
        1 => format!("{}{}", random.pick(&["-", "+", "!", "~"]), part(random)),
        2 => {
            // Canonical numbers only: Tcl leaves the others as they are after some operators and not after others.
            let condition = part(random);
            let mut branch = || random.pick(&["0", "7", "2.5", "\"abc\"", "$v"]);
            let (then, otherwise) = (branch(), branch());
            format!("{condition} ? {then} : {otherwise}")
        }
        3 => {
            let name = random.pick(&[
                "abs", "int", "double", "round", "max", "min", "bool", "entier",
            ]);
            format!("{name}({})", part(random))
        }
        4 => format!("{}{}{}", part(random), random.pick(OPERATORS), part(random)),
        _ => format!(
            "{} {} {}",
            part(random),
            random.pick(OPERATORS),
            part(random)
        ),
    }
}

/// A conversion of `format` with random flags, width, precision and size, and a value for it.
fn conversion(random: &mut Random) -> (String, &'static str) {
    let mut spec = String::from("<%");
    for flag in ["-", "+", " ", "0", "#"] {
        if random.below(4) == 0 {
            spec.push_str(flag);
        }
    }
    spec.push_str(random.pick(&["", "", "1", "5", "12"]));
    spec.push_str(random.pick(&["", "", ".0", ".1", ".3", ".9"]));
    spec.push_str(random.pick(&["", "", "", "h", "l", "ll"]));
    spec.push_str(random.pick(&[
        "d", "i", "u", "o", "x", "X", "b", "s", "e", "E", "f", "g", "G", "%",
    ]));
    spec.push('>');
    const VALUES: &[&str] = &[
        "0",
        "1",
        "-1",
        "7",
        "255",
        "-256",
        "65",
        "32767",
        "40000",
        "-40000",
        "2147483648",
        "1099511627776",
        "08",
        "0x1f",
        "0b101",
        "1.0",
        "0.5",
        "2.5",
        "-0.0",
        "123456.789",
        "1e10",
        "1e-10",
        "abc",
        "\u{e9}t\u{e9}",
    ];
    (spec, VALUES[random.below(VALUES.len())])
}

/// A regular expression over three letters, of bounded depth.
fn pattern(random: &mut Random, depth: usize) -> String {
    if depth == 0 {
        return random
            .pick(&["a", "b", "c", ".", "[ab]", "[^a]", "x*", "^", "$"])
            .to_owned();
    }
    let part = |random: &mut Random| pattern(random, depth - 1);
    match random.below(8) {
        0 => format!("({})", part(random)),
        1 => format!("(?:{}|{})", part(random), part(random)),
        2 => format!("({}|{})", part(random), part(random)),
        3 => {
            let repeat = random.pick(&["*", "+", "?", "*?", "+?", "??", "{1,2}", "{2}"]);
            format!("(?:{}){repeat}", part(random))
        }
        4 => format!("(?={})", part(random)),
        _ => format!("{}{}", part(random), part(random)),
    }
}

/// A moment in seconds, and a time zone as options of `clock`.
fn moment(random: &mut Random) -> (i64, &'static str) {
    const SECONDS_OF_400_YEARS: usize = 12_622_780_800;
    let seconds = match random.below(4) {
        // Where most of what is asked lies, and a change of summer time to each side of it.
        0 => 1_700_000_000 + random.below(40_000_000) as i64,
        1 => random.below(4_000_000_000) as i64,
        2 => random.below(SECONDS_OF_400_YEARS) as i64 - 6_000_000_000,
        _ => random.below(86_400 * 3) as i64 - 86_400,
    };
    let zone = random.pick(&[
        "-gmt 1",
        "-timezone :UTC",
        "-timezone :Europe/Berlin",
        "-timezone :America/New_York",
        "-timezone :Asia/Kolkata",
        "-timezone :Australia/Lord_Howe",
        "-timezone :America/St_Johns",
        "-timezone +0530",
        "-timezone -1130",
        "-timezone EST5EDT",
    ]);
    (seconds, zone)
}

/// What is asked of `clock`: commands that `t` of the harness runs.
fn clock(random: &mut Random) -> String {
    const GROUPS: &[&str] = &[
        "%a", "%A", "%b", "%B", "%C", "%d", "%D", "%e", "%g", "%G", "%h", "%H", "%I", "%j", "%J",
        "%k", "%l", "%m", "%M", "%N", "%p", "%P", "%r", "%R", "%s", "%S", "%T", "%u", "%U", "%V",
        "%w", "%W", "%x", "%X", "%y", "%Y", "%z", "%Z", "%%", "%c", "%Ey", "%Od", "%t", "%n", "%+",
        "%EC", "%Q", "x", " ",
    ];
    const SCANNED: &[&str] = &[
        "%Y-%m-%d %H:%M:%S",
        "%d %b %Y %I:%M:%S %p",
        "%D %T",
        "%s",
        "%Y %j %H %M",
        "%G-W%V-%u %k:%M",
        "%e %B %C%y %R",
        "%Y%m%dT%H%M%S %z",
        "%a %b %d %T %Y",
        "%J %H:%M",
        "%c",
        "%x %X",
    ];
    const WORDS: &[&str] = &[
        "tomorrow",
        "yesterday",
        "now",
        "next monday",
        "last friday",
        "2 weeks ago",
        "3 months",
        "-5 days",
        "next year",
        "noon",
        "12:30 pm",
        "1999-05-04",
        "5/4/1999 13:00",
        "Feb 29 2000",
        "4 July 2012 10:15:20",
        "19990504T101520",
        "next fortnight",
        "monday",
        "10:00 EST",
        "last day of month",
        "31 February 2001",
        "25:00",
    ];
    const UNITS: &[&str] = &[
        "seconds", "minutes", "hours", "days", "weeks", "months", "years", "day", "month",
        "weekdays",
    ];
    let (seconds, zone) = moment(random);
    let format = text(random, GROUPS);
    let scanned = random.pick(SCANNED);
    let words = random.pick(WORDS);
    let (count, unit) = (random.below(60) as i64 - 30, random.pick(UNITS));
    let (more, other) = (random.below(30) as i64 - 5, random.pick(UNITS));
    format!(
        "t {{clock format {seconds} -format {format} {zone}}}\n\
         t {{clock scan [clock format {seconds} -format {scanned} {zone}] -format {scanned} -base {seconds} {zone}}}\n\
         t {{clock scan {words} -base {seconds} {zone}}}\n\
         t {{clock add {seconds} {count} {unit} {more} {other} {zone}}}\n",
        format = quoted(&format),
        scanned = quoted(scanned),
        words = quoted(words),
    )
}

/// A word of a script in which every special character is protected.
fn quoted(text: &str) -> String {
    if text.is_empty() {
        return "{}".to_owned();
    }
    text.chars()
        .map(|c| match c {
            '\n' => "\\n".to_owned(),
            c if c.is_alphanumeric() => c.to_string(),
            c => format!("\\{c}"),
        })
        .collect()
}

/// Random lists, words, expressions, formats and patterns, answered by xmod and by tclsh. `XMOD_TCL_CASES` asks for more
/// of them.
#[test]
fn random_lists_words_expressions_and_patterns_give_what_tclsh_gives() {
    const LIST: &[&str] = &[
        "a", "b", "\"", "{", "}", "[", "]", "$", "\\", ";", "#", " ", "\n", "\t", "\u{e9}", "x y",
        "{a b}",
    ];
    const WORD: &[&str] = &[
        "a", " ", "{", "}", "\"", "[list b]", "[", "]", "\\", "\n", ";", "#", "$v", "$", "${v}",
        "{*}", "set v", "list ", "(", ")",
    ];
    const GLOB: &[&str] = &[
        "a", "b", "*", "?", "[ab]", "[^a]", "[a-b]", "[b-a]", "\\", "[", "]", "-", "\u{e9}",
    ];
    const LETTERS: &[&str] = &["a", "b", "c", "ab", "ca", "\u{e9}"];
    const NAMES: &[&str] = &[
        "a", "A", "b", "1", "2", "01", "10", "9", "007", ".", "-", " ", "_",
    ];
    let Some(mut reference) = tclsh() else { return };
    let asked = Command::new("printenv").arg("XMOD_TCL_CASES").output();
    let count = asked.map_or(600, |output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.trim().parse().unwrap_or(600)
    });
    let mut random = Random(count as u64);
    let mut file = String::from("set v 5\n");
    let harness = directory().join("harness.tcl");
    file.insert_str(
        0,
        &format!("source {}\n", quoted(&harness.to_string_lossy())),
    );
    for _ in 0..count {
        let (a, b) = (text(&mut random, LIST), text(&mut random, LIST));
        let (a, b) = (quoted(&a), quoted(&b));
        file.push_str(&format!(
            "t [list list {a} {b}]\nt [list llength {a}]\nt [list concat {a} {b}]\n"
        ));
        file.push_str(&format!(
            "t [list lindex {a} 1]\nt [list join {a} {b}]\nt [list split {a} {b}]\n"
        ));
        let words = text(&mut random, WORD);
        file.push_str(&format!("catch {{set v 5}}\nt {}\n", quoted(&words)));
        let formula = expression(&mut random, 3);
        file.push_str(&format!("set v 5\nt [list expr {}]\n", quoted(&formula)));
        let (spec, value) = conversion(&mut random);
        file.push_str(&format!(
            "t [list format {} {}]\n",
            quoted(&spec),
            quoted(value)
        ));
        let (glob, subject) = (text(&mut random, GLOB), text(&mut random, LETTERS));
        file.push_str(&format!(
            "t [list string match {} {}]\n",
            quoted(&glob),
            quoted(&subject)
        ));
        let names: Vec<String> = (0..5).map(|_| quoted(&text(&mut random, NAMES))).collect();
        file.push_str(&format!(
            "t [list lsort -dictionary [list {}]]\n",
            names.join(" ")
        ));
        let regex = pattern(&mut random, 4);
        file.push_str(&format!(
            "t [list regexp -inline -indices {} {}]\n",
            quoted(&regex),
            quoted(&subject)
        ));
        file.push_str(&clock(&mut random));
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("random.test");
    std::fs::write(&path, file).unwrap();
    let prepare = |mut command: Command| {
        command
            .arg(&path)
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::null());
        command.output().unwrap().stdout
    };
    reference.env_clear();
    let (ours, theirs) = (prepare(xmod()), prepare(reference));
    assert!(ours == theirs, "{}", difference(&ours, &theirs));
}
