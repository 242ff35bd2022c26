//! Commands that speak of other modules.

use std::borrow::Cow;

use bstr::{BString, ByteSlice};

use super::environment::modes;
use super::{Host, Stop};
use crate::diag::{Diagnostic, Kind};
use crate::env::{EnvOp, PathAction, VarName, modulepath};
use crate::modulefile::Mode;
use crate::modulefile::relation::{Relation, RelationKind};
use crate::modulefile::value::{ArgError, Args, Value};
use crate::name::Spec;

/// What an empty name means, as of a variable that is not set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Empty {
    /// A mistake: a module is needed.
    Refused,
    /// Nothing: a module that is not there would do as well.
    Ignored,
}

/// The modules that the arguments name. Words that belong together (`gcc @12: +mpi`) make one module.
fn specs(host: &Host, args: &Args, empty: Empty) -> Result<Vec<Spec>, ArgError> {
    let mut found = Vec::new();
    let mut words = Vec::new();
    for (index, value) in args.positional.iter().enumerate() {
        match value {
            Value::Spec(spec) => {
                found.append(&mut parse(host, &words)?);
                words.clear();
                found.push((**spec).clone());
            }
            // Blanks round a name are no part of it.
            _ => {
                let text = args.text(index)?;
                let word = match text {
                    Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
                    Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
                };
                if !word.is_empty() || empty == Empty::Refused {
                    words.push(word);
                }
            }
        }
    }
    let mut last = parse(host, &words)?;
    if found.is_empty() {
        return Ok(last);
    }
    found.append(&mut last);
    Ok(found)
}

fn parse<S: AsRef<str>>(host: &Host, words: &[S]) -> Result<Vec<Spec>, ArgError> {
    let rules = host.world.config().spec_rules();
    Spec::parse_all(words, &rules).map_err(|error| ArgError {
        index: None,
        message: error.to_string(),
    })
}

fn relate(host: &mut Host, args: &Args, kind: RelationKind) -> Result<Value, Stop> {
    let empty = match kind {
        RelationKind::Conflict | RelationKind::TryLoad | RelationKind::Unload => Empty::Ignored,
        _ => Empty::Refused,
    };
    let specs = specs(host, args, empty)?;
    if specs.is_empty() {
        return Ok(Value::Nil);
    }
    let mut relation = Relation::new(kind, specs);
    relation.optional = args.flag("optional");
    relation.tags = args.option_list("tag", &[':']);
    relation.modulepaths = args
        .option_list("modulepath", &[':'])
        .into_iter()
        .map(Into::into)
        .collect();
    match modes(args)? {
        None => host.relate(relation)?,
        Some(modes) => host.relate_in_modes(relation, &modes)?,
    }
    Ok(Value::Nil)
}

