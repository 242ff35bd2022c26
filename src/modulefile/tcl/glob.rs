//! Tcl's `glob`: files whose names match patterns.
//!
//! `*`, `?`, `[abc]` and `\x` are those of `string match`, but a leading dot must be matched by a dot; `{a,b}` stands for
//! either. Tcl leaves the order open; here the names of each pattern are sorted, so that the same site gives the same answer.
//! Source: Tcl manual, glob(n).

use super::path::{self, Surroundings};
use super::pattern::{Case, string_match};
use nix::unistd::AccessFlags;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;

/// Most spellings which the braces of one pattern may stand for.
const MAX_SPELLINGS: usize = 10_000;
/// Most directory entries looked at.
const MAX_ENTRIES: usize = 2_000_000;

const OPTIONS: [&str; 7] = [
    "-directory",
    "-join",
    "-nocomplain",
    "-path",
    "-tails",
    "-types",
    "--",
];

/// What `glob` was asked for.
#[derive(Debug, Default)]
pub(crate) struct Request {
    patterns: Vec<Vec<u8>>,
    place: Place,
    complain: bool,
    tails: bool,
    types: Types,
}

/// Where patterns begin.
#[derive(Debug, Default, PartialEq)]
enum Place {
    #[default]
    Here,
    Directory(Vec<u8>),
    /// The beginning of the names, which is no pattern.
    Prefix(Vec<u8>),
}

/// Which kinds of file are wanted; all when none is named.
#[derive(Debug, Default)]
struct Types {
    kinds: Vec<u8>,
    access: Vec<u8>,
    hidden: bool,
    readonly: bool,
}

impl Request {
    /// Reads the arguments of `glob`; `split_list` takes the value of `-types` apart.
    ///
    /// # Errors
    /// Tcl's text.
    pub(crate) fn parse(
        arguments: &[&[u8]],
        split_list: impl Fn(&[u8]) -> Result<Vec<Vec<u8>>, Vec<u8>>,
    ) -> Result<Self, Vec<u8>> {
        let mut request = Self {
            complain: true,
            ..Self::default()
        };
        let mut join = false;
        let mut rest = arguments.iter();
        let mut patterns: Vec<&[u8]> = Vec::new();
        while let Some(&argument) = rest.next() {
            if argument.first() != Some(&b'-') {
                patterns.push(argument);
                break;
            }
            let option = option_named(argument)?;
            let mut value = || {
                rest.next()
                    .copied()
                    .ok_or_else(|| message(&[b"missing argument to \"", argument, b"\""]))
            };
            match option {
                "-directory" => {
                    let value = value()?;
                    if request.place != Place::Here {
                        return Err(b"\"-directory\" cannot be used with \"-path\"".to_vec());
                    }
                    request.place = Place::Directory(value.to_vec());
                }
                "-path" => {
                    let value = value()?;
                    if request.place != Place::Here {
                        // Tcl means -directory.
                        return Err(b"\"-path\" cannot be used with \"-dictionary\"".to_vec());
                    }
                    request.place = Place::Prefix(value.to_vec());
                }
                "-types" => request.types = Types::parse(&split_list(value()?)?)?,
                "-join" => join = true,
                "-nocomplain" => request.complain = false,
                "-tails" => request.tails = true,
                _ => break,
            }
        }
        patterns.extend(rest);
        if request.tails && request.place == Place::Here {
            return Err(
                b"\"-tails\" must be used with either \"-directory\" or \"-path\"".to_vec(),
            );
        }
        request.patterns = match join {
            true => vec![patterns.join(&b'/')],
            false => patterns.iter().map(|pattern| pattern.to_vec()).collect(),
        };
        Ok(request)
    }

