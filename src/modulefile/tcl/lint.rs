//! Reads a Tcl modulefile without running it, and says what cannot be right: commands that do not exist, wrong numbers of
//! arguments, text that is no script. What depends on values is for those who run it.
//!
//! Bodies of control commands and of procs are read too, whether or not they would run.

use std::collections::HashSet;
use std::sync::Arc;

use super::bind::near;
use super::builtin;
use super::parse::{self, Code, Command, Index, Part, Script, Substitutions, WordKind};
use super::value::Value;
use super::words;
use crate::config::Config;
use crate::diag::{Diagnostic, Kind, Place, SourceFile};
use crate::modulefile::command::Command as Row;
use crate::modulefile::{Mode, find_tcl};

/// Only what stands in brackets.
const COMMANDS_ONLY: Substitutions = Substitutions {
    backslashes: true,
    commands: true,
    variables: true,
};

/// Bodies inside bodies deeper than this are not read.
const MAX_DEPTH: usize = 100;

/// What is wrong with a file, in the order of its lines. `mode` is that of a modulefile or of an rc file.
pub(in crate::modulefile) fn lint(
    source: &Arc<SourceFile>,
    mode: Mode,
    config: &Config,
) -> Vec<Diagnostic> {
    let end = (source.text().iter().position(|&b| b == 0x1a)).unwrap_or(source.text().len());
    let script = parse::script(&Code::file(source, end));
    let mut linter = Linter {
        mode,
        config,
        source,
        defined: HashSet::new(),
        is_open: false,
        found: Vec::new(),
    };
    linter.collect(&script, 0);
    linter.read(&script, 0);
    linter.found.sort_by_key(|mistake| {
        let place = mistake.place.as_ref();
        place.map_or(0, |(place, _)| place.span.start)
    });
    linter.found.dedup();
    linter.found
}

struct Linter<'l> {
    mode: Mode,
    config: &'l Config,
    source: &'l Arc<SourceFile>,
    /// The commands that the file itself defines.
    defined: HashSet<Vec<u8>>,
    /// The file brings in commands from elsewhere: what is not known may exist.
    is_open: bool,
    found: Vec<Diagnostic>,
}

impl Linter<'_> {
    /// Takes note of the commands that a script defines, wherever it does.
    fn collect(&mut self, script: &Script, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        for command in &script.commands {
            let words: Vec<Option<&Value>> =
                command.words.iter().map(parse::Word::constant).collect();
            let text = |at: usize| words.get(at).copied().flatten().map(Value::bytes);
            match (text(0), text(1)) {
                (Some(b"proc"), Some(name)) => {
                    let name = name.strip_prefix(b"::").unwrap_or(name);
                    self.defined.insert(name.to_vec());
                }
                (Some(b"rename"), _) => {
                    if let Some(new) = text(2) {
                        self.defined.insert(new.to_vec());
                    }
                }
                (Some(b"interp"), Some(b"alias")) => {
                    if let Some(new) = text(3) {
                        self.defined.insert(new.to_vec());
                    }
                }
                // What they define is not to be seen from here.
                (
                    Some(b"source" | b"package" | b"load" | b"namespace" | b"eval" | b"uplevel"),
                    _,
                )
                | (None, _) => self.is_open = true,
                _ => {}
            }
            for body in bodies(command) {
                self.collect(&parse::script(&Code::value(body)), depth + 1);
            }
        }
    }

    fn read(&mut self, script: &Script, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        for command in &script.commands {
            self.check(script, command);
            for word in &command.words {
                self.read_word(&word.kind, depth);
            }
            for body in bodies(command) {
                self.read(&parse::script(&Code::value(body)), depth + 1);
            }
            for condition in conditions(command) {
                self.read_expression(condition, depth);
            }
        }
        if let Some(error) = &script.error {
            self.say(
                script.code.place(error.start, error.end),
                error.message,
                "",
                None,
            );
        }
    }

    /// The scripts in brackets inside a word.
    fn read_word(&mut self, kind: &WordKind, depth: usize) {
        match kind {
            WordKind::Script(script) => self.read(script, depth + 1),
            WordKind::Parts(parts) => self.read_parts(parts, depth),
            WordKind::Element(variable) => {
                if let Some(Index::Parts(parts)) = &variable.index {
                    self.read_parts(parts, depth);
                }
            }
            WordKind::Const(_) | WordKind::Var(_) => {}
        }
    }

    fn read_parts(&mut self, parts: &[Part], depth: usize) {
        for part in parts {
            if let Part::Script(script) = part {
                self.read(script, depth + 1);
            }
        }
    }

    /// The scripts in brackets inside an expression that stands in braces.
    fn read_expression(&mut self, text: &Value, depth: usize) {
        // Braces inside keep brackets from being scripts.
        if text.bytes().contains(&b'{') {
            return;
        }
        let (parts, _) = parse::template(&Code::value(text), COMMANDS_ONLY);
        self.read_parts(&parts, depth);
    }

    /// One command: does it exist, and may it have so many arguments.
    fn check(&mut self, script: &Script, command: &Command) {
        let Some(name) = command.words.first().and_then(parse::Word::constant) else {
            return;
        };
        let place = || script.code.place(command.start, command.end);
        let name = name.bytes();
        let plain = name.strip_prefix(b"::").unwrap_or(name);
        if plain.windows(2).any(|pair| pair == b"::") || self.defined.contains(plain) {
            return;
        }
        let text = String::from_utf8_lossy(plain);
        let row = find_tcl(&text).filter(|row| self.mode != Mode::Rc || row.in_rc);
        if let Some(row) = row {
            if let Some(message) = self.refusal(row, command) {
                self.say(place(), &message, "", None);
            }
            return;
        }
        if let Some(def) = builtin::find(b"", plain) {
            let count = command.words.len() - 1;
            let expands = command.words.iter().any(|word| word.expand);
            if !expands && (count < def.least || count > def.most) {
                let usage = format!("wrong # args: should be \"{}\"", def.usage);
                self.say(place(), &usage, "", None);
            }
            return;
        }
        if self.is_open {
            return;
        }
        let label = match self.mode {
            Mode::Rc => "not a command of rc files",
            _ => "not a modulefile command",
        };
        let message = format!("unknown command `{text}`");
        let near = near(self.mode, &text);
        self.say(place(), &message, label, near);
    }

    /// What is wrong with the arguments of a command of modulefiles.
    fn refusal(&self, row: &'static Row, command: &Command) -> Option<String> {
        if command.words.iter().any(|word| word.expand) {
            return None;
        }
        let given = command.words[1..].iter();
        let is_constant = given.clone().all(|word| word.constant().is_some());
        // Where a word is computed it may be an option: then only too few can be told.
        let stand_in = Value::from("x");
        let given: Vec<Value> = given
            .map(|word| word.constant().unwrap_or(&stand_in).clone())
            .collect();
        let name = row.tcl.first().copied().unwrap_or_default();
        match words::read(row, &given, self.config) {
            Err(error) => is_constant.then_some(error.message),
            Ok(args) => {
                let message = row.args.refuses(args.len())?;
                let is_short = args.len() < row.args.min;
                let surely = is_constant || is_short || row.options.is_empty();
                surely.then(|| format!("`{name}` {message}"))
            }
        }
    }

    fn say(&mut self, place: Option<Place>, message: &str, label: &str, near: Option<&str>) {
        let place = place.unwrap_or_else(|| Place::line(self.source, 1));
        let diagnostic = Diagnostic::new(Kind::Modulefile, message).at(place, label);
        self.found.push(match near {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        });
    }
}

