//! The sub-commands of `module`: one file each, and the table that names them.
//!
//! A sub-command acts on a [`Context`]: it changes the engine's state or prints text. This file turns what came of it into
//! an [`Outcome`]: code for the shell from the difference of two states, text for people, status.

mod avail;
pub mod cache;
pub mod catalog;
mod change;
mod collections;
pub mod exec;
mod freeze;
pub mod install;
mod lint;
mod list;
mod logger;
mod modulecache;
mod modules;
pub mod modulespath;
mod outcome;
mod pager;
mod past;
mod query;
mod read;
mod request;
pub mod sbatch;
mod search;
mod spider;
pub mod spider_tool;
pub mod table;
pub mod usage;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::ManuallyDrop;

use bstr::{BString, ByteSlice};

pub use outcome::Outcome;
pub use pager::Pager;
pub use request::{Action, Dump, Options, Report, Request};
pub use table::{Subcommand, Words};

use crate::config::{Colour, Config, Origin, Redirect};
use crate::diag::{Diagnostic, Kind, OwnWords, Severity, SiteWords};
use crate::env::{Change, Delta, State, VarName};
use crate::modulefile::Languages;
use crate::modulefile::site::Site;
use crate::modulefile::site::rc::{Rc, Shown};
use crate::name::{Spec, Versions};
use crate::session::Session;
use crate::shell::{self, Row};
use crate::transition::{Finished, Transition, Trees, path_rules};
use crate::usage::{self as usage_log, Load};
use crate::view::{self, Layout};

/// What a sub-command works with.
pub struct Context<'s> {
    /// The session.
    pub session: &'s Session,
    /// The settings in force, options included.
    pub config: &'s Config,
    /// The options of this request.
    pub options: &'s Options,
    /// The words of this request.
    pub words: &'s [String],
    /// The name of the shell that the answer is for.
    pub shell: &'static str,
    /// The state, and what can be done with it.
    pub engine: Transition<'s>,
    /// What the shell is told besides the changes.
    pub answer: Answer,
    /// The hooks of the site.
    pub site: &'s Site<'s>,
    /// What the site's rc files say of properties, once that is asked for.
    rc: OnceCell<Rc>,
    /// The report: what was asked for.
    text: String,
    /// Remarks on the way.
    notices: String,
}

/// What the shell is told besides the changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Answer {
    /// The request was met.
    #[default]
    True,
    /// The answer is no; that is not an error.
    False,
    /// A text.
    Text(BString),
    /// Nothing is to change; people see what would.
    Preview,
    /// Nothing is to change; the report is all.
    Nothing,
}

impl<'s> Context<'s> {
    /// The words as specifications.
    ///
    /// # Errors
    /// One of them is none.
    pub fn specs(&self, words: &[String]) -> Result<Vec<Spec>, Diagnostic> {
        let mut specs = Spec::parse_all(words, &self.config.spec_rules())
            .map_err(|error| Diagnostic::new(Kind::Usage, error.to_string()))?;
        if self.options.latest {
            for spec in &mut specs {
                if spec.versions == Versions::AsWritten {
                    spec.versions = Versions::Latest;
                }
            }
        }
        Ok(specs)
    }

    /// The same, where at least one is needed.
    ///
    /// # Errors
    /// There is none, or one of them is no specification.
    pub fn some_specs(&self, subcommand: &str) -> Result<Vec<Spec>, Diagnostic> {
        self.some_specs_of(self.words, subcommand)
    }

    fn some_specs_of(&self, words: &[String], subcommand: &str) -> Result<Vec<Spec>, Diagnostic> {
        if words.is_empty() {
            return Err(read::needs_names(subcommand));
        }
        self.specs(words)
    }

