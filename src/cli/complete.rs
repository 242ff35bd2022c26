//! `xmod SHELL --complete WORDS`: what the last word can become. Asked by the completion functions in `shell/completions`.
//!
//! **Protocol.** `WORDS` are those of the command line, from the name of the command (`module` or `ml`) to the word at the
//! cursor, which is the last one and may be empty. The answer is one candidate a line on standard output, each a whole word. A
//! candidate that ends in `/` goes on. The status is 0 and nothing is said on standard error: nobody could read it.
//! `--complete-line` takes the line up to the cursor as one argument, for shells that cannot pass words (tcsh);
//! `--complete-described` answers with a tab and a description behind the word, for those that show it (fish).
//!
//! Modules are completed directory by directory, as file names are, so that one answer costs one directory per modulepath,
//! whatever the size of the tree. Nothing is evaluated; what only an rc file hides is offered too.

use bstr::{BString, ByteSlice};
use camino::{Utf8Path, Utf8PathBuf};

use super::options;
use crate::collection;
use crate::command::table::{self, SUBCOMMANDS};
use crate::command::{Outcome, Words, modulespath};
use crate::config::Config;
use crate::modulefile::Language;
use crate::session::Session;
use crate::tree::{EntryKind, each_entry, module_part};

/// What a completion function can send and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Words in, words out.
    Words,
    /// One line in, words out.
    Line,
    /// Words in, words with descriptions out.
    Described,
}

impl Protocol {
    /// The protocol that an option asks for.
    pub(super) fn find(option: &[u8]) -> Option<Protocol> {
        match option {
            b"--complete" => Some(Protocol::Words),
            b"--complete-line" => Some(Protocol::Line),
            b"--complete-described" => Some(Protocol::Described),
            _ => None,
        }
    }
}

/// Answers a completion function.
pub(super) fn run(
    session: &Session,
    config: &Config,
    protocol: Protocol,
    args: &[BString],
) -> Outcome {
    let words: Vec<String> = match (protocol, args) {
        (Protocol::Line, [line]) => line
            .to_str_lossy()
            .trim_start()
            .split(char::is_whitespace)
            .map(str::to_owned)
            .collect(),
        (_, words) => words.iter().map(ToString::to_string).collect(),
    };
    let completion = Completion { session, config };
    let mut stdout = String::new();
    for (word, description) in completion.candidates(&words) {
        // A name with a line end could only confuse the shell.
        if word.contains(char::is_control) {
            continue;
        }
        stdout.push_str(&word);
        if protocol == Protocol::Described && !description.is_empty() {
            stdout.push('\t');
            stdout.push_str(description);
        }
        stdout.push('\n');
    }
    Outcome {
        stdout: stdout.into_bytes(),
        ..Outcome::default()
    }
}

/// A word and what it means; the meaning may be empty.
type Candidate = (String, &'static str);

struct Completion<'a> {
    session: &'a Session,
    config: &'a Config,
}

