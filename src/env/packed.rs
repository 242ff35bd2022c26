//! The state in the environment: everything that `LOADEDMODULES`, `_LMFILES_` and the variables themselves do not tell,
//! in one variable that is as short as possible, because every later program gets a copy of the environment.
//!
//! The form: a version letter, then base64url of a checksum and a list of records. Modules are known by their place in
//! `LOADEDMODULES`, entries of paths by their place in the value, variables by three bytes of a hash; each of these is
//! checked when it is read, because the variables are the user's to change. Damaged text never fails: [`read`] says what
//! was lost and goes on with what the readable variables tell.
//!
//! A value of over [`PIECE`] bytes is split over several variables: the kernel refuses single strings over 128 KiB.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::fingerprint::{check_byte, fingerprint32};
use super::foreign;
use super::journal::{Hidden, OwnedEntry, Ownership, short_hash};
use super::loaded::{Entry, Loaded, Module, Need, NeedKind};
use super::op::{EnvOp, PathAction, VarName};
use super::path_list::{Owner, PathRules};
use super::state::{FILES, LOADED, MODULEPATH, MODULEPATH_PRIORITY, Past, State, Step};
use crate::session::Environment;

/// The variable that holds the state; further pieces are called `__XMOD_STATE_1` and so on.
pub const VARIABLE: &str = "__XMOD_STATE";

/// Longest piece of the state that is put into one variable, in bytes.
pub const PIECE: usize = 100 << 10;

/// Most pieces that are read or written.
const MAX_PIECES: usize = 64;

/// The format of this version.
const VERSION: u8 = b'1';

/// What could not be read from the environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// The state is missing although modules are loaded.
    #[error("the state of the loaded modules is missing from the environment")]
    Missing,
    /// The state is damaged or cut off.
    #[error("the state of the loaded modules in the environment is damaged")]
    Damaged,
    /// The state was written by a newer version.
    #[error("the state of the loaded modules was written by a newer version")]
    Newer,
    /// The two readable variables disagree.
    #[error("`LOADEDMODULES` names {names} modules and `_LMFILES_` {files} files")]
    Disagree {
        /// How many names.
        names: usize,
        /// How many files.
        files: usize,
    },
}

/// Reads the state of a session from its environment, with what was lost.
pub fn read(env: &Environment, rules: PathRules) -> (State<'_>, Option<Loss>) {
    let mut state = State::new(env, rules);
    let (modules, mut loss) = readable(env);
    let packed = match text(env) {
        None => Err(Loss::Missing),
        Some(text) => decode(&text, env, &modules),
    };
    match packed {
        Ok(packed) => packed.give_to(&mut state),
        Err(lost) => {
            let modules = match lost {
                Loss::Missing => foreign::take_over(env, modules, rules, &mut state),
                _ => Err(modules),
            };
            if let Err(modules) = modules {
                if !(modules.is_empty() && lost == Loss::Missing) {
                    loss = Some(lost);
                }
                for module in modules {
                    state.loaded.push(module);
                }
            }
        }
    }
    (state, loss)
}

/// The modules that the readable variables name, numbered from 1.
fn readable(env: &Environment) -> (Vec<Module>, Option<Loss>) {
    let list = |name: &str| -> Vec<String> {
        env.get(name.as_bytes().as_bstr())
            .map(|value| {
                value
                    .split_str(":")
                    .filter(|piece| !piece.is_empty())
                    .map(|piece| piece.to_str_lossy().into_owned())
                    .collect()
            })
            .unwrap_or_default()
    };
    let names = list(LOADED);
    let files = list(FILES);
    if names.len() == files.len() {
        let modules = names.iter().zip(&files).zip(1..);
        return (
            modules
                .map(|((name, file), id)| Module::bare(id, name, file))
                .collect(),
            None,
        );
    }
    // Each name takes the file that ends in it.
    let loss = Loss::Disagree {
        names: names.len(),
        files: files.len(),
    };
    let modules = names.iter().zip(1..).map(|(name, id)| {
        let own = |file: &&String| Module::modulepath_of(file.as_str().into(), name).is_some();
        Module::bare(id, name, files.iter().find(own).map_or("", String::as_str))
    });
    (modules.collect(), Some(loss))
}

/// The pieces of the state, joined.
fn text(env: &Environment) -> Option<BString> {
    let first = env.get(VARIABLE.as_bytes().as_bstr())?;
    let mut text = first.clone();
    for number in 1..MAX_PIECES {
        match env.get(piece_name(number).as_bytes().as_bstr()) {
            Some(piece) => text.extend_from_slice(piece),
            None => break,
        }
    }
    Some(text)
}

fn piece_name(number: usize) -> String {
    match number {
        0 => VARIABLE.to_owned(),
        _ => format!("{VARIABLE}_{number}"),
    }
}

impl State<'_> {
    /// Writes what other requests and other programs have to know into variables. Called once, at the end.
    pub fn seal(&mut self) {
        let join =
            |pieces: Vec<&str>| (!pieces.is_empty()).then(|| BString::from(pieces.join(":")));
        let active = self.loaded.active();
        let names = join(active.iter().map(|m| m.full_name.as_str()).collect());
        let files = join(active.iter().map(|m| m.file.as_str()).collect());
        self.set(LOADED, names);
        self.set(FILES, files);
        self.seal_priority();
        for name in self.foreign_names() {
            self.set(&name, None);
        }
        let text = encode(self);
        let mut pieces = text.chunks(PIECE);
        for number in 0..MAX_PIECES {
            let name = piece_name(number);
            match pieces.next() {
                Some(piece) => self.set(&name, Some(piece.into())),
                None if self.var(&name).is_some() => self.set(&name, None),
                None => break,
            }
        }
    }

    /// Tells other programs which directories of `MODULEPATH` have a priority: some edit the variable themselves unless
    /// there are any.
    fn seal_priority(&mut self) {
        let Some((_, list)) = self
            .split_paths()
            .find(|(name, _)| name.as_str() == MODULEPATH)
        else {
            return;
        };
        let priorities: Vec<String> = list
            .entries()
            .filter(|e| e.priority != 0)
            .map(|e| format!("{}:{}", e.text, e.priority))
            .collect();
        let value = (!priorities.is_empty()).then(|| BString::from(priorities.join(";")));
        self.set(MODULEPATH_PRIORITY, value);
    }
}

