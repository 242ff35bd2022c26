//! The options of `module`, before and after the sub-command.
//!
//! One table; `_` and `-` are the same in long names. Source: Lmod user guide "module --help"; `module(1)` "OPTIONS".

use crate::command::{Action, Dump, Options, Report, Subcommand, Words};
use crate::config::{OptionLetters, Verbosity};
use crate::diag::{Diagnostic, Kind};

/// What an option does with its value, if it takes one.
enum Effect {
    Flag(fn(&mut Options)),
    Value(fn(&mut Options, &str) -> bool),
    /// A value only behind `=`; without one it is empty.
    Attached(fn(&mut Options, &str)),
}

use Effect::{Attached, Flag, Value};

struct Opt {
    short: &'static str,
    long: &'static [&'static str],
    effect: Effect,
    /// For the usage text; empty: accepted for old scripts, not shown.
    doc: &'static str,
}

#[rustfmt::skip]
static OPTIONS: &[Opt] = &[
    Opt { short: "hH?", long: &["help"], effect: Flag(|o| ask(o, Action::Usage)), doc: "this text" },
    Opt { short: "vV", long: &["version"], effect: Flag(|o| ask(o, Action::Version)), doc: "the version" },
    Opt { short: "t", long: &["terse"], effect: Flag(|o| o.terse = true), doc: "one item a line, for programs" },
    Opt { short: "j", long: &["json"], effect: Flag(|o| o.json = true), doc: "JSON, for programs" },
    Opt { short: "Aa", long: &["all", "show-hidden"], effect: Flag(|o| o.all = true), doc: "hidden modules too" },
    Opt { short: "l", long: &["long"], effect: Flag(|o| o.long = true), doc: "one module a line, with the time of its last change" },
    Opt { short: "o", long: &["output"], effect: Value(|o, v| { o.output = Some(v.to_owned()); true }), doc: "avail, list: what is shown" },
    Opt { short: "S", long: &["starts-with"], effect: Flag(|o| o.search_begins = Some(true)), doc: "patterns are the beginning of a name" },
    Opt { short: "C", long: &["contains"], effect: Flag(|o| o.search_begins = Some(false)), doc: "patterns are any part of a name" },
    Opt { short: "", long: &["indepth"], effect: Flag(|o| o.in_depth = Some(true)), doc: "avail: what lies in directories, too" },
    Opt { short: "", long: &["no-indepth"], effect: Flag(|o| o.in_depth = Some(false)), doc: "avail: directories only" },
    Opt { short: "i", long: &["icase"], effect: Flag(|o| o.ignore_case = true), doc: "upper and lower case are the same" },
    Opt { short: "", long: &["ignore-user-rc"], effect: Flag(|o| o.ignore_user_rc = true), doc: "without your own rc file" },
    Opt { short: "", long: &["no-modulepath-ignore"], effect: Flag(|o| o.no_modulepath_ignore = true), doc: "what rc files exclude, too" },
    Opt { short: "", long: &["tag"], effect: Value(|o, v| { o.tags.extend(v.split(':').filter(|t| !t.is_empty()).map(str::to_owned)); true }), doc: "load, swap: what the modules are tagged with" },
    Opt { short: "", long: &["delim"], effect: Value(|o, v| { o.delim = Some(v.to_owned()); true }), doc: "path commands: what separates entries" },
    Opt { short: "", long: &["duplicates"], effect: Flag(|o| o.duplicates = true), doc: "path commands: add an entry that is there" },
    Opt { short: "", long: &["reset"], effect: Flag(|o| o.reset = true), doc: "config: back to the default" },
    Opt { short: "", long: &["dump-state"], effect: Flag(|o| o.dump_state = true), doc: "config: and the state" },
    Opt { short: "d", long: &["default"], effect: Flag(|o| o.default_only = true), doc: "avail: only the default of each name" },
    Opt { short: "b", long: &["brief"], effect: Flag(|o| o.brief = true), doc: "list: only modules that you named yourself" },
    Opt { short: "f", long: &["force"], effect: Flag(|o| o.force = true), doc: "sticky modules too; save an empty collection" },
    Opt { short: "q", long: &["quiet"], effect: Flag(|o| o.quiet = true), doc: "no messages" },
    Opt { short: "r", long: &["regexp"], effect: Flag(|o| o.regexp = true), doc: "patterns are regular expressions" },
    Opt { short: "w", long: &["width"], effect: Value(|o, v| v.parse().map(|w| o.width = Some(w)).is_ok()), doc: "width of the terminal" },
    Opt { short: "s", long: &["style"], effect: Value(|o, v| { o.style = Some(v.to_owned()); true }), doc: "style of avail" },
    Opt { short: "I", long: &["ignore-cache"], effect: Flag(|o| o.ignore_cache = true), doc: "read the tree, not its cache" },
    Opt { short: "n", long: &["dry-run"], effect: Flag(|o| o.dry_run = true), doc: "show what would change, change nothing" },
    Opt { short: "L", long: &["latest"], effect: Flag(|o| o.latest = true), doc: "names mean their highest version" },
    Opt { short: "", long: &["raw"], effect: Flag(|o| o.raw = true), doc: "show, help, whatis: the text of the file" },
    Opt { short: "", long: &["location", "loc"], effect: Flag(|o| o.location = true), doc: "show: only the path of the file" },
    Opt { short: "", long: &["no-extensions", "nx"], effect: Flag(|o| o.no_extensions = true), doc: "avail without extensions" },
    Opt { short: "", long: &["terse-show-extensions"], effect: Flag(|o| { o.terse = true; o.terse_extensions = true; }), doc: "terse avail with extensions" },
    Opt { short: "", long: &["redirect"], effect: Flag(|o| o.redirect = Some(true)), doc: "reports to standard output" },
    Opt { short: "", long: &["no-redirect"], effect: Flag(|o| o.redirect = Some(false)), doc: "reports to standard error" },
    Opt { short: "", long: &["paginate"], effect: Flag(|o| o.paginate = Some(true)), doc: "reports on a terminal through the pager" },
    Opt { short: "P", long: &["no-pager"], effect: Flag(|o| o.paginate = Some(false)), doc: "reports as they are" },
    Opt { short: "", long: &["color", "colour"], effect: Attached(|o, v| o.colour = Some(if v.is_empty() { "always" } else { v }.to_owned())), doc: "colours: always, never, auto" },
    Opt { short: "", long: &["pin-versions"], effect: Flag(|o| o.pin_versions = true), doc: "restore exactly the saved versions" },
    Opt { short: "", long: &["locked"], effect: Flag(|o| o.locked = true), doc: "restore from a lock, refuse what has changed" },
    Opt { short: "", long: &["auto"], effect: Flag(|o| o.auto = Some(true)), doc: "load requirements, unload dependents by themselves" },
    Opt { short: "", long: &["no-auto"], effect: Flag(|o| o.auto = Some(false)), doc: "the opposite" },
    Opt { short: "", long: &["check"], effect: Flag(|o| o.check = true), doc: "freeze: only say whether it still holds" },
    Opt { short: "", long: &["expert"], effect: Flag(|o| { o.quiet = true; o.expert = true; }), doc: "quiet, and no look for near misses" },
    Opt { short: "", long: &["novice"], effect: Flag(|o| { o.quiet = false; o.expert = false; }), doc: "undo LMOD_QUIET and LMOD_EXPERT" },
    Opt { short: "T", long: &["trace"], effect: Flag(|o| o.verbosity = Some(Verbosity::Trace)), doc: "tell each step" },
    Opt { short: "", long: &["verbose"], effect: Flag(louder), doc: "tell each load and unload" },
    Opt { short: "", long: &["silent"], effect: Flag(|o| o.verbosity = Some(Verbosity::Silent)), doc: "tell nothing beside what was asked for" },
    Opt { short: "", long: &["check-syntax", "checkSyntax"], effect: Flag(|o| o.check_syntax = true), doc: "evaluate without effect, report mistakes" },
    Opt { short: "", long: &["config"], effect: Flag(|o| ask(o, Action::Config(Report::Text))), doc: "the settings and where they come from" },
    Opt { short: "", long: &["config-json"], effect: Flag(|o| ask(o, Action::Config(Report::Json))), doc: "the settings as JSON" },
    Opt { short: "", long: &["mt"], effect: Flag(|o| ask(o, Action::State)), doc: "the state of the session" },
    Opt { short: "", long: &["dumpversion"], effect: Flag(|o| ask(o, Action::Dump(Dump::Version))), doc: "the bare version" },
    Opt { short: "", long: &["gitversion"], effect: Flag(|o| ask(o, Action::Dump(Dump::GitVersion))), doc: "" },
    Opt { short: "", long: &["dumpname"], effect: Flag(|o| ask(o, Action::Dump(Dump::Name))), doc: "" },
    Opt { short: "", long: &["miniConfig"], effect: Flag(|o| ask(o, Action::Config(Report::Text))), doc: "" },
    Opt { short: "", long: &["initial-load"], effect: Flag(|o| o.initial_load = true), doc: "" },
    Opt { short: "", long: &["protected-vars"], effect: Flag(|o| o.protected_vars = true), doc: "" },
    Opt { short: "", long: &["regression-testing"], effect: Flag(|o| o.width = Some(80)), doc: "" },
    Opt { short: "", long: &["create", "human"], effect: Flag(|_| ()), doc: "" },
    Opt { short: "", long: &["userlvl"], effect: Value(|_, _| true), doc: "" },
    Opt { short: "D", long: &[], effect: Flag(deeper), doc: "" },
    Opt { short: "", long: &["debug"], effect: Value(|_, _| true), doc: "" },
    Opt { short: "", long: &["timer"], effect: Flag(|_| ()), doc: "" },
    Opt { short: "", long: &["spider-timeout"], effect: Value(|_, v| v.parse::<f64>().is_ok()), doc: "" },
];

