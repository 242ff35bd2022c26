//! `module search` and `module provides`: modules by anything that is known of them, and by the programs they bring along.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use serde_json::json;

use super::spider::{Seen, seen};
use super::{Answer, Context};
use crate::config::ListingStyle;
use crate::diag::{Diagnostic, Kind};
use crate::tree::{Crawl, Depth, Filter, Wanted, Way};
use crate::view;
use crate::view::search::{Found, Program};

/// How long the look for a program may take where no cache knows it: somebody waits at the prompt.
const PATIENCE: Duration = Duration::from_millis(400);

/// How many ways to a program are told.
const MOST_WAYS: usize = 5;

/// How many near names are told.
const MOST_NEAR: usize = 5;

/// What of a module a word was found in, the weightiest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Where {
    /// It is the name of the module, or of an extension.
    Is,
    Name,
    Program,
    Extension,
    Text,
}

/// A module of the hierarchies: the number of its tree, and its own.
type Place = (usize, u32);

/// Finds modules by their names, descriptions, help, extensions and programs; all words have to be found.
pub(super) fn run(context: &mut Context) -> Result<(), Diagnostic> {
    if context.config.listing_style == ListingStyle::Modules {
        return super::modules::search(context);
    }
    if context.words.is_empty() {
        return Err(
            Diagnostic::new(Kind::Usage, "`search` needs a word to look for")
                .help("module search WORD..."),
        );
    }
    let crawl = context.engine.crawl(Wanted::All, Depth::All);
    let modules = seen(context, &crawl);
    let filters = super::avail::filters_of_text(context)?;
    let mut found: Option<HashMap<Place, Where>> = None;
    let mut named = Named::default();
    for (word, filter) in context.words.iter().zip(&filters) {
        let of_word = find(&crawl, &modules, word, filter, &mut named);
        found = Some(match found {
            None => of_word,
            Some(before) => before
                .into_iter()
                .filter_map(|(place, at)| Some((place, at.min(*of_word.get(&place)?))))
                .collect(),
        });
    }
    let found = found.unwrap_or_default();
    let mut groups: Vec<(Where, Vec<&Seen>)> = modules
        .chunk_by(|a, b| a.entry.name() == b.entry.name())
        .filter_map(|group| {
            let place = |module: &&Seen| (module.entry.tree, module.entry.number);
            let hits: Vec<&Seen> = group
                .iter()
                .filter(|m| found.contains_key(&place(m)))
                .collect();
            let best = hits.iter().map(|module| found[&place(module)]).min()?;
            Some((best, hits))
        })
        .collect();
    groups.sort_by_key(|(best, _)| *best);
    let near = match groups.is_empty() {
        true => near(context, &crawl, &modules),
        false => Vec::new(),
    };
    let results: Vec<Found> = groups
        .iter()
        .map(|(_, hits)| result(hits, &named))
        .collect();
    tell(context, &crawl, &groups, &results, &near);
    Ok(())
}

/// Programs and extensions that were found, by module.
#[derive(Debug, Default)]
struct Named {
    programs: HashMap<Place, BTreeSet<String>>,
    extensions: HashMap<Place, BTreeSet<String>>,
}

/// Where one word is found.
fn find(
    crawl: &Crawl,
    modules: &[Seen],
    word: &str,
    filter: &Filter,
    named: &mut Named,
) -> HashMap<Place, Where> {
    let mut found: HashMap<Place, Where> = HashMap::new();
    let mut note = |place: Place, at: Where| {
        let known = found.entry(place).or_insert(at);
        *known = (*known).min(at);
    };
    let is = |name: &str| name.eq_ignore_ascii_case(word);
    for module in modules {
        let place = (module.entry.tree, module.entry.number);
        if is(module.entry.name()) {
            note(place, Where::Is);
        } else if filter.accepts(module.entry) {
            note(place, Where::Name);
        }
    }
    for (program, places) in crawl.programs(&|program| filter.accepts_name(program)) {
        for place in places {
            note(
                place,
                if is(&program) {
                    Where::Name
                } else {
                    Where::Program
                },
            );
            named
                .programs
                .entry(place)
                .or_default()
                .insert(program.clone());
        }
    }
    for tree in 0..crawl.trees.len() {
        for extra in crawl.extras(tree).into_values() {
            let place = (tree, extra.number);
            for extension in extra.extensions {
                let name = extension.split('/').next().unwrap_or(&extension);
                if filter.accepts_name(name) {
                    note(
                        place,
                        if is(name) {
                            Where::Is
                        } else {
                            Where::Extension
                        },
                    );
                    named
                        .extensions
                        .entry(place)
                        .or_default()
                        .insert(extension.clone());
                }
            }
        }
    }
    for place in crawl.search(std::slice::from_ref(filter)) {
        note(place, Where::Text);
    }
    found
}

