//! The order of loads and unloads: dependencies, conflicts, families, hierarchies. All or nothing.
//!
//! A [`Transition`] works on one request. Its methods (`load`, `unload`, `swap`, ...) change the state it holds; the first
//! that fails ends the request, and the state at the start stays what it was, because it was only borrowed. In the end
//! [`Transition::finish`] writes what has to be remembered and tells what happened; `env::Delta::between` then says what
//! the shell has to do.
//!
//! While a modulefile runs, the transition is its [`World`](crate::modulefile::World): a load in the middle of a file
//! happens there and then.
//!
//! Sources: Lmod user guide "How Lmod loads", "Dependent modules", "Module hierarchy"; `module(1)`; where the two differ,
//! a setting in `config.rs` decides.

mod adopt;
mod automation;
mod find;
mod inspect;
mod plain;
mod purge;
mod reload;
mod report;
mod restore;
mod step;
mod why;
mod world;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};
use camino::Utf8PathBuf;

pub use find::{Miss, Modulefiles, Trees};
pub use inspect::Inspected;
pub use report::{Followed, Notice, Report};
pub use restore::Versions as RestoreVersions;
pub use why::{Behind, Origin};

use crate::config::{Config, PrependBlock, UnloadOrder, Verbosity};
use crate::diag::{Diagnostic, Kind};
use crate::env::packed::{self, Loss};
use crate::env::state::MODULEPATH;
use crate::env::{Loaded, Module, Owner, PathList, PathRules, State, VarName};
use crate::modulefile::{self, Languages, Message, ModuleContext};
use crate::name::{LoadedName, Purpose, Spec, Versions, matches_loaded};
use crate::resolve::Found;
use crate::session::Session;
use crate::tree::AdminList;
use automation::Dependents;
use find::tags_of;
use step::{Frame, How};

/// Deepest chain of modules that load modules.
const MAX_DEPTH: usize = 100;

/// Most evaluations of modulefiles in one request: modules that load each other for ever hit this.
const MAX_EVALUATIONS: u32 = 5000;

/// What [`modulefile::evaluate`] is; tests put a small language of their own here.
pub(crate) type Evaluate = fn(
    &std::sync::Arc<crate::diag::SourceFile>,
    &ModuleContext,
    modulefile::Mode,
    &mut dyn modulefile::World,
) -> Result<modulefile::Evaluation, modulefile::Failure>;

/// One request on its way from a state to the next.
pub struct Transition<'a> {
    session: &'a Session,
    config: &'a Config,
    languages: &'a Languages,
    site: &'a mut dyn Modulefiles,
    evaluate: Evaluate,
    shell: String,
    command: String,
    force: bool,
    /// Lines for the site's log.
    log: Vec<BString>,
    /// Tags of what the user asks for.
    tags: Vec<String>,
    state: State<'a>,
    loaded_before: Loaded,
    frames: Vec<Frame>,
    evaluations: u32,
    /// A member of a family that has to go before the module that is being loaded can be.
    displaced: Option<Owner>,
    /// Whether the module that the user named last has taken the place of another one.
    replaced: bool,
    /// `MODULEPATH` before the user's own words changed it in this request.
    modulepath_before_use: Option<BString>,
    /// What the present action of the user has brought about by itself.
    followed: Vec<(Followed, String)>,
    /// What is left to be done for requirements at the end of an action of the user.
    aftermath: automation::Aftermath,
    /// Which module opened the modulepath of which other one.
    via: std::collections::BTreeMap<Owner, Owner>,
    /// Whether the first failure ends the request.
    aborts: bool,
    /// Whether a modulefile ended the request: nothing is loaded any more.
    ended: bool,
    /// Whether the calls of files are kept that are only read.
    keeps_calls: bool,
    /// Whether modules without a journal were looked at.
    adopted: bool,
    /// Whether this request takes others back, and so is not one to be taken back itself.
    undoing: bool,
    /// Requirements that were not met when they were asked for; at the end they must be.
    missing: Vec<(Spec, Diagnostic)>,
    notices: Vec<Notice>,
    errors: Vec<Diagnostic>,
    loss: Option<Loss>,
}

/// What a request left behind.
pub struct Finished<'a> {
    /// The state after it.
    pub state: State<'a>,
    /// What happened, for people.
    pub report: Report,
    /// Errors of single modules that did not end the request (see the setting `abort_on_error`); with one of these it
    /// failed all the same.
    pub errors: Vec<Diagnostic>,
    /// Lines for the site's log.
    pub log: Vec<BString>,
}

