//! A command line becomes a [`Request`]: definitions only, no behaviour.
//!
//! The grammar of `module` and `ml` is our own small table (`command/table.rs`), because it is on the path of every load;
//! `xmod`'s admin commands use clap (`admin.rs`).

mod admin;
mod catalog;
mod complete;
mod counting;
mod manual;
mod ml;
mod options;
mod sbatch;
mod usage;

use bstr::{BString, ByteSlice};

use crate::command::{self, Action, Dump, Outcome, Request, table};
use crate::config::{Config, Policy};
use crate::diag::{Diagnostic, Kind};
use crate::session::Session;
use crate::shell::{self, Row};

/// Runs the whole program.
pub fn run(session: &Session) -> Outcome {
    let first = session.args.first().map(|a| a.to_str_lossy());
    if session.program == "spider" {
        return admin::run(session);
    }
    let named = match first.as_deref() {
        Some("shell") => Some(parent_shell()),
        Some(name) => shell::find(name),
        None => None,
    };
    // The words behind these two are somebody else's, not options of ours: clap must not see them.
    match first.as_deref() {
        Some("tclsh") => return admin::tclsh(session),
        Some("exec") if !asks_for_help(&session.args[1..]) => {
            return command::exec::run(session, &session.args[1..]);
        }
        _ => {}
    }
    let is_peer = matches!(
        session.program.as_str(),
        "lmod" | "modulecmd" | "modulecmd.tcl"
    );
    match named {
        Some(shell) => module(session, shell, &session.args[1..]),
        None if session.program.starts_with("modulecmd")
            && first.as_deref().is_some_and(|f| !f.starts_with('-')) =>
        {
            let diagnostic = Diagnostic::new(
                Kind::Usage,
                format!("Unknown shell type '({})'", first.unwrap_or_default()),
            );
            command::failed(session, &Config::new(session), None, &diagnostic)
        }
        // Lmod: what is not a shell belongs to the request, and the answer is for bash.
        None if is_peer => module(
            session,
            shell::find("bash").expect("bash is in the table"),
            &session.args,
        ),
        None => admin::run(session),
    }
}

/// Whether the first word behind `exec` is no module but the wish for help.
fn asks_for_help(words: &[BString]) -> bool {
    words
        .first()
        .is_some_and(|word| *word == "-h" || *word == "--help")
}

/// One call of `module` for `shell`.
fn module(session: &Session, shell: &'static Row, args: &[BString]) -> Outcome {
    let mut config = Config::new(session);
    if let Some((first, words)) = args.split_first()
        && let Some(protocol) = complete::Protocol::find(first)
    {
        return complete::run(session, &config, protocol, words);
    }
    // The answer is a start file, not a difference: no request.
    if args == ["autoinit"] {
        return admin::autoinit(session, shell).unwrap_or_else(|diagnostic| {
            command::failed(session, &config, Some(shell), &diagnostic)
        });
    }
    // What start files of languages ask for where no MODULEPATH is set.
    if args == ["modulespath"] {
        return command::modulespath::run(session, &config, shell);
    }
    let extra = session.text("LMOD_OPTIONS");
    let request = match parse_with(extra, args, &config) {
        Ok(request) => request,
        Err(diagnostic) => return command::failed(session, &config, Some(shell), &diagnostic),
    };
    command::apply_options(&mut config, &request.options);
    let say = |text: String, ok: bool| command::say(session, &config, shell, text, ok);
    match request.action {
        Action::Run(subcommand) => command::run(session, &config, shell, subcommand, &request),
        Action::Usage => say(usage::text(&session.program), true),
        Action::Nothing => say(usage::text(&session.program), false),
        Action::Version => say(usage::version(&session.program), true),
        Action::Dump(Dump::Version) => say("9.2.9".to_owned(), true),
        Action::Dump(Dump::GitVersion) => {
            say(format!("xmod {}\n", env!("CARGO_PKG_VERSION")), true)
        }
        Action::Dump(Dump::Name) => say(format!("{}\n", config.tool_name), true),
        Action::Config(report) => match command::settings(session) {
            Ok(mut config) => {
                command::apply_options(&mut config, &request.options);
                say(command::config_report(&config, report), true)
            }
            Err(diagnostic) => command::failed(session, &config, Some(shell), &diagnostic),
        },
        Action::State => command::state_report(session, &config, shell),
    }
}

/// The shell that started us: the name of the parent's program, bash where it is none of ours.
fn parent_shell() -> &'static Row {
    let parent = nix::unistd::getppid();
    std::fs::read_link(format!("/proc/{parent}/exe"))
        .ok()
        .and_then(|exe| {
            exe.file_name()
                .and_then(|n| n.to_str())
                .and_then(shell::find)
        })
        .unwrap_or_else(|| shell::find("bash").expect("bash is in the table"))
}

/// Reads the words after the name of the shell. `extra` are options from `LMOD_OPTIONS`, read first.
///
/// # Errors
/// An unknown sub-command, an option without its value, or a word that is not UTF-8.
pub fn parse(extra: Option<&str>, args: &[BString]) -> Result<Request, Diagnostic> {
    parse_with(extra, args, &Config::preset(Policy::Lmod))
}