    /// Finds the files.
    ///
    /// # Errors
    /// Tcl's text, among others when nothing is found and that was not allowed.
    pub(crate) fn run(&self, around: &impl Surroundings) -> Result<Vec<Vec<u8>>, Vec<u8>> {
        let base = match &self.place {
            Place::Here => Vec::new(),
            Place::Directory(directory) => path::expand(directory, around)?.into_owned(),
            Place::Prefix(prefix) => path::expand(prefix, around)?.into_owned(),
        };
        let (directory, stem) = match &self.place {
            Place::Prefix(_) => base.split_at(
                base.iter()
                    .rposition(|&b| b == b'/')
                    .map_or(0, |slash| slash + 1),
            ),
            _ => (&base[..], &b""[..]),
        };
        let stem = escape(stem);
        let mut search = Search {
            types: &self.types,
            around,
            found: Vec::new(),
            entries: 0,
        };
        for pattern in &self.patterns {
            for spelling in spellings(pattern)? {
                let spelling = [&stem[..], &spelling].concat();
                let spelling = match &self.place {
                    Place::Here => tilde(spelling, around)?,
                    _ => spelling,
                };
                let from = search.found.len();
                search.start(directory, &spelling)?;
                search.found[from..].sort();
            }
        }
        if search.found.is_empty() && self.complain {
            let plural: &[u8] = if self.patterns.len() == 1 { b"" } else { b"s" };
            let patterns = self.patterns.join(&b' ');
            return Err(message(&[
                b"no files matched glob pattern",
                plural,
                b" \"",
                &patterns,
                b"\"",
            ]));
        }
        if self.tails {
            let slash = usize::from(!directory.is_empty() && !directory.ends_with(b"/"));
            search
                .found
                .iter_mut()
                .for_each(|name| drop(name.drain(..(directory.len() + slash).min(name.len()))));
        }
        Ok(search.found)
    }
}

fn message(pieces: &[&[u8]]) -> Vec<u8> {
    pieces.concat()
}

/// The option which the argument is, or the only one it abbreviates.
fn option_named(argument: &[u8]) -> Result<&'static str, Vec<u8>> {
    let mut near = OPTIONS
        .into_iter()
        .filter(|option| option.as_bytes().starts_with(argument));
    let found = OPTIONS
        .into_iter()
        .find(|option| option.as_bytes() == argument)
        .or_else(|| near.next());
    match (found, near.next()) {
        (Some(option), None) => Ok(option),
        (Some(option), _) if option.as_bytes() == argument => Ok(option),
        (found, _) => {
            let what: &[u8] = if found.is_some() {
                b"ambiguous"
            } else {
                b"bad"
            };
            let choice: &[u8] =
                b"\": must be -directory, -join, -nocomplain, -path, -tails, -types, or --";
            Err(message(&[what, b" option \"", argument, choice]))
        }
    }
}

impl Types {
    fn parse(names: &[Vec<u8>]) -> Result<Self, Vec<u8>> {
        let mut types = Self::default();
        for name in names {
            match &name[..] {
                [kind @ (b'b' | b'c' | b'd' | b'f' | b'l' | b'p' | b's')] => {
                    types.kinds.push(*kind)
                }
                [access @ (b'r' | b'w' | b'x')] => types.access.push(*access),
                b"hidden" => types.hidden = true,
                b"readonly" => types.readonly = true,
                _ => return Err(message(&[b"bad argument to \"-types\": ", name])),
            }
        }
        Ok(types)
    }

    fn wants(&self, file: &OsStr) -> bool {
        let may = |flag| nix::unistd::access(file, flag).is_ok();
        let allowed = self.access.iter().all(|access| match access {
            b'r' => may(AccessFlags::R_OK),
            b'w' => may(AccessFlags::W_OK),
            _ => may(AccessFlags::X_OK),
        });
        if !allowed || self.readonly && may(AccessFlags::W_OK) {
            return false;
        }
        self.kinds.is_empty() || self.wants_kind(file)
    }

