//! What the journal knows: `module undo`, `why`, `diff`.

use bstr::ByteSlice;
use serde_json::json;

use super::{Answer, Context, change};
use crate::diag::{Diagnostic, Kind};
use crate::transition::Origin;

/// Takes back the last requests that changed something.
pub(super) fn undo(context: &mut Context) -> Result<(), Diagnostic> {
    let count = match context.words {
        [] => 1,
        [word] => word
            .parse::<usize>()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| {
                Diagnostic::new(Kind::Usage, format!("`{word}` is not a number of requests"))
                    .help("module undo 2")
            })?,
        _ => {
            return Err(
                Diagnostic::new(Kind::Usage, "`undo` takes one number").help("module undo 2")
            );
        }
    };
    let undone = context.engine.undo(count)?;
    context.notice(&format!("Undone: {}\n", undone.join(", ")));
    Ok(())
}

/// Tells which modules are behind a variable or the entries of a path.
pub(super) fn why(context: &mut Context) -> Result<(), Diagnostic> {
    if context.words.is_empty() {
        return Err(
            Diagnostic::new(Kind::Usage, "`why` needs a variable, or a part of a path")
                .help("module why PATH"),
        );
    }
    let mut documents = Vec::new();
    for word in context.words {
        let origins = context.engine.why(word.as_bytes().as_bstr());
        if context.options.json {
            documents.extend(origins.iter().map(as_json));
            continue;
        }
        if origins.is_empty() {
            context.print(&format!("`{word}`: no module has anything to do with it\n"));
        }
        let mut last = String::new();
        for origin in &origins {
            if origin.variable != last {
                last.clone_from(&origin.variable);
                context.print(&format!("{last}\n"));
            }
            let text = one(origin);
            context.print(&text);
        }
    }
    if context.options.json {
        context.print_json(&json!({ "version": 1, "origins": documents }));
    }
    Ok(())
}

/// One value with the modules behind it.
fn one(origin: &Origin) -> String {
    let value = origin.value.as_ref().map_or("(unset)".to_owned(), |value| {
        crate::diag::printable(&value.to_str_lossy())
    });
    if origin.modules.is_empty() {
        return format!("  {value}\n      set by no module\n");
    }
    let mut text = format!("  {value}\n");
    for module in &origin.modules {
        text.push_str(&format!("      {}", module.full_name));
        if let Some((file, line)) = &module.place {
            text.push_str(&format!("  {file}:{line}"));
        }
        if let Some(replaced) = &module.replaced {
            text.push_str(&format!(
                "  (replaced `{}`)",
                crate::diag::printable(&replaced.to_str_lossy())
            ));
        }
        text.push('\n');
    }
    text
}

fn as_json(origin: &Origin) -> serde_json::Value {
    let modules: Vec<_> = origin
        .modules
        .iter()
        .map(|module| {
            json!({
                "full_name": module.full_name,
                "file": module.place.as_ref().map(|(file, _)| file),
                "line": module.place.as_ref().map(|(_, line)| line),
                "replaced": module.replaced.as_ref().map(|r| r.to_str_lossy()),
            })
        })
        .collect();
    json!({
        "variable": origin.variable,
        "value": origin.value.as_ref().map(|v| v.to_str_lossy()),
        "modules": modules,
    })
}

/// What loading modules would change; changes nothing (the request is a dry run by itself).
pub(super) fn diff(context: &mut Context) -> Result<(), Diagnostic> {
    if context.words.is_empty() {
        return Err(
            Diagnostic::new(Kind::Usage, "`diff` needs the name of a module")
                .help("module diff NAME"),
        );
    }
    context.answer = Answer::Preview;
    change::load(context)
}
