//! Text: further methods of strings, colours, names that may or may not exist.
//!
//! Source: Lmod, its `string_utils` as far as modulefiles can call it.

use std::rc::Rc;

use bstr::BString;
use mlua::{Function, IntoLua, Lua, LuaString, MultiValue, Table, Value};

use super::pattern;
use crate::modulefile::host::Host;
use crate::modulefile::lua::machine::Shared;

/// The names of this file.
pub(super) const NAMES: &[&str] = &[
    "UUIDString",
    "color_banner",
    "colorize",
    "isDefined",
    "isNotDefined",
    "string",
];

/// Makes one of [`NAMES`].
pub(super) fn make(lua: &Lua, shared: &Rc<Shared>, name: &str) -> mlua::Result<Value> {
    let function = match name {
        "string" => return lua.globals().raw_get("string"),
        "UUIDString" => lua.create_function(|_, ()| Ok(unique_text()))?,
        "isDefined" => lua.create_function(|lua, name: Value| is_defined(lua, name))?,
        "isNotDefined" => {
            lua.create_function(|lua, name: Value| is_defined(lua, name).map(|known| !known))?
        }
        "colorize" => colorize(lua, shared)?,
        "color_banner" => color_banner(lua, shared)?,
        _ => return Ok(Value::Nil),
    };
    Ok(Value::Function(function))
}

/// Whether modulefiles have the name.
fn is_defined(lua: &Lua, name: Value) -> mlua::Result<bool> {
    match name {
        Value::String(name) if !name.as_bytes().is_empty() => {
            Ok(!lua.globals().get::<Value>(name)?.is_nil())
        }
        _ => Ok(false),
    }
}

/// The time and random digits, as Lmod makes them.
fn unique_text() -> String {
    let time = jiff::Zoned::now().strftime("%Y_%m_%d_%H_%M_%S").to_string();
    let digits = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap_or_default();
    format!("{time}-{}", digits.trim_end())
}

/// The numbers of the colours that Lmod names.
const COLOURS: &[(&str, u8)] = &[
    ("black", 30),
    ("red", 31),
    ("green", 32),
    ("yellow", 33),
    ("blue", 34),
    ("magenta", 35),
    ("cyan", 36),
    ("white", 37),
];

/// `text` in a colour where people see it on a terminal.
fn coloured(host: &Host<'_>, colour: &str, text: &str) -> String {
    let session = host.world.session();
    let wanted = session.stderr_is_terminal() && session.var("NO_COLOR").is_none();
    match COLOURS.iter().find(|(name, _)| *name == colour) {
        Some((_, number)) if wanted => format!("\x1b[1;{number}m{text}\x1b[0m"),
        _ => text.to_owned(),
    }
}

/// `colorize(COLOUR, TEXT...)`.
fn colorize(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(
        move |_, (colour, words): (String, mlua::Variadic<String>)| {
            let text = words.concat();
            shared.host(move |host| coloured(host, &colour, &text))
        },
    )
}

/// `color_banner(COLOUR)`: a line across the terminal.
fn color_banner(lua: &Lua, shared: &Rc<Shared>) -> mlua::Result<Function> {
    let shared = Rc::clone(shared);
    lua.create_function(move |_, colour: Option<String>| {
        shared.host(move |host| {
            let line = "=".repeat(width(host).saturating_sub(1));
            coloured(host, colour.as_deref().unwrap_or_default(), &line)
        })
    })
}

/// How wide messages are.
pub(in crate::modulefile) fn width(host: &Host<'_>) -> usize {
    const USUAL: usize = 80;
    let session = host.world.session();
    let asked = session.text("LMOD_TERM_WIDTH").and_then(|w| w.parse().ok());
    asked
        .or_else(|| match session.stderr_is_terminal() {
            true => terminal_size::terminal_size_of(std::io::stderr()).map(|(w, _)| w.0.into()),
            false => None,
        })
        .filter(|w| (20..=1000).contains(w))
        .unwrap_or(USUAL)
}

/// Gives strings their further methods, made when they are first used.
pub(super) fn extend_strings(lua: &Lua) -> mlua::Result<()> {
    let index = lua.create_function(|lua, (table, name): (Table, Value)| {
        let Value::String(key) = &name else {
            return Ok(Value::Nil);
        };
        let method = method(lua, &key.to_string_lossy())?;
        if !method.is_nil() {
            table.raw_set(name, &method)?;
        }
        Ok(method)
    })?;
    let metatable = lua.create_table_with_capacity(0, 1)?;
    metatable.raw_set("__index", index)?;
    metatable.raw_set("__metatable", false)?;
    let strings: Table = lua.globals().raw_get("string")?;
    // Compiled code is neither taken nor made.
    strings.raw_set("dump", Value::Nil)?;
    for name in pattern::NAMES {
        strings.raw_set(name, Value::Nil)?;
    }
    strings.set_metatable(Some(metatable))?;
    // All files share the methods of strings.
    if let Some(of_strings) = lua.type_metatable::<LuaString>() {
        of_strings.raw_set("__metatable", false)?;
    }
    Ok(())
}

