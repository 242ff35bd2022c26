//! Packages: `package` with its sub-commands; `pkgIndex.tcl` files and Tcl modules are searched through `auto_path`.
//!
//! Source: Tcl 8.6, `package(n)`, `tm(n)`.

use std::cmp::Ordering;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use crate::modulefile::tcl::command::{ANY, Def};
use crate::modulefile::tcl::error::{Exit, Outcome};
use crate::modulefile::tcl::interp::{Interp, wrong_args};
use crate::modulefile::tcl::library;
use crate::modulefile::tcl::value::Value;

use super::{choice, file};

pub(super) static TABLE: &[Def] = &[Def::options("package", "option ?arg ...?", SUBCOMMANDS)];

pub(super) static TCL: &[Def] = &[Def::new("Bundled", "name", 1, 1, bundled)];

static SUBCOMMANDS: &[Def] = &[
    Def::new("forget", "?package package ...?", 0, ANY, forget),
    Def::new("ifneeded", "package version ?script?", 2, 3, ifneeded),
    Def::new("names", "", 0, 0, names),
    Def::new("prefer", "?latest|stable?", 0, 1, prefer),
    Def::new(
        "present",
        "?-exact? package ?requirement ...?",
        1,
        ANY,
        present,
    ),
    Def::new("provide", "package ?version?", 1, 2, provide),
    Def::new(
        "require",
        "?-exact? package ?requirement ...?",
        1,
        ANY,
        require,
    ),
    Def::new("unknown", "?command?", 0, 1, unknown),
    Def::new("vcompare", "version1 version2", 2, 2, vcompare),
    Def::new("versions", "package", 1, 1, versions),
    Def::new(
        "vsatisfies",
        "version ?requirement ...?",
        2,
        ANY,
        vsatisfies,
    ),
];

/// What is known of packages.
#[derive(Default)]
pub(super) struct Packages {
    known: IndexMap<Vec<u8>, Package, FxBuildHasher>,
    unknown: Value,
    latest: bool,
    /// Index files that were read.
    read: Vec<PathBuf>,
    /// The directories of the system's own Tcl were looked through.
    searched_system: bool,
    /// Packages whose scripts are running, with the versions that they promise.
    loading: Vec<(Value, Value)>,
}

#[derive(Default)]
struct Package {
    provided: Option<Value>,
    available: Vec<(Value, Value)>,
}

/// A version taken apart: numbers, with -2 for `a` and -1 for `b`.
fn version(word: &Value) -> Outcome<Vec<i64>> {
    let bad = || {
        let message = bytes!("expected version number but got \"", word, "\"");
        Exit::coded(message, &["TCL", "VALUE", "VERSION"])
    };
    let mut parts = Vec::new();
    let mut number: Option<i64> = None;
    let mut unstable = false;
    for &byte in word.bytes() {
        match byte {
            b'0'..=b'9' => {
                let digit = i64::from(byte - b'0');
                number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit));
            }
            b'.' => parts.push(number.take().ok_or_else(bad)?),
            b'a' | b'b' if !unstable => {
                unstable = true;
                parts.push(number.take().ok_or_else(bad)?);
                parts.push(if byte == b'a' { -2 } else { -1 });
            }
            _ => return Err(bad()),
        }
    }
    parts.push(number.ok_or_else(bad)?);
    Ok(parts)
}

/// Where distributions keep the packages of their Tcl.
const SYSTEM: [&str; 9] = [
    "/usr/local/lib/tcltk",
    "/usr/local/share/tcltk",
    "/usr/lib/tcltk",
    "/usr/lib/tcl8.6",
    "/usr/lib64/tcl8.6",
    "/usr/share/tcltk",
    "/usr/share/tcl8.6",
    "/usr/share/tcltk/tcl8.6",
    "/usr/share/tcltk/tcl8.6/tcl8",
];

/// Defines what a proc of the library needs, when it is called for the first time.
fn bundled(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    match library::bundled(args[0].bytes()) {
        Some(text) => interp.eval_global(&text),
        None => Ok(Value::empty()),
    }
}

fn is_stable(parts: &[i64]) -> bool {
    parts.iter().all(|&part| part >= 0)
}

