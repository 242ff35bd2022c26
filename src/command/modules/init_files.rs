//! `module initadd`, `initprepend`, `initrm`, `initswitch`, `initclear`, `initlist`: the modules that a user's start-up files
//! load.
//!
//! Only lines `module load ...` and `module add ...` are touched. Source: `module(1)` "initadd" and following.

use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};

use super::Context;
use crate::diag::{Diagnostic, Kind};

/// The start-up files of a shell, below the user's home directory, in the order in which they are looked at.
const FILES: &[(&[&str], &[&str])] = &[
    (
        &["sh", "bash", "ksh", "mksh"],
        &[
            ".modules",
            ".bash_profile",
            ".bash_login",
            ".profile",
            ".bashrc",
        ],
    ),
    (
        &["csh"],
        &[".modules", ".cshrc", ".cshrc_variables", ".login"],
    ),
    (
        &["tcsh"],
        &[
            ".modules",
            ".tcshrc",
            ".cshrc",
            ".cshrc_variables",
            ".login",
        ],
    ),
    (&["zsh"], &[".modules", ".zshrc", ".zshenv", ".zlogin"]),
    (&["fish"], &[".modules", ".config/fish/config.fish"]),
];

/// What happens to the names of a line.
enum Edit {
    Append(Vec<String>),
    Prepend(Vec<String>),
    Remove(Vec<String>),
    Replace(String, String),
    Clear,
}

/// A line that loads modules: what stands before the names, the names, what follows.
struct Line<'l> {
    head: &'l str,
    names: Vec<String>,
    comment: &'l str,
}

/// Adds modules behind the others.
pub(crate) fn add(context: &mut Context) -> Result<(), Diagnostic> {
    let names = some_names(context, "initadd")?;
    change(context, &Edit::Append(names))
}

/// Adds modules in front of the others.
pub(crate) fn prepend(context: &mut Context) -> Result<(), Diagnostic> {
    let names = some_names(context, "initprepend")?;
    change(context, &Edit::Prepend(names))
}

/// Takes modules away.
pub(crate) fn remove(context: &mut Context) -> Result<(), Diagnostic> {
    let names = some_names(context, "initrm")?;
    change(context, &Edit::Remove(names))
}

/// Puts one module in the place of another.
pub(crate) fn switch(context: &mut Context) -> Result<(), Diagnostic> {
    let [old, new] = context.words else {
        return Err(
            Diagnostic::new(Kind::Usage, "`initswitch` takes two modules")
                .help("module initswitch OLD NEW"),
        );
    };
    change(context, &Edit::Replace(old.clone(), new.clone()))
}

/// Takes all modules away.
pub(crate) fn clear(context: &mut Context) -> Result<(), Diagnostic> {
    change(context, &Edit::Clear)
}

/// Shows the modules of the first start-up file that loads any.
pub(crate) fn list(context: &mut Context) -> Result<(), Diagnostic> {
    let shell = context.engine.shell().to_owned();
    for file in files(context)? {
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let lines: Vec<Line> = text.lines().filter_map(read_line).collect();
        if lines.is_empty() {
            continue;
        }
        let home = context.session.home().unwrap_or_default();
        let shown = match file.strip_prefix(&home) {
            Ok(below) => format!("$HOME/{below}"),
            Err(_) => file.to_string(),
        };
        context.print(&format!(
            "{shell} initialization file {shown} loads modules:\n"
        ));
        for line in lines {
            context.print(&format!("\t{}\n", line.names.join(" ")));
        }
        return Ok(());
    }
    Ok(())
}

fn some_names(context: &Context, subcommand: &str) -> Result<Vec<String>, Diagnostic> {
    if context.words.is_empty() {
        return Err(Diagnostic::new(
            Kind::Usage,
            format!("`{subcommand}` needs the name of a module"),
        )
        .help(format!("module {subcommand} MODULE...")));
    }
    Ok(context.words.to_vec())
}

/// The start-up files of the shell.
fn files(context: &Context) -> Result<Vec<Utf8PathBuf>, Diagnostic> {
    let shell = context.engine.shell();
    let found = FILES.iter().find(|(shells, _)| shells.contains(&shell));
    let Some((_, names)) = found else {
        return Err(Diagnostic::new(
            Kind::Usage,
            format!("`{shell}` has no start-up files that load modules"),
        ));
    };
    let Some(home) = context.session.home() else {
        return Err(Diagnostic::new(Kind::Site, "there is no home directory"));
    };
    Ok(names.iter().map(|name| home.join(name)).collect())
}

fn change(context: &mut Context, edit: &Edit) -> Result<(), Diagnostic> {
    let shell = context.engine.shell().to_owned();
    let mut met = false;
    let mut done = false;
    for file in files(context)? {
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        let edited = edit_text(&text, edit, &mut met, &mut done);
        if edited != text {
            write(&file, &edited)?;
        }
        if done {
            break;
        }
    }
    if !met {
        let message =
            format!("there is no `module load` command in any of the start-up files of `{shell}`");
        return Err(Diagnostic::new(Kind::Module, message)
            .help("write a line `module load` into one of them first"));
    }
    Ok(())
}

