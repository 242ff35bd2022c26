//! The site's message file: texts by key and language, which replace those of the program.
//!
//! The file gives a table: `return { site = { avail = "...", e_Failed_Load = "... %{module_list} ..." } }`. What stands under
//! `site` comes first, then the user's language (`de = { ... }`), then `en`.
//! Source: Lmod user guide "Internationalization of Lmod", `LMOD_SITE_MSG_FILE`.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};
use camino::Utf8Path;
use indexmap::IndexMap;
use mlua::Table;
use mlua::chunk::ChunkMode;

use super::{Said, Site, hooks, message_text};
use crate::diag::{Diagnostic, SiteWords};
use crate::modulefile::ModuleContext;
use crate::modulefile::host::{Host, Stop};
use crate::modulefile::lua::machine::Machine;
use crate::modulefile::value::Value;

/// What the site says whatever its users speak.
const SITE: &str = "site";

/// What is spoken where nothing else is wanted.
const ENGLISH: &str = "en";

/// A template with `%{NAME}` filled from `values`.
pub(in crate::modulefile) fn filled(template: &[u8], values: &IndexMap<String, Value>) -> BString {
    let mut out = BString::default();
    let mut rest = template;
    while let Some(at) = rest.find(b"%{") {
        out.extend_from_slice(&rest[..at]);
        let inner = &rest[at + 2..];
        let named = inner.find_byte(b'}').map(|end| (&inner[..end], end));
        let value = named.and_then(|(name, end)| {
            let value = values.get(name.to_str().ok()?)?;
            Some((value.to_bytes()?, end))
        });
        match value {
            Some((value, end)) => {
                out.extend_from_slice(&value);
                rest = &inner[end + 1..];
            }
            None => {
                out.extend_from_slice(b"%{");
                rest = inner;
            }
        }
    }
    out.extend_from_slice(rest);
    out
}

/// The site's text for `key`, not yet filled; `None` where the site has no message file or no such text.
pub(in crate::modulefile) fn template(
    host: &mut Host<'_>,
    key: &str,
) -> Result<Option<BString>, Stop> {
    let config = host.world.config();
    if config.site_messages.is_empty() {
        return Ok(None);
    }
    let (file, language) = (config.site_messages.clone(), language(host));
    let machine = Machine::of(host)?;
    if machine.shared().registered.messages.get().is_none() {
        let texts = read(&machine, host, Utf8Path::new(&file), &language)?;
        // Set here and nowhere else, on one thread.
        let _ = machine.shared().registered.messages.set(texts);
    }
    let texts = machine.shared().registered.messages.get();
    Ok(texts.and_then(|texts| texts.get(key)).cloned())
}

/// What the user speaks: the setting, else the locale's language.
fn language(host: &Host<'_>) -> String {
    let set = &host.world.config().language;
    let wanted = match set.as_str() {
        "" => host.world.session().text("LANG").unwrap_or_default(),
        set => set,
    };
    let word = wanted.split(['_', '.', '@']).next().unwrap_or_default();
    word.to_ascii_lowercase()
}

/// The texts of the file: those for everybody before those of `language`, and these before the English ones.
fn read(
    machine: &Machine,
    host: &mut Host<'_>,
    file: &Utf8Path,
    language: &str,
) -> Result<BTreeMap<String, BString>, Stop> {
    let source = crate::modulefile::read(file)
        .map_err(|error| Stop::error(error.help("`LMOD_SITE_MSG_FILE` names it")))?;
    super::within_file(machine, &source, host, |lua, _| {
        let all: Option<Table> = lua
            .load(source.text())
            .set_name(format!("@{file}"))
            .set_mode(ChunkMode::Text)
            .eval()?;
        let mut texts = BTreeMap::new();
        for language in [ENGLISH, language, SITE] {
            let of_language = all.as_ref().map(|all| all.get::<Option<Table>>(language));
            if let Some(table) = of_language.transpose()?.flatten() {
                for (key, text) in table.pairs::<String, mlua::LuaString>().flatten() {
                    texts.insert(key, BString::from(text.as_bytes().to_vec()));
                }
            }
        }
        Ok(texts)
    })
}

