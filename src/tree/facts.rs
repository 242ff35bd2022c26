//! What rc files say, kept by where it was said: aliases, symbolic versions, defaults, and the rules that hide, forbid, tag
//! and warn.
//!
//! Source: Lmod user guide "The .modulerc file", "Hidden modules", "Forbidden modules"; `modulefile(4)` "Modulerc
//! commands".

use std::cell::OnceCell;
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::civil::DateTime;

use super::ignore::IgnorePattern;
use crate::config::Config;
use crate::modulefile::relation::{Condition, Directive, Hiding};
use crate::name::{LuaPattern, Spec, SpecRules, Versions};
use crate::session::Session;

/// The statements of one place: a modulepath, the site's rc files, the user's rc file.
#[derive(Debug, Default)]
pub struct Facts {
    /// Names that stand for others.
    pub aliases: BTreeMap<String, Alias>,
    /// The marked default of a directory, by the directory's name relative to the modulepath: a path below it.
    pub defaults: BTreeMap<String, String>,
    /// The rules in the order they were given.
    pub rules: Vec<Rule>,
    /// Titles of modulepaths in listings.
    pub labels: BTreeMap<Utf8PathBuf, String>,
    /// What is not looked at (`modulepath-ignore`), in the order it was said.
    pub ignored: Vec<IgnorePattern>,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// A name, or the modulefile of a virtual module.
    pub target: String,
    /// How it was said.
    pub kind: AliasKind,
}

/// The kinds of names that stand for others.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum AliasKind {
    /// `module-alias`.
    Alias,
    /// `module-version`: a further word for a version.
    Symbol,
    /// `module-virtual`: a module of its own whose file lies elsewhere.
    Virtual,
}

/// A rule about some modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The modules.
    pub targets: Targets,
    /// When and for whom it holds.
    pub condition: Condition,
    /// What it says.
    pub says: Saying,
}

/// The modules of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// Names, specifications, files.
    Names(Vec<Target>),
    /// A pattern in one of them.
    Patterns(Vec<LuaPattern>),
}

/// One word that says which modules are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name, completed by the directory where it was relative; or a file.
    name: String,
    /// A file that `/...` may mean besides a version of the directory.
    file: Option<String>,
    /// The specification, where it holds more than a name.
    spec: Option<Spec>,
}

/// What a [`Rule`] says about its modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    /// They are hidden.
    Hide {
        /// How well.
        hiding: Hiding,
        /// From the list of loaded modules too.
        hidden_loaded: bool,
    },
    /// They cannot be loaded.
    Forbid {
        /// The reason.
        message: Option<String>,
        /// What is said in the days before.
        nearly_message: Option<String>,
    },
    /// They carry a tag.
    Tag(String),
    /// People are warned when they use them.
    Warn(String),
}

/// A module that rules are applied to.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Name without version.
    pub name: &'a str,
    /// Name with version.
    pub full_name: &'a str,
    /// Its file; may be empty where [`Facts::ask_for_files`] says no.
    pub file: &'a Utf8Path,
}

/// What all rules together say about a module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// How well it is hidden; the strongest rule counts.
    pub hiding: Option<Hiding>,
    /// Not shown by `list` either.
    pub hidden_loaded: bool,
    /// Why it cannot be loaded.
    pub forbidden: Option<Forbidden>,
    /// From when on it cannot be loaded, if that is soon.
    pub nearly_forbidden: Option<NearlyForbidden>,
    /// Its tags.
    pub tags: Vec<String>,
    /// What people are told who use it.
    pub warnings: Vec<String>,
}

impl Verdict {
    /// That of a module about which no rule speaks.
    pub const NOTHING: Verdict = Verdict {
        hiding: None,
        hidden_loaded: false,
        forbidden: None,
        nearly_forbidden: None,
        tags: Vec::new(),
        warnings: Vec::new(),
    };

    /// Whether nothing is said but, perhaps, that listings leave the module out.
    pub(super) fn says_no_more_than_hidden(&self) -> bool {
        let same = Verdict {
            hiding: self.hiding,
            ..Verdict::NOTHING
        };
        *self == same
    }
}

/// A module that cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    /// The site's reason.
    pub message: Option<String>,
}

/// A module that soon cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearlyForbidden {
    /// From when on, as the site wrote it.
    pub after: String,
    /// The site's reason.
    pub message: Option<String>,
}

