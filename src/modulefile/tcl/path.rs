//! File names as Tcl's `file` command takes them apart and puts them together.
//!
//! Only text is looked at, but for [`normalize`] and the homes of users, which are asked through [`Surroundings`].
//! Source: Tcl manual, filename(n) and file(n). A name that begins with a tilde is absolute; a later part which does is
//! written `./~part`, so that it is not mistaken for a user.

use std::borrow::Cow;

/// What a name can refer to outside of its text.
pub(crate) trait Surroundings {
    /// The home of a user, or of the present one (`HOME`).
    fn home(&self, user: Option<&[u8]>) -> Option<Vec<u8>>;
    /// The working directory.
    fn directory(&self) -> Result<Vec<u8>, Vec<u8>>;
    /// The target of a symbolic link, if the file is one.
    fn link(&self, file: &[u8]) -> Option<Vec<u8>>;
    /// The name of an existing file without any symbolic links.
    fn real(&self, file: &[u8]) -> Option<Vec<u8>>;
}

/// Whether a name stands for itself or is seen from the working directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PathType {
    Absolute,
    Relative,
}

/// `file pathtype`.
pub(crate) fn path_type(path: &[u8]) -> PathType {
    match path.first() {
        Some(b'/' | b'~') => PathType::Absolute,
        _ => PathType::Relative,
    }
}

/// The parts between slashes, without empty ones.
fn parts(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|&b| b == b'/').filter(|part| !part.is_empty())
}

/// `file split`.
pub(crate) fn split(path: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    if path.first() == Some(&b'/') {
        out.push(b"/".to_vec());
    }
    for part in parts(path) {
        let guard: &[u8] = if part[0] == b'~' && !out.is_empty() {
            b"./"
        } else {
            b""
        };
        out.push([guard, part].concat());
    }
    out
}

/// `file join`: an absolute name drops all before it.
pub(crate) fn join<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for name in names {
        if path_type(name) == PathType::Absolute {
            out.clear();
            if name[0] == b'/' {
                out.push(b'/');
            }
        }
        let slashes = usize::from(name.starts_with(b"/"));
        let name = match name[slashes..].strip_prefix(b"./") {
            Some(rest) if !out.is_empty() && rest.first() == Some(&b'~') => rest,
            _ => name,
        };
        parts(name).for_each(|part| push_part(&mut out, part));
    }
    out
}

/// `file dirname`.
///
/// # Errors
/// Tcl's text when the name is that of a user's home which does not exist.
pub(crate) fn dirname(path: &[u8], around: &impl Surroundings) -> Result<Vec<u8>, Vec<u8>> {
    let mut pieces = split(&expand_if_alone(path, around)?);
    if pieces.len() > 1 {
        pieces.pop();
    } else if pieces.first().is_none_or(|only| only != b"/") {
        return Ok(b".".to_vec());
    }
    Ok(join(pieces.iter().map(Vec::as_slice)))
}

/// `file tail`.
///
/// # Errors
/// As [`dirname`].
pub(crate) fn tail(path: &[u8], around: &impl Surroundings) -> Result<Vec<u8>, Vec<u8>> {
    let last = split(&expand_if_alone(path, around)?).pop();
    Ok(last.filter(|last| last != b"/").unwrap_or_default())
}

/// Expands a tilde when nothing follows it.
fn expand_if_alone<'a>(
    path: &'a [u8],
    around: &impl Surroundings,
) -> Result<Cow<'a, [u8]>, Vec<u8>> {
    if path.first() == Some(&b'~') && parts(path).count() == 1 {
        expand(path, around)
    } else {
        Ok(Cow::Borrowed(path))
    }
}

/// `file extension`: from the last dot of the last part on.
pub(crate) fn extension(path: &[u8]) -> &[u8] {
    let last = path
        .iter()
        .rposition(|&b| b == b'/')
        .map_or(0, |slash| slash + 1);
    let dot = path[last..]
        .iter()
        .rposition(|&b| b == b'.')
        .map(|dot| last + dot);
    &path[dot.unwrap_or(path.len())..]
}