/// The same as the settings say: whose single letters options are, and whether unknown ones are mistakes.
fn parse_with(
    extra: Option<&str>,
    args: &[BString],
    config: &Config,
) -> Result<Request, Diagnostic> {
    let mut words = args
        .iter()
        .map(|a| {
            a.to_str().map(str::to_owned).map_err(|_| {
                Diagnostic::new(Kind::Usage, format!("`{a}` is not valid UTF-8"))
                    .note("names of modules and directories in MODULEPATH must be UTF-8")
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    // Scripting languages pass one string: `module('load', 'a b')`.
    if let [single] = words.as_slice()
        && single.contains(char::is_whitespace)
    {
        words = single.split_whitespace().map(str::to_owned).collect();
    }
    let is_ml = words.first().is_some_and(|w| w == "ml");
    if is_ml {
        words = ml::rewrite(&words[1..])?;
    }
    let mut reader = options::Reader {
        letters: Some(config.option_letters),
        ..options::Reader::default()
    };
    reader.options.by_ml = is_ml;
    if let Some(extra) = extra {
        let extra = options::split_quoted(extra);
        if let Some(word) = reader.take_leading(&extra)?.first() {
            let warning = format!("LMOD_OPTIONS holds `{word}`, which is not an option");
            reader.warnings.push(warning);
        }
    }
    let rest = reader.take_leading(&words)?;
    let found = rest
        .split_first()
        .map(|(word, rest)| (word, table::find(word), rest));
    let (subcommand, words) = match found {
        Some((_, Some(subcommand), rest)) => {
            (Some(subcommand), reader.take_anywhere(subcommand, rest)?)
        }
        Some((word, None, _)) if reader.options.asked.is_none() => return Err(unknown(word)),
        Some((_, None, _)) | None => (None, Vec::new()),
    };
    let action = match (reader.options.asked, subcommand) {
        (Some(action), _) => action,
        (None, None) => Action::Nothing,
        (None, Some(subcommand)) if subcommand.name == "help" && words.is_empty() => Action::Usage,
        (None, Some(subcommand)) => Action::Run(subcommand),
    };
    if let Some(subcommand) = subcommand
        && !reader.options.tags.is_empty()
        && !TAGGING.contains(&subcommand.name)
    {
        let message = format!("`--tag` does not go with `{}`", subcommand.name);
        return Err(Diagnostic::new(Kind::Usage, message));
    }
    let mut warnings = reader.warnings;
    for word in reader.unknown {
        let message = format!("unknown option `{word}`");
        if config.unknown_options_fail {
            return Err(
                Diagnostic::new(Kind::Usage, message).help("`module help` lists all options")
            );
        }
        warnings.push(message);
    }
    Ok(Request {
        action,
        options: reader.options,
        words,
        warnings,
    })
}

/// The sub-commands that take `--tag`, if only to pass it over.
const TAGGING: [&str; 5] = ["load", "load-any", "swap", "try-load", "unload"];

fn unknown(word: &str) -> Diagnostic {
    let diagnostic = Diagnostic::new(Kind::Usage, format!("unknown sub-command `{word}`"));
    let diagnostic = match table::near(word) {
        Some(near) => diagnostic.help(format!("did you mean `module {near}`?")),
        None => diagnostic,
    };
    diagnostic.help("`module help` lists all sub-commands")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Request {
        let args: Vec<BString> = line.split_whitespace().map(BString::from).collect();
        parse(None, &args).unwrap()
    }

    fn name(request: &Request) -> &'static str {
        match request.action {
            Action::Run(s) => s.name,
            _ => "-",
        }
    }

    #[test]
    fn options_are_understood_before_and_after_the_sub_command() {
        for line in [
            "-t avail gcc",
            "avail -t gcc",
            "--terse avail gcc",
            "avail gcc --terse",
        ] {
            let request = read(line);
            assert!(request.options.terse, "{line}");
            assert_eq!(request.words, ["gcc"], "{line}");
        }
    }

    #[test]
    fn a_dash_before_a_name_is_an_unload_on_load_only() {
        let request = read("load gcc -openmpi");
        assert_eq!(request.words, ["gcc", "-openmpi"]);
        assert_eq!(read("load -t").words, ["-t"]);
    }

    #[test]
    fn ml_is_rewritten() {
        assert_eq!(name(&read("ml")), "list");
        assert_eq!(name(&read("ml gcc")), "load");
        assert_eq!(read("ml gcc -openmpi").words, ["gcc", "-openmpi"]);
        let request = read("ml foo av");
        assert_eq!(
            (name(&request), request.words),
            ("avail", vec!["foo".to_owned()])
        );
        assert_eq!(name(&read("ml spider x")), "spider");
    }

    #[test]
    fn one_argument_with_blanks_is_several_words() {
        let request = parse(None, &["load a b".into()]).unwrap();
        assert_eq!(request.words, ["a", "b"]);
    }

    #[test]
    fn unknown_options_warn_and_unknown_sub_commands_fail() {
        assert_eq!(read("--bogus list").warnings.len(), 1);
        let error = parse(None, &["laod".into()]).unwrap_err();
        assert_eq!(error.help[0], "did you mean `module load`?");
    }
}
