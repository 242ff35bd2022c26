//! The hooks of the site: what each is given and what its answer means.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};
use camino::{Utf8Path, Utf8PathBuf};
use indexmap::IndexMap;
use mlua::{Lua, MultiValue, Table};

use super::packages;
use crate::config::Config;
use crate::diag::{Diagnostic, Place, SourceFile};
use crate::env::EnvOp;
use crate::modulefile::host::query::by_key;
use crate::modulefile::host::{Host, Stop};
use crate::modulefile::lua::bind;
use crate::modulefile::lua::machine::{Machine, Shared};
use crate::modulefile::tcl::bind::site_options;
use crate::modulefile::value::Value;
use crate::modulefile::{
    Languages, LoadedModule, Message, Mode, ModuleContext, Outcome, Relation, World,
};
use crate::session::{Environment, Session};

/// Hooks that are called outside of an evaluation. Without start files every call gives its input back at no cost.
#[derive(Debug)]
pub struct Site<'a> {
    session: &'a Session,
    pub(super) config: &'a Config,
    languages: &'a Languages,
    said: RefCell<Vec<Message>>,
    code: RefCell<Vec<BString>>,
    /// With what the site's code ended the request.
    ended: Cell<Option<i32>>,
}

/// A module as the hooks about names see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Name with version.
    pub full_name: String,
    /// Name without version.
    pub name: String,
    /// Its file.
    pub file: Utf8PathBuf,
    /// The modulepath it lies in.
    pub modulepath: Utf8PathBuf,
}

/// Whether a module may be loaded, as `isForbiddenHook` may change it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forbidden {
    /// `normal`, `nearly` or `forbid`.
    pub state: String,
    /// The reason.
    pub message: Option<String>,
    /// What is said in the days before.
    pub nearly_message: Option<String>,
}

/// Beginnings of paths that are kept, and of paths that are left out.
pub type KeptAndLeft = (Vec<String>, Vec<String>);

/// What a hook left behind.
pub(super) struct Reply {
    /// What its last function gave.
    pub(super) result: Value,
    /// Its arguments; tables are edited in place.
    pub(super) args: Vec<Value>,
}

impl Reply {
    /// The table that the hook gave, else its argument at `index`, which it may have edited in place.
    fn given(mut self, index: usize) -> Value {
        match self.result {
            Value::List(_) | Value::Map(_) => self.result,
            _ => self.args.swap_remove(index),
        }
    }
}