/// Compares versions; missing parts count as zero.
fn compare(a: &[i64], b: &[i64]) -> Ordering {
    (0..a.len().max(b.len()))
        .map(|at| a.get(at).unwrap_or(&0).cmp(b.get(at).unwrap_or(&0)))
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// A requirement: from a version, up to another, or within its major version.
struct Requirement {
    least: Vec<i64>,
    below: Option<Option<Vec<i64>>>,
}

fn requirement(word: &Value) -> Outcome<Requirement> {
    let bad = || {
        let message = bytes!("expected versionMin-versionMax but got \"", word, "\"");
        Exit::coded(message, &["TCL", "VALUE", "VERSIONRANGE"])
    };
    let text = word.bytes();
    let Some(dash) = text.iter().position(|&b| b == b'-') else {
        return Ok(Requirement {
            least: version(word)?,
            below: None,
        });
    };
    let (low, high) = (Value::from(&text[..dash]), Value::from(&text[dash + 1..]));
    if high.bytes().contains(&b'-') {
        return Err(bad());
    }
    let least = version(&low).map_err(|_| bad())?;
    let below = if high.is_empty() {
        None
    } else {
        Some(version(&high).map_err(|_| bad())?)
    };
    Ok(Requirement {
        least,
        below: Some(below),
    })
}

impl Requirement {
    fn allows(&self, version: &[i64]) -> bool {
        // `8.6` allows `8.6b1`: the least version is taken with its earliest stage.
        let mut floor = self.least.clone();
        if is_stable(&floor) {
            floor.push(-2);
        }
        match &self.below {
            None => compare(version, &floor).is_ge() && version[0] == self.least[0],
            Some(None) => compare(version, &floor).is_ge(),
            Some(Some(high)) if compare(&self.least, high).is_eq() => {
                compare(version, &self.least).is_eq()
            }
            Some(Some(high)) => {
                let mut ceiling = high.clone();
                if is_stable(&ceiling) {
                    ceiling.push(-2);
                }
                compare(version, &floor).is_ge() && compare(version, &ceiling).is_lt()
            }
        }
    }
}

fn requirements(words: &[Value]) -> Outcome<Vec<Requirement>> {
    words.iter().map(requirement).collect()
}

fn satisfies(version: &[i64], wanted: &[Requirement]) -> bool {
    wanted.is_empty() || wanted.iter().any(|requirement| requirement.allows(version))
}

fn entry<'a>(interp: &'a mut Interp<'_>, name: &[u8]) -> &'a mut Package {
    let known = &mut interp.state.packages.known;
    if known.is_empty() {
        // Tcl itself is a package.
        known.insert(
            b"Tcl".to_vec(),
            Package {
                provided: Some(Value::from("8.6.13")),
                available: Vec::new(),
            },
        );
    }
    known.entry(name.to_vec()).or_default()
}

fn forget(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    for name in args {
        entry(interp, name.bytes());
        interp.state.packages.known.shift_remove(name.bytes());
    }
    Ok(Value::empty())
}

fn ifneeded(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let wanted = version(&args[1])?;
    let package = entry(interp, args[0].bytes());
    let known = package
        .available
        .iter_mut()
        .find(|(known, _)| version(known).is_ok_and(|known| compare(&known, &wanted).is_eq()));
    match (args.get(2), known) {
        (None, Some((_, script))) => Ok(script.clone()),
        (None, None) => Ok(Value::empty()),
        (Some(script), Some((_, slot))) => {
            *slot = script.clone();
            Ok(Value::empty())
        }
        (Some(script), None) => {
            package.available.push((args[1].clone(), script.clone()));
            Ok(Value::empty())
        }
    }
}

fn names(interp: &mut Interp<'_>, _: &[Value]) -> Outcome {
    entry(interp, b"Tcl");
    let known = interp.state.packages.known.iter();
    let names = known
        .filter(|(_, package)| package.provided.is_some() || !package.available.is_empty())
        .map(|(name, _)| Value::from(&name[..]));
    Ok(Value::list(names.collect()))
}

fn prefer(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let packages = &mut interp.state.packages;
    if let Some(word) = args.first()
        && choice(word, &["latest", "stable"], "preference")? == 0
    {
        packages.latest = true;
    }
    Ok(Value::from(if packages.latest {
        "latest"
    } else {
        "stable"
    }))
}

fn provide(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let Some(new) = args.get(1) else {
        return Ok(entry(interp, args[0].bytes())
            .provided
            .clone()
            .unwrap_or_default());
    };
    let parts = version(new)?;
    let package = entry(interp, args[0].bytes());
    if let Some(old) = &package.provided
        && compare(&version(old)?, &parts).is_ne()
    {
        let message = bytes!(
            "conflicting versions provided for package \"",
            args[0],
            "\": ",
            old,
            ", then ",
            new
        );
        return Err(Exit::coded(message, &["TCL", "PACKAGE", "VERSIONCONFLICT"]));
    }
    package.provided = Some(new.clone());
    Ok(Value::empty())
}

fn versions(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let package = entry(interp, args[0].bytes());
    Ok(Value::list(
        package
            .available
            .iter()
            .map(|(version, _)| version.clone())
            .collect(),
    ))
}

fn unknown(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    if let Some(command) = args.first() {
        interp.state.packages.unknown = command.clone();
        return Ok(Value::empty());
    }
    let unknown = &interp.state.packages.unknown;
    Ok(if unknown.is_empty() {
        Value::from("::tcl::tm::UnknownHandler ::tclPkgUnknown")
    } else {
        unknown.clone()
    })
}

fn vcompare(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    Ok(Value::int(
        compare(&version(&args[0])?, &version(&args[1])?) as i64,
    ))
}

fn vsatisfies(_: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let parts = version(&args[0])?;
    Ok(Value::bool(satisfies(&parts, &requirements(&args[1..])?)))
}

/// `?-exact? package ?requirement ...?` taken apart.
fn wanted(args: &[Value], command: &str) -> Outcome<(Value, Vec<Value>)> {
    let usage = "?-exact? package ?requirement ...?";
    if args[0].bytes() != b"-exact" {
        let words = args[1..].to_vec();
        requirements(&words)?;
        return Ok((args[0].clone(), words));
    }
    let [_, name, exact] = args else {
        return Err(wrong_args(format!("package {command}").as_bytes(), usage));
    };
    version(exact)?;
    Ok((name.clone(), vec![Value::new(bytes!(exact, "-", exact))]))
}

fn conflict(name: &Value, have: &Value, words: &[Value]) -> Exit {
    let need = words
        .iter()
        .map(Value::bytes)
        .collect::<Vec<_>>()
        .join(&b' ');
    let message = bytes!(
        "version conflict for package \"",
        name,
        "\": have ",
        have,
        ", need ",
        shown(&need)
    );
    Exit::coded(message, &["TCL", "PACKAGE", "VERSIONCONFLICT"])
}

/// `1.2-1.2` is shown as `exactly 1.2`.
fn shown(need: &[u8]) -> Vec<u8> {
    match need.iter().position(|&b| b == b'-') {
        Some(dash) if need[..dash] == need[dash + 1..] => bytes!("exactly ", need[..dash]),
        _ => need.to_vec(),
    }
}

fn present(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (name, words) = wanted(args, "present")?;
    match entry(interp, name.bytes()).provided.clone() {
        Some(have) if satisfies(&version(&have)?, &requirements(&words)?) => Ok(have),
        Some(have) => Err(conflict(&name, &have, &words)),
        None => {
            let message = match &words[..] {
                [] => bytes!("package ", name, " is not present"),
                words => {
                    let need = words
                        .iter()
                        .map(Value::bytes)
                        .collect::<Vec<_>>()
                        .join(&b' ');
                    bytes!("package ", name, " ", need, " is not present")
                }
            };
            Err(Exit::coded(
                message,
                &[&b"TCL"[..], b"LOOKUP", b"PACKAGE", name.bytes()],
            ))
        }
    }
}

fn require(interp: &mut Interp<'_>, args: &[Value]) -> Outcome {
    let (name, words) = wanted(args, "require")?;
    let wanted = requirements(&words)?;
    if let Some(have) = entry(interp, name.bytes()).provided.clone() {
        if satisfies(&version(&have)?, &wanted) {
            return Ok(have);
        }
        return Err(conflict(&name, &have, &words));
    }
    let loading = &interp.state.packages.loading;
    if let Some((_, promised)) = loading.iter().find(|(known, _)| *known == name) {
        let message = bytes!(
            "circular package dependency: attempt to provide ",
            name,
            " ",
            promised,
            " requires ",
            name,
            needs(&words)
        );
        return Err(Exit::coded(message, &["TCL", "PACKAGE", "CIRCULARITY"]));
    }
    let mut best = interp.best_version(&name, &wanted)?;
    if best.is_none() {
        interp.search_packages(&name, &words)?;
        best = interp.best_version(&name, &wanted)?;
    }
    if best.is_none()
        && let Some(known) = library::package(name.bytes())
    {
        entry(interp, name.bytes()).available.push(known);
        best = interp.best_version(&name, &wanted)?;
    }
    if best.is_none() {
        interp.search_system()?;
        best = interp.best_version(&name, &wanted)?;
    }
    let Some((found, script)) = best else {
        let message = bytes!("can't find package ", name, needs(&words));
        return Err(Exit::coded(message, &["TCL", "PACKAGE", "UNFOUND"]));
    };
    let loading = (name.clone(), found.clone());
    interp.state.packages.loading.push(loading);
    let result = interp.at_frame(0, |interp| interp.eval(&script));
    interp.state.packages.loading.pop();
    let result = result
        .map_err(|exit| {
            only_errors(
                exit,
                &bytes!("attempt to provide package ", name, " ", found, " failed: "),
            )
        })
        .and_then(|_| provided_as_promised(interp, &name, &found));
    if result.is_err() {
        entry(interp, name.bytes()).provided = None;
    }
    let script = bytes!("package ifneeded ", name, " ", found);
    result.map_err(|exit| in_script(exit, &script))
}

/// What was asked for, as messages show it.
fn needs(words: &[Value]) -> Vec<u8> {
    let words: Vec<&[u8]> = words.iter().map(Value::bytes).collect();
    let need = words.join(&b' ');
    let space = if need.is_empty() { "" } else { " " };
    bytes!(space, shown(&need))
}

/// A script of a package ends by a value or by an error.
fn only_errors(exit: Exit, attempt: &[u8]) -> Exit {
    let code = match &exit {
        Exit::Return(_) | Exit::Tail(_) => 2,
        Exit::Break => 3,
        Exit::Continue => 4,
        Exit::Other(other) => other.code,
        Exit::Error(_) | Exit::Stop(_) => return exit,
    };
    let message = bytes!(attempt, "bad return code: ", code.to_string());
    Exit::coded(message, &["TCL", "PACKAGE", "BADRESULT"])
}

/// Names the script in `errorInfo`.
fn in_script(exit: Exit, script: &[u8]) -> Exit {
    match exit {
        Exit::Error(mut error) => {
            error.add_info(bytes!("\n    (\"", script, "\" script)"));
            Exit::Error(error)
        }
        other => other,
    }
}

/// The version that the script of a package has provided; an error unless it is the promised one.
fn provided_as_promised(interp: &mut Interp<'_>, name: &Value, found: &Value) -> Outcome {
    let fail = |message: Vec<u8>, what: &str| Exit::coded(message, &["TCL", "PACKAGE", what]);
    match entry(interp, name.bytes()).provided.clone() {
        Some(have) if compare(&version(&have)?, &version(found)?).is_eq() => Ok(have),
        Some(have) => {
            let message = bytes!(
                "attempt to provide package ",
                name,
                " ",
                found,
                " failed: package ",
                name,
                " ",
                have,
                " provided instead"
            );
            Err(fail(message, "WRONGPROVIDE"))
        }
        None => {
            let message = bytes!(
                "attempt to provide package ",
                name,
                " ",
                found,
                " failed: no version of package ",
                name,
                " provided"
            );
            Err(fail(message, "UNPROVIDED"))
        }
    }
}

impl Interp<'_> {
    /// The best version that is available, with its script; stable ones are preferred.
    fn best_version(
        &mut self,
        name: &Value,
        wanted: &[Requirement],
    ) -> Outcome<Option<(Value, Value)>> {
        let latest = self.state.packages.latest;
        let mut best: Option<(Vec<i64>, Value, Value)> = None;
        for (text, script) in entry(self, name.bytes()).available.clone() {
            let parts = version(&text)?;
            if !satisfies(&parts, wanted) {
                continue;
            }
            let better = match &best {
                None => true,
                Some((old, _, _)) => {
                    let by_stage = is_stable(&parts).cmp(&is_stable(old));
                    let by_version = compare(&parts, old);
                    if latest {
                        by_version
                    } else {
                        by_stage.then(by_version)
                    }
                    .is_gt()
                }
            };
            if better {
                best = Some((parts, text, script));
            }
        }
        Ok(best.map(|(_, text, script)| (text, script)))
    }

    /// Reads the index files in reach, then asks the script's own `package unknown`.
    fn search_packages(&mut self, name: &Value, words: &[Value]) -> Outcome<()> {
        let handler = self.state.packages.unknown.clone();
        if !handler.is_empty() {
            let mut call = handler.as_list()?.to_vec();
            call.push(name.clone());
            call.extend_from_slice(words);
            if words.is_empty() {
                call.push(Value::from("0-"));
            }
            return self
                .at_frame(0, |interp| interp.eval(&Value::list(call)))
                .map(|_| ())
                .map_err(|exit| in_script(only_errors(exit, b""), b"package unknown"));
        }
        self.search_auto_path()
    }

    /// Searches the directories of `auto_path`, from its end, and those that index files add to it meanwhile.
    fn search_auto_path(&mut self) -> Outcome<()> {
        let mut searched: Vec<Value> = Vec::new();
        while let Ok(auto_path) = self.get_var(b"::auto_path") {
            let list = auto_path.as_list()?;
            let mut rest = list.iter().rev().filter(|place| !searched.contains(place));
            let Some(directory) = rest.next().cloned() else {
                break;
            };
            if let Ok(path) = self.path(directory.bytes()) {
                self.search_directory(path)?;
            }
            searched.push(directory);
        }
        Ok(())
    }

    /// Reads the index files of a directory and of those below it.
    fn search_directory(&mut self, directory: PathBuf) -> Outcome<()> {
        let mut places = Vec::new();
        if let Ok(entries) = std::fs::read_dir(&directory) {
            let mut below: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            below.sort();
            self.enter_modules(&below)?;
            places = below;
            places.retain(|path| path.is_dir());
        }
        places.insert(0, directory);
        for place in places {
            self.read_index(&place)?;
        }
        Ok(())
    }

    /// Where nothing else has a package, looks where the system keeps those of its own Tcl, if it has one.
    fn search_system(&mut self) -> Outcome<()> {
        if self.realms[self.realm].safe
            || std::mem::replace(&mut self.state.packages.searched_system, true)
        {
            return Ok(());
        }
        for directory in SYSTEM {
            self.search_directory(PathBuf::from(directory))?;
        }
        self.search_auto_path()
    }

    /// Tcl modules: `NAME-VERSION.tm`.
    fn enter_modules(&mut self, files: &[PathBuf]) -> Outcome<()> {
        for file in files {
            let Some(tail) = file.file_name().map(OsStrExt::as_bytes) else {
                continue;
            };
            let Some(stem) = tail.strip_suffix(b".tm") else {
                continue;
            };
            let Some(dash) = stem.iter().position(|&b| b == b'-') else {
                continue;
            };
            let (name, text) = (&stem[..dash], Value::from(&stem[dash + 1..]));
            if version(&text).is_err() {
                continue;
            }
            let script = Value::list(vec![
                Value::from("source"),
                Value::from(file.as_os_str().as_bytes()),
            ]);
            let package = entry(self, name);
            if !package.available.iter().any(|(known, _)| *known == text) {
                let provide = Value::list(vec![
                    Value::from("package"),
                    Value::from("provide"),
                    Value::from(name),
                    text.clone(),
                ]);
                package
                    .available
                    .push((text, Value::new(bytes!(provide, ";", script))));
            }
        }
        Ok(())
    }

    /// Runs a `pkgIndex.tcl` with `$dir` set, once.
    fn read_index(&mut self, directory: &Path) -> Outcome<()> {
        let index = directory.join("pkgIndex.tcl");
        if !index.is_file() || self.state.packages.read.contains(&index) {
            return Ok(());
        }
        self.state.packages.read.push(index.clone());
        let dir = Value::from(directory.as_os_str().as_bytes());
        let name = Value::from(index.as_os_str().as_bytes());
        let file = file::read_source(self, &name)?;
        let params = Value::from("dir");
        let lambda = super::make_proc(&params, &Value::empty())?;
        // An error in an index is no reason to give up: the package may be in another place.
        match self.source_with(&file, lambda, dir) {
            Err(Exit::Stop(stop)) => Err(Exit::Stop(stop)),
            _ => Ok(()),
        }
    }
}
