//! What was asked for: a name, perhaps with a constraint on its version.
//!
//! Source: Lmod user guide "Module names", `module(1)` "Advanced module version specifiers", Lmod `atleast`, `atmost`,
//! `between`, `latest`. Semantic version ranges (`gcc@^12.1`) are our own.

use std::fmt;

use super::order::VersionOrder;

/// One module that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The text as it was written, for messages and for saving.
    pub text: String,
    /// The path part, without `@...`, trailing `/` and `.lua`: `gcc`, `gcc/13`, `bio/bowtie/2.3`, `/abs/file`.
    pub path: String,
    /// Which versions will do.
    pub versions: Versions,
    /// Variants that must hold: `+mpi`, `prec=8` (Environment Modules). Boolean ones have the values `1` and `0`.
    pub variants: Vec<(String, String)>,
}

/// A constraint on versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// What `path` says: a bare name, a full name or the beginning of a version.
    AsWritten,
    /// The highest version, whatever is marked as default: `latest("gcc")`, `gcc@latest`.
    Latest,
    /// The version that is loaded: `gcc@loaded`.
    Loaded,
    /// Any of these ranges: `gcc@1.2,1.4:1.6`, `between("gcc", "1.2", "1.4")`.
    Ranges(Vec<Range>),
    /// A semantic version range: `gcc@^1.2`.
    Semver(semver::VersionReq),
}

/// Versions from `low` to `high`; a missing bound is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Lower bound.
    pub low: Option<Bound>,
    /// Upper bound.
    pub high: Option<Bound>,
}

/// One end of a [`Range`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The version as written.
    pub version: String,
    /// Whether the version itself belongs to the range.
    pub edge: Edge,
}

/// What a [`Bound`] takes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// The version itself: Lmod's `between`.
    Inclusive,
    /// Not the version itself: Lmod's `"<1.4"`.
    Exclusive,
    /// The version and all that begin with it: `@1.2:1.4` takes 1.4.9 in.
    Prefix,
}

/// Why a text is not a specification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// Nothing is left when decoration is taken away.
    #[error("empty module name")]
    Empty,
    /// A word that continues a module, without one before it.
    #[error("no module name before `{0}`")]
    NoName(String),
    /// Longer than any path.
    #[error("module name longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// A name that would leave the modulepath.
    #[error("`{0}` is not a module name: `..` cannot be a part of it")]
    Parent(String),
    /// Newlines and the like.
    #[error("control character in a module name")]
    Control,
    /// An empty item, a `/`, or both bounds open.
    #[error("invalid version specifier `{0}`")]
    Versions(String),
    /// The lower bound lies above the upper one, or a bound is no number.
    #[error("invalid version range `{0}`")]
    Range(String),
    /// A semantic version range that is none.
    #[error("invalid version range `{text}`: {reason}")]
    Semver {
        /// What was written.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// `=value`, `a=b=c`.
    #[error("invalid variant specification `{0}`")]
    Variant(String),
    /// `version=...`: that word is taken.
    #[error("`{0}` cannot be the name of a variant")]
    VariantName(String),
}

/// The longest specification.
const MAX_LENGTH: usize = 4096;

/// Which characters have a meaning in specifications.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpecRules {
    /// `@` introduces versions (`advanced_version_spec`).
    pub at: bool,
    /// `+name`, `~name`, `name=value` choose variants.
    pub variants: bool,
    /// Characters that stand for `name=`: `%gcc` for `toolchain=gcc` (`variant_shortcut`).
    pub shortcuts: Vec<(char, String)>,
    /// The order by which `@2:1` is found to be empty.
    pub order: VersionOrder,
    /// Names may hold `@`: what has a `/` behind it is one.
    pub at_in_names: bool,
}

impl Spec {
    /// A specification that takes `text` as name and version, with no further meaning.
    ///
    /// # Errors
    /// Not a name.
    pub fn plain(text: &str) -> Result<Spec, SpecError> {
        Ok(Spec {
            text: text.to_owned(),
            path: clean_path(text)?,
            versions: Versions::AsWritten,
            variants: Vec::new(),
        })
    }

