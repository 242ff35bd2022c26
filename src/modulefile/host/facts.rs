//! Commands that answer with a fact: variables, versions, the machine, the module itself, its variants.
//!
//! Source: `modulefile(4)`, "module-info", "uname", "variant". What `module-info` does not know is an error, as there.

use std::cmp::Ordering;
use std::time::Duration;

use bstr::{BString, ByteSlice};

use super::program::{self, Input};
use super::{Host, Stop};
use crate::diag::{Diagnostic, Kind};
use crate::modulefile::tcl::pattern::compare_dictionary;
use crate::modulefile::value::{ArgError, Args, Value};
use crate::modulefile::{Mode, Variant};
use crate::name::Spec;

/// `getenv [--return-value] NAME [DEFAULT]`. Where a file is shown to people, `$NAME` stands for the value.
pub(in crate::modulefile) fn getenv(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = args.bytes(0)?;
    let names_only = host.mode == Mode::Show && host.world.config().show_variable_names;
    if names_only && !args.flag("return_value") {
        return Ok(Value::text(format!("${name}")));
    }
    match host.var(name.as_bstr()) {
        Some(value) => Ok(Value::Bytes(value)),
        None if args.len() > 1 => Ok(Value::Bytes(args.bytes(1)?)),
        None => Ok(Value::text("")),
    }
}

/// `versioncmp A B`: -1, 0 or 1.
pub(in crate::modulefile) fn versioncmp(_: &mut Host, args: &Args) -> Result<Value, Stop> {
    Ok(Value::Int(
        match compare_dictionary(&args.bytes(0)?, &args.bytes(1)?) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        },
    ))
}

/// How long a program may take that only tells a fact.
const PATIENCE: Duration = Duration::from_secs(5);

/// `uname FIELD`.
pub(in crate::modulefile) fn uname(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    use std::os::unix::ffi::OsStrExt;
    let field = args.string(0)?;
    let program = host.world.config().domain_program.clone();
    if field == "domain" && !program.is_empty() {
        let words: Vec<&str> = program.split_whitespace().collect();
        let asked = program::run(host, &words, Input::None, Some(PATIENCE));
        if let Ok(output) = asked
            && output.status == 0
        {
            return Ok(Value::text(output.stdout.trim_ascii_end()));
        }
    }
    let facts = nix::sys::utsname::uname().map_err(|error| ArgError {
        index: None,
        message: format!("the system does not tell: {}", error.desc()),
    })?;
    let value = match field.as_str() {
        "sysname" => facts.sysname(),
        "machine" => facts.machine(),
        "nodename" | "node" => facts.nodename(),
        "release" => facts.release(),
        "version" => facts.version(),
        "domain" => facts.domainname(),
        _ => {
            return Err(Stop::Argument(ArgError {
                index: Some(0),
                message: format!(
                    "`uname` does not know `{field}`: sysname, machine, nodename, release, domain or version"
                ),
            }));
        }
    };
    Ok(Value::text(value.as_bytes()))
}

/// `lsb-release FIELD`: from `lsb_release`, and where that is not installed from `/etc/os-release`.
pub(in crate::modulefile) fn lsb_release(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let field = args.string(0)?;
    let (option, key) = match field.as_str() {
        "id" => ("-i", "ID"),
        "release" => ("-r", "VERSION_ID"),
        "codename" => ("-c", "VERSION_CODENAME"),
        _ => {
            return Err(Stop::Argument(ArgError {
                index: Some(0),
                message: format!("`lsb-release` does not know `{field}`: id, release or codename"),
            }));
        }
    };
    let asked = program::run(
        host,
        &["lsb_release", "-s", option],
        Input::None,
        Some(PATIENCE),
    );
    if let Ok(output) = asked
        && output.status == 0
    {
        return Ok(Value::text(output.stdout.trim_ascii_end()));
    }
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let value = release
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(name, _)| *name == key)
        .map_or("", |(_, value)| value.trim_matches('"'));
    Ok(Value::text(value))
}