impl<'a> Site<'a> {
    /// The site of a session.
    pub fn new(session: &'a Session, config: &'a Config, languages: &'a Languages) -> Site<'a> {
        Site {
            session,
            config,
            languages,
            said: RefCell::default(),
            code: RefCell::default(),
            ended: Cell::default(),
        }
    }

    /// Whether the site says anything in its own words.
    pub fn has_messages(&self) -> bool {
        !self.config.site_messages.is_empty()
    }

    /// Whether the site has start files at all.
    pub fn has_code(&self) -> bool {
        let files = self.languages.lua.start_files();
        !files.get(self.session, self.config).is_empty()
    }

    /// Whether the site's code ended the request (`os.exit`) as one that went well.
    pub fn has_ended_well(&self) -> bool {
        self.ended.get() == Some(0)
    }

    /// What the hooks have said to people since the last call.
    pub fn take_messages(&self) -> Vec<Message> {
        self.said.take()
    }

    /// The commands that hooks have for the user's shell since the last call.
    pub fn take_code(&self) -> Vec<BString> {
        self.code.take()
    }

    /// The options that `siteconfig.tcl` gives a value: their names in Environment Modules, and the texts.
    ///
    /// # Errors
    /// The file fails.
    pub fn options(&self) -> Result<Vec<(String, String)>, Diagnostic> {
        if self.languages.siteconfig.get(self.config).is_empty() {
            return Ok(Vec::new());
        }
        self.with_host(site_options)
    }

    /// The settings that start files give a value by `cosmic:assign`: the names of Lmod's variables and the texts.
    ///
    /// # Errors
    /// A start file that fails.
    pub fn assignments(&self) -> Result<Vec<(String, String)>, Diagnostic> {
        if !self.has_code() {
            return Ok(Vec::new());
        }
        self.with_host(|host| {
            let machine = Machine::of(host)?;
            Ok(machine.shared().registered.assigned.borrow().clone())
        })
    }

    /// `startup`: a command begins.
    ///
    /// # Errors
    /// The hook fails.
    pub fn startup(&self, command: &str) -> Result<(), Diagnostic> {
        self.hook("startup", vec![word(command)]).map(drop)
    }

    /// `finalize`: a command ends.
    ///
    /// # Errors
    /// The hook fails.
    pub fn finalize(&self, command: &str) -> Result<(), Diagnostic> {
        self.hook("finalize", vec![word(command)]).map(drop)
    }

    /// Runs what `ExitHookA.register` was given, just before the output.
    ///
    /// # Errors
    /// One of the functions fails.
    pub fn exit(&self) -> Result<(), Diagnostic> {
        if !self.has_code() {
            return Ok(());
        }
        self.with_host(|host| {
            let machine = Machine::of(host)?;
            let functions = machine.shared().registered.exit_hooks.borrow().clone();
            machine.within(host, |_, _| {
                functions.iter().try_for_each(|f| f.call::<()>(()))
            })
        })
    }

    /// `restore`: a collection was restored, or the system's default modules. `asked` is the word of the request, `file`
    /// where the collection is written.
    ///
    /// # Errors
    /// The hook fails.
    pub fn restored(
        &self,
        asked: Option<&str>,
        name: &str,
        file: Option<&Utf8Path>,
    ) -> Result<(), Diagnostic> {
        let word = |text: Option<&str>| text.map_or(Value::Nil, Value::text);
        let table = map([
            ("collection", word(asked)),
            ("name", Value::text(name)),
            ("fn", word(file.map(Utf8Path::as_str))),
        ]);
        self.hook("restore", vec![table]).map(drop)
    }

    /// `SiteName`: what the names of family variables begin with beside `LMOD`; without the hook what the settings say.
    ///
    /// # Errors
    /// The hook fails.
    pub fn site_name(&self) -> Result<Option<String>, Diagnostic> {
        let reply = self.hook("SiteName", Vec::new())?;
        let given = reply.and_then(|r| text(&r.result));
        Ok(given.or_else(|| self.config.name_of_site()))
    }

    /// `msgHook`: the lines of a report; `kind` is `avail`, `list`, `overview` or `spider`.
    ///
    /// # Errors
    /// The hook fails.
    pub fn message(&self, kind: &str, lines: Vec<String>) -> Result<Vec<String>, Diagnostic> {
        let args = vec![Value::text(kind), list(&lines)];
        let reply = self.hook("msgHook", args)?;
        Ok(reply.and_then(|r| texts(&r.given(1))).unwrap_or(lines))
    }

    /// `avail`: the title of each modulepath's section; the same title twice makes one section.
    ///
    /// # Errors
    /// The hook fails.
    pub fn avail_labels(
        &self,
        labels: BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Diagnostic> {
        let table = Value::Map(
            labels
                .iter()
                .map(|(path, label)| (path.clone(), Value::text(label.as_str())))
                .collect(),
        );
        let reply = self.hook("avail", vec![table])?;
        Ok(match reply.map(|mut r| r.args.remove(0)) {
            Some(Value::Map(edited)) => edited
                .into_iter()
                .filter_map(|(path, label)| Some((path, text(&label)?)))
                .collect(),
            _ => labels,
        })
    }

    /// `listHook`: the full names of the loaded modules, in the order of `list`.
    ///
    /// # Errors
    /// The hook fails.
    pub fn list(&self, names: Vec<String>) -> Result<Vec<String>, Diagnostic> {
        let entries = names
            .iter()
            .map(|n| map([("fullName", Value::text(n.as_str()))]));
        let reply = self.hook("listHook", vec![Value::List(entries.collect())])?;
        let Some(Value::List(entries)) = reply.map(|r| r.given(0)) else {
            return Ok(names);
        };
        Ok(entries
            .iter()
            .filter_map(|entry| text(field(entry, "fullName")?))
            .collect())
    }

    /// `category` without arguments: the names of the categories.
    ///
    /// # Errors
    /// The hook fails.
    pub fn categories(&self, names: Vec<String>) -> Result<Vec<String>, Diagnostic> {
        let args = vec![Value::text("simple"), list(&names)];
        let reply = self.hook("category", args)?;
        Ok(reply.and_then(|r| texts(&r.given(1))).unwrap_or(names))
    }

    /// `category` with words: by category its modules and how many versions each has.
    ///
    /// # Errors
    /// The hook fails.
    pub fn category_members(
        &self,
        members: BTreeMap<String, BTreeMap<String, i64>>,
    ) -> Result<BTreeMap<String, BTreeMap<String, i64>>, Diagnostic> {
        let table = members.iter().map(|(category, modules)| {
            let modules = modules
                .iter()
                .map(|(n, count)| (n.clone(), Value::Int(*count)));
            (category.clone(), Value::Map(modules.collect()))
        });
        let args = vec![Value::text("complex"), Value::Map(table.collect())];
        let Some(Value::Map(table)) = self.hook("category", args)?.map(|r| r.given(1)) else {
            return Ok(members);
        };
        let counts = |modules: Value| match modules {
            Value::Map(modules) => modules
                .into_iter()
                .filter_map(|(n, count)| Some((n, text(&count)?.parse().ok()?)))
                .collect(),
            _ => BTreeMap::new(),
        };
        Ok(table.into_iter().map(|(c, m)| (c, counts(m))).collect())
    }

    /// `colorize_fullName`: how listings show a module.
    ///
    /// # Errors
    /// The hook fails.
    pub fn shown_name(&self, full_name: &str, name: &str) -> Result<String, Diagnostic> {
        let args = vec![Value::text(full_name), Value::text(name)];
        let reply = self.hook("colorize_fullName", args)?;
        let shown = reply.and_then(|r| text(&r.result));
        Ok(shown.unwrap_or_else(|| full_name.to_owned()))
    }

    /// `spider_decoration`: what `spider` shows behind a module.
    ///
    /// # Errors
    /// The hook fails.
    pub fn spider_decoration(
        &self,
        full_name: &str,
        category: Option<&str>,
        properties: &[(String, String)],
        parents: &[Vec<String>],
    ) -> Result<Option<String>, Diagnostic> {
        let parents = parents.iter().map(|p| list(p)).collect();
        let table = map([
            ("fullName", Value::text(full_name)),
            ("Category", category.map_or(Value::Nil, Value::text)),
            ("propT", by_key(properties)),
            ("parentAA", Value::List(parents)),
        ]);
        let reply = self.hook("spider_decoration", vec![table])?;
        Ok(reply.and_then(|r| text(&r.result)))
    }

    /// `isVisibleHook`: whether listings show a module.
    ///
    /// # Errors
    /// The hook fails.
    pub fn is_visible(&self, module: &Listed, is_visible: bool) -> Result<bool, Diagnostic> {
        let mut table = listed(module);
        table.insert("isVisible".to_owned(), Value::Bool(is_visible));
        let reply = self.module_hook("isVisibleHook", module, table)?;
        let edited = reply.map(|mut r| r.args.remove(0));
        Ok(match edited.as_ref().and_then(|t| field(t, "isVisible")) {
            Some(Value::Bool(is_visible)) => *is_visible,
            _ => is_visible,
        })
    }

    /// `isForbiddenHook`: whether a module may be loaded.
    ///
    /// # Errors
    /// The hook fails.
    pub fn forbidden(&self, module: &Listed, state: Forbidden) -> Result<Forbidden, Diagnostic> {
        let words = |text: &Option<String>| text.as_deref().map_or(Value::Nil, Value::text);
        let mut table = listed(module);
        let state_word = Value::text(state.state.as_str());
        table.insert("forbiddenState".to_owned(), state_word);
        table.insert("message".to_owned(), words(&state.message));
        table.insert("nearlymessage".to_owned(), words(&state.nearly_message));
        let Some(mut reply) = self.module_hook("isForbiddenHook", module, table)? else {
            return Ok(state);
        };
        let edited = reply.args.remove(0);
        let word = |key| field(&edited, key).and_then(text);
        Ok(Forbidden {
            state: word("forbiddenState").unwrap_or(state.state),
            message: word("message"),
            nearly_message: word("nearlymessage"),
        })
    }

    /// `reverseMapPathFilter`: beginnings of the paths that reverse maps keep and leave out.
    ///
    /// # Errors
    /// The hook fails.
    pub fn reverse_map_filter(&self) -> Result<Option<KeptAndLeft>, Diagnostic> {
        if !self.has_code() {
            return Ok(None);
        }
        let reply = self.with_host(|host| call_all(host, "reverseMapPathFilter", Vec::new()))?;
        Ok(reply.map(|values| {
            let patterns = |i: usize| values.get(i).and_then(texts).unwrap_or_default();
            (patterns(0), patterns(1))
        }))
    }

    /// `packagebasename`: the patterns of the variables that name the directory of a package, and of those that name its
    /// libraries.
    ///
    /// # Errors
    /// A hook fails.
    pub fn package_patterns(&self) -> Result<(String, String), Diagnostic> {
        let name = self.site_name()?.unwrap_or_else(|| "LMOD".to_owned());
        let (dir, library) = (format!("^{name}_.*_DIR"), format!("^{name}_.*_LIB"));
        let table = map([
            ("patDir", Value::text(dir.as_str())),
            ("patLib", Value::text(library.as_str())),
        ]);
        let reply = self.hook("packagebasename", vec![table])?;
        let edited = reply.map(|mut r| r.args.remove(0));
        let word = |key| edited.as_ref().and_then(|t| text(field(t, key)?));
        Ok((
            word("patDir").unwrap_or(dir),
            word("patLib").unwrap_or(library),
        ))
    }

    pub(super) fn hook(&self, name: &str, args: Vec<Value>) -> Result<Option<Reply>, Diagnostic> {
        if !self.has_code() {
            return Ok(None);
        }
        self.with_host(|host| call(host, name, args, |_, _, _| Ok(())))
    }

    /// A hook about a module, which also gets objects for it and for what is loaded: `mname`, `mt`.
    fn module_hook(
        &self,
        name: &str,
        module: &Listed,
        table: IndexMap<String, Value>,
    ) -> Result<Option<Reply>, Diagnostic> {
        if !self.has_code() {
            return Ok(None);
        }
        let version = module.full_name.get(module.name.len() + 1..);
        let context = ModuleContext {
            name: module.name.clone(),
            version: version.map(str::to_owned),
            requested: module.full_name.clone(),
            file: module.file.clone(),
            modulepath: module.modulepath.clone(),
            ..ModuleContext::default()
        };
        let args = vec![Value::Map(table)];
        self.with_host(|host| {
            call(host, name, args, |lua, shared, values| {
                let [mlua::Value::Table(table)] = values else {
                    return Ok(());
                };
                table.raw_set("mname", module_object(lua, shared, &context)?)?;
                table.raw_set("mt", packages::loaded_modules(lua, shared)?)
            })
        })
    }

    pub(super) fn with_host<T>(
        &self,
        work: impl FnOnce(&mut Host<'_>) -> Result<T, Stop>,
    ) -> Result<T, Diagnostic> {
        self.within_module(&ModuleContext::default(), work)
    }

    /// Does `work` as if the file of `module` were being evaluated: `FrameStk` and its kin tell that module.
    pub(super) fn within_module<T>(
        &self,
        module: &ModuleContext,
        work: impl FnOnce(&mut Host<'_>) -> Result<T, Stop>,
    ) -> Result<T, Diagnostic> {
        let mut world = Outside { site: self };
        let source = SourceFile::new("", "");
        let mut host = Host::new(&mut world, module, Mode::Load, &source);
        match work(&mut host) {
            Ok(value) => Ok(value),
            Err(Stop::Exit(code)) => {
                self.ended.set(Some(code));
                let message = format!("code of the site ended the request (exit {code})");
                Err(Diagnostic::new(crate::diag::Kind::Site, message))
            }
            Err(stop) => match host.finish(Err(stop)) {
                Err(failure) => Err(*failure.diagnostic),
                Ok(_) => Err(Diagnostic::new(
                    crate::diag::Kind::Site,
                    "code of the site ended the command",
                )),
            },
        }
    }
}

/// The word that `startup` and `finalize` are given for a sub-command. Lmod 9 puts the name of its function before it
/// (`cmdfuncs.lua:(Load_Usr)          load`); the hooks of sites compare with the word, as its manual lets them expect.
fn word(command: &str) -> Value {
    Value::text(match command {
        "getdefault" => "getDefault",
        "is-avail" => "isAvail",
        "is-loaded" => "isLoaded",
        "try-load" => "try-add",
        other => other,
    })
}

/// Calls a hook; `None` where the site has no function for it.
fn call(
    host: &mut Host<'_>,
    hook: &str,
    args: Vec<Value>,
    prepare: impl FnOnce(&Lua, &Rc<Shared>, &[mlua::Value]) -> mlua::Result<()>,
) -> Result<Option<Reply>, Stop> {
    let machine = Machine::of(host)?;
    let functions = machine
        .shared()
        .registered
        .hooks
        .borrow()
        .get(hook)
        .cloned();
    let Some(functions) = functions else {
        return Ok(None);
    };
    machine.within(host, |lua, shared| {
        let values = args
            .into_iter()
            .map(|value| bind::to_lua(lua, value))
            .collect::<mlua::Result<Vec<_>>>()?;
        prepare(lua, shared, &values)?;
        let mut result = mlua::Value::Nil;
        for function in functions {
            result = function.call(MultiValue::from_vec(values.clone()))?;
        }
        Ok(Some(Reply {
            result: plain(&result, 0),
            args: values.iter().map(|value| plain(value, 0)).collect(),
        }))
    })
}

/// Calls a hook that gives several values.
fn call_all(host: &mut Host<'_>, hook: &str, args: Vec<Value>) -> Result<Option<Vec<Value>>, Stop> {
    let machine = Machine::of(host)?;
    let functions = machine
        .shared()
        .registered
        .hooks
        .borrow()
        .get(hook)
        .cloned();
    let Some(last) = functions.and_then(|mut f| f.pop()) else {
        return Ok(None);
    };
    machine.within(host, |lua, _| {
        let values = args
            .into_iter()
            .map(|value| bind::to_lua(lua, value))
            .collect::<mlua::Result<Vec<_>>>()?;
        let results: MultiValue = last.call(MultiValue::from_vec(values))?;
        Ok(Some(results.iter().map(|value| plain(value, 0)).collect()))
    })
}

/// What of a Lua value can be told without Lua; functions and objects become nil.
fn plain(value: &mlua::Value, depth: usize) -> Value {
    const DEEPEST: usize = 16;
    let mlua::Value::Table(table) = value else {
        return bind::from_lua(value, 0).unwrap_or(Value::Nil);
    };
    if depth == DEEPEST {
        return Value::Nil;
    }
    let length = table.raw_len();
    let mut named = IndexMap::new();
    for (key, value) in table.pairs::<mlua::Value, mlua::Value>().flatten() {
        if let mlua::Value::String(key) = key {
            named.insert(key.to_string_lossy(), plain(&value, depth + 1));
        }
    }
    if named.is_empty() {
        let item = |i| plain(&table.raw_get(i).unwrap_or(mlua::Value::Nil), depth + 1);
        return Value::List((1..=length).map(item).collect());
    }
    named.sort_keys();
    Value::Map(named)
}

/// The hooks that follow an evaluation that went well: further lines of the site, then `load`, `unload` or
/// `load_spider`.
pub(in crate::modulefile) fn after_evaluation(host: &mut Host<'_>) -> Result<(), Stop> {
    let world = &host.world;
    let files = world.languages().lua.start_files();
    if files.get(world.session(), world.config()).is_empty()
        || host.evaluation.outcome != Outcome::Completed
    {
        return Ok(());
    }
    decorate(host)?;
    let hook = match host.mode {
        Mode::Load => "load",
        Mode::Unload => "unload",
        Mode::Spider => "load_spider",
        _ => return Ok(()),
    };
    let module = host.module;
    let table = map([
        ("fn", Value::text(module.file.as_str())),
        ("modFullName", Value::text(module.full_name())),
        ("sn", Value::text(module.name.as_str())),
    ]);
    call(
        host,
        hook,
        vec![table],
        |lua, shared, values| match values {
            [mlua::Value::Table(table)] => {
                table.raw_set("mname", module_object(lua, shared, module)?)
            }
            _ => Ok(()),
        },
    )
    .map(drop)
}

/// `decorate_module`: lines that the site adds to a modulefile.
fn decorate(host: &mut Host<'_>) -> Result<(), Stop> {
    if host.mode == Mode::Rc {
        return Ok(());
    }
    let module = host.module;
    let table = map([
        ("path", Value::text(module.file.as_str())),
        ("name", Value::text(module.name.as_str())),
        (
            "version",
            Value::text(module.version.as_deref().unwrap_or_default()),
        ),
        ("contents", Value::text(host.source.text())),
    ]);
    let reply = call(host, "decorate_module", vec![table], |_, _, _| Ok(()))?;
    let lines = match reply.map(|r| r.result) {
        Some(Value::Bytes(text)) => text.to_string(),
        Some(lines) => texts(&lines).unwrap_or_default().join("\n"),
        None => return Ok(()),
    };
    let machine = Machine::of(host)?;
    machine.run_text(host, lines.as_bytes(), "=lines of decorate_module")
}

/// The object that stands for a module in hooks.
fn module_object(lua: &Lua, shared: &Rc<Shared>, module: &ModuleContext) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let facts = [
        ("sn", module.name.clone()),
        ("version", module.version.clone().unwrap_or_default()),
        ("fullName", module.full_name()),
        ("userName", module.requested.clone()),
        ("fn", module.file.to_string()),
        ("mpath", module.modulepath.to_string()),
    ];
    for (name, fact) in facts {
        let fact = lua.create_string(fact)?;
        table.raw_set(
            name,
            lua.create_function(move |_, _: MultiValue| Ok(fact.clone()))?,
        )?;
    }
    // Few ask, so it is found out only then.
    let (asker, asked) = (Rc::clone(shared), module.clone());
    table.raw_set(
        "defaultKind",
        lua.create_function(move |_, _: MultiValue| {
            let module = asked.clone();
            asker.host(move |host| host.world.default_kind(&module))
        })?,
    )?;
    // A module that is evaluated on request is one that its user sees.
    table.raw_set(
        "isVisible",
        lua.create_function(|_, _: MultiValue| Ok(true))?,
    )?;
    Ok(table)
}

/// `SiteName` within an evaluation.
pub(in crate::modulefile) fn site_name(host: &mut Host<'_>) -> Result<Option<String>, Stop> {
    let reply = call(host, "SiteName", Vec::new(), |_, _, _| Ok(()))?;
    let given = reply.and_then(|r| text(&r.result));
    Ok(given.or_else(|| host.world.config().name_of_site()))
}

/// A text that a modulefile or the program has for people.
pub(in crate::modulefile) struct Said {
    /// The text.
    pub text: BString,
    /// Its key; empty where it has none.
    pub key: String,
    /// What it was filled with.
    pub values: IndexMap<String, Value>,
}

/// `errWarnMsgHook`: the words of a message; `kind` is `lmoderror`, `lmodwarning` or `lmodmessage`.
pub(in crate::modulefile) fn message_text(
    host: &mut Host<'_>,
    kind: &str,
    said: Said,
) -> Result<BString, Stop> {
    let world = &host.world;
    let files = world.languages().lua.start_files();
    // Only a message that has a key is the hook's to change.
    if said.key.is_empty() || files.get(world.session(), world.config()).is_empty() {
        return Ok(said.text);
    }
    let mut values = said.values;
    values.insert("msg".to_owned(), Value::text(said.key.as_str()));
    let args = vec![
        Value::text(kind),
        Value::text(said.key),
        Value::Bytes(said.text.clone()),
        Value::Map(values),
    ];
    let reply = call(host, "errWarnMsgHook", args, |_, _, _| Ok(()))?;
    Ok(match reply.map(|r| r.result) {
        Some(Value::Bytes(changed)) => changed,
        _ => said.text,
    })
}

/// Bytes as text, whatever they are.
pub(super) fn lossy(text: &BString) -> String {
    text.to_str_lossy().into_owned()
}

pub(super) fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

fn list(texts: &[String]) -> Value {
    Value::List(texts.iter().map(|t| Value::text(t.as_str())).collect())
}

fn listed(module: &Listed) -> IndexMap<String, Value> {
    IndexMap::from([
        (
            "fullName".to_owned(),
            Value::text(module.full_name.as_str()),
        ),
        ("sn".to_owned(), Value::text(module.name.as_str())),
        ("fn".to_owned(), Value::text(module.file.as_str())),
        ("mpath".to_owned(), Value::text(module.modulepath.as_str())),
    ])
}

pub(super) fn field<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Map(entries) => entries.get(key),
        _ => None,
    }
}

pub(super) fn text(value: &Value) -> Option<String> {
    value.to_bytes().map(|t| t.to_str_lossy().into_owned())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::List(items) => Some(items.iter().filter_map(text).collect()),
        _ => None,
    }
}