    /// The hooks that follow a sub-command: what the site makes of its report, and what it does at the end.
    fn ask_site(&mut self, subcommand: &str) -> Result<(), Diagnostic> {
        const REPORTS: [&str; 4] = ["avail", "list", "overview", "spider"];
        let is_for_people = !self.options.terse && !self.options.json;
        if REPORTS.contains(&subcommand)
            && is_for_people
            && let Some(text) = self.site.text(subcommand, &[])?
        {
            self.print(&text);
        }
        if !self.site.has_code() {
            return Ok(());
        }
        // The hooks are asked in the order of what happened: this was said before the end.
        let layout = self.layout();
        self.engine
            .reword(|notice| view::report::worded(notice, layout));
        if REPORTS.contains(&subcommand) && is_for_people {
            let lines = self.text.split_inclusive('\n').map(str::to_owned);
            self.text = self.site.message(subcommand, lines.collect())?.concat();
        }
        self.site.finalize(subcommand)?;
        self.site.exit()
    }

    /// A remark that is no part of the report.
    pub fn notice(&mut self, text: &str) {
        self.notices.push_str(text);
    }

    /// Tells what a request that went well did, where the site has that told.
    pub fn tell_outcome(&mut self, text: &str) {
        if self.config.tells_outcome {
            self.notice(text);
        }
    }

    /// Prints text for people.
    pub fn print(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// The same for a whole report, which may be long: it is not copied.
    pub fn report(&mut self, text: String) {
        match self.text.is_empty() {
            true => self.text = text,
            false => self.text.push_str(&text),
        }
    }

    /// Begins a new block of the report.
    pub fn separate(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// Whether nothing was printed yet.
    pub fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    /// Prints a JSON document, indented, for programs.
    pub fn print_json(&mut self, value: &serde_json::Value) {
        self.text.push_str(&json_text(value));
    }

    /// Whether `name` holds `pattern`, without regard to case.
    pub fn matches(&self, pattern: &str, name: &str) -> bool {
        name.to_lowercase().contains(&pattern.to_lowercase())
    }

    /// The marks that properties and tags put behind a name; what they mean is added to `legend`.
    pub fn property_marks(
        &self,
        properties: &[(String, String)],
        tags: &[String],
        legend: &mut Vec<(String, String)>,
    ) -> Vec<String> {
        let mut marks = Vec::new();
        if properties.is_empty() && tags.is_empty() {
            return marks;
        }
        // A file of the site that cannot be read leaves its properties without marks.
        let rc = (self.rc).get_or_init(|| self.site.read_rc().unwrap_or_else(|_| Rc::built_in()));
        let mut show = |shown: &Shown| {
            let mark = shown.short.trim_matches(['(', ')']).to_owned();
            if !marks.contains(&mark) {
                marks.push(mark.clone());
            }
            if !legend.iter().any(|(m, _)| *m == mark) {
                legend.push((mark, shown.doc.clone()));
            }
        };
        // Values of one property that belong together have a mark of their own: `gpu:mic`.
        let mut by_property: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (property, value) in properties {
            let values = by_property.entry(property).or_default();
            values.extend(value.split(':'));
        }
        for tag in tags {
            rc.shown("lmod", tag).map(&mut show);
        }
        for (property, values) in by_property {
            let joined: Vec<&str> = values.iter().copied().collect();
            let joined = joined.join(":");
            match rc.shown(property, &joined) {
                Some(shown) => show(shown),
                None => {
                    let each = values.iter().filter_map(|v| rc.shown(property, v));
                    each.for_each(&mut show);
                }
            }
        }
        marks
    }

    /// The code of another shell for all that has changed so far, without what only module systems read.
    pub fn code_for(&self, row: &Row) -> String {
        let before = State::new(&self.session.env, path_rules(self.config));
        let mut delta = Delta::between(&before, self.engine.state());
        let private = |name: &VarName| {
            let name = name.as_str();
            name.starts_with("__") || matches!(name, "LOADEDMODULES" | "_LMFILES_")
        };
        delta.changes.retain(|change| match change {
            Change::SetVar { name, .. } | Change::UnsetVar { name } => !private(name),
            _ => true,
        });
        row.shell.emit(&delta).code.to_str_lossy().into_owned()
    }

    /// How text is laid out.
    pub fn layout(&self) -> Layout<'s> {
        layout(self.session, self.config, Some(self.options), self.site)
    }
}

/// A JSON document, indented, with the end of its line.
fn json_text(value: &serde_json::Value) -> String {
    let text = serde_json::to_string_pretty(value);
    text.expect("a value without maps keyed by other than text") + "\n"
}

/// Columns and colours: options, then variables, then the terminal, which is asked only now.
fn layout<'w>(
    session: &Session,
    config: &Config,
    options: Option<&Options>,
    words: &'w dyn SiteWords,
) -> Layout<'w> {
    let columns = || session.text("COLUMNS")?.trim().parse::<usize>().ok();
    let width = options
        .and_then(|o| o.width)
        .filter(|w| *w > 0)
        .or_else(|| Some(config.width as usize).filter(|w| *w > 0))
        .or_else(|| columns().filter(|w| *w > 0))
        .or_else(|| terminal_size::terminal_size_of(std::io::stderr()).map(|(w, _)| w.0 as usize))
        .unwrap_or(80)
        .clamp(30, 2000);
    Layout {
        width,
        colour: colour(session, config),
        words,
    }
}