    /// Reads one specification; words that belong together may be separated by blanks.
    ///
    /// # Errors
    /// Not a specification, or more than one.
    pub fn parse(text: &str, rules: &SpecRules) -> Result<Spec, SpecError> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let mut specs = Spec::parse_all(&words, rules)?;
        match (specs.pop(), specs.is_empty()) {
            (Some(spec), true) => Ok(spec),
            (Some(spec), false) => Err(SpecError::NoName(spec.text)),
            (None, _) => Err(SpecError::Empty),
        }
    }

    /// Reads a list of arguments: a plain word begins a module; `@...` and variants that follow belong to it.
    ///
    /// # Errors
    /// One of them is not a specification.
    pub fn parse_all<S: AsRef<str>>(
        words: &[S],
        rules: &SpecRules,
    ) -> Result<Vec<Spec>, SpecError> {
        // What most words are: a name, and nothing that would have to be told from it.
        if let [word] = words
            && is_plain(word.as_ref(), rules)
        {
            return Ok(vec![Spec::plain(word.as_ref())?]);
        }
        let mut specs: Vec<Draft> = Vec::new();
        for word in words {
            let word = word.as_ref();
            if word.is_empty() {
                return Err(SpecError::Empty);
            }
            for (index, part) in split_word(word, rules).into_iter().enumerate() {
                match (part, specs.last_mut()) {
                    (Part::Name(name), _) => specs.push(Draft {
                        text: word.to_owned(),
                        name: name.to_owned(),
                        versions: None,
                        variants: Vec::new(),
                    }),
                    (_, None) => return Err(SpecError::NoName(word.to_owned())),
                    (part, Some(draft)) => {
                        if index == 0 {
                            draft.text = format!("{} {word}", draft.text);
                        }
                        match part {
                            Part::Versions(text) => draft.versions = Some(text.to_owned()),
                            Part::Variant(name, value) => draft.variant(name, value)?,
                            Part::BadVariant(text) => {
                                return Err(SpecError::Variant(text.to_owned()));
                            }
                            Part::Name(_) => {}
                        }
                    }
                }
            }
        }
        specs.into_iter().map(|draft| draft.finish(rules)).collect()
    }

    /// `atleast(NAME, LOW)` of Lmod's Lua; a `<` before or after the bound leaves it out.
    ///
    /// # Errors
    /// Not a name.
    pub fn atleast(name: &str, low: &str) -> Result<Spec, SpecError> {
        Spec::ranged(name, "atleast", Some(low), None)
    }

    /// `atmost(NAME, HIGH)` of Lmod's Lua.
    ///
    /// # Errors
    /// Not a name.
    pub fn atmost(name: &str, high: &str) -> Result<Spec, SpecError> {
        Spec::ranged(name, "atmost", None, Some(high))
    }

    /// `between(NAME, LOW, HIGH)` of Lmod's Lua.
    ///
    /// # Errors
    /// Not a name.
    pub fn between(name: &str, low: &str, high: &str) -> Result<Spec, SpecError> {
        Spec::ranged(name, "between", Some(low), Some(high))
    }

    /// `latest(NAME)` of Lmod's Lua.
    ///
    /// # Errors
    /// Not a name.
    pub fn latest(name: &str) -> Result<Spec, SpecError> {
        Ok(Spec {
            text: format!("latest(\"{name}\")"),
            versions: Versions::Latest,
            ..Spec::plain(name)?
        })
    }

    fn ranged(
        name: &str,
        function: &str,
        low: Option<&str>,
        high: Option<&str>,
    ) -> Result<Spec, SpecError> {
        let bounds: Vec<String> = low
            .iter()
            .chain(&high)
            .map(|v| format!("\"{v}\""))
            .collect();
        Ok(Spec {
            text: format!("{function}(\"{name}\",{})", bounds.join(",")),
            versions: Versions::Ranges(vec![Range {
                low: low.map(lmod_bound),
                high: high.map(lmod_bound),
            }]),
            ..Spec::plain(name)?
        })
    }

    /// The text of a range or a list of versions as it can be asked for again: `gcc@12:`.
    pub fn as_range(&self) -> Option<&str> {
        let is_range = matches!(
            self.versions,
            Versions::Ranges(_) | Versions::Semver(_) | Versions::Latest
        );
        let word = self.text.split_ascii_whitespace().next()?;
        (is_range && word.contains('@')).then_some(word)
    }

    /// The same text taken as a name, where it holds characters that have a meaning in specifications.
    pub fn as_plain(&self) -> Option<Spec> {
        let plain = self.text.contains('@').then(|| Spec::plain(&self.text))?;
        plain.ok().filter(|plain| plain.path != self.path)
    }

    /// Whether this names a file by its place (`/x`, `./x`, `../x`) instead of a module.
    pub fn is_file(&self) -> bool {
        is_file(&self.path)
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A bound of Lmod's functions: `<` and `>` on either side leave it out.
fn lmod_bound(text: &str) -> Bound {
    let version = text.trim_matches(|c| matches!(c, '<' | '>' | '=' | ' '));
    let exclusive = text.contains(['<', '>']) && !text.contains('=');
    Bound {
        version: version.to_owned(),
        edge: if exclusive {
            Edge::Exclusive
        } else {
            Edge::Inclusive
        },
    }
}

fn is_file(path: &str) -> bool {
    ["/", "./", "../"]
        .iter()
        .any(|start| path.starts_with(start))
        || path == "."
        || path == ".."
}

/// The path part of a specification: decoration goes, doubled slashes become one.
fn clean_path(text: &str) -> Result<String, SpecError> {
    if text.len() > MAX_LENGTH {
        return Err(SpecError::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(SpecError::Control);
    }
    let bare = text.trim_end_matches('/');
    if is_file(text) && !bare.is_empty() {
        return Ok(bare.to_owned());
    }
    let bare = bare.strip_suffix(".lua").unwrap_or(bare);
    let mut path = String::with_capacity(bare.len());
    for part in bare.split('/').filter(|part| !part.is_empty()) {
        if part == ".." || part == "." {
            return Err(SpecError::Parent(text.to_owned()));
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(part);
    }
    if path.is_empty() {
        return Err(SpecError::Empty);
    }
    Ok(path)
}

/// A specification whose words are still being collected.
struct Draft {
    text: String,
    name: String,
    versions: Option<String>,
    variants: Vec<(String, String)>,
}

impl Draft {
    /// The last value of a variant wins.
    fn variant(&mut self, name: &str, value: &str) -> Result<(), SpecError> {
        if name == "version" {
            return Err(SpecError::VariantName(name.to_owned()));
        }
        self.variants.retain(|(known, _)| known != name);
        self.variants.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    fn finish(self, rules: &SpecRules) -> Result<Spec, SpecError> {
        let mut path = clean_path(&self.name)?;
        let versions = match self.versions.as_deref() {
            None => Versions::AsWritten,
            Some("latest") => Versions::Latest,
            Some("loaded") => Versions::Loaded,
            Some(text) => match parse_versions(text, rules.order)? {
                // One version is what `NAME/VERSION` means.
                Parsed::One(version) => {
                    path = format!("{path}/{version}");
                    Versions::AsWritten
                }
                Parsed::Constraint(versions) => versions,
            },
        };
        Ok(Spec {
            text: self.text,
            path,
            versions,
            variants: self.variants,
        })
    }
}

/// A piece of a word.
#[derive(Debug, PartialEq)]
enum Part<'a> {
    Name(&'a str),
    Versions(&'a str),
    Variant(&'a str, &'a str),
    BadVariant(&'a str),
}

/// Whether no character of a word has a meaning.
fn is_plain(word: &str, rules: &SpecRules) -> bool {
    let means = |c: char| match c {
        '@' => rules.at,
        '+' | '~' | '-' | '=' => rules.variants,
        _ => rules.variants && rules.shortcuts.iter().any(|(shortcut, _)| *shortcut == c),
    };
    !word.contains(means)
}

/// Takes a word apart where a character begins a new element.
fn split_word<'a>(word: &'a str, rules: &'a SpecRules) -> Vec<Part<'a>> {
    if rules.variants
        && let Some((name, value)) = word.split_once('=')
        && !word.contains('@')
        && !is_file(word)
    {
        return vec![if is_variant_name(name) && !value.contains('=') {
            Part::Variant(name, value)
        } else {
            Part::BadVariant(word)
        }];
    }
    if is_file(word) {
        return vec![Part::Name(word)];
    }
    let mut parts = Vec::new();
    let mut start = 0;
    let starts: Vec<usize> = word
        .char_indices()
        .filter(|&(at, c)| begins_element(c, &word[at + c.len_utf8()..], at, word, rules))
        .map(|(at, _)| at)
        .chain([word.len()])
        .collect();
    for end in starts {
        if end > start {
            parts.push(element(&word[start..end], start == 0, rules));
        }
        start = end;
    }
    parts
}

/// Whether character `c` at `at` begins a new element; `rest` follows it.
fn begins_element(c: char, rest: &str, at: usize, word: &str, rules: &SpecRules) -> bool {
    // A semantic range (`@~1.2`, `@>=1,<2`) holds such characters itself.
    let in_range = word[..at].ends_with('@');
    let names_variant = || {
        let name = rest.split(['@', '~', '+']).next().unwrap_or_default();
        is_variant_name(name)
    };
    match c {
        '@' => rules.at && !(rules.at_in_names && rest.contains('/')),
        '+' | '~' => rules.variants && !in_range && names_variant(),
        // `-name` is a variant only as a word of its own.
        '-' => rules.variants && at == 0 && names_variant(),
        _ => rules.variants && rules.shortcuts.iter().any(|(shortcut, _)| *shortcut == c),
    }
}

/// What an element is, from its first character.
fn element<'a>(text: &'a str, first: bool, rules: &'a SpecRules) -> Part<'a> {
    let Some(c) = text.chars().next() else {
        return Part::Name(text);
    };
    let rest = &text[c.len_utf8()..];
    match c {
        '@' if rules.at => Part::Versions(rest),
        '+' if rules.variants && is_variant_name(rest) => Part::Variant(rest, "1"),
        '~' if rules.variants && is_variant_name(rest) => Part::Variant(rest, "0"),
        '-' if rules.variants && first && is_variant_name(rest) => Part::Variant(rest, "0"),
        c => match rules.shortcuts.iter().find(|(shortcut, _)| *shortcut == c) {
            Some((_, name)) if rules.variants => Part::Variant(name, rest),
            _ => Part::Name(text),
        },
    }
}

/// Letters, digits, `_`, and `-` behind the first; not only digits.
fn is_variant_name(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(word)
        && name.chars().all(|c| word(c) || c == '-')
        && !name.bytes().all(|b| b.is_ascii_digit())
}

/// What stands behind `@`.
enum Parsed {
    One(String),
    Constraint(Versions),
}

fn parse_versions(text: &str, order: VersionOrder) -> Result<Parsed, SpecError> {
    let invalid = || SpecError::Versions(text.to_owned());
    if text.is_empty() || text.contains(['/', '@']) {
        return Err(invalid());
    }
    if text.starts_with(['^', '~', '>', '<', '=']) {
        let range = semver::VersionReq::parse(text).map_err(|error| SpecError::Semver {
            text: text.to_owned(),
            reason: error.to_string(),
        })?;
        return Ok(Parsed::Constraint(Versions::Semver(range)));
    }
    if !text.contains([',', ':']) {
        return Ok(Parsed::One(text.to_owned()));
    }
    let ranges: Result<Vec<Range>, SpecError> = text
        .split(',')
        .map(|item| parse_range(item, order).map_err(|kind| kind.unwrap_or_else(invalid)))
        .collect();
    Ok(Parsed::Constraint(Versions::Ranges(ranges?)))
}

/// One item of a list; `Err(None)` where the whole list is to be named in the message.
fn parse_range(item: &str, order: VersionOrder) -> Result<Range, Option<SpecError>> {
    let bound = |version: &str| {
        (!version.is_empty()).then(|| Bound {
            version: version.to_owned(),
            edge: Edge::Prefix,
        })
    };
    let Some((low, high)) = item.split_once(':') else {
        let bound = bound(item).ok_or(None)?;
        return Ok(Range {
            low: Some(bound.clone()),
            high: Some(bound),
        });
    };
    let bad = || Some(SpecError::Range(item.to_owned()));
    let known = |version: &str| version.is_empty() || is_rangeable(version);
    if high.contains(':') || !known(low) || !known(high) {
        return Err(bad());
    }
    let range = Range {
        low: bound(low),
        high: bound(high),
    };
    match (&range.low, &range.high) {
        (None, None) => Err(None),
        (Some(low), Some(high)) if order.compare(&low.version, &high.version).is_gt() => Err(bad()),
        _ => Ok(range),
    }
}

/// Whether a version can lie in a range `@low:high`: what stands before its first dot is a hexadecimal number.
fn is_rangeable(version: &str) -> bool {
    let head = version.split('.').next().unwrap_or_default();
    !head.is_empty() && head.bytes().all(|b| b.is_ascii_hexdigit())
}

impl Versions {
    /// Whether `version` satisfies the constraint. A constraint that only the tree or the loaded modules can judge
    /// (`AsWritten`, `Latest`, `Loaded`) is satisfied by any version.
    pub fn accepts(&self, version: &str, order: VersionOrder) -> bool {
        match self {
            Versions::AsWritten | Versions::Latest | Versions::Loaded => true,
            Versions::Ranges(ranges) => ranges.iter().any(|range| range.accepts(version, order)),
            Versions::Semver(range) => {
                fill_up(version).is_some_and(|version| range.matches(&version))
            }
        }
    }
}

impl Versions {
    /// Whether `version` itself is one of a list: `@1.2,1.4`.
    pub fn names(&self, version: &str) -> bool {
        let Versions::Ranges(ranges) = self else {
            return false;
        };
        ranges.iter().any(|range| {
            range.low == range.high && range.low.as_ref().is_some_and(|low| low.version == version)
        })
    }
}

impl Range {
    /// Whether `version` lies in the range.
    pub fn accepts(&self, version: &str, order: VersionOrder) -> bool {
        if let (Some(low), Some(high)) = (&self.low, &self.high)
            && low == high
        {
            return low.begins(version) || low.edge != Edge::Exclusive && low.version == version;
        }
        let bounds = || self.low.iter().chain(&self.high);
        if bounds().any(|b| b.edge == Edge::Prefix) && !is_rangeable(version) {
            return false;
        }
        let above = self.low.as_ref().is_none_or(|low| {
            low.takes_in(version, order.compare(version, &low.version).is_gt(), order)
        });
        let below = self.high.as_ref().is_none_or(|high| {
            high.takes_in(
                version,
                order.compare(version, &high.version).is_lt(),
                order,
            )
        });
        above && below
    }
}

impl Bound {
    fn takes_in(&self, version: &str, beyond: bool, order: VersionOrder) -> bool {
        beyond
            || match self.edge {
                Edge::Exclusive => false,
                Edge::Inclusive => order.compare(version, &self.version).is_eq(),
                Edge::Prefix => {
                    order.compare(version, &self.version).is_eq() || self.begins(version)
                }
            }
    }

    /// Whether `version` is the bound's version continued by `.` or `-`.
    fn begins(&self, version: &str) -> bool {
        self.edge == Edge::Prefix
            && (version.strip_prefix(self.version.as_str()))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    }
}

/// A module version as a semantic version: missing numbers are 0; a tail that does not mean a pre-release (a toolchain, a
/// build number) has no meaning for the order. `None` where it does not begin with a number.
fn fill_up(version: &str) -> Option<semver::Version> {
    let mut numbers = [0u64; 3];
    let mut rest = version.strip_prefix('v').unwrap_or(version);
    for (index, number) in numbers.iter_mut().enumerate() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            break;
        }
        *number = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let next_is_number = rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        if index == 2 || !rest.starts_with('.') || !next_is_number {
            break;
        }
        rest = &rest[1..];
    }
    if rest.len() == version.len() {
        return None;
    }
    let mut filled = semver::Version::new(numbers[0], numbers[1], numbers[2]);
    let tail = rest
        .trim_start_matches(['-', '.', '_', '~'])
        .to_ascii_lowercase();
    let word: String = tail.chars().take_while(char::is_ascii_alphabetic).collect();
    if ["a", "alpha", "b", "beta", "rc", "pre", "preview", "dev"].contains(&word.as_str()) {
        let letters: String = (tail.chars())
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        filled.pre = semver::Prerelease::new(&letters).ok()?;
    }
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advanced() -> SpecRules {
        SpecRules {
            at: true,
            variants: true,
            shortcuts: vec![('%', "toolchain".to_owned())],
            order: VersionOrder::Dictionary,
            at_in_names: false,
        }
    }

    fn path(text: &str) -> String {
        Spec::parse(text, &advanced()).unwrap().path
    }

    #[test]
    fn decoration_goes_and_slashes_are_single() {
        assert_eq!(path("foo/1.0.lua"), "foo/1.0");
        assert_eq!(path("foo/"), "foo");
        assert_eq!(path("foo//1.0"), "foo/1.0");
        assert_eq!(path("/abs/file.lua"), "/abs/file.lua");
    }

    #[test]
    fn names_that_only_look_like_variants_stay_names() {
        for name in ["gtk+", "c++/1", "v/1+2"] {
            assert_eq!(path(name), name);
        }
    }

    #[test]
    fn one_version_behind_at_is_the_same_as_behind_a_slash() {
        assert_eq!(path("foo@1.2"), "foo/1.2");
        assert_eq!(path("foo @1.2"), "foo/1.2");
    }

    #[test]
    fn variants_are_collected_and_the_last_value_wins() {
        let specs = Spec::parse_all(
            &["foo@1.2+mpi%gcc", "~mpi", "prec=8", "bar", "-x"],
            &advanced(),
        )
        .unwrap();
        assert_eq!(specs.len(), 2);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            specs[0].variants,
            [
                pair("toolchain", "gcc"),
                pair("mpi", "0"),
                pair("prec", "8")
            ]
        );
        assert_eq!(specs[0].text, "foo@1.2+mpi%gcc ~mpi prec=8");
        assert_eq!(specs[1].variants, [pair("x", "0")]);
    }

    #[test]
    fn ranges_take_in_what_begins_with_their_bounds() {
        let accepts = |text: &str, version: &str| {
            let spec = Spec::parse(text, &advanced()).unwrap();
            spec.versions.accepts(version, VersionOrder::Dictionary)
        };
        assert!(accepts("foo@1.2:1.4", "1.4.9"));
        assert!(accepts("foo@:1.4", "1.4-2"));
        assert!(!accepts("foo@:1.4", "1.40"));
        assert!(accepts("foo@1.2,1.4:1.6,1.8:", "1.9"));
        assert!(accepts("foo@1.2,1.4:1.6,1.8:", "1.2.1"));
        assert!(!accepts("foo@1.2,1.4:1.6,1.8:", "1.3"));
        assert!(!accepts("foo@1.2:", "default"));
        assert!(!accepts("foo@1:", "2-rc1"));
    }

    #[test]
    fn lmod_bounds_are_exact_and_may_exclude() {
        let accepts = |spec: Result<Spec, SpecError>, version: &str| {
            (spec.unwrap().versions).accepts(version, VersionOrder::Lmod)
        };
        assert!(!accepts(Spec::atmost("foo", "1.4"), "1.4.9"));
        assert!(accepts(Spec::atmost("foo", "1.4"), "1.4.0"));
        assert!(!accepts(Spec::atmost("foo", "1.4<"), "1.4"));
        assert!(!accepts(Spec::between("foo", "1", "<2"), "2.0"));
        assert!(accepts(Spec::between("foo", "1", "<2"), "2.0rc1"));
        assert_eq!(
            Spec::atleast("q", "2.0").unwrap().text,
            "atleast(\"q\",\"2.0\")"
        );
    }

    #[test]
    fn semantic_ranges_see_through_toolchains_but_not_pre_releases() {
        let accepts = |text: &str, version: &str| {
            let spec = Spec::parse(text, &advanced()).unwrap();
            spec.versions.accepts(version, VersionOrder::Lmod)
        };
        assert!(accepts("foo@^1.2", "1.9.3-GCC-11.3.0"));
        assert!(accepts("foo@~1.2", "1.2"));
        assert!(!accepts("foo@~1.2", "1.3"));
        assert!(accepts("foo@>=1.2,<2", "1.2.0.4"));
        assert!(!accepts("foo@>=1.2,<2", "1.3rc1"));
        assert!(!accepts("foo@>=1", "latest"));
        assert!(accepts("foo@^2021", "2021.09"));
    }

    #[test]
    fn what_is_not_a_specification_is_said() {
        let error = |text: &str| Spec::parse(text, &advanced()).unwrap_err().to_string();
        assert_eq!(error(""), "empty module name");
        assert_eq!(error("/"), "empty module name");
        assert_eq!(
            Spec::parse_all(&["foo", ""], &advanced()),
            Err(SpecError::Empty)
        );
        assert_eq!(error("@1.2"), "no module name before `@1.2`");
        assert_eq!(error("foo@1.2,"), "invalid version specifier `1.2,`");
        assert_eq!(error("foo@:"), "invalid version specifier `:`");
        assert_eq!(error("foo@1.9:1.1"), "invalid version range `1.9:1.1`");
        assert_eq!(error("foo@a:b:c"), "invalid version range `a:b:c`");
        assert_eq!(error("foo a=b=c"), "invalid variant specification `a=b=c`");
        assert_eq!(
            error("foo version=1"),
            "`version` cannot be the name of a variant"
        );
        assert!(error("foo@>=x").starts_with("invalid version range `>=x`"));
        assert!(error("foo/../../etc").contains("`..`"));
        assert_eq!(error("foo\u{1}"), "control character in a module name");
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,40}") {
            let _ = Spec::parse(&text, &advanced());
            let _ = Spec::parse(&text, &SpecRules::default());
        }

        #[test]
        fn decoration_characters_in_any_order(text in "[fo1./@:,~+=%^<> -]{0,24}") {
            let _ = Spec::parse(&text, &advanced());
        }
    }
}
