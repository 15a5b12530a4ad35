"""Calls of builtins on times, addresses, tokens, GraphQL, AWS requests, Rego modules."""

import base64
import json

from keys import *
from pools import *

ZONES = ["", "UTC", "Local", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca", "Asia/Kathmandu", "Etc/GMT+5", "EST", "EST5EDT", "Nope/Zone", "../etc/passwd", "europe/berlin", "Europe/Dublin", "Antarctica/Troll", "GMT", "Z", "+01:00", "Zulu", "America/Argentina/Buenos_Aires", "US/Pacific", "/UTC", "a\\b"]
TIMES = [
    "0", "1", "-1", "1709208000000000000", "1709164799999999999", "1710054000000000000", "1710053999999999999", "1730610000000000000", "1730613599999999999", "1711846800000000000", "1729990800000000000", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
    "1e18", "1.5", "1000000000.0", "253402300799000000000", "-62135596800000000000", "1582934400000000000", "-1", "951782400000000000", "1325203200000000000", "1325289600000000000", "-2208988800000000000", "-6795364578871345152", "1199145600123456789", "1e400", "86400000000000", "-86400000000001", "4102444800000000000",
]
LAYOUTS = [
    "2006-01-02T15:04:05Z07:00", "2006-01-02", "15:04:05", "3:04PM", "Mon Jan _2 15:04:05 2006", "Monday, 02-Jan-06 15:04:05 MST", "Mon, 02 Jan 2006 15:04:05 -0700", "2006-01-02T15:04:05.999999999Z07:00", "2006-01-02 15:04:05.000", "Jan 2 2006", "January 02, 2006", "02 Jan 06 15:04 MST",
    "02 Jan 06 15:04 -0700", "RFC3339", "RFC3339Nano", "ANSIC", "UnixDate", "RubyDate", "RFC822", "RFC822Z", "RFC850", "RFC1123", "RFC1123Z", "Kitchen", "Stamp", "rfc3339", "", "2006", "06", "1", "01", "Jan", "January", "2", "_2", "02", "002", "__2", "15", "3", "03", "4", "04", "5", "05", "PM", "pm", "MST", "Z0700", "Z07:00", "Z07", "Z070000", "Z07:00:00", "-0700", "-07:00", "-07", "-070000", "-07:00:00", ".0", ".000", ".9", ".999", ",000", ",999", "05.000", "05,999", "2006-002", "2006 Jan Mon 2 15h", "é2006", "20060102150405", "Mon", "Monday", "2006-1-2 3:4:5 pm", "2006-01-02T15:04:05.000000000-07:00", "05.9", "_2006", "_20062", "Jan_2", "Januaryx", "MSTZ", "15:04:05.0000", "0", "000", "05.000Z", "2006-01-02T15:04Z",
]
STAMPS = [
    "2024-02-29T12:00:00Z", "2024-02-29", "12:00:00", "3:04PM", "Thu Feb 29 12:00:00 2024", "Thursday, 29-Feb-24 12:00:00 UTC", "Thu, 29 Feb 2024 12:00:00 +0100", "2024-02-29T12:00:00.123456789+05:30", "2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1677-09-21T00:12:43.145224192Z",
    "1677-09-21T00:12:43.145224191Z", "2262-04-11T23:47:16.854775807Z", "2262-04-11T23:47:16.854775808Z", "2024-02-29t12:00:00z", "2024-02-29T24:00:00Z", "2024-02-29T23:60:00Z", "2024-02-29T23:59:60Z", "2024-02-29T12:00:00", "2024-02-29T12:00:00+24:00", "2024-02-29T12:00:00+0100", "2024-2-9", "Feb 29 2024", "February 29, 2024", "29 Feb 24 12:00 CET", "29 Feb 24 12:00 +0100", "", "2024", "24", "2", "Feb", "31", "060", "366", "PM", "pm", "CET", "Z", "+01", "-0130", "+01:30:15", ".5", ".123", "12:00:00.5", "12:00:00,123", "2024-060", "é2024", "20240229120000", "2024-13-01", "2024-00-10", "2024-01-00", "13:00PM", "0:00AM", "Mon", "Friday", "12:00:00 EST", "GMT+3", "2024-02-29T12:00:00.Z", "2024-02-29T12:00:00.1234567891Z", "2024-02-29 12:00:00.000", "2024-2-29 3:4:5 pm", "99:99:99",
]
DURATIONS = ["1s", "1h30m", "1.5h", "-1m", "1us", "1µs", "1μs", "1ns", "1ms", "0", "", "1", "1d", "s", ".5s", "5.s", ".s", "1h1h", "9223372036854775807ns", "9223372036854775808ns", "-9223372036854775808ns", "2562047h47m16.854775807s", "2562048h", "1e3s", "+1s", "--1s", "1 s", "1.0000000000000000001s", "0.000000000001h", "1h-1m", "3000000h", "1S", "99999999999999999999s", "0.9223372036854775808s", "１s", "-", "+", "-.", "1.s1"]
CIDRS = [
    "10.0.0.0/8", "10.0.0.1/8", "192.168.1.0/24", "192.168.1.128/25", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::1/128", "fe80::/10", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1/128", "10.0.0.0", "10.0.0.1", "::1", "2001:db8::1", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0/8", "10.0.0.0/", "/8", "", "a", "10.0.0.256/8", "01.2.3.4/8", "::/129", "2001:db8:::/32", "fe80::1%eth0/64", "fe80::1%eth0", "10.0.0.0/8/8", " 10.0.0.0/8",
    "172.16.0.0/12", "192.168.1.0/30", "192.168.1.4/30", "192.168.1.0/31", "192.168.1.1/32", "::ffff:0:0/96", "10.0.0.0/255.0.0.0", "::ffff:1.2.3.4", "1.2.3.4/32", "10.0.0.0/0x8", "10.0.0.0/+8", "64:ff9b::/96", "::/8", "192.168.1.2/32", "192.168.0.0/23", "192.168.0.0/24", "127.0.0.1/16", "1::2::3/64", "2001:db8::/127", "2001:DB8::/126",
]
MODULES = [
    "package a", "package a.b\np := 1", "package a\nimport data.x\np { x }", "package a\nimport rego.v1\np if true", "", "p := 1", "package", "package a\np {", "package a\np = ", "package a\n\n# c\np[x] { x := 1 }", "package a\np := [1, \"a\", {2}, {\"b\": null}]", "package a\nf(x) = y { y := x + 1 } else = 2 { true }",
    "package a\np { some i; input[i] == 1 with input as 2 }", "package a\ndefault p = false", "package a\np := {x | x := 1}", "package a\np := {x: 1 | x := 1}", "package a\np { not q }", "package a[\"b c\"]", "package a\np.q.r := 1", "package a\np contains 1 if { every x in [1] { x > 0 } }", "package a\np { 1 in [1] }", "package a\n\np := 1.50",
]

time = weighted((lambda r: num(r.choice(TIMES)), 4), (lambda r: num(r.randint(-(2**63), 2**63 - 1)), 2), (lambda r: num(r.randint(1500000000, 1800000000) * 10**9), 2))
zone = weighted((pick(ZONES), 6), (mutated(ZONES, "aE/_+1", 1), 1))
layout = weighted((pick(LAYOUTS), 5), (mutated(LAYOUTS, "2006-1:5.Z7 JanMo_0,9", 3), 4), (lambda r: "".join(r.choice(LAYOUTS) + r.choice([" ", "-", ""]) for _ in range(3)), 2))
stamp = weighted((pick(STAMPS), 5), (mutated(STAMPS, "0123456789-:.TZ+, JanPM", 2), 4))
moment = weighted((time, 3), (pair(time, zone), 4), (array(one_of(time, zone), 4), 1), (pair(zone, time), 1))
formatted = weighted((moment, 2), (lambda r: [time(r), zone(r), layout(r)], 6))
amount = one_of(small, small, pick([num(n) for n in ("100", "1000", "65536", "2147483647", "1.0", "1.5", "1e3")]))


cidr = weighted((pick(CIDRS), 6), (mutated(CIDRS, "0123456789.:/af", 2), 3))
cidr_item = one_of(cidr, cidr, lambda r: [cidr(r), r.choice(["x", num("1"), cidr(r)])], scalar)
cidrs = one_of(cidr, array(cidr_item, 3), set_of(cidr_item, 3), object_of(pick(["a", "b", num("1")]), cidr_item, 3), scalar)
# Without IPv4 networks written as IPv6: OPA reads beyond their bytes, and answers by chance.
plain = [text for text in CIDRS if "::ffff" not in text]
merged = one_of(collection(pick(plain), 5), collection(pick(plain), 3), collection(mutated(plain[:12], "0123456789./", 1), 4), collection(one_of(pick(plain), scalar), 3))

QUERIES = [
    "{ a }", "query { a }", "query Q { a }", "query Q($x: Int) { a(x: $x) }", "query Q($x: Int = 1, $y: [String!]!) { a(x: $x) b }", "{ a { b c } }", "{ x: a }", "{ ...F } fragment F on Query { a }", "{ ... on Query { a } }", "{ ... { a } }", "mutation { a }", "subscription { s }", "{ a @skip(if: true) }", "{ a @nope }", "{ a(x: 1) }", "{ a(x: \"s\") }", "{ a(x: null) }", "{ a(y: 1) }", "{ a(x: 1.5) }", "{ n }", "{ b }",
    "{ list { id } }", "{ list }", "{ e }", "{ obj(in: {k: 1}) }", "{ obj(in: {z: 1}) }", "{ obj(in: {}) }", "{ a a }", "{ a a: b }", "{ a: a a: b }", "query A { a } query A { a }", "{ a } query B { a }", "fragment F on Query { a }", "{ ...G }", "{ ...F } fragment F on Query { ...F }", "{ ...F } fragment F on Nope { a }", "query ($x: Nope) { a }", "query ($x: Int) { a }", "query ($x: Int, $x: Int) { a(x: $x) }", "query { a(x: $z) }",
    "{", "}", "", "{ }", "{ a ", "query {", "{ a(x: ) }", "{ a(x: [1, 2) }", "# c\n{ a }", "{ a(x: \"\"\"block\"\"\") }", "{ a(x: \"\\u00e9\") }", "{ a(x: \"unterminated) }", "{ a(x: 01) }", "{ a(x: 1e5) }", "{ a(x: -) }", "{ é }", "{ __typename }", "{ __schema { types { name } } }", "{ __type(name: \"A\") { name } }", "query Q @d { a }", "{ e(v: RED) }", "{ e(v: BLUE) }", "{ e(v: \"RED\") }", "{ u { ... on A { id } } }", "{ u { id } }", "{ i { id ... on A { z } } }", "{ i { z } }", "{ a { b } }", "{ list { id { x } } }", "{ a @include(if: $b) }", "{ a @skip }", "{ a @skip(if: 1) }", "type A { b: Int }", "{ a(x: 99999999999) }", "query Q { a ...F } fragment F on Query { list { id } } fragment G on Query { a }", "{ req }", "{ req(r: null) }", "{ req(r: 1, r: 2) }", "query ($x: Int!) { req(r: $x) }", "query ($x: Int) { req(r: $x) }", "subscription { s t }", "{ a, b }", "\ufeff{ a }", "{ a @skip(if: true) @skip(if: false) }",
]
SCHEMAS = [
    "type Query { a(x: Int): Int }", "type Query { a(x: Int): String b: Int list: [A!]! n: Boolean e(v: E = RED): E obj(in: In): Int u: U i: I req(r: Int!): Int } type A implements I { id: ID! z: Float } interface I { id: ID! } union U = A | B type B { b: Int id: Int } enum E { RED GREEN } input In { k: Int! l: [Int] = [1] } type Mutation { a: Int } type Subscription { s: Int t: Int } directive @d on QUERY",
    "schema { query: Q } type Q { a: Int }", "schema { query: Nope }", "type Query { a: Nope }", "type Query { a: Int a: Int }", "type Query { a: Int } type Query { b: Int }", "type A { a: Int }", "extend type Query { b: Int } type Query { a: Int }", "extend type Nope { a: Int }", "scalar Date type Query { d: Date }", "enum E { A A } type Query { e: E }", "enum E { }", "type Query { }", "type Query", "union U = Nope type Query { u: U }", "union U = A | A type A { a: Int } type Query { u: U }", "interface I { a: Int } type A implements I { b: Int } type Query { a: A }", "interface I { a: Int } type A implements I { a: String } type Query { a: A }", "type A implements Nope { a: Int } type Query { a: A }", "input In { a: A } type A { a: Int } type Query { f(i: In): Int }", "type Query { f(a: A): Int } type A { a: Int }", "directive @d(a: Int) on FIELD | QUERY type Query { a: Int @d }", "directive @d on NOPE type Query { a: Int }", "\"desc\" type Query { \"d\" a: Int }", "\"\"\"block\ndesc\"\"\" type Query { a: Int @deprecated(reason: \"x\") }", "type Query { __a: Int }", "type __Q { a: Int }", "type Query { a(__x: Int): Int }", "{ a }", "", "type", "type Query { a }", "type Query { a: }", "type Query { a: [Int }", "type Query { a: Int! b: [Int!]! }", "schema { query: Query mutation: M } type Query { a: Int } type M { m: Int }", "directive @d repeatable on OBJECT type Query @d @d { a: Int }", "type Query { a: Int @nope }", "interface A implements B { a: Int } interface B implements A { a: Int } type Query { a: A }", "input A { a: A! } type Query { a(a: A): Int }", "schema { query: Query query: Query } type Query { a: Int }", "extend schema { mutation: M } type M { a: Int } type Query { a: Int }", "scalar S @specifiedBy(url: \"x\") type Query { s: S }", "type Query { a(x: Int = \"s\"): Int }", "enum E { true } type Query { e: E }", "type Query { a: Int } # end", "directive @d on FIELD directive @d on FIELD type Query { a: Int }", "extend enum E { B } enum E { A } type Query { e: E }", "extend union U = B union U = A type A { a: Int } type B { a: Int } type Query { u: U }", "extend input I { b: Int } input I { a: Int } type Query { a(i: I): Int }", "extend interface I { b: Int } interface I { a: Int } type Query { i: I }", "extend scalar S @d directive @d on SCALAR scalar S type Query { s: S }", "type Query implements I & J { a: Int } interface I { a: Int } interface J { a: Int }", "type Query { a(x: In): Int } input In { x: Int = 1 @deprecated }",
]
graphql_query = weighted((pick(QUERIES), 5), (mutated(QUERIES, "{}()ab:$@!\"1. [],#\n&|", 2), 2))
graphql_schema = weighted((pick(SCHEMAS), 3), (constant(SCHEMAS[1]), 3), (mutated(SCHEMAS, "{}()ab:$@!\"1. [],#\n&|", 2), 3))


def encoded(data):
    return base64.urlsafe_b64encode(data.encode() if isinstance(data, str) else data).decode().rstrip("=")


HEADERS = ["{\"alg\":\"HS256\",\"typ\":\"JWT\"}", "{\"alg\":\"none\"}", "{\"alg\":\"RS256\",\"kid\":\"k\"}", "{}", "{\"alg\":1}", "[]", "{", "", "{\"alg\":\"HS256\",\"cty\":\"JWT\"}", "{\"alg\":\"HS256\",\"zip\":\"DEF\"}", "{\"enc\":\"A128GCM\",\"alg\":\"dir\"}", "{\"alg\":\"HS384\",\"x\":1.50}", "{\"alg\":\"XX\"}", "null", "{\"alg\":\"HS256\",\"crit\":[\"x\"]}"]
PAYLOADS = ["{\"iss\":\"a\",\"exp\":2000000000}", "{}", "{\"exp\":1}", "{\"nbf\":4000000000}", "{\"aud\":[\"a\",\"b\"]}", "{\"aud\":\"a\"}", "[]", "x", "", "\"s\"", "{\"exp\":\"x\"}", "{\"n\":1.50,\"m\":1e400}", "{\"exp\":1e10,\"iss\":1}", "{\"aud\":1}", "{\"nbf\":0.5,\"exp\":2e9}", "null"]


def signed(r, header=None, payload=None):
    import hashlib
    import hmac

    head = header or r.choice(HEADERS)
    body = encoded(head) + "." + encoded(payload or r.choice(PAYLOADS))
    digest = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(head[8:13], hashlib.sha256)
    key_ = r.choice(["secret", "secret", "secret", "", "other", "é"])
    return body + "." + encoded(hmac.new(key_.encode(), body.encode(), digest).digest())


def token(r):
    text = signed(r) if r.random() < 0.7 else signed(r, "{\"alg\":\"HS256\"}", "{\"iss\":\"a\",\"exp\":2000000000,\"aud\":\"a\"}")
    if r.random() < 0.3:
        return mutated([text, "a.b.c", "..", "a.b", "", "a.b.c.d", "e30.e30.", "e30.e30"], "aQ._-=é", 2)(r)
    return text


OCT = "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}"
JWKS = ["{\"keys\":[" + OCT + "]}", OCT, RSA_PUBLIC_JWK, "{\"keys\":[" + RSA_PUBLIC_JWK + "," + EC_PUBLIC_JWK + "]}", EC_PUBLIC_JWK, ED_PUBLIC_JWK, RSA_PUBLIC_PEM, EC_PUBLIC_PEM, ED_PUBLIC_PEM, "", "{}", "[]", "{\"keys\":[]}", "{\"kty\":\"nope\"}", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "x", "{\"kty\":\"RSA\"}", "{\"kty\":\"oct\"}", "{\"kty\":\"EC\",\"crv\":\"P-256\"}", "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "{\"keys\":1}", RSA_CERTIFICATE, RSA_PKCS1_PEM, EC384_PUBLIC_PEM, EC521_PUBLIC_PEM, EC384_PUBLIC_JWK, EC521_PUBLIC_JWK]
PRIVATE = [OCT, RSA_PRIVATE_JWK, EC_PRIVATE_JWK, ED_PRIVATE_JWK, EC384_PRIVATE_JWK, EC521_PRIVATE_JWK]
ALGORITHMS = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "none", "XX", "", "hs256"]
DETERMINISTIC = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "EdDSA", "none", "XX", ""]
TOKENS = SIGNED_TOKENS + ["a.b.c", ""]
verification = weighted((pick(SIGNED_TOKENS), 5), (mutated(SIGNED_TOKENS, "aQ._-", 1), 1), (token, 2))
verifying_key = one_of(pick(JWKS), pick(JWKS), mutated(JWKS, "aA\"{}:,\n-", 1))
time_option = one_of(pick([num("0"), num("1"), num("1900000000000000000"), num("3000000000000000000"), "x"]), number)


