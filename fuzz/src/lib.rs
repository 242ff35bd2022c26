//! The world in which fuzzed Tcl scripts run: nothing can be changed and no program starts.

use std::time::Duration;

use xmod::diag::SourceFile;
use xmod::modulefile::tcl::{
    Action, Call, CommandId, Embedding, Exit, Interp, Limits, Outcome, Stream, Value,
};

/// An embedding without commands, variables and output, which permits nothing.
struct Nowhere;

impl Embedding for Nowhere {
    fn find_command(&mut self, _name: &[u8]) -> Option<CommandId> {
        None
    }

    fn command_names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn call(&mut self, _command: CommandId, _call: &Call<'_>) -> Outcome {
        Err(Exit::error("no such command"))
    }

    fn env_get(&mut self, _name: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn env_set(&mut self, _name: &[u8], _value: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn env_unset(&mut self, _name: &[u8]) -> Result<(), String> {
        Ok(())
    }

    fn env_names(&mut self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn write(&mut self, _stream: Stream, _bytes: &[u8]) -> std::io::Result<()> {
        Ok(())
    }

    fn permit(&mut self, _action: Action) -> Result<(), String> {
        Err("not permitted".to_owned())
    }

    fn directory(&mut self) -> std::path::PathBuf {
        "/nowhere".into()
    }
}

/// Bounds that keep one case short.
fn limits(steps: u64) -> Limits {
    Limits {
        steps,
        time: Some(Duration::from_secs(2)),
        value_bytes: 1 << 20,
        output_bytes: 1 << 16,
        ..Limits::default()
    }
}

/// Runs `text` as a file.
pub fn run(text: &[u8], steps: u64) {
    let mut world = Nowhere;
    let mut interp = Interp::new(&mut world, limits(steps));
    // Any outcome is right but a panic or a hang.
    let _ = interp.run_file(&SourceFile::new("fuzz.tcl", text));
    interp.finish();
}

/// Takes `text` apart as all that Tcl reads: a script, a list, an expression, a format, a pattern.
pub fn parse(text: &[u8]) {
    run(text, 0);
    let mut world = Nowhere;
    let mut interp = Interp::new(&mut world, limits(10_000));
    interp.set_globals(&[("text", Value::new(text))]);
    for script in [
        "info complete $text",
        "llength $text; dict size $text",
        "expr {$text + 0}",
        "subst -nocommands -novariables $text",
        "format $text 1 2.5 x",
        "scan $text $text",
        "regexp -inline -all -- $text $text",
        "string match $text $text; lsort -dictionary [list $text a1]",
        "clock scan $text -gmt 1; clock format 0 -format $text -gmt 1",
        "file split $text; file normalize $text; binary scan $text $text x",
    ] {
        let _ = interp.eval_global(&Value::from(script));
    }
    interp.finish();
}
