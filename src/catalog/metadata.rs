//! What a modulefile says about the software: category, home page, keywords, licence, maintainers.
//!
//! There is no standard. TOML has keys for it; Lua and Tcl modulefiles have lines of `whatis` with a key in front, which
//! EasyBuild (`Homepage: ...`, sections of the help text) and Spack (`Short description : ...`) write in ways of their own.

use std::collections::BTreeMap;

use crate::tree::About;

/// Facts about the software of a module; empty where nobody says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metadata {
    /// The software's own spelling of its name.
    pub title: String,
    /// What it is, in one paragraph.
    pub description: String,
    /// The subjects it belongs to.
    pub categories: Vec<String>,
    /// Words under which it should be found.
    pub keywords: Vec<String>,
    /// Its home page.
    pub url: String,
    /// Its licence.
    pub license: String,
    /// Who looks after the installation.
    pub maintainers: Vec<String>,
    /// All other facts, by key.
    pub facts: BTreeMap<String, Vec<String>>,
}

/// The facts that have a place of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Title,
    /// The version is in the module's name already.
    Version,
    Description,
    Category,
    Keywords,
    Url,
    License,
    Maintainer,
    /// What EasyBuild says a second time in words that are read elsewhere.
    Extensions,
}

impl Field {
    /// The field that a key means. Case, blanks and joining signs have no meaning: `Short description`, `Home-Page`.
    fn of(key: &str) -> Option<Field> {
        let plain: String = key
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '_'))
            .flat_map(char::to_lowercase)
            .collect();
        Some(match plain.as_str() {
            "name" => Field::Title,
            "version" => Field::Version,
            "description" | "shortdescription" => Field::Description,
            "category" | "categories" | "moduleclass" => Field::Category,
            "keyword" | "keywords" => Field::Keywords,
            "url" | "homepage" | "website" | "webpage" => Field::Url,
            "license" | "licence" | "licenses" | "licences" => Field::License,
            "maintainer" | "maintainers" => Field::Maintainer,
            "extensions" => Field::Extensions,
            _ => return None,
        })
    }
}

impl Metadata {
    /// Reads everything that the modulefile of a module called `name` says.
    pub fn of(about: &About, name: &str) -> Metadata {
        let name = name.rsplit('/').next().unwrap_or(name);
        let mut metadata = Metadata::default();
        // Said twice, a fact counts where it is said best: keys of TOML, then `whatis`, then the help text.
        for (key, value) in &about.facts {
            metadata.take(key, value);
        }
        let mut loose = None;
        for line in &about.whatis {
            match keyed(line) {
                // `HDF5: files for large arrays` is what HDF5 is.
                Some((key, value)) if key.eq_ignore_ascii_case(name) => {
                    loose = loose.or(Some(value));
                }
                Some((key, value)) => match Field::of(key) {
                    None if is_known_fact(&metadata, key, value) => {}
                    _ => metadata.take(key, value),
                },
                None => loose = loose.or(Some(line.as_str())),
            }
        }
        for (key, value) in from_help(&about.help) {
            if Field::of(&key).is_some() || !is_known_fact(&metadata, &key, &value) {
                metadata.complete(&key, &value);
            }
        }
        if metadata.description.is_empty() {
            metadata.description = one_line(loose.unwrap_or_default());
        }
        metadata
    }

