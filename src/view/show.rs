//! `module show`: the calls of a modulefile, as Lua or as Tcl would write them.

use bstr::{BStr, ByteSlice};

use crate::modulefile::{Call, Value};

/// The calls as Lua calls, one a line: programs read `setenv("NAME","VALUE")` from it.
pub fn lua(calls: &[Call]) -> String {
    let mut text = String::new();
    for call in calls {
        let name = call
            .command
            .lua
            .first()
            .copied()
            .map_or_else(|| call.command.tcl[0].replace('-', "_"), str::to_owned);
        let words = call.args.positional.iter().map(lua_value);
        let named: Vec<String> = call
            .args
            .named
            .iter()
            .map(|(name, value)| format!("{name}={}", lua_value(value)))
            .collect();
        if named.is_empty() {
            text.push_str(&format!(
                "{name}({})\n",
                words.collect::<Vec<_>>().join(",")
            ));
        } else {
            let all: Vec<String> = words.chain(named).collect();
            text.push_str(&format!("{name}{{{}}}\n", all.join(",")));
        }
    }
    text
}

fn lua_value(value: &Value) -> String {
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(i) => i.to_string(),
        Value::Float(f) => f.to_string(),
        Value::Bytes(bytes) => lua_string(bytes.as_bstr()),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(lua_value).collect();
            format!("{{{}}}", items.join(","))
        }
        Value::Map(map) => {
            let items: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{k}={}", lua_value(v)))
                .collect();
            format!("{{{}}}", items.join(","))
        }
        Value::Spec(spec) => spec.text.clone(),
    }
}

/// A Lua string: in quotes, or in long brackets where it has several lines.
fn lua_string(bytes: &BStr) -> String {
    let text = bytes.to_str_lossy();
    if text.contains('\n') {
        let mut level = String::new();
        while text.contains(&format!("]{level}]")) {
            level.push('=');
        }
        return format!("[{level}[{text}]{level}]");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push_str(&format!("\\{}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The calls as Tcl commands: name, tab, words.
pub fn tcl(calls: &[Call]) -> String {
    let mut text = String::new();
    for call in calls {
        let name = call
            .command
            .tcl
            .first()
            .copied()
            .map_or_else(|| call.command.lua[0].replace('_', "-"), str::to_owned);
        let tabs = if name.len() < 8 { "\t\t" } else { "\t" };
        let named = call.args.named.iter().flat_map(|(name, value)| {
            let flag = matches!(value, Value::Bool(true));
            let word = (!flag).then(|| tcl_value(value));
            std::iter::once(format!("--{}", name.replace('_', "-"))).chain(word)
        });
        let words: Vec<String> = named
            .chain(call.args.positional.iter().map(tcl_value))
            .collect();
        text.push_str(&format!("{name}{tabs}{}\n", words.join(" ")));
    }
    text
}

fn tcl_value(value: &Value) -> String {
    let bytes = match value {
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(tcl_value).collect();
            return format!("{{{}}}", items.join(" "));
        }
        value => value.to_bytes().unwrap_or_default(),
    };
    let quoted = crate::modulefile::tcl::join_elements([bytes.as_bytes()]);
    quoted.to_str_lossy().into_owned()
}
