//! `module config` and `module state` of Environment Modules.

use std::collections::BTreeMap;

use super::Context;
use crate::config::{Origin, SETTINGS, Setting, option_name, option_text};
use crate::diag::{Diagnostic, Kind};
use crate::view::modules as view;

/// The version that clients look for; see the decision about names and versions.
const RELEASE: &str = "Modules Release 5.6.1 (2025-11-25)\n";

/// An option of Environment Modules: its name there, its variable, and what is behind it.
struct Opt {
    name: String,
    /// `None` where users cannot change it.
    variable: Option<&'static str>,
    behind: Behind,
}

/// What an option acts on.
enum Behind {
    /// A setting of ours; the option may mean its opposite.
    Setting(&'static Setting, bool),
    /// Nothing here: it is kept for Environment Modules, with that system's default.
    Kept(&'static str),
    /// A variable of the session (`runenv_NAME`).
    Variable(String),
}

/// Options that mean nothing here: name, variable, default.
#[rustfmt::skip]
const KEPT: &[(&str, Option<&str>, &str)] = &[
    ("cache_buffer_bytes", Some("MODULES_CACHE_BUFFER_BYTES"), "32768"),
    ("cache_expiry_secs", Some("MODULES_CACHE_EXPIRY_SECS"), "0"),
    ("colors", Some("MODULES_COLORS"), ""),
    ("csh_limit", None, "4000"),
    ("home", Some("MODULESHOME"), ""),
    ("ignored_dirs", None, "CVS RCS SCCS .svn .git .SYNC .sos"),
    ("locked_configs", None, ""),
    ("mcookie_check", Some("MODULES_MCOOKIE_CHECK"), "always"),
    ("ml", Some("MODULES_ML"), "1"),
    ("quarantine_support", Some("MODULES_QUARANTINE_SUPPORT"), "0"),
    ("run_quarantine", Some("MODULES_RUN_QUARANTINE"), ""),
    ("set_shell_startup", Some("MODULES_SET_SHELL_STARTUP"), "0"),
    ("shells_with_ksh_fpath", Some("MODULES_SHELLS_WITH_KSH_FPATH"), ""),
    ("silent_shell_debug", Some("MODULES_SILENT_SHELL_DEBUG"), "0"),
    ("source_cache", Some("MODULES_SOURCE_CACHE"), "0"),
    ("tag_color_name", Some("MODULES_TAG_COLOR_NAME"), ""),
    ("tcl_ext_lib", None, ""),
    ("tcl_linter", Some("MODULES_TCL_LINTER"), ""),
    ("term_background", Some("MODULES_TERM_BACKGROUND"), "dark"),
    ("wa_277", Some("MODULES_WA_277"), "0"),
];

/// The variables that stand for a session's variables while modulefiles are evaluated.
const RUNENV: &str = "MODULES_RUNENV_";

/// The options in the order of their names.
fn options(context: &Context) -> Vec<Opt> {
    let mut options: Vec<Opt> = Vec::new();
    for setting in SETTINGS {
        for variable in setting.variables {
            let Some(name) = option_name(variable.name) else {
                continue;
            };
            options.push(Opt {
                name,
                variable: Some(variable.name),
                behind: Behind::Setting(setting, variable.inverted),
            });
        }
    }
    let siteconfig = SETTINGS.iter().find(|setting| setting.name == "siteconfig");
    options.extend(siteconfig.map(|setting| Opt {
        name: setting.name.to_owned(),
        variable: None,
        behind: Behind::Setting(setting, false),
    }));
    options.extend(KEPT.iter().map(|(name, variable, value)| Opt {
        name: (*name).to_owned(),
        variable: *variable,
        behind: Behind::Kept(value),
    }));
    let session = context.session.env.keys().map(ToString::to_string);
    options.extend(session.filter_map(|variable| {
        let name = variable.strip_prefix(RUNENV)?.to_lowercase();
        Some(Opt {
            name: format!("runenv_{name}"),
            variable: None,
            behind: Behind::Variable(variable),
        })
    }));
    options.sort_by(|a, b| a.name.cmp(&b.name));
    options
}

impl Opt {
    /// The variable that gives it a value.
    fn variable(&self) -> Result<&str, Diagnostic> {
        match (&self.behind, self.variable) {
            (Behind::Variable(name), _) => Ok(name),
            (_, Some(name)) => Ok(name),
            (_, None) => Err(Diagnostic::new(
                Kind::Usage,
                format!("configuration option `{}` cannot be altered", self.name),
            )
            .note("no variable is behind it")),
        }
    }

    /// Whether it can hold a value.
    fn check(&self, context: &Context, value: &str) -> Result<(), Diagnostic> {
        let Behind::Setting(setting, _) = self.behind else {
            return Ok(());
        };
        if context
            .config
            .locked
            .iter()
            .any(|name| name == setting.name)
        {
            return Err(Diagnostic::new(
                Kind::Usage,
                format!("configuration option `{}` is locked", self.name),
            )
            .note("by the site's configuration file"));
        }
        let refused = || {
            Diagnostic::new(
                Kind::Usage,
                format!(
                    "`{value}` is not a value for configuration option `{}`",
                    self.name
                ),
            )
        };
        let is_flag = setting.values == ["1", "0"];
        let words: &[&str] = match is_flag {
            true => &["1", "0", "yes", "no", "true", "false", "on", "off"],
            false => setting.values,
        };
        let known = words.is_empty() || words.contains(&value);
        if !known
            || !context
                .config
                .clone()
                .set(setting.name, value, Origin::Option)
        {
            return Err(match setting.values.is_empty() {
                true => refused().help(format!(
                    "`module config {}` shows the present one",
                    self.name
                )),
                false => refused().help(format!("valid values are: {}", setting.values.join(" "))),
            });
        }
        if let Some(items) = items_of(&self.name)
            && let Some(bad) = value
                .split(':')
                .find(|item| !item.is_empty() && !items.contains(item))
        {
            return Err(Diagnostic::new(
                Kind::Usage,
                format!(
                    "`{bad}` is not an element of configuration option `{}`",
                    self.name
                ),
            )
            .help(format!("allowed elements are: {}", items.join(" "))));
        }
        Ok(())
    }
}

/// The elements of which the value of an option may be made.
fn items_of(option: &str) -> Option<&'static [&'static str]> {
    Some(match option {
        "avail_output" | "avail_terse_output" | "spider_output" | "spider_terse_output" => {
            super::avail::ELEMENTS
        }
        "list_output" | "list_terse_output" => super::list::ELEMENTS,
        "logged_events" => &["auto_eval", "requested_cmd", "requested_eval"],
        "abort_on_error" => &[
            "all",
            "load",
            "ml",
            "purge",
            "reload",
            "switch",
            "switch_unload",
            "try-load",
            "unload",
        ],
        _ => return None,
    })
}

/// Shows the options, or one of them; with a value sets its variable.
pub(crate) fn config(context: &mut Context) -> Result<(), Diagnostic> {
    let options = options(context);
    let find = |name: &str| {
        options
            .iter()
            .find(|option| option.name == name)
            .ok_or_else(|| {
                let names = options.iter().map(|option| option.name.as_str());
                let near = names
                    .map(|known| (strsim::damerau_levenshtein(name, known), known))
                    .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
                    .min();
                let diagnostic = Diagnostic::new(
                    Kind::Usage,
                    format!("configuration option `{name}` does not exist"),
                );
                match near {
                    Some((_, near)) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help("`module config` lists all options"),
                }
            })
    };
    if context.options.reset {
        let name = needed(context, "config --reset")?;
        let variable = find(&name)?.variable()?;
        context.engine.set_variable(variable, None);
        return Ok(());
    }
    match context.words {
        [] => {
            let rows: Vec<String> = options.iter().map(|option| row(context, option)).collect();
            show(context, &rows.concat());
            if context.options.dump_state {
                context.print("\n");
                let text = state_tables(context, None)?;
                context.print(&text);
            }
            Ok(())
        }
        [name] => {
            let text = row(context, find(name)?);
            show(context, &text);
            Ok(())
        }
        [name, value] => {
            let option = find(name)?;
            let variable = option.variable()?;
            let value = amended(context, option, value);
            option.check(context, &value)?;
            if matches!(option.behind, Behind::Kept(_)) {
                context.notice(&format!(
                    "note: `{name}` has a meaning for Environment Modules only; its variable is set\n"
                ));
            }
            context.engine.set_variable(variable, Some(&value));
            Ok(())
        }
        _ => Err(Diagnostic::new(
            Kind::Usage,
            "`config` takes the name of an option and its value",
        )
        .help("module config NAME VALUE")),
    }
}

/// `+a:b` and `-a:b` amend a list.
fn amended(context: &Context, option: &Opt, value: &str) -> String {
    let (present, _) = value_of(context, option);
    let items = |text: &str| -> Vec<String> {
        let items = text.split(':').filter(|item| !item.is_empty());
        items.map(str::to_owned).collect()
    };
    match (value.strip_prefix('+'), value.strip_prefix('-')) {
        (Some(more), _) => {
            let mut all = items(&present);
            for item in items(more) {
                if !all.contains(&item) {
                    all.push(item);
                }
            }
            all.join(":")
        }
        (_, Some(less)) if less.parse::<i64>().is_err() => {
            let less = items(less);
            let mut kept = items(&present);
            kept.retain(|item| !less.contains(item));
            kept.join(":")
        }
        _ => value.to_owned(),
    }
}

fn show(context: &mut Context, rows: &str) {
    let head = view::values_header("Config. name", "Value (set by if default overridden)");
    context.print(&format!("{RELEASE}\n{head}{rows}"));
}

/// The value of an option, and who set it where that is not the default.
fn value_of(context: &Context, option: &Opt) -> (String, &'static str) {
    let (setting, inverted) = match &option.behind {
        Behind::Setting(setting, inverted) => (*setting, *inverted),
        Behind::Kept(default) => {
            let set = option.variable.and_then(|name| context.session.text(name));
            return match set {
                Some(value) => (value.to_owned(), " (env-var)"),
                None => ((*default).to_owned(), ""),
            };
        }
        Behind::Variable(name) => {
            let value = context.session.text(name).unwrap_or_default();
            return (value.to_owned(), " (env-var)");
        }
    };
    let listed = context.config.list().into_iter();
    let (_, value, origin) = listed
        .into_iter()
        .find(|(name, ..)| *name == setting.name)
        .unwrap_or(("", String::new(), Origin::Default));
    let value = option_text(value, inverted);
    let set_by = match origin {
        Origin::Default => "",
        Origin::File(_)
            if context
                .config
                .locked
                .iter()
                .any(|name| name == setting.name) =>
        {
            " (locked)"
        }
        Origin::File(_) => " (site)",
        Origin::Variable(_) => " (env-var)",
        Origin::Option => " (cmd-line)",
    };
    (value, set_by)
}

fn row(context: &Context, option: &Opt) -> String {
    let (value, set_by) = value_of(context, option);
    let value = if value.is_empty() { "<undef>" } else { &value };
    view::value_row(&option.name, &format!("{value}{set_by}"))
}

/// Shows what the program knows about itself, or one fact of it.
pub(crate) fn state(context: &mut Context) -> Result<(), Diagnostic> {
    let text = state_tables(context, context.words.first().map(String::as_str))?;
    context.print(&format!("{RELEASE}\n{text}"));
    Ok(())
}

fn state_tables(context: &Context, only: Option<&str>) -> Result<String, Diagnostic> {
    let rows = facts(context);
    let head = view::values_header("State name", "Value");
    if let Some(name) = only {
        let found = rows.iter().find(|(known, _)| *known == name);
        let (name, value) = found.ok_or_else(|| {
            Diagnostic::new(Kind::Usage, format!("state `{name}` does not exist"))
                .help("`module state` lists all")
        })?;
        return Ok(head + &view::value_row(name, value));
    }
    let rows: String = rows
        .iter()
        .map(|(name, value)| view::value_row(name, value))
        .collect();
    let ours = |name: &str| {
        name.contains("_module")
            || ["MODULE", "__MODULES_", "LOADEDMODULES", "_LMFILES_"]
                .iter()
                .any(|start| name.starts_with(start))
    };
    let variables: String = context
        .session
        .env
        .iter()
        .filter(|(name, _)| ours(&name.to_string()))
        .map(|(name, value)| view::value_row(&name.to_string(), &value.to_string()))
        .collect();
    let second = view::values_header("Env. variable", "Value");
    Ok(format!("{head}{rows}\n{second}{variables}"))
}

/// The facts by the names that Environment Modules gives them.
fn facts(context: &Context) -> Vec<(&'static str, String)> {
    let session = context.session;
    let uname = nix::sys::utsname::uname().ok();
    let part = |pick: fn(&nix::sys::utsname::UtsName) -> &std::ffi::OsStr| {
        let text = uname
            .as_ref()
            .map(|u| pick(u).to_string_lossy().into_owned());
        text.unwrap_or_default()
    };
    let flag = |on: bool| u8::from(on).to_string();
    let is_file = |path: &str| std::path::Path::new(path).is_file();
    let shells: Vec<&str> = crate::shell::SHELLS.iter().map(|row| row.name).collect();
    let options = context.options;
    let format = match (options.json, options.terse, options.long) {
        (true, ..) => "json",
        (_, true, _) => "terse",
        (_, _, true) => "long",
        _ => "regular",
    };
    let release = os_release();
    let release = |key: &str| release.get(key).cloned().unwrap_or_default();
    let seconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let line: Vec<String> = (session.args.iter()).map(ToString::to_string).collect();
    let shell = context.engine.shell();
    let kind = match shell {
        "bash" | "ksh" | "zsh" | "dash" | "sh" => "sh",
        "tcsh" | "csh" => "csh",
        other => other,
    };
    let none = String::new;
    vec![
        ("always_read_full_file", flag(true)),
        ("autoinit", flag(false)),
        ("cache_mcookie_version", "5.3".to_owned()),
        ("clock_seconds", seconds.to_string()),
        ("cmdline", line.join(" ")),
        ("commandname", context.engine.command_name().to_owned()),
        ("domainname", part(|u| u.domainname())),
        ("error_count", "0".to_owned()),
        (
            "extra_siteconfig_loaded",
            flag(is_file(&context.config.extra_siteconfig)),
        ),
        ("false_rendered", flag(false)),
        ("force", flag(options.force)),
        (
            "hiding_threshold",
            if options.all { "2" } else { "0" }.to_owned(),
        ),
        ("inhibit_errreport", flag(context.config.is_mute())),
        ("inhibit_interp", flag(false)),
        ("init_error_report", flag(true)),
        ("is_stderr_tty", flag(session.stderr_is_terminal())),
        ("is_win", flag(false)),
        ("kernelversion", part(|u| u.version())),
        ("linked_envvars", context.config.linked_variables.clone()),
        ("logfd", none()),
        ("logging", flag(!context.config.logged_events.is_empty())),
        ("lsb_codename", release("VERSION_CODENAME")),
        ("lsb_id", release("ID")),
        ("lsb_release", release("VERSION_ID")),
        ("machine", part(|u| u.machine())),
        ("modules_release", "5.6.1".to_owned()),
        ("nodename", part(|u| u.nodename())),
        ("os", part(|u| u.sysname())),
        ("osversion", part(|u| u.release())),
        ("paginate", flag(context.config.paginate)),
        ("path_separator", ":".to_owned()),
        ("report_format", format.to_owned()),
        ("reportfd", "stderr".to_owned()),
        ("return_false", flag(false)),
        ("shell", shell.to_owned()),
        ("shelltype", kind.to_owned()),
        (
            "siteconfig_loaded",
            flag(is_file(&context.config.siteconfig)),
        ),
        ("sub1_separator", "&".to_owned()),
        ("sub2_separator", "|".to_owned()),
        ("subcmd", context.engine.command_name().to_owned()),
        ("subcmd_args", context.words.join(" ")),
        ("supported_shells", shells.join(" ")),
        ("tcl_ext_lib_loaded", flag(false)),
        ("tcl_version", "8.6".to_owned()),
        ("term_columns", context.layout().width.to_string()),
        ("timer", flag(false)),
        ("usergroups", session.groups().join(" ")),
        ("username", session.user().to_owned()),
    ]
}

/// What the distribution says of itself.
fn os_release() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(key, value)| (key.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}

fn needed(context: &Context, what: &str) -> Result<String, Diagnostic> {
    match context.words {
        [name] => Ok(name.clone()),
        _ => Err(Diagnostic::new(
            Kind::Usage,
            format!("`{what}` needs one name"),
        )),
    }
}
