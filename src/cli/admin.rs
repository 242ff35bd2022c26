//! `xmod`'s own commands, for admins and scripts: `xmod init bash`, `xmod exec`, ...
//!
//! Definitions with clap; off the path of a load.

use std::os::unix::ffi::OsStrExt;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{CommandFactory, Parser, Subcommand};

use super::{catalog, counting, manual, sbatch, usage};
use crate::cache::Owner;
use crate::command::install::{self, Install};
use crate::command::{self, Outcome};
use crate::diag::{Diagnostic, Kind, Severity};
use crate::modulefile::tcl;
use crate::session::Session;
use crate::shell::{self, InitPaths, Row};

/// Environment modules for HPC sites.
///
/// `xmod SHELL SUB-COMMAND ...` is what the `module` shell function calls and evals; `module help` lists its
/// sub-commands.
#[derive(Debug, Parser)]
#[command(name = "xmod", version, max_term_width = 100)]
struct Admin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the start-up code of a shell: it defines `module` and `ml`
    Init {
        #[arg(help = known_shells())]
        shell: String,
        /// Tell, where a command is not found, which modules bring it along (bash, zsh, fish)
        #[arg(long)]
        command_not_found: bool,
    },
    /// Print what makes a shell complete the commands and options of `xmod` itself
    Completions {
        /// The shell; `module` and `ml` are completed by what `init` prints
        shell: clap_complete::Shell,
    },
    /// Install the program, its start files and manual pages below a directory
    Install {
        /// Where it will be used
        #[arg(long, default_value = "/opt/xmod")]
        prefix: Utf8PathBuf,
        /// Write the files below this root instead of `/`
        #[arg(long)]
        destdir: Option<Utf8PathBuf>,
        /// The first MODULEPATH of a session, directories separated by `:`
        #[arg(long, value_delimiter = ':')]
        modulepath: Vec<String>,
    },
    /// Remove what `install` wrote
    Uninstall {
        /// The directory it was installed below
        #[arg(long, default_value = "/opt/xmod")]
        prefix: Utf8PathBuf,
        /// The root the files were written below
        #[arg(long)]
        destdir: Option<Utf8PathBuf>,
    },
    /// Run one command with modules loaded: xmod exec gcc openmpi -- make
    Exec {
        /// The modules, then `--`, then the command with its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Print all modules of all hierarchies in a format of Lmod's `spider` program
    Spider {
        /// list, spider-json, jsonSoftwarePage, jsonReverseMapT, xalt_rmapT, moduleT, dbT, reverseMapT, softwarePageLua
        #[arg(short = 'o', long = "output", default_value = "list")]
        style: String,
        /// A file whose age tells when the tree has changed; accepted for old scripts
        #[arg(long = "timestampFn", hide = true)]
        timestamp: Option<String>,
        /// Accepted for old scripts
        #[arg(long, hide = true)]
        preload: bool,
        /// Accepted for old scripts
        #[arg(short = 'n', hide = true)]
        no_recursion: bool,
        /// The modulepaths to begin with, several joined by `:` or apart
        dirs: Vec<String>,
    },
    /// Build, describe or remove the cache that spider, keyword and category read
    Cache {
        #[command(subcommand)]
        action: CacheAction,
        /// The site's cache (`system_cache`) instead of the user's
        #[arg(long, global = true)]
        system: bool,
        /// The user's cache (the rule)
        #[arg(long, global = true, conflicts_with = "system")]
        user: bool,
    },
    /// Tell the mistakes of modulefiles and rc files; of all in MODULEPATH where none are named
    Lint {
        /// Modules, files, directories
        words: Vec<String>,
    },
    /// The software of all hierarchies for portals: export it, or see what it lacks
    Catalog {
        #[command(subcommand)]
        action: catalog::Action,
    },
    /// What is loaded how often: read logs, tell figures
    Usage {
        #[command(subcommand)]
        action: counting::Action,
    },
    /// Write the script of a Slurm batch job, with the modules it needs: xmod sbatch --modules gcc -- ./program
    Sbatch(Box<sbatch::Options>),
    /// Run a plain Tcl script with the interpreter of modulefiles
    Tclsh {
        /// The script; standard input when it is left out
        file: Option<String>,
        /// Its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
enum CacheAction {
    /// Crawl all hierarchies and write the cache anew; what has not changed is not evaluated again
    Build {
        /// How many threads; as many as there are cores if not given
        #[arg(long, short, value_parser = clap::value_parser!(u16).range(1..=256))]
        jobs: Option<u16>,
        /// Evaluate all modulefiles again, whatever the old cache knows
        #[arg(long)]
        from_scratch: bool,
        /// The modulepaths to begin with; MODULEPATH if there are none
        dirs: Vec<String>,
    },
    /// Say which caches there are, how large, and whether they are used
    Status,
    /// Remove the cache
    Clear,
}

fn cache(session: &Session, action: &CacheAction, owner: Owner) -> Result<Outcome, Diagnostic> {
    let config = command::settings(session)?;
    match action {
        CacheAction::Build {
            dirs,
            jobs,
            from_scratch,
        } => {
            let build = command::cache::Build {
                dirs: dirs.clone(),
                jobs: jobs.map(usize::from),
                from_scratch: *from_scratch,
            };
            command::cache::build(session, &config, owner, &build)
        }
        CacheAction::Status => Ok(command::cache::status(session, &config)),
        CacheAction::Clear => command::cache::clear(session, &config, owner),
    }
}

/// Runs an admin command.
pub(super) fn run(session: &Session) -> Outcome {
    // Called as `spider` the program is only that.
    let names: &[&str] = match session.program.as_str() {
        "spider" => &["xmod", "spider"],
        _ => &["xmod"],
    };
    let words = names
        .iter()
        .map(ToString::to_string)
        .chain(session.args.iter().map(ToString::to_string));
    let admin = match Admin::try_parse_from(words) {
        Ok(admin) => admin,
        Err(error) => return usage_error(&error),
    };
    let result = match admin.command {
        Command::Init {
            shell,
            command_not_found,
        } => init(session, &shell).and_then(|outcome| match command_not_found {
            true => with_handler(outcome, &shell),
            false => Ok(outcome),
        }),
        Command::Completions { shell } => Ok(answer(completions(shell))),
        Command::Spider { style, dirs, .. } => command::spider_tool::run(session, &style, &dirs),
        Command::Cache { action, system, .. } => {
            let owner = if system { Owner::System } else { Owner::User };
            cache(session, &action, owner)
        }
        Command::Install {
            prefix,
            destdir,
            modulepath,
        } => install(session, &prefix, destdir.as_deref(), &modulepath),
        Command::Uninstall { prefix, destdir } => {
            install::uninstall(&prefix, destdir.as_deref()).map(answer)
        }
        Command::Lint { words } => return lint(session, words),
        Command::Catalog { action } => catalog::run(session, &action),
        Command::Usage { action } => counting::run(session, &action),
        Command::Sbatch(options) => sbatch::run(session, &options),
        // Taken before clap is asked, because the words of a script are no options of ours; it stands here for the help.
        Command::Exec { .. } => return command::exec::run(session, &session.args[1..]),
        Command::Tclsh { .. } => return tclsh(session),
    };
    result.unwrap_or_else(|diagnostic| failed(&diagnostic))
}

/// `module lint` without a shell: the mistakes, and a status.
fn lint(session: &Session, words: Vec<String>) -> Outcome {
    let config = match command::settings(session) {
        Ok(config) => config,
        Err(diagnostic) => return failed(&diagnostic),
    };
    let lint = command::table::find("lint").expect("lint is in the table");
    let request = command::Request {
        action: command::Action::Run(lint),
        options: command::Options::default(),
        words,
        warnings: Vec::new(),
    };
    let row = shell::find("sh").expect("sh is in the table");
    Outcome {
        stdout: Vec::new(),
        ..command::run(session, &config, row, lint, &request)
    }
}

/// What clap has to say: help and version are answers, the rest are mistakes.
fn usage_error(error: &clap::Error) -> Outcome {
    let text = error.render().to_string().into_bytes();
    if error.use_stderr() {
        Outcome {
            stderr: text,
            exit: Kind::Usage.exit_code(),
            ..Outcome::default()
        }
    } else {
        Outcome {
            stdout: text,
            ..Outcome::default()
        }
    }
}

fn failed(diagnostic: &Diagnostic) -> Outcome {
    Outcome {
        stderr: diagnostic.render(Severity::Error, false, 100).into_bytes(),
        exit: diagnostic.kind.exit_code(),
        ..Outcome::default()
    }
}

/// Runs a plain Tcl script, from standard input when none is named. The words are bytes, not options: a script takes
/// what it likes.
pub(super) fn tclsh(session: &Session) -> Outcome {
    let (file, args) = match &session.args[1..] {
        [] => (None, Vec::new()),
        [file, args @ ..] => (Some(file), args.iter().map(|a| a.to_vec()).collect()),
    };
    let env = session
        .env
        .iter()
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect();
    let cwd = session.cwd().cloned().unwrap_or_default();
    let exit = tcl::tclsh(tcl::Shell {
        file: file.map(|file| std::path::Path::new(std::ffi::OsStr::from_bytes(file))),
        args: &args,
        env,
        cwd: cwd.as_std_path(),
        executable: session.exe().map_or(b"", |exe| exe.as_str().as_bytes()),
    });
    Outcome {
        exit,
        ..Outcome::default()
    }
}

/// Text for the admin on standard output.
fn answer(text: String) -> Outcome {
    Outcome {
        stdout: text.into_bytes(),
        ..Outcome::default()
    }
}

/// The path of this program.
fn own_path(session: &Session) -> Result<&Utf8PathBuf, Diagnostic> {
    session.exe().ok_or_else(|| {
        Diagnostic::new(
            Kind::Site,
            "the system does not tell where this program lies",
        )
    })
}

/// What makes a shell complete `xmod`.
fn completions(shell: clap_complete::Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Admin::command(), "xmod", &mut text);
    let text = String::from_utf8_lossy(&text);
    match shell {
        // `_xmod` is the function that completes `module`.
        clap_complete::Shell::Zsh => text.replace("_xmod", "_xmod_admin").replace(
            "compdef _xmod_admin xmod",
            "(( $+functions[compdef] )) && compdef _xmod_admin xmod",
        ),
        _ => text.into_owned(),
    }
}

/// Installs this program.
fn install(
    session: &Session,
    prefix: &Utf8Path,
    destdir: Option<&Utf8Path>,
    modulepath: &[String],
) -> Result<Outcome, Diagnostic> {
    let manuals = [
        ("module.1", usage::manual()),
        ("ml.1", ".so man1/module.1\n".to_owned()),
        ("xmod.1", manual::text(&Admin::command())),
    ];
    let completions = [
        (
            "share/bash-completion/completions/xmod",
            completions(clap_complete::Shell::Bash),
        ),
        (
            "share/fish/vendor_completions.d/xmod.fish",
            completions(clap_complete::Shell::Fish),
        ),
        (
            "share/zsh/site-functions/_xmod_admin",
            completions(clap_complete::Shell::Zsh),
        ),
    ];
    let install = Install {
        program: own_path(session)?,
        prefix,
        destdir,
        modulepath,
        manuals: &manuals,
        completions: &completions,
    };
    install.run().map(answer)
}

/// Code for `eval` that makes a session know `module`, as Environment Modules has it.
pub(super) fn autoinit(session: &Session, row: &Row) -> Result<Outcome, Diagnostic> {
    let text = row
        .autoinit(&InitPaths::of_program(own_path(session)?))
        .ok_or_else(|| no_start(row.name))?;
    Ok(answer(text))
}

fn no_start(name: &str) -> Diagnostic {
    Diagnostic::new(Kind::Usage, format!("`{name}` has no start-up code"))
}

/// The names of all shells with start-up code, for people.
fn known_shells() -> String {
    let names: Vec<&str> = shell::SHELLS
        .iter()
        .filter(|row| row.start.is_some())
        .map(|row| row.name)
        .collect();
    names.join(", ")
}

/// Start-up code with the handler for commands that are not found behind it.
fn with_handler(mut outcome: Outcome, name: &str) -> Result<Outcome, Diagnostic> {
    let handler = shell::find(name).and_then(|row| shell::command_not_found(row.name));
    let handler = handler.ok_or_else(|| {
        Diagnostic::new(
            Kind::Usage,
            format!("`{name}` does not ask what to do about a command that is not found"),
        )
        .help("bash, zsh and fish do")
    })?;
    outcome.stdout.push(b'\n');
    outcome.stdout.extend_from_slice(handler.as_bytes());
    Ok(outcome)
}

/// The start-up code of a shell.
fn init(session: &Session, name: &str) -> Result<Outcome, Diagnostic> {
    let row = shell::find(name).ok_or_else(|| {
        Diagnostic::new(Kind::Usage, format!("unknown shell `{name}`"))
            .help(format!("known are {}", known_shells()))
    })?;
    let exe = own_path(session)?;
    let text = row
        .init_text(&InitPaths::of_program(exe))
        .ok_or_else(|| no_start(name))?;
    Ok(Outcome {
        stdout: text.into_bytes(),
        ..Outcome::default()
    })
}
