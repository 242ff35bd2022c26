//! Commands that say what modules are called and who may use them: `module-version`, `module-hide`, `module-forbid`, ...
//!
//! They leave [`Directive`]s; what a name relative to the directory means (`/1.0`, `./1.0`) is for the reader of the
//! tree. Source: `modulefile(4)`, "Modulerc specific commands"; Lmod user guide "Hiding and forbidding modules".

use super::{Host, Stop};
use crate::modulefile::Mode;
use crate::modulefile::relation::{Condition, Directive, Hiding};
use crate::modulefile::value::{ArgError, Args, Value};

fn push(host: &mut Host, directive: Directive) -> Result<Value, Stop> {
    let place = host.place.clone();
    if host.mode != Mode::Rc && !is_plain(host) {
        host.world.declare(host.module, &directive);
    }
    host.evaluation.directives.push((directive, place));
    Ok(Value::Nil)
}

fn wrong<T>(message: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Argument(ArgError {
        index: None,
        message: message.into(),
    }))
}

/// `module-version MODULE SYMBOL...`.
pub(in crate::modulefile) fn version(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let directive = Directive::Version {
        target: args.string(0)?,
        symbols: args.strings(1)?,
    };
    push(host, directive)
}

/// `module-alias NAME TARGET`.
pub(in crate::modulefile) fn alias(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let directive = Directive::Alias {
        name: args.string(0)?,
        target: args.string(1)?,
    };
    push(host, directive)
}

/// `module-virtual NAME FILE`.
pub(in crate::modulefile) fn virtual_module(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let directive = Directive::Virtual {
        name: args.string(0)?,
        target: args.string(1)?,
    };
    push(host, directive)
}

/// `module-hide [--soft|--hard] [--hidden-loaded] [CRITERION...] MODULE...`, `hide-version`, `hide-modulefile`.
pub(in crate::modulefile) fn hide(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    hide_targets(host, args, Matching::Names)
}

/// `hide{name=..., kind=...}` of Lua.
pub(in crate::modulefile) fn hide_named(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    hide_keys(host, args, Matching::Names)
}

/// `hideRegex{name=..., kind=...}` of Lua.
pub(in crate::modulefile) fn hide_named_pattern(
    host: &mut Host,
    args: &Args,
) -> Result<Value, Stop> {
    hide_keys(host, args, Matching::Patterns)
}

/// Lua says by keys what Tcl says by options.
fn hide_keys(host: &mut Host, args: &Args, matching: Matching) -> Result<Value, Stop> {
    let hiding = match text(args, "kind").as_deref() {
        None | Some("hidden") => Hiding::Hidden,
        Some("soft") => Hiding::Soft,
        Some("hard") => Hiding::Hard,
        Some(other) => return wrong(format!("`{other}` is not a kind: `hidden`, `soft`, `hard`")),
    };
    let directive = Directive::Hide {
        targets: named_targets(args)?,
        regex: matching == Matching::Patterns,
        hiding,
        hidden_loaded: args.flag("hidden_loaded"),
        condition: condition(args)?,
    };
    push(host, directive)
}

/// The modules under the key `name`: one text or a list.
fn named_targets(args: &Args) -> Result<Vec<String>, Stop> {
    let targets = args.option_list("name", &[]);
    if targets.is_empty() {
        return wrong("the key `name` is missing");
    }
    Ok(targets)
}

/// `forbid{name=...}` of Lua.
pub(in crate::modulefile) fn forbid_named(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let targets = named_targets(args)?;
    forbid_these(host, args, targets, Matching::Names)
}

/// `forbidRegex{name=...}` of Lua.
pub(in crate::modulefile) fn forbid_named_pattern(
    host: &mut Host,
    args: &Args,
) -> Result<Value, Stop> {
    let targets = named_targets(args)?;
    forbid_these(host, args, targets, Matching::Patterns)
}

/// `module-hide-regex`.
pub(in crate::modulefile) fn hide_pattern(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    hide_targets(host, args, Matching::Patterns)
}

/// What the targets of a rule are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Matching {
    Names,
    Patterns,
}

fn hide_targets(host: &mut Host, args: &Args, matching: Matching) -> Result<Value, Stop> {
    let hiding = match (args.flag("soft"), args.flag("hard")) {
        (true, true) => return wrong("`--soft` and `--hard` exclude each other"),
        (true, false) => Hiding::Soft,
        (false, true) => Hiding::Hard,
        (false, false) => Hiding::Hidden,
    };
    let directive = Directive::Hide {
        targets: args.strings(0)?,
        regex: matching == Matching::Patterns,
        hiding,
        hidden_loaded: args.flag("hidden_loaded"),
        condition: condition(args)?,
    };
    push(host, directive)
}

/// `module-forbid [--message TEXT] [--nearly-message TEXT] [CRITERION...] MODULE...`.
pub(in crate::modulefile) fn forbid(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    forbid_targets(host, args, Matching::Names)
}

