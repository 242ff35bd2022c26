//! Configuration files: `xmod.toml` of the site, `config.toml` of the user.
//!
//! Each key is the name of a setting; `policy` picks the preset and `locked` names settings that neither the user's file
//! nor variables may change. A mistake costs the setting and one warning, never the command.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use toml::de::{DeTable, DeValue};

use super::{Config, Origin, Policy, SETTINGS};
use crate::diag::{Diagnostic, Kind, Place, SourceFile, Span};
use crate::session::Session;

/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// What a configuration file says.
#[derive(Debug, Default)]
pub(super) struct File {
    path: Utf8PathBuf,
    pub(super) policy: Option<Policy>,
    pub(super) locked: Vec<String>,
    values: Vec<(String, String, Place)>,
    pub(super) problems: Vec<Diagnostic>,
}

/// The site's file: `XMOD_CONFIG`, else `../etc/xmod/xmod.toml` seen from the program, else `/etc/xmod/xmod.toml`.
pub(super) fn of_site(session: &Session) -> File {
    if let Some(path) = session.text("XMOD_CONFIG").filter(|p| !p.is_empty()) {
        let path = Utf8Path::new(path);
        return read(path).unwrap_or_else(|| File {
            problems: vec![Diagnostic::new(
                Kind::Site,
                format!("`XMOD_CONFIG` names `{path}`, which cannot be read"),
            )],
            ..File::default()
        });
    }
    let beside = session
        .exe()
        .and_then(|exe| exe.parent()?.parent())
        .map(|prefix| prefix.join("etc/xmod/xmod.toml"));
    beside
        .and_then(|path| read(&path))
        .or_else(|| read(Utf8Path::new("/etc/xmod/xmod.toml")))
        .unwrap_or_default()
}

/// The user's file: `$XDG_CONFIG_HOME/xmod/config.toml`.
pub(super) fn of_user(session: &Session) -> File {
    session
        .config_home()
        .and_then(|home| read(&home.join("xmod/config.toml")))
        .unwrap_or_default()
}

/// Reads a file; `None` where there is none.
fn read(path: &Utf8Path) -> Option<File> {
    let text = std::fs::read(path).ok()?;
    let source = SourceFile::new(path, text);
    let mut file = File {
        path: path.to_owned(),
        ..File::default()
    };
    if let Err(problem) = file.take(&source) {
        file.problems.push(problem);
    }
    Some(file)
}

impl File {
    fn take(&mut self, source: &Arc<SourceFile>) -> Result<(), Diagnostic> {
        let place = |range: std::ops::Range<usize>| Place {
            file: Arc::clone(source),
            span: Span::new(range.start, range.end),
        };
        let wrong =
            |message: &str, range| Diagnostic::new(Kind::Site, message).at(place(range), "");
        if source.text().len() > MAX_BYTES {
            return Err(wrong("the configuration file is larger than 1 MiB", 0..0));
        }
        let text = std::str::from_utf8(source.text()).map_err(|error| {
            wrong(
                "the configuration file is not UTF-8",
                error.valid_up_to()..error.valid_up_to(),
            )
        })?;
        let table = DeTable::parse(text)
            .map_err(|error| wrong(error.message(), error.span().unwrap_or(0..0)))?;
        for (key, value) in table.get_ref() {
            let name: &str = key.get_ref();
            let at = value.span();
            match (name, value.get_ref()) {
                ("policy", DeValue::String(word)) => match word.as_ref() {
                    "lmod" => self.policy = Some(Policy::Lmod),
                    "modules" => self.policy = Some(Policy::Modules),
                    _ => self.problems.push(
                        wrong("unknown policy", at).help("the policies are `lmod` and `modules`"),
                    ),
                },
                ("locked", DeValue::Array(names)) => {
                    for name in names.iter() {
                        match name.get_ref() {
                            DeValue::String(name) => self.locked.push(name.to_string()),
                            _ => self
                                .problems
                                .push(wrong("`locked` holds names of settings", name.span())),
                        }
                    }
                }
                _ if !SETTINGS.iter().any(|s| s.name == name) => {
                    let problem = wrong(&format!("unknown setting `{name}`"), key.span());
                    self.problems.push(match nearest(name) {
                        Some(near) => problem.help(format!("did you mean `{near}`?")),
                        None => problem.help("`module --config` lists all settings"),
                    });
                }
                (_, DeValue::String(text)) => {
                    self.values
                        .push((name.to_owned(), text.to_string(), place(at)));
                }
                (_, DeValue::Boolean(on)) => {
                    self.values
                        .push((name.to_owned(), on.to_string(), place(at)));
                }
                (_, DeValue::Integer(number)) => {
                    self.values
                        .push((name.to_owned(), number.to_string(), place(at)));
                }
                _ => self.problems.push(wrong(
                    &format!("`{name}` takes one text, number or boolean"),
                    at,
                )),
            }
        }
        Ok(())
    }

