//! `module lint`: what is wrong with modulefiles and rc files.
//!
//! Files are read without running them, which finds mistakes on every branch, and evaluated without effect, which finds
//! those that depend on values. Source: `module(1)` lint.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Answer, Context};
use crate::diag::{Diagnostic, Kind, Severity};
use crate::modulefile::{self, Mode};
use crate::name::Spec;
use crate::tree::global_files;

/// The names of rc files.
const RC_FILES: [&str; 3] = [".modulerc.lua", ".modulerc", ".version"];

/// A file to look at.
struct Subject {
    file: Utf8PathBuf,
    mode: Mode,
    /// How the module is asked for; `None` for an rc file.
    spec: Option<Spec>,
}

/// Tells the mistakes of modules, files, or of all in directories; without words of everything in the modulepaths.
pub(super) fn run(context: &mut Context) -> Result<(), Diagnostic> {
    let subjects = match context.words {
        [] => all(context),
        words => named(context, words)?,
    };
    let (mut mistakes, mut files) = (0, 0);
    for subject in &subjects {
        let found = mistakes_of(context, subject);
        if found.is_empty() {
            continue;
        }
        files += 1;
        mistakes += found.len();
        let layout = context.layout();
        for mistake in found {
            context.print(&mistake.render(Severity::Error, layout.colour, layout.width));
        }
    }
    if mistakes > 0 {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        context.print(&format!(
            "{mistakes} mistake{} in {files} of {} file{}\n",
            plural(mistakes),
            subjects.len(),
            plural(subjects.len())
        ));
        context.answer = Answer::False;
    } else if !context.words.is_empty() {
        context.print("no mistakes\n");
    }
    Ok(())
}

/// What is found by reading a file, then what its evaluation adds.
fn mistakes_of(context: &mut Context, subject: &Subject) -> Vec<Diagnostic> {
    let source = match modulefile::read(&subject.file) {
        Ok(source) => source,
        Err(mistake) => return vec![mistake],
    };
    let mut found = modulefile::lint(&source, subject.mode, context.config);
    // A file that is no script at all has no more to say.
    if let (true, Some(spec)) = (found.is_empty(), &subject.spec)
        && let Err(mistake) = context.engine.inspect(spec, Mode::Check)
    {
        found.push(mistake);
    }
    found
}

/// Every rc file and every visible modulefile of the modulepaths, and the rc files of the site and of the user.
fn all(context: &mut Context) -> Vec<Subject> {
    let global = global_files(context.session, context.config).into_iter();
    let mut subjects: Vec<Subject> = global
        .map(|(_, file)| file)
        .filter(|file| file.is_file())
        .map(rc_file)
        .collect();
    let show_all = context.options.all;
    for tree in context.engine.trees() {
        subjects.extend(rc_files_in(&tree.modulepath).into_iter().map(rc_file));
        let shown = tree.modules.iter();
        let shown = shown.filter(|entry| show_all || !entry.is_hidden());
        subjects.extend(shown.filter_map(|entry| module_file(&entry.file())));
    }
    subjects
}

/// What the words of a request stand for.
fn named(context: &mut Context, words: &[String]) -> Result<Vec<Subject>, Diagnostic> {
    let mut subjects = Vec::new();
    let start = context.session.cwd().cloned().unwrap_or_else(|| "/".into());
    for word in words {
        let place = start.join(word);
        if word.contains('/') && place.is_dir() || word == "." {
            subjects.extend(rc_files_in(&place).into_iter().map(rc_file));
            let mut files = files_in(&place);
            files.sort();
            subjects.extend(files.iter().filter_map(|file| module_file(file)));
            continue;
        }
        let is_file =
            word.contains('/') && place.is_file() || place.is_file() && word.contains('.');
        if is_file {
            let name = place.file_name().unwrap_or_default();
            subjects.extend(match RC_FILES.contains(&name) {
                true => Some(rc_file(place)),
                false => module_file(&place),
            });
            continue;
        }
        for spec in context.specs(std::slice::from_ref(word))? {
            let found = context.engine.locate(&spec)?;
            subjects.extend(module_file(&found.file));
        }
    }
    if subjects.is_empty() {
        return Err(
            Diagnostic::new(Kind::Usage, "there is no modulefile to look at")
                .help("`module lint` without a word looks at all in the modulepaths"),
        );
    }
    Ok(subjects)
}

fn rc_file(file: Utf8PathBuf) -> Subject {
    Subject {
        file,
        mode: Mode::Rc,
        spec: None,
    }
}

fn module_file(file: &Utf8Path) -> Option<Subject> {
    Some(Subject {
        file: file.to_owned(),
        mode: Mode::Load,
        spec: Some(Spec::plain(file.as_str()).ok()?),
    })
}

/// The rc files below a directory.
fn rc_files_in(dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    walk(dir, &|name| RC_FILES.contains(&name))
}

/// The files below a directory that may be modulefiles: those that say so by their name or in their first line.
fn files_in(dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut files = walk(dir, &|name| !name.starts_with('.') && !name.ends_with('~'));
    files.retain(|file| {
        modulefile::Language::of_name(file.as_str()).is_some()
            || modulefile::read_beginning_with(file, b"#%Module").is_some()
    });
    files
}

fn walk(dir: &Utf8Path, wanted: &dyn Fn(&str) -> bool) -> Vec<Utf8PathBuf> {
    let entries = walkdir::WalkDir::new(dir)
        .follow_links(true)
        .sort_by_file_name();
    let files = entries.into_iter().flatten().filter_map(|entry| {
        let is_wanted =
            entry.file_type().is_file() && entry.file_name().to_str().is_some_and(wanted);
        let path = entry.into_path();
        is_wanted
            .then(|| Utf8PathBuf::from_path_buf(path).ok())
            .flatten()
    });
    files.collect()
}