impl Facts {
    /// Whether any rule can speak about modules of a name.
    pub(super) fn may_mean(&self, name: &str) -> bool {
        self.rules.iter().any(|rule| rule.may_mean(name))
    }

    /// Whether the files of modules decide what the rules say.
    pub(super) fn ask_for_files(&self) -> bool {
        self.rules.iter().any(Rule::asks_for_files)
    }

    /// Takes a statement of an rc file in directory `dir` (relative to its modulepath, empty for the modulepath itself)
    /// in. `place` is the directory of the file. Where `redefine` is false, what was said first about a symbolic version
    /// stays.
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn add(
        &mut self,
        directive: Directive,
        dir: &str,
        place: &Utf8Path,
        rules: &SpecRules,
        redefine: bool,
    ) -> Result<(), String> {
        match directive {
            Directive::Version { target, symbols } => {
                let target = completed(&target, dir);
                for symbol in symbols {
                    self.add_symbol(&target, &symbol, redefine);
                }
            }
            Directive::Default { version } => {
                if !version.is_empty() {
                    self.defaults.insert(dir.to_owned(), version);
                }
            }
            Directive::Alias { name, target } => {
                let target = completed(&target, dir);
                self.add_alias(completed(&name, dir), target, AliasKind::Alias, redefine);
            }
            Directive::Virtual { name, target } => {
                // A file, given by its place seen from the rc file, or a module, which then is no longer listed.
                let file = place.join(&target);
                let target = if file.is_file() {
                    file.into_string()
                } else {
                    let target = completed(&target, dir);
                    self.rules.push(Rule {
                        targets: Targets::new(std::slice::from_ref(&target), false, "", rules)?,
                        condition: Condition::default(),
                        says: Saying::Hide {
                            hiding: Hiding::Hidden,
                            hidden_loaded: false,
                        },
                    });
                    target
                };
                self.add_alias(completed(&name, dir), target, AliasKind::Virtual, redefine);
            }
            Directive::Hide {
                targets,
                regex,
                hiding,
                hidden_loaded,
                condition,
            } => self.rules.push(Rule {
                targets: Targets::new(&targets, regex, dir, rules)?,
                condition,
                says: Saying::Hide {
                    hiding,
                    hidden_loaded,
                },
            }),
            Directive::Forbid {
                targets,
                regex,
                condition,
                message,
                nearly_message,
            } => self.rules.push(Rule {
                targets: Targets::new(&targets, regex, dir, rules)?,
                condition,
                says: Saying::Forbid {
                    message,
                    nearly_message,
                },
            }),
            Directive::Tag {
                tag,
                targets,
                condition,
            } => self.rules.push(Rule {
                targets: Targets::new(&targets, false, dir, rules)?,
                condition,
                says: Saying::Tag(tag),
            }),
            Directive::Warn {
                targets,
                message,
                condition,
            } => self.rules.push(Rule {
                targets: Targets::new(&targets, false, dir, rules)?,
                condition,
                says: Saying::Warn(message),
            }),
            Directive::Label { dir, label } => {
                self.labels.insert(place.join(dir), label);
            }
            Directive::Ignore { patterns } => {
                let read = patterns.iter().filter_map(|p| IgnorePattern::new(p, dir));
                self.ignored.extend(read);
            }
        }
        Ok(())
    }

    fn add_symbol(&mut self, target: &str, symbol: &str, redefine: bool) {
        let (parent, child) = target.rsplit_once('/').unwrap_or((target, ""));
        if symbol != "default" {
            let name = format!("{parent}/{symbol}");
            if name != target {
                self.add_alias(name, target.to_owned(), AliasKind::Symbol, redefine);
            }
        } else if !child.is_empty() && (redefine || !self.defaults.contains_key(parent)) {
            self.defaults.insert(parent.to_owned(), child.to_owned());
        }
    }

    fn add_alias(&mut self, name: String, target: String, kind: AliasKind, redefine: bool) {
        if redefine || !self.aliases.contains_key(&name) {
            self.aliases.insert(name, Alias { target, kind });
        }
    }
}