/// The letters that mean something else in Environment Modules.
#[rustfmt::skip]
static MODULES_LETTERS: &[Opt] = &[
    Opt { short: "h", long: &[], effect: Flag(|o| ask(o, Action::Usage)), doc: "" },
    Opt { short: "V", long: &[], effect: Flag(|o| ask(o, Action::Version)), doc: "" },
    Opt { short: "v", long: &[], effect: Flag(louder), doc: "" },
    Opt { short: "s", long: &[], effect: Flag(|o| o.verbosity = Some(Verbosity::Silent)), doc: "" },
    Opt { short: "D", long: &[], effect: Flag(deeper), doc: "" },
];

/// `-v`, and `-vv`.
fn louder(options: &mut Options) {
    options.verbosity = Some(match options.verbosity {
        Some(Verbosity::Verbose) => Verbosity::Verbose2,
        _ => Verbosity::Verbose,
    });
}

/// `-D`, and `-DD`.
fn deeper(options: &mut Options) {
    options.verbosity = Some(match options.verbosity {
        Some(Verbosity::Debug) => Verbosity::Debug2,
        _ => Verbosity::Debug,
    });
}

/// Options of `use` alone.
#[rustfmt::skip]
static USE_OPTIONS: &[Opt] = &[
    Opt { short: "a", long: &["append"], effect: Flag(|o| o.append = true), doc: "use: put behind the others" },
    Opt { short: "p", long: &["prepend"], effect: Flag(|o| o.append = false), doc: "use: put in front (the rule)" },
    Opt { short: "", long: &["priority"], effect: Value(|o, v| v.parse().map(|p| o.priority = Some(p)).is_ok()), doc: "use: higher stays further in front" },
];