/// `file rootname`: all but the extension.
pub(crate) fn rootname(path: &[u8]) -> &[u8] {
    &path[..path.len() - extension(path).len()]
}

/// Replaces `~` and `~user` at the beginning, as nearly all commands that take a file name do.
///
/// # Errors
/// Tcl's text when there is no such home.
pub(crate) fn expand<'a>(
    path: &'a [u8],
    around: &impl Surroundings,
) -> Result<Cow<'a, [u8]>, Vec<u8>> {
    let Some(rest) = path.strip_prefix(b"~") else {
        return Ok(Cow::Borrowed(path));
    };
    let end = rest.iter().position(|&b| b == b'/').unwrap_or(rest.len());
    let user = &rest[..end];
    let home = if user.is_empty() {
        around
            .home(None)
            .ok_or_else(|| b"couldn't find HOME environment variable to expand path".to_vec())?
    } else {
        around
            .home(Some(user))
            .ok_or_else(|| [b"user \"", user, b"\" doesn't exist"].concat())?
    };
    let below = rest[end..]
        .iter()
        .position(|&b| b != b'/')
        .map_or(&b""[..], |start| &rest[end + start..]);
    if below.is_empty() {
        return Ok(Cow::Owned(home));
    }
    Ok(Cow::Owned([&home[..], b"/", below].concat()))
}

/// `file nativename`: the name as the system takes it.
///
/// # Errors
/// As [`expand`].
pub(crate) fn native_name(path: &[u8], around: &impl Surroundings) -> Result<Vec<u8>, Vec<u8>> {
    let path = expand(path, around)?;
    let mut out = Vec::new();
    if path.first() == Some(&b'/') {
        out.push(b'/');
    }
    parts(&path).for_each(|part| push_part(&mut out, part));
    Ok(out)
}

fn push_part(out: &mut Vec<u8>, part: &[u8]) {
    if out.last().is_some_and(|&b| b != b'/') {
        out.push(b'/');
    }
    out.extend(part);
}

/// `file normalize`: an absolute name without `.`, `..` and symbolic links, except for a link as the last part.
///
/// # Errors
/// As [`expand`], and when the working directory is not known.
pub(crate) fn normalize(path: &[u8], around: &impl Surroundings) -> Result<Vec<u8>, Vec<u8>> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let path = expand(path, around)?;
    let absolute = match path.first() {
        Some(b'/') => path.into_owned(),
        _ => [&around.directory()?[..], b"/", &path].concat(),
    };
    Ok(resolve_links(&without_dots(&absolute, around), around))
}

/// Removes `.` and `..` from an absolute name. Of a link before `..`, one step is followed, as in Tcl.
fn without_dots(absolute: &[u8], around: &impl Surroundings) -> Vec<u8> {
    let mut done = b"/".to_vec();
    for part in parts(absolute) {
        match part {
            b"." => {}
            b".." => {
                if let Some(target) = around.link(&done) {
                    let above = parent_length(&done);
                    done.truncate(if target.first() == Some(&b'/') {
                        0
                    } else {
                        above
                    });
                    push_part(&mut done, &target);
                }
                done.truncate(parent_length(&done));
            }
            _ => push_part(&mut done, part),
        }
    }
    done
}

/// The length of a name without its last part.
fn parent_length(path: &[u8]) -> usize {
    path.iter().rposition(|&b| b == b'/').unwrap_or(0).max(1)
}

