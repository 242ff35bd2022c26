//! The sub-commands that only answer true or false, or name a file.

use serde_json::json;

use super::{Answer, Context};
use crate::diag::Diagnostic;

/// True if all named modules are loaded, or by setting any of them; without a name, if there is any at all.
pub(super) fn is_loaded(context: &mut Context) -> Result<(), Diagnostic> {
    let specs = context.specs(context.words)?;
    let engine = &context.engine;
    let is_true = match context.config.questions_ask_for_any {
        true if specs.is_empty() => !engine.state().loaded.active().is_empty(),
        true => specs.iter().any(|spec| engine.is_loaded(spec)),
        false => specs.iter().all(|spec| engine.is_loaded(spec)),
    };
    answer(context, is_true);
    Ok(())
}

/// Gives the answer as the status, with `--json` in words too.
fn answer(context: &mut Context, is_true: bool) {
    if context.options.json {
        context.print_json(&json!({ "version": 1, "answer": is_true }));
    }
    if !is_true {
        context.answer = Answer::False;
    }
}

/// True if all named modules can be loaded, or by setting any of them.
pub(super) fn is_avail(context: &mut Context) -> Result<(), Diagnostic> {
    let specs = context.specs(context.words)?;
    let engine = &mut context.engine;
    let is_true = match context.config.questions_ask_for_any {
        true => specs.iter().any(|spec| engine.is_avail(spec)),
        false => specs.iter().all(|spec| engine.is_avail(spec)),
    };
    answer(context, is_true);
    Ok(())
}

/// The file of a module, as a text result.
pub(super) fn path(context: &mut Context) -> Result<(), Diagnostic> {
    let specs = context.some_specs("path")?;
    let found = context.engine.locate(&specs[0])?;
    context.answer = Answer::Text(found.file.into_string().into());
    Ok(())
}

/// The last error once more.
pub(super) fn last_error(context: &mut Context) -> Result<(), Diagnostic> {
    if let Some(text) = context.session.text("__LMOD_LAST_ERROR") {
        context.print(&format!("{text}\n"));
    }
    Ok(())
}
