//! Reads the session, runs, writes out. The only place that ends the process.

use std::io::Write;
use std::process::ExitCode;

use xmod::session::Session;

fn main() -> ExitCode {
    let session = Session::from_process();
    let outcome = xmod::cli::run(&session);
    // A closed pipe is not a failure: whoever closed it has read enough.
    let _ = std::io::stderr().write_all(&outcome.stderr);
    if let Some((pager, report)) = &outcome.paged {
        pager.show(report);
    }
    let _ = std::io::stdout().write_all(&outcome.stdout);
    ExitCode::from(outcome.exit)
}
