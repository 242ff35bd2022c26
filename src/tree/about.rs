//! What a modulefile tells about its module, and the text in which that is kept.

use std::borrow::Cow;

use bstr::ByteSlice;
use camino::Utf8PathBuf;

use super::listing::Filter;
use crate::env::{EnvOp, PathAction};
use crate::modulefile::{Evaluation, RelationKind};
use crate::name::LuaPattern;

/// What a modulefile tells about its module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// Its lines of `whatis`.
    pub whatis: Vec<String>,
    /// Its help text.
    pub help: String,
    /// Its properties: key and value.
    pub properties: Vec<(String, String)>,
    /// The extensions it brings along: `numpy/1.26`.
    pub extensions: Vec<String>,
    /// Further facts for the catalog: key and value.
    pub facts: Vec<(String, String)>,
    /// The families it belongs to.
    pub families: Vec<String>,
    /// What it needs, as it is written.
    pub requires: Vec<String>,
    /// The modulepaths it opens.
    pub opens: Vec<Utf8PathBuf>,
    /// Whether it opens modulepaths in a way that depends on the user.
    pub is_dynamic: bool,
    /// The directories it puts in `PATH`.
    pub commands_in: Vec<Utf8PathBuf>,
    /// The directories it puts in `LD_LIBRARY_PATH`.
    pub libraries_in: Vec<Utf8PathBuf>,
    /// The directories of its package, as variables of the site name them: `SITE_GCC_DIR`.
    pub package_dirs: Vec<Utf8PathBuf>,
}

impl About {
    /// What `whatis` says behind `key:` (`Description`, `Category`, ...), the first time; case has no meaning.
    pub fn whatis_of(&self, key: &str) -> Option<&str> {
        value_of(self.whatis.iter().map(String::as_str), key)
    }

    /// The categories it says it belongs to, joined by commas.
    pub fn category(&self) -> Option<&str> {
        let fact = self.facts.iter().find(|(key, _)| key == "category");
        fact.map(|(_, value)| value.as_str())
            .or_else(|| self.whatis_of("Category"))
    }

    /// What the module is: its description, else its first line of `whatis`.
    pub fn description(&self) -> &str {
        description_in(self.whatis.iter().map(String::as_str))
    }

    /// Takes over the directories that variables name: of packages, and of libraries, by the patterns of their names.
    pub(super) fn add_directories(
        &mut self,
        evaluation: &Evaluation,
        packages: &LuaPattern,
        libraries: &LuaPattern,
    ) {
        for recorded in &evaluation.ops {
            let EnvOp::Set { var, value, .. } = &recorded.op else {
                continue;
            };
            let lists = [
                (packages, &mut self.package_dirs),
                (libraries, &mut self.libraries_in),
            ];
            for (pattern, list) in lists {
                if pattern.is_match(var.as_str()) {
                    add_absolute(list, value, b":");
                }
            }
        }
    }

    /// Takes over what an evaluation collected.
    pub(super) fn from_evaluation(evaluation: &Evaluation) -> About {
        let text = |bytes: &bstr::BString| plain(&bytes.to_str_lossy());
        let paragraphs: Vec<String> = evaluation.help.iter().map(text).collect();
        let mut about = About {
            whatis: evaluation.whatis.iter().map(text).collect(),
            help: paragraphs.join("\n"),
            properties: evaluation.properties.clone(),
            extensions: evaluation.extensions.clone(),
            facts: evaluation.facts.clone(),
            is_dynamic: evaluation.dynamic_modulepath,
            ..About::default()
        };
        for recorded in &evaluation.ops {
            if let EnvOp::Path {
                action: PathAction::Prepend | PathAction::Append,
                var,
                value,
                delim,
                ..
            } = &recorded.op
            {
                let list = match var.as_str() {
                    "MODULEPATH" => &mut about.opens,
                    "PATH" => &mut about.commands_in,
                    "LD_LIBRARY_PATH" => &mut about.libraries_in,
                    _ => continue,
                };
                add_absolute(list, value, delim);
            }
        }
        for (relation, _) in &evaluation.relations {
            match relation.kind {
                RelationKind::Family => about.families.push(relation.family.clone()),
                RelationKind::Load
                | RelationKind::AlwaysLoad
                | RelationKind::DependsOn
                | RelationKind::DependsOnAny
                | RelationKind::PrereqAll
                | RelationKind::PrereqAny => {
                    about
                        .requires
                        .extend(relation.specs.iter().map(|spec| spec.text.clone()));
                }
                _ => {}
            }
        }
        about
    }
}

