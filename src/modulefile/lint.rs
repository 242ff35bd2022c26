//! What can be told of a modulefile or an rc file without running it.

use std::sync::Arc;

use super::{Language, Mode, lua, tcl};
use crate::config::Config;
use crate::diag::{Diagnostic, Kind, Place, SourceFile};

/// The mistakes of a file, in the order of its lines; `mode` is that of a modulefile or of an rc file. TOML files are
/// declarations: they are read whole when they are evaluated in [`Mode::Check`].
pub fn lint(source: &Arc<SourceFile>, mode: Mode, config: &Config) -> Vec<Diagnostic> {
    match Language::of(source.path(), source.text()) {
        Some(Language::Tcl) => tcl::lint::lint(source, mode, config),
        Some(Language::Lua) => lua::lint::lint(source, mode),
        Some(Language::Toml) => Vec::new(),
        None if mode == Mode::Rc => {
            let mut found = tcl::lint::lint(source, mode, config);
            if config.rc_needs_cookie && !source.text().trim_ascii().is_empty() {
                found.insert(0, without_cookie(source));
            }
            found
        }
        None => vec![without_cookie(source)],
    }
}

fn without_cookie(source: &Arc<SourceFile>) -> Diagnostic {
    Diagnostic::new(Kind::Modulefile, "not a modulefile")
        .at(Place::line(source, 1), "")
        .help("the name of a modulefile ends in `.lua` or `.toml`, or its first line begins with `#%Module`")
}
