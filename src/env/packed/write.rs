//! The state as the text of its variable.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::BString;

use super::{
    AUTO, DEEP, EXTRAS, JOURNAL, ODD_MODULEPATH, ODD_NAME, REQUESTED_FULL, REQUESTED_NAME, VERSION,
    base64, list_hash, usual_name_len,
};
use crate::env::fingerprint::{check_byte, fingerprint32};
use crate::env::journal::{OwnedEntry, Ownership, short_hash};
use crate::env::loaded::{Entry, Loaded, Module, Need, NeedKind};
use crate::env::op::{EnvOp, PathAction, VarName};
use crate::env::path_list::Owner;
use crate::env::state::State;

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
    base64::write(&bytes, &mut text);
    text
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
        present |= u8::from(!module.own_tags.is_empty()) << 7;
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
        if !module.own_tags.is_empty() {
            self.texts(&module.own_tags);
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
