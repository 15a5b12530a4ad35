"""Wrong Rego from right Rego: the modules of the conformance suites and of Gatekeeper's library, changed at random by seed."""

import pathlib
import random
import re

TOKEN = re.compile(
    r"""(?P<space>[ \t]+)|(?P<line>\r?\n)|(?P<comment>\#[^\n]*)|(?P<string>\$?"(?:\\.|[^"\\\n])*")|(?P<raw>\$?`[^`]*`)"""
    r"""|(?P<number>\d[\d.eE]*)|(?P<word>[A-Za-z_]\w*)|(?P<operator>:=|==|!=|<=|>=|.)""",
    re.VERBOSE | re.DOTALL,
)
WORDS = (
    "package import as default else not some every in if contains and or with null true false _ input data rego v1 v2 future"
    " keywords x y p q f print set count assign walk"
).split()
OPERATORS = ":= = == != < <= > >= + - * / % & | . , ; : ( ) [ ] { } {} [] () # $ @ ! ~ \\ ` \"".split()
LITERALS = [
    *'0 1 -1 007 1.5 1e3 1e 1. .5 0x10 1_000 1e400 1E+2 00 -0 123456789012345678901234567890 "" "a" "\\n" "\\u00e9" "\\x" "\\ud800"'.split(),
    *"`raw` null true false [] {} set() [1,2] {1} {\"a\":1} [x|x=1] {x|x=1} {x:x|x=1}".split(),
    '$"a{1}b"', '$"{x}"', '$"{"', '$`r{input.x}`', '"a\tb"', '"\\', "`", '"é"', '"日本"', "é", "\u00a0", "\u2028", "\ufeff", "\u200b",
    "\U0001f600", "\r", "\x00", "\x0c", "{x:1}", "[_]", "{}", "1 2",
]
IMPORTS = (
    "rego.v1|rego.v2|future.keywords|future.keywords.in|future.keywords.if|future.keywords.every|future.keywords.contains"
    "|future.keywords.not|future.keywords.and|future.keywords.or|data.a.b|data.a.b as c|input.x as y|input|data|future|rego|rego.v3|future.keywords.x"
    "|future.keywords.in as i|foo.bar|data.x as input|data.a as _|input as data|data[x]|data.a[\"b-c\"]|data.a[\"b-c\"] as d"
).split("|")
STATEMENTS = [
    "p { true }", "p if { true }", "p contains 1", "p[x] { x := 1 }", "p := 1", "p = 2", "default p = 1", "default p := input.x",
    "default f(x) = 1", "default f(_) := x", "f(x) = x", "f(x, x) = 1", "f(x) := y { y := x }", "p[1] = 2", "p.q.r = 1", "p.q[x] = 1 { x := 2 }",
    "p.q contains 1", "p { p }", "q { not q }", "p { x }", "p { not x }", "p { x := 1; x := 2 }", "p { some x }", "p { some x; x = 1 }",
    "p { some x in [1] }", "p { every x in [1] { x > 0 } }", "p { every x in [1] { true } }", "p { input.x with input as 1 }", "p { f(1) with f as 2 }",
    "p { true with data.x as x }", "p { 1 + \"a\" }", "p { count(1) }", "p { count() }", "p { count([], 1, 2) }", "p { foo(1) }", "p { f }",
    "p { [x] = [1, 2] }", "p { {\"a\": 1}.b }", "p { x = [1]; x[\"a\"] }", "p { x = {\"a\": 1}; x.b }", "p { sprintf(\"%d\", 1) }",
    "p { data.foo.bar[x] = 1; y }", "p { x = y; y = x }", "p { a[b] = c }", "p { print(x) }", "p { print(1, input.x) }", "p = x { x = 1 } else = 2 { true }",
    "p { true } else { false } else = 3", "p { x = [y | y = x] }", "p { {x | x = 1} = y; z }", "p := {x | y}", "p[input.x] := 1 { true }",
    "p { _ = 1; _ = 2 }", "p { not _ = 1 }", "p { input.x[_] == y }", "p { x := x }", "p { input := 1 }", "input = 1", "data.p = 1", "p { data := 1 }",
    "p { rego.metadata.rule() }", "p { x := rego.metadata.chain() }", "p { any([true]) }", "p { 1 }", "p { walk(input, [x, y]); z = 1 }",
    "p { x = count(y) }", "p { $\"{x}\" = 1 }", "p { $\"{1 + \\\"a\\\"}\" }", "p { $\"{some x in [1]}\" }", "p if input.a or input.b", "p if input.a and x",
    "p if not { input.a; x }", "p { a.b.c }", "p { a.b := 1 }", "p { [a, b] := [1] }", "p { [a, 1] := [1, 2] }", "p { {\"a\": x} := {\"b\": 1} }", "p { {x} := {1} }",
    "p { 1 := 1 }", "p { x := 1 with input as 1 }", "p { (x := 1) }", "p { x = (1) }", "p { f(x) := 1 }", "p { x.y = 1 }", "p { 1.x }", "p { \"a\".b }",
    "p { set()[1] }", "p { [1][0] }", "p { [1][\"a\"] }", "p { {1}[2] }", "p { {1}.a }", "p(x) { y }", "p(x) { x } { x }", "p { true } { false }",
    "p[x] { x = 1 } { x = 2 }", "p { 1 == \"a\" }", "p { 1 != \"a\" }", "p { 1 < \"a\" }", "p { \"a\" in 1 }", "p { 1, 2 in [1] }", "p = {1 | true} & [1]",
    "p { input.x in y }", "p { time.now_ns(1) }", "p { net.cidr_contains(1, 2) }", "p { object.get({}, 1) }", "p { json.patch({}, 1) }", "p { x = concat(1, []) }",
    "p { regex.match(`[`, 1) }", "test_p { false }", "p { false == true }", "p { http.send({}) }", "p { x = data.nope.y; x.z }", "p { data[x] }", "p { data.test[x][y] }",
    "p { input.if.contains.every }", "p.if.contains := 1", "if := 1", "in { true }", "some { true }", "p { some }", "p { every }", "p { not }", "p { with }",
]
METADATA = [
    "title: t", "description: |\n  a\n  b", "scope: rule", "scope: document", "scope: package", "scope: subpackages", "scope: nope", "scope: 1",
    "authors:\n- John <j@x.y>\n- Jane", "authors:\n- 1", "authors: x", "authors:\n- <a@b>", "authors:\n- ''", "authors:\n- {name: n, email: e}", "authors:\n- {}",
    "organizations:\n- a\n- b", "organizations: 1", "related_resources:\n- https://x.y\n- ref: http://z\n  description: d", "related_resources:\n- 1",
    "related_resources:\n- '%%%'", "related_resources:\n- {}", "related_resources:\n- ''", "schemas:\n- input: schema.a\n- data.x: schema.b", "schemas:\n- x",
    "schemas:\n- input: {type: string}", "schemas:\n- input: 1", "schemas:\n- nope.x: schema.a", "schemas:\n- input: nope", "schemas: 1", "schemas:\n- 1: 2",
    "custom:\n  a: 1\n  b: [x, {y: z}]", "custom: 1", "custom:\n- 1", "entrypoint: true", "entrypoint: false", "entrypoint: 1", "entrypoint: yes", "compile:\n  unknowns: [input.x]",
    "compile:\n  mask_rule: data.x.y", "compile: 1", "compile:\n  unknowns: [foo]", "compile:\n  mask_rule: x y", "unknown: 1", ": x", "a: b: c", "- x", "title: [", "title: \"x",
    "\ttitle: x", "title: 1", "title: 2020-01-01", "custom:\n  d: 2020-01-01\n  f: 1.50\n  n: ~\n  1: 2\n  true: x", "title: é", "&a title: *a", "title: a\ntitle: b", "", "x", "{}",
    "null", "title: ' '", "description:  spaced  ", "custom:\n  x: &y 1\n  z: *y", "custom:\n  <<: {a: 1}",
]


