//! Takes over a session that began under Lmod or Environment Modules: reads what they keep in the environment.
//!
//! What they do not keep (which module added which entry) is found by reading the modulefiles when the first request
//! changes something; see `transition`.
//!
//! Sources: observed values of `_ModuleTable*`, `__LMOD_*` and `__MODULES_*`.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::fingerprint::{check_byte, fingerprint32};
use super::journal::{Hidden, OwnedEntry, Ownership};
use super::loaded::Module;
use super::lua_table::Lua;
use super::op::VarName;
use super::packed::base64_read;
use super::path_list::{PathList, PathRules};
use super::state::State;
use crate::name::automatic_symbol;
use crate::session::Environment;

/// Most pieces of Lmod's module table that are read.
const MAX_PIECES: usize = 1000;

/// Whether a variable is another module system's memory of what is loaded; useless, and misleading, once it is taken over.
pub(super) fn is_foreign(name: &BStr) -> bool {
    let prefixes: [&[u8]; 6] = [
        b"_ModuleTable",
        b"__LMOD_REF_COUNT_",
        b"__LMOD_STACK_",
        b"__MODULES_LM",
        b"__MODULES_SHARE_",
        b"__MODULES_PUSHENV_",
    ];
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Completes `modules`, which the readable variables name, and puts them into `state`. `false` where no other module
/// system left anything.
pub(super) fn take_over(
    env: &Environment,
    mut modules: Vec<Module>,
    rules: PathRules,
    state: &mut State,
) -> Result<(), Vec<Module>> {
    let table = lmod_table(env);
    let tags = lists(env, "__MODULES_LMTAG");
    // Environment Modules keeps nothing but the readable variables for modules that are nothing special.
    let is_modules = |name: &BString| name.starts_with(b"__MODULES_LM") || name == "MODULES_CMD";
    if table.is_none() && !env.keys().any(is_modules) {
        return Err(modules);
    }
    if let Some(table) = &table {
        for (name, entry) in table.get("mT").map_or(&[] as &[_], Lua::entries) {
            if let Some(name) = name {
                complete_from_lmod(&name.to_string(), entry, &mut modules, state);
            }
        }
    }
    let variants = lists(env, "__MODULES_LMVARIANT");
    let names = lists(env, "__MODULES_LMALTNAME");
    for module in &mut modules {
        for tag in tags.get(&module.full_name).into_iter().flatten() {
            match tag.as_str() {
                "auto-loaded" => module.auto = true,
                tag => module.tags.push(tag.to_owned()),
            }
        }
        for field in variants.get(&module.full_name).into_iter().flatten() {
            if let [name, value, ..] = field.split('|').collect::<Vec<_>>().as_slice() {
                let pair = ((*name).to_owned(), (*value).to_owned());
                module.variants.push(pair);
            }
        }
        for field in names.get(&module.full_name).into_iter().flatten() {
            match field.split_once('|') {
                Some(("as", name)) => {
                    let symbol = name.rsplit('/').next().unwrap_or_default();
                    module.alternatives.push(automatic_symbol(symbol));
                }
                Some((_, name)) => module.alternatives.push(name.to_owned()),
                None => {}
            }
        }
    }
    for module in modules {
        state.loaded.push(module);
    }
    read_counts(env, rules, state);
    read_stacks(env, state);
    Ok(())
}

/// Completes those modules of a state that it knows nothing of, where another system loaded them since it was written.
pub(super) fn complete(env: &Environment, rules: PathRules, state: &mut State) {
    let unknown = |m: &Rc<Module>| m.fingerprint == 0;
    if !state.loaded.active().iter().any(unknown) || !env.keys().any(|n| is_foreign(n.as_bstr())) {
        return;
    }
    let mut other = State::new(env, rules);
    let modules = state
        .loaded
        .active()
        .iter()
        .map(|m| (**m).clone())
        .collect();
    if take_over(env, modules, rules, &mut other).is_err() {
        return;
    }
    let completed: Vec<Module> = other
        .loaded
        .active()
        .iter()
        .filter(|m| unknown(m))
        .map(|m| (**m).clone())
        .collect();
    for module in completed {
        state.loaded.update(module.id, |known| *known = module);
    }
    for module in other.loaded.inactive() {
        if state
            .loaded
            .inactive()
            .iter()
            .all(|m| m.name() != module.name())
        {
            state.loaded.deactivate(Rc::clone(module));
        }
    }
    // Who wants what was written down later than our own account of it, unless we have one that still fits.
    for (name, ownership) in other.ownership {
        state.ownership.entry(name).or_insert(ownership);
    }
    for (var, stack) in other.stacks {
        state.stacks.entry(var).or_insert(stack);
    }
}

/// Lmod's module table: Lua text in base64 in numbered pieces.
fn lmod_table(env: &Environment) -> Option<Lua> {
    let count: usize = env
        .get("_ModuleTable_Sz_".as_bytes().as_bstr())?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    let mut text = Vec::new();
    for number in 1..=count.min(MAX_PIECES) {
        let name = format!("_ModuleTable{number:03}_");
        text.extend_from_slice(env.get(name.as_bytes().as_bstr())?);
    }
    Lua::read_assignment(&plain_base64(&text)?)
}

/// Base64 as Lmod writes it: the usual alphabet, padded.
fn plain_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = text
        .iter()
        .filter(|b| !b.is_ascii_whitespace() && **b != b'=')
        .map(|b| match b {
            b'+' => b'-',
            b'/' => b'_',
            b => *b,
        })
        .collect();
    base64_read(&text)
}

