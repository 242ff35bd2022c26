//! The pager: the program that shows reports on a terminal.
//!
//! Asked for only where standard error is a terminal that can be moved about in, and where the shell is one that people type
//! into. What it is comes from the settings: `less`, with options that let it end by itself where the report fits.
//!
//! Sources: Lmod user guide, `LMOD_PAGER`, `LMOD_PAGER_OPTS`; `module(1)`, `MODULES_PAGER`.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use nix::sys::signal::{SigSet, Signal};

use crate::config::Config;
use crate::session::Session;

/// A program that shows text, and how it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pager {
    program: String,
    args: Vec<String>,
    /// The variable `LESS`; `None` leaves the user's.
    less: Option<String>,
}

impl Pager {
    /// The pager of this session; `None` where there is no terminal for it, or none is wanted.
    pub(super) fn of(session: &Session, config: &Config) -> Option<Pager> {
        let terminal = session.text("TERM").unwrap_or_default();
        if !config.paginate || ["", "dumb"].contains(&terminal) || !session.stderr_is_terminal() {
            return None;
        }
        let mut words = config.pager.split_whitespace().map(str::to_owned);
        let program = words.next().filter(|program| program != "cat")?;
        Some(Pager {
            program,
            args: words.collect(),
            less: Some(config.pager_options.clone()).filter(|options| !options.is_empty()),
        })
    }

    /// Shows `text` and waits for the end of the pager. Where that cannot be started, the text goes to standard error as it is.
    pub fn show(&self, text: &str) {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .stdin(Stdio::piped())
            // Standard output is where the code for the shell goes.
            .stdout(io::stderr());
        if let Some(less) = &self.less {
            command.env("LESS", less);
        }
        let Ok(mut pager) = command.spawn() else {
            let _ = io::stderr().write_all(text.as_bytes());
            return;
        };
        // Ctrl-C in the pager is the pager's: without us nobody would wait for it, and two would read the keyboard.
        let mut interrupt = SigSet::empty();
        interrupt.add(Signal::SIGINT);
        let _ = interrupt.thread_block();
        if let Some(mut stdin) = pager.stdin.take() {
            // Who leaves the pager early has read enough.
            let _ = stdin.write_all(text.as_bytes());
        }
        let _ = pager.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Origin, Policy};

    fn session(terminal: bool, term: &str) -> Session {
        let mut session = Session::default().with_terminal(terminal);
        session.env.insert("TERM".into(), term.into());
        session
    }

    #[test]
    fn only_a_terminal_that_can_be_moved_about_in_has_a_pager() {
        let config = Config::preset(Policy::Lmod);
        for (terminal, term) in [(false, "xterm"), (true, ""), (true, "dumb")] {
            assert_eq!(Pager::of(&session(terminal, term), &config), None);
        }
        let pager = Pager::of(&session(true, "xterm"), &config).unwrap();
        assert_eq!(
            (pager.program.as_str(), pager.less.as_deref()),
            ("less", Some("-XqMREF"))
        );
    }

    #[test]
    fn each_policy_has_its_pager_and_the_user_may_have_none() {
        let session = session(true, "xterm");
        let mut config = Config::preset(Policy::Modules);
        let pager = Pager::of(&session, &config).unwrap();
        assert_eq!(
            (pager.program.as_str(), pager.args, pager.less),
            ("less", vec!["-eFKRX".to_owned()], None)
        );
        for none in ["", "cat"] {
            config.set("pager", none, Origin::Option);
            assert_eq!(Pager::of(&session, &config), None);
        }
        config.set("pager", "more", Origin::Option);
        config.set("paginate", "no", Origin::Option);
        assert_eq!(Pager::of(&session, &config), None);
    }
}