impl Site<'_> {
    /// The site's text for `key`, filled with `values`; `None` where the site does not say it in its own words.
    ///
    /// # Errors
    /// The message file cannot be read.
    pub fn text(&self, key: &str, values: &[(&str, &str)]) -> Result<Option<String>, Diagnostic> {
        if !self.has_messages() {
            return Ok(None);
        }
        let values = named(values);
        let text = self.with_host(|host| template(host, key))?;
        Ok(text.map(|text| hooks::lossy(&filled(&text, &values))))
    }

    /// A message of the program in the words of the site: those of its message file, then those of `errWarnMsgHook`, which
    /// is told the `kind`: `lmoderror` or `lmodwarning`. What is a warning in Lmod is called one whatever becomes of it.
    pub fn reworded(&self, mut diagnostic: Diagnostic, kind: &str) -> Diagnostic {
        let Some(wording) = &diagnostic.wording else {
            return diagnostic;
        };
        if !self.has_code() && !self.has_messages() {
            return diagnostic;
        }
        let values: IndexMap<String, Value> = wording
            .values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::text(value.as_str())))
            .collect();
        let own = BString::from(diagnostic.message.as_str());
        let is_warning = wording.key.starts_with("w_");
        let kind = if is_warning { "lmodwarning" } else { kind };
        let within = wording.within.as_ref().map(|within| ModuleContext {
            name: within.name.clone(),
            version: within.version.clone(),
            requested: within.requested.clone(),
            file: within.file.clone(),
            ..ModuleContext::default()
        });
        let text = self.within_module(&within.unwrap_or_default(), |host| {
            let template = super::template(host, wording.key)?;
            let said = Said {
                text: template.map_or(own, |template| super::filled(&template, &values)),
                key: wording.key.to_owned(),
                values,
            };
            message_text(host, kind, said)
        });
        // What is wrong with the site's own files does not hide what is wrong with the request.
        match text {
            Ok(text) => diagnostic.message = hooks::lossy(&text).trim_end().to_owned(),
            Err(problem) => {
                let place = problem.place.map(|(place, _)| format!("{place}: "));
                let place = place.unwrap_or_default();
                diagnostic.notes.push(format!("{place}{}", problem.message));
            }
        }
        diagnostic
    }
}

impl SiteWords for Site<'_> {
    fn of_site(&self, key: &str, values: &[(&str, &str)]) -> Option<String> {
        // Whoever cannot read the site's words reads ours; the sub-command that has a text of the site says why.
        self.text(key, values).ok().flatten()
    }

    fn message(&self, kind: &str, key: &str, values: &[(&str, &str)], own: &str) -> Option<String> {
        if !self.has_code() && !self.has_messages() {
            return None;
        }
        let text = self.with_host(|host| {
            let template = template(host, key)?;
            let values = named(values);
            let said = Said {
                text: template.map_or_else(|| own.into(), |template| filled(&template, &values)),
                key: key.to_owned(),
                values,
            };
            message_text(host, kind, said)
        });
        text.ok().map(|text| hooks::lossy(&text))
    }
}

fn named(values: &[(&str, &str)]) -> IndexMap<String, Value> {
    let values = values.iter();
    values
        .map(|(name, value)| ((*name).to_owned(), Value::text(*value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_template_are_filled_once() {
        let values = IndexMap::from([
            ("a".to_owned(), Value::text("1 %{b}")),
            ("b".to_owned(), Value::text("2")),
        ]);
        assert_eq!(filled(b"<%{a}|%{b}|%{c}|%{", &values), "<1 %{b}|2|%{c}|%{");
    }
}
