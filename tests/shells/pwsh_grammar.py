"""Reads PowerShell code by tree-sitter's grammar, since PowerShell itself is in no registry of packages that CI reaches.

Standard input: code. Standard output: a JSON object with the variables of the environment that it sets. Ends with a message where
the grammar finds a mistake, or a statement that is no assignment of a plain text (`--any`: any statement).
"""

import json
import re
import sys

import tree_sitter
import tree_sitter_powershell

QUOTES = "'\u2018\u2019\u201a\u201b"


def only(node, *kinds):
    """The first node below `node` of one of these kinds, on a way without branches."""
    while node.type not in kinds:
        if len(node.children) != 1:
            raise SystemExit(f"not one of {kinds}: {node.text!r}")
        node = node.children[0]
    return node


def text(node):
    """The value of an expression made of texts in single quotes and [char]13."""
    if node.type == "verbatim_string_characters":
        inner = node.text.decode()[1:-1]
        # Each quote of any kind stands there twice, or it would end the text.
        pair = f"([{QUOTES}])\\1"
        if re.search(f"[{QUOTES}]", re.sub(pair, "", inner)):
            raise SystemExit(f"a single quote stands alone: {inner!r}")
        return re.sub(pair, r"\1", inner)
    if node.text == b"[char]13":
        return "\r"
    return "".join(text(child) for child in node.children if child.type not in ("(", ")", "+"))


def main():
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    tree = parser.parse(sys.stdin.buffer.read())
    if tree.root_node.has_error:
        raise SystemExit(f"mistakes: {tree.root_node}")
    if "--any" in sys.argv:
        return
    variables = {}
    for statement in only(tree.root_node, "statement_list").children:
        assignment = only(statement, "assignment_expression")
        name, _, value = assignment.children
        name = only(name, "variable").text.decode()
        if name.startswith("$env:"):
            variables[name.removeprefix("$env:")] = text(value)
        elif name != "$global:_mlstatus":
            raise SystemExit(f"another variable: {name}")
    json.dump(variables, sys.stdout)


main()