    /// Takes a fact in; for one that can be given only once the first counts.
    fn take(&mut self, key: &str, value: &str) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        let once = |field: &mut String, value: String| {
            if field.is_empty() {
                *field = value;
            }
        };
        match Field::of(key) {
            Some(Field::Title) => once(&mut self.title, one_line(value)),
            Some(Field::Version | Field::Extensions) => {}
            Some(Field::Description) => once(&mut self.description, one_line(value)),
            Some(Field::Category) => add_words(&mut self.categories, value),
            Some(Field::Keywords) => add_words(&mut self.keywords, value),
            Some(Field::Url) => once(&mut self.url, web_address(value).unwrap_or_default()),
            Some(Field::License) => once(&mut self.license, one_line(value)),
            Some(Field::Maintainer) => add_words(&mut self.maintainers, value),
            None => {
                let values = self.facts.entry(key.trim().to_owned()).or_default();
                let value = one_line(value);
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
    }

    /// Takes a fact in only where it is missing.
    fn complete(&mut self, key: &str, value: &str) {
        let is_missing = match Field::of(key) {
            Some(Field::Title) => self.title.is_empty(),
            Some(Field::Description) => self.description.is_empty(),
            Some(Field::Category) => self.categories.is_empty(),
            Some(Field::Keywords) => self.keywords.is_empty(),
            Some(Field::Url) => self.url.is_empty(),
            Some(Field::License) => self.license.is_empty(),
            Some(Field::Maintainer) => self.maintainers.is_empty(),
            Some(Field::Version | Field::Extensions) => false,
            None => true,
        };
        if is_missing {
            self.take(key, value);
        }
    }

    /// Fills what is missing from another modulefile of the same name.
    pub fn fill_from(&mut self, other: Metadata) {
        let text = |mine: &mut String, other: String| {
            if mine.is_empty() {
                *mine = other;
            }
        };
        let list = |mine: &mut Vec<String>, other: Vec<String>| {
            if mine.is_empty() {
                *mine = other;
            }
        };
        text(&mut self.title, other.title);
        text(&mut self.description, other.description);
        list(&mut self.categories, other.categories);
        list(&mut self.keywords, other.keywords);
        text(&mut self.url, other.url);
        text(&mut self.license, other.license);
        list(&mut self.maintainers, other.maintainers);
        for (key, values) in other.facts {
            self.facts.entry(key).or_insert(values);
        }
    }
}

/// Whether a fact with a name of the site's own was taken in already.
fn is_known_fact(metadata: &Metadata, key: &str, value: &str) -> bool {
    let known = metadata
        .facts
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(key.trim()));
    known.is_some_and(|(_, values)| {
        let value = one_line(value);
        // A list in TOML is one line of `whatis`.
        values.contains(&value) || values.join(", ") == value
    })
}

/// The longest key that is taken for one.
const MAX_KEY: usize = 32;

/// Key and text of a line such as `Category: library` or `Short description : ...`.
fn keyed(line: &str) -> Option<(&str, &str)> {
    let (key, text) = line.split_once(':')?;
    let key = key.trim();
    let is_key = !key.is_empty()
        && key.len() <= MAX_KEY
        && key.starts_with(|c: char| c.is_alphabetic())
        && key.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        // `see http://...` and `c:\dir` are no keys, but `URL:https://...` is.
        && (text.is_empty() || text.starts_with(char::is_whitespace) || Field::of(key).is_some());
    // A sentence with a colon in it is a description.
    (is_key && (Field::of(key).is_some() || key.split(' ').count() <= 3))
        .then(|| (key, text.trim()))
}

/// The facts that help texts hold: sections with underlined titles, as EasyBuild writes them, and lines such as
/// `Name : zlib` or ` - Homepage: https://...`.
fn from_help(help: &str) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let lines: Vec<&str> = help.lines().collect();
    let is_rule = |line: &str| {
        let line = line.trim();
        line.len() >= 3 && (line.chars().all(|c| c == '=') || line.chars().all(|c| c == '-'))
    };
    let mut index = 0;
    while index < lines.len() {
        let line = lines[index].trim();
        if Field::of(line) == Some(Field::Description)
            && lines.get(index + 1).is_some_and(|next| is_rule(next))
        {
            let first = index + 2;
            let end = (first..lines.len())
                .find(|at| lines.get(at + 1).is_some_and(|next| is_rule(next)))
                .unwrap_or(lines.len());
            facts.push(("Description".to_owned(), lines[first..end].join("\n")));
            index = end;
            continue;
        }
        let item = line.strip_prefix("- ").unwrap_or(line);
        if let Some((key, value)) = keyed(item) {
            let counts = match Field::of(key) {
                // `Name:` and `Version:` head the help of Spack; a description in a single line may be anything.
                Some(Field::Description | Field::Extensions | Field::Version) => false,
                Some(_) => true,
                None => key.eq_ignore_ascii_case("documentation"),
            };
            if counts {
                facts.push((key.to_owned(), value.to_owned()));
            }
        }
        index += 1;
    }
    facts
}

/// Adds the words of a list: they are separated by commas or semicolons.
fn add_words(list: &mut Vec<String>, text: &str) {
    for word in text.split([',', ';', '\n']) {
        let word = one_line(word);
        if !word.is_empty() && !list.iter().any(|known| known.eq_ignore_ascii_case(&word)) {
            list.push(word);
        }
    }
}

