//! Sub-commands of Environment Modules that change the session without loading a module: `source`, `append-path`,
//! `prepend-path`, `remove-path`, `clear`.

use bstr::{BStr, BString, ByteSlice};

use super::Context;
use crate::command::Answer;
use crate::diag::{Diagnostic, Kind};
use crate::env::{PathList, VarName};
use crate::modulefile::tcl::join_elements;
use crate::view;

/// Evaluates files or modules without recording them as loaded.
pub(crate) fn source(context: &mut Context) -> Result<(), Diagnostic> {
    for spec in context.some_specs("source")? {
        if let Err(diagnostic) = context.engine.source(&spec) {
            context.engine.fail(diagnostic)?;
        }
    }
    Ok(())
}

/// What a request about a path variable says.
struct PathRequest {
    var: VarName,
    delim: BString,
    duplicates: bool,
    values: Vec<BString>,
}

/// Reads `[-d C] [--duplicates] VARIABLE VALUE...`.
fn path_request(context: &Context, subcommand: &str) -> Result<PathRequest, Diagnostic> {
    let usage = |message: String| {
        let help = format!("module {subcommand} [--delim=C] VARIABLE VALUE...");
        Diagnostic::new(Kind::Usage, message).help(help)
    };
    let [var, values @ ..] = context.words else {
        return Err(usage(format!("`{subcommand}` needs a variable")));
    };
    if values.is_empty() {
        return Err(usage(format!("`{subcommand}` needs a value for `{var}`")));
    }
    let name = VarName::new(var).ok_or_else(|| usage(format!("`{var}` is not a variable")))?;
    let delim = context.options.delim.as_deref().unwrap_or(":");
    if delim.is_empty() {
        return Err(usage("the delimiter is empty".to_owned()));
    }
    Ok(PathRequest {
        var: name,
        delim: delim.into(),
        duplicates: context.options.duplicates,
        values: values.iter().map(|value| value.as_str().into()).collect(),
    })
}

fn edit(
    context: &mut Context,
    request: &PathRequest,
    act: impl Fn(&mut PathList, &BStr),
) -> Result<(), Diagnostic> {
    let joined = bstr::join(&request.delim, &request.values);
    context
        .engine
        .edit_variable(&request.var, request.delim.as_bstr(), |list| {
            if request.duplicates {
                list.allow_duplicates();
            }
            act(list, joined.as_bstr());
        });
    Ok(())
}

/// Puts entries in front of a path variable.
pub(crate) fn prepend_path(context: &mut Context) -> Result<(), Diagnostic> {
    let request = path_request(context, "prepend-path")?;
    edit(context, &request, |list, value| {
        list.prepend(value, 0, None)
    })
}

/// Puts entries behind a path variable.
pub(crate) fn append_path(context: &mut Context) -> Result<(), Diagnostic> {
    let request = path_request(context, "append-path")?;
    edit(context, &request, |list, value| list.append(value, 0, None))
}

/// Takes entries out of a path variable, whoever put them there.
pub(crate) fn remove_path(context: &mut Context) -> Result<(), Diagnostic> {
    let request = path_request(context, "remove-path")?;
    for value in request.values.clone() {
        let one = PathRequest {
            values: vec![value],
            var: request.var.clone(),
            delim: request.delim.clone(),
            duplicates: false,
        };
        edit(context, &one, |list, value| list.remove(value))?;
    }
    Ok(())
}

/// The code of another shell that loads modules, as text; nothing changes here.
pub(crate) fn mod_to_sh(context: &mut Context) -> Result<(), Diagnostic> {
    let [shell, modules @ ..] = context.words else {
        return Err(needs("mod-to-sh", "SHELL MODULE..."));
    };
    if modules.is_empty() {
        return Err(needs("mod-to-sh", "SHELL MODULE..."));
    }
    let row = crate::shell::find(shell).ok_or_else(|| {
        Diagnostic::new(Kind::Usage, format!("unsupported shell `{shell}`"))
            .help("`module state supported_shells` names them")
    })?;
    let specs = context.specs(modules)?;
    context.engine.load(&specs)?;
    let code = context.code_for(row);
    context.print(&code);
    context.answer = Answer::Nothing;
    Ok(())
}

/// The modulefile in Tcl that does what a shell script does.
pub(crate) fn sh_to_mod(context: &mut Context) -> Result<(), Diagnostic> {
    if context.words.len() < 2 {
        return Err(needs("sh-to-mod", "SHELL SCRIPT [ARGUMENT...]"));
    }
    let words = context.words.iter().map(|word| word.as_bytes());
    let words = std::iter::once(b"source-sh".as_slice()).chain(words);
    let mut text = b"#%Module\n".to_vec();
    text.extend(join_elements(words));
    let said = context.engine.show_text("sh-to-mod", text)?;
    let calls = view::show::tcl(&said.calls, &said.said);
    if !calls.is_empty() {
        context.print(&format!("#%Module\n{calls}"));
    }
    Ok(())
}

/// Opens the file of a module in an editor.
pub(crate) fn edit_file(context: &mut Context) -> Result<(), Diagnostic> {
    let specs = context.some_specs("edit")?;
    let file = context.engine.locate(&specs[0])?.file;
    let of_session = |name: &&str| context.session.text(name);
    let editor = std::iter::once(context.config.editor.as_str())
        .chain(["VISUAL", "EDITOR"].iter().filter_map(of_session))
        .find(|editor| !editor.is_empty())
        .unwrap_or("vi");
    // What the editor prints must not reach the shell as code.
    let status = std::process::Command::new("/bin/sh")
        .args(["-c", &format!("{editor} \"$1\""), "sh", file.as_str()])
        .stdout(std::io::stderr())
        .status();
    let failed = |why: String| {
        let message = format!("the editor `{editor}` failed: {why}");
        Err(Diagnostic::new(Kind::Site, message)
            .help("the variable `MODULES_EDITOR` names another one"))
    };
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => failed(status.to_string()),
        Err(error) => failed(error.to_string()),
    }
}

/// Forgets the loaded modules, if the user confirms it.
pub(crate) fn clear(context: &mut Context) -> Result<(), Diagnostic> {
    if !context.options.force && !confirmed(context) {
        context.notice("Nothing was forgotten.\n");
        return Ok(());
    }
    context.engine.forget_modules();
    let session = context.session;
    let private = session.env.keys().filter_map(|name| name.to_str().ok());
    for name in private.filter(|name| name.starts_with("__MODULES_")) {
        context.engine.set_variable(name, None);
    }
    Ok(())
}

/// Asks on the terminal; the answer is read wherever it comes from.
fn confirmed(context: &Context) -> bool {
    use std::io::{BufRead, Write};
    if context.session.stderr_is_terminal() {
        let question = b"Are you sure you want to clear all loaded modules!? [n] ";
        let mut stderr = std::io::stderr();
        let _ = stderr.write_all(question).and_then(|()| stderr.flush());
    }
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && answer.trim_start().starts_with(['y', 'Y'])
}

fn needs(subcommand: &str, words: &str) -> Diagnostic {
    Diagnostic::new(Kind::Usage, format!("`{subcommand}` needs more words"))
        .help(format!("module {subcommand} {words}"))
}
