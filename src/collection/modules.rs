//! The form of Environment Modules: one `module use` for each directory, one `module load` for each module.
//!
//! Source: `module(1)` "Collections".

use super::{Collection, Saved, lines};
use crate::config::Config;

/// Reads a collection; lines that are none of its own are left out.
pub(super) fn read(text: &[u8]) -> Option<Collection> {
    let mut collection = Collection::default();
    let mut understood = text.iter().all(u8::is_ascii_whitespace);
    for line in lines(text) {
        let words = split(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["module", "use", rest @ ..] => {
                understood = true;
                read_use(&mut collection, rest);
            }
            ["module", "load", rest @ ..] => {
                understood = true;
                read_load(&mut collection, rest);
            }
            _ => {}
        }
    }
    understood.then_some(collection)
}

fn read_use(collection: &mut Collection, words: &[&str]) {
    let mut front = true;
    for word in words {
        match *word {
            "-a" | "--append" | "-append" => front = false,
            "-p" | "--prepend" | "-prepend" => front = true,
            dir if front => collection.modulepath.insert(0, (dir.to_owned(), 0)),
            dir => collection.modulepath.push((dir.to_owned(), 0)),
        }
    }
}

fn read_load(collection: &mut Collection, words: &[&str]) {
    let mut tags: Vec<String> = Vec::new();
    for word in words {
        if let Some(list) = word.strip_prefix("--tag=") {
            tags.extend(list.split(':').map(str::to_owned));
        } else if *word == "--notuasked" {
            tags.push("auto-loaded".to_owned());
        } else if let Some((name, value)) = variant(word)
            && let Some(module) = collection.modules.last_mut()
        {
            module.variants.push((name, value));
        } else {
            let auto = tags.iter().any(|tag| tag == "auto-loaded");
            let mut tags = tags.clone();
            tags.retain(|tag| tag != "auto-loaded");
            collection.modules.push(Saved {
                requested: (*word).to_owned(),
                auto,
                depth: u32::from(auto),
                tags,
                ..Saved::default()
            });
        }
    }
}

fn variant(word: &str) -> Option<(String, String)> {
    if let Some((name, value)) = word.split_once('=') {
        return Some((name.to_owned(), value.to_owned()));
    }
    let value = match word.chars().next()? {
        '+' => "1",
        '-' | '~' => "0",
        _ => return None,
    };
    Some((word[1..].to_owned(), value.to_owned()))
}

/// Words are separated by blanks; those with blanks stand in braces.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
            Some(braced) => braced,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// Writes a collection.
pub(super) fn write(collection: &Collection, config: &Config) -> String {
    let mut out = String::new();
    // What rc files and modulefiles tag they will tag again.
    let tags_of = |module: &Saved| {
        let mut tags = match config.pin_tags {
            true => module.tags.clone(),
            false => module.own_tags.clone(),
        };
        tags.retain(|tag| tag != "nearly-forbidden");
        if module.auto {
            tags.insert(0, "auto-loaded".to_owned());
        }
        tags
    };
    if collection.modules.iter().any(|m| !tags_of(m).is_empty()) {
        out.push_str("#%Module5.1\n");
    }
    for (dir, _) in &collection.modulepath {
        out.push_str(&format!("module use --append {}\n", braced(dir)));
    }
    for module in &collection.modules {
        let tags = tags_of(module);
        let name = if config.pin_versions && !module.full_name.is_empty() {
            &module.full_name
        } else {
            &module.requested
        };
        out.push_str("module load ");
        if !tags.is_empty() {
            out.push_str(&format!("--tag={} ", tags.join(":")));
        }
        out.push_str(&braced(name));
        for (name, value) in &module.variants {
            let word = match value.as_str() {
                "1" => format!("+{name}"),
                "0" => format!("-{name}"),
                value => format!("{name}={value}"),
            };
            out.push_str(&format!(" {}", braced(&word)));
        }
        out.push('\n');
    }
    out.push('\n');
    out
}

fn braced(word: &str) -> String {
    if word.contains(char::is_whitespace) {
        format!("{{{word}}}")
    } else {
        word.to_owned()
    }
}
