//! `module spider` in its three levels, `keyword`, `category`.

use std::borrow::Cow;

use super::{Layout, add_wrapped, border, indented, wrapped};

/// A name with all its versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package<'m> {
    /// Name without version.
    pub name: &'m str,
    /// Full names, lowest first, with what is said about them behind it.
    pub versions: Vec<Cow<'m, str>>,
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
pub fn overview(heading: &str, packages: &[Package<'_>], layout: Layout) -> String {
    let line = border(layout.width);
    let mut text = format!("\n{heading}");
    let mut head = String::new();
    for package in packages {
        head.clear();
        head.push_str("  ");
        head.push_str(package.name);
        head.push_str(": ");
        for (place, version) in package.versions.iter().enumerate() {
            // A character takes at most four bytes: what is behind this would be cut.
            if head.len() > 4 * layout.width {
                break;
            }
            head.push_str(if place > 0 { ", " } else { "" });
            head.push_str(version);
        }
        push_cut(&mut text, &head, layout.width);
        text.push('\n');
        if !package.description.is_empty() {
            add_wrapped(&mut text, &package.description, 4, layout);
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
pub fn versions(package: &Package<'_>, others: &[String], layout: Layout) -> String {
    let line = border(layout.width);
    let mut text = format!("\n{line}  {}:\n{line}", package.name);
    text.push_str(&described(&package.description, layout));
    text.push_str(&layout.say("m_Versions", &[], "     Versions:\n"));
    for version in &package.versions {
        text.push_str(&format!("        {version}\n"));
    }
    if !others.is_empty() {
        let names = wrapped(&others.join("  "), 8, layout);
        let own = format!("     Other possible modules matches:\n{names}");
        text.push_str(&layout.say("m_Other_possible", &[("b", &names)], own));
    }
    text.push('\n');
    let example = package
        .versions
        .last()
        .map_or(package.name, |version| &**version);
    let own = format!(
        "{line}  How to load a version, and more about it:\n\n     $ module spider {example}\n{line}\n"
    );
    let values = [
        ("border", line.as_str()),
        ("key", package.name),
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
        text.push_str(&wrapped(&module.extensions.join(", "), 6, layout));
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
    let text = wrapped(description, 6, layout);
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

/// Adds a line, cut at a blank, with dots, where it is wider than the terminal.
fn push_cut(text: &mut String, line: &str, width: usize) {
    if line.len() < width || line.chars().count() < width {
        text.push_str(line);
        return;
    }
    let mut length = 0;
    let mut columns = 0;
    for word in line.split_inclusive(' ') {
        let wide = word.chars().count();
        if columns + wide + 4 >= width && !line[..length].trim().is_empty() {
            break;
        }
        length += word.len();
        columns += wide;
    }
    text.push_str(line[..length].trim_end_matches(' '));
    text.push_str(" ...");
}
