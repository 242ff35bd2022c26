//! `module show`: the calls of a modulefile, as Lua or as Tcl would write them.

use bstr::{BStr, ByteSlice};

use crate::modulefile::{Call, Value};

/// The calls as Lua calls, one a line: programs read `setenv("NAME","VALUE")` from it.
pub fn lua(calls: &[Call]) -> String {
    let mut text = String::new();
    for call in calls {
        let (name, words) = lua_call(call);
        let words = words.iter().map(lua_value);
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

/// The Lua function that does what the call does, and its arguments without options.
fn lua_call(call: &Call) -> (String, Vec<Value>) {
    let words = &call.args.positional;
    let text = |word: &Value| word.to_bytes().map_or_else(String::new, |b| b.to_string());
    let command = call.command;
    if command.tcl == ["module"] {
        let mut flat = words.iter().flat_map(|word| {
            let words = text(word);
            words
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        let sub = flat.next().unwrap_or_default();
        let rest: Vec<String> = flat.collect();
        let dirs = |name: &str| {
            let dirs = rest.iter().filter(|word| !word.starts_with('-'));
            let dirs = dirs.map(String::as_str).collect::<Vec<_>>().join(":");
            (
                name.to_owned(),
                vec![Value::text("MODULEPATH"), Value::text(dirs)],
            )
        };
        return match sub.as_str() {
            "use" if rest.iter().any(|w| w == "-a" || w == "--append") => dirs("append_path"),
            "use" => dirs("prepend_path"),
            "unuse" => dirs("remove_path"),
            "add" => (
                "load".to_owned(),
                rest.into_iter().map(Value::text).collect(),
            ),
            "rm" | "del" | "remove" => (
                "unload".to_owned(),
                rest.into_iter().map(Value::text).collect(),
            ),
            _ => (
                sub.replace('-', "_"),
                rest.into_iter().map(Value::text).collect(),
            ),
        };
    }
    let name = command
        .lua
        .first()
        .copied()
        .map_or_else(|| command.tcl[0].replace('-', "_"), str::to_owned);
    // Lua's third argument of a path function is the delimiter: several entries make one text.
    let is_path = command
        .tcl
        .first()
        .is_some_and(|tcl| tcl.ends_with("-path"));
    if is_path && !call.args.table_form && words.len() > 2 && command.lua_extra.contains(&"delim") {
        let delim = call
            .args
            .option("delim")
            .map_or_else(|| ":".to_owned(), text);
        let entries: Vec<String> = words[1..].iter().map(text).collect();
        return (
            name,
            vec![words[0].clone(), Value::text(entries.join(&delim))],
        );
    }
    (name, words.clone())
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
            let option = call
                .command
                .options
                .iter()
                .find(|option| option.name == *name);
            let spelled = option.and_then(|option| option.tcl.first().copied());
            let spelled =
                spelled.map_or_else(|| format!("--{}", name.replace('_', "-")), str::to_owned);
            std::iter::once(spelled).chain(word)
        });
        let words: Vec<String> = named
            .chain(call.args.positional.iter().map(tcl_value))
            .collect();
        let line = format!("{name}{tabs}{}", words.join(" "));
        text.push_str(line.trim_end());
        text.push('\n');
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modulefile::{Args, find_tcl};

    fn call(line: &str, named: &[(&'static str, Value)]) -> Call {
        let mut words = line.split(' ');
        let command = find_tcl(words.next().unwrap()).unwrap();
        let mut args = Args::new(words.map(Value::text).collect());
        args.named.extend(named.iter().cloned());
        Call { command, args }
    }

    #[test]
    fn calls_of_tcl_are_shown_as_the_lua_that_does_the_same() {
        let seen = |line: &str| lua(&[call(line, &[])]);
        assert_eq!(seen("setenv A 1"), "setenv(\"A\",\"1\")\n");
        assert_eq!(seen("module load b c/1"), "load(\"b\",\"c/1\")\n");
        assert_eq!(seen("module try-load b"), "try_load(\"b\")\n");
        assert_eq!(seen("module rm b"), "unload(\"b\")\n");
        assert_eq!(
            seen("module use -a /x /y"),
            "append_path(\"MODULEPATH\",\"/x:/y\")\n"
        );
        assert_eq!(seen("prepend-path P a b"), "prepend_path(\"P\",\"a:b\")\n");
        let delim = [("delim", Value::text(","))];
        assert_eq!(
            lua(&[call("prepend-path P a b", &delim)]),
            "prepend_path{\"P\",\"a,b\",delim=\",\"}\n"
        );
    }

    #[test]
    fn calls_are_shown_in_the_words_of_tcl() {
        let flag = [("if_unset", Value::Bool(true))];
        assert_eq!(
            tcl(&[call("setenv A 1", &flag)]),
            "setenv\t\t--set-if-undef A 1\n"
        );
        let delim = [("delim", Value::text(" "))];
        assert_eq!(
            tcl(&[call("prepend-path P a", &delim)]),
            "prepend-path\t-d { } P a\n"
        );
        let empty = Call {
            command: find_tcl("require-fullname").unwrap(),
            args: Args::default(),
        };
        assert_eq!(tcl(&[empty]), "require-fullname\n");
    }
}