/// Whether text for people is coloured.
fn colour(session: &Session, config: &Config) -> bool {
    match config.colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => {
            session.stderr_is_terminal()
                && session.text("NO_COLOR").is_none_or(str::is_empty)
                && session.text("TERM") != Some("dumb")
        }
    }
}

/// What the site's code has said to people outside of evaluations.
fn said_by(site: &Site<'_>, config: &Config) -> String {
    let said = site.take_messages().into_iter();
    let texts = said.map(|message| message.text.to_str_lossy().into_owned());
    match config.is_mute() {
        true => String::new(),
        false => texts.collect(),
    }
}

/// The settings of a session for those who load nothing, with those that the site's start files give a value.
///
/// # Errors
/// A start file fails.
pub fn settings(session: &Session) -> Result<Config, Diagnostic> {
    let config = Config::new(session);
    let languages = Languages::default();
    let site = Site::new(session, &config, &languages);
    let by_site = configured(session, &site, &config, &Options::default())?;
    Ok(by_site.unwrap_or(config))
}

/// The settings with those that the site's start files give a value, if any; options stay above them.
fn configured(
    session: &Session,
    site: &Site<'_>,
    config: &Config,
    options: &Options,
) -> Result<Option<Config>, Diagnostic> {
    let (by_siteconfig, assignments) = (site.options()?, site.assignments()?);
    if by_siteconfig.is_empty() && assignments.is_empty() {
        return Ok(None);
    }
    let mut configured = config.clone();
    configured.set_options(session, &by_siteconfig);
    let file = camino::Utf8PathBuf::from(&config.lmod_config_dir).join("lmod_config.lua");
    for (variable, text) in assignments {
        // Settings of Lmod that have no counterpart here are the site's to set all the same.
        configured.set_variable(&variable, &text, Origin::File(file.clone()));
    }
    apply_options(&mut configured, options);
    Ok(Some(configured))
}

/// Puts the options that are settings into the settings.
pub fn apply_options(config: &mut Config, options: &Options) {
    let flags = [
        ("quiet", options.quiet),
        ("ignore_cache", options.ignore_cache),
        ("ignore_user_rc", options.ignore_user_rc),
    ];
    for (name, on) in flags {
        if on {
            config.set(name, "yes", Origin::Option);
        }
    }
    if let Some(verbosity) = options.verbosity {
        config.set("verbosity", &verbosity.to_string(), Origin::Option);
    }
    if let Some(colour) = &options.colour {
        // Other words are ignored, as in Environment Modules.
        config.set("colour", colour, Origin::Option);
    }
    if options.no_modulepath_ignore {
        config.set("modulepath_ignore", "no", Origin::Option);
    }
    if options.ignore_case {
        config.set("ignore_case", "always", Origin::Option);
    }
    let choices = [
        ("redirect", options.redirect),
        ("auto_handling", options.auto),
        ("paginate", options.paginate),
    ];
    for (name, choice) in choices {
        if let Some(on) = choice {
            config.set(name, if on { "yes" } else { "no" }, Origin::Option);
        }
    }
}