fn complete_from_lmod(name: &str, entry: &Lua, modules: &mut [Module], state: &mut State) {
    let Some(full_name) = entry.get("fullName").and_then(Lua::text) else {
        return;
    };
    let requested = entry
        .get("userName")
        .and_then(Lua::text)
        .unwrap_or(full_name);
    let name_len = if full_name == name || full_name.starts_with(&format!("{name}/")) {
        name.len()
    } else {
        full_name.rfind('/').unwrap_or(full_name.len())
    };
    if entry.get("status").and_then(Lua::text) == Some("inactive") {
        let file = entry.get("fn").and_then(Lua::text).unwrap_or("");
        state.loaded.deactivate(Rc::new(Module {
            requested: requested.to_owned(),
            name_len,
            ..Module::bare(0, full_name, file)
        }));
        return;
    }
    let Some(module) = modules.iter_mut().find(|m| m.full_name == full_name) else {
        return;
    };
    module.requested = requested.to_owned();
    module.name_len = name_len;
    module.auto = entry.get("ref_count").is_some();
    let depth = entry.get("stackDepth").and_then(Lua::integer);
    module.depth = depth.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let properties = entry.get("propT").map_or(&[] as &[_], Lua::entries);
    for (key, values) in properties {
        for (value, _) in values.entries() {
            if let (Some(key), Some(value)) = (key, value) {
                module.properties.push((key.to_string(), value.to_string()));
            }
        }
    }
}

/// A list of Environment Modules: `MODULE&FIELD&FIELD:MODULE&...`; `<` stands for `:`.
fn lists(env: &Environment, name: &str) -> BTreeMap<String, Vec<String>> {
    let Some(value) = env
        .get(name.as_bytes().as_bstr())
        .and_then(|v| v.to_str().ok())
    else {
        return BTreeMap::new();
    };
    let lists = value.split(':').filter_map(|item| {
        let mut fields = item.split('&').map(|field| field.replace('<', ":"));
        Some((fields.next()?, fields.collect()))
    });
    lists.collect()
}

/// How often the entries of path variables are wanted.
fn read_counts(env: &Environment, rules: PathRules, state: &mut State) {
    for (name, value) in env {
        let counts = if let Some(var) = name.strip_prefix(b"__LMOD_REF_COUNT_") {
            Some((var, lmod_counts(value)))
        } else {
            name.strip_prefix(b"__MODULES_SHARE_")
                .map(|var| (var, modules_counts(value)))
        };
        let Some((var, counts)) = counts else {
            continue;
        };
        let (Some(var), Some(value)) = (VarName::new(var), env.get(var.as_bstr())) else {
            continue;
        };
        if let Some(ownership) = ownership(value.as_bstr(), &counts, rules) {
            let name = var.as_str().to_owned();
            state.ownership.insert(name, Rc::new(ownership));
        }
    }
}

/// `ENTRY:COUNT;ENTRY:COUNT`.
fn lmod_counts(value: &[u8]) -> BTreeMap<BString, u32> {
    let counts = value.split_str(";").filter_map(|item| {
        let at = item.rfind(":")?;
        let count = item[at + 1..].to_str().ok()?.parse().ok()?;
        Some((item[..at].into(), count))
    });
    counts.collect()
}