/// `module-forbid-regex`.
pub(in crate::modulefile) fn forbid_pattern(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    forbid_targets(host, args, Matching::Patterns)
}

fn forbid_targets(host: &mut Host, args: &Args, matching: Matching) -> Result<Value, Stop> {
    let targets = args.strings(0)?;
    forbid_these(host, args, targets, matching)
}

fn forbid_these(
    host: &mut Host,
    args: &Args,
    targets: Vec<String>,
    matching: Matching,
) -> Result<Value, Stop> {
    let directive = Directive::Forbid {
        targets,
        regex: matching == Matching::Patterns,
        condition: condition(args)?,
        message: text(args, "message"),
        nearly_message: text(args, "nearly_message"),
    };
    push(host, directive)
}

/// `module-tag [CRITERION...] TAG MODULE...`.
pub(in crate::modulefile) fn tag(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    const RESERVED: [&str; 7] = [
        "loaded",
        "auto-loaded",
        "forbidden",
        "nearly-forbidden",
        "hidden",
        "hidden-loaded",
        "warning",
    ];
    let tag = args.string(0)?;
    if RESERVED.contains(&tag.as_str()) {
        return wrong(format!("`{tag}` is a reserved tag and cannot be set"));
    }
    if tag.contains(':') {
        return wrong(format!("the tag `{tag}` holds a `:`"));
    }
    let targets = args.strings(1)?;
    let condition = condition(args)?;
    let full_name = host.module.full_name();
    let is_own = targets
        .iter()
        .any(|target| *target == full_name || *target == host.module.name);
    if host.mode != Mode::Rc && is_own && concerns_user(host, &condition) {
        host.evaluation.tags.push(tag.clone());
    }
    let directive = Directive::Tag {
        tag,
        targets,
        condition,
    };
    push(host, directive)
}

/// `module-warn [CRITERION...] --message TEXT MODULE...`.
pub(in crate::modulefile) fn warn(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let Some(message) = text(args, "message") else {
        return wrong("needs `--message TEXT`");
    };
    let directive = Directive::Warn {
        targets: args.strings(0)?,
        message,
        condition: condition(args)?,
    };
    push(host, directive)
}

/// `modulepath-label DIR LABEL`.
pub(in crate::modulefile) fn label(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let directive = Directive::Label {
        dir: args.string(0)?,
        label: args.string(1)?,
    };
    push(host, directive)
}

/// `modulepath-ignore PATTERN...`: only rc files may say it, a modulefile is read too late.
pub(in crate::modulefile) fn ignore(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    if host.mode != Mode::Rc && !is_plain(host) {
        return wrong("only rc files may say what is ignored");
    }
    let directive = Directive::Ignore {
        patterns: args.strings(0)?,
    };
    push(host, directive)
}

/// Whether the file is an rc file of the site or of the user that is evaluated as a modulefile, and no module.
fn is_plain(host: &Host) -> bool {
    host.module.name == host.module.file.as_str()
}

/// Whether a rule without times holds for the user: who is named as meant is meant, whatever else is said.
fn concerns_user(host: &Host, condition: &Condition) -> bool {
    let among = |users: &[String], groups: &[String]| {
        let session = host.world.session();
        (!users.is_empty() && users.iter().any(|user| user == session.user()))
            || (!groups.is_empty() && groups.iter().any(|g| session.groups().contains(g)))
    };
    let nobody_is_meant = condition.users.is_empty() && condition.groups.is_empty();
    among(&condition.users, &condition.groups)
        || nobody_is_meant && !among(&condition.not_users, &condition.not_groups)
}

fn text(args: &Args, name: &str) -> Option<String> {
    args.option_bytes(name).map(|text| text.to_string())
}

/// When and for whom a rule holds.
fn condition(args: &Args) -> Result<Condition, Stop> {
    let time = |name: &str| match text(args, name) {
        Some(time) if is_time(&time) => Ok(Some(time)),
        Some(time) => wrong(format!(
            "`{time}` is no date: YYYY-MM-DD or YYYY-MM-DDTHH:MM"
        )),
        None => Ok(None),
    };
    Ok(Condition {
        after: time("after")?,
        before: time("before")?,
        users: args.option_list("user", &[' ']),
        groups: args.option_list("group", &[' ']),
        not_users: args.option_list("not_user", &[' ']),
        not_groups: args.option_list("not_group", &[' ']),
    })
}

/// Whether a text reads `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM`.
fn is_time(text: &str) -> bool {
    match text.len() {
        10 => text.parse::<jiff::civil::Date>().is_ok(),
        16 => text.as_bytes()[10] == b'T' && text.parse::<jiff::civil::DateTime>().is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_time;

    #[test]
    fn dates_with_and_without_a_time_are_read() {
        assert!(is_time("2026-02-28") && is_time("2026-02-28T12:30"));
        for bad in [
            "2026-02-30",
            "2026-2-3",
            "tomorrow",
            "2026-02-28 12:30",
            "2026-02-28T25:00",
            "",
        ] {
            assert!(!is_time(bad), "{bad}");
        }
    }
}