/// What came of a request: the changes, what was said on the way, and the report.
struct Answered {
    delta: Delta,
    messages: String,
    report: String,
    voice: Voice,
    cache_is_damaged: bool,
}

/// What the shell functions set where their standard output is no terminal: here it is always a pipe.
const PIPED: &str = "__XMOD_PIPED";

/// How people are spoken to.
#[derive(Debug, Clone)]
struct Voice {
    /// Not at all.
    quiet: bool,
    /// Reports go to standard output.
    redirect: bool,
    /// What shows the report on this terminal.
    pager: Option<Pager>,
    /// The longest value that a shell called as `csh` is given; 0 where that decides itself.
    csh_limit: usize,
}

impl Voice {
    fn of(session: &Session, config: &Config, report: &str) -> Voice {
        Voice {
            quiet: config.is_mute(),
            redirect: match config.redirect {
                Redirect::Never => false,
                Redirect::Always => true,
                Redirect::Piped => {
                    let piped = session.text(PIPED).is_some_and(|piped| !piped.is_empty());
                    piped && session.stderr_is_terminal()
                }
            },
            // Without a report nobody asks the terminal.
            pager: (!report.is_empty())
                .then(|| Pager::of(session, config))
                .flatten(),
            csh_limit: usize::try_from(config.csh_limit).unwrap_or(usize::MAX),
        }
    }
}

/// Runs one sub-command and says what the shell and people get.
pub fn run(
    session: &Session,
    config: &Config,
    row: &Row,
    subcommand: &'static Subcommand,
    request: &Request,
) -> Outcome {
    let answered = answer(session, config, row, subcommand, request);
    finish(answered, row)
}

/// Loads modules for a program that is no shell: the changes, and what was said.
///
/// # Errors
/// The text for people where a module cannot be loaded.
fn loaded(
    session: &Session,
    config: &Config,
    modules: Vec<String>,
) -> Result<(Delta, String), String> {
    let row = crate::shell::find("sh").expect("sh is in the table");
    let load = table::find("load").expect("load is in the table");
    let request = Request {
        action: Action::Run(load),
        options: Options::default(),
        words: modules,
        warnings: Vec::new(),
    };
    let answered = answer(session, config, row, load, &request);
    if answered.delta.failed {
        Err(answered.messages)
    } else {
        Ok((answered.delta, answered.messages))
    }
}

/// Runs one sub-command; once more without caches where one turns out to be damaged on the way.
fn answer(
    session: &Session,
    config: &Config,
    row: &Row,
    subcommand: &'static Subcommand,
    request: &Request,
) -> Answered {
    let answered = attempt(session, config, row, subcommand, request);
    if !answered.cache_is_damaged || config.ignore_cache {
        return answered;
    }
    let mut without = config.clone();
    without.set("ignore_cache", "yes", Origin::Option);
    let mut answered = attempt(session, &without, row, subcommand, request);
    if !config.is_mute() {
        let warning = Diagnostic::new(Kind::Site, "a cache of modules is damaged and was not used")
            .help("xmod cache build");
        let warning = rendered(session, config, Severity::Warning, &warning);
        answered.messages.insert_str(0, &warning);
    }
    answered
}

