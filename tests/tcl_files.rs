//! Real Tcl modulefiles make the same calls with the same words as under the real `tclsh`.
//!
//! The oracle evaluates each file in an interpreter of its own where every command of modulefiles is a proc that records
//! its words. The files: the corpus, the example site, and the trees that `XMOD_TCL_TREES` names (separated by `:`).

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use bstr::{BStr, BString, ByteSlice};
use camino::Utf8PathBuf;

use xmod::config::{Config, Policy};
use xmod::diag::{Diagnostic, Place};
use xmod::env::EnvOp;
use xmod::modulefile::command::COMMANDS;
use xmod::modulefile::{
    Language, Languages, LoadedModule, Message, Mode, ModuleContext, Relation, World, evaluate,
    find_tcl, read,
};
use xmod::name::Spec;
use xmod::session::{Environment, Session};

use crate::support::{corpus, in_repo, require};

/// Records the calls of the files whose names are read from standard input. Answers to questions are those of [`Alone`].
/// Fields are separated by the bytes 29 (file), 30 (call) and 31 (word).
const RECORDER: &str = r##"
encoding system utf-8
fconfigure stdout -translation lf -encoding utf-8
set recorded [split [gets stdin] " "]
set answers [split [gets stdin] " "]
array set environment [array get env]
while {[gets stdin file] >= 0} {
    set calls {}
    array unset env
    array set env [array get environment]
    interp create slave
    interp eval slave {array unset env}
    slave alias record record
    proc record {args} {
        lappend ::calls [join $args \x1f]
        switch -- [lindex $args 0] {
            setenv - pushenv { slave eval [list set ::env([lindex $args end-1]) [lindex $args end]] }
            unsetenv { slave eval [list unset -nocomplain ::env([lindex $args 1])] }
        }
        return ""
    }
    interp eval slave [list array set env [array get environment]]
    foreach name $recorded { slave eval [list proc $name args "record $name {*}\$args"] }
    foreach name $answers { slave eval [list proc $name args {return 0}] }
    slave eval {
        set ModulesCurrentModulefile FILE
        set ModuleTool Lmod
        set ModuleToolVersion 9.2.9
        proc getenv {name args} { return \$$name }
        proc module-info {what args} {
            switch -- $what { mode { if {[llength $args]} { return [expr {[lindex $args 0] eq "display"}] }; return display } }
            return ""
        }
        rename puts real_puts
        proc puts args {}
    }
    slave eval [list set ModulesCurrentModulefile $file]
    if {[catch {slave eval [list source -encoding utf-8 $file]} message] == 1} { lappend calls "error\x1f$message" }
    interp delete slave
    puts -nonewline "$file\x1f[join $calls \x1e]\x1d"
}
"##;

/// A world in which nothing is loaded and nothing can be found.
pub(crate) struct Alone {
    session: Session,
    config: Config,
    languages: Languages,
    env: Environment,
}

impl World for Alone {
    fn session(&self) -> &Session {
        &self.session
    }
    fn config(&self) -> &Config {
        &self.config
    }
    fn languages(&self) -> &Languages {
        &self.languages
    }
    fn shell_name(&self) -> &str {
        "bash"
    }
    fn var(&self, name: &BStr) -> Option<&BStr> {
        self.env.get(name).map(|value| value.as_bstr())
    }
    fn environment(&self) -> Environment {
        self.env.clone()
    }
    fn apply(&mut self, _: &ModuleContext, op: &EnvOp, _: &Place) -> Result<(), Diagnostic> {
        // What a later line of the file may read.
        match op {
            EnvOp::Set { var, value, .. }
            | EnvOp::Push {
                var,
                value: Some(value),
            } => {
                self.env.insert(var.as_str().into(), value.clone());
            }
            EnvOp::Unset { var, .. } => {
                self.env.remove(var.as_bstr());
            }
            _ => {}
        }
        Ok(())
    }
    fn relate(&mut self, _: &ModuleContext, _: &Relation, _: &Place) -> Result<(), Diagnostic> {
        Ok(())
    }
    fn is_loaded(&self, _: &Spec) -> bool {
        false
    }
    fn is_pending(&self, _: &Spec) -> bool {
        false
    }
    fn find(&mut self, _: &Spec) -> Option<Utf8PathBuf> {
        None
    }
    fn full_name(&mut self, _: &Spec) -> Option<String> {
        None
    }
    fn alias_target(&mut self, _: &str) -> Option<String> {
        None
    }
    fn symbols(&mut self, _: &str) -> Vec<String> {
        Vec::new()
    }
    fn tags(&mut self, _: &ModuleContext) -> Vec<String> {
        Vec::new()
    }
    fn collections(&mut self) -> Vec<String> {
        Vec::new()
    }
    fn sourced(&self, _: &ModuleContext, _: &BStr) -> Option<Vec<EnvOp>> {
        None
    }
    fn loaded_modules(&self) -> Vec<LoadedModule> {
        Vec::new()
    }
    fn command(&self) -> &str {
        "show"
    }
    fn tell(&mut self, _: Message) {}
}

/// A call as both sides can tell it: the usual name of the command, its options in order of name, its other words.
type Call = (String, BTreeMap<String, BString>, Vec<BString>);

/// A world with the variables of the tests, where crawls start no programs.
pub(crate) fn alone() -> Alone {
    let variables = variables().map(|(name, value)| (name.into(), value.into()));
    let mut config = Config::preset(Policy::Modules);
    config.crawl_programs = false;
    Alone {
        session: Session::default(),
        config,
        languages: Languages::default(),
        env: variables.collect(),
    }
}