def constraints(r):
    return member_of(r, {
        "secret": one_of(constant("secret"), constant("secret"), string, scalar), "cert": one_of(pick(JWKS), pick(JWKS), scalar), "alg": one_of(pick(ALGORITHMS), scalar), "iss": one_of(constant("a"), string, scalar), "aud": one_of(constant("a"), constant("b"), scalar),
    }) + [("time", time_option(r))]


def constraint_object(r):
    return Object(constraints(r))


def jose_header(r):
    members = member_of(r, {"typ": pick(["JWT", "jwt", "JOSE", "", num("1")]), "kid": scalar, "x5t": string, "crit": array(string), "b64": boolean, "n": number})
    if r.random() < 0.95:
        members.append(("alg", r.choice(DETERMINISTIC) if r.random() < 0.9 else scalar(r)))
    return members


def jose_payload(r):
    return object_of(string, one_of(scalar, any_term), 3)(r)


def term_of(json_text):
    def convert(value):
        if isinstance(value, dict):
            return Object((k, convert(v)) for k, v in value.items())
        if isinstance(value, list):
            return [convert(v) for v in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return num(json.dumps(value))
        return value

    return convert(json.loads(json_text))


def private_key(r):
    jwk = term_of(r.choice(PRIVATE))
    if r.random() < 0.25 and jwk:
        at = r.randrange(len(jwk))
        if r.random() < 0.5:
            del jwk[at]
        else:
            jwk[at] = (jwk[at][0], scalar(r))
    if r.random() < 0.15:
        jwk.append((r.choice(["use", "key_ops", "alg", "kid"]), r.choice(["sig", "enc", ["sign"], ["verify"], "HS256", num("1")])))
    return jwk


raw_header = one_of(lambda r: json.dumps({"alg": r.choice(DETERMINISTIC), "typ": r.choice(["JWT", "text/plain", "x"])}), pick(HEADERS), mutated(HEADERS, "{}\":,a1", 2))
raw_payload = one_of(pick(PAYLOADS), pick(PAYLOADS), string, mutated(PAYLOADS, "{}\":,a1", 2))
raw_key = one_of(pick(PRIVATE), pick(PRIVATE), mutated(PRIVATE, "{}\":,aA", 1), pick(["", "{}", "[]", "x"]))


def aws_request(r):
    return member_of(r, {
        "method": pick(["get", "POST", "PUT", "", num("1")]), "url": pick(["https://example.com", "http://example.com/a b?x=1&a=2", "https://s3.amazonaws.com/b/k%20y/é?q=%2F&b", "/p", "", "http://h:80/", "https://h:443", "https://h:444/a//b/../c", "https://h/?b=2&a=1&a=0", "::", num("1")]),
        "headers": one_of(object_of(pick(["X-A", "content-type", "Host", "x-amz-date", "authorization", "B"]), one_of(string, pick(["a", " a  b "]), scalar, array(string, 2)), 3), scalar),
        "body": any_term, "raw_body": one_of(string, scalar),
    })


def aws_options(r):
    options = Object()
    for name, make in {
        "aws_service": pick(["s3", "ec2", "execute-api", "glacier", "es", "", num("1")]), "aws_access_key": pick(["KEY", "", num("1")]), "aws_secret_access_key": pick(["SECRET", "", None]), "aws_region": pick(["us-east-1", "", num("1")]),
    }.items():
        if r.random() < 0.93:
            options.append((name, make(r) if r.random() < 0.3 else {"aws_service": "s3", "aws_access_key": "K", "aws_secret_access_key": "S", "aws_region": "us-east-1"}[name]))
    if r.random() < 0.4:
        options.append(("aws_session_token", r.choice(["TOKEN", "", num("1")])))
    if r.random() < 0.4:
        options.append(("disable_payload_signing", r.choice([True, False, "x"])))
    return options


def aws_full_request(r):
    members = Object()
    defaults = aws_request(r)
    names = [name for name, _ in defaults]
    for name, value in (("method", "get"), ("url", "https://example.com/a?x=1")):
        if name not in names and r.random() < 0.95:
            members.append((name, value))
    return Object(list(members) + list(defaults))


CALLS = {
    "time.add_date": [time, amount, amount, amount], "time.clock": [moment], "time.date": [moment], "time.weekday": [moment], "time.diff": [moment, moment], "time.format": [formatted],
    "time.parse_duration_ns": [weighted((pick(DURATIONS), 4), (mutated(DURATIONS, "0123456789.hmsuµn-+ d", 2), 4))],
    "time.parse_ns": [layout, stamp], "time.parse_rfc3339_ns": [stamp],
    "net.cidr_contains": [cidr, cidr], "net.cidr_intersects": [cidr, cidr], "net.cidr_overlap": [cidr, cidr], "net.cidr_is_valid": [one_of(cidr, cidr, cidr, any_term)],
    "net.cidr_contains_matches": [cidrs, cidrs], "net.cidr_merge": [merged],
    "net.cidr_expand": [one_of(pick(["10.0.0.0/30", "192.168.1.4/30", "192.168.1.0/28", "::1/126", "2001:db8::ff/124", "::ffff:1.2.3.4/126", "1.2.3.4/32", "::1/128", "255.255.255.252/30"]), mutated(["10.0.0.0/30", "192.168.1.4/28", "2001:db8::ff/124", "fe80::1%e/126"], "0123456789.:f", 1))],
    "io.jwt.decode": [one_of(token, token, verification)],
    "io.jwt.decode_verify": [one_of(token, verification), constraint_object],
    **{"io.jwt.verify_" + name: [verification, verifying_key] for name in ("rs256", "rs384", "rs512", "ps256", "ps384", "ps512", "es256", "es384", "es512", "eddsa")},
    **{"io.jwt.verify_hs" + bits: [token, pick(["secret", "secret", "", "other", "é"])] for bits in ("256", "384", "512")},
    "io.jwt.encode_sign": [jose_header, jose_payload, private_key], "io.jwt.encode_sign_raw": [raw_header, raw_payload, raw_key],
    "graphql.is_valid": [graphql_query, graphql_schema], "graphql.parse": [graphql_query, graphql_schema], "graphql.parse_and_verify": [graphql_query, graphql_schema],
    "graphql.parse_query": [graphql_query], "graphql.parse_schema": [graphql_schema], "graphql.schema_is_valid": [one_of(graphql_schema, graphql_schema, any_term)],
    "providers.aws.sign_req": [aws_full_request, aws_options, one_of(lambda r: num(r.choice(TIMES)), lambda r: num("1700000000000000000"))],
    "rego.parse_module": [pick(["a.rego", "", "é"]), one_of(pick(MODULES), mutated(MODULES, "pa{}[]:= \n1", 1))],
}
