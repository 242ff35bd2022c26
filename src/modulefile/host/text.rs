//! Commands that carry text: whatis, help, messages, extensions.

use bstr::{BString, ByteSlice};
use indexmap::IndexMap;

use super::{Host, Stop, relations};
use crate::diag::{Diagnostic, Kind};
use crate::modulefile::lua::message_width;
use crate::modulefile::site::Said;
use crate::modulefile::value::{ArgError, Args, Value};
use crate::modulefile::world::Level;
use crate::modulefile::{Mode, site};

/// All positional arguments joined by a blank.
fn joined(args: &Args) -> Result<BString, Stop> {
    if args.len() == 1 {
        return Ok(args.bytes(0)?);
    }
    let words = (0..args.len())
        .map(|i| args.bytes(i))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(BString::from(bstr::join(" ", words)))
}

/// What a message says: its arguments joined, or a table of Lua: `LmodError{msg="no_licence", what="x"}`. What stands
/// under `msg` is a key of the site's message file, else the text itself, with the other entries in place of `%{what}`.
fn said(host: &mut Host, args: &Args) -> Result<Said, Stop> {
    let [Value::Map(table)] = args.positional.as_slice() else {
        return Ok(Said {
            text: joined(args)?,
            key: String::new(),
            values: IndexMap::new(),
        });
    };
    let key = table
        .get("msg")
        .and_then(Value::to_bytes)
        .ok_or_else(|| ArgError {
            index: None,
            message: "the table has no text under `msg`".to_owned(),
        })?;
    let key = key.to_str_lossy().into_owned();
    let template = site::template(host, &key)?;
    let template = template.unwrap_or_else(|| BString::from(key.as_str()));
    Ok(Said {
        text: site::filled(&template, table),
        key,
        values: table.clone(),
    })
}

/// `whatis TEXT`, `module-whatis TEXT...`.
pub(in crate::modulefile) fn whatis(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let text = joined(args)?;
    host.evaluation.whatis.push(text);
    Ok(Value::Nil)
}

/// `help(TEXT...)`, `module-help TEXT...`.
pub(in crate::modulefile) fn help(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    if args.is_empty() {
        return Ok(Value::Nil);
    }
    let text = joined(args)?;
    host.evaluation.help.push(text);
    Ok(Value::Nil)
}

/// `extensions("numpy/1.26, scipy/1.11")`: names separated by commas or blanks.
pub(in crate::modulefile) fn extensions(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    for text in args.strings(0)? {
        host.evaluation.extensions.extend(
            text.split(|c: char| c == ',' || c.is_whitespace())
                .filter(|s| !s.is_empty())
                .map(str::to_owned),
        );
    }
    if host.world.config().extensions_inform {
        return Ok(Value::Nil);
    }
    let names = host.evaluation.extensions.clone();
    let names: Vec<Value> = names.into_iter().map(Value::text).collect();
    relations::provide(host, &Args::new(names))
}

/// `metadata NAME VALUE...`: facts for the catalog.
pub(in crate::modulefile) fn metadata(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = args.string(0)?;
    for value in args.strings(1)? {
        host.evaluation.facts.push((name.clone(), value));
    }
    Ok(Value::Nil)
}

/// `add_property(KEY, VALUE)`.
pub(in crate::modulefile) fn add_property(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let (key, value) = (args.string(0)?, args.string(1)?);
    if !host.world.config().known_properties {
        let tags = value.split(':').filter(|tag| !tag.is_empty());
        host.evaluation.tags.extend(tags.map(str::to_owned));
        return Ok(Value::Nil);
    }
    // Where a file is only looked at, a property that is gone from the site's files is no mistake.
    if matches!(host.mode, Mode::Load | Mode::Refresh | Mode::Check) {
        known_property(host, &key, &value)?;
    }
    host.evaluation.properties.push((key, value));
    Ok(Value::Nil)
}

/// Only properties that the site's rc files or Lmod itself know can be given.
fn known_property(host: &mut Host, key: &str, value: &str) -> Result<(), Stop> {
    let built_in = site::rc::Rc::built_in();
    if built_in.allows(key, value) {
        return Ok(());
    }
    let rc = site::rc::read(host)?;
    if rc.allows(key, value) {
        return Ok(());
    }
    let (index, known, word) = match rc.properties.get(key) {
        Some(property) => (1, property.valid.join(", "), "value"),
        None => (
            0,
            rc.properties.keys().cloned().collect::<Vec<_>>().join(", "),
            "property",
        ),
    };
    let wrong = if index == 0 { key } else { value };
    Err(Stop::Argument(ArgError {
        index: Some(index),
        message: format!("`{wrong}` is not a known {word}; known are: {known}"),
    }))
}