/// Follows the symbolic links in all parts but the last, as far as the directories exist.
fn resolve_links(absolute: &[u8], around: &impl Surroundings) -> Vec<u8> {
    let mut end = parent_length(absolute);
    while end > 1 {
        if let Some(mut real) = around.real(&absolute[..end]) {
            parts(&absolute[end..]).for_each(|part| push_part(&mut real, part));
            return real;
        }
        end = parent_length(&absolute[..end]);
    }
    absolute.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulefile::tcl::oracle::{self, Oracle, Random};
    use std::os::unix::ffi::OsStrExt;

    /// The world of the tests: one home, and links below `root`.
    struct World {
        root: Vec<u8>,
    }

    impl Surroundings for World {
        fn home(&self, user: Option<&[u8]>) -> Option<Vec<u8>> {
            match user {
                None => Some(b"/h/me".to_vec()),
                Some(_) => None,
            }
        }

        fn directory(&self) -> Result<Vec<u8>, Vec<u8>> {
            Ok(self.root.clone())
        }

        fn link(&self, file: &[u8]) -> Option<Vec<u8>> {
            let target = std::fs::read_link(std::ffi::OsStr::from_bytes(file)).ok()?;
            Some(target.into_os_string().into_encoded_bytes())
        }

        fn real(&self, file: &[u8]) -> Option<Vec<u8>> {
            let real = std::fs::canonicalize(std::ffi::OsStr::from_bytes(file)).ok()?;
            Some(real.into_os_string().into_encoded_bytes())
        }
    }

    #[test]
    fn names_are_taken_apart() {
        let world = World {
            root: b"/w".to_vec(),
        };
        assert_eq!(split(b"/a//b/~c"), [&b"/"[..], b"a", b"b", b"./~c"]);
        assert_eq!(join([&b"a"[..], b"/b/", b"./~c"]), b"/b/~c");
        assert_eq!(join([&b"a"[..], b"~b"]), b"~b");
        assert_eq!(dirname(b"a", &world).unwrap(), b".");
        assert_eq!(dirname(b"~", &world).unwrap(), b"/h");
        assert_eq!(tail(b"/", &world).unwrap(), b"");
        assert_eq!(extension(b"a.b/c"), b"");
        assert_eq!(extension(b".bashrc"), b".bashrc");
        assert_eq!(rootname(b"a/.b"), b"a/");
        assert_eq!(normalize(b"../a/./b/..", &world).unwrap(), b"/a");
        assert_eq!(
            normalize(b"~nosuch/x", &world).unwrap_err(),
            b"user \"nosuch\" doesn't exist"
        );
    }

    #[test]
    fn agrees_with_tclsh() {
        let Some(mut tclsh) = Oracle::start() else {
            return;
        };
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        for (link, target) in [
            ("l", "a"),
            ("a/m", "b"),
            ("a/b/n", ".."),
            ("x", "nowhere"),
            ("o", "o"),
            ("q", "/usr/lib"),
        ] {
            std::os::unix::fs::symlink(target, root.join(link)).unwrap();
        }
        let root = root.into_os_string().into_encoded_bytes();
        tclsh
            .eval(&[b"set env(HOME) /h/me; cd ", &root[..]].concat())
            .unwrap();
        let world = World { root };
        let mut random = Random::new(6);
        let pieces = [
            "a", "b", ".", "..", "/", "/", "/", "~", "l", "m", "n", "x", "o", "q", "é", ".c",
            "/m/", "a/l",
        ];
        for _ in 0..oracle::cases(4000) {
            let path = random.text(&pieces, 6);
            // Behind a slash, Tcl treats `./~` in one way here and in another there.
            if bstr::ByteSlice::contains_str(&path[..], "./~") {
                continue;
            }
            let word = oracle::quote(&path);
            let mut ask = |command: &str, ours: Result<Vec<u8>, Vec<u8>>| {
                tclsh.expect(&[b"file ", command.as_bytes(), b" ", &word].concat(), ours);
            };
            ask("dirname", dirname(&path, &world));
            ask("tail", tail(&path, &world));
            ask("extension", Ok(extension(&path).to_vec()));
            ask("rootname", Ok(rootname(&path).to_vec()));
            // Tcl doubles the slash of some names that begin with `/./`, which nobody wants.
            if !path.starts_with(b"/./") && !path.starts_with(b"//") {
                ask("nativename", native_name(&path, &world));
                ask("normalize", normalize(&path, &world));
            }
            let script = [b"join [file split ", &word[..], b"] |"].concat();
            tclsh.expect(&script, Ok(split(&path).join(&b'|')));
            let other = random.text(&["a", "/", "./~b", "~", ".."], 4);
            let script = [
                b"file join ",
                &word[..],
                b" ",
                &oracle::quote(&other),
                b" b",
            ]
            .concat();
            tclsh.expect(&script, Ok(join([&path[..], &other, b"b"])));
        }
        tclsh.finish();
    }
}