/// `ENTRY:COUNT:ENTRY:COUNT`; a colon in an entry is escaped.
fn modules_counts(value: &[u8]) -> BTreeMap<BString, u32> {
    let mut pieces: Vec<BString> = vec![BString::default()];
    let mut bytes = value.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => pieces.last_mut().expect("never empty").extend(bytes.next()),
            b':' => pieces.push(BString::default()),
            byte => pieces.last_mut().expect("never empty").push(byte),
        }
    }
    let counts = pieces.chunks(2).filter_map(|pair| match pair {
        [entry, count] => Some((entry.clone(), count.to_str().ok()?.parse().ok()?)),
        _ => None,
    });
    counts.collect()
}

fn ownership(value: &BStr, counts: &BTreeMap<BString, u32>, rules: PathRules) -> Option<Ownership> {
    let list = PathList::split(value, BStr::new(":"), rules);
    let mut seen = std::collections::BTreeSet::new();
    let items: Vec<OwnedEntry> = list
        .entries()
        .zip(0..)
        // Of equal entries the first stands for all.
        .filter(|(entry, _)| seen.insert(entry.text))
        .filter_map(|(entry, at)| {
            let user = *counts.get(entry.text)?;
            (user > 1).then(|| OwnedEntry {
                at,
                check: check_byte(entry.text),
                user,
                ..OwnedEntry::default()
            })
        })
        .collect();
    (!items.is_empty()).then(|| Ownership {
        delim: ":".into(),
        hash: fingerprint32(value),
        items,
        owners: Vec::new(),
    })
}

/// Values that `pushenv` hid, with the module that did where the variable tells.
fn read_stacks(env: &Environment, state: &mut State) {
    for (name, value) in env {
        if let Some(var) = name.strip_prefix(b"__LMOD_STACK_")
            && let Some(var) = VarName::new(var)
        {
            // The present value comes first, then those it hides; `false` is the word for none.
            let mut stack: Vec<Hidden> = value
                .split_str(":")
                .filter_map(plain_base64)
                .map(|value| Hidden {
                    owner: 0,
                    value: (value != b"false").then(|| value.into()),
                })
                .collect();
            stack.reverse();
            state.stacks.insert(var, stack);
        }
        if let Some(var) = name.strip_prefix(b"__MODULES_PUSHENV_")
            && let Some(var) = VarName::new(var)
        {
            let stack = modules_stack(value, state);
            state.stacks.insert(var, stack);
        }
    }
}

