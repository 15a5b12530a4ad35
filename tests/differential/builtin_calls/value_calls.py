"""Calls of builtins on values: numbers, collections, objects, json, yaml, graph, comparison, types."""

import json

from pools import *

JSON_TEXTS = [
    "{}", "[]", "null", "true", "1", "1.0", "1.50", "-0", "-0.0", "1e400", "1E3", "01", "1.", ".5", "+1", "--1", "\"a\"", "\"\\u00e9\"", "\"\\ud83d\\ude00\"", "\"\\ud800\"", "\"\\x\"", "\"a\nb\"", "'a'", "{\"a\":1}", "{\"a\":1,\"a\":2}", "{\"b\":1,\"a\":[1,2,{\"c\":null}]}",
    "{a:1}", "{\"a\" 1}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[1 2]", "[1", "{", "}", "", " ", " 1 ", "1 2", "tru", "nul", "NaN", "Infinity", "\"", "\"\\", "\"\\u12\"", "[[[]]]", "/*c*/1", "\ufeff1", "\"\u2028\"", "\"\u007f\"", "123456789012345678901234567890", "1e-400", "0.1e1", "1e", "1e+", "-",
    "[1,2,3]}", "{\"a\":{\"b\":[{\"c\":1.10}]}}", "\"\u0001\"", "{\"\":0}", "[null,true,false]", "nullx", "{\"a\":1}x", "é", "{\"é\":\"ü\"}", "{1:2}",
]
YAML_TEXTS = [
    "a: 1", "a: 1\nb: 2", "- 1\n- 2", "a:\n- 1\n- 2", "a:\n  - 1", "yes", "no", "on", "off", "y", "n", "Yes", "true", "True", "TRUE", "tRue", "null", "~", "", "Null", "NULL", "0o17", "017", "08", "0x1F", "0b11", "1_000", ".inf", "-.inf", "+.inf", ".nan", ".NaN", "1.0", "1.50", "1e3", "1e400", "+1", "-0",
    ".5", "5.", "1e", "0.1e1", "685.230_15e+03", "190:20:30", "12:30:45", "2001-12-14", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43", "!!str 1", "!!int \"1\"", "!!float 1", "!!bool yes", "!!null x", "!!binary aGk=", "!!set {a, b}", "!foo 1", "!!timestamp 2001-12-14", "!!map {a: 1}", "!!seq [1]",
    "&a 1", "*a", "- &a 1\n- *a", "a: &x {b: 1}\nc: *x", "a: &x {b: 1}\nc:\n  <<: *x\n  d: 2", "<<: {a: 1}\nb: 2", "<<: [{a: 1}, {a: 2, b: 3}]", "<<: 1", "\"<<\": {a: 1}", "---\na: 1", "a: 1\n---\nb: 2", "--- 1\n...\n--- 2", "%YAML 1.2\n---\na", "%YAML 1.1\n---\nyes", "%TAG ! tag:x,2000:\n---\n!a b",
    "|\n  lit\n  text\n", ">\n  fold\n  text\n", "|-\n a", "|+\n a\n\n", "a: |\n  x\n y", "\"dq \\u00e9 \\n\"", "'sq ''x'''", "\"\\x41\"", "\"\\q\"", "[1, 2", "{a: 1", "{a, b: }", "[a, b]: c", "{a: 1}: 2", "? a\n: b", "? [a]\n: b", "1: a", "1.5: a", "true: a", "null: a", "~: a", "a: 1\na: 2", "\ta: 1", "a:\n\t- 1", "a: b: c",
    "# comment", "a: 1 # c", "- - 1\n  - 2", "-1", "- ", "-", "a:", ": a", "?", "@a", "`a", "%a", "a: @b", "[,]", "{,}", "[a,,b]", "'a", "\"a", "a\nb", "a\n  b", "a: 'x'\n  b", "é: ü", "😀", "\ufeffa: 1", "a: \u0001", "a: \u2028b", "9223372036854775807", "9223372036854775808", "18446744073709551616", "123456789012345678901234567890",
    "0x1_F", "0o8", "0X1f", "0O17", "-0x1F", "-017", "+0o17", "00", "-00", "1e+3", "1.e3", ".e3", "1__0", "_1", "0x", "0o", "a: !!str", "!!str", "&a", "a: &b", "- !!int x", "- !!float .inf", "- !!float abc", "{\"a\":1}", "[1, [2, {a: b}]]", "{a: &x 1, b: *x}", "a: *unknown", "&a [*a]", "<<: *b", "a: [\n1,\n2\n]", "a: >-\n  x\n\n  y\n", "\"a\n  b\"", "---", "...", "--- |\n x", "a: - b", "- a: 1\n  b: 2\n- c", "a:\n  b:\n    c: d\n", "a: 1\n b: 2", " a: 1\nb: 2", "= : =", "=", "a: =", "1.5e3", "-1.5E-3", "1e999999", "0.", "-", "--", "- -", "-- a", "1 2", "[yes, no]", "{yes: no}", "a: !<tag:yaml.org,2002:str> 1", "0001-01-01", "2024-02-30", "2001-1-1", "2001-12-14T21:59:43Z", "\"2001-12-14\"",
]
YAML_PLAIN = ["yes", "no", "on", "off", "y", "n", "true", "null", "~", "1", "1.0", "0o17", "017", "0x1F", ".inf", ".nan", "1e3", "2001-12-14", "12:30", "a: b", "a #b", "# a", "- a", "-", "?", ":", "", " a", "a ", "\ta", "a\nb", "a\n", "\n", "'", "\"", "a'b", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a", "[a]", "{a}", "a,b", "<<", "=", "é", "😀", "\u0001", "\u2028", "\x7f", "\u0085", "\ufeff", "a" * 200, "word " * 40, "a\n  b\n", " \n a", "a\r\nb", "1_000", "0b1", "+1", "-.inf", "1e400", "nan", "inf", "Null", "TRUE", "0", "-0", "a: ", ":a", "a:", "190:20:30", "--- a", "...", "a\tb", "\u00a0", "x\u0000y"]
SCHEMA_FORMATS = ["date", "time", "date-time", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference", "regex", "uuid", "json-pointer", "relative-json-pointer", "uri-template", "iri", "iri-reference", "idn-email", "nope"]
SCHEMA_TYPES = ["string", "number", "integer", "object", "array", "boolean", "null"]
PATCH_PATHS = ["/a", "/b", "/a/b", "/a/0", "/0", "/-", "/a/-", "", "/", "a", "a/b", "/x/y", "/a~1b", "/m~0n", "/a/1", "/1", "/01", "/a/b/c", "~2", "/-1", "/a/-1", "//", "/a/"]
FORMATTED = ["2024-02-29", "12:00:00Z", "2024-02-29T12:00:00Z", "2024-02-29T12:00:00.5+02:00", "a@b.c", "a b", "example.com", "-a.com", "127.0.0.1", "256.1.1.1", "::1", "::g", "http://a.b/c", "/rel", "(", "a+", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "/a/b", "0/a", "{a}", "", "2024-02-30", "12:00", "A <a@b.c>", "01.2.3.4", "http://[::1]/", "a{", "1#", "~", "/~2"]

json_text = weighted((pick(JSON_TEXTS), 4), (mutated(JSON_TEXTS, "{}[],:\"\\0123456789.eE+-utrfalsn \n\té", 2), 5))
yaml_text = weighted((pick(YAML_TEXTS), 5), (mutated(YAML_TEXTS, "ab1: -\n{}[],&*!|>'\"#%\t~<é?", 2), 4))
yaml_string = weighted((pick(YAML_PLAIN), 5), (mutated(YAML_PLAIN, "a1: -\n#'\"\té,", 2), 2), (string, 2))


def yaml_tree(depth=3):
    def make(r):
        if depth == 0 or r.random() < 0.35:
            return one_of(yaml_string, yaml_string, scalar)(r)
        inner = yaml_tree(depth - 1)
        size = r.choice([0, 1, 2, 3])
        if r.random() < 0.45:
            return [inner(r) for _ in range(size)]
        if r.random() < 0.9:
            return unique_object(r, yaml_string, inner, size)
        return Set(inner(r) for _ in range(size))

    return make


def path(r):
    if r.random() < 0.6:
        return r.choice(["a", "a/b", "b/0", "a/b/c", "c", "x/y", "a~1b", "0", "1", "/a", "", "a/", "a/0/b", "m~0n", "b"])
    return [key(r) for _ in range(r.randint(0, 3))]


def patch_operation(r):
    members = Object()
    if r.random() < 0.97:
        members.append(("op", r.choice(["add", "remove", "replace", "move", "copy", "test", "add", "remove", "replace", "test", "nope", num("1")])))
    if r.random() < 0.97:
        members.append(("path", r.choice(PATCH_PATHS) if r.random() < 0.8 else [key(r) for _ in range(r.randint(0, 3))]))
    if r.random() < 0.7:
        members.append(("value", tree(1)(r)))
    if r.random() < 0.5:
        members.append(("from", r.choice(PATCH_PATHS) if r.random() < 0.8 else [key(r) for _ in range(r.randint(0, 3))]))
    return members


def patchable(r):
    a = one_of(tree(2), constant(num("1")), constant([num("1"), num("2"), Object([("b", num("3"))])]))(r)
    if r.random() < 0.2:
        return tree(2)(r)
    if r.random() < 0.2:
        return [a, num("1"), "b"]
    if r.random() < 0.15:
        return Set([a, "a", num("1")])
    return Object([("a", a), ("b", tree(1)(r)), ("a/b", num("1")), ("m~n", None)])


def schema(depth=2):
    def limit(r):
        return num(r.choice(["0", "1", "2", "3", "-1", "1.5", "2.0", "1e2", "5"]))

    def make(r):
        if r.random() < 0.05:
            return one_of(boolean, any_term)(r)
        inner = schema(depth - 1) if depth > 0 else constant(obj(type="string"))
        text_ = lambda r: r.choice(["a", "^a", "[0-9]+", "(", "b$", ""])
        names = lambda r: [r.choice("abc") for _ in range(r.randint(0, 2))]
        options = {
            "type": one_of(pick(SCHEMA_TYPES), pick(SCHEMA_TYPES), lambda r: r.sample(SCHEMA_TYPES, 2), pick(["nope", num("1"), [], ["string", "string"], ["string", num("1")]])),
            "properties": object_of(pick(["a", "b", "c"]), inner, 3),
            "required": one_of(names, names, constant("a"), constant([num("1")])),
            "additionalProperties": one_of(boolean, inner, constant("a")),
            "patternProperties": object_of(text_, inner, 2),
            "items": one_of(inner, inner, array(inner, 2), boolean),
            "additionalItems": one_of(boolean, inner),
            "minItems": limit, "maxItems": limit, "minLength": limit, "maxLength": limit, "minProperties": limit, "maxProperties": limit,
            "minimum": limit, "maximum": limit, "exclusiveMinimum": one_of(limit, boolean), "exclusiveMaximum": one_of(limit, boolean), "multipleOf": limit,
            "uniqueItems": one_of(boolean, constant(True), constant("x")),
            "pattern": text_,
            "format": pick(SCHEMA_FORMATS),
            "enum": one_of(array(few, 3), constant([]), constant("a"), constant([num("1"), num("1")])),
            "const": few,
            "allOf": one_of(array(inner, 2), constant("x")),
            "anyOf": one_of(array(inner, 2), constant([])),
            "oneOf": array(inner, 2),
            "not": one_of(inner, constant(num("1"))),
            "if": inner, "then": inner, "else": inner,
            "contains": inner,
            "propertyNames": inner,
            "dependencies": object_of(pick(["a", "b"]), one_of(names, inner), 2),
            "definitions": object_of(pick(["d", "e"]), inner, 2),
            "$ref": pick(["#", "#/definitions/d", "#/definitions/none", "#/properties/a", "http://example.com/x", "nope", "#x"]),
            "$id": pick(["http://example.com/x", "#x", "x", num("1")]),
            "id": pick(["http://example.com/y", "#y"]),
            "$schema": pick(["http://json-schema.org/draft-07/schema#", "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-06/schema#", "http://json-schema.org/draft-03/schema#", "nope", num("1")]),
            "title": one_of(constant("t"), scalar), "description": one_of(constant("d"), scalar),
            "readOnly": boolean, "default": few,
        }
        names_ = r.sample(sorted(options), r.choice([1, 1, 2, 2, 3, 4]))
        if r.random() < 0.5 and "type" not in names_:
            names_.append("type")
        if depth == 2 or r.random() < 0.7:
            names_ = [name for name in names_ if name not in ("$ref", "$id", "id", "$schema", "definitions") or r.random() < 0.3]
        return Object((name, options[name](r)) for name in names_)

    return make


schema_document = weighted((nested(2), 2), (tree(2), 3), (pick(FORMATTED), 2), (number, 1), (constant(Object([("a", "a"), ("b", num("1"))])), 2), (constant([num("1"), "a", num("1.0")]), 1))
as_text = lambda make: lambda r: json.dumps(plain(make(r)))


def plain(term):
    """The term as Python's json writes it; sets as arrays, keys as text."""
    if isinstance(term, Number):
        value = float(str.__str__(term))
        if abs(value) > 1e300:
            return 0
        return int(value) if value == int(value) and abs(value) < 1e15 else value
    if isinstance(term, Object):
        return {k if isinstance(k, str) and not isinstance(k, Number) else str(k): plain(v) for k, v in term}
    if isinstance(term, list):
        return [plain(item) for item in term]
    return term


def graph(r):
    nodes = ["a", "b", "c", "d", num("1"), None, ["a"]]
    edges = Object()
    for node in r.sample(nodes, r.randint(0, 6)):
        next_ = [r.choice(nodes) for _ in range(r.randint(0, 3))]
        edges.append((node, Set(next_) if r.random() < 0.4 else next_ if r.random() < 0.9 else r.choice([None, "a", num("1")])))
    return edges


def roots(r):
    found = [r.choice(["a", "b", "c", "d", "z", num("1"), None, ["a"]]) for _ in range(r.randint(0, 3))]
    return Set(found) if r.random() < 0.5 else found


numbers = collection(number, 5)
whole = one_of(integer, small, number)
step = one_of(small, small, small, number)


def span(r):
    """Two numbers that are not far apart, as a range of all between wants."""
    start = r.choice([0, 1, -5, 10, 2**63 - 3, 2**63, -(2**63), 10**20])
    ends = [str(start), str(start + r.randint(-120, 120))]
    return [num(r.choice([end, end, end, end + ".0", end + "e0", end + ".5", "1e1" if abs(start) < 99 else end])) for end in ends]


paths = one_of(collection(path, 3), collection(path, 3), collection(few, 2))
shift = weighted((pick([num(n) for n in ("0", "1", "2", "8", "31", "32", "63", "64", "65", "100", "1000", "-1", "1.5", "2.0")]), 1))
options = lambda r: member_of(r, {"indent": pick(["", " ", "  ", "\t", "x", "é", num("1")]), "prefix": pick(["", ">", "  ", "é", None]), "pretty": one_of(boolean, boolean, scalar)})
bag = one_of(collection(few, 4), collection(few, 4), tree_object)

CALLS = {
    "abs": [number], "ceil": [number], "floor": [number], "round": [number],
    "plus": [number, number], "mul": [number, number], "div": [number, number], "rem": [one_of(integer, number), one_of(integer, number)],
    "minus": [number, number],
    "bits.and": [whole, whole], "bits.or": [whole, whole], "bits.xor": [whole, whole], "bits.negate": [whole], "bits.lsh": [whole, shift], "bits.rsh": [whole, shift],
    "numbers.range": span, "numbers.range_step": lambda r: span(r) + [step(r)],
    "count": [one_of(any_term, string, bag)],
    "sum": [one_of(numbers, numbers, bag)], "product": [one_of(numbers, numbers, bag)],
    "max": [bag], "min": [bag], "sort": [bag], "all": [one_of(bag, collection(boolean))], "any": [one_of(bag, collection(boolean))],
    "array.concat": [array(few), array(few)], "array.reverse": [array(few)], "array.slice": [array(few), one_of(small, small, number), one_of(small, small, number)],
    "array.flatten": [array(one_of(few, array(few), array(array(few)), set_of(few)))],
    "and": [set_of(few), set_of(few)], "or": [set_of(few), set_of(few)], "set_diff": [set_of(few), set_of(few)],
    "intersection": [set_of(set_of(few))], "union": [set_of(set_of(few))],
    "cast_array": [any_term], "cast_boolean": [any_term], "cast_null": [any_term], "cast_object": [any_term], "cast_set": [any_term], "cast_string": [any_term],
    "is_array": [any_term], "is_boolean": [any_term], "is_null": [any_term], "is_number": [any_term], "is_object": [any_term], "is_set": [any_term], "is_string": [any_term],
    "type_name": [any_term],
    "equal": [few, few], "neq": [few, few], "gt": [any_term, any_term], "gte": [few, few], "lt": [number, number], "lte": [few, few],
    "internal.member_2": [few, bag], "internal.member_3": [few, few, bag],
    "object.filter": [tree_object, one_of(bag, array(key))], "object.remove": [tree_object, one_of(bag, array(key))],
    "object.get": [tree_object, one_of(key, array(key, 3), any_term), few], "object.keys": [tree_object],
    "object.subset": [one_of(bag, tree(2)), one_of(bag, tree(2))], "object.union": [tree_object, tree_object], "object.union_n": [array(one_of(tree_object, tree_object, tree_object, few), 3)],
    "json.filter": [tree_object, paths], "json.remove": [tree_object, paths],
    "json.patch": [patchable, array(patch_operation, 3)],
    "json.is_valid": [one_of(json_text, json_text, any_term)], "json.unmarshal": [json_text],
    "json.marshal": [one_of(any_term, tree())], "json.marshal_with_options": [one_of(any_term, tree()), options],
    "json.match_schema": [one_of(schema_document, schema_document, as_text(schema_document)), one_of(schema(), schema(), schema(1), as_text(schema()))],
    "json.verify_schema": [one_of(schema(), schema(1), as_text(schema(1)), json_text)],
    "yaml.is_valid": [one_of(yaml_text, yaml_text, any_term)], "yaml.unmarshal": [yaml_text], "yaml.marshal": [one_of(yaml_tree(), yaml_tree(), any_term)],
    "graph.reachable": [graph, roots], "graph.reachable_paths": [graph, roots],
    "walk": [tree()],
}