/// `remove_property(KEY, VALUE)`.
pub(in crate::modulefile) fn remove_property(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let property = (args.string(0)?, args.string(1)?);
    host.evaluation
        .properties
        .retain(|known| *known != property);
    Ok(Value::Nil)
}

/// `haveDynamicMPATH()`: the modulepaths that the file adds depend on who evaluates it.
pub(in crate::modulefile) fn have_dynamic_modulepath(
    host: &mut Host,
    _: &Args,
) -> Result<Value, Stop> {
    host.evaluation.dynamic_modulepath = true;
    Ok(Value::Nil)
}

/// `report [-nonewline] TEXT`.
pub(in crate::modulefile) fn report(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let mut text = joined(args)?;
    if !args.flag("no_newline") {
        text.push(b'\n');
    }
    host.tell(Level::Plain, text);
    Ok(Value::Nil)
}

/// `reportError TEXT`: the command counts as failed, the file goes on.
pub(in crate::modulefile) fn report_error(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let text = joined(args)?;
    host.tell(Level::Error, text);
    Ok(Value::Nil)
}

/// Commands that Environment Modules 3 had and later versions ignore.
pub(in crate::modulefile) fn obsolete(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    if matches!(host.mode, Mode::Load | Mode::Unload) {
        host.warn("this command does nothing any more");
    }
    Ok(Value::Nil)
}

/// Whether messages reach people: they are shown as calls where the file is shown, and mean nothing where it is only read
/// for its texts or defines again what it said already.
fn speaks(host: &Host) -> bool {
    !matches!(
        host.mode,
        Mode::Show | Mode::Help | Mode::Whatis | Mode::Refresh
    )
}

/// `LmodMessage(TEXT...)`.
pub(in crate::modulefile) fn message(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let said = said(host, args)?;
    if !speaks(host) {
        return Ok(Value::Nil);
    }
    let text = site::message_text(host, "lmodmessage", said)?;
    let mut text = wrapped(&text, message_width(host));
    text.push(b'\n');
    host.tell(Level::Plain, text);
    Ok(Value::Nil)
}

/// A text with its long lines wrapped to `width` columns.
fn wrapped(text: &BString, width: usize) -> BString {
    let lines = text.lines().map(|line| match line.to_str() {
        Ok(line) if line.chars().count() > width => {
            let start = &line[..line.len() - line.trim_start().len()];
            let options = textwrap::Options::new(width)
                .initial_indent(start)
                .break_words(false);
            BString::from(textwrap::fill(line.trim_start(), options))
        }
        _ => BString::from(line),
    });
    BString::from(bstr::join("\n", lines))
}

/// `LmodMsgRaw(TEXT...)`: the arguments as they are, one behind the other.
pub(in crate::modulefile) fn message_raw(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let texts = (0..args.len())
        .map(|i| args.bytes(i))
        .collect::<Result<Vec<_>, _>>()?;
    if speaks(host) {
        host.tell(Level::Plain, bstr::concat(texts));
    }
    Ok(Value::Nil)
}

/// `LmodBreak([TEXT...])`: the file gives up, what it did is dropped. Only a load can be given up.
pub(in crate::modulefile) fn break_off(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    if host.mode != Mode::Load {
        return Ok(Value::Nil);
    }
    let text = said(host, args)?.text;
    Err(Stop::Break(
        (!text.is_empty()).then(|| text.to_str_lossy().into_owned()),
    ))
}

/// `LmodWarning(TEXT...)`, `reportWarning TEXT`.
pub(in crate::modulefile) fn warning(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let said = said(host, args)?;
    if matches!(host.mode, Mode::Help | Mode::Whatis) {
        return Ok(Value::Nil);
    }
    let text = site::message_text(host, "lmodwarning", said)?;
    host.tell(Level::Warning, text);
    Ok(Value::Nil)
}

/// `LmodError(TEXT...)`: the request fails. Inert where a file is only read for its texts.
pub(in crate::modulefile) fn error(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let said = said(host, args)?;
    if matches!(host.mode, Mode::Help | Mode::Whatis | Mode::Spider) {
        return Ok(Value::Nil);
    }
    let text = site::message_text(host, "lmoderror", said)?;
    Err(Stop::fatal(
        Diagnostic::new(Kind::Module, text.to_str_lossy().trim())
            .at(host.place.clone(), "said by this modulefile"),
    ))
}