/// What lines of `whatis` say behind `key:`, the first time.
fn value_of<'l>(mut lines: impl Iterator<Item = &'l str>, key: &str) -> Option<&'l str> {
    let first = key.bytes().next().unwrap_or_default();
    lines.find_map(|line| {
        // Most begin otherwise.
        let begin = line.trim_start();
        if !begin.bytes().next()?.eq_ignore_ascii_case(&first) {
            return None;
        }
        let colon = begin.as_bytes().find_byte(b':')?;
        let (found, text) = (&begin[..colon], &begin[colon + 1..]);
        let is_it = found.trim_end().eq_ignore_ascii_case(key);
        is_it.then(|| text.trim())
    })
}

/// The description in lines of `whatis`.
fn description_in<'l>(lines: impl Iterator<Item = &'l str> + Clone) -> &'l str {
    value_of(lines.clone(), "Description")
        // As Spack writes it.
        .or_else(|| value_of(lines.clone(), "Short description"))
        .or_else(|| lines.clone().find(|line| !is_keyed(line)))
        .unwrap_or_default()
}

/// The description in a searched text, which is not unpacked for that.
pub(super) fn description_of(searched: &[u8]) -> &str {
    let after = |rest: &[u8]| rest.find_byte(FIELD as u8);
    let whatis = after(searched).map(|help| &searched[help + 1..]);
    let whatis = whatis.map(|rest| &rest[..after(rest).unwrap_or(rest.len())]);
    let mut rest = whatis.and_then(|lines| lines.to_str().ok());
    description_in(std::iter::from_fn(move || {
        let (line, behind) = rest?.split_at(rest?.as_bytes().find_byte(WORD as u8)?);
        rest = behind.get(1..);
        Some(line)
    }))
}

/// Adds the absolute paths of a value.
fn add_absolute(list: &mut Vec<Utf8PathBuf>, value: &[u8], delim: &[u8]) {
    for dir in value.split_str(delim).filter_map(|dir| dir.to_str().ok()) {
        let dir = Utf8PathBuf::from(dir.trim_end_matches('/'));
        if dir.is_absolute() && !list.contains(&dir) {
            list.push(dir);
        }
    }
}

/// Whether a line of `whatis` begins with a key: `Category: ...`, `Keyword:...`.
fn is_keyed(line: &str) -> bool {
    const KNOWN: &[&str] = &["category", "keyword", "keywords", "name", "url", "version"];
    line.split_once(':').is_some_and(|(key, text)| {
        let is_key = key.len() < 24
            && key
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
        let key = key.trim().to_ascii_lowercase();
        is_key && (text.starts_with(' ') || KNOWN.contains(&key.as_str()))
    })
}

/// Separates what people search from the rest.
const REST: u8 = 0x1c;
/// Separates the fields.
const FIELD: char = '\x1d';
/// Separates the words of a field.
const WORD: char = '\x1e';

/// Stands in caches for the modulepath in paths of modulefiles: no field behind [`REST`] holds it.
pub const ROOT: u8 = 0x1b;

/// A text without the characters that separate fields.
fn plain(text: &str) -> String {
    match text.contains(is_separator) {
        true => text.replace(is_separator, " "),
        false => text.to_owned(),
    }
}

fn is_separator(c: char) -> bool {
    ('\x1c'..='\x1e').contains(&c)
}

/// Adds the words of a field that is not searched.
fn unsearched(text: &mut String, words: &mut dyn Iterator<Item = &str>) {
    let start = text.len();
    field(text, words);
    if text[start..].contains(ROOT as char) {
        let mended = text[start..].replace(ROOT as char, " ");
        text.truncate(start);
        text.push_str(&mended);
    }
}

/// Adds the words of a field.
fn field(text: &mut String, words: &mut dyn Iterator<Item = &str>) {
    for word in words {
        text.push_str(&plain(word));
        text.push(WORD);
    }
    text.push(FIELD);
}

/// An [`About`] as one text: help, `whatis`, extensions, values of properties and facts, which people search; then the
/// rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packed(Vec<u8>);