/// The state as the text of the variable; empty where there is nothing to remember.
pub fn encode(state: &State) -> Vec<u8> {
    let active = state.loaded.active();
    if active.is_empty()
        && state.loaded.inactive().is_empty()
        && state.history.is_empty()
        && state.system.is_none()
    {
        return Vec::new();
    }
    let mut out = Writer::default();
    let places: BTreeMap<Owner, u64> = active.iter().map(|m| m.id).zip(1..).collect();
    let names = VariableNames::new(state);

    out.number(active.len() as u64);
    out.0.extend_from_slice(&list_hash(
        active
            .iter()
            .map(|m| (m.full_name.as_str(), m.file.as_str())),
    ));
    for module in active {
        out.0.push(check_byte(module.full_name.as_bytes()));
        out.module(module, &state.loaded, &names);
    }
    out.number(state.loaded.inactive().len() as u64);
    for module in state.loaded.inactive() {
        out.text(&module.full_name);
        out.text(module.file.as_str());
        out.module(module, &state.loaded, &names);
    }
    out.paths(state, &places);
    out.stacks(state, &places);
    out.history(state);
    out.maybe(state.system.as_ref());

    let mut text = vec![VERSION];
    let mut bytes = fingerprint32(&out.0).to_le_bytes().to_vec();
    bytes.append(&mut out.0);
    base64_write(&bytes, &mut text);
    text
}

/// Tells whether the readable variables still are what the state was written for.
fn list_hash<'a>(modules: impl Iterator<Item = (&'a str, &'a str)>) -> [u8; 4] {
    let mut bytes = Vec::new();
    for (name, file) in modules {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(file.as_bytes());
        bytes.push(0);
    }
    fingerprint32(&bytes).to_le_bytes()
}

/// Names of variables as three bytes, where these tell one variable from all others in the environment.
struct VariableNames {
    seen: BTreeMap<[u8; 3], bool>,
    present: std::collections::BTreeSet<BString>,
}

impl VariableNames {
    fn new(state: &State) -> VariableNames {
        let needed = state.loaded.active().iter().any(|m| !m.journal.is_empty());
        let mut names = VariableNames {
            seen: BTreeMap::new(),
            present: std::collections::BTreeSet::new(),
        };
        if needed {
            for name in state.names() {
                let twice = names.seen.contains_key(&short_hash(name));
                names.seen.insert(short_hash(name), twice);
                names.present.insert(name.to_owned());
            }
        }
        names
    }

    fn short(&self, var: &VarName) -> Option<[u8; 3]> {
        let hash = short_hash(var.as_bstr());
        let unique = self.seen.get(&hash) == Some(&false);
        (unique && hash != [0; 3] && self.present.contains(var.as_bstr())).then_some(hash)
    }
}

const REQUESTED_FULL: u8 = 1;
const REQUESTED_NAME: u8 = 2;
const AUTO: u8 = 4;
const DEEP: u8 = 8;
const EXTRAS: u8 = 16;
const ODD_NAME: u8 = 32;
const ODD_MODULEPATH: u8 = 64;
const JOURNAL: u8 = 128;

/// Where the name ends in most full names.
fn usual_name_len(full_name: &str) -> usize {
    full_name.rfind('/').unwrap_or(full_name.len())
}

