//! `module savelist`, `saveshow` and `use` without a directory, in the style of Environment Modules.

use camino::Utf8PathBuf;

use super::{Context, avail::glob, modified, stash};
use crate::collection;
use crate::diag::Diagnostic;
use crate::view::modules::{self as view, Numbering};

/// The width of the line above and below a text that is shown; narrower on a narrow terminal.
const LINE_WIDTH: usize = 67;

/// The names of the collections, those that match a pattern if there are any.
pub(crate) fn savelist(context: &mut Context) -> Result<(), Diagnostic> {
    let (session, config) = (context.session, context.config);
    let target = config.system_name.as_str();
    let mut names = collection::names(session, config);
    names.retain(|name| {
        // What was put aside has a list of its own, and so have the collections of other systems.
        let own = !stash::is_stash(name) && !name.contains('.');
        (context.options.all || own) && matches(context, name)
    });
    if context.options.json {
        let rows: Vec<(String, String)> = (names.iter())
            .map(|name| {
                let file = collection::find(session, config, name).unwrap_or_default();
                let row = view::json_row(&[
                    ("name", name.as_str().into()),
                    ("target", target.into()),
                    ("pathname", file.as_str().into()),
                ]);
                (name.clone(), row)
            })
            .collect();
        context.print(&format!("{}\n", view::json_object(&rows)));
        return Ok(());
    }
    let of_target = match target {
        "" => String::new(),
        target => format!(" (for target \"{target}\")"),
    };
    let asked = !context.words.is_empty();
    if names.is_empty() {
        let what = if asked { "No matching" } else { "No" };
        context.print(&format!("{what} named collection{of_target}.\n"));
        return Ok(());
    }
    let what = if asked { "Matching named" } else { "Named" };
    let head = format!("{what} collection list{of_target}:\n");
    let text = if context.options.long {
        let rows: Vec<(String, String)> = (names.iter())
            .map(|name| {
                let file = collection::find(session, config, name);
                (
                    name.clone(),
                    file.map(|file| modified(&file)).unwrap_or_default(),
                )
            })
            .collect();
        view::dated("Collection", &head, &rows)
    } else if context.options.terse {
        head + &names.join("\n") + "\n"
    } else {
        let width = context.layout().width;
        head + &view::grid(&names, Numbering::From(1), width)
    };
    context.print(&text);
    Ok(())
}

/// Whether a pattern of the request means a collection.
fn matches(context: &Context, name: &str) -> bool {
    let fold = |text: &str| context.folded(text);
    let front = if context.searches_anywhere() { "*" } else { "" };
    context.words.is_empty()
        || (context.words.iter()).any(|word| glob(&format!("{front}{}*", fold(word)), &fold(name)))
}

/// What a collection holds: the lines of its file.
pub(crate) fn saveshow(context: &mut Context, name: &str) -> Result<(), Diagnostic> {
    let set = collection::read(context.session, context.config, name)?;
    let file = collection::find(context.session, context.config, name);
    let title = file.map_or_else(|| name.to_owned(), Utf8PathBuf::into_string);
    let lines = collection::as_requests(&set, context.config);
    let line = "-".repeat(LINE_WIDTH.min(context.layout().width));
    context.print(&format!("{line}\n{title}:\n\n{lines}\n{line}\n"));
    Ok(())
}

/// The modulepaths in force.
pub(crate) fn used(context: &mut Context) {
    let modulepaths = context.engine.state().modulepath();
    if modulepaths.is_empty() {
        context.print("WARNING: No directories on module search path\n");
        return;
    }
    context.print("Search path for module files (in search order):\n");
    for dir in modulepaths {
        context.print(&format!("  {dir}\n"));
    }
}