    fn wants_kind(&self, file: &OsStr) -> bool {
        let target = fs::metadata(file).ok();
        let is = |test: fn(&Metadata) -> bool| target.as_ref().is_some_and(test);
        self.kinds.iter().any(|kind| match kind {
            b'b' => is(|m| m.file_type().is_block_device()),
            b'c' => is(|m| m.file_type().is_char_device()),
            b'd' => is(Metadata::is_dir),
            b'f' => is(Metadata::is_file),
            b'p' => is(|m| m.file_type().is_fifo()),
            b's' => is(|m| m.file_type().is_socket()),
            _ => fs::symlink_metadata(file).is_ok_and(|m| m.file_type().is_symlink()),
        })
    }
}

/// Expands a tilde at the beginning; the home is not a pattern.
fn tilde(spelling: Vec<u8>, around: &impl Surroundings) -> Result<Vec<u8>, Vec<u8>> {
    if spelling.first() != Some(&b'~') {
        return Ok(spelling);
    }
    let end = spelling
        .iter()
        .position(|&b| b == b'/')
        .unwrap_or(spelling.len());
    let home = path::expand(&spelling[..end], around)?;
    Ok([&escape(&home)[..], &spelling[end..]].concat())
}

/// Writes a name so that it matches itself only.
fn escape(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len());
    for &byte in name {
        if b"*?[]{}\\".contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

/// All patterns which a pattern with braces stands for, in order.
fn spellings(pattern: &[u8]) -> Result<Vec<Vec<u8>>, Vec<u8>> {
    let mut done = Vec::new();
    // Patterns whose braces begin at or behind the given place, the next one last.
    let mut open = vec![(pattern.to_vec(), 0)];
    while let Some((pattern, from)) = open.pop() {
        if done.len() + open.len() > MAX_SPELLINGS {
            return Err(b"too many alternatives in file name".to_vec());
        }
        let Some(start) = find_unescaped(&pattern, from, b"{}") else {
            done.push(pattern);
            continue;
        };
        if pattern[start] == b'}' {
            return Err(b"unmatched close-brace in file name".to_vec());
        }
        let (choices, end) = choices(&pattern, start + 1)
            .ok_or_else(|| b"unmatched open-brace in file name".to_vec())?;
        for choice in choices.into_iter().rev() {
            open.push(([&pattern[..start], choice, &pattern[end..]].concat(), start));
        }
    }
    Ok(done)
}

/// The place of the first of `wanted` which has no backslash before it.
fn find_unescaped(pattern: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let mut at = from;
    while let Some(&byte) = pattern.get(at) {
        match byte {
            b'\\' => at += 1,
            _ if wanted.contains(&byte) => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The alternatives of a brace group that begins at `start`, and the place behind its `}`.
fn choices(pattern: &[u8], start: usize) -> Option<(Vec<&[u8]>, usize)> {
    let mut choices = Vec::new();
    let (mut depth, mut at, mut begin) = (0, start, start);
    loop {
        at = find_unescaped(pattern, at, b"{,}")?;
        match pattern[at] {
            b'{' => depth += 1,
            b'}' if depth > 0 => depth -= 1,
            b',' if depth > 0 => {}
            mark => {
                choices.push(&pattern[begin..at]);
                begin = at + 1;
                if mark == b'}' {
                    return Some((choices, at + 1));
                }
            }
        }
        at += 1;
    }
}

/// A search under way.
struct Search<'a, S> {
    types: &'a Types,
    around: &'a S,
    found: Vec<Vec<u8>>,
    entries: usize,
}

impl<S: Surroundings> Search<'_, S> {
    /// Searches below `directory`, or where the pattern itself begins.
    fn start(&mut self, directory: &[u8], pattern: &[u8]) -> Result<(), Vec<u8>> {
        let absolute = directory.is_empty() && pattern.first() == Some(&b'/');
        let parts: Vec<&[u8]> = pattern
            .split(|&b| b == b'/')
            .filter(|part| !part.is_empty())
            .collect();
        let as_directory = pattern.ends_with(b"/") && !parts.is_empty();
        let base = if absolute {
            b"/".to_vec()
        } else {
            directory.to_vec()
        };
        if parts.is_empty() {
            let name = if base.is_empty() { b".".to_vec() } else { base };
            return self.offer(name, pattern.ends_with(b"/") && !absolute);
        }
        self.descend(base, &parts, as_directory)
    }

    fn descend(
        &mut self,
        base: Vec<u8>,
        parts: &[&[u8]],
        as_directory: bool,
    ) -> Result<(), Vec<u8>> {
        let Some((&part, rest)) = parts.split_first() else {
            return self.offer(base, as_directory);
        };
        if !part.iter().any(|b| b"*?[".contains(b)) {
            let name = unescape(part);
            let unwanted = self.types.hidden && rest.is_empty() && name.first() != Some(&b'.');
            if name.is_empty() || unwanted {
                return Ok(());
            }
            return self.descend(below(&base, &name), rest, as_directory);
        }
        let file = self.real_name(&base)?;
        let Ok(entries) = fs::read_dir(OsStr::from_bytes(&file)) else {
            return Ok(());
        };
        let wants_hidden = part.starts_with(b".")
            || part.starts_with(b"\\.")
            || self.types.hidden && rest.is_empty();
        let mut names: Vec<Vec<u8>> = entries
            .filter_map(|entry| {
                entry
                    .ok()
                    .map(|entry| entry.file_name().into_encoded_bytes())
            })
            .collect();
        if wants_hidden {
            names.extend([b".".to_vec(), b"..".to_vec()]);
        }
        self.entries += names.len();
        if self.entries > MAX_ENTRIES {
            return Err(b"too many files for a glob pattern".to_vec());
        }
        names.sort();
        for name in names {
            let is_hidden = name.starts_with(b".");
            let visible = match self.types.hidden && rest.is_empty() {
                true => is_hidden,
                false => !is_hidden || wants_hidden,
            };
            if visible && string_match(part, &name, Case::Sensitive) {
                self.descend(below(&base, &name), rest, as_directory)?;
            }
        }
        Ok(())
    }

    /// Takes a finished name if there is such a file of a wanted kind.
    fn offer(&mut self, mut name: Vec<u8>, as_directory: bool) -> Result<(), Vec<u8>> {
        let file = self.real_name(&name)?;
        let file = OsStr::from_bytes(&file);
        let exists = match as_directory {
            true => fs::metadata(file).is_ok_and(|m| m.is_dir()),
            false => fs::symlink_metadata(file).is_ok(),
        };
        if exists && self.types.wants(file) {
            if as_directory {
                name.push(b'/');
            }
            self.found.push(name);
        }
        Ok(())
    }

    /// The name as seen from the root.
    fn real_name(&self, name: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
        if name.first() == Some(&b'/') {
            return Ok(name.to_vec());
        }
        Ok(below(&self.around.directory()?, name))
    }
}

fn below(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if directory.is_empty() || directory.ends_with(b"/") {
        b""
    } else {
        b"/"
    };
    [directory, slash, name].concat()
}

fn unescape(part: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(part.len());
    let mut bytes = part.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            _ => out.push(byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulefile::tcl::oracle::{self, Oracle, Random};

    struct World(Vec<u8>);

    impl Surroundings for World {
        fn home(&self, _: Option<&[u8]>) -> Option<Vec<u8>> {
            None
        }

        fn directory(&self) -> Result<Vec<u8>, Vec<u8>> {
            Ok(self.0.clone())
        }

        fn link(&self, _: &[u8]) -> Option<Vec<u8>> {
            None
        }

        fn real(&self, _: &[u8]) -> Option<Vec<u8>> {
            None
        }
    }

    fn site() -> (tempfile::TempDir, World) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        for name in ["a/b", ".h/x", "c"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        for name in [
            "a/1.tcl", "a/2.lua", "a/.hid", "c/1.tcl", "z.txt", "s p", "x[y", "b{c", "back\\s",
        ] {
            fs::write(root.join(name), "").unwrap();
        }
        std::os::unix::fs::symlink("a", root.join("l")).unwrap();
        std::os::unix::fs::symlink("nowhere", root.join("dangling")).unwrap();
        let root = root.into_os_string().into_encoded_bytes();
        (directory, World(root))
    }

    fn glob(arguments: &[&[u8]], world: &World) -> Result<Vec<u8>, Vec<u8>> {
        let words = |list: &[u8]| Ok(list.split(|&b| b == b' ').map(<[u8]>::to_vec).collect());
        let mut names = Request::parse(arguments, words)?.run(world)?;
        names.sort();
        Ok(names.join(&b'|'))
    }

    #[test]
    fn bad_braces_are_told() {
        let (_directory, world) = site();
        let pattern = b"{a,b}".repeat(30);
        assert_eq!(
            glob(&[b"{a"], &world).unwrap_err(),
            b"unmatched open-brace in file name"
        );
        assert_eq!(
            glob(&[b"a}"], &world).unwrap_err(),
            b"unmatched close-brace in file name"
        );
        assert_eq!(
            glob(&[&pattern], &world).unwrap_err(),
            b"too many alternatives in file name"
        );
    }

    #[test]
    fn agrees_with_tclsh() {
        let Some(mut tclsh) = Oracle::start() else {
            return;
        };
        let (_directory, world) = site();
        tclsh.eval(&[b"cd ", &world.0[..]].concat()).unwrap();
        let mut random = Random::new(7);
        let pieces = [
            "*",
            "*",
            "?",
            "a",
            "c",
            ".",
            "/",
            "/",
            "1",
            ".tcl",
            ".txt",
            "[a-c]",
            "{a,c}",
            "{1,2}",
            "{*.tcl,*.lua}",
            "l",
            "b",
            "x\\[y",
            "z",
            ",",
            "dangling",
            ".h",
            "s p",
            "back*",
            "{a,{b,c}}",
        ];
        let options: [&[&str]; 22] = [
            &[],
            &[],
            &[],
            &[],
            &["-directory", "a"],
            &["-dir", "a", "-tails"],
            &["-path", "a/"],
            &["-path", "a/1", "-tails"],
            &["-path", "z"],
            &["-types", "d"],
            &["-types", "f"],
            &["-types", "l"],
            &["-types", "hidden"],
            &["-types", "d l"],
            &["-types", "f r"],
            &["-join"],
            &["-nocomplain"],
            &["-tails"],
            &["-types", "q"],
            &["-t"],
            &["-bad"],
            &["-directory", "a", "-path", "b"],
        ];
        for _ in 0..oracle::cases(4000) {
            let mut arguments: Vec<Vec<u8>> = random
                .pick(&options)
                .iter()
                .map(|option| option.as_bytes().to_vec())
                .collect();
            arguments.extend((0..1 + random.below(2)).map(|_| random.text(&pieces, 5)));
            let words: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
            // Empty patterns and those of slashes alone are taken in one way here and in another there.
            if words
                .iter()
                .any(|word| word.is_empty() || word.ends_with(b"/"))
            {
                continue;
            }
            // tclsh crashes when it looks for hidden files in the root.
            let risky = |word: &&[u8]| word.contains(&b'/');
            if words.contains(&&b"hidden"[..]) && words.iter().any(risky) {
                continue;
            }
            let quoted: Vec<Vec<u8>> = words.iter().map(|word| oracle::quote(word)).collect();
            let script = [b"join [lsort [glob ", &quoted.join(&b' ')[..], b"]] |"].concat();
            tclsh.expect(&script, glob(&words, &world));
        }
        tclsh.finish();
    }
}
