//! `module spider` in its three levels, `keyword`, `category`.

use super::{Layout, border, indented};

/// A name with all its versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// Name without version.
    pub name: String,
    /// Full names, lowest first.
    pub versions: Vec<String>,
    /// What it is.
    pub description: String,
}

/// One module, in detail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// Full name.
    pub full_name: String,
    /// What it is.
    pub description: String,
    /// It can be loaded from the modulepaths that are there.
    pub direct: bool,
    /// Otherwise: the modules to load first, one way a row.
    pub parents: Vec<Vec<String>>,
    /// Properties with their meaning.
    pub properties: Vec<String>,
    /// Extensions it brings along.
    pub extensions: Vec<String>,
    /// Its help text.
    pub help: String,
}

/// All names with their versions.
///
/// `heading` is the title between its two lines.
pub fn overview(heading: &str, packages: &[Package], layout: Layout) -> String {
    let line = border(layout.width);
    let mut text = format!("\n{heading}");
    for package in packages {
        let names = package.versions.join(", ");
        let head = format!("  {}: {names}", package.name);
        text.push_str(&cut(&head, layout.width));
        text.push('\n');
        if !package.description.is_empty() {
            text.push_str(&paragraph(&package.description, 4, layout));
        }
        text.push('\n');
    }
    let own = format!(
        "{line}To learn how to load one of them:\n\n   $ module spider NAME/VERSION\n\n{line}"
    );
    text.push_str(&layout.say("m_Spider_Tail", &[("border", &line)], own));
    text
}

/// One name with several versions; `others` are names that are alike.
pub fn versions(package: &Package, others: &[String], layout: Layout) -> String {
    let line = border(layout.width);
    let mut text = format!("\n{line}  {}:\n{line}", package.name);
    text.push_str(&described(&package.description, layout));
    text.push_str(&layout.say("m_Versions", &[], "     Versions:\n"));
    for version in &package.versions {
        text.push_str(&format!("        {version}\n"));
    }
    if !others.is_empty() {
        let names = paragraph(&others.join("  "), 8, layout);
        let own = format!("     Other possible modules matches:\n{names}");
        text.push_str(&layout.say("m_Other_possible", &[("b", &names)], own));
    }
    text.push('\n');
    let example = package
        .versions
        .last()
        .map_or(package.name.as_str(), String::as_str);
    let own = format!(
        "{line}  How to load a version, and more about it:\n\n     $ module spider {example}\n{line}\n"
    );
    let values = [
        ("border", line.as_str()),
        ("key", &package.name),
        ("exampleV", example),
    ];
    text.push_str(&layout.say("m_Spdr_L1", &values, own));
    text
}

/// One module with all that is known of it.
pub fn detail(module: &Detail, layout: Layout) -> String {
    let line = border(layout.width);
    let mut text = format!("\n{line}  {}\n{line}", module.full_name);
    text.push_str(&described(&module.description, layout));
    let name = [("fullName", module.full_name.as_str())];
    if module.direct {
        let own = format!(
            "    This module can be loaded directly: module load {}\n",
            module.full_name
        );
        text.push_str(&layout.say("m_Direct_Load", &name, own));
    }
    if !module.parents.is_empty() {
        let (key, also) = match module.direct {
            true => ("m_Additional_Variants", "It can also be reached through"),
            false => ("m_Depend_Mods", "Load"),
        };
        let own = format!(
            "    {also} all modules on any one of these lines before `{}`:\n\n",
            module.full_name
        );
        text.push_str(&layout.say(key, &name, own));
        for way in &module.parents {
            text.push_str(&format!("      {}\n", way.join("  ")));
        }
    }
    if !module.properties.is_empty() {
        text.push('\n');
        text.push_str(&layout.say("m_Properties", &[], "    Properties:\n"));
        text.push_str(&indented(&module.properties.join("\n"), 6));
    }
    if !module.extensions.is_empty() {
        text.push('\n');
        let own = "    This module provides the following extensions:\n\n";
        text.push_str(&layout.say("m_ModProvides", &[], own));
        text.push_str(&paragraph(&module.extensions.join(", "), 6, layout));
    }
    if !module.help.trim().is_empty() {
        text.push_str("\n    Help:\n");
        text.push_str(&indented(module.help.trim_end(), 6));
    }
    text.push('\n');
    text
}

/// The paragraph that says what something is; nothing where that is not known.
fn described(description: &str, layout: Layout) -> String {
    if description.is_empty() {
        return String::new();
    }
    let text = paragraph(description, 6, layout);
    let own = format!("    Description:\n{text}\n");
    layout.say("m_Description", &[("descript", &text)], own)
}

/// An extension and the modules that bring it along.
pub fn extension(names: &[&str], providers: &[String], layout: Layout) -> String {
    let line = border(layout.width);
    let mut text = format!("\n{line}  {}:\n{line}", names.join(", "));
    let own = "    This extension is provided by the following modules. To access it, load one of them:\n\n";
    text.push_str(&layout.say("m_ProvidedFrom", &[], own));
    for provider in providers {
        text.push_str(&format!("       {provider}\n"));
    }
    text.push('\n');
    text
}

/// Text wrapped to the width, behind `indent` blanks.
fn paragraph(text: &str, indent: usize, layout: Layout) -> String {
    let width = layout.width.saturating_sub(indent + 1).max(20);
    let mut out = String::new();
    for line in text.lines() {
        if line.is_ascii() && line.len() <= width && line.trim_end().len() == line.len() {
            // Nothing to wrap, which is the rule.
            out.push_str(&indented(line, indent));
        } else {
            out.push_str(&indented(&textwrap::fill(line, width), indent));
        }
    }
    out
}

/// A line cut at a blank, with dots, where it is wider than the terminal.
fn cut(line: &str, width: usize) -> String {
    if line.chars().count() < width {
        return line.to_owned();
    }
    let mut out = String::new();
    for word in line.split_inclusive(' ') {
        if out.chars().count() + word.chars().count() + 4 >= width && !out.trim().is_empty() {
            break;
        }
        out.push_str(word);
    }
    format!("{}...", out.trim_end_matches(' ').to_owned() + " ")
}