class Base:
    """The modules of one case."""

    def __init__(self, modules, version):
        self.modules, self.version = modules, version


OWN = [
    Base(
        [
            """package shop.orders

import data.shop.prices
import input.order as order

default allow = false

allow {
    order.customer == "ann"
    not denied
}

denied {
    some i
    order.items[i].count > limits[order.items[i].kind]
}

limits = {"apple": 10, "pear": 5.5}

total(items) = sum([cost | item = items[_]; cost = item.count * prices.of(item.kind)])

kinds[kind] { kind := order.items[_].kind }

cheap[kind] = price {
    price := prices.table[kind]
    price < 3
} else = 0 { false }

message = msg { msg := sprintf("%v costs %d", [order.customer, total(order.items)]) }
""",
            """package shop.prices

table = {"apple": 1, "pear": 2}

of(kind) = price { price := table[kind] } else = 100

of_all[kind] = of(kind) { table[kind] }
""",
        ],
        "v0",
    ),
    Base(
        [
            """package walls.doors

import data.walls.keys as k
import future.keywords.and
import future.keywords.not
import future.keywords.or

# METADATA
# title: Doors that open
# scope: document
# authors:
# - Ann <ann@doors.test>
# custom:
#   level: 3
open contains door if {
	some door in input.doors
	every lock in door.locks { k.fits(lock, input.key) }
}

default closed := {"none"}

closed := input.doors - open if count(open) > 0

by_room[room].names contains name if {
	name := input.doors[_].name
	room := input.doors[_].room
}

odd if { not { input.doors[0].locks == [] } }

either if input.a or { input.b; input.c > 1 }

both if input.a and input.b

text := $"{count(open)} of {count(input.doors)} doors in {input.house}"

about := rego.metadata.rule().title

pairs := {a: b | a := input.xs[i]; b := input.ys[i]}
""",
            """package walls.keys

fits(lock, key) if lock.shape == key.shape

fits(lock, _) if {
	lock.broken
	not lock.rusty
} else := false

with_key if fits({"shape": "x"}, input.key) with input.key as {"shape": "x"}
""",
        ],
        "v1",
    ),
]