impl Packed {
    /// Packs.
    pub fn new(about: &About) -> Packed {
        let mut text = String::new();
        field(&mut text, &mut std::iter::once(about.help.as_str()));
        field(&mut text, &mut about.whatis.iter().map(String::as_str));
        field(&mut text, &mut about.extensions.iter().map(String::as_str));
        field(
            &mut text,
            &mut about.properties.iter().map(|(_, value)| value.as_str()),
        );
        field(
            &mut text,
            &mut about.facts.iter().map(|(_, value)| value.as_str()),
        );
        text.push(REST as char);
        unsearched(
            &mut text,
            &mut about.properties.iter().map(|(key, _)| key.as_str()),
        );
        unsearched(
            &mut text,
            &mut about.facts.iter().map(|(key, _)| key.as_str()),
        );
        unsearched(&mut text, &mut about.families.iter().map(String::as_str));
        unsearched(&mut text, &mut about.requires.iter().map(String::as_str));
        unsearched(&mut text, &mut about.opens.iter().map(|dir| dir.as_str()));
        unsearched(
            &mut text,
            &mut about.commands_in.iter().map(|dir| dir.as_str()),
        );
        unsearched(
            &mut text,
            &mut about.libraries_in.iter().map(|dir| dir.as_str()),
        );
        unsearched(
            &mut text,
            &mut about.package_dirs.iter().map(|dir| dir.as_str()),
        );
        unsearched(
            &mut text,
            &mut about.is_dynamic.then_some("dynamic").into_iter(),
        );
        Packed(text.into_bytes())
    }

    /// What a cache holds.
    pub fn from_bytes(bytes: Vec<u8>) -> Packed {
        Packed(bytes)
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What people search, and the rest.
    pub fn parts(&self) -> (&[u8], &[u8]) {
        let end = self.0.find_byte(REST).unwrap_or(self.0.len());
        let (searched, rest) = self.0.split_at(end);
        (searched, rest.get(1..).unwrap_or_default())
    }

    /// Both parts together.
    pub fn from_parts(searched: &[u8], rest: &[u8]) -> Packed {
        Packed([searched, &[REST], rest].concat())
    }

    /// Unpacks; `None` where the text is damaged.
    pub fn unpack(&self) -> Option<About> {
        unpack(&self.0)
    }
}

/// The searched texts of several modules, one behind the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts<'t> {
    /// Where each ends.
    pub ends: Cow<'t, [usize]>,
    /// All of them.
    pub bytes: &'t [u8],
}

impl<'t> Texts<'t> {
    /// The text in a place.
    pub fn get(&self, place: usize) -> Option<&'t [u8]> {
        let start = match place.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.bytes.get(start..*self.ends.get(place)?)
    }

    /// A single one.
    pub fn one(text: &'t [u8]) -> Texts<'t> {
        Texts {
            ends: Cow::Owned(vec![text.len()]),
            bytes: text,
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &'t [u8]> {
        (0..self.ends.len()).filter_map(|place| self.get(place))
    }
}

/// Unpacks the bytes of a [`Packed`]; `None` where they are damaged.
fn unpack(bytes: &[u8]) -> Option<About> {
    let text = bytes.to_str().ok()?;
    let (searched, rest) = text.split_once(REST as char)?;
    let mut fields = searched.split(FIELD).take(5).chain(rest.split(FIELD));
    let mut words = || -> Option<Vec<String>> {
        let words = fields.next()?.split_terminator(WORD);
        Some(words.map(str::to_owned).collect())
    };
    let help = words()?.into_iter().next().unwrap_or_default();
    let (whatis, extensions) = (words()?, words()?);
    let (property_values, fact_values) = (words()?, words()?);
    let (property_keys, fact_keys) = (words()?, words()?);
    let (families, requires) = (words()?, words()?);
    let mut paths = || -> Option<Vec<Utf8PathBuf>> {
        Some(words()?.into_iter().map(Utf8PathBuf::from).collect())
    };
    let (opens, commands_in, libraries_in) = (paths()?, paths()?, paths()?);
    let package_dirs = paths()?;
    let is_dynamic = !words()?.is_empty();
    Some(About {
        whatis,
        help,
        properties: property_keys.into_iter().zip(property_values).collect(),
        extensions,
        facts: fact_keys.into_iter().zip(fact_values).collect(),
        families,
        requires,
        opens,
        is_dynamic,
        commands_in,
        libraries_in,
        package_dirs,
    })
}

/// The directories that a module puts in `PATH`, from the part of a [`Packed`] that is not searched.
pub fn command_dirs(rest: &[u8]) -> impl Iterator<Item = &str> {
    // Behind the keys of properties and facts, families, and what is required and opened.
    const FIELDS_BEFORE: usize = 5;
    let field = rest.split(|byte| *byte == FIELD as u8).nth(FIELDS_BEFORE);
    let words = field.unwrap_or_default().split(|byte| *byte == WORD as u8);
    words.filter_map(|word| std::str::from_utf8(word).ok().filter(|dir| !dir.is_empty()))
}

/// Looks for words in searched texts.
#[derive(Debug)]
pub struct Search<'f> {
    filters: &'f [Filter],
    /// The words in small letters, where looking for bytes is enough.
    plain: Option<Vec<bstr::Finder<'static>>>,
    lower: Vec<u8>,
}

