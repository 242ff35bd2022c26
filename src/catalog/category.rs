//! Categories: several spellings of one, and those that a name tells.

use std::collections::{BTreeMap, HashMap};

use super::model::Package;

/// EasyBuild's classes of modules, as they stand in front of categorised names (`bio/GROMACS`).
///
/// Source: EasyBuild documentation, "Module classes".
const CLASSES: &[(&str, &str)] = &[
    ("ai", "Artificial intelligence"),
    ("astro", "Astronomy"),
    ("base", "Base"),
    ("bio", "Bioinformatics"),
    ("cae", "Computer-aided engineering"),
    ("chem", "Chemistry"),
    ("compiler", "Compilers"),
    ("data", "Data"),
    ("debugger", "Debuggers"),
    ("devel", "Development"),
    ("geo", "Earth sciences"),
    ("ide", "Development environments"),
    ("lang", "Languages"),
    ("lib", "Libraries"),
    ("math", "Mathematics"),
    ("mpi", "MPI"),
    ("numlib", "Numerical libraries"),
    ("perf", "Performance tools"),
    ("phys", "Physics"),
    ("quantum", "Quantum computing"),
    ("system", "System"),
    ("toolchain", "Toolchains"),
    ("tools", "Tools"),
    ("vis", "Visualisation"),
];

/// The category that a categorised name tells.
pub(super) fn of_name(name: &str) -> Option<String> {
    let (class, _) = name.split_once('/')?;
    let found = CLASSES.iter().find(|(known, _)| *known == class);
    found.map(|(_, title)| (*title).to_owned())
}

/// A category without what has no meaning: case, and signs between words.
fn plain(category: &str) -> String {
    let mut plain = String::new();
    for word in category.split(|c: char| !c.is_alphanumeric()) {
        // `Tools & Libraries` is `tools and libraries`.
        if !word.is_empty() && !word.eq_ignore_ascii_case("and") {
            plain.extend(word.chars().flat_map(char::to_lowercase));
        }
    }
    plain
}

/// Gives each category one spelling: the site's, else the one that most modules use.
pub(super) fn unify(packages: &mut [Package], site: &BTreeMap<String, Vec<String>>) {
    let mut meant: HashMap<String, String> = HashMap::new();
    for (category, variants) in site {
        for spelling in variants.iter().chain([category]) {
            meant.insert(plain(spelling), category.clone());
        }
    }
    let mut counts: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    for category in packages.iter().flat_map(|package| &package.categories) {
        *counts
            .entry(plain(category))
            .or_default()
            .entry(category)
            .or_default() += 1;
    }
    let mut usual = Vec::new();
    for (plain, spellings) in &counts {
        // Of equals the one that begins with a capital letter, which sorts first.
        let best = spellings
            .iter()
            .max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
        if let Some((spelling, _)) = best {
            usual.push((plain.clone(), (*spelling).to_owned()));
        }
    }
    for (plain, spelling) in usual {
        meant.entry(plain).or_insert(spelling);
    }
    for package in packages {
        let mut categories: Vec<String> = Vec::new();
        for category in &package.categories {
            let category = meant.get(&plain(category)).unwrap_or(category);
            if !categories.contains(category) {
                categories.push(category.clone());
            }
        }
        package.categories = categories;
    }
}

/// Pairs of categories that look like one with a slip of the pen: the rarer first.
pub(super) fn suspects(categories: &BTreeMap<&str, usize>) -> Vec<(String, String)> {
    let plains: Vec<(String, &str, usize)> = categories
        .iter()
        .map(|(category, count)| (plain(category), *category, *count))
        .collect();
    let mut pairs = Vec::new();
    for (index, (a, spelling_a, count_a)) in plains.iter().enumerate() {
        for (b, spelling_b, count_b) in &plains[index + 1..] {
            // Short words differ by a letter and mean different things.
            let slips = a.len().min(b.len()) / 5;
            if slips > 0
                && a.len().abs_diff(b.len()) <= slips
                && strsim::damerau_levenshtein(a, b) <= slips.min(2)
            {
                let (rare, common) = if count_a < count_b {
                    (spelling_a, spelling_b)
                } else {
                    (spelling_b, spelling_a)
                };
                pairs.push(((*rare).to_owned(), (*common).to_owned()));
            }
        }
    }
    pairs
}
