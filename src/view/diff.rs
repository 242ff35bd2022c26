//! What a request would change: `--dry-run`, `module diff`.

use bstr::{BStr, ByteSlice};

use super::Layout;
use super::palette::{ADDED, HEADING, REMOVED, paint};
use crate::env::{Change, Delta};
use crate::session::Session;

/// Variables that are only our own book-keeping.
const OWN: &[&str] = &["__XMOD_", "__LMOD_", "_LMFILES_", "__MODULES_"];

/// The changes for people: path-like variables entry by entry.
pub fn render(delta: &Delta, session: &Session, layout: Layout) -> String {
    let mut text = String::new();
    for change in &delta.changes {
        match change {
            Change::SetVar { name, .. } | Change::UnsetVar { name } if is_own(name.as_str()) => {}
            Change::SetVar { name, value } => {
                let before = session.var(name.as_str());
                text.push_str(&variable(
                    name.as_str(),
                    before,
                    Some(value.as_bstr()),
                    layout,
                ));
            }
            Change::UnsetVar { name } => {
                let before = session.var(name.as_str());
                text.push_str(&variable(name.as_str(), before, None, layout));
            }
            Change::SetAlias { name, value } => {
                text.push_str(&line('+', &format!("alias {name}={value}"), layout))
            }
            Change::UnsetAlias { name } => {
                text.push_str(&line('-', &format!("alias {name}"), layout))
            }
            Change::SetFunction { name, .. } => {
                text.push_str(&line('+', &format!("function {name}"), layout))
            }
            Change::UnsetFunction { name } => {
                text.push_str(&line('-', &format!("function {name}"), layout))
            }
            Change::ExportFunction { name } => {
                text.push_str(&line('+', &format!("export function {name}"), layout))
            }
            Change::Complete { command, .. } => {
                text.push_str(&line('+', &format!("completion of {command}"), layout))
            }
            Change::Uncomplete { command, .. } => {
                text.push_str(&line('-', &format!("completion of {command}"), layout));
            }
            Change::Chdir { dir } => text.push_str(&line('+', &format!("cd {dir}"), layout)),
            Change::Execute { code } => text.push_str(&line('+', &format!("run: {code}"), layout)),
        }
    }
    if text.is_empty() {
        text.push_str("nothing would change\n");
    }
    text
}

/// The changes for programs.
pub fn json(delta: &Delta, session: &Session) -> serde_json::Value {
    let text = |value: &[u8]| value.to_str_lossy().into_owned();
    let variable = |name: &str, after: Option<&[u8]>| {
        let before = session.var(name).map(|value| text(value));
        serde_json::json!({ "variable": name, "before": before, "after": after.map(text) })
    };
    let changes = delta.changes.iter().filter_map(|change| {
        Some(match change {
            Change::SetVar { name, .. } | Change::UnsetVar { name } if is_own(name.as_str()) => {
                return None;
            }
            Change::SetVar { name, value } => variable(name.as_str(), Some(value)),
            Change::UnsetVar { name } => variable(name.as_str(), None),
            Change::SetAlias { name, value } => {
                serde_json::json!({ "alias": name, "after": text(value) })
            }
            Change::UnsetAlias { name } => serde_json::json!({ "alias": name, "after": null }),
            Change::SetFunction { name, .. } => {
                serde_json::json!({ "function": name, "defined": true })
            }
            Change::UnsetFunction { name } => {
                serde_json::json!({ "function": name, "defined": false })
            }
            Change::ExportFunction { name } => {
                serde_json::json!({ "function": name, "exported": true })
            }
            Change::Complete { command, .. } => {
                serde_json::json!({ "completion": command, "defined": true })
            }
            Change::Uncomplete { command, .. } => {
                serde_json::json!({ "completion": command, "defined": false })
            }
            Change::Chdir { dir } => serde_json::json!({ "directory": text(dir) }),
            Change::Execute { code } => serde_json::json!({ "run": text(code) }),
        })
    });
    let changes: Vec<_> = changes.collect();
    serde_json::json!({ "version": 1, "changes": changes })
}

fn is_own(name: &str) -> bool {
    OWN.iter().any(|own| name.starts_with(own))
}

fn line(sign: char, what: &str, layout: Layout) -> String {
    let style = if sign == '+' { ADDED } else { REMOVED };
    let what = crate::diag::printable(what).replace('\n', "\\n");
    format!(
        "{}\n",
        paint(&format!("{sign} {what}"), style, layout.colour)
    )
}

fn variable(name: &str, before: Option<&BStr>, after: Option<&BStr>, layout: Layout) -> String {
    let is_list =
        |value: Option<&BStr>| value.is_some_and(|v| v.starts_with(b"/") && !v.contains(&b'\n'));
    if !(is_list(before) && (is_list(after) || after.is_none())
        || before.is_none() && is_list(after))
    {
        let mut text = String::new();
        if let Some(before) = before {
            text.push_str(&line('-', &format!("{name}={before}"), layout));
        }
        if let Some(after) = after {
            text.push_str(&line('+', &format!("{name}={after}"), layout));
        }
        return text;
    }
    let entries = |value: Option<&BStr>| -> Vec<Vec<u8>> {
        value.map_or(Vec::new(), |v| {
            v.split_str(":").map(<[u8]>::to_vec).collect()
        })
    };
    let (old, new) = (entries(before), entries(after));
    let mut text = format!("{}\n", paint(&format!("  {name}"), HEADING, layout.colour));
    let mut moved = true;
    for entry in old.iter().filter(|e| !new.contains(e)) {
        text.push_str(&line('-', &format!("  {}", entry.as_bstr()), layout));
        moved = false;
    }
    for entry in new.iter().filter(|e| !old.contains(e)) {
        text.push_str(&line('+', &format!("  {}", entry.as_bstr()), layout));
        moved = false;
    }
    if moved {
        text.push_str(&line('+', "  (the same entries in another order)", layout));
    }
    text
}