impl<'f> Search<'f> {
    /// For modules that one of the filters accepts.
    pub fn new(filters: &'f [Filter]) -> Search<'f> {
        let plain = filters.iter().map(|filter| match filter {
            Filter::Contains(text)
                if !text.is_empty() && text.is_ascii() && !text.contains(char::is_control) =>
            {
                let lower = text.to_ascii_lowercase();
                Some(bstr::Finder::new(lower.as_bytes()).into_owned())
            }
            _ => None,
        });
        Search {
            filters,
            plain: plain.collect(),
            lower: Vec::new(),
        }
    }

    /// Whether help, `whatis`, extensions, properties or facts hold one of the words.
    pub fn accepts(&mut self, searched: &[u8]) -> bool {
        let mut found = false;
        let one = Texts {
            ends: Cow::Owned(vec![searched.len()]),
            bytes: searched,
        };
        self.find(&one, &mut |_| found = true);
        found
    }

    /// The places of the texts that hold one of the words, in order.
    pub fn find(&mut self, texts: &Texts<'_>, take: &mut dyn FnMut(usize)) {
        let Some(finders) = self.plain.as_ref().filter(|_| texts.bytes.is_ascii()) else {
            let mut places = 0..texts.ends.len();
            while let Some(place) = places.find(|place| self.accepts_slowly(texts.get(*place))) {
                take(place);
            }
            return;
        };
        self.lower.clear();
        self.lower.extend_from_slice(texts.bytes);
        self.lower.make_ascii_lowercase();
        // Fields end with a character that no word holds: what is found lies in one text.
        let mut found: Vec<usize> = Vec::new();
        for finder in finders {
            let mut from = 0;
            while let Some(at) = self.lower.get(from..).and_then(|rest| finder.find(rest)) {
                let place = texts.ends.partition_point(|end| *end <= from + at);
                let Some(end) = texts.ends.get(place) else {
                    break;
                };
                found.push(place);
                from = *end;
            }
        }
        if finders.len() > 1 {
            found.sort_unstable();
            found.dedup();
        }
        found.into_iter().for_each(take);
    }

    fn accepts_slowly(&self, searched: Option<&[u8]>) -> bool {
        let text = searched.unwrap_or_default().to_str_lossy();
        let texts = text.split([FIELD, WORD]);
        texts.into_iter().any(|text| {
            let mut filters = self.filters.iter();
            filters.any(|filter| filter.accepts_name(text))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_what_no_other_key_claims() {
        let of = |lines: &[&'static str]| description_in(lines.iter().copied());
        assert_eq!(of(&["a tool", "Description : better"]), "better");
        assert_eq!(
            of(&["Target : zen3", "Short description : as Spack"]),
            "as Spack"
        );
        assert_eq!(
            of(&["Keyword:chem", "Site-Wiki: TOOL", "URL:https://x.org"]),
            ""
        );
        assert_eq!(
            of(&["Name: a", "see http://x.org: a tool"]),
            "see http://x.org: a tool"
        );
    }

    #[test]
    fn what_is_packed_can_be_unpacked() {
        let about = About {
            whatis: vec!["Name: a".into(), String::new(), "é".into()],
            help: "two\nlines".into(),
            properties: vec![
                ("arch".into(), "gpu".into()),
                ("state".into(), "old".into()),
            ],
            extensions: vec!["numpy/1.26".into()],
            facts: vec![("category".into(), "tools".into())],
            families: vec!["compiler".into()],
            requires: vec!["gcc/13".into()],
            opens: vec!["/mods".into()],
            is_dynamic: true,
            commands_in: vec!["/opt/bin".into()],
            libraries_in: vec!["/opt/lib".into()],
            package_dirs: vec!["/opt".into()],
        };
        for about in [about, About::default()] {
            let packed = Packed::new(&about);
            assert_eq!(description_of(packed.parts().0), about.description());
            assert!(command_dirs(packed.parts().1).eq(&about.commands_in));
            assert_eq!(packed.unpack(), Some(about));
        }
        let packed = Packed::new(&About::default());
        assert_eq!(unpack(&packed.as_bytes()[..4]), None);
    }

    #[test]
    fn words_are_found_in_what_people_read_and_nowhere_else() {
        let about = About {
            help: "Aligns Reads".into(),
            commands_in: vec!["/opt/aligner".into()],
            properties: vec![("secret".into(), "gpu".into())],
            ..About::default()
        };
        let packed = Packed::new(&about);
        let found = |word: &str| {
            let filters = [Filter::Contains(word.into())];
            Search::new(&filters).accepts(packed.parts().0)
        };
        assert!(found("reads") && found("GPU"));
        assert!(!found("aligner") && !found("secret") && !found("é"));
    }
}