    /// Gives the settings their values, but for those that somebody else has locked.
    pub(super) fn apply(&mut self, config: &mut Config, locked: &[String]) {
        for (name, text, place) in &self.values {
            if !locked.contains(name) && !config.set(name, text, Origin::File(self.path.clone())) {
                let problem =
                    Diagnostic::new(Kind::Site, format!("`{text}` is no value for `{name}`"));
                self.problems.push(problem.at(place.clone(), ""));
            }
        }
    }
}

/// The setting most like `name`.
fn nearest(name: &str) -> Option<&'static str> {
    SETTINGS
        .iter()
        .map(|setting| {
            (
                strsim::damerau_levenshtein(name, setting.name),
                setting.name,
            )
        })
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> File {
        let mut file = File {
            path: "/etc/xmod/xmod.toml".into(),
            ..File::default()
        };
        if let Err(problem) = file.take(&SourceFile::new("xmod.toml", text)) {
            file.problems.push(problem);
        }
        file
    }

    #[test]
    fn settings_of_a_file_are_taken_over_with_their_origin() {
        let mut config = Config::preset(Policy::Lmod);
        let mut file = taken(
            "policy = 'modules'\nfind_first = true\nnearly_forbidden_days = 3\nlocked = ['find_first']\n",
        );
        file.apply(&mut config, &[]);
        assert_eq!(file.policy, Some(Policy::Modules));
        assert!(config.find_first);
        assert_eq!(config.nearly_forbidden_days, 3);
        assert_eq!(
            config.origin("find_first"),
            Origin::File("/etc/xmod/xmod.toml".into())
        );
        assert_eq!(file.locked, ["find_first"]);
        assert!(file.problems.is_empty());
    }

    #[test]
    fn what_the_site_has_locked_stays() {
        let mut config = Config::preset(Policy::Lmod);
        taken("find_first = true").apply(&mut config, &["find_first".to_owned()]);
        assert!(!config.find_first);
    }

    #[test]
    fn a_mistake_is_shown_with_its_place_and_the_rest_counts() {
        let mut config = Config::preset(Policy::Lmod);
        let mut file =
            taken("find_frist = true\nfind_first = true\npolicy = 'tmod'\nredirect = [1]\n");
        file.apply(&mut config, &[]);
        assert!(config.find_first);
        let texts: Vec<String> = file.problems.iter().map(|p| p.message.clone()).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        let first = file
            .problems
            .iter()
            .find(|p| p.message.contains("find_frist"))
            .unwrap();
        assert_eq!(first.help, ["did you mean `find_first`?"]);
        assert!(first.to_string().contains("xmod.toml:1:1"), "{first}");
    }

    #[test]
    fn garbage_is_one_problem() {
        assert_eq!(taken("a = = b").problems.len(), 1);
        assert_eq!(taken("\u{0}").problems.len(), 1);
    }
}