/// A name as it is meant in directory `dir`: `/1.0` and `./1.0` are versions of the directory.
pub(super) fn completed(name: &str, dir: &str) -> String {
    let name = name
        .strip_suffix(".lua")
        .unwrap_or(name)
        .trim_end_matches('/');
    match name.strip_prefix("./").or_else(|| name.strip_prefix('/')) {
        Some(below) if dir.is_empty() => below.to_owned(),
        Some(below) => format!("{dir}/{below}"),
        None => name.to_owned(),
    }
}

impl Targets {
    fn new(names: &[String], regex: bool, dir: &str, rules: &SpecRules) -> Result<Targets, String> {
        if regex {
            let patterns: Result<Vec<_>, _> = names.iter().map(|n| LuaPattern::new(n)).collect();
            return patterns.map(Targets::Patterns);
        }
        Ok(Targets::Names(
            names
                .iter()
                .map(|name| Target::new(name, dir, rules))
                .collect(),
        ))
    }
}

impl Target {
    fn new(text: &str, dir: &str, rules: &SpecRules) -> Target {
        let spec = Spec::parse(text, rules)
            .ok()
            .filter(|spec| spec.versions != Versions::AsWritten || !spec.variants.is_empty());
        let name = match &spec {
            Some(spec) => completed(&spec.path, dir),
            // `name@version` is `name/version`.
            None => Spec::parse(text, rules).map_or_else(
                |_| completed(text, dir),
                |spec| completed(if spec.is_file() { text } else { &spec.path }, dir),
            ),
        };
        Target {
            name,
            file: text.starts_with('/').then(|| {
                let bare = text
                    .strip_suffix(".lua")
                    .or_else(|| text.strip_suffix(".toml"));
                bare.unwrap_or(text).to_owned()
            }),
            spec,
        }
    }

    fn means(&self, subject: &Subject<'_>, config: &Config) -> bool {
        // Most rules are about something else altogether.
        if self.file.is_none() && !subject.full_name.starts_with(&self.name) {
            return false;
        }
        if let Some(spec) = &self.spec {
            let version = subject.full_name.strip_prefix(&self.name);
            return version
                .and_then(|rest| rest.strip_prefix('/'))
                .is_some_and(|version| spec.versions.accepts(version, config.version_order));
        }
        if let Some(file) = &self.file {
            let subject = subject.file.as_str();
            let bare = subject
                .strip_suffix(".lua")
                .or_else(|| subject.strip_suffix(".toml"));
            if subject == file || bare == Some(file) {
                return true;
            }
        }
        if self.name == subject.full_name || self.name == subject.name {
            return true;
        }
        let begins = || {
            let rest = subject.full_name.strip_prefix(&self.name);
            rest.is_some_and(|rest| rest.starts_with(|c| config.extended_separators.contains(c)))
        };
        let extends = config.rules_extend_versions && config.extended_default;
        if extends && self.name.contains('/') && begins() {
            return true;
        }
        let below = |whole: &str, part: &str| {
            whole
                .strip_prefix(part)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        below(subject.full_name, &self.name)
            && (config.rules_cover_categories || below(&self.name, subject.name))
    }
}

impl Rule {
    /// Whether the rule can speak about modules of a name.
    fn may_mean(&self, name: &str) -> bool {
        let target = |target: &Target| {
            let known = target.name.as_str();
            target.file.is_some() || known.starts_with(name) || name.starts_with(known)
        };
        match &self.targets {
            Targets::Names(targets) => targets.iter().any(target),
            Targets::Patterns(_) => true,
        }
    }

    /// Whether the file of a module decides whether the rule speaks about it.
    fn asks_for_files(&self) -> bool {
        match &self.targets {
            Targets::Names(targets) => targets.iter().any(|target| target.file.is_some()),
            Targets::Patterns(_) => true,
        }
    }

    /// Whether the rule speaks about the module, whether or not it holds now.
    pub fn means(&self, subject: &Subject<'_>, config: &Config) -> bool {
        match &self.targets {
            Targets::Names(targets) => targets.iter().any(|target| target.means(subject, config)),
            Targets::Patterns(patterns) => patterns.iter().any(|pattern| {
                [subject.name, subject.full_name, subject.file.as_str()]
                    .iter()
                    .any(|text| pattern.is_match(text))
            }),
        }
    }
}

/// The time by which the rules of one run are judged.
#[derive(Debug, Default)]
pub struct Clock {
    now: OnceCell<DateTime>,
}

impl Clock {
    /// A clock that stands still.
    pub fn at(now: DateTime) -> Clock {
        Clock {
            now: OnceCell::from(now),
        }
    }