/// Runs one sub-command with the caches there are.
fn attempt(
    session: &Session,
    config: &Config,
    row: &Row,
    subcommand: &'static Subcommand,
    request: &Request,
) -> Answered {
    // The process ends with this answer. To take the interpreters apart value by value would be a tenth of a load.
    let languages = ManuallyDrop::new(Languages::default());
    let starting = Site::new(session, config, &languages);
    let by_site = match configured(session, &starting, config, &request.options) {
        Ok(by_site) => by_site,
        Err(diagnostic) => {
            let said = said_by(&starting, config);
            return match starting.has_ended_well() {
                true => Answered::nothing(session, config, said),
                false => Answered::failure(session, config, said, &diagnostic),
            };
        }
    };
    let started = said_by(&starting, config);
    let config = by_site.as_ref().unwrap_or(config);
    let site = Site::new(session, config, &languages);
    let mut trees = Trees::new(session, config, &languages, row.name);
    let engine = Transition::new(
        session,
        config,
        &languages,
        &mut trees,
        row.name,
        subcommand.name,
    )
    .forced(request.options.force)
    .by_ml(request.options.by_ml)
    .tagged(&request.options.tags);
    let mut context = Context {
        session,
        config,
        options: &request.options,
        words: &request.words,
        shell: row.name,
        engine,
        answer: Answer::True,
        site: &site,
        rc: OnceCell::new(),
        text: String::new(),
        notices: String::new(),
    };
    let result = site
        .startup(subcommand.name)
        .and_then(|()| {
            context.engine.begin();
            (subcommand.run)(&mut context)
        })
        .and_then(|()| context.ask_site(subcommand.name));
    let Context {
        engine,
        answer,
        text,
        notices,
        ..
    } = context;
    let cache_is_damaged = engine.is_cache_damaged();
    let Finished {
        state,
        mut report,
        errors,
        log,
    } = engine.finish();
    let state = ManuallyDrop::new(state);
    let done = |delta, messages, report: String| Answered {
        delta,
        messages,
        voice: Voice::of(session, config, &report),
        report,
        cache_is_damaged,
    };
    let mut messages = String::new();
    if !logger::write(session, config, subcommand.name, request, log) {
        messages.push_str("warning: the site's log could not be written\n");
    }
    if !config.is_mute() {
        for problem in &config.problems {
            messages.push_str(&rendered(session, config, Severity::Warning, problem));
        }
        for warning in &request.warnings {
            messages.push_str(&format!("warning: {warning}\n"));
        }
        messages.push_str(&notices);
        messages.push_str(&started);
        messages.push_str(&said_by(&site, config));
    }
    let verbosity = config.verbosity;
    let diagnostic = match result {
        Ok(()) => {
            let previews = request.options.dry_run || answer == Answer::Preview;
            if request.options.json && (previews || !text.is_empty()) {
                // A program reads the document: nothing else may stand in the stream.
                messages.clear();
            } else if config.is_mute() {
                messages.push_str(&view::report::direct(&report));
            } else {
                report.reword(|diagnostic| site.reworded(diagnostic, "lmodwarning"));
                let layout = || layout(session, config, Some(&request.options), &site);
                messages.push_str(&view::report::render(&report, verbosity, layout));
                for error in &errors {
                    let error = site.reworded(error.clone(), "lmoderror");
                    messages.push_str(&rendered(session, config, Severity::Error, &error));
                }
            }
            let mut delta = Delta::between(&State::new(&session.env, path_rules(config)), &state);
            let code = site.take_code().into_iter();
            delta
                .changes
                .extend(code.map(|code| Change::Execute { code }));
            if let Some((name, size)) = shell::too_long(&delta) {
                let diagnostic = too_long(name, size);
                return Answered::failure(session, config, messages, &diagnostic);
            }
            delta.failed = !errors.is_empty();
            match &answer {
                Answer::True | Answer::Preview | Answer::Nothing => {}
                Answer::False => delta.failed = true,
                Answer::Text(text) => delta.result = Some(text.clone()),
            }
            if delta.failed && errors.is_empty() {
                return done(Delta::failure(), messages, text);
            }
            if previews {
                let text = if request.options.json {
                    text + &json_text(&view::diff::json(&delta, session))
                } else {
                    let layout = layout(session, config, Some(&request.options), &site);
                    text + &view::diff::render(&delta, session, layout)
                };
                return done(Delta::default(), messages, text);
            }
            if answer == Answer::Nothing {
                return done(Delta::default(), messages, text);
            }
            forget_last_error(session, &mut delta);
            if config.log_loads {
                tell_loads(session, config, &state);
            }
            return done(delta, messages, text);
        }
        // The site ended the request as one that went well: nothing changes.
        Err(_) if site.has_ended_well() => return done(Delta::default(), messages, text),
        Err(diagnostic) => site.reworded(diagnostic, "lmoderror"),
    };
    if !config.is_mute() {
        let layout = || layout(session, config, Some(&request.options), &site);
        messages.push_str(&view::report::messages(
            &report,
            &diagnostic,
            verbosity,
            layout,
        ));
    }
    Answered {
        voice: Voice::of(session, config, &text),
        report: text,
        cache_is_damaged,
        ..Answered::failure(session, config, messages, &diagnostic)
    }
}

