//! `ml`: the short form of `module`, rewritten to it.
//!
//! Source: Lmod user guide, "ml: a convenient tool".

use super::options;
use crate::command::table;
use crate::diag::Diagnostic;

/// Words that begin a sub-command of `ml`; other words are names of modules, as in Lmod, where `ml display` loads a
/// module called `display`.
const NOT_FOR_ML: &[&str] = &[
    "display", "erase", "reload", "remove", "isLoaded", "load-any",
];

/// Turns the words after `ml` into words for `module`.
///
/// # Errors
/// An option lacks its value.
pub(super) fn rewrite(words: &[String]) -> Result<Vec<String>, Diagnostic> {
    let mut before = Vec::new();
    let mut names: Vec<String> = Vec::new();
    let mut rest = words.iter();
    let mut options_over = false;
    while let Some(word) = rest.next() {
        if options_over {
            names.push(word.clone());
        } else if word == "--" {
            options_over = true;
        } else if word.starts_with("--") || (names.is_empty() && options::is_short(word)) {
            before.push(word.clone());
            if options::wants_value(word)
                && let Some(value) = rest.next()
            {
                before.push(value.clone());
            }
        } else if !word.starts_with('-') && is_subcommand(word) {
            before.push(word.clone());
            before.extend(names);
            before.extend(rest.cloned());
            return Ok(before);
        } else {
            names.push(word.clone());
        }
    }
    if names.is_empty() {
        before.push("list".to_owned());
    } else {
        before.push("load".to_owned());
        before.extend(names);
    }
    Ok(before)
}

/// Whether `ml` takes the word as a sub-command: it must be spelt out, else names of modules would be lost.
fn is_subcommand(word: &str) -> bool {
    const SHORT: &[&str] = &[
        "av", "cat", "del", "gd", "key", "ld", "mcc", "ov", "r", "rm", "s", "sd", "sl", "sw",
    ];
    if NOT_FOR_ML.contains(&word) {
        return false;
    }
    SHORT.contains(&word)
        || table::SUBCOMMANDS
            .iter()
            .any(|s| s.words.iter().any(|(name, _)| *name == word))
}
