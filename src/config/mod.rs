//! Settings: defaults of the policy, then the site's file, then the user's, then variables, then options.
//!
//! A difference between the two peers is always a setting here with a default in each preset, never an `if` on the
//! preset. Each value remembers where it came from.
//!
//! Sources: Lmod user guide "Configuring Lmod"; `module(1)` "Modules configuration"; design section "One behaviour, two
//! policies".

mod file;
mod value;

use bstr::ByteSlice;

use crate::diag::{Diagnostic, Kind};
use crate::name::{LoadedRules, SpecRules, VersionOrder};
use crate::session::Session;

pub use value::{
    CollectionFormat, Colour, IgnoreCase, ListingStyle, LoadedMatch, NameSplit, OptionLetters,
    PatternLanguage, PrependBlock, Redirect, SearchMatch, StickyPurge, UnloadOrder, Verbosity,
};
use value::{Invert, Parse};

/// The preset that gives all settings their defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Answers as Lmod does.
    #[default]
    Lmod,
    /// Answers as Environment Modules does.
    Modules,
}

/// Where the value of a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The preset.
    Default,
    /// A configuration file.
    File(camino::Utf8PathBuf),
    /// An environment variable.
    Variable(&'static str),
    /// An option on the command line.
    Option,
}

/// One setting as listings and the reference show it.
#[derive(Debug)]
pub struct Setting {
    /// Its key in configuration files.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// The variables that give it a value, of several that are set the last wins.
    pub variables: &'static [Variable],
    /// The words that it takes; empty where it takes any text.
    pub values: &'static [&'static str],
}

/// An environment variable that gives a setting its value.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// Whether its value means the opposite (`LMOD_DISABLE_NAME_AUTOSWAP`).
    pub inverted: bool,
}

/// How Environment Modules abbreviates its tags.
const TAG_ABBREVIATIONS: &str = "auto-loaded=aL:loaded=L:hidden=H:hidden-loaded=H:forbidden=F:\
    nearly-forbidden=nF:sticky=S:super-sticky=sS:keep-loaded=kL:warning=W";

/// How the names of all variables begin that give settings their values.
const PREFIXES: [&str; 3] = ["LMOD_", "MODULE", "XMOD_"];