macro_rules! relations {
    ($($(#[doc = $doc:literal])+ $name:ident => $kind:ident;)*) => {
        $(
            $(#[doc = $doc])+
            pub(in crate::modulefile) fn $name(host: &mut Host, args: &Args) -> Result<Value, Stop> {
                relate(host, args, RelationKind::$kind)
            }
        )*
    };
}

relations! {
    /// `load`.
    load => Load;
    /// `try_load`.
    try_load => TryLoad;
    /// `load_any`.
    load_any => LoadAny;
    /// `always_load`.
    always_load => AlwaysLoad;
    /// `unload`.
    unload => Unload;
    /// `always_unload`.
    always_unload => AlwaysUnload;
    /// `depends_on`.
    depends_on => DependsOn;
    /// `depends_on_any`.
    depends_on_any => DependsOnAny;
    /// `prereq` in Lua, `prereq-all` in Tcl.
    prereq_all => PrereqAll;
    /// `prereq_any` in Lua, `prereq` in Tcl.
    prereq_any => PrereqAny;
    /// `conflict`.
    conflict => Conflict;
}

/// `family NAME`.
pub(in crate::modulefile) fn family(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = args.string(0)?;
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Stop::Argument(ArgError {
            index: Some(0),
            message: format!("`{name}` is not the name of a family: letters, digits and `_` only"),
        }));
    }
    let mut relation = Relation::new(RelationKind::Family, Vec::new());
    relation.family = name;
    host.relate(relation)?;
    Ok(Value::Nil)
}

/// `inherit()`: evaluates the file of the same name in a later modulepath.
pub(in crate::modulefile) fn inherit(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    host.relate(Relation::new(RelationKind::Inherit, Vec::new()))?;
    Ok(Value::Nil)
}

/// `purge()`, `purge{force=true}`: unloads all other modules.
pub(in crate::modulefile) fn purge(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let mut relation = Relation::new(RelationKind::Purge, Vec::new());
    relation.force = args.flag("force");
    host.relate(relation)?;
    Ok(Value::Nil)
}

/// `mgrload(REQUIRED, ENTRY)`: loads one entry of `loaded_modules()` without what its file would load.
pub(in crate::modulefile) fn manager_load(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let name = match args.positional.get(1) {
        Some(Value::Map(entry)) => ["userName", "fullName"]
            .iter()
            .find_map(|key| entry.get(*key).and_then(Value::to_bytes))
            .map(|name| name.to_str_lossy().into_owned()),
        _ => Some(args.string(1)?),
    };
    let name = name.ok_or_else(|| ArgError {
        index: Some(1),
        message: "the table has no `fullName`".to_owned(),
    })?;
    let mut relation = Relation::new(RelationKind::ManagerLoad, parse(host, &[name])?);
    relation.optional = matches!(args.positional[0], Value::Bool(false) | Value::Nil);
    host.relate(relation)?;
    Ok(Value::Nil)
}

/// `provide NAME...`: further names under which the module answers.
pub(in crate::modulefile) fn provide(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    relate(host, args, RelationKind::Provide)
}

/// `require-fullname`: refuses a request that names no version.
pub(in crate::modulefile) fn require_full_name(host: &mut Host, _: &Args) -> Result<Value, Stop> {
    let module = host.module;
    let full = module.full_name();
    let is_bare =
        module.requested == module.name || module.requested == format!("{}/default", module.name);
    let refused = match host.world.config().require_exact_full_name {
        true => module.requested != full,
        false => is_bare && full != module.name,
    };
    if refused && host.mode == Mode::Load {
        return Err(Stop::fatal(
            Diagnostic::new(
                Kind::Module,
                format!("`{}` must be asked for with its version", module.name),
            )
            .known_as(
                "e_RequireFullName",
                &[("sn", &module.name), ("fullName", &full)],
            )
            .at(host.place.clone(), "required by this modulefile")
            .help(format!("say `{full}`")),
        ));
    }
    Ok(Value::Nil)
}

/// `isloaded(NAME)`, `is-loaded NAME...`: whether one of them is loaded; without a name, whether any module is.
pub(in crate::modulefile) fn is_loaded(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    if args.is_empty() {
        return Ok(Value::Bool(!host.world.loaded_modules().is_empty()));
    }
    let specs = specs(host, args, Empty::Ignored)?;
    Ok(Value::Bool(
        specs.iter().any(|spec| host.world.is_loaded(spec)),
    ))
}

/// `is-avail NAME...`: whether one of them can be loaded.
pub(in crate::modulefile) fn is_avail(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let specs = specs(host, args, Empty::Ignored)?;
    Ok(Value::Bool(
        specs.iter().any(|spec| host.world.find(spec).is_some()),
    ))
}

/// `is-saved NAME...`: whether one of these collections exists; without a name, whether any does.
pub(in crate::modulefile) fn is_saved(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let wanted = args.strings(0)?;
    let saved = host.world.collections();
    Ok(Value::Bool(match wanted.is_empty() {
        true => !saved.is_empty(),
        false => wanted.iter().any(|name| saved.contains(name)),
    }))
}

/// `is-used DIR...`: whether one of them is a modulepath; without a directory, whether there is any.
pub(in crate::modulefile) fn is_used(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let modulepath = host.var(b"MODULEPATH".as_bstr()).unwrap_or_default();
    let used: Vec<BString> = modulepath
        .split_str(":")
        .filter(|dir| !dir.is_empty())
        .map(|dir| as_read(host, dir))
        .collect();
    if args.is_empty() {
        return Ok(Value::Bool(!used.is_empty()));
    }
    for index in 0..args.len() {
        let dir = absolute(host, args.bytes(index)?);
        if used.contains(&as_read(host, &dir)) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// The directory that an entry of `MODULEPATH` stands for.
fn as_read(host: &Host, dir: &[u8]) -> BString {
    match dir.to_str() {
        Ok(dir) if host.world.config().resolve_modulepaths => {
            let cwd = host.world.session().cwd().cloned().unwrap_or_default();
            let variable = |name: &str| host.var(name.into()).map(|value| value.to_string());
            BString::from(modulepath::resolve(dir, &cwd, variable).into_string())
        }
        _ => dir.trim_end_with(|c| c == '/').into(),
    }
}

/// A directory of `module use`, seen from the modulefile's own directory. What begins with `$` is expanded whenever
/// `MODULEPATH` is read.
fn absolute(host: &Host, dir: BString) -> BString {
    let stays = dir.starts_with(b"/") && !host.world.config().resolve_modulepaths;
    match dir.to_str() {
        Ok(text) if !(stays || dir.is_empty() || dir.starts_with(b"$")) => {
            let here = host.module.file.parent().unwrap_or("".into());
            BString::from(modulepath::clean(text, here).into_string())
        }
        _ => dir,
    }
}

/// What `module WORD` means inside a modulefile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sub {
    Relation(RelationKind),
    Use,
    Unuse,
    Purge,
    /// Lists something for people: nothing that a modulefile could need.
    Report,
    /// Acts on the session as a whole.
    Refused,
}

/// The sub-commands with the shortest abbreviation of each.
const SUBS: &[(&str, usize, Sub)] = &[
    ("load", 2, Sub::Relation(RelationKind::Load)),
    ("add", 3, Sub::Relation(RelationKind::Load)),
    ("try-load", 8, Sub::Relation(RelationKind::TryLoad)),
    ("try-add", 7, Sub::Relation(RelationKind::TryLoad)),
    ("load-any", 8, Sub::Relation(RelationKind::LoadAny)),
    ("add-any", 7, Sub::Relation(RelationKind::LoadAny)),
    ("unload", 4, Sub::Relation(RelationKind::Unload)),
    ("delete", 3, Sub::Relation(RelationKind::Unload)),
    ("remove", 6, Sub::Relation(RelationKind::Unload)),
    ("rm", 2, Sub::Relation(RelationKind::Unload)),
    ("switch", 2, Sub::Relation(RelationKind::Switch)),
    ("swap", 2, Sub::Relation(RelationKind::Switch)),
    ("use", 3, Sub::Use),
    ("unuse", 5, Sub::Unuse),
    ("purge", 2, Sub::Purge),
    ("list", 2, Sub::Report),
    ("available", 2, Sub::Report),
    ("display", 2, Sub::Report),
    ("show", 4, Sub::Report),
    ("whatis", 2, Sub::Report),
    ("search", 6, Sub::Report),
    ("keyword", 7, Sub::Report),
    ("apropos", 7, Sub::Report),
    ("aliases", 2, Sub::Report),
    ("savelist", 8, Sub::Report),
    ("saveshow", 8, Sub::Report),
    ("initlist", 5, Sub::Report),
    ("test", 4, Sub::Refused),
    ("help", 4, Sub::Refused),
    ("reload", 3, Sub::Refused),
    ("refresh", 3, Sub::Refused),
    ("reset", 5, Sub::Refused),
    ("restore", 7, Sub::Refused),
    ("save", 4, Sub::Refused),
    ("saverm", 6, Sub::Refused),
    ("source", 6, Sub::Refused),
    ("initadd", 5, Sub::Refused),
    ("initprepend", 5, Sub::Refused),
    ("initswitch", 8, Sub::Refused),
    ("initrm", 6, Sub::Refused),
    ("initclear", 9, Sub::Refused),
];

fn find_sub(word: &str) -> Option<Sub> {
    SUBS.iter()
        .find(|(name, least, _)| word.len() >= *least && name.starts_with(word))
        .map(|(_, _, sub)| *sub)
}

/// `module SUB-COMMAND ARG...`.
pub(in crate::modulefile) fn module(host: &mut Host, args: &Args) -> Result<Value, Stop> {
    let words = args
        .strings(0)?
        .iter()
        .flat_map(|word| word.split_whitespace())
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let name = words.first().map_or("", String::as_str);
    match find_sub(name) {
        Some(Sub::Relation(kind)) => module_relation(host, kind, &words[1..]),
        Some(Sub::Use) => module_use(host, &words[1..]),
        Some(Sub::Unuse) => {
            modulepath(host, PathAction::Remove, &words[1..])?;
            Ok(Value::Nil)
        }
        Some(Sub::Purge) => {
            host.relate(Relation::new(RelationKind::Purge, Vec::new()))?;
            Ok(Value::Nil)
        }
        Some(Sub::Report) => {
            host.warn(format!("`module {name}` does nothing in a modulefile"));
            Ok(Value::Nil)
        }
        Some(Sub::Refused) => Err(Stop::Argument(ArgError {
            index: Some(0),
            message: format!("`module {name}` cannot be used in a modulefile"),
        })),
        None => {
            let near = SUBS
                .iter()
                .map(|(known, _, _)| (strsim::damerau_levenshtein(known, name), *known))
                .filter(|(distance, _)| *distance <= 2)
                .min();
            let diagnostic = Diagnostic::new(
                Kind::Modulefile,
                format!("unknown sub-command `{name}` of `module`"),
            )
            .at(host.place.clone(), "");
            Err(Stop::error(match near {
                Some((_, near)) => diagnostic.help(format!("did you mean `module {near}`?")),
                None => diagnostic,
            }))
        }
    }
}

/// `module load`, `unload`, `switch` and their kin.
fn module_relation(host: &mut Host, kind: RelationKind, words: &[String]) -> Result<Value, Stop> {
    let mut relation = Relation::new(kind, Vec::new());
    let mut modes = None;
    let mut names = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (option, inline) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        match option {
            "--not-req" => {
                relation.required = false;
                if kind == RelationKind::Load {
                    relation.kind = RelationKind::AlwaysLoad;
                }
            }
            "--tag" | "--mode" => {
                let value = inline
                    .or_else(|| words.next().cloned())
                    .ok_or_else(|| ArgError {
                        index: None,
                        message: format!("`{option}` needs a value"),
                    })?;
                if option == "--tag" {
                    relation.tags = value.split(':').map(str::to_owned).collect();
                } else {
                    // The words of a list in braces were taken apart before: the braces are gone, its words follow.
                    let mut list = vec![value];
                    while let Some(next) = words.as_slice().first() {
                        if next != "load" && next != "unload" {
                            break;
                        }
                        list.extend(words.next().cloned());
                    }
                    modes = Some(list);
                }
            }
            "--force" | "-f" => relation.force = true,
            "--auto" | "--no-auto" | "-s" | "--silent" | "-v" | "--verbose" | "-q" | "--quiet" => {
                host.warn(format!("`{option}` means nothing in a modulefile"));
            }
            _ if option.starts_with("--") => {
                return Err(Stop::Argument(ArgError {
                    index: None,
                    message: format!("unknown option `{option}` of `module`"),
                }));
            }
            _ => names.push(word.clone()),
        }
    }
    relation.specs = parse(host, &names)?;
    let (least, most) = match kind {
        RelationKind::Switch => (1, 2),
        _ => (1, usize::MAX),
    };
    if !(least..=most).contains(&relation.specs.len()) {
        return Err(Stop::Argument(ArgError {
            index: None,
            message: match kind {
                RelationKind::Switch => "takes one or two modules".to_owned(),
                _ => "needs the name of a module".to_owned(),
            },
        }));
    }
    match modes {
        Some(modes) => host.relate_in_modes(relation, &modes)?,
        None => host.relate(relation)?,
    }
    Ok(Value::Nil)
}

/// `module use [--append|--prepend] DIR...`.
fn module_use(host: &mut Host, words: &[String]) -> Result<Value, Stop> {
    let mut action = PathAction::Prepend;
    let mut dirs = Vec::new();
    for word in words {
        match word.as_str() {
            "-a" | "--append" | "-append" => action = PathAction::Append,
            "-p" | "--prepend" | "-prepend" => action = PathAction::Prepend,
            _ if word.starts_with('-') => {
                return Err(Stop::Argument(ArgError {
                    index: None,
                    message: format!("unknown option `{word}` of `module use`"),
                }));
            }
            _ => dirs.push(word.clone()),
        }
    }
    modulepath(host, action, &dirs)?;
    Ok(Value::Nil)
}

fn modulepath(host: &mut Host, action: PathAction, dirs: &[String]) -> Result<(), Stop> {
    let dirs: Vec<BString> = dirs
        .iter()
        .flat_map(|word| word.split(':'))
        .map(|dir| absolute(host, BString::from(dir)))
        .collect();
    if dirs.is_empty() || dirs.iter().any(|dir| dir.is_empty()) {
        return Err(Stop::Argument(ArgError {
            index: None,
            message: "the name of the directory is empty".to_owned(),
        }));
    }
    host.push(EnvOp::Path {
        action,
        var: VarName::new("MODULEPATH").expect("letters only"),
        value: BString::from(bstr::join(":", dirs)),
        delim: BString::from(":"),
        priority: 0,
        duplicates: false,
    })
}
