"""Holds OpenLineage events (JSON lines on standard input) against the classes of the standard's own Python client.

Every event and facet must name a schema that a class stands for, and have exactly the fields of that class.
"""
import importlib, json, pkgutil, sys, types, typing

import attr
from openlineage.client import generated
from openlineage.client.generated import base

modules = [importlib.import_module(f"{generated.__name__}.{m.name}") for m in pkgutil.iter_modules(generated.__path__)]
classes = [c for m in modules for c in vars(m).values() if isinstance(c, type) and attr.has(c) and "_get_schema" in vars(c)]
by_schema = {c._get_schema(): c for c in classes}
faults, facets, kinds = [], 0, set()


def fits(value, kind, where):
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        options = [k for k in inner if k is not type(None)]
        if value is not None and len(options) == 1:
            fits(value, options[0], where)
    elif origin is list:
        if not isinstance(value, list):
            return faults.append(f"{where}: no list")
        for at, item in enumerate(value):
            fits(item, inner[0], f"{where}[{at}]")
    elif origin is dict:
        for key, item in value.items():
            fits(item, inner[1], f"{where}.{key}")
    elif isinstance(kind, type) and attr.has(kind):
        whole(value, kind, where)
    elif kind in (str, bool, int, float) and not isinstance(value, kind):
        faults.append(f"{where}: {value!r} is no {kind.__name__}")


def whole(value, cls, where):
    """`value` has the required fields of `cls`, and no others."""
    global facets
    hints = typing.get_type_hints(cls)
    fields = {a.name: a for a in attr.fields(cls)}
    for name, a in fields.items():
        if a.default is attr.NOTHING and name not in value:
            faults.append(f"{where}: lacks `{name}`")
    for name, item in value.items():
        if name not in fields:
            faults.append(f"{where}: `{name}` is no field of {cls.__name__}")
        elif name == "facets":
            for key, one in item.items():
                facets += 1
                found = by_schema.get(one["_schemaURL"])
                if found is None:
                    faults.append(f"{where}: no class has the schema {one['_schemaURL']}")
                else:
                    kinds.add(found.__name__)
                    whole(one, found, f"{where}/{key}")
        else:
            fits(item, hints[name], f"{where}.{name}")


count = 0
for line in sys.stdin:
    event = json.loads(line)
    count += 1
    cls = by_schema.get(event["schemaURL"])
    if cls not in (base.JobEvent, base.DatasetEvent):
        faults.append(f"line {count}: {event['schemaURL']} is the schema of no static event")
    else:
        whole(event, cls, f"line {count}")
print(f"{count} events, {facets} facets of {', '.join(sorted(kinds))}")
if faults or not count:
    sys.exit("\n".join(faults[:20]) or "no events")