/// The calls that we record, then the message of an error.
fn ours(file: &Path) -> (Vec<Call>, Option<String>) {
    let path = Utf8PathBuf::from_path_buf(file.to_owned()).expect("paths of the corpus are UTF-8");
    let source = read(&path).expect("the file is there");
    let mut world = alone();
    let module = ModuleContext {
        name: "m".to_owned(),
        version: Some("1".to_owned()),
        requested: "m/1".to_owned(),
        file: path,
        ..ModuleContext::default()
    };
    let (evaluation, message) = match evaluate(&source, &module, Mode::Show, &mut world) {
        Ok(evaluation) => (evaluation, None),
        Err(failure) => (failure.evaluation, Some(failure.diagnostic.message)),
    };
    let text = |value: &xmod::modulefile::Value| {
        value
            .to_bytes()
            .map_or_else(BString::default, |text| text.into_owned())
    };
    let calls = evaluation
        .calls
        .iter()
        .map(|call| {
            let named = call.args.named.iter();
            (
                call.command.tcl[0].to_owned(),
                named
                    .map(|(name, value)| ((*name).to_owned(), text(value)))
                    .collect(),
                call.args.positional.iter().map(text).collect(),
            )
        })
        .collect();
    (calls, message)
}

/// A recorded call of the oracle in the same form.
fn theirs(call: &[u8]) -> Call {
    let mut words = call.split(|&b| b == 31);
    let name = words.next().unwrap_or_default().to_str_lossy();
    let command = find_tcl(&name).expect("only commands of the table are recorded");
    let (mut named, mut positional) = (BTreeMap::new(), Vec::new());
    while let Some(word) = words.next() {
        let option = command
            .options
            .iter()
            .find(|o| positional.is_empty() && o.tcl.iter().any(|t| t.as_bytes() == word));
        match option {
            Some(o) if o.carries == xmod::modulefile::command::Carries::Nothing => {
                named.insert(o.name.to_owned(), BString::from("true"));
            }
            Some(o) => {
                named.insert(o.name.to_owned(), words.next().unwrap_or_default().into());
            }
            None => positional.push(word.into()),
        }
    }
    (command.tcl[0].to_owned(), named, positional)
}

fn variables() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", "/home/ann"),
        ("USER", "ann"),
    ]
    .into_iter()
}

/// All Tcl modulefiles below the directories.
pub(crate) fn tcl_files(dirs: &[PathBuf]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = dirs
        .iter()
        .flat_map(walkdir::WalkDir::new)
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| {
            let name = entry.file_name().to_str();
            name.is_some_and(|name| !name.starts_with('.') && Language::of_name(name).is_none())
        })
        .map(|entry| entry.into_path())
        .filter(|path| std::fs::read(path).is_ok_and(|text| text.starts_with(b"#%Module")))
        .collect();
    files.sort();
    files
}

#[test]
fn real_files_make_the_same_calls_as_under_tclsh() {
    let mut dirs: Vec<PathBuf> = corpus().into_iter().collect();
    dirs.push(in_repo("modulefiles"));
    #[expect(clippy::disallowed_methods, reason = "tests have no session")]
    if let Some(more) = std::env::var_os("XMOD_TCL_TREES") {
        dirs.extend(std::env::split_paths(&more));
    }
    let files = tcl_files(&dirs);
    if !require("tclsh") {
        return;
    }
    let names = |shown: bool| {
        let silent = ["getenv", "module-info"];
        let commands = COMMANDS.iter().filter(|c| c.shown == shown);
        let names: Vec<&str> = commands
            .flat_map(|c| c.tcl)
            .filter(|name| !silent.contains(name))
            .copied()
            .collect();
        names.join(" ")
    };
    let dir = tempfile::tempdir().unwrap();
    let recorder = dir.path().join("recorder.tcl");
    std::fs::write(&recorder, RECORDER).unwrap();
    let list = dir.path().join("files");
    let mut input = std::fs::File::create(&list).unwrap();
    writeln!(input, "{}\n{}", names(true), names(false)).unwrap();
    for file in &files {
        writeln!(input, "{}", file.display()).unwrap();
    }
    let output = Command::new("tclsh")
        .arg(&recorder)
        .env_clear()
        .envs(variables())
        .stdin(std::fs::File::open(&list).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", output.stderr.to_str_lossy());

    let (mut calls, mut differences) = (0, Vec::new());
    let mut answers = output.stdout.split(|&b| b == 29);
    for file in &files {
        let answer = answers.next().expect("the oracle answers for each file");
        let (name, text) = answer.split_once_str("\x1f").expect("a name and its calls");
        assert_eq!(
            name,
            file.as_os_str().as_encoded_bytes(),
            "the oracle lost its place"
        );
        let mut expected: Vec<&[u8]> = text.split(|&b| b == 30).filter(|c| !c.is_empty()).collect();
        let their_error = expected.pop_if(|call| call.starts_with(b"error\x1f"));
        let expected: Vec<Call> = expected.into_iter().map(theirs).collect();
        let (seen, our_error) = ours(file);
        calls += seen.len();
        if seen != expected || our_error.is_some() != their_error.is_some() {
            let at = seen.iter().zip(&expected).position(|(a, b)| a != b);
            let at = at.unwrap_or(seen.len().min(expected.len()));
            differences.push(format!(
                "{}: call {at}: ours {:?} ({our_error:?}), tclsh {:?} ({:?})",
                file.display(),
                seen.get(at),
                expected.get(at),
                their_error.map(|e| e.to_str_lossy().into_owned()),
            ));
        }
    }
    eprintln!(
        "{} files, {calls} calls, {} differences",
        files.len(),
        differences.len()
    );
    differences.truncate(20);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(!files.is_empty());
}