/// The words of a control command that are scripts, where they stand there as they are.
fn bodies(command: &Command) -> Vec<&Value> {
    let words: Vec<Option<&Value>> = command.words.iter().map(parse::Word::constant).collect();
    let Some(Some(name)) = words.first() else {
        return Vec::new();
    };
    let at = |index: usize| words.get(index).copied().flatten();
    let last = || words.last().copied().flatten();
    let picked: Vec<Option<&Value>> = match name.bytes() {
        b"if" => {
            // if C [then] B ?elseif C [then] B?... ?[else] B?
            let mut picked = Vec::new();
            let mut index = 2;
            while index < words.len() {
                match at(index).map(Value::bytes) {
                    Some(b"then" | b"else") => index += 1,
                    Some(b"elseif") => index += 2,
                    _ => {
                        picked.push(at(index));
                        index += 1;
                    }
                }
            }
            picked
        }
        b"while" if words.len() == 3 => vec![at(2)],
        b"for" if words.len() == 5 => vec![at(1), at(3), at(4)],
        b"foreach" | b"lmap" if words.len() >= 4 => vec![last()],
        b"proc" if words.len() == 4 => vec![at(3)],
        b"catch" => vec![at(1)],
        b"try" => vec![at(1)],
        _ => Vec::new(),
    };
    picked.into_iter().flatten().collect()
}

/// The words of a command that are expressions.
fn conditions(command: &Command) -> Vec<&Value> {
    let words: Vec<Option<&Value>> = command.words.iter().map(parse::Word::constant).collect();
    let at = |index: usize| words.get(index).copied().flatten();
    let picked: Vec<Option<&Value>> = match at(0).map(Value::bytes) {
        Some(b"if" | b"while") => {
            let others = (1..words.len()).filter(|index| {
                let word = at(*index).map(Value::bytes);
                word == Some(b"elseif")
            });
            std::iter::once(1)
                .chain(others.map(|index| index + 1))
                .map(at)
                .collect()
        }
        Some(b"for") => vec![at(2)],
        Some(b"expr") if words.len() == 2 => vec![at(1)],
        _ => Vec::new(),
    };
    picked.into_iter().flatten().collect()
}
