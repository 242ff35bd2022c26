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
pub fn overview(title: &str, packages: &[Package], layout: Layout) -> String {
    let line = border(layout.width);
    let mut text = format!("\n{line}{title}{line}");
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
    text.push_str(&line);
    text.push_str("To learn how to load one of them:\n\n   $ module spider NAME/VERSION\n\n");
    text.push_str(&line);
    text
}

/// One name with several versions; `others` are names that are alike.
pub fn versions(package: &Package, others: &[String], layout: Layout) -> String {
    let line = border(layout.width);
    let mut text = format!("\n{line}  {}:\n{line}", package.name);
    if !package.description.is_empty() {
        text.push_str("    Description:\n");
        text.push_str(&paragraph(&package.description, 6, layout));
        text.push('\n');
    }
    text.push_str("     Versions:\n");
    for version in &package.versions {
        text.push_str(&format!("        {version}\n"));
    }
    if !others.is_empty() {
        text.push_str("     Other possible modules matches:\n");
        text.push_str(&paragraph(&others.join("  "), 8, layout));
    }
    text.push_str(&format!("\n{line}"));
    let example = package
        .versions
        .last()
        .map_or(package.name.as_str(), String::as_str);
    text.push_str(&format!(
        "  How to load a version, and more about it:\n\n     $ module spider {example}\n{line}\n"
    ));
    text
}

/// One module with all that is known of it.
pub fn detail(module: &Detail, layout: Layout) -> String {
    let line = border(layout.width);
    let mut text = format!("\n{line}  {}\n{line}", module.full_name);
    if !module.description.is_empty() {
        text.push_str("    Description:\n");
        text.push_str(&paragraph(&module.description, 6, layout));
        text.push('\n');
    }
    if module.direct {
        text.push_str(&format!(
            "    This module can be loaded directly: module load {}\n",
            module.full_name
        ));
    }
    if !module.parents.is_empty() {
        let also = if module.direct {
            "It can also be reached through"
        } else {
            "Load"
        };
        text.push_str(&format!(
            "    {also} all modules on any one of these lines before `{}`:\n\n",
            module.full_name
        ));
        for way in &module.parents {
            text.push_str(&format!("      {}\n", way.join("  ")));
        }
    }
    if !module.properties.is_empty() {
        text.push_str("\n    Properties:\n");
        text.push_str(&indented(&module.properties.join("\n"), 6));
    }
    if !module.extensions.is_empty() {
        text.push_str("\n    This module provides the following extensions:\n\n");
        text.push_str(&paragraph(&module.extensions.join(", "), 6, layout));
    }
    if !module.help.trim().is_empty() {
        text.push_str("\n    Help:\n");
        text.push_str(&indented(module.help.trim_end(), 6));
    }
    text.push('\n');
    text
}

/// An extension and the modules that bring it along.
pub fn extension(names: &[&str], providers: &[String], layout: Layout) -> String {
    let line = border(layout.width);
    let mut text = format!("\n{line}  {}:\n{line}", names.join(", "));
    text.push_str("    This extension is provided by the following modules. To access it, load one of them:\n\n");
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
        out.push_str(&indented(&textwrap::fill(line, width), indent));
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