/// `module-info FACT [ARG]`.
pub(in crate::modulefile) fn module_info(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let fact = args.string(0)?;
    let arg = match args.len() {
        1 => None,
        _ => Some(args.string(1)?),
    };
    let needed = || {
        arg.clone().ok_or_else(|| ArgError {
            index: None,
            message: format!("`module-info {fact}` needs the name of a module"),
        })
    };
    let word_or_test = |word: String| match &arg {
        Some(asked) => Value::Bool(*asked == word),
        None => Value::text(word),
    };
    let list_or_test = |list: Vec<String>| match &arg {
        Some(asked) => Value::Bool(list.contains(asked)),
        None => Value::List(list.into_iter().map(Value::text).collect()),
    };
    Ok(match fact.as_str() {
        "mode" => match &arg {
            Some(asked) => Value::Bool(is_mode(host, asked)),
            None => Value::text(mode_word(host)),
        },
        "command" => word_or_test(host.world.command().to_owned()),
        "name" => Value::text(host.module.full_name()),
        "specified" => Value::text(host.module.requested.as_str()),
        "shell" => word_or_test(host.world.shell_name().to_owned()),
        "shelltype" => word_or_test(shell_type(host.world.shell_name()).to_owned()),
        "type" => Value::text("Tcl"),
        "flags" => Value::Int(0),
        "user" | "trace" | "tracepat" => Value::text(""),
        "alias" => {
            let target = host.world.alias_target(&needed()?);
            Value::text(target.unwrap_or_default())
        }
        "version" => {
            // What cannot be resolved stands for itself.
            let name = needed()?;
            let spec = spec(host, &name)?;
            Value::text(host.world.full_name(&spec).unwrap_or(name))
        }
        "symbols" => {
            let name = match &arg {
                Some(name) => {
                    let spec = spec(host, name)?;
                    let full = host.world.full_name(&spec);
                    full.unwrap_or_else(|| name.clone())
                }
                None => host.module.full_name(),
            };
            Value::text(host.world.symbols(&name).join(":"))
        }
        "loaded" => {
            let name = needed()?;
            let name = name.trim_end_matches('/');
            let below = format!("{name}/");
            let loaded = host.world.loaded_modules();
            Value::List(
                loaded
                    .into_iter()
                    .map(|module| module.full_name)
                    .filter(|full| full == name || full.starts_with(&below))
                    .map(Value::text)
                    .collect(),
            )
        }
        "tags" => {
            let module = host.module;
            list_or_test(host.world.tags(module))
        }
        "username" => word_or_test(host.world.session().user().to_owned()),
        "usergroups" => list_or_test(host.world.session().groups().to_vec()),
        _ => {
            return Err(Stop::Argument(ArgError {
                index: Some(0),
                message: format!("`module-info` does not know `{fact}`"),
            }));
        }
    })
}

fn spec(host: &Host, name: &str) -> Result<Spec, ArgError> {
    Spec::parse(name, &host.world.config().spec_rules()).map_err(|error| ArgError {
        index: Some(1),
        message: error.to_string(),
    })
}

/// The word of `module-info mode`.
pub(in crate::modulefile) fn mode_word(host: &Host) -> &'static str {
    let is_lmod = host.world.config().tcl_lmod_modes;
    match host.mode {
        Mode::Load | Mode::Check => "load",
        Mode::Unload if is_lmod => "remove",
        Mode::Unload => "unload",
        Mode::Show => "display",
        Mode::Refresh if is_lmod => "load",
        Mode::Refresh => "refresh",
        Mode::Help | Mode::Whatis if is_lmod => "display",
        Mode::Help => "help",
        Mode::Whatis => "whatis",
        Mode::Test => "test",
        Mode::Spider | Mode::Rc if is_lmod => "spider",
        Mode::Spider | Mode::Rc => "scan",
    }
}

/// Whether a word names the present mode. Files ask with the words of either system, and with those of old versions.
fn is_mode(host: &Host, asked: &str) -> bool {
    match asked {
        "remove" | "unload" => host.mode == Mode::Unload,
        "nonpersist" => host.mode == Mode::Refresh,
        "show" => host.mode == Mode::Show,
        "spider" => host.mode == Mode::Spider,
        "switch" | "swap" => matches!(host.world.command(), "switch" | "swap"),
        "switch1" => host.mode == Mode::Unload && matches!(host.world.command(), "switch" | "swap"),
        "switch2" | "switch3" => {
            host.mode == Mode::Load && matches!(host.world.command(), "switch" | "swap")
        }
        _ => asked == mode_word(host),
    }
}