/// `MODULE&VALUE:MODULE&VALUE:&INITIAL`, the newest first. Each module hides the value of the pair after its own.
fn modules_stack(value: &[u8], state: &State) -> Vec<Hidden> {
    let pairs: Vec<(BString, BString)> = value
        .split_str(":")
        .filter_map(|item| {
            let (module, value) = item.split_once_str("&")?;
            Some((module.into(), value.replace("<", ":").into()))
        })
        .collect();
    let mut stack: Vec<Hidden> = pairs
        .iter()
        .enumerate()
        .filter(|(_, (module, _))| !module.is_empty())
        .map(|(at, (module, _))| {
            let owner = module
                .to_str()
                .ok()
                .and_then(|name| state.loaded.find_full(name));
            Hidden {
                owner: owner.map_or(0, |m| m.id),
                value: pairs.get(at + 1).map(|(_, value)| value.clone()),
            }
        })
        .collect();
    stack.reverse();
    stack
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::packed;

    fn rules() -> PathRules {
        PathRules {
            normalise: true,
            keep_empty: true,
            ..PathRules::default()
        }
    }

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect()
    }

    /// As Lmod left it after `load lib; unload gcc` with a value pushed on `E`.
    #[test]
    fn a_session_of_lmod_is_taken_over() {
        // _ModuleTable_={mT={gcc={fn="/m/gcc/1.lua",fullName="gcc/1",status="inactive",userName="gcc"},
        // lib={fn="/m/lib/2.lua",fullName="lib/2",ref_count=1,stackDepth=1,status="active",userName="lib",
        // propT={lmod={sticky=1}}}}}
        let table = "X01vZHVsZVRhYmxlXz17bVQ9e2djYz17Zm49Ii9tL2djYy8xLmx1YSIsZnVsbE5hbWU9ImdjYy8xIixzdGF0dXM9ImluYWN0aXZlIix1c2VyTmFtZT0iZ2NjIn0sbGliPXtmbj0iL20vbGliLzIubHVhIixmdWxsTmFtZT0ibGliLzIiLHJlZl9jb3VudD0xLHN0YWNrRGVwdGg9MSxzdGF0dXM9ImFjdGl2ZSIsdXNlck5hbWU9ImxpYiIscHJvcFQ9e2xtb2Q9e3N0aWNreT0xfX19fX0=";
        let (first, second) = table.split_at(100);
        let env = environment(&[
            ("LOADEDMODULES", "lib/2"),
            ("_LMFILES_", "/m/lib/2.lua"),
            ("_ModuleTable_Sz_", "2"),
            ("_ModuleTable001_", first),
            ("_ModuleTable002_", second),
            ("PATH", "/lib/bin:/usr/bin"),
            ("__LMOD_REF_COUNT_PATH", "/lib/bin:2;/usr/bin:1"),
            ("E", "new"),
            ("__LMOD_STACK_E", "bmV3:b2xk"),
        ]);
        let (mut state, loss) = packed::read(&env, rules());
        assert_eq!(loss, None);
        let lib = state.loaded.find("lib").cloned().unwrap();
        assert_eq!(
            (lib.requested.as_str(), lib.auto, lib.depth),
            ("lib", true, 1)
        );
        assert!(lib.is_sticky());
        assert_eq!(state.loaded.inactive()[0].requested, "gcc");
        let entries = state.path_entries(&VarName::new("PATH").unwrap(), BStr::new(":"));
        let counts: Vec<u32> = entries.iter().map(|e| e.user).collect();
        assert_eq!(counts, [2, 1]);
        let var = VarName::new("E").unwrap();
        state.claim_stack(&var, &[lib.id]);
        let below = |state: &State| state.hidden_by(&var, lib.id);
        assert_eq!(below(&state), Some(Some("old".into())));
        // With one module more than values, the lowest hides nothing.
        let mut other = packed::read(&env, rules()).0;
        other.claim_stack(&var, &[lib.id, 9]);
        assert_eq!(below(&other), Some(None));
        // The other system's memory goes when ours is written.
        state.seal();
        let after = state.environment();
        assert!(!after.keys().any(|name| is_foreign(name.as_bstr())));
        let (again, loss) = packed::read(&after, rules());
        assert_eq!((again.loaded.active(), loss), (state.loaded.active(), None));
    }

    #[test]
    fn a_session_of_environment_modules_is_taken_over() {
        let env = environment(&[
            ("LOADEDMODULES", "a/2:b/1"),
            ("_LMFILES_", "/m/a/2:/m/b/1"),
            ("__MODULES_LMTAG", "a/2&auto-loaded&deprecated"),
            ("__MODULES_LMALTNAME", "a/2&as|a/default&al|alpha"),
            ("__MODULES_LMVARIANT", "b/1&mpi|1|1|0&prec|4|0|2"),
            ("PATH", "/x:/c:d"),
            ("__MODULES_SHARE_PATH", "/x:3:/c\\:d:2"),
            ("E", "two"),
            ("__MODULES_PUSHENV_E", "b/1&two:a/2&one:&zero"),
        ]);
        let (mut state, loss) = packed::read(&env, rules());
        assert_eq!(loss, None);
        let (a, b) = (
            state.loaded.active()[0].clone(),
            state.loaded.active()[1].clone(),
        );
        assert!(a.auto && !b.auto);
        assert_eq!(a.tags, ["deprecated"]);
        assert_eq!(a.alternatives, ["=default", "alpha"]);
        assert_eq!(
            b.variants,
            [("mpi".into(), "1".into()), ("prec".into(), "4".into())]
        );
        let entries = state.path_entries(&VarName::new("PATH").unwrap(), BStr::new(":"));
        assert_eq!(entries[0].user, 3);
        let stack = &state.stacks[&VarName::new("E").unwrap()];
        assert_eq!(
            stack.iter().map(|h| h.owner).collect::<Vec<_>>(),
            [a.id, b.id]
        );
        assert_eq!(stack[0].value.as_ref().unwrap(), "zero");
    }

    #[test]
    fn a_damaged_table_is_no_reason_to_fail() {
        for (size, piece) in [
            ("x", ""),
            ("1", "%%%"),
            ("1", "AAAA"),
            ("999999999999999999999", ""),
        ] {
            let env = environment(&[
                ("LOADEDMODULES", "a/1"),
                ("_LMFILES_", "/m/a/1"),
                ("_ModuleTable_Sz_", size),
                ("_ModuleTable001_", piece),
            ]);
            let (state, loss) = packed::read(&env, rules());
            assert_eq!(state.loaded.active().len(), 1);
            assert_eq!(loss, Some(packed::Loss::Missing));
        }
    }
}