impl Answered {
    /// A request that the site's code ended: nothing changes.
    fn nothing(session: &Session, config: &Config, messages: String) -> Answered {
        Answered {
            delta: Delta::default(),
            messages,
            report: String::new(),
            voice: Voice::of(session, config, ""),
            cache_is_damaged: false,
        }
    }

    /// A request that failed; `messages` was said before.
    fn failure(
        session: &Session,
        config: &Config,
        mut messages: String,
        diagnostic: &Diagnostic,
    ) -> Answered {
        messages.push_str(&rendered(session, config, Severity::Error, diagnostic));
        // Kept even where nothing is said: programs ask for quiet and read the reason from here.
        let diagnostic = &with_contact(diagnostic, config);
        let layout = layout(session, config, None, &OwnWords);
        let kept = diagnostic.render(Severity::Error, false, layout.width);
        Answered {
            delta: failure(&kept),
            messages,
            report: String::new(),
            voice: Voice::of(session, config, ""),
            cache_is_damaged: false,
        }
    }
}

/// The refusal to set a variable with which no program would start any more.
fn too_long(name: &VarName, size: usize) -> Diagnostic {
    Diagnostic::new(
        Kind::Module,
        format!(
            "`{name}` would be {} KiB long: no program could be started",
            size >> 10
        ),
    )
    .note("the kernel takes at most 128 KiB in one variable; nothing was changed")
    .help(format!(
        "`module why {name}` tells which modules it is made of: unload some of them"
    ))
}

/// Tells the site what is loaded now that was not before.
fn tell_loads(session: &Session, config: &Config, after: &State) {
    let before = session.text("LOADEDMODULES").unwrap_or_default();
    let before: BTreeSet<&str> = before.split(':').collect();
    let loads: Vec<Load> = (after.loaded.active().iter())
        .filter(|module| !before.contains(module.full_name.as_str()))
        .map(|module| Load {
            name: module.name(),
            version: module.version(),
            is_asked: module.depth == 0 && !module.auto,
        })
        .collect();
    usage_log::tell(session, config, &loads);
}

/// A request that succeeds takes the last error away.
fn forget_last_error(session: &Session, delta: &mut Delta) {
    if session.var(LAST_ERROR).is_some() {
        delta.changes.insert(
            0,
            Change::UnsetVar {
                name: VarName::new(LAST_ERROR).expect("a literal name"),
            },
        );
    }
}

/// The variable that holds the text of the last error; programs read it.
const LAST_ERROR: &str = "__LMOD_LAST_ERROR";

/// The state of the session for those who look into it: the loaded modules with all that is remembered of them.
pub fn state_report(session: &Session, config: &Config, row: &Row) -> Outcome {
    let (state, loss) = crate::env::packed::read(&session.env, path_rules(config));
    let mut text = String::new();
    if let Some(loss) = loss {
        text.push_str(&format!("{loss}\n"));
    }
    for module in state.loaded.active().iter().chain(state.loaded.inactive()) {
        text.push_str(&format!("{module:#?}\n"));
    }
    say(session, config, row, text, true)
}

/// A request that is answered by text alone.
pub fn say(session: &Session, config: &Config, row: &Row, text: String, ok: bool) -> Outcome {
    let answered = Answered {
        delta: Delta {
            failed: !ok,
            ..Delta::default()
        },
        messages: String::new(),
        voice: Voice::of(session, config, &text),
        report: text,
        cache_is_damaged: false,
    };
    finish(answered, row)
}

