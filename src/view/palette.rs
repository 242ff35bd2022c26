//! The colours of listings, in one place; nothing is said by colour alone.

use anstyle::{AnsiColor, Style};

/// Names of the default of each module.
pub const DEFAULT: Style = Style::new().bold().underline();
/// Loaded modules.
pub const LOADED: Style = AnsiColor::Yellow.on_default().bold();
/// Hidden modules.
pub const HIDDEN: Style = Style::new().dimmed();
/// Forbidden modules.
pub const FORBIDDEN: Style = AnsiColor::Red.on_default().bold();
/// What is added.
pub const ADDED: Style = AnsiColor::Green.on_default();
/// What is taken away.
pub const REMOVED: Style = AnsiColor::Red.on_default();
/// Headings.
pub const HEADING: Style = Style::new().bold();

/// `text` in a style, or as it is.
pub fn paint(text: &str, style: Style, colour: bool) -> String {
    if colour {
        format!("{style}{text}{style:#}")
    } else {
        text.to_owned()
    }
}
