//! Module specifications and version ranges in texts. `@` has its meaning under every policy: the format must mean the
//! same everywhere.

use bstr::ByteSlice;

use super::document::{self, Text};
use super::scope::Scope;
use crate::diag::{Diagnostic, Kind, Place};
use crate::modulefile::host::Host;
use crate::name::{Spec, SpecRules, Versions};

/// The specification that a text is: `gcc`, `gcc/13`, `gcc@12:`.
///
/// # Errors
/// The text has no value, or is no specification.
pub(super) fn module(host: &Host, scope: &Scope, text: &Text) -> Result<Spec, Diagnostic> {
    let value = utf8(host, scope, text)?;
    Spec::parse(&value, &rules(host)).map_err(|error| {
        Diagnostic::new(Kind::Modulefile, error.to_string())
            .at(place(host, text), "not a module specification")
    })
}

/// The range of versions that a text is: `12:13`, `13.2`, `^1.2`.
///
/// # Errors
/// The text has no value, or is no range.
pub(super) fn range(host: &Host, scope: &Scope, text: &Text) -> Result<Versions, Diagnostic> {
    let value = utf8(host, scope, text)?;
    // Only the part behind `@` matters; any name will do in front of it.
    match Spec::parse(&format!("module@{value}"), &rules(host)) {
        Ok(spec) if !value.contains(char::is_whitespace) => Ok(spec.versions),
        _ => Err(Diagnostic::new(
            Kind::Modulefile,
            format!("`{value}` is not a range of versions"),
        )
        .at(
            place(host, text),
            "expected such as `13.2`, `12:13`, `12:` or `:13`",
        )),
    }
}

fn rules(host: &Host) -> SpecRules {
    SpecRules {
        at: true,
        ..host.world.config().spec_rules()
    }
}

fn utf8(host: &Host, scope: &Scope, text: &Text) -> Result<String, Diagnostic> {
    let value = scope.expand(host, text)?;
    match value.to_str() {
        Ok(value) => Ok(value.to_owned()),
        Err(_) => {
            Err(Diagnostic::new(Kind::Modulefile, "not valid UTF-8").at(place(host, text), ""))
        }
    }
}

fn place(host: &Host, text: &Text) -> Place {
    document::place(&host.source, text.span)
}