/// A request that failed before it began. Without a shell there is no code to print.
pub fn failed(
    session: &Session,
    config: &Config,
    row: Option<&Row>,
    diagnostic: &Diagnostic,
) -> Outcome {
    let answered = Answered::failure(session, config, String::new(), diagnostic);
    match row {
        Some(row) => finish(answered, row),
        None => Outcome {
            stderr: answered.messages.into_bytes(),
            exit: 1,
            ..Outcome::default()
        },
    }
}

/// The only change of a request that failed: the text that `module last-error` shows.
fn failure(message: &str) -> Delta {
    let name = VarName::new(LAST_ERROR).expect("a literal name");
    Delta {
        changes: vec![Change::SetVar {
            name,
            value: BString::from(message.trim_end()),
        }],
        failed: true,
        ..Delta::default()
    }
}

fn rendered(
    session: &Session,
    config: &Config,
    severity: Severity,
    diagnostic: &Diagnostic,
) -> String {
    if config.is_mute() {
        return String::new();
    }
    let layout = layout(session, config, None, &OwnWords);
    with_contact(diagnostic, config).render(severity, layout.colour, layout.width)
}

/// A mistake of a modulefile with the one who can mend it.
fn with_contact<'d>(diagnostic: &'d Diagnostic, config: &Config) -> Cow<'d, Diagnostic> {
    if diagnostic.kind != Kind::Modulefile || config.contact.is_empty() {
        return Cow::Borrowed(diagnostic);
    }
    let contact = format!("please tell {} about it", config.contact);
    Cow::Owned(diagnostic.clone().help(contact))
}

/// Puts code, messages and report together. A report goes to standard output as code that prints it where the user wants
/// that and the shell can.
fn finish(answered: Answered, row: &Row) -> Outcome {
    let Answered {
        mut delta,
        messages,
        report,
        voice,
        cache_is_damaged: _,
    } = answered;
    let mut messages = messages.into_bytes();
    let redirected = voice.redirect && row.shell.echoes() && !report.is_empty();
    if redirected {
        delta.echo = report.lines().map(BString::from).collect();
    }
    let exit = u8::from(delta.failed);
    let mut dropped = Vec::new();
    if row.is_limited && voice.csh_limit > 0 {
        dropped = shell::drop_longer(&mut delta, voice.csh_limit);
    }
    let emission = row.shell.emit(&delta);
    if !voice.quiet {
        for dropped in dropped.iter().chain(&emission.dropped) {
            messages.extend_from_slice(format!("warning: {dropped}\n").as_bytes());
        }
    }
    let mut paged = None;
    if !redirected && !report.is_empty() {
        match voice.pager.filter(|_| row.for_people) {
            Some(pager) => paged = Some((pager, report)),
            None if messages.is_empty() => messages = report.into_bytes(),
            None => messages.extend_from_slice(report.as_bytes()),
        }
    }
    Outcome {
        stdout: emission.code,
        stderr: messages,
        paged,
        exit,
    }
}

/// The settings and where they come from.
pub fn config_report(config: &Config, report: Report) -> String {
    let rows = config.list();
    let origin = |origin: &Origin| -> Cow<'static, str> {
        match origin {
            Origin::Default => "default".into(),
            Origin::File(path) => path.to_string().into(),
            Origin::Variable(name) => (*name).into(),
            Origin::Option => "option".into(),
        }
    };
    match report {
        Report::Text => {
            let mut text = String::from("Settings of xmod\n");
            for (name, value, from) in &rows {
                text.push_str(&format!("  {name:<24} {value:<24} {}\n", origin(from)));
            }
            text
        }
        Report::Json => {
            let settings: serde_json::Map<String, serde_json::Value> = rows
                .iter()
                .map(|(name, value, _)| ((*name).to_owned(), value.clone().into()))
                .collect();
            let value =
                serde_json::json!({ "configT": settings, "rcfileA": [], "cache": [], "propT": {} });
            format!("{value}\n")
        }
    }
}