#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    /// Seven bits a byte, the lowest first.
    fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.0.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.0.push(n as u8);
    }

    fn signed(&mut self, n: i32) {
        self.number(u64::from(((n << 1) ^ (n >> 31)) as u32));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn texts(&mut self, texts: &[String]) {
        self.number(texts.len() as u64);
        for text in texts {
            self.text(text);
        }
    }

    fn maybe(&mut self, value: Option<&BString>) {
        match value {
            None => self.number(0),
            Some(value) => {
                self.number(value.len() as u64 + 1);
                self.0.extend_from_slice(value);
            }
        }
    }

    fn var(&mut self, var: &VarName, names: &VariableNames) {
        match names.short(var) {
            Some(hash) => self.0.extend_from_slice(&hash),
            None => {
                self.0.extend_from_slice(&[0; 3]);
                self.text(var.as_str());
            }
        }
    }

    fn module(&mut self, module: &Module, loaded: &Loaded, names: &VariableNames) {
        let requested = if module.requested == module.full_name {
            REQUESTED_FULL
        } else if module.requested == module.name() {
            REQUESTED_NAME
        } else {
            0
        };
        let extras = !(module.families.is_empty()
            && module.properties.is_empty()
            && module.tags.is_empty()
            && module.conflicts.is_empty()
            && module.needs.is_empty()
            && module.alternatives.is_empty()
            && module.variants.is_empty()
            && module.sourced.is_empty());
        let odd_name = module.name_len != usual_name_len(&module.full_name);
        let usual = Module::modulepath_of(&module.file, &module.full_name).unwrap_or_default();
        let odd_modulepath = usual != module.modulepath;
        let flag = |condition: bool, bit: u8| if condition { bit } else { 0 };
        self.0.push(
            requested
                | flag(module.auto, AUTO)
                | flag(module.depth > 0, DEEP)
                | flag(extras, EXTRAS)
                | flag(odd_name, ODD_NAME)
                | flag(odd_modulepath, ODD_MODULEPATH)
                | flag(!module.journal.is_empty(), JOURNAL),
        );
        self.0.extend_from_slice(&module.fingerprint.to_le_bytes());
        if requested == 0 {
            self.text(&module.requested);
        }
        if module.depth > 0 {
            self.number(u64::from(module.depth));
        }
        if odd_name {
            self.number(module.name_len as u64);
        }
        if odd_modulepath {
            self.text(module.modulepath.as_str());
        }
        if extras {
            self.extras(module, loaded);
        }
        if !module.journal.is_empty() {
            self.journal(&module.journal, names);
        }
    }

    fn extras(&mut self, module: &Module, loaded: &Loaded) {
        self.number(module.needs.len() as u64);
        for need in &module.needs {
            self.need(need, loaded);
        }
        let lists = [
            &module.families,
            &module.tags,
            &module.conflicts,
            &module.alternatives,
        ];
        let pairs = [&module.properties, &module.variants];
        // One bit for each list that is not empty.
        let mut present = 0;
        for (bit, list) in lists.iter().enumerate() {
            present |= u8::from(!list.is_empty()) << bit;
        }
        for (bit, list) in pairs.iter().enumerate() {
            present |= u8::from(!list.is_empty()) << (4 + bit);
        }
        present |= u8::from(!module.sourced.is_empty()) << 6;
        self.0.push(present);
        for list in lists.into_iter().filter(|list| !list.is_empty()) {
            self.texts(list);
        }
        for list in pairs.into_iter().filter(|list| !list.is_empty()) {
            self.number(list.len() as u64);
            for (key, value) in list {
                self.text(key);
                self.text(value);
            }
        }
        if !module.sourced.is_empty() {
            self.number(module.sourced.len() as u64);
            for (call, ops) in &module.sourced {
                self.bytes(call);
                self.number(ops.len() as u64);
                ops.iter().for_each(|op| self.op(op));
            }
        }
    }

    /// An operation of a sourced script, as far as unloading needs it: bodies of functions and aliases are left out.
    fn op(&mut self, op: &EnvOp) {
        match op {
            EnvOp::Set { var, value, .. } => {
                self.0.push(0);
                self.text(var.as_str());
                self.bytes(value);
            }
            EnvOp::Unset { var, on_unload } => {
                self.0.push(1);
                self.text(var.as_str());
                self.maybe(on_unload.as_ref());
            }
            EnvOp::Push { var, value } => {
                self.0.push(2);
                self.text(var.as_str());
                self.maybe(value.as_ref());
            }
            EnvOp::Path {
                action,
                var,
                value,
                delim,
                priority,
                duplicates,
            } => {
                self.0.push(match action {
                    PathAction::Prepend => 3,
                    PathAction::Append => 4,
                    PathAction::Remove => 5,
                });
                self.text(var.as_str());
                self.bytes(value);
                self.bytes(delim);
                self.signed(*priority);
                self.0.push(u8::from(*duplicates));
            }
            EnvOp::Alias { name, .. } | EnvOp::Unalias { name } => {
                self.0
                    .push(6 + u8::from(matches!(op, EnvOp::Unalias { .. })));
                self.text(name);
            }
            EnvOp::Function { name, .. } | EnvOp::RemoveFunction { name } => {
                self.0
                    .push(8 + u8::from(matches!(op, EnvOp::RemoveFunction { .. })));
                self.text(name);
            }
            EnvOp::ExportFunction { name } => {
                self.0.push(10);
                self.text(name);
            }
            EnvOp::Complete { shell, command, .. } | EnvOp::Uncomplete { shell, command } => {
                self.0
                    .push(11 + u8::from(matches!(op, EnvOp::Uncomplete { .. })));
                self.text(shell);
                self.text(command);
            }
            EnvOp::Chdir { dir } => {
                self.0.push(13);
                self.bytes(dir);
            }
            EnvOp::Execute { code, first } => {
                self.0.push(14 + u8::from(*first));
                self.bytes(code);
            }
        }
    }

    /// One byte for kind and form, then the place of the module that meets it; the text only where it is neither that
    /// one's name nor its full name.
    fn need(&mut self, need: &Need, loaded: &Loaded) {
        let kind = match need.kind {
            NeedKind::DependsOn => 0,
            NeedKind::Load => 1,
            NeedKind::Prereq => 2,
            NeedKind::Optional => 3,
        };
        let place = loaded
            .active()
            .iter()
            .rposition(|m| m.name() == need.met_by);
        match place.map(|at| (at, &loaded.active()[at])) {
            Some((at, met)) if met.full_name == need.spec => self.number(at as u64 * 16 + kind),
            Some((at, met)) if met.name() == need.spec => self.number(at as u64 * 16 + kind + 4),
            Some((at, _)) => {
                self.number(at as u64 * 16 + kind + 8);
                self.text(&need.spec);
            }
            None => {
                self.number(kind + 12);
                self.text(&need.spec);
                self.text(&need.met_by);
            }
        }
    }

    /// First the plain `setenv`s, then all else with a byte for its kind.
    fn journal(&mut self, journal: &[Entry], names: &VariableNames) {
        let plain = |entry: &&Entry| matches!(entry, Entry::Set { replaced: None, .. });
        let (sets, rest): (Vec<&Entry>, Vec<&Entry>) = journal.iter().partition(plain);
        self.number(sets.len() as u64);
        for entry in sets {
            if let Entry::Set { var, .. } = entry {
                self.var(var, names);
            }
        }
        self.number(rest.len() as u64);
        for entry in rest {
            match entry {
                Entry::Set { var, replaced } => {
                    self.0.push(0);
                    self.var(var, names);
                    self.maybe(replaced.as_ref());
                }
                Entry::Unset { var, on_unload } => {
                    self.0.push(1);
                    self.text(var.as_str());
                    self.maybe(on_unload.as_ref());
                }
                Entry::Alias { name } => {
                    self.0.push(2);
                    self.text(name);
                }
                Entry::Function { name } => {
                    self.0.push(3);
                    self.text(name);
                }
                Entry::Complete { shell, command } => {
                    self.0.push(4);
                    self.text(shell);
                    self.text(command);
                }
            }
        }
    }

    fn paths(&mut self, state: &State, places: &BTreeMap<Owner, u64>) {
        let mut all: Vec<(&str, Rc<Ownership>)> = state
            .unsplit()
            .map(|(name, ownership)| (name.as_str(), Rc::clone(ownership)))
            .collect();
        for (name, list) in state.split_paths() {
            let value = state.var(name.as_bstr()).unwrap_or_default();
            if let Some(ownership) = Ownership::of(list, value) {
                all.push((name.as_str(), Rc::new(ownership)));
            }
        }
        all.sort_by_key(|(name, _)| *name);
        self.number(all.len() as u64);
        for (name, ownership) in all {
            self.text(name);
            self.bytes(if ownership.delim == ":" {
                b""
            } else {
                &ownership.delim
            });
            self.0.extend_from_slice(&ownership.hash.to_le_bytes());
            self.owned_entries(&ownership, places);
        }
    }

    /// For each entry: 0 and a number of entries to skip; 1 and all there is to say; or the place of its one owner,
    /// plus 2. Then its check byte.
    fn owned_entries(&mut self, ownership: &Ownership, places: &BTreeMap<Owner, u64>) {
        let mut items: Vec<(OwnedEntry, Vec<u64>)> = Vec::with_capacity(ownership.items.len());
        let mut owners = ownership.owners.as_slice();
        for item in &ownership.items {
            let (own, rest) = owners.split_at(item.owners as usize);
            owners = rest;
            let own: Vec<u64> = own.iter().filter_map(|o| places.get(o).copied()).collect();
            // What a module added that is gone without a trace is the user's.
            let lost = item.owners - own.len() as u32;
            let item = OwnedEntry {
                owners: own.len() as u32,
                user: item.user.saturating_add(lost),
                ..*item
            };
            if !(own.is_empty() && item.user <= 1 && item.priority == 0) {
                items.push((item, own));
            }
        }
        self.number(items.len() as u64);
        let mut next = 0;
        for (item, own) in items {
            if item.at > next {
                self.0.push(0);
                self.number(u64::from(item.at - next));
            }
            next = item.at + 1;
            match own.as_slice() {
                [place] if item.user == 0 && item.priority == 0 => self.number(place + 1),
                own => {
                    self.0.push(1);
                    self.number(own.len() as u64);
                    own.iter().for_each(|place| self.number(*place));
                    self.number(u64::from(item.user));
                    self.signed(item.priority);
                }
            }
            self.0.push(item.check);
        }
    }

    fn stacks(&mut self, state: &State, places: &BTreeMap<Owner, u64>) {
        self.number(state.stacks.len() as u64);
        for (var, stack) in &state.stacks {
            self.text(var.as_str());
            self.number(stack.len() as u64);
            for hidden in stack {
                self.number(places.get(&hidden.owner).copied().unwrap_or(0));
                self.maybe(hidden.value.as_ref());
            }
        }
    }

    fn history(&mut self, state: &State) {
        self.number(state.history.len() as u64);
        for step in &state.history {
            self.text(&step.command);
            self.number(step.removed.len() as u64);
            for past in &step.removed {
                self.text(&past.full_name);
                self.0.push(
                    u8::from(past.auto)
                        + if past.requested == past.full_name {
                            2
                        } else {
                            0
                        },
                );
                if past.requested != past.full_name {
                    self.text(&past.requested);
                }
            }
            self.number(step.added.len() as u64);
            for name in &step.added {
                let at = state
                    .loaded
                    .active()
                    .iter()
                    .position(|m| m.full_name == *name);
                match at {
                    Some(at) => self.number(at as u64 + 1),
                    None => {
                        self.0.push(0);
                        self.text(name);
                    }
                }
            }
            self.maybe(step.modulepath.as_ref());
        }
    }
}

