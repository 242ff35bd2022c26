#!/usr/bin/env python3
"""Checks a JSON document (standard input) against a JSON Schema: validate.py SCHEMA"""
import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
errors = list(jsonschema.Draft202012Validator(schema).iter_errors(json.load(sys.stdin)))
for error in errors:
    print("/".join(map(str, error.absolute_path)), error.message, file=sys.stderr)
sys.exit(1 if errors else 0)