/// How `use` adds directories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UsePosition {
    /// In front of all others.
    #[default]
    Front,
    /// Behind all others.
    Back,
}

impl<'a> Transition<'a> {
    /// Begins a request from the state that the session's environment holds.
    ///
    /// `command` is the sub-command's full name and `shell` the shell that the output is for, as modulefiles may ask for
    /// them.
    pub fn new(
        session: &'a Session,
        config: &'a Config,
        languages: &'a Languages,
        site: &'a mut dyn Modulefiles,
        shell: &str,
        command: &str,
    ) -> Transition<'a> {
        let (mut state, loss) = packed::read(&session.env, path_rules(config));
        if config.resolve_modulepaths {
            state.resolve_modulepath(session.cwd().cloned().unwrap_or_default());
        }
        let initial = config.initial_values();
        let initial = initial.map(|(name, value)| (name.to_owned(), value.into()));
        state.begin_paths_with(initial.collect());
        Transition {
            session,
            config,
            languages,
            site,
            evaluate: modulefile::evaluate,
            shell: shell.to_owned(),
            command: command.to_owned(),
            force: false,
            log: Vec::new(),
            tags: Vec::new(),
            loaded_before: state.loaded.clone(),
            state,
            frames: Vec::new(),
            evaluations: 0,
            displaced: None,
            replaced: false,
            modulepath_before_use: None,
            followed: Vec::new(),
            aftermath: automation::Aftermath::default(),
            via: std::collections::BTreeMap::new(),
            aborts: aborts(config, command),
            ended: false,
            keeps_calls: false,
            adopted: false,
            undoing: false,
            missing: Vec::new(),
            notices: Vec::new(),
            errors: Vec::new(),
            loss,
        }
    }

    /// Acts on sticky modules too, and in spite of conflicts where the settings allow that.
    #[must_use]
    pub fn forced(mut self, force: bool) -> Transition<'a> {
        self.force = force;
        // Where not all requests end with their first failure, none that is forced does.
        self.aborts &= !force || self.config.abort_on_error == ALWAYS;
        self
    }

    /// The request was made with `ml`.
    #[must_use]
    pub fn by_ml(mut self, by_ml: bool) -> Transition<'a> {
        self.aborts |= by_ml && !self.force && aborts(self.config, "ml");
        self
    }

    /// What the user asks for gets these tags.
    #[must_use]
    pub fn tagged(mut self, tags: &[String]) -> Transition<'a> {
        self.tags = tags.to_vec();
        self
    }

    /// As the user asked for it.
    fn by_user(&self) -> How {
        How {
            tags: self.tags.clone(),
            ..How::default()
        }
    }

    /// The state as it is now.
    pub fn state(&self) -> &State<'a> {
        &self.state
    }

    /// Puts what was said so far into other words; `None` leaves it as it is.
    pub fn reword(&mut self, words: impl Fn(&Notice) -> Option<Message>) {
        for notice in &mut self.notices {
            if let Some(message) = words(notice) {
                *notice = Notice::Message(message);
            }
        }
    }

    /// Writes what later requests need into variables and says what happened.
    pub fn finish(mut self) -> Finished<'a> {
        for warning in self.site.take_warnings() {
            self.notices.push(Notice::Warning(Box::new(warning)));
        }
        self.announce();
        if !self.undoing {
            self.remember();
        }
        self.state.seal();
        let report = Report::new(
            &self.loaded_before,
            &self.state.loaded,
            self.notices,
            self.loss,
        );
        Finished {
            state: self.state,
            report,
            errors: self.errors,
            log: self.log,
        }
    }

    /// Adds what the site has to say about the modules that were loaded.
    fn announce(&mut self) {
        let file = camino::Utf8Path::new(&self.config.admin_file);
        if file.as_str().is_empty() || self.config.is_mute() {
            return;
        }
        let mut names: Vec<&str> = (self.notices.iter())
            .filter_map(|notice| match notice {
                Notice::Loaded { full_name, .. } => Some(full_name.as_str()),
                _ => None,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return;
        }
        // A list that cannot be read says nothing: the load itself is fine.
        let list = AdminList::parse(&std::fs::read_to_string(file).unwrap_or_default());
        let messages: Vec<(String, String)> = names
            .into_iter()
            .filter_map(|name| self.state.loaded.find_full(name))
            .filter_map(|module| {
                let text = list.message(&module.full_name, &module.file)?;
                Some((module.full_name.clone(), text.to_owned()))
            })
            .collect();
        if !messages.is_empty() {
            self.notices.push(Notice::Admin { messages });
        }
    }

    /// Loads modules in the order given.
    ///
    /// # Errors
    /// The first module that cannot be loaded.
    pub fn load(&mut self, specs: &[Spec]) -> Result<(), Diagnostic> {
        self.load_all(specs, Unknown::Error)
    }

    /// Loads those modules that exist.
    ///
    /// # Errors
    /// A module that exists but cannot be loaded.
    pub fn try_load(&mut self, specs: &[Spec]) -> Result<(), Diagnostic> {
        self.load_all(specs, Unknown::Ignore)
    }

    /// Loads the first module that can be loaded.
    ///
    /// # Errors
    /// None of them can.
    pub fn load_any(&mut self, specs: &[Spec]) -> Result<(), Diagnostic> {
        let modulepath = self.modulepath_mark();
        self.load_first(specs, self.by_user())?;
        self.settle_aftermath()?;
        self.settle(&modulepath)?;
        Ok(())
    }

    /// Does what requirements left to be done.
    fn settle_aftermath(&mut self) -> Result<(), Diagnostic> {
        let aftermath = std::mem::take(&mut self.aftermath);
        self.settle_requirements(aftermath)
    }

    fn load_all(&mut self, specs: &[Spec], unknown: Unknown) -> Result<(), Diagnostic> {
        let modulepath = self.modulepath_mark();
        let mut queued = Vec::new();
        for (at, spec) in specs.iter().enumerate() {
            let found = match self.find(spec) {
                Ok(found) => found,
                Err(Miss::Refused(diagnostic)) => {
                    self.fail(*diagnostic)?;
                    continue;
                }
                // A module that a change of MODULEPATH brings back may be what is missing now. The first of the list is
                // not tried again: nothing of this request comes before it.
                Err(Miss::Unknown(diagnostic)) => {
                    match unknown {
                        Unknown::Ignore => {}
                        Unknown::Error if at == 0 => self.missing.push((spec.clone(), *diagnostic)),
                        Unknown::Error => queued.push((spec.clone(), *diagnostic)),
                    }
                    continue;
                }
            };
            self.load_alone(spec, found)?;
            if self.ended {
                return Ok(());
            }
        }
        let changed = self.settle(&modulepath)?;
        for (spec, diagnostic) in queued {
            match self.find(&spec) {
                Ok(found) if changed => self.load_alone(&spec, found)?,
                _ => self.missing.push((spec, diagnostic)),
            }
        }
        self.check_missing()
    }

    /// Loads one module of a list; where the settings say so its failure leaves the others alone.
    fn load_alone(&mut self, spec: &Spec, found: Found) -> Result<(), Diagnostic> {
        let mark = self.state.mark();
        let modulepath = self.modulepath_mark();
        self.replaced = false;
        let action = format!("Loading {}", found.full_name());
        let mut result = self.load_found(spec, found, self.by_user()).map(|_| ());
        if result.is_ok() {
            result = self.settle_aftermath();
        }
        // What lies below a replaced module comes back right behind the new one.
        if result.is_ok() && self.replaced {
            result = self.settle(&modulepath).map(|_| ());
        }
        match result {
            Err(diagnostic) if !self.aborts => {
                self.state.roll_back(mark);
                self.frames.clear();
                self.aftermath = automation::Aftermath::default();
                self.followed.clear();
                self.fail(diagnostic)
            }
            Ok(()) => {
                self.tell_what_followed(action);
                Ok(())
            }
            result => result,
        }
    }

    /// A failure that ends the request, or not, as the settings say.
    ///
    /// # Errors
    /// The failure itself, where it ends the request.
    pub fn fail(&mut self, diagnostic: Diagnostic) -> Result<(), Diagnostic> {
        if self.aborts {
            return Err(diagnostic);
        }
        self.errors.push(diagnostic);
        Ok(())
    }

    /// All that was asked for and missing must be there by now.
    fn check_missing(&mut self) -> Result<(), Diagnostic> {
        for (spec, diagnostic) in std::mem::take(&mut self.missing) {
            if self.loaded_match(&spec, Purpose::IsLoaded).is_none() {
                let diagnostic = self.explain_missing(&spec, diagnostic);
                self.fail(diagnostic)?;
            }
        }
        Ok(())
    }

    /// The message for a module that was not found.
    fn explain_missing(&mut self, spec: &Spec, diagnostic: Diagnostic) -> Diagnostic {
        if self.state.modulepath().is_empty() {
            return diagnostic
                .note("`MODULEPATH` is empty: there is no directory to look in")
                .help("module use DIRECTORY");
        }
        self.site.explain(spec, diagnostic)
    }

    /// Unloads modules; those that are not loaded are only mentioned. Sticky ones come back unless forced.
    ///
    /// # Errors
    /// A hierarchy that changes by this cannot be put in order.
    pub fn unload(&mut self, specs: &[Spec]) -> Result<(), Diagnostic> {
        if self.config.requirements_bind {
            return self.unload_each(specs);
        }
        let modulepath = self.modulepath_mark();
        let before = self.state.loaded.clone();
        for spec in specs {
            match self.loaded_match(spec, Purpose::Unload) {
                Some(module) => self.unload_module(&module)?,
                None if self.state.loaded.forget(&spec.path) => {}
                None => self.tell_not_loaded(spec),
            }
        }
        self.restore_sticky(&before)?;
        self.settle(&modulepath)?;
        self.warn_of_dependents();
        Ok(())
    }

    fn tell_not_loaded(&mut self, spec: &Spec) {
        if self.config.tells_outcome || self.config.verbosity >= Verbosity::Verbose2 {
            self.notices.push(Notice::NotLoaded {
                spec: spec.text.clone(),
            });
        }
    }

    /// The same where requirements bind: each module with those that need it, one that fails leaves the others alone.
    fn unload_each(&mut self, specs: &[Spec]) -> Result<(), Diagnostic> {
        for spec in specs {
            let Some(module) = self.loaded_match(spec, Purpose::Unload) else {
                self.tell_not_loaded(spec);
                continue;
            };
            let mark = self.state.mark();
            let result = self
                .refuse_sticky(&module)
                .and_then(|()| self.unload_bound(&module, Dependents::Leave))
                .and_then(|aftermath| self.settle_requirements(aftermath));
            match result {
                Ok(()) => self.tell_what_followed(format!("Unloading {}", module.full_name)),
                Err(diagnostic) => {
                    self.state.roll_back(mark);
                    self.frames.clear();
                    self.followed.clear();
                    self.fail(diagnostic)?;
                }
            }
        }
        Ok(())
    }

    /// Unloads `old` and loads `new` where requirements bind. Where the new one does not load the old one stays away.
    fn swap_bound(&mut self, old: &Spec, new: &Spec) -> Result<(), Diagnostic> {
        let mut aftermath = automation::Aftermath::default();
        let mut action = "Loading".to_owned();
        if let Some(module) = self.loaded_match(old, Purpose::Unload) {
            action = format!("Switching from {} to", module.full_name);
            let mark = self.state.mark();
            let other = self.find(new).ok();
            // What is sticky as such, in whichever version, may be another version.
            let stays = other.is_some_and(|other| {
                other.name == module.name() && tags_of(&other).iter().any(|tag| module.has_tag(tag))
            });
            let result = match self.refuse_sticky(&module) {
                Err(refusal) if !stays => Err(refusal),
                _ => self.unload_bound(&module, Dependents::Return),
            };
            match result {
                Ok(left) => {
                    // What came only for the old one goes first: what the new one wants of it comes anew, behind.
                    self.unload_useless(&left)?;
                    aftermath = left.without_useless();
                }
                Err(diagnostic) => {
                    self.state.roll_back(mark);
                    self.followed.clear();
                    if aborts(self.config, "switch_unload") && !self.force {
                        return Err(diagnostic);
                    }
                    return self.fail(diagnostic);
                }
            }
        }
        let mark = self.state.mark();
        let mut loaded = new.to_string();
        let result = match self.find(new) {
            Ok(found) => {
                loaded.clone_from(&found.full_name());
                self.load_found(new, found, self.by_user()).map(|_| ())
            }
            Err(miss) => Err(self.explain_missing(new, miss.into_diagnostic())),
        };
        if let Err(diagnostic) = result {
            self.state.roll_back(mark);
            self.frames.clear();
            self.fail(diagnostic)?;
        }
        aftermath.add(std::mem::take(&mut self.aftermath));
        self.settle_requirements(aftermath)?;
        self.tell_what_followed(format!("{action} {loaded}"));
        Ok(())
    }

    /// Unloads `old` and loads `new` in one step.
    ///
    /// # Errors
    /// `old` is not loaded, `new` cannot be.
    pub fn swap(&mut self, old: &Spec, new: &Spec) -> Result<(), Diagnostic> {
        if self.config.requirements_bind {
            return self.swap_bound(old, new);
        }
        let modulepath = self.modulepath_mark();
        match self.loaded_match(old, Purpose::Unload) {
            Some(module) => {
                self.unload_module(&module)?;
                self.settle(&modulepath)?;
            }
            None if self.config.swap_needs_loaded => {
                return Err(Diagnostic::new(
                    Kind::Module,
                    format!("`{old}` cannot be swapped because it is not loaded"),
                )
                .known_as("e_Swap_Failed", &[("name", &old.text)])
                .help(format!("to load the other module: `module load {new}`")));
            }
            None => {}
        }
        let modulepath = self.modulepath_mark();
        let found = match self.find(new) {
            Ok(found) => found,
            Err(miss) => return Err(miss.into_diagnostic()),
        };
        self.load_found(new, found, self.by_user())?;
        self.settle(&modulepath)?;
        self.check_missing()?;
        self.warn_of_dependents();
        Ok(())
    }

    /// Evaluates all loaded modules again, for their aliases, functions and completions only.
    ///
    /// # Errors
    /// A modulefile fails.
    pub fn refresh(&mut self) -> Result<(), Diagnostic> {
        for module in self.state.loaded.active().to_vec() {
            self.refresh_module(&module)?;
        }
        Ok(())
    }

    /// Unloads all modules and loads them again as they were asked for, so that new defaults and edited files count.
    ///
    /// # Errors
    /// A module cannot be loaded.
    pub fn update(&mut self) -> Result<(), Diagnostic> {
        if self.config.requirements_bind {
            return self.reload_bound();
        }
        self.reload_all(reload::Which::All)?;
        self.check_missing()
    }

    /// Adds directories to `MODULEPATH`; modules that are found elsewhere by this are reloaded.
    ///
    /// Several arguments are added one by one; one argument may hold several directories joined by `:`, which keep their
    /// order.
    ///
    /// # Errors
    /// A hierarchy that changes by this cannot be put in order.
    pub fn use_paths(
        &mut self,
        dirs: &[BString],
        position: UsePosition,
        priority: i32,
    ) -> Result<(), Diagnostic> {
        let modulepath = self.modulepath_mark();
        self.remember_system_modulepath();
        self.edit_modulepath(|list| {
            for dir in dirs {
                match position {
                    UsePosition::Front => list.prepend(dir.as_bstr(), priority, None),
                    UsePosition::Back => list.append(dir.as_bstr(), priority, None),
                }
            }
        });
        self.settle(&modulepath)?;
        self.check_missing()
    }

    /// Puts entries into a path variable or takes them away, as the user's own wish: no module owns them.
    pub fn edit_variable(&mut self, var: &VarName, delim: &BStr, edit: impl FnOnce(&mut PathList)) {
        self.state.edit_path(var, delim, edit);
    }

    /// Takes directories away from `MODULEPATH`, however often they were added.
    ///
    /// # Errors
    /// A hierarchy that changes by this cannot be put in order.
    pub fn unuse_paths(&mut self, dirs: &[BString]) -> Result<(), Diagnostic> {
        let modulepath = self.modulepath_mark();
        self.remember_system_modulepath();
        self.edit_modulepath(|list| {
            for dir in dirs {
                list.remove(dir.as_bstr());
            }
        });
        self.settle(&modulepath)?;
        self.check_missing()
    }

    fn edit_modulepath(&mut self, edit: impl FnOnce(&mut crate::env::PathList)) {
        let var = VarName::new(MODULEPATH).expect("a name that shells know");
        self.state.edit_path(&var, BStr::new(":"), edit);
    }

    fn modulepath(&self) -> Option<BString> {
        self.state.var(MODULEPATH).map(|v| v.to_owned())
    }

    /// `MODULEPATH` as it is now, to see later whether anybody changed it.
    fn modulepath_mark(&self) -> (Option<BString>, usize) {
        (self.modulepath(), self.state.edits_of(MODULEPATH))
    }

    /// Puts hierarchies in order where `MODULEPATH` is no longer `before`. Tells whether anything was reloaded.
    ///
    /// A change that comes to the same counts too: the user may have edited the variable since the modules were loaded.
    fn settle(&mut self, before: &(Option<BString>, usize)) -> Result<bool, Diagnostic> {
        if self.modulepath_mark() == *before || !self.config.reload_on_modulepath_change {
            return Ok(false);
        }
        self.reload_all(reload::Which::Moved)
    }

    /// Where a load of `spec` would find its file now.
    fn find(&mut self, spec: &Spec) -> Result<Found, Miss> {
        let modulepaths = self.state.modulepath();
        if spec.versions == Versions::Loaded
            && let Some(loaded) = self.loaded_match(spec, Purpose::IsLoaded)
        {
            let same = reload::spec_of_full(&loaded);
            return self.site.find(&same, modulepaths, &self.state.loaded);
        }
        self.site.find(spec, modulepaths, &self.state.loaded)
    }

    fn find_within(&mut self, spec: &Spec, within: &[BString]) -> Result<Found, Miss> {
        let mut modulepaths = self.state.modulepath();
        if !within.is_empty() {
            modulepaths.retain(|dir: &Utf8PathBuf| {
                within
                    .iter()
                    .any(|w| w.to_str().is_ok_and(|w| dir.starts_with(w)))
            });
        }
        self.site.find(spec, modulepaths, &self.state.loaded)
    }

    /// Whether a module that `spec` means is loaded.
    pub fn is_loaded(&self, spec: &Spec) -> bool {
        self.loaded_match(spec, Purpose::IsLoaded).is_some()
    }

    /// The loaded modules that `spec` means, in load order.
    pub fn loaded_matches(&self, spec: &Spec) -> Vec<Rc<Module>> {
        let rules = self.config.loaded_rules();
        let active = self.state.loaded.active().iter();
        active
            .filter(|m| matches_loaded(spec, &loaded_name(m), Purpose::IsLoaded, &rules))
            .cloned()
            .collect()
    }

    /// The loaded module that `spec` means; of several the last loaded, or where the settings say so the first.
    fn loaded_match(&self, spec: &Spec, purpose: Purpose) -> Option<Rc<Module>> {
        let rules = self.config.loaded_rules();
        let means =
            |module: &&Rc<Module>| matches_loaded(spec, &loaded_name(module), purpose, &rules);
        let mut active = self.state.loaded.active().iter();
        match self.config.unload_match_order {
            UnloadOrder::Last => active.rfind(means),
            UnloadOrder::First => active.find(means),
        }
        .cloned()
    }

    /// Gives a variable a value, or takes it away, as the user's own wish.
    pub fn set_variable(&mut self, name: &str, value: Option<&str>) {
        self.state.set(name, value.map(BString::from));
    }

    /// The sub-command's full name.
    pub fn command_name(&self) -> &str {
        &self.command
    }

    /// The shell that the output is for.
    pub fn shell(&self) -> &str {
        &self.shell
    }
}

/// The word of the setting `abort_on_error` for all requests.
const ALWAYS: &str = "all";

/// Whether the first failure ends a request.
fn aborts(config: &Config, command: &str) -> bool {
    let command = match command {
        "swap" => "switch",
        "update" => "reload",
        other => other,
    };
    config.abort_on_error == ALWAYS || config.abort_on_error.split(':').any(|word| word == command)
}

/// What becomes of names that do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Error,
    Ignore,
}

/// A loaded module as names see it.
fn loaded_name(module: &Module) -> LoadedName<'_> {
    LoadedName {
        name: module.name(),
        full_name: &module.full_name,
        alternatives: &module.alternatives,
        variants: &module.variants,
    }
}

/// How path variables behave under the settings.
pub fn path_rules(config: &Config) -> PathRules {
    PathRules {
        duplicates: config.duplicate_paths,
        keep_position: config.path_keep_position,
        prepend_reverse: config.prepend_block == PrependBlock::Reversed,
        normalise: config.normalise_paths,
        keep_empty: true,
        to_the_letter: config.paths_to_the_letter,
    }
}