fn method(lua: &Lua, name: &str) -> mlua::Result<Value> {
    let of_text = |of: fn(&[u8]) -> BString| {
        lua.create_function(move |lua, text: LuaString| lua.create_string(of(&text.as_bytes())))
    };
    let function = match name {
        name if pattern::NAMES.contains(&name) => pattern::make(lua, name)?,
        "split" => split(lua)?,
        "trim" => of_text(|text| text.trim_ascii().into())?,
        "escape" => of_text(|text| escaped(text, b'%', b"().%+-*?[]^$"))?,
        "caseIndependent" => of_text(case_independent)?,
        "multiEscaped" => of_text(|text| escaped(text, b'\\', b" '\"\\$`!()<>&;|*?[]{}#~"))?,
        "atSymbolEscaped" => of_text(|text| escaped(text, b'\\', b"@"))?,
        "doubleQuoteString" => of_text(double_quoted)?,
        "fillWords" => lua.create_function(
            |_, (text, indent, width): (String, Option<String>, Option<usize>)| {
                Ok(fill_words(&text, &indent.unwrap_or_default(), width))
            },
        )?,
        _ => return Ok(Value::Nil),
    };
    Ok(Value::Function(function))
}

/// `TEXT:split(PATTERN)`: an iterator over the pieces between the places that match.
fn split(lua: &Lua) -> mlua::Result<Function> {
    const CODE: &str = "local find, sub = string.find, string.sub
        return function(text, pattern)
            local at = 1
            return function()
                if not at then return nil end
                local first, last = find(text, pattern or ':', at)
                local piece
                if first and last >= first then
                    piece, at = sub(text, at, first - 1), last + 1
                else
                    piece, at = sub(text, at), nil
                end
                return piece
            end
        end";
    lua.load(CODE).set_name("=split").call(())
}

fn escaped(text: &[u8], with: u8, special: &[u8]) -> BString {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if special.contains(&byte) {
            out.push(with);
        }
        out.push(byte);
    }
    out.into()
}

/// A Lua pattern that matches the text in capitals and small letters.
fn case_independent(text: &[u8]) -> BString {
    let mut out = BString::default();
    for &byte in text {
        if byte.is_ascii_alphabetic() {
            out.extend([
                b'[',
                byte.to_ascii_uppercase(),
                byte.to_ascii_lowercase(),
                b']',
            ]);
        } else if byte.is_ascii_punctuation() {
            out.extend([b'%', byte]);
        } else {
            out.push(byte);
        }
    }
    out
}

/// The text as a Lua literal.
fn double_quoted(text: &[u8]) -> BString {
    let mut out = BString::from("\"");
    for &byte in text {
        match byte {
            b'"' | b'\\' | b'\n' => out.extend([b'\\', byte]),
            b'\r' => out.extend(b"\\r"),
            0 => out.extend(b"\\0"),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
    out
}

/// Words in lines of at most `width` columns behind `indent`.
fn fill_words(text: &str, indent: &str, width: Option<usize>) -> String {
    const USUAL: usize = 80;
    let options = textwrap::Options::new(width.unwrap_or(USUAL).max(1))
        .initial_indent(indent)
        .subsequent_indent(indent)
        .break_words(false);
    let words: Vec<&str> = text.split_whitespace().collect();
    textwrap::fill(&words.join(" "), options)
}

/// Arguments of `print` and `write` as bytes, with `separator` between them.
pub(super) fn joined(lua: &Lua, values: &MultiValue, separator: &[u8]) -> mlua::Result<BString> {
    let mut out = BString::default();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(separator);
        }
        match value {
            Value::String(text) => out.extend_from_slice(&text.as_bytes()),
            other => {
                let text: Function = lua.globals().raw_get("tostring")?;
                let text: LuaString = text.call(other.into_lua(lua)?)?;
                out.extend_from_slice(&text.as_bytes());
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_as_by_lmod() {
        assert_eq!(
            escaped(b"a.b-c*[x]+?^$%()", b'%', b"().%+-*?[]^$"),
            "a%.b%-c%*%[x%]%+%?%^%$%%%(%)"
        );
        assert_eq!(case_independent(b"aB1.x"), "[Aa][Bb]1%.[Xx]");
        assert_eq!(double_quoted(b"a\"b\\c\n"), "\"a\\\"b\\\\c\\\n\"");
        assert_eq!(
            fill_words(
                "the quick brown fox jumps over the lazy dog",
                "  ",
                Some(20)
            ),
            "  the quick brown\n  fox jumps over the\n  lazy dog"
        );
    }
}
