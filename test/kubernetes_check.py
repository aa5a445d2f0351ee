#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kubernetes_check.py FIELDS <LIST.json: each object of the list against the table of fields and types."""
import json, re, sys

table = {}
for line in open(sys.argv[1]):
  if line.strip() and not line.startswith("#"):
    owner, field, kind = line.split()
    table.setdefault(owner, {})[field] = (kind.rstrip("*"), kind.endswith("*"))
wrong = []


def check(value, kind, path):
  if kind.startswith("[]"):
    if not isinstance(value, list):
      return wrong.append(f"{path}: is no list")
    return [check(v, kind[2:], f"{path}[{i}]") for i, v in enumerate(value)]
  if kind.startswith("{"):
    if not isinstance(value, dict):
      return wrong.append(f"{path}: is no mapping")
    return [check(v, kind[1:-1], f"{path}.{k}") for k, v in value.items()]
  if kind == "object":
    return check(value, value.get("kind") if value.get("kind") in table else "ObjectMeta", path)
  if kind in table and isinstance(value, dict):
    fields = table[kind]
    wrong.extend(f"{path}.{k}: {kind} has no such field" for k in value if k not in fields)
    wrong.extend(f"{path}.{k}: is missing" for k, (_, required) in fields.items() if required and k not in value)
    return [check(v, fields[k][0], f"{path}.{k}") for k, v in value.items() if k in fields]
  ok = {"string": lambda: isinstance(value, str), "boolean": lambda: isinstance(value, bool),
        "integer": lambda: isinstance(value, int) and not isinstance(value, bool),
        "quantity": lambda: isinstance(value, str) and re.fullmatch(r"[0-9]+(\.[0-9]+)?(m|[kMGTPE]|[KMGTPE]i)?", value)}
  if not (ok[kind]() if kind in ok else value in kind.split("|")):
    wrong.append(f"{path}: {json.dumps(value)} is not {kind}")


document = json.load(sys.stdin)
check(document, "List", "list")
for item in document["items"]:
  if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", item["metadata"]["name"]):
    wrong.append(f"{item['kind']}: {item['metadata']['name']} is no name")
print("\n".join(wrong), end="\n" if wrong else "")
sys.exit(bool(wrong))