/// The text as one paragraph.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The address of a page on the web; `None` for all else, which readers must not follow.
pub(super) fn web_address(text: &str) -> Option<String> {
    let address = text.split_whitespace().next()?;
    let address = address.trim_matches(['<', '>', '"', '\'', ',', ';']);
    let lower = address.to_ascii_lowercase();
    let is_web = ["https://", "http://", "ftp://"].iter().any(|scheme| {
        lower
            .strip_prefix(scheme)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric()))
    });
    if is_web {
        return Some(address.to_owned());
    }
    lower
        .starts_with("www.")
        .then(|| format!("https://{address}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_whatis(lines: &[&str]) -> Metadata {
        let about = About {
            whatis: lines.iter().map(|l| (*l).to_owned()).collect(),
            ..About::default()
        };
        Metadata::of(&about, "hdf5")
    }

    #[test]
    fn lines_of_whatis_with_a_key_are_facts() {
        let read = of_whatis(&[
            "Name: GROMACS",
            "Version: 2023.3",
            "category: Chemistry, Biophysics",
            "Keywords: molecular dynamics; simulation",
            "URL:https://www.gromacs.org",
            "Description: molecular dynamics",
            "License: LGPL-2.1",
            "Maintainer: Ada, Grace",
            "Citation: doi 10.1016",
        ]);
        assert_eq!(read.title, "GROMACS");
        assert_eq!(read.categories, ["Chemistry", "Biophysics"]);
        assert_eq!(read.keywords, ["molecular dynamics", "simulation"]);
        assert_eq!(read.url, "https://www.gromacs.org");
        assert_eq!(read.description, "molecular dynamics");
        assert_eq!(read.license, "LGPL-2.1");
        assert_eq!(read.maintainers, ["Ada", "Grace"]);
        assert_eq!(read.facts["Citation"], ["doi 10.1016"]);
    }

    #[test]
    fn a_sentence_is_a_description_even_with_a_colon_in_it() {
        for line in [
            "adds GCC to your environment",
            "the compilers of our group here: gcc and friends",
            "see http://example.org",
        ] {
            let read = of_whatis(&[line]);
            assert_eq!(read.description, line);
            assert!(read.facts.is_empty(), "{line}");
        }
    }

    #[test]
    fn the_modules_own_name_is_no_key() {
        assert_eq!(
            of_whatis(&["HDF5: files for large arrays"]).description,
            "files for large arrays"
        );
    }

    #[test]
    fn easybuilds_help_and_whatis_are_understood() {
        let read = Metadata::of(
            &About {
                whatis: vec![
                    "Description: \nGROMACS is a\nversatile package.\n".into(),
                    "Homepage: https://www.gromacs.org".into(),
                    "Extensions: gmxapi-0.4.2".into(),
                ],
                ..About::default()
            },
            "hdf5",
        );
        assert_eq!(read.description, "GROMACS is a versatile package.");
        assert_eq!(read.url, "https://www.gromacs.org");
        assert!(read.facts.is_empty());
        let read = Metadata::of(&About {
            help: "\nDescription\n===========\nA tool\nfor things.\n\n\nMore information\n================\n - Homepage: https://a.org\n - \
                   Documentation: https://a.org/doc\n"
                .into(),
            ..About::default()
        }, "hdf5");
        assert_eq!(read.description, "A tool for things.");
        assert_eq!(read.url, "https://a.org");
        assert_eq!(read.facts["Documentation"], ["https://a.org/doc"]);
    }

    #[test]
    fn spacks_keys_are_understood() {
        let read = of_whatis(&[
            "Name : zlib",
            "Version : 1.3",
            "Target : zen3",
            "Short description : A free compression library.",
        ]);
        assert_eq!(read.title, "zlib");
        assert_eq!(read.description, "A free compression library.");
        assert_eq!(read.facts["Target"], ["zen3"]);
    }

    #[test]
    fn what_is_no_address_on_the_web_is_no_home_page() {
        for text in [
            "(none)",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://",
            "data:text/html,x",
        ] {
            assert_eq!(of_whatis(&[&format!("URL: {text}")]).url, "", "{text}");
        }
        assert_eq!(
            of_whatis(&["URL: www.example.org"]).url,
            "https://www.example.org"
        );
    }

    #[test]
    fn keys_of_toml_come_before_whatis_and_are_not_said_twice() {
        let read = Metadata::of(
            &About {
                facts: vec![
                    ("category".into(), "Compilers".into()),
                    ("contact".into(), "hpc@example.org".into()),
                ],
                whatis: vec![
                    "Category: Compilers".into(),
                    "contact: hpc@example.org".into(),
                ],
                ..About::default()
            },
            "hdf5",
        );
        assert_eq!(read.categories, ["Compilers"]);
        assert_eq!(read.facts["contact"], ["hpc@example.org"]);
    }
}
