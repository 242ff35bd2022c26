//! Commands that answer questions of Lua modulefiles: about the module itself, about others, about the user.
//!
//! Source: Lmod user guide "Lua modulefile functions", "Introspection functions".

use bstr::{BString, ByteSlice};
use indexmap::IndexMap;

use super::facts::shell_type;
use super::{Host, Stop};
use crate::modulefile::Mode;
use crate::modulefile::value::{ArgError, Args, Value};
use crate::name::{Spec, SpecError, lmod_canonical};

/// The version of Lmod whose functions modulefiles find here.
pub(in crate::modulefile) const LMOD_VERSION: &str = "9.2.9";

fn wrong(index: usize, message: impl Into<String>) -> Stop {
    Stop::Argument(ArgError {
        index: Some(index),
        message: message.into(),
    })
}

/// The module that argument `index` names.
fn spec(args: &Args, index: usize) -> Result<Spec, Stop> {
    match args.positional.get(index) {
        Some(Value::Spec(spec)) => Ok((**spec).clone()),
        _ => Spec::plain(&args.string(index)?).map_err(|e| wrong(index, e.to_string())),
    }
}

fn range(made: Result<Spec, SpecError>) -> Result<Value, Stop> {
    made.map(|spec| Value::Spec(Box::new(spec)))
        .map_err(|error| wrong(0, error.to_string()))
}

/// `atleast(NAME, VERSION)`.
pub(in crate::modulefile) fn atleast(_: &mut Host, args: &Args) -> Result<Value, Stop> {
    range(Spec::atleast(&args.string(0)?, &args.string(1)?))
}

/// `atmost(NAME, VERSION)`.
pub(in crate::modulefile) fn atmost(_: &mut Host, args: &Args) -> Result<Value, Stop> {
    range(Spec::atmost(&args.string(0)?, &args.string(1)?))
}

/// `between(NAME, LOW, HIGH)`.
pub(in crate::modulefile) fn between(_: &mut Host, args: &Args) -> Result<Value, Stop> {
    range(Spec::between(
        &args.string(0)?,
        &args.string(1)?,
        &args.string(2)?,
    ))
}

/// `latest(NAME)`.
pub(in crate::modulefile) fn latest(_: &mut Host, args: &Args) -> Result<Value, Stop> {
    range(Spec::latest(&args.string(0)?))
}

/// `mode()`.
pub(in crate::modulefile) fn mode(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    Ok(Value::text(host.mode.lua_word()))
}

/// `is_spider()`.
pub(in crate::modulefile) fn is_spider(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    Ok(Value::Bool(host.mode == Mode::Spider))
}

/// `myFileName()`.
pub(in crate::modulefile) fn my_file_name(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    Ok(Value::text(host.module.file.as_str()))
}

/// `myModuleName()`.
pub(in crate::modulefile) fn my_module_name(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    Ok(Value::text(host.module.name.as_str()))
}

/// `myModuleVersion()`; empty for a module without one.
pub(in crate::modulefile) fn my_module_version(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    Ok(Value::text(
        host.module.version.as_deref().unwrap_or_default(),
    ))
}

/// `myModuleFullName()`.
pub(in crate::modulefile) fn my_module_full_name(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    Ok(Value::text(host.module.full_name()))
}

/// `myModuleUsrName()`, `myModuleUsrAndAliasName()`: the module as it was asked for.
pub(in crate::modulefile) fn my_module_user_name(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    Ok(Value::text(host.module.requested.as_str()))
}

/// `myShellName()`.
pub(in crate::modulefile) fn my_shell_name(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    Ok(Value::text(host.world.shell_name()))
}

/// `myShellType()`.
pub(in crate::modulefile) fn my_shell_type(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    Ok(Value::text(shell_type(host.world.shell_name())))
}

/// `myConfig("username" | "usergroups" | "shelltype")`.
pub(in crate::modulefile) fn my_config(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let session = host.world.session();
    match args.string(0)?.as_str() {
        "username" => Ok(Value::text(session.user())),
        "usergroups" => Ok(Value::List(
            session
                .groups()
                .iter()
                .map(|g| Value::text(g.as_str()))
                .collect(),
        )),
        "shelltype" => Ok(Value::text(shell_type(host.world.shell_name()))),
        other => Err(wrong(
            0,
            format!("`{other}` is not known; known are `username`, `usergroups`, `shelltype`"),
        )),
    }
}

/// `userInGroup(GROUP)`, `userInGroups(GROUP...)`: whether the user is in one of them; true for root.
pub(in crate::modulefile) fn user_in_groups(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let wanted = args.strings(0)?;
    if host.mode == Mode::Check {
        // What only members may load is checked by others, too.
        return Ok(Value::Bool(true));
    }
    let session = host.world.session();
    Ok(Value::Bool(
        session.is_root() || session.groups().iter().any(|g| wanted.contains(g)),
    ))
}

/// `isPending(NAME)`: whether it is just being loaded.
pub(in crate::modulefile) fn is_pending(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let spec = spec(args, 0)?;
    Ok(Value::Bool(host.world.is_pending(&spec)))
}

