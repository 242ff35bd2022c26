//! The state in the environment: everything that `LOADEDMODULES`, `_LMFILES_` and the variables themselves do not tell,
//! in one variable that is as short as possible, because every later program gets a copy of the environment.
//!
//! The form: a version letter, then base64url of a checksum and a list of records. Modules are known by their place in
//! `LOADEDMODULES`, entries of paths by their place in the value, variables by three bytes of a hash; each of these is
//! checked when it is read, because the variables are the user's to change. Damaged text never fails: [`read`] says what
//! was lost and goes on with what the readable variables tell.
//!
//! A value of over [`PIECE`] bytes is split over several variables: the kernel refuses single strings over 128 KiB.

mod base64;
mod read;
mod write;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bstr::{BString, ByteSlice};

use super::fingerprint::fingerprint32;
use super::foreign;
use super::loaded::Module;
use super::path_list::PathRules;
use super::state::{FILES, LOADED, MODULEPATH, MODULEPATH_PRIORITY, State};
use crate::session::Environment;

pub(super) use base64::read as base64_read;
use read::decode;
pub use read::decode_any;
pub use write::encode;

/// The variable that holds the state; further pieces are called `__XMOD_STATE_1` and so on.
pub const VARIABLE: &str = "__XMOD_STATE";

/// Longest piece of the state that is put into one variable, in bytes.
pub const PIECE: usize = 100 << 10;

/// Most pieces that are read or written.
const MAX_PIECES: usize = 64;

/// The format of this version.
const VERSION: u8 = b'1';

/// What could not be read from the environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// The state is missing although modules are loaded.
    #[error("the state of the loaded modules is missing from the environment")]
    Missing,
    /// The state is damaged or cut off.
    #[error("the state of the loaded modules in the environment is damaged")]
    Damaged,
    /// The state was written by a newer version.
    #[error("the state of the loaded modules was written by a newer version")]
    Newer,
    /// The two readable variables disagree.
    #[error("`LOADEDMODULES` names {names} modules and `_LMFILES_` {files} files")]
    Disagree {
        /// How many names.
        names: usize,
        /// How many files.
        files: usize,
    },
}

/// Reads the state of a session from its environment, with what was lost.
pub fn read(env: &Environment, rules: PathRules) -> (State<'_>, Option<Loss>) {
    let mut state = State::new(env, rules);
    let (modules, mut loss) = readable(env);
    let packed = match text(env) {
        None => Err(Loss::Missing),
        Some(text) => decode(&text, env, modules),
    };
    match packed {
        Ok(packed) => {
            packed.give_to(&mut state);
            if loss.is_none() {
                state.note_written();
            }
            // Another system has gone on with the session: it knows more of the modules that it loaded.
            foreign::complete(env, rules, &mut state);
        }
        Err(lost) => {
            let (modules, _) = readable(env);
            let modules = match lost {
                Loss::Missing => foreign::take_over(env, modules, rules, &mut state),
                _ => Err(modules),
            };
            if let Err(modules) = modules {
                if !(modules.is_empty() && lost == Loss::Missing) {
                    loss = Some(lost);
                }
                for module in modules {
                    state.loaded.push(module);
                }
            }
        }
    }
    (state, loss)
}

/// The modules that the readable variables name, numbered from 1.
fn readable(env: &Environment) -> (Vec<Module>, Option<Loss>) {
    let list = |name: &str| -> Vec<Cow<'_, str>> {
        let value = env.get(name.as_bytes().as_bstr());
        let pieces = value.map(|value| value.split_str(":").map(|piece| piece.to_str_lossy()));
        pieces.map(Iterator::collect).unwrap_or_default()
    };
    let mut names = list(LOADED);
    let mut files = list(FILES);
    // A module whose file nobody knows has an empty place in the second list.
    names.retain(|name| !name.is_empty());
    if names.len() != files.len() {
        files.retain(|file| !file.is_empty());
    }
    if names.len() == files.len() {
        let modules = names.iter().zip(&files).zip(1..);
        return (
            modules
                .map(|((name, file), id)| Module::bare(id, name, file))
                .collect(),
            None,
        );
    }
    // Each name takes the file that ends in it.
    let loss = Loss::Disagree {
        names: names.len(),
        files: files.len(),
    };
    let modules = names.iter().zip(1..).map(|(name, id)| {
        let own = |file: &&Cow<'_, str>| Module::modulepath_of((&***file).into(), name).is_some();
        Module::bare(id, name, files.iter().find(own).map_or("", |file| &**file))
    });
    (modules.collect(), Some(loss))
}

/// The pieces of the state, joined.
fn text(env: &Environment) -> Option<BString> {
    let first = env.get(VARIABLE.as_bytes().as_bstr())?;
    let mut text = first.clone();
    for number in 1..MAX_PIECES {
        match env.get(piece_name(number).as_bytes().as_bstr()) {
            Some(piece) => text.extend_from_slice(piece),
            None => break,
        }
    }
    Some(text)
}

fn piece_name(number: usize) -> String {
    match number {
        0 => VARIABLE.to_owned(),
        _ => format!("{VARIABLE}_{number}"),
    }
}

impl State<'_> {
    /// Writes what other requests and other programs have to know into variables. Called once, at the end.
    pub fn seal(&mut self) {
        if self.is_as_written() && self.foreign_names().is_empty() {
            return;
        }
        let join =
            |pieces: Vec<&str>| (!pieces.is_empty()).then(|| BString::from(pieces.join(":")));
        let active = self.loaded.active();
        let names = join(active.iter().map(|m| m.full_name.as_str()).collect());
        let files = join(active.iter().map(|m| m.file.as_str()).collect());
        self.set(LOADED, names);
        self.set(FILES, files);
        self.seal_priority();
        for name in self.foreign_names() {
            self.set(&name, None);
        }
        let text = encode(self);
        let mut pieces = text.chunks(PIECE);
        for number in 0..MAX_PIECES {
            let name = piece_name(number);
            match pieces.next() {
                Some(piece) => self.set(&name, Some(piece.into())),
                None if self.var(&name).is_some() => self.set(&name, None),
                None => break,
            }
        }
    }

    /// Tells other programs which directories of `MODULEPATH` have a priority: some edit the variable themselves unless
    /// there are any.
    fn seal_priority(&mut self) {
        let Some((_, list)) = self
            .split_paths()
            .find(|(name, _)| name.as_str() == MODULEPATH)
        else {
            return;
        };
        let priorities: Vec<String> = list
            .entries()
            .filter(|e| e.priority != 0)
            .map(|e| format!("{}:{}", e.text, e.priority))
            .collect();
        let value = (!priorities.is_empty()).then(|| BString::from(priorities.join(";")));
        self.set(MODULEPATH_PRIORITY, value);
    }
}

/// Tells whether the readable variables still are what the state was written for.
fn list_hash<'a>(modules: impl Iterator<Item = (&'a str, &'a str)>) -> [u8; 4] {
    let mut bytes = Vec::new();
    for (name, file) in modules {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(file.as_bytes());
        bytes.push(0);
    }
    fingerprint32(&bytes).to_le_bytes()
}

const REQUESTED_FULL: u8 = 1;
const REQUESTED_NAME: u8 = 2;
const AUTO: u8 = 4;
const DEEP: u8 = 8;
const EXTRAS: u8 = 16;
const ODD_NAME: u8 = 32;
const ODD_MODULEPATH: u8 = 64;
const JOURNAL: u8 = 128;

/// Where the name ends in most full names.
fn usual_name_len(full_name: &str) -> usize {
    full_name.rfind('/').unwrap_or(full_name.len())
}
