//! The site's own file about its catalog (TOML): what modulefiles say wrongly or not at all.
//!
//! ```toml
//! [site]
//! title = "Software of the Example cluster"
//!
//! [categories]                           # one spelling for several
//! Bioinformatics = ["Bioinfomatics", "bio"]
//!
//! [correct.GROMACS]                      # instead of what the modulefile says
//! category = ["Chemistry"]
//!
//! [complete."R*"]                        # only where the modulefile says nothing
//! maintainer = ["statistics@example.org"]
//!
//! [job]                                  # what the form for batch jobs offers
//! partitions = ["short", "long"]
//! ```

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::metadata::{Metadata, one_line, web_address};
use crate::diag::{Diagnostic, Kind, Place, SourceFile, Span};

/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 4 << 20;

/// What the site says about its catalog.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overlay {
    /// About the catalog as a whole.
    pub site: About,
    /// The spelling of a category that is meant, and others that stand for it.
    pub categories: BTreeMap<String, Vec<String>>,
    /// What replaces the facts of modules, by name; `*` in a name stands for anything.
    pub correct: BTreeMap<String, Facts>,
    /// What is said about modules whose modulefiles say nothing.
    pub complete: BTreeMap<String, Facts>,
    /// What the form for batch jobs offers.
    pub job: JobChoices,
}

/// About the catalog as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct About {
    /// Its title.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// A sentence or two below the title.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub intro: String,
    /// The site's own page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// Where people get help: an address on the web or of e-mail.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub support: String,
}

/// What the form for batch jobs offers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobChoices {
    /// The partitions to choose from, the usual one first. Empty: any name can be typed.
    pub partitions: Vec<String>,
    /// The accounts to choose from. Empty: any name can be typed, or none.
    pub accounts: Vec<String>,
    /// The time limit that the form begins with.
    pub time: String,
    /// The memory that the form begins with.
    pub mem: String,
}

/// What is said about a module.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The software's own spelling of its name.
    pub title: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// The subjects it belongs to.
    pub category: Option<OneOrMore>,
    /// Words under which it should be found.
    pub keywords: Option<OneOrMore>,
    /// Its home page.
    pub url: Option<String>,
    /// Its licence.
    pub license: Option<String>,
    /// Who looks after it.
    pub maintainer: Option<OneOrMore>,
    /// Whether the catalog leaves it out.
    pub hidden: Option<bool>,
    /// Facts under names that the site chooses.
    pub metadata: BTreeMap<String, OneOrMore>,
}

/// A text, or several.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a string or an array of strings")]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Several.
    More(Vec<String>),
}

impl OneOrMore {
    fn to_vec(&self) -> Vec<String> {
        match self {
            OneOrMore::One(text) => vec![text.clone()],
            OneOrMore::More(texts) => texts.clone(),
        }
    }
}

impl Overlay {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// It cannot be read, is too large, or says what is not understood: with the place.
    pub fn read(path: &Utf8Path) -> Result<Overlay, Diagnostic> {
        let text = std::fs::read(path).map_err(|error| {
            Diagnostic::new(
                Kind::Site,
                format!("cannot read the overlay `{path}`: {error}"),
            )
        })?;
        if text.len() > MAX_BYTES {
            let message = format!("the overlay `{path}` is larger than 4 MiB");
            return Err(Diagnostic::new(Kind::Site, message));
        }
        let source = SourceFile::new(path, text);
        let wrong = |message: &str, start: usize, end: usize| {
            let place = Place {
                file: std::sync::Arc::clone(&source),
                span: Span::new(start, end),
            };
            Diagnostic::new(Kind::Site, message).at(place, "")
        };
        let text = std::str::from_utf8(source.text()).map_err(|error| {
            wrong(
                "the overlay is not UTF-8",
                error.valid_up_to(),
                error.valid_up_to(),
            )
        })?;
        let overlay: Overlay = toml::from_str(text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            wrong(error.message(), span.start, span.end)
        })?;
        for (names, facts) in overlay.correct.iter().chain(&overlay.complete) {
            if let Some(url) = &facts.url
                && web_address(url).is_none()
            {
                let message =
                    format!("the `url` of `{names}` in `{path}` is no address on the web: `{url}`");
                return Err(
                    Diagnostic::new(Kind::Site, message).help("it begins with https:// or http://")
                );
            }
        }
        Ok(overlay)
    }

    /// Whether the catalog leaves a module out.
    pub fn hides(&self, name: &str) -> bool {
        let says = of_name(&self.correct, name).filter_map(|facts| facts.hidden);
        says.last().unwrap_or(false)
    }

    /// Corrects and completes what the modulefiles of `name` say.
    pub fn apply(&self, name: &str, metadata: &mut Metadata) {
        for facts in of_name(&self.complete, name) {
            facts.put(metadata, |is_empty| is_empty);
        }
        for facts in of_name(&self.correct, name) {
            facts.put(metadata, |_| true);
        }
    }
}

