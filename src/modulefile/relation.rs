//! What a modulefile says about other modules, and what an rc file says about names.

use bstr::BString;

use crate::name::Spec;

/// How a modulefile relates to other modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// `load`, `module load`: all of them; unloading takes them away.
    Load,
    /// `try_load`, `module try-load`: those that exist.
    TryLoad,
    /// `load_any`, `module load-any`: the first that exists.
    LoadAny,
    /// `always_load`, `always-load`: all of them; unloading leaves them.
    AlwaysLoad,
    /// `mgrload`: one module, without what its file loads by itself.
    ManagerLoad,
    /// `unload`, `module unload`.
    Unload,
    /// `always_unload`: unload, in both directions.
    AlwaysUnload,
    /// `module switch OLD NEW`.
    Switch,
    /// `depends_on`: all must be loaded, are loaded when missing, and go when nobody needs them.
    DependsOn,
    /// `depends_on_any`: one must be loaded.
    DependsOnAny,
    /// `prereq` in Lua, `prereq-all`: all must be loaded already.
    PrereqAll,
    /// `prereq_any`, `prereq` in Tcl: one must be loaded already.
    PrereqAny,
    /// `conflict`: none may be loaded.
    Conflict,
    /// `family`: no other member may be loaded; the name stands in [`Relation::family`].
    Family,
    /// `provide`: further names under which this module answers.
    Provide,
    /// `inherit`: evaluate the file of the same name in a later modulepath.
    Inherit,
    /// `purge`: unload all others.
    Purge,
}

/// One statement about other modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// What is said.
    pub kind: RelationKind,
    /// About which modules.
    pub specs: Vec<Spec>,
    /// The family, for [`RelationKind::Family`].
    pub family: String,
    /// A requirement that may stay unmet (`--optional`).
    pub optional: bool,
    /// What is loaded is a requirement; when off (`--not-req`), it is loaded and forgotten.
    pub required: bool,
    /// Act even on what is sticky (`purge{force=true}`).
    pub force: bool,
    /// Tags given to what is loaded (`--tag`).
    pub tags: Vec<String>,
    /// Modulepaths that the modules must come from (`--modulepath`).
    pub modulepaths: Vec<BString>,
}

impl Relation {
    /// A statement without options.
    pub fn new(kind: RelationKind, specs: Vec<Spec>) -> Relation {
        Relation {
            kind,
            specs,
            family: String::new(),
            optional: false,
            required: true,
            force: false,
            tags: Vec::new(),
            modulepaths: Vec::new(),
        }
    }
}

/// How well a module is hidden. Sources: Lmod "hide{}"; `modulefile(4)` `module-hide`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Hiding {
    /// Not listed, but chosen like any other.
    Soft,
    /// Not listed; chosen only when named in full.
    Hidden,
    /// As if it did not exist.
    Hard,
}

/// When and for whom a rule of an rc file holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Condition {
    /// From this time on, as written (`YYYY-MM-DD[THH:MM]`, local time).
    pub after: Option<String>,
    /// Until this time, as written.
    pub before: Option<String>,
    /// Only these users.
    pub users: Vec<String>,
    /// Only these groups.
    pub groups: Vec<String>,
    /// Not these users.
    pub not_users: Vec<String>,
    /// Not these groups.
    pub not_groups: Vec<String>,
}

/// One statement of an rc file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Directive {
    /// `module-version TARGET SYMBOL...`; the symbol `default` marks the default.
    Version {
        /// The module, perhaps relative to the directory (`./1.0`, `/1.0`).
        target: String,
        /// The symbols.
        symbols: Vec<String>,
    },
    /// `set ModulesVersion V`: the default of the directory.
    Default {
        /// The version.
        version: String,
    },
    /// `module-alias NAME TARGET`.
    Alias {
        /// The new name.
        name: String,
        /// What it stands for.
        target: String,
    },
    /// `module-virtual NAME FILE`.
    Virtual {
        /// The new name.
        name: String,
        /// The modulefile, or the module, behind it.
        target: String,
    },
    /// `module-hide`, `hide-version`, `hide-modulefile`, `hide{}`.
    Hide {
        /// Names, specifications or absolute file names; patterns where `regex`.
        targets: Vec<String>,
        /// The targets are patterns (Lua's in Lua files).
        regex: bool,
        /// How well.
        hiding: Hiding,
        /// Not shown by `list` either.
        hidden_loaded: bool,
        /// When and for whom.
        condition: Condition,
    },
    /// `module-forbid`, `forbid{}`.
    Forbid {
        /// As for `Hide`.
        targets: Vec<String>,
        /// As for `Hide`.
        regex: bool,
        /// When and for whom.
        condition: Condition,
        /// The reason.
        message: Option<String>,
        /// What is said in the days before.
        nearly_message: Option<String>,
    },
    /// `module-tag TAG MODULE...`.
    Tag {
        /// The tag.
        tag: String,
        /// The modules.
        targets: Vec<String>,
        /// For whom.
        condition: Condition,
    },
    /// `module-warn`.
    Warn {
        /// The modules.
        targets: Vec<String>,
        /// What is said.
        message: String,
        /// When and for whom.
        condition: Condition,
    },
    /// `modulepath-label DIR LABEL`.
    Label {
        /// The modulepath, perhaps relative to the rc file.
        dir: String,
        /// The title of its section in listings.
        label: String,
    },
    /// `modulepath-ignore PATTERN...`.
    Ignore {
        /// Patterns as in `.gitignore`.
        patterns: Vec<String>,
    },
}