/// Declares the settings once: field, type, defaults of both presets, variables, documentation.
macro_rules! settings {
    ($( $(#[doc = $doc:literal])+ $name:ident : $type:ty = $lmod:expr, $modules:expr ; $($var:literal)* $(! $($inv:literal)+)? ; )*) => {
        /// All settings with their values.
        #[derive(Debug, Clone)]
        pub struct Config {
            /// The preset the defaults were taken from.
            pub policy: Policy,
            $( $(#[doc = $doc])+ pub $name: $type, )*
            origins: Vec<(&'static str, Origin)>,
            /// The settings that only the site may change.
            pub locked: Vec<String>,
            /// Mistakes in configuration files.
            pub problems: Vec<Diagnostic>,
        }

        /// The settings in the order of their declaration.
        pub const SETTINGS: &[Setting] = &[
            $( Setting {
                name: stringify!($name),
                doc: concat!($($doc, "\n"),+),
                values: <$type as Parse>::VALUES,
                variables: &[ $(Variable { name: $var, inverted: false },)* $($(Variable { name: $inv, inverted: true },)+)? ],
            }, )*
        ];

        impl Config {
            /// The defaults of a preset.
            pub fn preset(policy: Policy) -> Config {
                Config {
                    policy,
                    $( $name: match policy { Policy::Lmod => $lmod, Policy::Modules => $modules }, )*
                    origins: Vec::new(),
                    locked: Vec::new(),
                    problems: Vec::new(),
                }
            }

            /// Gives the setting `name` the value that `text` stands for.
            ///
            /// # Errors
            /// `false` where there is no such setting or it cannot hold the value; nothing is changed then.
            pub fn set(&mut self, name: &str, text: &str, origin: Origin) -> bool {
                match name {
                    $( stringify!($name) => match <$type as Parse>::parse(text) {
                        Some(value) => { self.$name = value; self.note(stringify!($name), origin); true }
                        None => false,
                    }, )*
                    _ => false,
                }
            }

            fn read_variables(&mut self, session: &Session) {
                // Few of a hundred are set: one look at the environment instead of a search for each.
                let ours = session.env.iter().filter(|(name, _)| PREFIXES.iter().any(|p| name.starts_with(p.as_bytes())));
                let ours: Vec<(&str, &str)> = ours
                    .filter_map(|(name, value)| Some((name.to_str().ok()?, value.to_str().ok()?)))
                    .collect();
                let text = |name: &str| ours.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
                $(
                    $( if let Some(value) = text($var).and_then(<$type as Parse>::parse) {
                        self.$name = value;
                        self.note(stringify!($name), Origin::Variable($var));
                    } )*
                    $($( if let Some(value) = text($inv).and_then(<$type as Parse>::parse) {
                        self.$name = Invert::invert(value);
                        self.note(stringify!($name), Origin::Variable($inv));
                    } )+)?
                )*
            }

            /// All settings as name, value in text form, origin.
            pub fn list(&self) -> Vec<(&'static str, String, Origin)> {
                vec![ $( (stringify!($name), self.$name.to_string(), self.origin(stringify!($name))), )* ]
            }
        }
    };
}

settings! {
    /// Loading a module unloads another version of the same name first; when off, that is an error.
    auto_swap_name: bool = true, false; ! "LMOD_DISABLE_NAME_AUTOSWAP" "LMOD_DISABLE_SAME_NAME_AUTOSWAP";
    /// At most one version of a name may be loaded.
    unique_name: bool = true, false; "MODULES_UNIQUE_NAME_LOADED" ;
    /// Loading a member of a family unloads the other member; when off, that is an error.
    auto_swap_family: bool = true, false; "LMOD_AUTO_SWAP" ;
    /// An incomplete version (`gcc/12`) means the best version that begins with it.
    extended_default: bool = true, true; "MODULES_EXTENDED_DEFAULT" "LMOD_EXTENDED_DEFAULT" ;
    /// The cache file that the site's admin builds (`xmod cache build --system`); empty: none.
    system_cache: String = String::new(), String::new(); "XMOD_SYSTEM_CACHE" ;
    /// The name of the user's cache file in `$XDG_CACHE_HOME/xmod`; the site's hook `groupName` may change it.
    user_cache: String = "modules.sqlite".to_owned(), "modules.sqlite".to_owned(); "XMOD_USER_CACHE" ;
    /// Crawls that evaluated modulefiles for longer than this many milliseconds are remembered in the user's cache.
    cache_after_ms: u32 = 50, 50; "XMOD_CACHE_AFTER_MS" ;
    /// What patterns of `avail` and `list` are compared with: `starts_with` for the beginning of a name, `contains`.
    search_match: SearchMatch = SearchMatch::Contains, SearchMatch::Begins; "MODULES_SEARCH_MATCH" ;
    /// How `avail`, `list`, `whatis` and `search` look: `lmod`, `modules`.
    listing_style: ListingStyle = ListingStyle::Lmod, ListingStyle::Modules; "XMOD_LISTING_STYLE" ;
    /// `avail` also shows what lies in the directories that match; when off, only the directories.
    avail_in_depth: bool = true, true; "MODULES_AVAIL_INDEPTH" ;
    /// What `avail` shows in the style of Environment Modules.
    avail_output: String = "modulepath:alias:dirwsym:sym:tag:variantifspec:key".to_owned(), "modulepath:alias:dirwsym:sym:tag:variantifspec:key".to_owned(); "MODULES_AVAIL_OUTPUT" ;
    /// The same for terse output.
    avail_terse_output: String = "modulepath:alias:dirwsym:sym:tag:variantifspec".to_owned(), "modulepath:alias:dirwsym:sym:tag:variantifspec".to_owned(); "MODULES_AVAIL_TERSE_OUTPUT" ;
    /// What `spider` shows in the style of Environment Modules.
    spider_output: String = "modulepath:alias:dirwsym:sym:tag:variantifspec:via:key".to_owned(), "modulepath:alias:dirwsym:sym:tag:variantifspec:via:key".to_owned(); "MODULES_SPIDER_OUTPUT" ;
    /// The same for terse output.
    spider_terse_output: String = "modulepath:alias:dirwsym:sym:tag:variantifspec".to_owned(), "modulepath:alias:dirwsym:sym:tag:variantifspec".to_owned(); "MODULES_SPIDER_TERSE_OUTPUT" ;
    /// `spider` in that style also shows what lies in the directories that match.
    spider_in_depth: bool = true, true; "MODULES_SPIDER_INDEPTH" ;
    /// What `list` shows in the style of Environment Modules.
    list_output: String = "header:idx:variant:sym:tag:key".to_owned(), "header:idx:variant:sym:tag:key".to_owned(); "MODULES_LIST_OUTPUT" ;
    /// The same for terse output.
    list_terse_output: String = "header".to_owned(), "header".to_owned(); "MODULES_LIST_TERSE_OUTPUT" ;
    /// Short forms of tags in listings of Environment Modules' style.
    tag_abbreviations: String = TAG_ABBREVIATIONS.to_owned(), TAG_ABBREVIATIONS.to_owned(); "MODULES_TAG_ABBREV" ;
    /// Modules that were loaded because another one needs them are left out of `list`.
    hide_auto_loaded: bool = false, false; "MODULES_HIDE_AUTO_LOADED" ;
    /// `is-loaded` and `is-avail` with several names are true if it is so for any of them; when off, for all.
    questions_ask_for_any: bool = false, true; "XMOD_QUESTIONS_ASK_FOR_ANY" ;
    /// How many threads read and evaluate a tree; 0: as many as there are cores.
    jobs: u32 = 0, 0; "XMOD_JOBS" ;
    /// How it is decided whether a modulepath is still as the cache knows it: `dir` (all its directories are looked at),
    /// `stamp` (one file, `.xmod-stamp` in it; `stamp:FILE` for another), `trust` (until the next build). `DIR=LEVEL;...` for
    /// single modulepaths.
    cache_freshness: String = "dir".to_owned(), "dir".to_owned(); "XMOD_CACHE_FRESHNESS" ;
    /// `avail` lists the extensions that the modules bring along.
    avail_extensions: bool = true, true; "LMOD_AVAIL_EXTENSIONS" ;
    /// Terse listings mark hidden and forbidden modules.
    terse_decorations: bool = true, true; "LMOD_TERSE_DECORATIONS" ;
    /// Which listings show hidden modules: `yes`, `no`, or a colon list of `avail`, `list`, `spider`.
    show_hidden: String = "no".to_owned(), "no".to_owned(); "LMOD_SHOW_HIDDEN" ;
    /// `show`, `help` and `test` look as in Environment Modules: calls are Tcl commands, not Lua calls.
    show_tcl: bool = false, true; ;
    /// Files and directories whose names hold one of these Lua patterns are not modules: `{"%.bak$", "^old"}`.
    file_ignore_patterns: String = String::new(), String::new(); "LMOD_FILE_IGNORE_PATTERNS" ;
    /// What rc files exclude by `modulepath-ignore` is left out.
    modulepath_ignore: bool = true, true; "MODULES_MODULEPATH_IGNORE" ;
    /// The language of the patterns behind `-r`: `lua`, `regex`.
    pattern_language: PatternLanguage = PatternLanguage::Lua, PatternLanguage::Regex; "XMOD_PATTERN_LANGUAGE" ;
    /// The site's messages about modules that users load (`NAME | NAME: text`), shown after the load; empty for none.
    admin_file: String = String::new(), String::new(); "LMOD_ADMIN_FILE" ;
    /// Only full names and marked defaults can be loaded.
    exact_match: bool = false, false; "LMOD_EXACT_MATCH" ;
    /// Defaults come from the first modulepath that holds the name, not from the best of all.
    find_first: bool = false, true; "LMOD_TMOD_FIND_FIRST" ;
    /// How versions are ordered.
    version_order: VersionOrder = VersionOrder::Lmod, VersionOrder::Dictionary; "XMOD_VERSION_ORDER" ;
    /// A name without a marked default means its highest version.
    implicit_default: bool = true, true; "MODULES_IMPLICIT_DEFAULT" ;
    /// A category (a directory of names) has a default too: `load bio` goes down to a module.
    category_default: bool = false, true; "XMOD_CATEGORY_DEFAULT" ;
    /// A full name is looked for in all modulepaths before an incomplete version is completed in the first one.
    full_name_first: bool = true, false; "XMOD_FULL_NAME_FIRST" ;
    /// `NAME/latest` and `NAME/default` exist by themselves.
    automatic_symbols: bool = false, true; "XMOD_AUTOMATIC_SYMBOLS" ;
    /// A marked default that does not exist in its directory is looked for by its name, in later modulepaths too, and its
    /// name may be an incomplete version; when off, such a mark says nothing.
    marked_default_is_a_name: bool = false, true; "XMOD_MARKED_DEFAULT_IS_A_NAME" ;
    /// Names that only rc files know make directories with defaults: after `module-virtual foo/1 FILE`, `load foo` means it.
    names_make_directories: bool = false, true; "XMOD_NAMES_MAKE_DIRECTORIES" ;
    /// A name with `@` in it is looked for as it is before what follows is taken for versions.
    at_in_names: bool = true, false; "XMOD_AT_IN_NAMES" ;
    /// The characters that may follow an incomplete version: with `.` and `-`, `gcc/12` means `gcc/12.3` and `gcc/12-1`.
    extended_separators: String = "-+_.=".to_owned(), "-.".to_owned(); "XMOD_EXTENDED_SEPARATORS" ;
    /// An alias (`module-alias`) counts as a version when the highest one is looked for.
    aliases_compete: bool = false, true; "XMOD_ALIASES_COMPETE" ;
    /// An incomplete version that ends in a letter or one of those characters may be continued by anything: `gcc/12.`.
    extended_prefix: bool = true, false; "XMOD_EXTENDED_PREFIX" ;
    /// Where a full name is cut into name and version.
    name_split: NameSplit = NameSplit::Markers, NameSplit::LastSlash; "XMOD_NAME_SPLIT" ;
    /// Of several default markers in a directory only the first counts: link, `.modulerc.lua`, `.modulerc`, `.version`.
    single_marker: bool = true, false; "XMOD_SINGLE_MARKER" ;
    /// A symbolic link named `default` marks the default version.
    default_links: bool = true, false; "XMOD_DEFAULT_LINKS" ;
    /// A later definition of a default or a symbolic version replaces an earlier one, and the user's the site's; when off,
    /// the first one stays.
    redefine_symbols: bool = true, false; "XMOD_REDEFINE_SYMBOLS" ;
    /// The user's own rc file is not read.
    ignore_user_rc: bool = false, false; "MODULES_IGNORE_USER_RC" ;
    /// The site's and the user's rc files in Tcl are modulefiles that each request begins with: they may set variables, add
    /// modulepaths and load modules. When off, they only speak about names.
    rc_files_are_modulefiles: bool = false, true; "XMOD_RC_FILES_ARE_MODULEFILES" ;
    /// The site's rc files, separated by colons; a directory stands for the rc files in it.
    rc_files: String = String::new(), String::new(); "MODULERCFILE" "MODULES_RCFILE" "LMOD_MODULERCFILE" "LMOD_MODULERC" ;
    /// How deep names lie in a modulepath, where its directories do not tell: `DIR:DEPTH;...`.
    max_depth: String = String::new(), String::new(); "LMOD_MAXDEPTH" ;
    /// `NAME/1.0` means the hidden `NAME/.1.0` where that is the only one.
    dot_hidden_alias: bool = false, false; "LMOD_DOT_HIDDEN_LOAD_ALIAS" ;
    /// A hidden default is what an incomplete version or a range means, too, not only the bare name.
    hidden_default_in_ranges: bool = true, false; "XMOD_HIDDEN_DEFAULT_IN_RANGES" ;
    /// Asking for `.x` shows what is hidden only because of that dot: `.x/1`.
    dot_reveals: bool = false, true; "XMOD_DOT_REVEALS" ;
    /// A rule that hides or forbids a category holds for all modules in it.
    rules_cover_categories: bool = false, true; "XMOD_RULES_COVER_CATEGORIES" ;
    /// A rule about an incomplete version (`gcc/12`) holds for all versions that it may mean.
    rules_extend_versions: bool = false, true; "XMOD_RULES_EXTEND_VERSIONS" ;
    /// A rule with both `before` and `after` holds before the one or after the other, not between them.
    rule_window_outside: bool = false, true; "XMOD_RULE_WINDOW_OUTSIDE" ;
    /// For how many days a module that will be forbidden is announced.
    nearly_forbidden_days: u32 = 14, 14; "MODULES_NEARLY_FORBIDDEN_DAYS" "LMOD_NEARLY_FORBIDDEN_DAYS" ;
    /// Where upper and lower case are the same: `never`, `search`, `always`.
    ignore_case: IgnoreCase = IgnoreCase::Search, IgnoreCase::Search; "MODULES_ICASE" ;
    /// `NAME@VERSIONS` gives versions, ranges and lists.
    advanced_version_spec: bool = true, true; "MODULES_ADVANCED_VERSION_SPEC" ;
    /// The words `+x`, `~x`, `-x` and `x=VALUE` behind a module name choose variants.
    variant_spec: bool = false, true; "XMOD_VARIANT_SPEC" ;
    /// Characters that stand for a variant: `toolchain=%:...`.
    variant_shortcut: String = String::new(), String::new(); "MODULES_VARIANT_SHORTCUT" ;
    /// How a word is compared with the loaded modules: `by_purpose`, `by_elements`.
    loaded_match: LoadedMatch = LoadedMatch::ByPurpose, LoadedMatch::ByElements; "XMOD_LOADED_MATCH" ;
    /// All symbolic versions of a loaded module stand for it, not only those it was asked for by.
    loaded_symbols: bool = false, true; "XMOD_LOADED_SYMBOLS" ;
    /// Adding an entry that a path already has leaves it where it is.
    path_keep_position: bool = false, true; "LMOD_TMOD_PATH_RULE" ! "MODULES_PATH_ENTRY_REORDER" ;
    /// What a path variable held before stays to the letter: entries that stand there twice, empty entries.
    paths_to_the_letter: bool = false, true; ;
    /// Several directories of one `use` come in their order; otherwise the last of them comes first.
    use_keeps_order: bool = false, true; ;
    /// Directories of `MODULEPATH` may hold variables (`$HOME/modules`), be relative or untidy; `use` does not follow links.
    resolve_modulepaths: bool = false, true; ;
    /// Path variables may hold an entry twice.
    duplicate_paths: bool = false, false; "LMOD_DUPLICATE_PATHS" ;
    /// In which order the entries of one prepend come: `normal`, `reversed`.
    prepend_block: PrependBlock = PrependBlock::Normal, PrependBlock::Normal; "LMOD_PREPEND_BLOCK" ;
    /// `//`, `/./` and a trailing `/` in entries of path variables are cleaned away.
    normalise_paths: bool = true, false; ;
    /// Loading a module that is loaded unloads it first, so that it is evaluated again; when off, nothing happens.
    reload_loaded: bool = true, false; ;
    /// The requests that the first failure ends, so that nothing changes: `all`, or a colon list of `load`, `unload`, `ml`,
    /// `purge`, `reload`, `switch`, `switch_unload`, `try-load`. In all others a module that fails leaves the others alone.
    abort_on_error: String = "all".to_owned(), "ml:reload:switch_unload".to_owned(); "MODULES_ABORT_ON_ERROR" ;
    /// A conflict also holds for modules that are loaded later.
    lasting_conflicts: bool = false, true; "LMOD_DOWNSTREAM_CONFLICTS" ;
    /// `--force` loads in spite of conflicts and of missing requirements.
    force_ignores_conflicts: bool = false, true; ;
    /// When `MODULEPATH` changes, modules found elsewhere are reloaded and those not found wait for its return.
    reload_on_modulepath_change: bool = true, false; ;
    /// `swap` refuses when the first module is not loaded.
    swap_needs_loaded: bool = true, false; ;
    /// `MODULES_FAMILY_NAME` is set beside `LMOD_FAMILY_NAME`.
    modules_family_variables: bool = false, true; ;
    /// The name of the site: the second beginning of the names of family variables (`NAME_FAMILY_MPI`), and that of the
    /// variables by which catalogs find the directories of packages (`NAME_GCC_DIR`). The site's hook `SiteName` comes first.
    site_name: String = String::new(), String::new(); "LMOD_SITE_NAME" ;
    /// How and where collections are written: `lmod`, `modules`. Both kinds are read.
    collection_format: CollectionFormat = CollectionFormat::Lmod, CollectionFormat::Modules; "XMOD_COLLECTION_FORMAT" ;
    /// The name of the system: each has its own collections.
    system_name: String = String::new(), String::new(); "MODULES_COLLECTION_TARGET" "LMOD_SYSTEM_NAME" ;
    /// Collections restore exactly the versions that were loaded, not what was asked for.
    pin_versions: bool = false, false; "MODULES_COLLECTION_PIN_VERSION" "LMOD_PIN_VERSIONS" ;
    /// Collections in the format of Environment Modules keep all tags of their modules, not only those that were asked for.
    pin_tags: bool = false, false; "MODULES_COLLECTION_PIN_TAG" ;
    /// A collection is refused where the system's own `MODULEPATH` is another one than when it was saved.
    restore_checks_modulepath: bool = true, false; ;
    /// Variables that modulefiles must not change, separated by `:`, `,` or blanks.
    protected_variables: String = String::new(), String::new(); "MODULES_PROTECTED_ENVVARS" "LMOD_QUARANTINE_VARS" ;
    /// Values that path variables begin with where they are unset, `NAME=VALUE` separated by colons: an empty value is an empty
    /// entry (`MANPATH=`). When nothing else is left the variable is unset again.
    initial_variables: String = String::new(), String::new(); "MODULES_INIT_ENVVARS" ;
    /// Variables that get what others get, `A&B&C:B&D`: what a modulefile does to A it does to B and C, and so to D.
    linked_variables: String = String::new(), String::new(); "MODULES_LINKED_ENVVARS" ;
    /// Tcl modulefiles are accepted.
    allow_tcl: bool = true, true; "LMOD_ALLOW_TCL_MFILES" ;
    /// The styles of `avail`, separated by colons; the one in angle brackets, else the first, is taken without `--style`.
    /// In every style but `system` the site's hook `avail` gives the sections their titles.
    avail_styles: String = "<system>".to_owned(), "<system>".to_owned(); "LMOD_AVAIL_STYLE" ;
    /// The directory of Lmod's site files: `lmod_config.lua`, `lmodrc.lua`, `SitePackage.lua`. Empty for none.
    lmod_config_dir: String = "/etc/lmod".to_owned(), String::new(); "LMOD_CONFIG_DIR" ;
    /// Directories with a `SitePackage.lua`, separated by colons.
    site_package_path: String = String::new(), String::new(); "LMOD_PACKAGE_PATH" ;
    /// The `siteconfig.tcl` of Environment Modules: settings, hooks, and what all Tcl modulefiles have in common.
    siteconfig: String = String::new(), "/etc/environment-modules/siteconfig.tcl".to_owned(); ;
    /// One more such file, read behind it.
    extra_siteconfig: String = String::new(), String::new(); "MODULES_SITECONFIG" ;
    /// Further `lmodrc.lua` files, separated by colons: properties, system caches.
    lmod_rc: String = String::new(), String::new(); "LMOD_RC" ;
    /// The file with the site's own texts of messages, by language and key.
    site_messages: String = String::new(), String::new(); "LMOD_SITE_MSG_FILE" ;
    /// The language of messages, as far as the site's file has it; empty: that of `LANG`.
    language: String = String::new(), String::new(); "LMOD_LANG" "LMOD_OVERRIDE_LANG" ;
    /// Programs that modulefiles start also run while the files are only read for listings, searches and caches.
    crawl_programs: bool = true, true; ;
    /// The first line of the message about a module that does not exist; `{module}` stands for what was asked for. Scripts
    /// look for the sentence of the system that they were written for.
    unknown_module: String = "The following module(s) are unknown: `{module}`".to_owned(), "Unable to locate a modulefile for `{module}`".to_owned(); "XMOD_UNKNOWN_MODULE" ;
    /// People are told that a collection was saved or removed, what a reset does, and that a module to be unloaded was not
    /// loaded.
    tells_outcome: bool = true, false; ;
    /// How much people are told: `silent`, `concise`, `normal`, `verbose`, `verbose2`, `trace`, `debug`, `debug2`.
    verbosity: Verbosity = Verbosity::Normal, Verbosity::Normal; "MODULES_VERBOSITY" ;
    /// Whether text for people is coloured: `never`, `always`, `auto` (on a terminal).
    colour: Colour = Colour::Auto, Colour::Auto; "MODULES_COLOR" "LMOD_COLORIZE" ;
    /// How wide text for people may be, in columns; 0: as wide as the terminal.
    width: u32 = 0, 0; "MODULES_TERM_WIDTH" "LMOD_TERM_WIDTH" ;
    /// Whose single letters options are: `lmod`, `modules`.
    option_letters: OptionLetters = OptionLetters::Lmod, OptionLetters::Modules; "XMOD_OPTION_LETTERS" ;
    /// Whom users may write to about a modulefile with a mistake; empty for nobody.
    contact: String = String::new(), String::new(); "MODULECONTACT" ;
    /// The program of `module edit`; where it is empty `VISUAL`, `EDITOR`, `vi`.
    editor: String = String::new(), String::new(); "MODULES_EDITOR" ;
    /// The program that tells the domain of the machine to modulefiles (`uname domain`); empty: the kernel is asked.
    domain_program: String = String::new(), String::new(); "MODULES_DOMAINNAME" ;
    /// An unknown name is looked for in all hierarchies, for the message about it.
    look_for_misses: bool = true, true; ! "LMOD_EXPERT" ;
    /// Listings in Lmod's style are sorted without regard to upper and lower case.
    sort_ignores_case: bool = false, false; "LMOD_CASE_INDEPENDENT_SORTING" ;
    /// A pattern of `avail` that a modulepath holds means all its modules.
    avail_matches_modulepaths: bool = false, false; "LMOD_MPATH_AVAIL" ;
    /// The extensions of a module do not stand for it, as names given by `provide` do.
    extensions_inform: bool = true, false; "MODULES_INFO_EXTENSION" ;
    /// Tags that are not remembered with a loaded module, separated by colons.
    unrecorded_tags: String = String::new(), String::new(); "MODULES_NON_EXPORTABLE_TAGS" ;
    /// An unknown option ends the request; when off, it is told and passed over.
    unknown_options_fail: bool = false, true; ;
    /// No messages for people, not even errors.
    quiet: bool = false, false; "LMOD_QUIET" ;
    /// Caches are not used.
    ignore_cache: bool = false, false; "MODULES_IGNORE_CACHE" "LMOD_IGNORE_CACHE" ;
    /// A modulefile may be named by its place: `/dir/file`, `./file`.
    load_files: bool = true, true; "XMOD_LOAD_FILES" ;
    /// Reports go to standard output instead of standard error; with `piped` only where a session on a terminal sends that into
    /// a pipe or a file.
    redirect: Redirect = Redirect::Never, Redirect::Piped; "MODULES_REDIRECT_OUTPUT" "LMOD_REDIRECT" ;
    /// Reports on a terminal go through the pager.
    paginate: bool = true, true; "MODULES_PAGINATE" ;
    /// The longest value that a shell called as `csh` is given, in bytes; 0: any in tcsh, 4000 in the csh of BSD. A longer one is
    /// left as it is, with a warning.
    csh_limit: u32 = 0, 0; "XMOD_CSH_LIMIT" ;
    /// The pager with its arguments; none where it is empty, `cat`, or a program that is not there.
    pager: String = "less".to_owned(), "less -eFKRX".to_owned(); "MODULES_PAGER" "LMOD_PAGER" ;
    /// What the pager gets in the variable `LESS`; where this is empty it keeps the user's.
    pager_options: String = "-XqMREF".to_owned(), String::new(); "LMOD_PAGER_OPTS" ;
    /// Loading a requirement that is missing, and unloading what nobody needs, happen by themselves.
    auto_handling: bool = false, true; "MODULES_AUTO_HANDLING" ;
    /// Requirements hold as long as a module is loaded: what is unloaded takes along the modules that need it and what came
    /// only for them (with `auto_handling`; else it stays), and what is loaded late lets those that missed it load anew.
    requirements_bind: bool = false, true; "XMOD_REQUIREMENTS_BIND" ;
    /// Where requirements bind, `module load` in a modulefile is a requirement and `module unload` a conflict.
    implicit_requirement: bool = true, true; "MODULES_IMPLICIT_REQUIREMENT" ;
    /// `load-any` in a modulefile is met by any of its modules that is loaded; when off, those before it are tried first.
    load_any_if_none: bool = false, true; "XMOD_LOAD_ANY_IF_NONE" ;
    /// Where requirements bind, a module needs the one that opened its modulepath.
    require_via: bool = false, false; "MODULES_REQUIRE_VIA" ;
    /// With `auto_handling`, modules that a new one conflicts with are unloaded instead of refusing it.
    conflict_unload: bool = false, false; "MODULES_CONFLICT_UNLOAD" ;
    /// Which of several loaded modules `unload` and requirements mean: `returnlast`, `returnfirst`.
    unload_match_order: UnloadOrder = UnloadOrder::Last, UnloadOrder::Last; "MODULES_UNLOAD_MATCH_ORDER" ;
    /// What becomes of sticky modules that are to be unloaded: `note` (they come back), or, when all are unloaded, `error`,
    /// `warning`, `silent`.
    sticky_purge: StickyPurge = StickyPurge::Note, StickyPurge::Error; "MODULES_STICKY_PURGE" ;
    /// A module whose file fails or gives up on unload stays loaded, with an error; when off, it is unloaded all the same.
    failed_unload_keeps: bool = false, true; "XMOD_FAILED_UNLOAD_KEEPS" ;
    /// A modulefile that gives up (Tcl's `break`) is an error; when off, its module is just not loaded.
    break_is_error: bool = false, true; "XMOD_BREAK_IS_ERROR" ;
    /// A `~` that begins a value, or an entry of a path-like variable, is the home directory; when off, it stays as it is.
    expand_tilde: bool = false, true; "XMOD_EXPAND_TILDE" ;
    /// Where `reset` leads: `defaults` (the system's default modules, which must be named), `__init__` (the same, or none),
    /// `__purge__`, or the name of a collection.
    reset_target: String = "defaults".to_owned(), "__init__".to_owned(); "MODULES_RESET_TARGET_STATE" ;
    /// The name of the module system that modulefiles see (`ModuleTool`).
    tool_name: String = "Lmod".to_owned(), "Modules".to_owned(); ;
    /// The version of the module system that modulefiles see (`ModuleToolVersion`).
    tool_version: String = "9.2.9".to_owned(), "5.6.1".to_owned(); ;
    /// Shell functions of modulefiles are given to child shells (bash).
    export_functions: bool = false, true; "XMOD_EXPORT_FUNCTIONS" ;
    /// In a Tcl modulefile a number as third word of a path command is the priority, not one more entry.
    tcl_path_priority: bool = true, false; ;
    /// Rc files in Tcl must begin with `#%Module`.
    rc_needs_cookie: bool = false, true; ;
    /// `#%Module` may name the version of the module language that the file needs; a later one than ours is refused.
    cookie_version_check: bool = false, true; "MODULES_MCOOKIE_VERSION_CHECK" ;
    /// Unloading takes away once more what the modulefile removed from a path; when off, it does nothing.
    remove_path_on_unload: bool = true, false; ;
    /// In Tcl, `module-info mode` says `remove`, `display` and `spider` as Lmod does, not `unload`, `help` and `scan`.
    tcl_lmod_modes: bool = true, false; ;
    /// Where a Tcl modulefile is shown, `getenv X` gives `$X`, so that the text does not depend on who asks.
    show_variable_names: bool = false, true; ;
    /// `add-property` takes only the properties that Lmod's rc files name; when off, its value is a tag.
    known_properties: bool = true, false; ;
    /// `require-fullname` wants name and version exactly; when off, aliases and beginnings of versions will do.
    require_exact_full_name: bool = true, false; ;
    /// The site's file that corrects and completes what modulefiles say about themselves, for `xmod catalog`.
    catalog_overlay: String = String::new(), String::new(); "XMOD_CATALOG_OVERLAY" ;
    /// A directory with pages of the site's own, for `xmod catalog export --format html`.
    catalog_templates: String = String::new(), String::new(); "XMOD_CATALOG_TEMPLATES" ;
    /// Each load is told to syslog, so that the site learns what is used; where syslog does not listen, a file of the user's.
    log_loads: bool = false, false; "XMOD_LOG_LOADS" ;
    /// The program that gets the lines of `logged_events`, and what modulefiles write to the channel `log`, on standard input.
    logger: String = String::new(), "logger -t modules".to_owned(); "MODULES_LOGGER" ;
    /// What is told to `logger`, separated by colons: `requested_cmd` (the sub-commands), `requested_eval` (evaluations of
    /// modulefiles that the user named), `auto_eval` (those of others).
    logged_events: String = String::new(), String::new(); "MODULES_LOGGED_EVENTS" ;
    /// The socket of the local syslog.
    syslog_socket: String = "/dev/log".to_owned(), "/dev/log".to_owned(); "XMOD_SYSLOG_SOCKET" ;
    /// The directory for the loads that syslog does not take, a file for each user; empty: `xmod` in `$XDG_STATE_HOME`.
    usage_directory: String = String::new(), String::new(); "XMOD_USAGE_DIRECTORY" ;
    /// The database of loads for `xmod usage` and the catalog: a file, or `postgresql://...`.
    usage_database: String = String::new(), String::new(); "XMOD_USAGE_DATABASE" ;
}

/// The option of Environment Modules that a variable gives a value.
pub fn option_name(variable: &str) -> Option<String> {
    match variable {
        "MODULERCFILE" => Some("rcfile".to_owned()),
        "MODULECONTACT" => Some("contact".to_owned()),
        "MODULES_SITECONFIG" => Some("extra_siteconfig".to_owned()),
        "MODULES_RCFILE" => None,
        name => name.strip_prefix("MODULES_").map(str::to_lowercase),
    }
}

/// The text of a setting as an option of Environment Modules shows it, which may mean the opposite.
pub fn option_text(text: String, inverted: bool) -> String {
    match (text.as_str(), inverted) {
        ("true", false) | ("false", true) => "1".to_owned(),
        ("false", false) | ("true", true) => "0".to_owned(),
        _ => text,
    }
}

impl Config {
    /// The options of Environment Modules that are settings here, with the variables and the values that they have there.
    pub fn options(&self) -> Vec<(String, &'static str, String)> {
        let mut options = Vec::new();
        for ((name, text, _), setting) in self.list().into_iter().zip(SETTINGS) {
            debug_assert_eq!(name, setting.name);
            for variable in setting.variables {
                if let Some(option) = option_name(variable.name) {
                    let text = option_text(text.clone(), variable.inverted);
                    options.push((option, variable.name, text));
                }
            }
        }
        options
    }

    /// Gives options of Environment Modules the values of a `siteconfig.tcl`. What its `locked_configs` names is no longer for
    /// variables to set.
    pub fn set_options(&mut self, session: &Session, values: &[(String, String)]) {
        let known = self.options();
        let variable = |option: &str| known.iter().find(|(name, ..)| name == option);
        let locked = values
            .iter()
            .filter(|(option, _)| option == "locked_configs");
        let locked: Vec<&str> = locked
            .flat_map(|(_, text)| text.split_ascii_whitespace())
            .filter_map(|option| variable(option).map(|(_, variable, _)| *variable))
            .collect();
        if !locked.is_empty() {
            let mut env = session.env.clone();
            env.retain(|name, _| !locked.iter().any(|l| name == l));
            let without = Config::new(&session.with_environment(env));
            for (name, text, origin) in without.list() {
                let setting = SETTINGS.iter().find(|setting| setting.name == name);
                if setting.is_some_and(|s| s.variables.iter().any(|v| locked.contains(&v.name))) {
                    self.set(name, &text, origin);
                    self.locked.push(name.to_owned());
                }
            }
        }
        let file = camino::Utf8PathBuf::from(&self.siteconfig);
        for (option, text) in values {
            if let Some((_, variable, _)) = variable(option) {
                self.set_variable(variable, text, Origin::File(file.clone()));
            }
        }
    }

    /// The name of the site, where it has one.
    pub fn name_of_site(&self) -> Option<String> {
        (!self.site_name.is_empty()).then(|| self.site_name.clone())
    }

    /// The settings in force for a session, options not yet applied.
    pub fn new(session: &Session) -> Config {
        let mut site = file::of_site(session);
        let by_name = match session.program.as_str() {
            "modulecmd" | "modulecmd.tcl" => Some(Policy::Modules),
            "lmod" => Some(Policy::Lmod),
            _ => None,
        };
        let policy = match session.text("XMOD_POLICY") {
            Some("modules") => Policy::Modules,
            Some("lmod") => Policy::Lmod,
            _ => by_name.or(site.policy).unwrap_or_default(),
        };
        let mut config = Config::preset(policy);
        site.apply(&mut config, &[]);
        let mut user = file::of_user(session);
        user.apply(&mut config, &site.locked);
        config.read_variables(session);
        if !site.locked.is_empty() {
            // What is locked is the site's again, whatever the variables say.
            let of_site = {
                let mut of_site = Config::preset(policy);
                site.apply(&mut of_site, &[]);
                of_site
            };
            for (name, text, origin) in of_site.list() {
                if site.locked.iter().any(|locked| locked == name) {
                    config.set(name, &text, origin);
                }
            }
        }
        config.locked = std::mem::take(&mut site.locked);
        config.problems.append(&mut site.problems);
        config.problems.append(&mut user.problems);
        config.check_links();
        config
    }

    /// Whether people are told nothing at all, but what they asked for.
    pub fn is_mute(&self) -> bool {
        self.quiet || self.verbosity == Verbosity::Silent
    }

    /// How many threads read and evaluate a tree.
    pub fn threads(&self) -> usize {
        match self.jobs {
            0 => std::thread::available_parallelism()
                .map_or(1, std::num::NonZero::get)
                .min(16),
            jobs => jobs.min(256) as usize,
        }
    }

    /// Which characters have a meaning in specifications.
    pub fn spec_rules(&self) -> SpecRules {
        let shortcuts = self.variant_shortcut.split(':').filter_map(|pair| {
            let (name, character) = pair.split_once('=')?;
            let mut characters = character.chars();
            match (characters.next(), characters.next()) {
                (Some(c), None) if !c.is_ascii_alphanumeric() && !"-+~/@=:,".contains(c) => {
                    Some((c, name.to_owned()))
                }
                _ => None,
            }
        });
        SpecRules {
            at: self.advanced_version_spec,
            variants: self.variant_spec,
            shortcuts: shortcuts.collect(),
            order: self.version_order,
            at_in_names: self.at_in_names,
        }
    }

    /// The values of `initial_variables`, by variable.
    pub fn initial_values(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.initial_variables.split(':');
        pairs.filter_map(|pair| pair.split_once('='))
    }

    /// Tells of chains of `linked_variables` that link nothing.
    fn check_links(&mut self) {
        let is_name = |name: &str| {
            !name.starts_with(|c: char| c.is_ascii_digit())
                && !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        let chains = self.linked_variables.split(':').filter(|c| !c.is_empty());
        let bad = chains.filter(|chain| !chain.contains('&') || !chain.split('&').all(is_name));
        self.problems.extend(bad.map(|chain| {
            Diagnostic::new(Kind::Site, format!("`{chain}` links no variables"))
                .note("from the setting `linked_variables` (MODULES_LINKED_ENVVARS)")
                .help("write `A&B&C`: B and C get what A gets")
        }));
    }

    /// The variables that get what `var` gets, nearest first.
    pub fn linked_to(&self, var: &str) -> Vec<&str> {
        let mut reached: Vec<&str> = Vec::new();
        if self.linked_variables.is_empty() {
            return reached;
        }
        let mut next = 0;
        let mut from = var;
        loop {
            let chains = self.linked_variables.split(':');
            for mut names in chains.map(|chain| chain.split('&')) {
                if names.next() == Some(from) {
                    for name in names {
                        if name != var && !reached.contains(&name) {
                            reached.push(name);
                        }
                    }
                }
            }
            match reached.get(next) {
                Some(name) => from = name,
                None => return reached,
            }
            next += 1;
        }
    }

    /// How words are compared with the loaded modules.
    pub fn loaded_rules(&self) -> LoadedRules {
        LoadedRules {
            by_purpose: self.loaded_match == LoadedMatch::ByPurpose,
            extended_default: self.extended_default,
            ignore_case: self.ignore_case == IgnoreCase::Always,
            order: self.version_order,
            automatic_symbols: self.automatic_symbols,
        }
    }

    /// Whether a listing (`avail`, `list`, `spider`) shows hidden modules without being asked to.
    pub fn shows_hidden(&self, listing: &str) -> bool {
        match self.show_hidden.as_str() {
            "" | "no" | "off" | "0" => false,
            words
                if words
                    .split(':')
                    .any(|w| matches!(w, "avail" | "list" | "spider")) =>
            {
                words.split(':').any(|w| w == listing)
            }
            _ => true,
        }
    }

    /// Gives a setting the value that the text of its environment variable `variable` would give it.
    ///
    /// `false` where no setting has that variable, or it cannot hold the value.
    pub fn set_variable(&mut self, variable: &str, text: &str, origin: Origin) -> bool {
        let found = SETTINGS.iter().find_map(|setting| {
            let known = setting.variables.iter().find(|v| v.name == variable)?;
            Some((setting.name, known.inverted))
        });
        match found {
            Some((name, false)) => self.set(name, text, origin),
            Some((name, true)) => {
                let inverted = match bool::parse(text) {
                    Some(true) => "no",
                    _ => "yes",
                };
                self.set(name, inverted, origin)
            }
            None => false,
        }
    }

    /// The value of the setting that `variable` stands for, as the variable would have it: `yes`, `no`, or a text.
    pub fn text_of_variable(&self, variable: &str) -> Option<String> {
        let (name, inverted) = SETTINGS.iter().find_map(|setting| {
            let known = setting.variables.iter().find(|v| v.name == variable)?;
            Some((setting.name, known.inverted))
        })?;
        let (_, text, _) = self.list().into_iter().find(|(n, _, _)| *n == name)?;
        Some(match (text.as_str(), inverted) {
            ("true", false) | ("false", true) => "yes".to_owned(),
            ("false", false) | ("true", true) => "no".to_owned(),
            _ => text,
        })
    }

    /// Where the value of the setting `name` came from.
    pub fn origin(&self, name: &str) -> Origin {
        self.origins
            .iter()
            .rev()
            .find(|(n, _)| *n == name)
            .map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    fn note(&mut self, name: &'static str, origin: Origin) {
        self.origins.push((name, origin));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_variables_of_settings_begin_as_the_environment_is_searched() {
        for variable in SETTINGS.iter().flat_map(|setting| setting.variables) {
            let known = PREFIXES.iter().any(|p| variable.name.starts_with(p));
            assert!(known, "{}", variable.name);
        }
    }
}
