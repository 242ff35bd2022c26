//! `module show`: the calls of a modulefile, as Lua or as Tcl would write them.

use bstr::{BString, ByteSlice};

use crate::modulefile::{Call, Value};

/// The calls as Lua calls, one a line, as Lmod prints them: programs read `setenv("NAME","VALUE")` from it, so values
/// stand there as they are, without escapes.
pub fn lua(calls: &[Call]) -> String {
    let mut text = String::new();
    for call in calls {
        let (name, words) = lua_call(call);
        // What the script came to follows.
        text.push_str(if is_script(call) { "--" } else { "" });
        let keyed: Vec<String> = call
            .args
            .named
            .iter()
            .filter(|(name, value)| !is_usual(name, value) && !is_by_position(name))
            .map(|(name, value)| format!("{}={}", lua_key(call, name), lua_value(value)))
            .collect();
        let words = words.iter();
        let line = match name.as_str() {
            "help" => {
                let texts: Vec<String> = words.map(lua_long_text).collect();
                format!("help({})", texts.join(", "))
            }
            _ if keyed.is_empty() => {
                let extra = call
                    .args
                    .named
                    .iter()
                    .filter(|(name, _)| is_by_position(name));
                let extra = extra.map(|(_, value)| lua_value(value));
                let all: Vec<String> = words.map(lua_value).chain(extra).collect();
                format!("{name}({})", all.join(","))
            }
            _ => {
                let separator = if call.args.is_empty() { ", " } else { "," };
                let all: Vec<String> = words.map(lua_value).chain(keyed).collect();
                format!("{name}{{{}}}", all.join(separator))
            }
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// The calls for programs: the Lua name of each, its arguments and its options.
pub fn json(calls: &[Call]) -> Vec<serde_json::Value> {
    let calls = calls.iter().map(|call| {
        let (name, words) = lua_call(call);
        let words: Vec<_> = words.iter().map(json_value).collect();
        let named = call.args.named.iter();
        let options: serde_json::Map<_, _> = named
            .map(|(name, value)| (lua_key(call, name).to_owned(), json_value(value)))
            .collect();
        serde_json::json!({ "function": name, "arguments": words, "options": options })
    });
    calls.collect()
}

fn json_value(value: &Value) -> serde_json::Value {
    match value {
        Value::Nil => serde_json::Value::Null,
        Value::Bool(b) => (*b).into(),
        Value::Int(i) => (*i).into(),
        Value::Float(f) => (*f).into(),
        Value::Bytes(text) => text.to_str_lossy().into_owned().into(),
        Value::List(items) => items.iter().map(json_value).collect(),
        Value::Map(map) => {
            let fields = map.iter().map(|(k, v)| (k.clone(), json_value(v)));
            serde_json::Value::Object(fields.collect())
        }
        Value::Spec(spec) => spec.text.clone().into(),
    }
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

/// The key that a Lua table has for an option.
fn lua_key(call: &Call, name: &'static str) -> &'static str {
    let option = call.command.options.iter().find(|o| o.name == name);
    option.and_then(|o| o.lua.first().copied()).unwrap_or(name)
}

/// Whether an option says what holds without it.
fn is_usual(name: &str, value: &Value) -> bool {
    name == "delim" && value.to_bytes().is_some_and(|delim| *delim == ":")
}

/// Whether Lua gives the option by position: `setenv("NAME","VALUE",true)`.
fn is_by_position(name: &str) -> bool {
    name == "if_unset"
}

fn lua_value(value: &Value) -> String {
    match value {
        Value::Nil => "nil".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(_) | Value::Float(_) | Value::Bytes(_) => {
            let text = value.to_bytes().unwrap_or_default();
            format!("\"{}\"", text.to_str_lossy())
        }
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(lua_value).collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::Map(map) => {
            let items: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{k}={}", lua_value(v)))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::Spec(spec) => spec.text.clone(),
    }
}

/// A text in long brackets.
fn lua_long_text(value: &Value) -> String {
    let text = value.to_bytes().unwrap_or_default();
    format!("[[{}]]", text.to_str_lossy())
}

/// Whether the call runs a shell script.
fn is_script(call: &Call) -> bool {
    call.command.lua == ["source_sh"]
}

/// The calls as Tcl commands: name, tab, words; between them what the file `said`, each with the number of calls before it.
pub fn tcl(calls: &[Call], said: &[(usize, BString)]) -> String {
    let mut text = String::new();
    let mut said = said.iter().peekable();
    for (at, call) in calls.iter().enumerate() {
        while let Some((_, words)) = said.next_if(|(before, _)| *before <= at) {
            text.push_str(&words.to_str_lossy());
        }
        if is_script(call) {
            continue;
        }
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
            let spellings = option.map_or(&[][..], |option| option.tcl);
            let long = spellings.iter().find(|name| name.starts_with("--"));
            let spelled = long.or(spellings.first()).copied();
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
    for (_, words) in said {
        text.push_str(&words.to_str_lossy());
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
            tcl(&[call("setenv A 1", &flag)], &[]),
            "setenv\t\t--set-if-undef A 1\n"
        );
        let delim = [("delim", Value::text(" "))];
        assert_eq!(
            tcl(&[call("prepend-path P a", &delim)], &[]),
            "prepend-path\t--delim { } P a\n"
        );
        let empty = Call {
            command: find_tcl("require-fullname").unwrap(),
            args: Args::default(),
        };
        assert_eq!(tcl(&[empty], &[]), "require-fullname\n");
        let said = [(0, "first\n".into()), (1, "last\n".into())];
        assert_eq!(
            tcl(&[call("setenv A 1", &[])], &said),
            "first\nsetenv\t\tA 1\nlast\n"
        );
    }
}
