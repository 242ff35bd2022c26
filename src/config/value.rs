//! The types of settings: what their words mean.

use crate::name::VersionOrder;

/// A type of setting: reads itself from the text of a variable or an option.
pub(super) trait Parse: Sized {
    /// The words that it takes; empty for any text.
    const VALUES: &'static [&'static str] = &[];

    /// The value that `text` means; `None` where it means none.
    fn parse(text: &str) -> Option<Self>;
}

impl Parse for bool {
    const VALUES: &'static [&'static str] = &["1", "0"];

    /// As Lmod: empty, `0`, `no` and `off` (and `false`, `never`) mean no, all else yes.
    fn parse(text: &str) -> Option<bool> {
        let no = ["", "0", "no", "off", "false", "never"];
        Some(!no.iter().any(|n| text.eq_ignore_ascii_case(n)))
    }
}

impl Parse for String {
    fn parse(text: &str) -> Option<String> {
        Some(text.to_owned())
    }
}

impl Parse for u32 {
    fn parse(text: &str) -> Option<u32> {
        text.trim().parse().ok()
    }
}

/// Declares a type of setting whose values are words.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $variant_doc:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[doc = $variant_doc])+ $variant,)+
        }

        impl Parse for $name {
            const VALUES: &'static [&'static str] = &[$($word),+];

            fn parse(text: &str) -> Option<$name> {
                match text {
                    $($word => Some($name::$variant),)+
                    _ => None,
                }
            }
        }

        impl Invert for $name {
            fn invert(self) -> $name {
                self
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self { $($name::$variant => $word,)+ })
            }
        }
    };
}

words! {
    /// Where upper and lower case are the same.
    IgnoreCase {
        /// Nowhere.
        Never = "never",
        /// In searches: avail, spider, whatis, keyword, list.
        Search = "search",
        /// In all names.
        Always = "always",
    }
}

words! {
    /// Where a full name is cut into name and version.
    NameSplit {
        /// At the first directory that holds only modulefiles or has a default marker; those above are categories.
        Markers = "markers",
        /// At the last slash.
        LastSlash = "last_slash",
    }
}

words! {
    /// How and where collections are written.
    CollectionFormat {
        /// As Lmod does: Lua text in `~/.config/lmod`.
        Lmod = "lmod",
        /// As Environment Modules does: `module` commands in `~/.module`.
        Modules = "modules",
    }
}

words! {
    /// How a word is compared with the loaded modules.
    LoadedMatch {
        /// Differently for `unload`, `is-loaded`, `prereq`, `conflict`.
        ByPurpose = "by_purpose",
        /// By whole leading elements, for all of them.
        ByElements = "by_elements",
    }
}

words! {
    /// What becomes of sticky modules that are to be unloaded.
    StickyPurge {
        /// They come back, and are named in a note.
        Note = "note",
        /// They stay, and that is an error.
        Error = "error",
        /// They stay, with a warning where all modules are unloaded.
        Warning = "warning",
        /// They stay, and nothing is said where all modules are unloaded.
        Silent = "silent",
    }
}

words! {
    /// The language of search patterns.
    PatternLanguage {
        /// Lua's patterns, as in Lmod.
        Lua = "lua",
        /// Regular expressions.
        Regex = "regex",
    }
}

words! {
    /// What a search pattern is compared with.
    SearchMatch {
        /// The beginning of a name.
        Begins = "starts_with",
        /// Any part of a name.
        Contains = "contains",
    }
}

words! {
    /// Which of several loaded modules a word means.
    UnloadOrder {
        /// The one loaded last.
        Last = "returnlast",
        /// The one loaded first.
        First = "returnfirst",
    }
}

words! {
    /// How listings look.
    ListingStyle {
        /// As in Lmod.
        Lmod = "lmod",
        /// As in Environment Modules.
        Modules = "modules",
    }
}

/// Where reports go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redirect {
    /// To standard error.
    Never,
    /// To standard output of the shell function where a session on a terminal sends that into a pipe or a file, to standard
    /// error else.
    Piped,
    /// To standard output.
    Always,
}

impl Parse for Redirect {
    fn parse(text: &str) -> Option<Redirect> {
        if text == "piped" {
            return Some(Redirect::Piped);
        }
        bool::parse(text).map(|on| match on {
            true => Redirect::Always,
            false => Redirect::Never,
        })
    }
}

impl Invert for Redirect {
    fn invert(self) -> Redirect {
        self
    }
}

impl std::fmt::Display for Redirect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Redirect::Never => "false",
            Redirect::Piped => "piped",
            Redirect::Always => "true",
        })
    }
}

words! {
    /// How much people are told beside what they asked for.
    Verbosity {
        /// Nothing.
        Silent = "silent",
        /// Errors, warnings, and what modulefiles say.
        Concise = "concise",
        /// What happened that was not asked for.
        Normal = "normal",
        /// Each load and unload.
        Verbose = "verbose",
        /// The same.
        Verbose2 = "verbose2",
        /// Each modulefile that is evaluated.
        Trace = "trace",
        /// The same.
        Debug = "debug",
        /// The same.
        Debug2 = "debug2",
    }
}

words! {
    /// In which order the entries of one prepend come.
    PrependBlock {
        /// As they are written.
        Normal = "normal",
        /// The last one in front.
        Reversed = "reversed",
    }
}

words! {
    /// Whose single letters options are.
    OptionLetters {
        /// Lmod's: `-v` is the version, `-s` the style.
        Lmod = "lmod",
        /// Those of Environment Modules: `-v` is verbose, `-s` silent.
        Modules = "modules",
    }
}

/// Whether text for people is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// No.
    Never,
    /// On a terminal.
    Auto,
    /// Yes.
    Always,
}

impl Parse for Colour {
    const VALUES: &'static [&'static str] = &["never", "auto", "always"];

    /// The words of both peers.
    fn parse(text: &str) -> Option<Colour> {
        Some(match text {
            "never" | "no" | "off" | "0" | "" => Colour::Never,
            "always" | "force" => Colour::Always,
            "auto" | "yes" | "on" | "1" => Colour::Auto,
            _ => return None,
        })
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Colour::Never => "never",
            Colour::Auto => "auto",
            Colour::Always => "always",
        })
    }
}

impl Invert for Colour {
    fn invert(self) -> Colour {
        self
    }
}

impl Parse for VersionOrder {
    const VALUES: &'static [&'static str] = &["lmod", "dictionary"];

    fn parse(text: &str) -> Option<VersionOrder> {
        [VersionOrder::Lmod, VersionOrder::Dictionary]
            .into_iter()
            .find(|order| order.to_string() == text)
    }
}

/// What `! VARIABLE` means for a type: the opposite, where it has one.
pub(super) trait Invert {
    /// The opposite, or the value itself.
    fn invert(self) -> Self;
}

impl Invert for bool {
    fn invert(self) -> bool {
        !self
    }
}

impl Invert for String {
    fn invert(self) -> String {
        self
    }
}

impl Invert for u32 {
    fn invert(self) -> u32 {
        self
    }
}

impl Invert for VersionOrder {
    fn invert(self) -> VersionOrder {
        self
    }
}