    fn now(&self) -> DateTime {
        *self.now.get_or_init(|| jiff::Zoned::now().datetime())
    }
}

/// When a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Now,
    /// From a time on that is not far.
    Soon,
    No,
}

/// Judges the rules of `scopes` for a module; in each scope the first rule of a kind with a message counts.
pub(super) fn judge<'a>(
    scopes: impl IntoIterator<Item = &'a Facts>,
    subject: &Subject<'_>,
    session: &Session,
    config: &Config,
    clock: &Clock,
) -> Verdict {
    let mut verdict = Verdict::default();
    for rule in scopes.into_iter().flat_map(|facts| &facts.rules) {
        if !rule.means(subject, config) {
            continue;
        }
        match (holds(&rule.condition, session, config, clock), &rule.says) {
            (Holds::No, _) => {}
            (
                Holds::Now,
                Saying::Hide {
                    hiding,
                    hidden_loaded,
                },
            ) => {
                verdict.hiding = verdict.hiding.max(Some(*hiding));
                verdict.hidden_loaded |= hidden_loaded;
            }
            (Holds::Now, Saying::Forbid { message, .. }) => {
                verdict.forbidden.get_or_insert_with(|| Forbidden {
                    message: message.clone(),
                });
            }
            (Holds::Soon, Saying::Forbid { nearly_message, .. }) => {
                verdict
                    .nearly_forbidden
                    .get_or_insert_with(|| NearlyForbidden {
                        after: rule.condition.after.clone().unwrap_or_default(),
                        message: nearly_message.clone(),
                    });
            }
            (Holds::Now, Saying::Tag(tag)) => {
                if !verdict.tags.contains(tag) {
                    verdict.tags.push(tag.clone());
                }
            }
            (Holds::Now, Saying::Warn(message)) => verdict.warnings.push(message.clone()),
            (Holds::Soon, _) => {}
        }
    }
    verdict
}

/// Whether a part of the name begins with a dot behind its first `revealed` bytes.
pub(crate) fn has_dot(full_name: &str, revealed: usize) -> bool {
    let mut before = b'/';
    full_name.bytes().enumerate().any(|(at, byte)| {
        let begins = std::mem::replace(&mut before, byte) == b'/';
        begins && byte == b'.' && at >= revealed
    })
}

fn holds(condition: &Condition, session: &Session, config: &Config, clock: &Clock) -> Holds {
    if !is_for(condition, session) {
        return Holds::No;
    }
    let bound = |text: &Option<String>| text.as_deref().and_then(parse_time);
    let (after, before) = (bound(&condition.after), bound(&condition.before));
    if after.is_none() && before.is_none() {
        return Holds::Now;
    }
    let now = clock.now();
    let begun = after.map(|after| now >= after);
    let ended = before.map(|before| now >= before);
    let inside = if config.rule_window_outside {
        begun == Some(true) || ended == Some(false)
    } else {
        begun != Some(false) && ended != Some(true)
    };
    if inside {
        return Holds::Now;
    }
    let days = jiff::Span::new().days(i64::from(config.nearly_forbidden_days.min(36_500)));
    let soon = after.is_some_and(|after| {
        now < after && now.checked_add(days).is_ok_and(|horizon| horizon >= after)
    });
    if soon { Holds::Soon } else { Holds::No }
}

/// Whether the user is meant: named themselves or by a group; or nobody is named and they are not excepted.
fn is_for(condition: &Condition, session: &Session) -> bool {
    let user = |names: &[String]| !names.is_empty() && names.iter().any(|n| n == session.user());
    let group = |names: &[String]| {
        !names.is_empty() && session.groups().iter().any(|group| names.contains(group))
    };
    if !condition.users.is_empty() || !condition.groups.is_empty() {
        return user(&condition.users) || group(&condition.groups);
    }
    !user(&condition.not_users) && !group(&condition.not_groups)
}

/// A time of an rc file: `YYYY-MM-DD[THH:MM]`, local. The languages check the form; what slips through never holds.
fn parse_time(text: &str) -> Option<DateTime> {
    let text = text.trim();
    text.parse::<DateTime>().ok().or_else(|| {
        Some(
            text.parse::<jiff::civil::Date>()
                .ok()?
                .to_datetime(jiff::civil::Time::midnight()),
        )
    })
}
