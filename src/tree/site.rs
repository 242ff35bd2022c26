//! What the site's own code makes of the rules (`isVisibleHook`, `isForbiddenHook`) and of variables (`packagebasename`).
//!
//! Source: Lmod user guide "Hooks".

use camino::Utf8Path;

use super::facts::{Forbidden, NearlyForbidden, Subject, Verdict};
use crate::diag::Diagnostic;
use crate::modulefile::relation::Hiding;
use crate::modulefile::site::{self, Listed, Site};
use crate::name::LuaPattern;

/// The verdict about a module after the site's hooks; what they say becomes a warning of the module.
pub(super) fn judge(
    site: &Site<'_>,
    modulepath: &Utf8Path,
    subject: &Subject<'_>,
    verdict: Verdict,
) -> Verdict {
    let mut judged = verdict.clone();
    if let Err(diagnostic) = ask(site, modulepath, subject, &mut judged) {
        // A hook that fails hides and forbids nothing.
        judged = verdict;
        let warning = format!("a hook of the site fails: {}", diagnostic.message);
        judged.warnings.push(warning);
    }
    let said = site.take_messages();
    let texts = said
        .iter()
        .map(|m| m.text.to_string().trim_end().to_owned());
    judged.warnings.extend(texts);
    judged
}

/// The patterns of the variables that name the directory of a package, and of its libraries; `None` where the site's hooks
/// fail or give what is no pattern.
pub(super) fn package_patterns(site: &Site<'_>) -> Option<(LuaPattern, LuaPattern)> {
    let (packages, libraries) = site.package_patterns().ok()?;
    let pattern = |text: String| LuaPattern::new(&text).ok();
    Some((pattern(packages)?, pattern(libraries)?))
}

fn ask(
    site: &Site<'_>,
    modulepath: &Utf8Path,
    subject: &Subject<'_>,
    verdict: &mut Verdict,
) -> Result<(), Diagnostic> {
    let listed = Listed {
        full_name: subject.full_name.to_owned(),
        name: subject.name.to_owned(),
        file: subject.file.to_owned(),
        modulepath: modulepath.to_owned(),
    };
    let was_visible = verdict.hiding.is_none();
    match (was_visible, site.is_visible(&listed, was_visible)?) {
        (true, false) => verdict.hiding = Some(Hiding::Hidden),
        (false, true) => verdict.hiding = None,
        _ => {}
    }
    let nearly = verdict.nearly_forbidden.as_ref();
    let state = site::Forbidden {
        state: match (&verdict.forbidden, nearly) {
            (Some(_), _) => "forbid",
            (None, Some(_)) => "nearly",
            (None, None) => "normal",
        }
        .to_owned(),
        message: verdict.forbidden.as_ref().and_then(|f| f.message.clone()),
        nearly_message: nearly.and_then(|n| n.message.clone()),
    };
    let changed = site.forbidden(&listed, state)?;
    let after = verdict.nearly_forbidden.take().map(|n| n.after);
    verdict.forbidden = None;
    match changed.state.as_str() {
        "forbid" => {
            verdict.forbidden = Some(Forbidden {
                message: changed.message,
            });
        }
        "nearly" => {
            verdict.nearly_forbidden = Some(NearlyForbidden {
                after: after.unwrap_or_default(),
                message: changed.nearly_message,
            });
        }
        _ => {}
    }
    Ok(())
}