/// The family of a shell: `sh`, `csh`, else its own name.
pub(in crate::modulefile) fn shell_type(shell: &str) -> &str {
    match shell {
        "sh" | "bash" | "zsh" | "ksh" | "dash" | "mksh" => "sh",
        "csh" | "tcsh" => "csh",
        other => other,
    }
}

/// `variant [--boolean] [--default VALUE] NAME [VALUE...]`: declares a choice and gives what was chosen.
pub(in crate::modulefile) fn variant(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = args.string(0)?;
    let wrong = |message: String| {
        Stop::Argument(ArgError {
            index: None,
            message,
        })
    };
    let good_name = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        && !name.starts_with('-')
        && !name.bytes().all(|b| b.is_ascii_digit());
    if !good_name {
        return Err(wrong(format!("`{name}` cannot be the name of a variant")));
    }
    if name == "version" {
        return Err(wrong("`version` is a restricted variant name".to_owned()));
    }
    let mut allowed = args.strings(1)?;
    let is_boolean = args.flag("boolean");
    if is_boolean && !allowed.is_empty() {
        return Err(wrong(format!(
            "variant `{name}` is a boolean: it takes no list of values"
        )));
    }
    if !is_boolean
        && allowed
            .iter()
            .any(|value| boolean(value).is_some() && value.len() > 1)
    {
        return Err(wrong(format!(
            "variant `{name}` lists a boolean value: say `--boolean`"
        )));
    }
    let canonical = |value: String| match (is_boolean, boolean(&value)) {
        (true, Some(truth)) => if truth { "1" } else { "0" }.to_owned(),
        _ => value,
    };
    let default = args
        .option_bytes("default")
        .map(|value| canonical(value.to_str_lossy().into_owned()));
    let asked = host
        .module
        .variants
        .iter()
        .rev()
        .find(|(asked, _)| *asked == name)
        .map(|(_, value)| canonical(value.clone()));
    let value = asked.clone().or_else(|| default.clone());
    let is_listing = host.mode.is_crawl() || host.mode == Mode::Show;
    if is_boolean {
        allowed = vec!["1".to_owned(), "0".to_owned()];
    }
    let permitted = |value: &String| allowed.is_empty() || allowed.contains(value);
    let trouble = match &value {
        None if is_listing => None,
        None => Some(format!("no value specified for variant `{name}`")),
        Some(value) if permitted(value) => None,
        Some(value) => Some(format!("invalid value `{value}` for variant `{name}`")),
    };
    if let Some(message) = trouble {
        let words = match is_boolean {
            true => "on, off".to_owned(),
            false => allowed.join(", "),
        };
        let diagnostic = Diagnostic::new(Kind::Module, message).at(host.place.clone(), "");
        return Err(Stop::fatal(match words.is_empty() {
            true => diagnostic.help(format!("say `{} {name}=VALUE`", host.module.full_name())),
            false => diagnostic.help(format!("allowed values are: {words}")),
        }));
    }
    host.evaluation.variants.push(Variant {
        name,
        value: value.clone(),
        allowed,
        default,
        is_boolean,
        is_defaulted: asked.is_none(),
    });
    Ok(value.map_or(Value::Nil, Value::text))
}

/// The truth value that a word stands for in a variant.
fn boolean(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

/// `getvariant [--return-value] NAME [DEFAULT]`.
pub(in crate::modulefile) fn getvariant(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = args.string(0)?;
    if host.mode == Mode::Show && !args.flag("return_value") {
        return Ok(Value::text(format!("{{{name}}}")));
    }
    let declared = host
        .evaluation
        .variants
        .iter()
        .rev()
        .find(|v| v.name == name);
    match declared.and_then(|variant| variant.value.clone()) {
        Some(value) => Ok(Value::text(value)),
        None if args.len() > 1 => Ok(Value::Bytes(args.bytes(1)?)),
        None => Ok(Value::Bytes(BString::default())),
    }
}