/// The world of hooks outside of evaluations: the session as it was, and nothing that can be changed; what the user's
/// shell is to run is kept.
struct Outside<'s> {
    site: &'s Site<'s>,
}

impl World for Outside<'_> {
    fn session(&self) -> &Session {
        self.site.session
    }

    fn config(&self) -> &Config {
        self.site.config
    }

    fn languages(&self) -> &Languages {
        self.site.languages
    }

    fn shell_name(&self) -> &str {
        let words = &self.site.session.args;
        words.first().and_then(|w| w.to_str().ok()).unwrap_or("sh")
    }

    fn var(&self, name: &BStr) -> Option<&BStr> {
        self.site.session.env.get(name).map(|v| v.as_bstr())
    }

    fn environment(&self) -> Environment {
        self.site.session.env.clone()
    }

    fn apply(&mut self, _: &ModuleContext, op: &EnvOp, _: &Place) -> Result<(), Diagnostic> {
        if let EnvOp::Execute { code, .. } = op {
            self.site.code.borrow_mut().push(code.clone());
        }
        Ok(())
    }

    fn relate(&mut self, _: &ModuleContext, _: &Relation, _: &Place) -> Result<(), Diagnostic> {
        Ok(())
    }

    fn loaded_modules(&self) -> Vec<LoadedModule> {
        let words = |name| {
            let text = self.site.session.text(name).unwrap_or_default();
            text.split(':').filter(|w| !w.is_empty())
        };
        words("LOADEDMODULES")
            .zip(words("_LMFILES_"))
            .map(|(full, file)| LoadedModule {
                name: full.rsplit_once('/').map_or(full, |(n, _)| n).to_owned(),
                full_name: full.to_owned(),
                requested: full.to_owned(),
                file: file.into(),
                ref_count: None,
                depth: 0,
                properties: Vec::new(),
            })
            .collect()
    }

    fn command(&self) -> &str {
        ""
    }

    fn ask(&mut self, answer: &mut [u8]) -> std::io::Result<usize> {
        let mut said = Vec::new();
        for message in self.site.said.take() {
            said.extend_from_slice(&message.text);
        }
        crate::session::ask(&said, answer)
    }

    fn tell(&mut self, message: Message) {
        self.site.said.borrow_mut().push(message);
    }
}