/// A state that was read, before it is given to a [`State`].
#[derive(Debug, Default)]
struct Packed {
    loaded: Loaded,
    ownership: BTreeMap<String, Rc<Ownership>>,
    stacks: BTreeMap<VarName, Vec<Hidden>>,
    history: Vec<Step>,
    system: Option<BString>,
}

impl Packed {
    fn give_to(self, state: &mut State) {
        state.loaded = self.loaded;
        state.ownership = self.ownership;
        state.stacks = self.stacks;
        state.history = self.history;
        state.system = self.system;
    }
}

/// Reads the text of the variable. `modules` are those that the readable variables name: these win where they disagree.
fn decode(text: &[u8], env: &Environment, modules: &[Module]) -> Result<Packed, Loss> {
    let (&version, text) = text.split_first().ok_or(Loss::Damaged)?;
    if version != VERSION {
        return Err(if version.is_ascii_alphanumeric() {
            Loss::Newer
        } else {
            Loss::Damaged
        });
    }
    let bytes = base64_read(text).ok_or(Loss::Damaged)?;
    let (checksum, body) = bytes.split_first_chunk::<4>().ok_or(Loss::Damaged)?;
    if fingerprint32(body).to_le_bytes() != *checksum {
        return Err(Loss::Damaged);
    }
    let mut reader = Reader {
        rest: body,
        env,
        vars: None,
    };
    reader.packed(modules).ok_or(Loss::Damaged)
}

/// Decodes any bytes as a state over an environment; for fuzzing.
pub fn decode_any(text: &[u8], env: &Environment) -> bool {
    let (modules, _) = readable(env);
    let body_only = Reader {
        rest: text,
        env,
        vars: None,
    }
    .packed(&modules)
    .is_some();
    decode(text, env, &modules).is_ok() || body_only
}

struct Reader<'a> {
    rest: &'a [u8],
    env: &'a Environment,
    vars: Option<BTreeMap<[u8; 3], &'a BStr>>,
}

