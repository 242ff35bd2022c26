//! What a request did, for people and for logs. Plain values: the words belong to the views.

use camino::Utf8PathBuf;

use crate::diag::Diagnostic;
use crate::env::packed::Loss;
use crate::env::{Loaded, Module};
use crate::modulefile::Message;

/// Why a module was loaded or unloaded that nobody named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// Unloaded: it does not go together with the module that was asked for.
    Conflict,
    /// Unloaded: it needs what went, or missed what came.
    Dependent,
    /// Loaded: what was asked for needs it.
    Requirement,
    /// Unloaded: it came only for what went.
    Useless,
    /// Loaded again after what it needs.
    Again,
}

/// One thing that happened, in the order in which it did.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A module was loaded.
    Loaded {
        /// Its full name.
        full_name: String,
        /// How deep in other modules' loads.
        depth: u32,
    },
    /// A modulefile is about to be evaluated; told only where people want each step.
    Evaluated {
        /// The module.
        full_name: String,
        /// Its file.
        file: Utf8PathBuf,
    },
    /// A module was unloaded.
    Unloaded {
        /// Its full name.
        full_name: String,
    },
    /// A modulefile speaks.
    Message(Message),
    /// Text of an rc file about a module that is loaded.
    Text(String),
    /// Something that a modulefile did wrong, but the request goes on.
    Warning(Box<Diagnostic>),
    /// A family has a new member.
    Replaced {
        /// The member that went.
        old: String,
        /// The member that came.
        new: String,
    },
    /// A modulefile gave up (`LmodBreak`, Tcl `break`): the module is not loaded.
    GaveUp {
        /// The module.
        module: String,
        /// Its words.
        text: Option<String>,
    },
    /// What an action of the user brought about where requirements bind.
    Followed {
        /// The action: `Loading hdf5/1.14`.
        action: String,
        /// The modules by reason, in the order of their first.
        modules: Vec<(Followed, Vec<String>)>,
    },
    /// What was to be unloaded is not loaded.
    NotLoaded {
        /// What was asked for.
        spec: String,
    },
    /// A variable that modulefiles must not change was left alone.
    Protected {
        /// The module that wanted to.
        module: String,
        /// The variable.
        variable: String,
    },
    /// Sticky modules that stayed, and what stayed with them because they need it.
    StickyKept {
        /// Their full names.
        modules: Vec<String>,
    },
    /// Sticky modules that could not stay, because they are no longer found.
    StickyLost {
        /// Their full names.
        modules: Vec<String>,
    },
    /// Modules of a collection that exist no more, each with what its name means now.
    Gone {
        /// Full names.
        modules: Vec<(String, Option<String>)>,
    },
    /// What the site has to say about modules that were loaded: full name and text, sorted.
    Admin {
        /// The messages.
        messages: Vec<(String, String)>,
    },
    /// Modules that others depend on and that are not loaded.
    MissingDependents {
        /// What is missing, and the module that needs it.
        missing: Vec<(String, String)>,
    },
}

/// What a request did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// What happened, in order.
    pub notices: Vec<Notice>,
    /// Modules that wait now and were loaded before: how they were asked for, sorted.
    pub inactive: Vec<String>,
    /// Modules that waited and are loaded now: full names, sorted.
    pub activated: Vec<String>,
    /// Modules of the same full name from another file: full names, sorted.
    pub reloaded: Vec<String>,
    /// Modules with another version than before: old and new full name, sorted.
    pub changed: Vec<(String, String)>,
    /// Modules that are loaded now and were not before, in load order.
    pub loaded: Vec<String>,
    /// Modules that were loaded before and are gone, in load order.
    pub unloaded: Vec<String>,
    /// What was wrong with the state in the environment.
    pub loss: Option<Loss>,
}

impl Report {
    /// Whether there is nothing to tell people: loads and unloads that were asked for are no news.
    pub fn is_silent(&self) -> bool {
        let quiet =
            |notice: &Notice| matches!(notice, Notice::Loaded { .. } | Notice::Unloaded { .. });
        self.loss.is_none()
            && self.notices.iter().all(quiet)
            && self.inactive.is_empty()
            && self.activated.is_empty()
            && self.reloaded.is_empty()
            && self.changed.is_empty()
    }

    /// Puts the warnings into other words.
    pub fn reword(&mut self, words: impl Fn(Diagnostic) -> Diagnostic) {
        for notice in &mut self.notices {
            if let Notice::Warning(warning) = notice {
                **warning = words((**warning).clone());
            }
        }
    }

    pub(super) fn new(
        before: &Loaded,
        after: &Loaded,
        notices: Vec<Notice>,
        loss: Option<Loss>,
    ) -> Report {
        let mut report = Report {
            notices,
            loss,
            ..Report::default()
        };
        for old in before.active() {
            // Two versions of a name may be loaded side by side: the same one is the one that stayed.
            let same = after.find_full(&old.full_name);
            match same.or_else(|| after.find(old.name())) {
                Some(new) if new.full_name != old.full_name => {
                    let versions = (old.full_name.clone(), new.full_name.clone());
                    report.changed.push(versions);
                }
                Some(new) if new.file != old.file && !old.file.as_str().is_empty() => {
                    report.reloaded.push(new.full_name.clone())
                }
                Some(_) => {}
                None if after.inactive().iter().any(|m| m.name() == old.name()) => {
                    report.inactive.push(old.requested.clone());
                }
                None => report.unloaded.push(old.full_name.clone()),
            }
        }
        for new in after.active() {
            let replaces = |old: &Module| {
                old.name() == new.name()
                    && (old.full_name == new.full_name || after.find_full(&old.full_name).is_none())
            };
            if before.active().iter().any(|old| replaces(old)) {
                continue;
            }
            if before.inactive().iter().any(|m| m.name() == new.name()) {
                report.activated.push(new.full_name.clone());
            } else {
                report.loaded.push(new.full_name.clone());
            }
        }
        report.inactive.sort();
        report.activated.sort();
        report.reloaded.sort();
        report.changed.sort();
        report
    }
}