impl Facts {
    /// Sets those facts that `wanted` agrees to; it is told whether nothing is known yet.
    fn put(&self, metadata: &mut Metadata, wanted: impl Fn(bool) -> bool) {
        let text = |field: &mut String, value: &Option<String>| {
            if let Some(value) = value
                && wanted(field.is_empty())
            {
                *field = one_line(value);
            }
        };
        let list = |field: &mut Vec<String>, value: &Option<OneOrMore>| {
            if let Some(value) = value
                && wanted(field.is_empty())
            {
                *field = value.to_vec();
            }
        };
        text(&mut metadata.title, &self.title);
        text(&mut metadata.description, &self.description);
        text(&mut metadata.license, &self.license);
        list(&mut metadata.categories, &self.category);
        list(&mut metadata.keywords, &self.keywords);
        list(&mut metadata.maintainers, &self.maintainer);
        if let Some(url) = &self.url
            && wanted(metadata.url.is_empty())
        {
            metadata.url = web_address(url).unwrap_or_default();
        }
        for (key, value) in &self.metadata {
            if wanted(!metadata.facts.contains_key(key)) {
                metadata.facts.insert(key.clone(), value.to_vec());
            }
        }
    }
}

/// What is said under a name: under patterns first, so that the name itself has the last word.
fn of_name<'f>(facts: &'f BTreeMap<String, Facts>, name: &str) -> impl Iterator<Item = &'f Facts> {
    let by_pattern = facts
        .iter()
        .filter(|(pattern, _)| pattern.contains('*') && fits(pattern, name));
    let by_pattern: Vec<&Facts> = by_pattern.map(|(_, facts)| facts).collect();
    by_pattern.into_iter().chain(facts.get(name))
}

/// Whether `name` fits a pattern in which `*` stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Overlay, Diagnostic> {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(dir.path())
            .unwrap()
            .join("catalog.toml");
        std::fs::write(&path, text).unwrap();
        Overlay::read(&path)
    }

    #[test]
    fn what_is_corrected_counts_and_what_is_completed_only_where_nothing_was_said() {
        let overlay = read(
            "[correct.gcc]\ncategory = 'Compilers'\n[complete.'g*']\nurl = 'https://gnu.org'\ndescription = 'one of GNU'\n\
             [correct.'*']\nmetadata.site = ['here', 'there']\n[correct.old]\nhidden = true\n",
        )
        .unwrap();
        let mut metadata = Metadata {
            categories: vec!["compiler".into()],
            description: "compilers".into(),
            ..Metadata::default()
        };
        overlay.apply("gcc", &mut metadata);
        assert_eq!(metadata.categories, ["Compilers"]);
        assert_eq!(metadata.description, "compilers");
        assert_eq!(metadata.url, "https://gnu.org");
        assert_eq!(metadata.facts["site"], ["here", "there"]);
        assert!(overlay.hides("old") && !overlay.hides("gcc"));
    }

    #[test]
    fn a_mistake_is_shown_with_its_place() {
        let error = read("[correct.gcc]\ncatgory = 'x'\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("catalog.toml:2:1") && error.contains("catgory"),
            "{error}"
        );
        let error = read("[correct.gcc]\ncategory = 3\n")
            .unwrap_err()
            .to_string();
        assert!(error.contains("a string or an array of strings"), "{error}");
        let error = read("[complete.gcc]\nurl = 'javascript:x'\n")
            .unwrap_err()
            .to_string();
        assert!(error.contains("no address on the web"), "{error}");
        assert!(read("a = = b").is_err());
    }

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, expected) in [
            ("*", "gcc", true),
            ("g*", "gcc", true),
            ("*c", "gcc", true),
            ("g*c*c", "gcc", true),
            ("g*x", "gcc", false),
            ("gcc*", "gcc", true),
            ("gcc", "gcc", true),
            ("gcc*c", "gcc", false),
            ("bio/*", "bio/blast", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