/// A need whose module is known by its place until all modules are read.
struct NeedAt {
    module: usize,
    kind: NeedKind,
    form: u64,
    place: usize,
    spec: String,
    met_by: String,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(n);
            }
        }
        None
    }

    /// A number of things to come, each of which takes at least one byte.
    fn count(&mut self) -> Option<usize> {
        let n = usize::try_from(self.number()?).ok()?;
        (n <= self.rest.len()).then_some(n)
    }

    fn signed(&mut self) -> Option<i32> {
        let n = u32::try_from(self.number()?).ok()?;
        Some((n >> 1) as i32 ^ -((n & 1) as i32))
    }

    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(head)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let n = self.count()?;
        self.take(n)
    }

    fn text(&mut self) -> Option<String> {
        self.bytes()?.to_str().ok().map(str::to_owned)
    }

    fn texts(&mut self) -> Option<Vec<String>> {
        (0..self.count()?).map(|_| self.text()).collect()
    }

    fn maybe(&mut self) -> Option<Option<BString>> {
        match usize::try_from(self.number()?).ok()? {
            0 => Some(None),
            n => Some(Some(self.take(n - 1)?.into())),
        }
    }

    /// A variable; `Some(None)` where the user has taken it away meanwhile.
    fn var(&mut self) -> Option<Option<VarName>> {
        let hash: [u8; 3] = self.take(3)?.try_into().ok()?;
        if hash == [0; 3] {
            return Some(VarName::new(self.text()?));
        }
        let env = self.env;
        let vars = self.vars.get_or_insert_with(|| {
            env.keys()
                .map(|name| (short_hash(name), name.as_bstr()))
                .collect()
        });
        Some(vars.get(&hash).and_then(VarName::new))
    }

    fn packed(&mut self, readable: &[Module]) -> Option<Packed> {
        let count = self.count()?;
        let hash = self.take(4)?;
        let known = readable.len() == count
            && hash
                == list_hash(
                    readable
                        .iter()
                        .map(|m| (m.full_name.as_str(), m.file.as_str())),
                );
        let mut needs = Vec::new();
        let mut modules: Vec<Option<Module>> = Vec::with_capacity(count);
        let mut taken = vec![false; readable.len()];
        let mut from = 0;
        for at in 0..count {
            let check = self.byte()?;
            let free =
                |i: &usize| !taken[*i] && check_byte(readable[*i].full_name.as_bytes()) == check;
            let place = if known {
                Some(at)
            } else {
                (from..readable.len())
                    .find(free)
                    .or_else(|| (0..from).find(free))
            };
            let module = match place {
                Some(place) => {
                    taken[place] = true;
                    from = place + 1;
                    readable[place].clone()
                }
                None => Module::default(),
            };
            let module = self.module(module, at, &mut needs)?;
            modules.push(place.map(|_| module));
        }
        let mut inactive = Vec::new();
        let first_inactive = modules.len();
        for at in 0..self.count()? {
            let (full_name, file) = (self.text()?, self.text()?);
            let module = Module::bare(0, &full_name, &file);
            inactive.push(self.module(module, first_inactive + at, &mut needs)?);
        }
        meet(&needs, &mut modules, &mut inactive);

        // A module is known to path variables by the place that it had.
        let owners: Vec<Owner> = modules
            .iter()
            .map(|m| m.as_ref().map_or(0, |m| m.id))
            .collect();
        let mut packed = Packed {
            ownership: self.paths(&owners)?,
            stacks: self.stacks(&owners)?,
            ..Packed::default()
        };
        packed.history = self.history(&modules)?;
        packed.system = self.maybe()?;
        let mut by_id: BTreeMap<Owner, Module> =
            modules.into_iter().flatten().map(|m| (m.id, m)).collect();
        for module in inactive {
            packed.loaded.deactivate(Rc::new(module));
        }
        for module in readable {
            packed
                .loaded
                .push(by_id.remove(&module.id).unwrap_or_else(|| module.clone()));
        }
        Some(packed)
    }

    fn module(&mut self, mut module: Module, at: usize, needs: &mut Vec<NeedAt>) -> Option<Module> {
        let flags = self.byte()?;
        module.fingerprint = u32::from_le_bytes(self.take(4)?.try_into().ok()?);
        let requested = if flags & (REQUESTED_FULL | REQUESTED_NAME) == 0 {
            Some(self.text()?)
        } else {
            None
        };
        module.auto = flags & AUTO != 0;
        if flags & DEEP != 0 {
            module.depth = u32::try_from(self.number()?).ok()?;
        }
        if flags & ODD_NAME != 0 {
            let len = usize::try_from(self.number()?).ok()?;
            if module.full_name.is_char_boundary(len) {
                module.name_len = len;
            }
        }
        if flags & ODD_MODULEPATH != 0 {
            module.modulepath = self.text()?.into();
        }
        module.requested = match requested {
            Some(requested) => requested,
            None if flags & REQUESTED_FULL != 0 => module.full_name.clone(),
            None => module.name().to_owned(),
        };
        if flags & EXTRAS != 0 {
            for _ in 0..self.count()? {
                needs.push(self.need(at)?);
            }
            self.extras(&mut module)?;
        }
        if flags & JOURNAL != 0 {
            module.journal = self.journal()?;
        }
        Some(module)
    }

    fn extras(&mut self, module: &mut Module) -> Option<()> {
        let present = self.byte()?;
        let lists = [
            &mut module.families,
            &mut module.tags,
            &mut module.conflicts,
            &mut module.alternatives,
        ];
        for (bit, list) in lists.into_iter().enumerate() {
            if present >> bit & 1 != 0 {
                *list = self.texts()?;
            }
        }
        let pairs = [&mut module.properties, &mut module.variants];
        for (bit, list) in pairs.into_iter().enumerate() {
            if present >> (4 + bit) & 1 != 0 {
                for _ in 0..self.count()? {
                    list.push((self.text()?, self.text()?));
                }
            }
        }
        if present >> 6 & 1 != 0 {
            for _ in 0..self.count()? {
                let call = self.bytes()?.into();
                let ops: Option<Vec<Option<EnvOp>>> =
                    (0..self.count()?).map(|_| self.op()).collect();
                module
                    .sourced
                    .push((call, ops?.into_iter().flatten().collect()));
            }
        }
        Some(())
    }

    /// `Some(None)` for an operation on a variable that cannot be.
    fn op(&mut self) -> Option<Option<EnvOp>> {
        let kind = self.byte()?;
        Some(match kind {
            0 => {
                let var = VarName::new(self.bytes()?);
                let value = self.bytes()?.into();
                var.map(|var| EnvOp::Set {
                    var,
                    value,
                    if_unset: false,
                })
            }
            1 => {
                let var = VarName::new(self.bytes()?);
                let on_unload = self.maybe()?;
                var.map(|var| EnvOp::Unset { var, on_unload })
            }
            2 => {
                let var = VarName::new(self.bytes()?);
                let value = self.maybe()?;
                var.map(|var| EnvOp::Push { var, value })
            }
            3..=5 => {
                let var = VarName::new(self.bytes()?);
                let value = self.bytes()?.into();
                let delim: BString = self.bytes()?.into();
                let priority = self.signed()?;
                let duplicates = self.byte()? != 0;
                var.filter(|_| !delim.is_empty()).map(|var| EnvOp::Path {
                    action: match kind {
                        3 => PathAction::Prepend,
                        4 => PathAction::Append,
                        _ => PathAction::Remove,
                    },
                    var,
                    value,
                    delim,
                    priority,
                    duplicates,
                })
            }
            6 => Some(EnvOp::Alias {
                name: self.text()?,
                value: BString::default(),
            }),
            7 => Some(EnvOp::Unalias { name: self.text()? }),
            8 => Some(EnvOp::Function {
                name: self.text()?,
                sh: BString::default(),
                csh: BString::default(),
            }),
            9 => Some(EnvOp::RemoveFunction { name: self.text()? }),
            10 => Some(EnvOp::ExportFunction { name: self.text()? }),
            11 => Some(EnvOp::Complete {
                shell: self.text()?,
                command: self.text()?,
                spec: BString::default(),
            }),
            12 => Some(EnvOp::Uncomplete {
                shell: self.text()?,
                command: self.text()?,
            }),
            13 => Some(EnvOp::Chdir {
                dir: self.bytes()?.into(),
            }),
            14 | 15 => Some(EnvOp::Execute {
                code: self.bytes()?.into(),
                first: kind == 15,
            }),
            _ => return None,
        })
    }

    fn need(&mut self, module: usize) -> Option<NeedAt> {
        let head = self.number()?;
        let form = head >> 2 & 3;
        Some(NeedAt {
            module,
            kind: match head & 3 {
                0 => NeedKind::DependsOn,
                1 => NeedKind::Load,
                2 => NeedKind::Prereq,
                _ => NeedKind::Optional,
            },
            form,
            place: usize::try_from(head >> 4).ok()?,
            spec: if form >= 2 {
                self.text()?
            } else {
                String::new()
            },
            met_by: if form == 3 {
                self.text()?
            } else {
                String::new()
            },
        })
    }

    fn journal(&mut self) -> Option<Vec<Entry>> {
        let mut journal = Vec::new();
        for _ in 0..self.count()? {
            if let Some(var) = self.var()? {
                journal.push(Entry::Set {
                    var,
                    replaced: None,
                });
            }
        }
        for _ in 0..self.count()? {
            let entry = match self.byte()? {
                0 => {
                    let var = self.var()?;
                    let replaced = self.maybe()?;
                    var.map(|var| Entry::Set { var, replaced })
                }
                1 => {
                    let var = VarName::new(self.bytes()?);
                    let on_unload = self.maybe()?;
                    var.map(|var| Entry::Unset { var, on_unload })
                }
                2 => Some(Entry::Alias { name: self.text()? }),
                3 => Some(Entry::Function { name: self.text()? }),
                4 => Some(Entry::Complete {
                    shell: self.text()?,
                    command: self.text()?,
                }),
                _ => return None,
            };
            journal.extend(entry);
        }
        Some(journal)
    }

    fn owner(&mut self, place: u64, owners: &[Owner]) -> Owner {
        usize::try_from(place)
            .ok()
            .and_then(|p| p.checked_sub(1))
            .and_then(|p| owners.get(p).copied())
            .unwrap_or(0)
    }

    fn paths(&mut self, owners: &[Owner]) -> Option<BTreeMap<String, Rc<Ownership>>> {
        let mut all = BTreeMap::new();
        for _ in 0..self.count()? {
            let name = self.text()?;
            let delim = match self.bytes()? {
                b"" => b":",
                delim => delim,
            };
            let mut ownership = Ownership {
                delim: delim.into(),
                hash: u32::from_le_bytes(self.take(4)?.try_into().ok()?),
                ..Ownership::default()
            };
            let mut at = 0u32;
            for _ in 0..self.count()? {
                self.owned_entry(&mut ownership, &mut at, owners)?;
            }
            all.insert(name, Rc::new(ownership));
        }
        Some(all)
    }

    fn owned_entry(
        &mut self,
        ownership: &mut Ownership,
        at: &mut u32,
        owners: &[Owner],
    ) -> Option<()> {
        let mut head = self.number()?;
        if head == 0 {
            *at = at.checked_add(u32::try_from(self.number()?).ok()?)?;
            head = self.number()?;
        }
        let mut item = OwnedEntry {
            at: *at,
            ..OwnedEntry::default()
        };
        let mut places = Vec::new();
        match head {
            0 => return None,
            1 => {
                for _ in 0..self.count()? {
                    places.push(self.number()?);
                }
                item.user = u32::try_from(self.number()?).ok()?;
                item.priority = self.signed()?;
            }
            place => places.push(place - 1),
        }
        for place in places {
            match self.owner(place, owners) {
                // The module is gone from `LOADEDMODULES`: what it added is the user's now.
                0 => item.user = item.user.saturating_add(1),
                owner => {
                    ownership.owners.push(owner);
                    item.owners += 1;
                }
            }
        }
        item.check = self.byte()?;
        *at = at.checked_add(1)?;
        ownership.items.push(item);
        Some(())
    }

    fn stacks(&mut self, owners: &[Owner]) -> Option<BTreeMap<VarName, Vec<Hidden>>> {
        let mut all = BTreeMap::new();
        for _ in 0..self.count()? {
            let var = VarName::new(self.bytes()?);
            let mut stack = Vec::new();
            for _ in 0..self.count()? {
                let place = self.number()?;
                stack.push(Hidden {
                    owner: self.owner(place, owners),
                    value: self.maybe()?,
                });
            }
            if let Some(var) = var {
                all.insert(var, stack);
            }
        }
        Some(all)
    }

    fn history(&mut self, modules: &[Option<Module>]) -> Option<Vec<Step>> {
        let mut history = Vec::new();
        for _ in 0..self.count()? {
            let mut step = Step {
                command: self.text()?,
                ..Step::default()
            };
            for _ in 0..self.count()? {
                let full_name = self.text()?;
                let flags = self.byte()?;
                step.removed.push(Past {
                    requested: if flags & 2 != 0 {
                        full_name.clone()
                    } else {
                        self.text()?
                    },
                    full_name,
                    auto: flags & 1 != 0,
                });
            }
            for _ in 0..self.count()? {
                match usize::try_from(self.number()?).ok()? {
                    0 => step.added.push(self.text()?),
                    place => {
                        if let Some(Some(module)) = modules.get(place - 1) {
                            step.added.push(module.full_name.clone());
                        }
                    }
                }
            }
            step.modulepath = self.maybe()?;
            history.push(step);
        }
        Some(history)
    }
}