def _template_modules(path):
    import yaml  # Only where there are suites to read.

    for target in yaml.load(path.read_text(), yaml.CSafeLoader)["spec"]["targets"]:
        texts = [target.get("rego", ""), *target.get("libs", [])]
        for code in target.get("code", []):
            if code["engine"] == "Rego":
                texts = [code["source"]["rego"], *code["source"].get("libs", [])]
        yield texts


def read_bases(conformance):
    """Every case of the suites and every template of the library, in a fixed order, after our own."""
    import yaml

    bases = list(OWN)
    for version in ("v0", "v1"):
        for path in sorted((conformance / "rego" / version).rglob("*.yaml")):
            for case in yaml.load(path.read_text(), yaml.CSafeLoader)["cases"]:
                if case.get("modules"):
                    bases.append(Base(case["modules"], version))
    for path in sorted((conformance / "library").rglob("template.yaml")):
        bases.extend(Base(texts, "v0") for texts in _template_modules(path) if texts[0])
    return bases


class _Mutator:
    def __init__(self, rng):
        self.rng = rng

    def tokens(self, text):
        return [m.group() for m in TOKEN.finditer(text)]

    def pick(self, tokens, accept):
        places = [i for i, token in enumerate(tokens) if accept(token)]
        return self.rng.choice(places) if places else None

    @staticmethod
    def visible(token):
        return not token.isspace()

    def delete(self, tokens):
        i = self.pick(tokens, self.visible)
        if i is not None:
            del tokens[i]

    def double(self, tokens):
        i = self.pick(tokens, self.visible)
        if i is not None:
            tokens.insert(i, tokens[i])

    def swap(self, tokens):
        i, j = self.pick(tokens, self.visible), self.pick(tokens, self.visible)
        if i is not None:
            tokens[i], tokens[j] = tokens[j], tokens[i]

    def rename(self, tokens):
        i = self.pick(tokens, lambda t: t[0].isalpha() or t[0] == "_")
        if i is not None:
            words = [t for t in tokens if t[0].isalpha()]
            tokens[i] = self.rng.choice(words + WORDS)

    def literal(self, tokens):
        i = self.pick(tokens, lambda t: t[0] in '"`0123456789')
        if i is not None:
            tokens[i] = self.rng.choice(LITERALS)

    def value(self, tokens):
        i = self.pick(tokens, self.visible)
        if i is not None:
            tokens[i] = self.rng.choice(LITERALS + OPERATORS + WORDS)

    def insert(self, tokens):
        what = self.rng.choice([LITERALS, OPERATORS, WORDS])
        tokens.insert(self.rng.randrange(len(tokens) + 1), " " + self.rng.choice(what) + " ")

    def bracket(self, tokens):
        i = self.pick(tokens, lambda t: t in "()[]{}")
        if i is not None:
            tokens[i] = self.rng.choice(["", "(", ")", "[", "]", "{", "}"])

    def operator(self, tokens):
        i = self.pick(tokens, lambda t: t in OPERATORS)
        if i is not None:
            tokens[i] = self.rng.choice(OPERATORS)

    def newline(self, tokens):
        if self.rng.random() < 0.5:
            tokens.insert(self.rng.randrange(len(tokens) + 1), "\n")
        else:
            i = self.pick(tokens, lambda t: "\n" in t)
            if i is not None:
                tokens[i] = self.rng.choice([" ", "", ";", "\r\n", "\n\n"])

    def drop_import(self, tokens):
        i = self.pick(tokens, lambda t: t == "import")
        if i is not None:
            while i < len(tokens) and "\n" not in tokens[i]:
                del tokens[i]

    def add_import(self, tokens):
        places = [i + 1 for i, t in enumerate(tokens) if t == "\n" and "package" in tokens[:i]] or [len(tokens)]
        tokens.insert(places[0] if self.rng.random() < 0.9 else self.rng.choice(places), "import " + self.rng.choice(IMPORTS) + "\n")

    def statement(self, tokens):
        places = [i + 1 for i, t in enumerate(tokens) if t == "\n"] or [len(tokens)]
        text = self.rng.choice(STATEMENTS)
        if self.rng.random() < 0.4 and " if " not in text:
            text = text.replace(" {", " if {", 1)
        tokens.insert(self.rng.choice(places), text + "\n")

    def literal_statement(self, tokens):
        i = self.pick(tokens, lambda t: t == "{")
        if i is not None:
            text = self.rng.choice([s for s in STATEMENTS if s.startswith("p {")])[3:-1].strip()
            tokens.insert(i + 1, " " + text + self.rng.choice(["; ", "\n"]))

    def metadata(self, tokens):
        places = [0] + [i + 1 for i, t in enumerate(tokens) if t == "\n"]
        lines = "\n".join(self.rng.choice(METADATA) for _ in range(self.rng.choice([1, 1, 2, 3]))).split("\n")
        block = self.rng.choice(["# METADATA\n"] * 8 + ["#METADATA\n", "# METADATA \n", "#  METADATA\n"])
        block += "".join(self.rng.choice(["# "] * 30 + ["#", "#  "]) + line + "\n" for line in lines)
        tokens.insert(self.rng.choice(places), block + self.rng.choice(["", "", "", "\n"]))

    def cut(self, tokens):
        i = self.rng.randrange(len(tokens) + 1)
        if self.rng.random() < 0.5:
            del tokens[i:]
        else:
            del tokens[i : i + self.rng.randrange(1, 12)]

    def mutate(self, text):
        tokens = self.tokens(text)
        ways = (
            [self.delete] * 3 + [self.double] * 2 + [self.swap] * 2 + [self.rename] * 6 + [self.literal] * 3 + [self.value] * 3 + [self.insert] * 3
            + [self.bracket] * 2 + [self.operator] * 2 + [self.newline] * 2 + [self.drop_import] * 2 + [self.add_import] * 2 + [self.statement] * 6
            + [self.literal_statement] * 4 + [self.metadata] * 4 + [self.cut]
        )
        for _ in range(self.rng.choice([1, 1, 1, 2, 2, 3, 5])):
            self.rng.choice(ways)(tokens)
            tokens = [token for token in tokens if token] or [" "]
        return "".join(tokens)


def mutants(bases, seed, count):
    """Requests for opa_peer and portcullis_peer; the same for the same seed and bases."""
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        base = rng.choice(bases)
        modules = list(base.modules)
        chosen = rng.randrange(len(modules))
        modules[chosen] = _Mutator(rng).mutate(modules[chosen])
        version = base.version if rng.random() < 0.9 else rng.choice(["v0", "v1"])
        yield {
            "id": f"{seed}/{number}",
            "modules": {f"test-{i}.rego": text for i, text in enumerate(modules)},
            "version": version,
            "strict": rng.random() < 0.25,
            "query": "",
        }