/// One name with what was found of it.
fn result(hits: &[&Seen], named: &Named) -> Found {
    let mut found = Found {
        name: hits[0].entry.name().to_owned(),
        ..Found::default()
    };
    let mut programs = BTreeSet::new();
    let mut extensions = BTreeSet::new();
    for module in hits {
        if !found.versions.contains(&module.entry.full_name) {
            found.versions.push(module.entry.full_name.clone());
        }
        let place = (module.entry.tree, module.entry.number);
        programs.extend(named.programs.get(&place).into_iter().flatten().cloned());
        extensions.extend(named.extensions.get(&place).into_iter().flatten().cloned());
    }
    let descriptions = hits.iter().rev().map(|module| module.about().description());
    let description = descriptions.into_iter().find(|text| !text.is_empty());
    description
        .unwrap_or_default()
        .clone_into(&mut found.description);
    found.programs = programs.into_iter().collect();
    found.extensions = extensions.into_iter().collect();
    found
}

fn tell(
    context: &mut Context,
    crawl: &Crawl,
    groups: &[(Where, Vec<&Seen>)],
    results: &[Found],
    near: &[String],
) {
    if context.options.json {
        let results: Vec<_> = results
            .iter()
            .zip(groups)
            .map(|(found, (_, hits))| {
                let modules: Vec<_> = hits
                    .iter()
                    .map(|module| super::spider::as_json(crawl, module))
                    .collect();
                json!({
                    "name": found.name,
                    "description": found.description,
                    "programs": found.programs,
                    "extensions": found.extensions,
                    "modules": modules,
                })
            })
            .collect();
        context.print_json(&json!({ "version": 1, "results": results, "near": near }));
        return;
    }
    if context.options.terse {
        for version in results.iter().flat_map(|found| &found.versions) {
            context.print(&format!("{version}\n"));
        }
        return;
    }
    let words = context.words.join("\", \"");
    if results.is_empty() {
        context.notice(&format!("nothing matches \"{words}\"\n"));
        for name in near {
            context.notice(&format!("did you mean `{name}`?\n"));
        }
        return;
    }
    let title = format!("Modules that match \"{words}\":\n");
    let text = view::search::results(&title, results, context.layout());
    context.print(&text);
}

/// Names, programs and extensions that are written much like one of the words, the nearest first.
fn near(context: &Context, crawl: &Crawl, modules: &[Seen]) -> Vec<String> {
    let mut names: BTreeSet<String> = modules.iter().map(|m| m.entry.name().to_owned()).collect();
    names.extend(crawl.programs(&|_| true).into_keys());
    for tree in 0..crawl.trees.len() {
        let extensions = crawl
            .extras(tree)
            .into_values()
            .flat_map(|extra| extra.extensions);
        names.extend(extensions.map(|e| e.split('/').next().unwrap_or(&e).to_owned()));
    }
    let mut near: Vec<(usize, String)> = Vec::new();
    for word in context.words {
        let lower = word.to_lowercase();
        for name in &names {
            // The last part of a long name is what people remember.
            let last = name.rsplit('/').next().unwrap_or(name).to_lowercase();
            if last.len().abs_diff(lower.len()) > 1 + lower.len() / 4 {
                continue;
            }
            let distance = strsim::damerau_levenshtein(&lower, &last);
            if distance <= 1 + lower.len() / 4 {
                near.push((distance, name.clone()));
            }
        }
    }
    near.sort();
    near.dedup();
    near.into_iter()
        .map(|(_, name)| name)
        .take(MOST_NEAR)
        .collect()
}

/// Tells which modules bring along a program, and how to load them. The answer is no where none does.
pub(super) fn provides(context: &mut Context) -> Result<(), Diagnostic> {
    let [program] = context.words else {
        return Err(
            Diagnostic::new(Kind::Usage, "`provides` needs the name of one program")
                .help("module provides PROGRAM"),
        );
    };
    let crawl = context
        .engine
        .crawl_within(Wanted::All, Depth::All, PATIENCE);
    let places: HashSet<Place> = crawl.program(program).into_iter().collect();
    let modules = seen(context, &crawl);
    let providers = modules.iter().filter(|m| {
        places.contains(&(m.entry.tree, m.entry.number)) && m.entry.verdict().forbidden.is_none()
    });
    // What can be had at once comes first, then defaults, then the highest version.
    let mut ways: Vec<(usize, bool, usize, Way)> = Vec::new();
    for (rank, module) in providers.rev().enumerate() {
        for mut way in crawl.ways(&module.tree.modulepath) {
            let before = way.len();
            way.push(module.entry.full_name.clone());
            ways.push((before, !module.entry.is_default, rank, way));
        }
    }
    ways.sort();
    let mut ways: Vec<Way> = ways.into_iter().map(|(.., way)| way).collect();
    ways.dedup();
    if ways.is_empty() {
        context.answer = Answer::False;
    }
    if context.options.json {
        context.print_json(&json!({ "version": 1, "program": program, "load": ways }));
    } else if context.options.terse {
        // For the handlers in shell/command-not-found: modules separated by tabs.
        for way in ways.iter().take(MOST_WAYS) {
            context.print(&format!("{}\n", way.join("\t")));
        }
    } else if ways.is_empty() {
        context.notice(&format!(
            "no module that is known brings along `{program}`\n"
        ));
    } else {
        let more = ways.len().saturating_sub(MOST_WAYS);
        ways.truncate(MOST_WAYS);
        let found = Program {
            name: program.clone(),
            ways,
            more,
        };
        let text = view::search::program(&found);
        context.print(&text);
    }
    Ok(())
}