/// Gives the needs to their modules, now that all names are known.
fn meet(needs: &[NeedAt], modules: &mut [Option<Module>], inactive: &mut [Module]) {
    for need in needs {
        let met = modules.get(need.place).and_then(Option::as_ref);
        let (spec, met_by) = match (need.form, met) {
            (0, Some(met)) => (met.full_name.clone(), met.name().to_owned()),
            (1, Some(met)) => (met.name().to_owned(), met.name().to_owned()),
            (2, Some(met)) => (need.spec.clone(), met.name().to_owned()),
            (3, _) => (need.spec.clone(), need.met_by.clone()),
            // What met it is gone from `LOADEDMODULES`.
            _ => continue,
        };
        let module = match need.module.checked_sub(modules.len()) {
            Some(at) => inactive.get_mut(at),
            None => modules[need.module].as_mut(),
        };
        if let Some(module) = module {
            module.needs.push(Need {
                kind: need.kind,
                spec,
                met_by,
            });
        }
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64 for URLs, without padding: no character of it means anything to any shell.
fn base64_write(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk
            .iter()
            .chain([0, 0].iter())
            .take(3)
            .fold(0u32, |word, &b| word << 8 | u32::from(b));
        for i in 0..=chunk.len() {
            out.push(ALPHABET[(word >> (18 - 6 * i) & 63) as usize]);
        }
    }
}

pub(super) fn base64_read(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |b: u8| -> Option<u32> {
        Some(match b {
            b'A'..=b'Z' => u32::from(b - b'A'),
            b'a'..=b'z' => u32::from(b - b'a') + 26,
            b'0'..=b'9' => u32::from(b - b'0') + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        })
    };
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.chunks(4) {
        if chunk.len() == 1 {
            return None;
        }
        let mut word = 0;
        for &b in chunk {
            word = word << 6 | digit(b)?;
        }
        word <<= 6 * (4 - chunk.len());
        out.extend_from_slice(&word.to_be_bytes()[1..chunk.len()]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::env::EnvOp;
    use crate::env::state::State;

    fn rules() -> PathRules {
        PathRules {
            normalise: true,
            keep_empty: true,
            ..PathRules::default()
        }
    }

    fn env(pairs: &[(&str, &str)]) -> Environment {
        pairs
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect()
    }

    fn name(text: &str) -> VarName {
        VarName::new(text).unwrap()
    }

    fn set(var: &str, value: &str) -> EnvOp {
        EnvOp::Set {
            var: name(var),
            value: value.into(),
            if_unset: false,
        }
    }

    fn prepend(var: &str, value: &str, priority: i32) -> EnvOp {
        EnvOp::Path {
            action: PathAction::Prepend,
            var: name(var),
            value: value.into(),
            delim: ":".into(),
            priority,
            duplicates: false,
        }
    }

    /// A state in which nothing is at rest.
    fn rich<'s>(start: &'s Environment) -> State<'s> {
        let mut state = State::new(start, rules());
        for (full_name, ops) in [
            (
                "gcc/13.2",
                vec![
                    set("CC", "gcc"),
                    prepend("PATH", "/gcc/bin", 0),
                    prepend("MODULEPATH", "/gcc/mods", 5),
                ],
            ),
            (
                "bio/tools/1.0",
                vec![
                    prepend("PATH", "/usr/bin", 0),
                    prepend("LIST", "a:b", 0),
                    set("OLD", "new"),
                ],
            ),
            (
                "meta",
                vec![
                    EnvOp::Push {
                        var: name("E"),
                        value: Some("x".into()),
                    },
                    EnvOp::Alias {
                        name: "ll".into(),
                        value: "ls".into(),
                    },
                ],
            ),
        ] {
            let id = state.loaded.next_id();
            let mut module = Module::bare(id, full_name, &format!("/mods/{full_name}.lua"));
            module.journal = ops
                .iter()
                .filter_map(|op| state.apply(op, Some(id)))
                .collect();
            module.fingerprint = 7 + id;
            module.depth = id - 1;
            state.loaded.push(module);
        }
        let id = state.loaded.find("bio/tools").unwrap().id;
        state.loaded.update(id, |m| {
            m.requested = "bio/tools".into();
            m.auto = true;
            m.families = vec!["tools".into()];
            m.properties = vec![("lmod".into(), "sticky".into())];
            m.tags = vec!["a".into(), "b".into()];
            m.variants = vec![("mpi".into(), "1".into())];
            m.sourced = vec![(
                "bash x.sh".into(),
                vec![set("S", "1"), prepend("PATH", "/s", 0)],
            )];
            m.needs = vec![
                Need {
                    kind: NeedKind::DependsOn,
                    spec: "gcc/13.2".into(),
                    met_by: "gcc".into(),
                },
                Need {
                    kind: NeedKind::Load,
                    spec: "gcc".into(),
                    met_by: "gcc".into(),
                },
                Need {
                    kind: NeedKind::DependsOn,
                    spec: "gone".into(),
                    met_by: "gone".into(),
                },
            ];
        });
        state
            .loaded
            .deactivate(Rc::new(Module::bare(0, "waits/2", "/mods/waits/2.lua")));
        state.history.push(Step {
            command: "load".into(),
            removed: vec![Past {
                full_name: "x/1".into(),
                requested: "x".into(),
                auto: true,
            }],
            added: vec!["gcc/13.2".into(), "gone/1".into()],
            modulepath: Some("/a:/b".into()),
        });
        state.system = Some("/Core".into());
        state.seal();
        state
    }

    fn start() -> Environment {
        env(&[
            ("PATH", "/usr/bin:/bin"),
            ("MODULEPATH", "/Core"),
            ("OLD", "old"),
            ("E", "user"),
        ])
    }

    #[test]
    fn a_state_comes_back_as_it_was_written() {
        let start = start();
        let state = rich(&start);
        let env = state.environment();
        assert_eq!(
            env.get(BStr::new(MODULEPATH_PRIORITY)).unwrap(),
            "/gcc/mods:-5"
        );
        let (again, loss) = read(&env, rules());
        assert_eq!(loss, None);
        assert_eq!(again.loaded.active(), state.loaded.active());
        assert_eq!(again.loaded.inactive().len(), 1);
        assert_eq!(again.history, state.history);
        assert_eq!(again.system, state.system);
        assert_eq!(again.stacks, state.stacks);
        assert_eq!(encode(&again), encode(&state));
        // Written again after a look at the paths, it is still the same.
        let mut looked = again.clone();
        looked.path_entries(&name("PATH"), BStr::new(":"));
        looked.seal();
        assert!(
            looked
                .touched()
                .iter()
                .all(|n| looked.var(n) == looked.var_before(n))
        );
    }

    #[test]
    fn a_state_that_is_missing_or_damaged_is_rebuilt_from_what_is_readable() {
        let start = start();
        let full = rich(&start).environment();
        let text = full.get(BStr::new(VARIABLE)).unwrap().clone();
        let mut cases: Vec<(Option<BString>, Loss)> = vec![
            (None, Loss::Missing),
            (Some("".into()), Loss::Damaged),
            (Some("2AAAA".into()), Loss::Newer),
            (Some("1!!!!".into()), Loss::Damaged),
            (Some(text[..text.len() - 5].into()), Loss::Damaged),
        ];
        let mut flipped = text.clone();
        flipped[20] = if flipped[20] == b'A' { b'B' } else { b'A' };
        cases.push((Some(flipped), Loss::Damaged));
        for (value, expected) in cases {
            let mut env = full.clone();
            env.remove(BStr::new(VARIABLE));
            if let Some(value) = value {
                env.insert(VARIABLE.into(), value);
            }
            let (state, loss) = read(&env, rules());
            assert_eq!(loss, Some(expected));
            let names: Vec<&str> = state
                .loaded
                .active()
                .iter()
                .map(|m| m.full_name.as_str())
                .collect();
            assert_eq!(names, ["gcc/13.2", "bio/tools/1.0", "meta"]);
            assert_eq!(state.loaded.active()[0].modulepath, "/mods");
        }
    }

    #[test]
    fn the_readable_variables_win_over_the_packed_one() {
        let start = start();
        let mut env = rich(&start).environment();
        env.insert(LOADED.into(), "other/1:bio/tools/1.0:meta".into());
        env.insert(
            FILES.into(),
            "/o/other/1:/mods/bio/tools/1.0.lua:/mods/meta.lua".into(),
        );
        let (mut state, loss) = read(&env, rules());
        assert_eq!(loss, None);
        let names: Vec<&str> = state
            .loaded
            .active()
            .iter()
            .map(|m| m.full_name.as_str())
            .collect();
        assert_eq!(names, ["other/1", "bio/tools/1.0", "meta"]);
        let tools = state.loaded.find("bio/tools").cloned().unwrap();
        assert_eq!(tools.requested, "bio/tools");
        // What the missing module added is the user's now, what the others added is still theirs.
        let entries = state.path_entries(&name("PATH"), BStr::new(":"));
        let owners: Vec<(&BStr, usize, u32)> = entries
            .iter()
            .map(|e| (e.text, e.owners.len(), e.user))
            .collect();
        assert_eq!(
            owners,
            [
                (BStr::new("/usr/bin"), 1, 1),
                (BStr::new("/gcc/bin"), 0, 1),
                (BStr::new("/bin"), 0, 1)
            ]
        );
    }

    #[test]
    fn names_without_files_are_told() {
        let env = env(&[(LOADED, "a/1:b/2"), (FILES, "/m/b/2.lua")]);
        let (state, loss) = read(&env, rules());
        assert_eq!(loss, Some(Loss::Missing));
        let files: Vec<&str> = state
            .loaded
            .active()
            .iter()
            .map(|m| m.file.as_str())
            .collect();
        assert_eq!(files, ["", "/m/b/2.lua"]);
    }

    #[test]
    fn a_long_state_is_split() {
        let env = start();
        let mut state = State::new(&env, rules());
        state.stacks.insert(
            name("BIG"),
            vec![Hidden {
                owner: 0,
                value: Some(vec![b'x'; 200_000].into()),
            }],
        );
        state.loaded.push(Module::bare(1, "a/1", "/m/a/1"));
        state.seal();
        let long = state.environment();
        let pieces: Vec<usize> = long
            .iter()
            .filter(|(n, _)| n.starts_with(VARIABLE.as_bytes()))
            .map(|(_, v)| v.len())
            .collect();
        assert_eq!(pieces.len(), 3);
        assert!(pieces.iter().all(|len| *len <= PIECE));
        let (mut again, loss) = read(&long, rules());
        assert_eq!(loss, None);
        assert_eq!(again.stacks, state.stacks);
        again.stacks.clear();
        again.seal();
        assert_eq!(
            again
                .environment()
                .keys()
                .filter(|n| n.starts_with(VARIABLE.as_bytes()))
                .count(),
            1
        );
    }

    #[test]
    fn the_text_is_the_usual_base64_for_urls() {
        for (bytes, text) in [
            (b"" as &[u8], ""),
            (b"f", "Zg"),
            (b"fo", "Zm8"),
            (b"foo", "Zm9v"),
            (b"\xff\xfe\xfd\xfc", "__79_A"),
        ] {
            let mut out = Vec::new();
            base64_write(bytes, &mut out);
            assert_eq!(out.as_bstr(), text);
            assert_eq!(base64_read(&out).as_deref(), Some(bytes));
        }
        assert_eq!(base64_read(b"A"), None);
        assert_eq!(base64_read(b"A=="), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            decode_any(&bytes, &start());
        }

        #[test]
        fn a_state_with_changed_bytes_is_read_without_harm(at in 0usize..400, byte in any::<u8>(), cut in 0usize..400) {
            let start = start();
            let env = rich(&start).environment();
            let text = env.get(BStr::new(VARIABLE)).unwrap();
            let mut body = base64_read(&text[1..]).unwrap().split_off(4);
            let len = body.len();
            body[at % len] = byte;
            body.truncate(len - cut % len);
            decode_any(&body, &env);
            // With a right checksum the body is believed: what comes out must still be usable.
            let mut bytes = fingerprint32(&body).to_le_bytes().to_vec();
            bytes.append(&mut body);
            let mut text = vec![VERSION];
            base64_write(&bytes, &mut text);
            let mut env = env.clone();
            env.insert(VARIABLE.into(), text.into());
            let (mut state, _) = read(&env, rules());
            for module in state.loaded.active().to_vec() {
                state.take_back_all(&module);
                state.disown(module.id);
                state.loaded.remove(module.id);
            }
            state.seal();
        }
    }
}