/// The options as the usage text shows them: spelling and what each does.
pub(super) fn described() -> Vec<(String, &'static str)> {
    OPTIONS
        .iter()
        .chain(USE_OPTIONS)
        .filter(|o| !o.doc.is_empty())
        .map(|o| {
            let short = o.short.chars().next().map(|c| format!("-{c}"));
            let long = o.long.first().map(|l| {
                let value = if matches!(o.effect, Value(_)) {
                    " V"
                } else {
                    ""
                };
                format!("--{l}{value}")
            });
            let spelling: Vec<String> = short.into_iter().chain(long).collect();
            (spelling.join(", "), o.doc)
        })
        .collect()
}

/// Whether a word is one of our short options, or a group of them: `-t`, `-td`.
pub(super) fn is_short(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|letters| {
        !letters.is_empty()
            && letters
                .split_once('=')
                .map_or(letters, |(l, _)| l)
                .chars()
                .all(|c| OPTIONS.iter().any(|o| o.short.contains(c)))
    })
}

/// Whether the word after this option is its value.
pub(super) fn wants_value(word: &str) -> bool {
    find(OPTIONS, word).is_some_and(|o| matches!(o.effect, Value(_)) && !word.contains('='))
}

fn find(table: &'static [Opt], word: &str) -> Option<&'static Opt> {
    let name = word.split('=').next().unwrap_or(word);
    if let Some(long) = name.strip_prefix("--") {
        let long = long.replace('_', "-");
        return table.iter().find(|o| o.long.contains(&long.as_str()));
    }
    let letter = name.strip_prefix('-')?.chars().last()?;
    table.iter().find(|o| o.short.contains(letter))
}

/// Remembers the first option that stands for an action.
fn ask(options: &mut Options, action: Action) {
    options.asked.get_or_insert(action);
}

/// Collects what options say, and what was odd about them.
#[derive(Default)]
pub(super) struct Reader {
    /// Whose single letters options are; Lmod's where nobody says.
    pub(super) letters: Option<OptionLetters>,
    pub(super) options: Options,
    pub(super) warnings: Vec<String>,
    /// Options that nobody knows.
    pub(super) unknown: Vec<String>,
}

impl Reader {
    /// Reads the options in front of the sub-command; gives the words from the first that is none.
    pub(super) fn take_leading<'a>(
        &mut self,
        words: &'a [String],
    ) -> Result<&'a [String], Diagnostic> {
        let mut index = 0;
        while let Some(word) = words.get(index) {
            if word == "--" {
                index += 1;
                break;
            }
            if !word.starts_with('-') || word == "-" {
                break;
            }
            index += 1;
            let mut used = self.take_letters(word);
            if used.is_none() {
                used = self.take(OPTIONS, word, words.get(index))?;
            }
            match used {
                Some(used) => index += used,
                None => self.unknown.push(word.clone()),
            }
        }
        Ok(&words[index..])
    }

    /// Reads the options after the sub-command; gives the other words.
    ///
    /// On `load` and its kind a single dash means unload, so only long options are options there.
    pub(super) fn take_anywhere(
        &mut self,
        subcommand: &Subcommand,
        words: &[String],
    ) -> Result<Vec<String>, Diagnostic> {
        let mut rest = Vec::new();
        let mut index = 0;
        while let Some(word) = words.get(index) {
            index += 1;
            if word == "--" {
                rest.extend_from_slice(&words[index..]);
                break;
            }
            let long = word.starts_with("--");
            if word == "-" || !word.starts_with('-') || (subcommand.takes == Words::Loads && !long)
            {
                rest.push(word.clone());
                continue;
            }
            let mut used = self.take_letters(word);
            if used.is_none() && subcommand.name == "use" {
                used = self.take(USE_OPTIONS, word, words.get(index))?;
            }
            if used.is_none() {
                used = self.take(OPTIONS, word, words.get(index))?;
            }
            match used {
                Some(used) => index += used,
                None if long => self.unknown.push(word.clone()),
                None => rest.push(word.clone()),
            }
        }
        Ok(rest)
    }

    /// Applies a group of letters that Environment Modules understands in its own way.
    fn take_letters(&mut self, word: &str) -> Option<usize> {
        let letters = word.strip_prefix('-')?;
        let option = |c: char| MODULES_LETTERS.iter().find(|o| o.short.contains(c));
        let own = self.letters == Some(OptionLetters::Modules)
            && !letters.is_empty()
            && letters.chars().all(|c| option(c).is_some());
        for option in letters.chars().filter(|_| own).filter_map(option) {
            if let Flag(set) = option.effect {
                set(&mut self.options);
            }
        }
        own.then_some(0)
    }

    /// Applies one option word. Gives how many of the following words were its value; `None` for an unknown option.
    fn take(
        &mut self,
        table: &'static [Opt],
        word: &str,
        next: Option<&String>,
    ) -> Result<Option<usize>, Diagnostic> {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        };
        if let Some(letters) = name.strip_prefix('-').filter(|l| !l.starts_with('-')) {
            let known = letters
                .chars()
                .all(|c| table.iter().any(|o| o.short.contains(c)));
            if !known {
                return Ok(None);
            }
            // All letters but the last stand alone.
            for letter in letters.chars().take(letters.chars().count() - 1) {
                if let Some(Opt {
                    effect: Flag(set), ..
                }) = table.iter().find(|o| o.short.contains(letter))
                {
                    set(&mut self.options);
                }
            }
        }
        let Some(option) = find(table, name) else {
            return Ok(None);
        };
        match option.effect {
            Flag(set) => {
                set(&mut self.options);
                Ok(Some(0))
            }
            Attached(set) => {
                set(&mut self.options, attached.unwrap_or_default());
                Ok(Some(0))
            }
            Value(set) => {
                let (value, used) = match (attached, next) {
                    (Some(value), _) => (value, 0),
                    (None, Some(value)) => (value.as_str(), 1),
                    (None, None) => {
                        return Err(Diagnostic::new(
                            Kind::Usage,
                            format!("the option `{name}` needs a value"),
                        ));
                    }
                };
                if !set(&mut self.options, value) {
                    return Err(Diagnostic::new(
                        Kind::Usage,
                        format!("`{value}` is not a value for the option `{name}`"),
                    ));
                }
                Ok(Some(used))
            }
        }
    }
}

/// Splits at blanks, where quotes keep blanks together: the syntax of `LMOD_OPTIONS`.
pub(super) fn split_quoted(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut begun = false;
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => word.push(c),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                begun = true;
            }
            None if c.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                    begun = false;
                }
            }
            None => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_blanks_together() {
        assert_eq!(split_quoted(r#" -t 'a b' "c d" "#), ["-t", "a b", "c d"]);
    }

    #[test]
    fn letters_can_be_grouped_and_values_attached() {
        let mut reader = Reader::default();
        let words = ["-tdw=60", "--ignore_cache", "avail"].map(str::to_owned);
        let rest = reader.take_leading(&words).unwrap();
        assert_eq!(rest, ["avail"]);
        let options = reader.options;
        assert!(options.terse && options.default_only && options.ignore_cache);
        assert_eq!(options.width, Some(60));
    }
}