impl Completion<'_> {
    fn candidates(&self, line: &[String]) -> Vec<Candidate> {
        let (Some(command), Some(last)) = (line.first(), line.last()) else {
            return Vec::new();
        };
        if line.len() < 2 {
            return Vec::new();
        }
        let is_ml = command.ends_with("ml");
        let given = &line[1..line.len() - 1];
        let subcommand = given
            .iter()
            .find(|word| !word.starts_with('-'))
            .and_then(|word| table::find(word));
        let mut found = match subcommand {
            Some(subcommand) => self.words(subcommand.takes, last),
            None if is_ml => {
                let mut found = self.words(Words::Loads, last);
                found.extend(subcommands(last));
                found
            }
            None => subcommands(last),
        };
        if last.starts_with('-') && !matches!(subcommand.map(|s| s.takes), Some(Words::Loads)) {
            found.extend(spellings(last));
        }
        found
    }

    fn words(&self, takes: Words, last: &str) -> Vec<Candidate> {
        match takes {
            Words::Loads => match last.strip_prefix('-') {
                Some(name) => plain(self.loaded(name).map(|name| format!("-{name}"))),
                None => plain(self.modules(last).into_iter()),
            },
            Words::Modules | Words::Patterns => plain(self.modules(last).into_iter()),
            Words::Loaded => plain(self.loaded(last)),
            Words::Collections => plain(
                collection::names(self.session, self.config)
                    .into_iter()
                    .filter(|name| name.starts_with(last)),
            ),
            Words::Modulepaths => plain(
                self.modulepaths()
                    .map(Utf8PathBuf::into_string)
                    .filter(|dir| dir.starts_with(last)),
            ),
            Words::Exchange => {
                let mut found = plain(self.loaded(last));
                found.extend(plain(self.modules(last).into_iter()));
                found
            }
            // Directories are what shells complete by themselves.
            Words::Directories | Words::Nothing | Words::Any => Vec::new(),
        }
    }

    /// Loaded modules whose full name begins with `start`.
    fn loaded<'a>(&'a self, start: &'a str) -> impl Iterator<Item = String> + 'a {
        self.session
            .text("LOADEDMODULES")
            .unwrap_or_default()
            .split(':')
            .filter(move |name| !name.is_empty() && name.starts_with(start))
            .map(str::to_owned)
    }

    /// The directories of MODULEPATH.
    fn modulepaths(&self) -> impl Iterator<Item = Utf8PathBuf> {
        modulespath::of_session(self.session, self.config)
            .into_iter()
            .filter(|dir| dir.is_absolute())
    }

    /// Names of modules and of directories of modules that begin with `start`, sorted.
    fn modules(&self, start: &str) -> Vec<String> {
        let (dir, begin) = match start.rsplit_once('/') {
            Some((dir, begin)) => (dir, begin),
            None => ("", start),
        };
        if start.starts_with('/') || dir.split('/').any(|part| part == "..") {
            return Vec::new();
        }
        let prefix = &start[..start.len() - begin.len()];
        let mut found = Vec::new();
        for root in self.modulepaths() {
            let path = root.join(dir);
            let (mut dirs, mut files) = (Vec::new(), Vec::new());
            // What cannot be read offers nothing.
            let _ = each_entry(&path, self.config.default_links, |name, kind| {
                let hidden = name.starts_with('.') && !begin.starts_with('.');
                if hidden || !name.starts_with(begin) {
                    return;
                }
                match kind {
                    EntryKind::Dir | EntryKind::LinkedDir => {
                        dirs.push([prefix, name, "/"].concat());
                    }
                    EntryKind::File if is_modulefile(&path, name) => {
                        files.push([prefix, module_part(name)].concat());
                    }
                    EntryKind::File | EntryKind::Marker => {}
                }
            });
            dirs.sort_unstable();
            // A directory hides a file of the same name.
            files.retain(|file| dirs.binary_search(&format!("{file}/")).is_err());
            found.append(&mut dirs);
            found.append(&mut files);
        }
        // Mostly one run that is in order.
        found.sort();
        found.dedup();
        // `gcc` alone is no help: its versions are.
        match found.as_slice() {
            [only] if only.ends_with('/') && dir.is_empty() => {
                let only = only.clone();
                let versions = self.modules(&only);
                if versions.is_empty() { found } else { versions }
            }
            _ => found,
        }
    }
}

/// Whether a file is a modulefile: its name tells, or its first bytes.
fn is_modulefile(dir: &Utf8Path, name: &str) -> bool {
    Language::of_name(name).is_some() || has_cookie(&dir.join(name))
}

/// Whether a file begins as Tcl modulefiles do.
fn has_cookie(path: &Utf8Path) -> bool {
    use std::io::Read;
    let mut start = [0; 8];
    std::fs::File::open(path)
        .and_then(|mut file| file.read_exact(&mut start))
        .is_ok()
        && &start == b"#%Module"
}

/// Sub-commands that begin with `start`: their usual names, others where none of those fits.
fn subcommands(start: &str) -> Vec<Candidate> {
    let usual: Vec<Candidate> = SUBCOMMANDS
        .iter()
        .filter(|s| s.name.starts_with(start))
        .map(|s| (s.name.to_owned(), s.doc))
        .collect();
    if !usual.is_empty() {
        return usual;
    }
    SUBCOMMANDS
        .iter()
        .flat_map(|s| s.words.iter().map(|(word, _)| (*word, s.doc)))
        .filter(|(word, _)| word.starts_with(start))
        .map(|(word, doc)| (word.to_owned(), doc))
        .collect()
}

/// Options that begin with `start`, in each of their spellings.
fn spellings(start: &str) -> Vec<Candidate> {
    options::described()
        .into_iter()
        .flat_map(|(spelling, doc)| {
            spelling
                .split(", ")
                .map(|one| (one.split(' ').next().unwrap_or(one).to_owned(), doc))
                .collect::<Vec<_>>()
        })
        .filter(|(spelling, _)| spelling.starts_with(start))
        .collect()
}

fn plain(words: impl Iterator<Item = String>) -> Vec<Candidate> {
    words.map(|word| (word, "")).collect()
}