/// The text with its lines changed. `met` tells whether any line was met before, `done` that no more is to be changed.
fn edit_text(text: &str, edit: &Edit, met: &mut bool, done: &mut bool) -> String {
    let mut edited = String::with_capacity(text.len());
    for whole in text.split_inclusive('\n') {
        let (line, end) = match whole.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (whole, ""),
        };
        match read_line(line) {
            Some(mut read) if !*done => {
                let first = !std::mem::replace(met, true);
                edit_names(&mut read.names, edit, first, done);
                edited.push_str(&read.text());
                edited.push_str(end);
            }
            _ => edited.push_str(whole),
        }
    }
    edited
}

fn edit_names(names: &mut Vec<String>, edit: &Edit, first: bool, done: &mut bool) {
    let before = names.len();
    match edit {
        // The first line has them all; where another line has one of them, it loses it.
        Edit::Append(new) | Edit::Prepend(new) => {
            names.retain(|name| !new.contains(name));
            if first {
                let at = match edit {
                    Edit::Prepend(_) => 0,
                    _ => names.len(),
                };
                names.splice(at..at, new.iter().cloned());
            } else {
                *done |= names.len() < before;
            }
        }
        Edit::Remove(gone) => {
            names.retain(|name| !gone.contains(name));
            *done |= names.len() < before;
        }
        Edit::Replace(old, new) => {
            for name in names.iter_mut().filter(|name| *name == old) {
                name.clone_from(new);
                *done = true;
            }
        }
        Edit::Clear => names.clear(),
    }
}

/// A line `module load NAMES # comment`.
fn read_line(line: &str) -> Option<Line<'_>> {
    let start = line.trim_start();
    let rest = start.strip_prefix("module")?;
    let word = rest.trim_start();
    let behind = word
        .strip_prefix("load")
        .or_else(|| word.strip_prefix("add"))?;
    let separate =
        word.len() < rest.len() && (behind.is_empty() || behind.starts_with(char::is_whitespace));
    if !separate {
        return None;
    }
    let head = &line[..line.len() - behind.len()];
    let (names, comment) = match behind.find('#') {
        Some(at) => behind.split_at(at),
        None => (behind, ""),
    };
    Some(Line {
        head,
        names: names.split_whitespace().map(str::to_owned).collect(),
        comment,
    })
}

impl Line<'_> {
    fn text(&self) -> String {
        let mut text = self.head.to_owned();
        for name in &self.names {
            text.push(' ');
            text.push_str(name);
        }
        if !self.comment.is_empty() && !self.names.is_empty() {
            text.push(' ');
            text.push_str(self.comment);
        }
        text
    }
}

/// Writes a file anew, with its permissions; a link stays a link.
fn write(file: &Utf8Path, text: &str) -> Result<(), Diagnostic> {
    let failed = |error: std::io::Error| {
        Diagnostic::new(Kind::Site, format!("cannot write `{file}`: {error}"))
    };
    let real = file.canonicalize_utf8().map_err(failed)?;
    let permissions = std::fs::metadata(&real).map_err(failed)?.permissions();
    let dir = real.parent().unwrap_or(Utf8Path::new("/"));
    let mut new = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
    new.write_all(text.as_bytes()).map_err(failed)?;
    new.as_file().set_permissions(permissions).map_err(failed)?;
    new.as_file().sync_all().map_err(failed)?;
    new.persist(&real).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "export A=1\n\nmodule load gcc  mpi # mine\nif true; then\n  module add hdf5 gcc\nfi\n";

    fn edited(edit: &Edit) -> String {
        edit_text(TEXT, edit, &mut false, &mut false)
    }

    fn names(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_first_line_takes_what_is_added_and_the_next_one_loses_it() {
        let text = edited(&Edit::Append(names("hdf5 x/1")));
        assert!(
            text.contains("module load gcc mpi hdf5 x/1 # mine\n"),
            "{text}"
        );
        assert!(text.contains("  module add gcc\n"), "{text}");
        assert!(text.starts_with("export A=1\n\n") && text.ends_with("fi\n"));
        let text = edited(&Edit::Prepend(names("mpi")));
        assert!(text.contains("module load mpi gcc # mine\n"), "{text}");
    }

    #[test]
    fn removal_and_replacement_stop_at_the_first_line_that_changed() {
        let text = edited(&Edit::Remove(names("gcc")));
        assert!(
            text.contains("module load mpi # mine\n") && text.contains("module add hdf5 gcc\n")
        );
        let text = edited(&Edit::Replace("hdf5".into(), "netcdf".into()));
        assert!(
            text.contains("module load gcc mpi # mine\n")
                && text.contains("module add netcdf gcc\n")
        );
        let text = edited(&Edit::Clear);
        assert!(
            text.contains("module load\n") && text.contains("  module add\n"),
            "{text}"
        );
    }

    #[test]
    fn other_lines_are_not_lines_that_load() {
        for line in [
            "module loadx a",
            "moduleload a",
            "module list",
            "# module load a",
            "ml a",
        ] {
            assert!(read_line(line).is_none(), "{line}");
        }
    }
}