/// `isAvail(NAME)`: the file that a load would evaluate, else false.
pub(in crate::modulefile) fn is_avail(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    if matches!(args.positional.first(), Some(Value::Bytes(name)) if name.trim_ascii().is_empty()) {
        return Ok(Value::Bool(false));
    }
    let spec = spec(args, 0)?;
    Ok(match host.world.find(&spec) {
        Some(file) => Value::text(file.as_str()),
        None => Value::Bool(false),
    })
}

/// `loaded_modules()`: a list of tables.
pub(in crate::modulefile) fn loaded_modules(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    let mut modules = host.world.loaded_modules();
    // What is being unloaded is no longer among them.
    if host.mode == Mode::Unload {
        let own = host.module.full_name();
        modules.retain(|module| module.full_name != own);
    }
    let table = |module: crate::modulefile::LoadedModule| {
        let ref_count = module
            .ref_count
            .map_or(Value::Nil, |n| Value::Int(n.into()));
        Value::Map(IndexMap::from([
            ("sn".to_owned(), Value::text(module.name)),
            ("fullName".to_owned(), Value::text(module.full_name)),
            ("userName".to_owned(), Value::text(module.requested)),
            ("fn".to_owned(), Value::text(module.file.into_string())),
            ("ref_count".to_owned(), ref_count),
            ("stackDepth".to_owned(), Value::Int(module.depth.into())),
            ("status".to_owned(), Value::text("active")),
            ("propT".to_owned(), by_key(&module.properties)),
        ]))
    };
    Ok(Value::List(modules.into_iter().map(table).collect()))
}

/// Properties as Lmod's tables have them: by key a table with a 1 for each value.
pub(in crate::modulefile) fn by_key(properties: &[(String, String)]) -> Value {
    let mut keys: IndexMap<String, Value> = IndexMap::new();
    for (key, value) in properties {
        let values = keys
            .entry(key.clone())
            .or_insert_with(|| Value::Map(IndexMap::new()));
        if let Value::Map(values) = values {
            values.insert(value.clone(), Value::Int(1));
        }
    }
    Value::Map(keys)
}

/// `hierarchyA(FULLNAME, LEVELS)`: the directories round the module, each as deep as the name is, innermost first.
pub(in crate::modulefile) fn hierarchy(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let package = args.string(0)?;
    let levels = match args.positional.get(1) {
        Some(Value::Int(levels)) => usize::try_from(*levels).unwrap_or(0),
        Some(other) => match other.to_bytes().and_then(|t| t.to_str().ok()?.parse().ok()) {
            Some(levels) => levels,
            None => return Err(wrong(1, "expected a number")),
        },
        None => 1,
    };
    let file = host.module.file.as_str();
    let file = file.strip_suffix(".lua").unwrap_or(file);
    let package = package.strip_suffix(".lua").unwrap_or(&package);
    let dir = file.strip_suffix(package).unwrap_or(file);
    let mut parts: Vec<&str> = dir.split('/').filter(|p| !p.is_empty()).collect();
    let depth = package.split('/').filter(|p| !p.is_empty()).count().max(1);
    let mut found = Vec::new();
    for _ in 0..levels {
        let rest = parts.len().saturating_sub(depth);
        let level = parts.split_off(rest);
        if level.is_empty() {
            break;
        }
        found.push(Value::text(level.join("/")));
    }
    Ok(Value::List(found))
}

/// `convertToCanonical(VERSION)`: a text that sorts as the version does.
pub(in crate::modulefile) fn canonical(_: &mut Host, args: &Args) -> Result<Value, Stop> {
    Ok(Value::text(lmod_canonical(&args.string(0)?)))
}

/// `LmodVersion()`.
pub(in crate::modulefile) fn version(_: &mut Host, _: &Args) -> Result<Value, Stop> {
    Ok(Value::text(LMOD_VERSION))
}

/// `protected_getenv{NAME [, DEFAULT]}`: a variable; where the file is only shown, the default or `$NAME` stands for one
/// that is not set.
pub(in crate::modulefile) fn protected_getenv(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = args.bytes(0)?;
    if let Some(value) = host.var(name.as_bstr()) {
        return Ok(Value::Bytes(value));
    }
    let modes = args.option_list("mode", &[' ', ',']);
    let protects = match modes.as_slice() {
        [] => matches!(host.mode, Mode::Show | Mode::Check),
        modes => modes.iter().any(|m| m == host.mode.lua_word()),
    };
    Ok(match args.positional.get(1) {
        _ if !protects => Value::Nil,
        Some(default) => default.clone(),
        None => {
            let mut text = BString::from("$");
            text.extend_from_slice(&name);
            Value::Bytes(text)
        }
    })
}

/// `moduleStackTraceBack()`: the modules that are being loaded, innermost first, as text.
pub(in crate::modulefile) fn module_stack(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    let mut text = "While processing the following module(s):\n".to_owned();
    let own = host.module.full_name();
    text += &format!("    {own}  {}\n", host.module.file);
    for module in host.module.wanted_by.iter().rev() {
        text += &format!("    {module}\n");
    }
    Ok(Value::text(text))
}
