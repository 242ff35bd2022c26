//! The words of a Tcl call as arguments of a command of the table.
//!
//! Options stand before the first argument, and what follows that is taken as it is: `append-path CFLAGS -O2` adds an
//! option of the compiler. Rules of rc files accept them anywhere. Source: `modulefile(4)`; checked against Environment
//! Modules 5.2.

use crate::config::Config;
use crate::modulefile::command::{Carries, Command, Opt};
use crate::modulefile::value::{ArgError, Args, Value};

use super::value::Value as Word;

/// Reads `words`, the call without the name of the command.
///
/// # Errors
/// An option that the command does not know, or one without its value.
pub(super) fn read(
    command: &'static Command,
    words: &[Word],
    config: &Config,
) -> Result<Args, ArgError> {
    let mut args = Args::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = word.bytes();
        let in_front = args.is_empty() && !command.options.is_empty();
        let is_option = text.starts_with(b"-") && text.len() > 1;
        if !is_option || !(in_front || command.options_anywhere) {
            args.positional.push(value(word));
            continue;
        }
        match find(command, text) {
            Some((option, inline)) => {
                let carried = match option.carries {
                    Carries::Nothing => Value::Bool(true),
                    Carries::Value | Carries::List => {
                        let word = match inline {
                            Some(inline) => Word::from(inline),
                            None => words.next().cloned().ok_or_else(|| {
                                wrong(format!("option `{}` needs a value", word.text()))
                            })?,
                        };
                        match option.carries {
                            Carries::List => list(&word)?,
                            _ => value(&word),
                        }
                    }
                };
                args.named.push((option.name, carried));
            }
            // What follows the arguments and is no option is one more argument.
            None if !in_front => args.positional.push(value(word)),
            None => {
                return Err(wrong(format!("unknown option `{}`", word.text())));
            }
        }
    }
    priority_by_position(command, &mut args, config);
    Ok(args)
}

fn wrong(message: String) -> ArgError {
    ArgError {
        index: None,
        message,
    }
}

fn value(word: &Word) -> Value {
    Value::text(word.bytes())
}

fn list(word: &Word) -> Result<Value, ArgError> {
    let items = word.as_list().map_err(|error| wrong(error.to_string()))?;
    Ok(Value::List(items.iter().map(value).collect()))
}

/// The option that a word spells, and the value in `--option=value`.
fn find<'w>(command: &'static Command, word: &'w [u8]) -> Option<(&'static Opt, Option<&'w [u8]>)> {
    let spelled = |name: &[u8]| {
        command
            .options
            .iter()
            .find(|option| option.tcl.iter().any(|tcl| tcl.as_bytes() == name))
    };
    if let Some(option) = spelled(word) {
        return Some((option, None));
    }
    let at = word.iter().position(|&b| b == b'=')?;
    let option = spelled(&word[..at]).filter(|option| option.carries != Carries::Nothing)?;
    word.starts_with(b"--")
        .then_some((option, Some(&word[at + 1..])))
}

/// Lmod reads a number behind the value of a path command as its priority; Environment Modules as one more entry.
fn priority_by_position(command: &Command, args: &mut Args, config: &Config) {
    if !config.tcl_path_priority
        || args.len() != 3
        || !command.lua_extra.contains(&"priority")
        || args.option("priority").is_some()
    {
        return;
    }
    let is_number = args
        .string(2)
        .is_ok_and(|word| word.trim().parse::<f64>().is_ok());
    if is_number && let Some(priority) = args.positional.pop() {
        args.named.push(("priority", priority));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Policy;
    use crate::modulefile::find_tcl;

    fn read_words(line: &[&str], policy: Policy) -> Result<String, String> {
        let command = find_tcl(line[0]).unwrap();
        let words: Vec<Word> = line[1..].iter().map(|word| Word::from(*word)).collect();
        let show = |value: &Value| match value {
            Value::Bytes(text) => text.to_string(),
            other => format!("{other:?}"),
        };
        match read(command, &words, &Config::preset(policy)) {
            Ok(args) => {
                let mut parts: Vec<String> = args
                    .named
                    .iter()
                    .map(|(name, value)| format!("{name}={}", show(value)))
                    .collect();
                parts.extend(args.positional.iter().map(show));
                Ok(parts.join("|"))
            }
            Err(error) => Err(error.message),
        }
    }

    fn modules(line: &[&str]) -> Result<String, String> {
        read_words(line, Policy::Modules)
    }

    #[test]
    fn options_stand_in_front_and_what_follows_the_variable_is_a_value() {
        assert_eq!(
            modules(&["append-path", "CFLAGS", "-O2"]).unwrap(),
            "CFLAGS|-O2"
        );
        assert_eq!(
            modules(&["append-path", "V", "a", "-d", ","]).unwrap(),
            "V|a|-d|,"
        );
        for delim in [
            &["-d", ","][..],
            &["-delim", ","],
            &["--delim", ","],
            &["--delim=,"],
        ] {
            let mut line = vec!["prepend-path"];
            line.extend(delim);
            line.extend(["V", "a", "b"]);
            assert_eq!(modules(&line).unwrap(), "delim=,|V|a|b");
        }
        assert_eq!(
            modules(&["prepend-path", "--duplicates", "V", "a"]).unwrap(),
            "duplicates=Bool(true)|V|a"
        );
    }

    #[test]
    fn unknown_options_and_missing_values_are_told() {
        assert_eq!(
            modules(&["append-path", "--zz", "V", "a"]).unwrap_err(),
            "unknown option `--zz`"
        );
        assert_eq!(
            modules(&["append-path", "--delim"]).unwrap_err(),
            "option `--delim` needs a value"
        );
        assert_eq!(
            modules(&["append-path", "--duplicates=1", "V", "a"]).unwrap_err(),
            "unknown option `--duplicates=1`"
        );
    }

    #[test]
    fn commands_of_text_take_any_word() {
        assert_eq!(modules(&["module-whatis", "-x", "--y"]).unwrap(), "-x|--y");
        assert_eq!(modules(&["set-alias", "ll", "-l"]).unwrap(), "ll|-l");
    }

    #[test]
    fn rules_of_rc_files_take_options_anywhere_and_lists() {
        assert_eq!(
            modules(&["module-hide", "a", "--user", "{x y} z", "--hard", "b"]).unwrap(),
            "user=List([Bytes(\"x y\"), Bytes(\"z\")])|hard=Bool(true)|a|b"
        );
    }

    #[test]
    fn a_number_behind_the_value_is_a_priority_where_lmod_is_followed() {
        let line = ["prepend-path", "PATH", "/a", "10"];
        assert_eq!(modules(&line).unwrap(), "PATH|/a|10");
        assert_eq!(
            read_words(&line, Policy::Lmod).unwrap(),
            "priority=10|PATH|/a"
        );
        let entries = ["prepend-path", "PATH", "/a", "/b"];
        assert_eq!(read_words(&entries, Policy::Lmod).unwrap(), "PATH|/a|/b");
    }
}
