//! The state from the text of its variable, over the environment as it is now.

use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};

use super::{
    AUTO, DEEP, EXTRAS, JOURNAL, Loss, ODD_MODULEPATH, ODD_NAME, REQUESTED_FULL, REQUESTED_NAME,
    VERSION, base64, list_hash, readable,
};
use crate::env::fingerprint::{check_byte, fingerprint32};
use crate::env::journal::{Hidden, OwnedEntry, Ownership, short_hash};
use crate::env::loaded::{Entry, Loaded, Module, Need, NeedKind};
use crate::env::op::{EnvOp, PathAction, VarName};
use crate::env::path_list::Owner;
use crate::env::state::{Past, State, Step};
use crate::session::Environment;

/// A state that was read, before it is given to a [`State`].
#[derive(Debug, Default)]
pub(super) struct Packed {
    loaded: Loaded,
    ownership: BTreeMap<String, Rc<Ownership>>,
    stacks: BTreeMap<VarName, Vec<Hidden>>,
    history: Vec<Step>,
    system: Option<BString>,
}

impl Packed {
    pub(super) fn give_to(self, state: &mut State) {
        state.loaded = self.loaded;
        state.ownership = self.ownership;
        state.stacks = self.stacks;
        state.history = self.history;
        state.system = self.system;
    }
}

/// Reads the text of the variable. `modules` are those that the readable variables name: these win where they disagree.
pub(super) fn decode(text: &[u8], env: &Environment, modules: Vec<Module>) -> Result<Packed, Loss> {
    let (&version, text) = text.split_first().ok_or(Loss::Damaged)?;
    if version != VERSION {
        return Err(if version.is_ascii_alphanumeric() {
            Loss::Newer
        } else {
            Loss::Damaged
        });
    }
    let bytes = base64::read(text).ok_or(Loss::Damaged)?;
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
    .packed(modules.clone())
    .is_some();
    decode(text, env, modules).is_ok() || body_only
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

    fn packed(&mut self, readable: Vec<Module>) -> Option<Packed> {
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
        let ids: Vec<Owner> = readable.iter().map(|module| module.id).collect();
        // Those that the text says nothing about stay here.
        let mut readable: Vec<Option<Module>> = readable.into_iter().map(Some).collect();
        let mut from = 0;
        for at in 0..count {
            let check = self.byte()?;
            let free = |i: &usize| {
                let module = readable[*i].as_ref();
                module.is_some_and(|module| check_byte(module.full_name.as_bytes()) == check)
            };
            let place = if known {
                Some(at)
            } else {
                (from..readable.len())
                    .find(free)
                    .or_else(|| (0..from).find(free))
            };
            let module = place.and_then(|place| {
                from = place + 1;
                readable[place].take()
            });
            let module = module.unwrap_or_default();
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
        for (id, unsaid) in ids.iter().zip(readable) {
            if let Some(module) = by_id.remove(id).or(unsaid) {
                packed.loaded.push(module);
            }
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
        if present >> 7 & 1 != 0 {
            module.own_tags = self.texts()?;
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
