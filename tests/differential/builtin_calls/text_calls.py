"""Calls of builtins on texts: strings, sprintf, regex, glob, encodings, units, semver, uri, uuid, crypto."""

from pools import *

FORMATS = [
    "%d", "%s", "%v", "%x", "%X", "%o", "%O", "%b", "%c", "%q", "%U", "%e", "%E", "%f", "%F", "%g", "%G", "%t", "%T", "%p", "%%", "%",
    "%!", "%z", "%5d", "%-5d|", "%05d", "%+d", "% d", "%#x", "%#o", "%#b", "%#q", "%#U", "%#v", "%+v", "%+q", "% x", "%# x", "%.2f",
    "%5.2f", "%-8.3f|", "%08.3f", "%+.1e", "%.0f", "%.f", "%.10g", "%#g", "%.3s", "%5s|", "%-5s|", "%05s", "%.0s", "%x %X", "%[1]d",
    "%[2]s %[1]d", "%[3]d", "%[0]d", "%[x]d", "%[1", "%[1]", "%[1]*d", "%*d", "%-*d|", "%.*f", "%*.*f", "%[2]*[1]d", "%.[2]*[1]f", "%d%d",
    "%s %s %s", "a%db", "%6.2f%%", "%v %v", "%-+#0 5d", "%+-5d", "%0-5d|", "%  d", "%1000d", "%.1000d", "%100000000d", "%.-1d", "%-05d|",
    "%é", "😀%d", "%d 日本", "%q %q", "%w", "%s%", "%.3x", "%.3q", "%10.3v|", "%+.3d", "%020d", "%x", "%X", "%-10t|", "%5t", "%05t", "%3c|", "%-3c|",
    "%08b", "%+x", "%#08x", "%# X", "%+08.2f", "% .3f", "% 5d", "%+5d", "%5%", "%-5%|", "%05%", "%[1]%", "%.2%",
]
PATTERNS = [
    "", "a", "a*", "a+", "^a$", "[a-c]+", "(a)(b)?", "(?P<n>a+)(b)", "(?<n>a)", "a|b", "(a|ab)(c|bcd)", "\\d+", "\\w+", "\\b", "\\bfoo\\b", ".", ".*",
    ".*?", "(?i)HELLO", "(?s).", "(?m)^l", "(?U)a+", "x*", "[^a]", "[[:alpha:]]+", "\\p{Greek}", "\\pL+", "\\PL", "a{2}", "a{2,}", "a{1,2}", "a{0}",
    "a{,2}", "^$", "\\.", "[.]", "é", "日", "\\x61", "\\x{1F600}", "\\Q.\\E", "(?:a)", "(?i:a)b", "()", "(|a)", "\\s+", "$", "^", "\\A", "\\z", "(a*)*",
    "(a*)+", "((a)|b)*", "[\\d\\-]", "[]a]", "[^]a]", "[a-]", "\\t", "\\a", "\\f\\v", "\\0", "\\07", "\\123", "(?P<a>.)(?P<b>.)", "[\\w.]+@", "l+",
    # Not valid:
    "(", ")", "[", "a)", "[a", "a**", "*", "+", "?", "{1}", "a{2,1}", "a{1001}", "a{1000}{1000}", "(?P<n", "(?P<>a)", "(?P<n>a)(?P<n>b)", "(?z)", "(?",
    "\\", "\\8", "\\Z", "\\C", "\\pX", "\\p{Nope}", "[z-a]", "[[:nope:]]", "\\x", "\\x{", "\\x{110000}", "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "\\1", "[\\Q",
    "a++", "a?+", "(?i", "(?i-", "(?-i)A", "(?i-s)a", "(?ii)a", "(?--i)a", "\\Qa", "\\E", "(?P=n)", "(?#c)", "\\K", "\\G", "\\R", "\\X", "\\h", "(?>a)",
    "[[.a.]]", "[[=a=]]", "[a-\\d]", "[\\d-z]", "x{99999999999}", "x{-1}", "x{1", "x{a}", "x{1,a}", "\\u0061", "\\e", "\\c", "\\_", "\\-", "\\é", "(?P<é>a)", "(?P<1>a)",
]
REPLACEMENTS = ["", "x", "$1", "${1}", "$0", "$$", "$", "$n", "${n}", "$1x", "${1}x", "${", "${}", "$2$1", "\\1", "$10", "$é", "${1", "$_", "$-1", "é😀", "$name$1"]
HAYSTACKS = STRINGS + ["foo.bar", "aaabbb", "abcdabcd", "The quick brown fox", "a1b22c333", "line1\nline2", "baaac", "-ab-axxb-", "paranormal", "foobarfoo", "αβγ"]
GLOBS = [
    "", "*", "**", "?", "a*", "*a", "*.example.com", "**.example.com", "api.*.com", "{a,b}", "{*.com,*.org}", "[a-c]", "[!a]", "[^a]", "[abc]x", "a?c", "\\*",
    "a\\", "[", "]", "{", "}", "{a", "a}", "[a", "[]", "[!]", "[a-", "[z-a]", "{,a}", "{a,}", "{}", "{{a,b},c}", "*:*", "a/*/b", "a/**/b", "/*", "*/", "a.b", "日*",
    "[日-本]", "?😀", "*a*b*c", "a**b", "***", "?*", "*?", "{a*,b?}[c-e]", "[a-c-e]", "[!a-c]x", "{[ab],c}", "\\{a\\}", "[\\]]", "a,b", "[a,b]", "{a\\,b,c}",
]
GLOB_TEXTS = ["", "a", "b", "c", "abc", "ab", "cat", "api.example.com", "example.com", "a.b.example.com", "a/b", "a/x/b", "a/x/y/b", "a:b", "x.com", "x.org", "*", "{a}", "日本", "a😀", "a.b", "ac", ".", "/", "a,b", "bx", "axc"]
URIS = [
    "http://example.com", "https://user:pass@example.com:8080/a/b?q=1&r=2#frag", "mailto:a@b.c", "//host/path", "/path", "path", "", "?q", "#f", "http://[::1]:80/", "http://[::1", "http://a b/", "http://a/%zz",
    "http://a/%20b", "http://a:b:c/", "http://a:port/", "ftp://h/%2F", "urn:isbn:123", "http://é/ü?ö#ä", "1http://a", ":foo", "http://", "http:///p", "http:a", "http://a/?", "http://a/#", "http://u@h", "http://u:@h", "http://:@h",
    "http://h:", "http://h:99999", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://a%41/", "http://a/b;c=d?e=f;g", "HTTP://EX.com/A", "a:b", "a/b:c", "http://h/\u0001", "\u007fhttp://h", "x://h?%", "http://h/a?b?c#d#e",
    "http://user info@h/", "http://h\\x/", "http://[::1]x/", "http://[]/", "//", "///", "*", "http://h/*", "http://%zz/", "http://h/[a]", "http://<h>/", "http://h/a b",
]
UUIDS = [
    "00000000-0000-0000-0000-000000000000", "f47ac10b-58cc-0372-8567-0e02b2c3d479", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "F47AC10B-58CC-4372-A567-0E02B2C3D479", "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8", "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
    "6ba7b8109dad11d180b400c04fd430c8", "000003e8-48b9-21ee-b200-325096b39f47", "1ec9414c-232a-6b00-b3c8-9f6bdeced846", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "ffffffff-ffff-ffff-ffff-ffffffffffff", "6ba7b810-9dad-51d1-c0b4-00c04fd430c8", "00000000-0000-1000-8000-000000000000",
]
UNITS = [
    "1", "10Gi", "1.5K", "100m", "1k", "1M", "1m", "1G", "1T", "1P", "1E", "1e", "1Ki", "1Mi", "1Ti", "1Pi", "1Ei", "1e3", "1E3", "1e3k", "-1", "-1K", "+1", "0", "0.5Gi", ".5", "5.", "1.2.3", "K", "", "1 K", " 1", "1kb", "1KB", "1KiB", "1Kib", "1MB", "1mb", "1B", "1b", "10TB", "1.5GiB",
    "\"1K\"", "'1K'", "`1K`", "1KK", "1x", "1e400", "1e-400", "1e9999999", "99999999999999999999Ei", "0.1", "0.0001", "0.3Ki", "1_000", "0x10", "NaN", "Inf", "１", "1K\n", "1e10Ki", "1ei", "1Z", "1Y", "1.0000000001", "100000000000000000000", "1e+3", "1E-3", "3.99", "1e3m", "1.23456789012345678m", "1/3", "-0",
]
SEMVERS = [
    "1.2.3", "0.0.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.11", "1.0.0-beta.2", "1.0.0-rc.1", "1.0.0+build", "1.0.0-a+b", "v1.2.3", "V1.2.3", "1.2", "1", "1.2.3.4", "01.2.3", "1.02.3", "1.2.3-01", "1.2.3-", "1.2.3+", "1.2.3-+b", "1.2.3-a..b", "1.2.3-é",
    "99999999999999999999.0.0", "1.0.0-99999999999999999999", "-1.0.0", "a.b.c", "", "1.0.0-0a", "1.0.0--", "1.0.0-a-b", "1.0.0-1", "1.0.0-A", " 1.2.3", "1.2.3 ", "1.0.0-0", "1.0.0-00", "1.0.0+00", "1.0.0+a.b-c", "9223372036854775807.0.0", "9223372036854775808.0.0",
]
BASE64 = ["", "aGVsbG8=", "aGVsbG8", "aGk=", "YQ==", "YQ", "YQ=", "YR==", "_-8=", "+/8=", "aGVs\nbG8=", "a", "====", "a===", "aGVsbG8=x", "YWJj", "5pel5pys", "//79", "AAAA", "YWJjZA==YWJj", "é", "aGVsbG8= ", "ew==", "\r\n", "YQ==\n", "Y Q=="]
HEX = ["", "61", "6", "zz", "6A6a", "ff", "00", "e697a5", "c3", "6z", "0x61", "é1", " 61", "616", "61 62"]
QUERIES = ["", "a=1", "a=1&b=2", "a=1&a=2", "a", "a=", "=a", "&", "a=%20b+c", "%zz=1", "a=%", "a=%4", "a;b", "a=1;b=2", "é=ü", "a=b=c", "%61=1", "a&&b", "?a=1", "a=%ff", "a=%e6%97%a5", "a=%00", "+=+"]

pattern = weighted((pick(PATTERNS), 6), (mutated(PATTERNS, "a()[]{}*+?|\\^$.,-dP<>:1né"), 5))
haystack = one_of(pick(HAYSTACKS), pick(HAYSTACKS), string)
glob = weighted((pick(GLOBS), 4), (mutated(GLOBS, "a*?[]{}!-,\\.é"), 4))
glob_text = weighted((pick(GLOB_TEXTS), 5), (mutated(GLOB_TEXTS, "abc./:*é"), 2))
delimiters = weighted((constant(None), 2), (constant([]), 2), (pick([["."], ["/"], [":", "."], ["a"], [""], ["ab"], ["é"], ["😀", "."], [num("1")], [".", "/", ":"]]), 4))
format_ = weighted((pick(FORMATS), 6), (mutated(FORMATS, "%d sv0123456789.*[]+-# xqéf"), 3), (lambda r: " ".join(r.choice(FORMATS) for _ in range(3)), 3))
argument = weighted((number, 4), (string, 3), (any_term, 2), (small, 2))
uri = weighted((pick(URIS), 3), (mutated(URIS, "ahtp:/?#[]@%20 é\\<&=;"), 3))
uuid = weighted((pick(UUIDS), 3), (mutated(UUIDS, "0123456789abcdefF-{}:ug", 2), 3))
units = weighted((pick(UNITS), 4), (mutated(UNITS, "0123456789.eEkKmMgGiIbBtTpP-+ \"", 2), 4))
semver = weighted((pick(SEMVERS), 4), (mutated(SEMVERS, "0123456789.-+vaé", 2), 3))
base64 = weighted((pick(BASE64), 3), (mutated(BASE64, "aQ=_-+/\n é", 2), 3), (string, 1))
hexa = weighted((pick(HEX), 3), (mutated(HEX, "0123456789abcdefXz é", 2), 3))
query = weighted((pick(QUERIES), 3), (mutated(QUERIES, "ab=&;%20+é"), 3))
strings = one_of(collection(string), array(string), string, collection(scalar))

TEMPLATES = ["urn:foo:{.*}", "urn:foo:{.*}:bar", "<[a-z]+>", "a{b{c}d}e", "{", "}", "{}", "{(}", "x{a|b}y", "", "plain", "a.b{\\d+}", "{a}{b}", "{{a}}", "é{.}", "a}b{", "{[}]}"]
TEMPLATE_TEXTS = ["urn:foo:bar", "urn:foo:x:bar", "abc", "ae", "xay", "xby", "plain", "", "a.b12", "axb12", "ab", "é日", "{a}"]
GLOB_PAIRS = ["a.*", "*", "a+", "a*b", ".*", "[a-z]+", "[0-9]", "b.+", "abc", "", "[^a]", "a?", ".", "foo/.*", ".+/bar", "\\.", "[", "a]", "*a", "+a", "\\*", "[a-c]*d", "[ab][bc]", ".*c.*", "[abc", "a**", "a[]", "[]]", "\\", "é.*", "[a\\-z]", "a.b*", "(a)"]
REPLACES = object_of(pick(["a", "ab", "", "b", "é", "foo", "o", "<", "aa", "abc"]), pick(["x", "", "a", "é", "$1", "ab", ">>"]), 4)

CALLS = {
    "concat": [string, one_of(collection(string), collection(string), collection(scalar))],
    "contains": [haystack, string],
    "endswith": [haystack, string],
    "startswith": [haystack, string],
    "format_int": [number, one_of(pick([num("2"), num("8"), num("10"), num("16")]), pick([num("2"), num("8"), num("10"), num("16")]), number)],
    "indexof": [haystack, string],
    "indexof_n": [haystack, string],
    "lower": [string],
    "upper": [string],
    "replace": [haystack, string, string],
    "split": [haystack, string],
    "strings.split_n": [haystack, string, one_of(small, small, number)],
    "sprintf": [format_, array(argument, 4)],
    "strings.any_prefix_match": [strings, strings],
    "strings.any_suffix_match": [strings, strings],
    "strings.count": [haystack, string],
    "strings.replace_n": [one_of(REPLACES, REPLACES, object_of(string, scalar)), haystack],
    "strings.reverse": [string],
    "substring": [haystack, one_of(small, small, number), one_of(small, small, number)],
    "trim": [string, string],
    "trim_left": [string, string],
    "trim_right": [string, string],
    "trim_prefix": [haystack, string],
    "trim_suffix": [haystack, string],
    "trim_space": [string],
    "regex.match": [pattern, haystack],
    "re_match": [pattern, haystack],
    "regex.is_valid": [one_of(pattern, pattern, any_term)],
    "regex.find_n": [pattern, haystack, one_of(small, small, number)],
    "regex.find_all_string_submatch_n": [pattern, haystack, one_of(small, small, number)],
    "regex.replace": [haystack, pattern, one_of(pick(REPLACEMENTS), mutated(REPLACEMENTS, "$1{}nxé"))],
    "regex.split": [pattern, haystack],
    "regex.template_match": [
        one_of(pick(TEMPLATES), mutated(TEMPLATES, "{}a[](.*é<>")), one_of(pick(TEMPLATE_TEXTS), string),
        pick(["{", "{", "{", "<", "", "{{", "é", "("]), pick(["}", "}", "}", ">", "", "}}", "é", ")"]),
    ],
    "regex.globs_match": [one_of(pick(GLOB_PAIRS), mutated(GLOB_PAIRS, "ab.*+[]\\-^é")), one_of(pick(GLOB_PAIRS), mutated(GLOB_PAIRS, "ab.*+[]\\-^é"))],
    "glob.match": [glob, delimiters, glob_text],
    "glob.quote_meta": [one_of(glob, string)],
    "base64.decode": [base64],
    "base64.encode": [string],
    "base64.is_valid": [one_of(base64, base64, any_term)],
    "base64url.decode": [base64],
    "base64url.encode": [string],
    "base64url.encode_no_pad": [string],
    "hex.decode": [hexa],
    "hex.encode": [string],
    "urlquery.decode": [query],
    "urlquery.decode_object": [query],
    "urlquery.encode": [one_of(string, query)],
    "urlquery.encode_object": [object_of(string, one_of(string, collection(string), scalar))],
    "units.parse": [units],
    "units.parse_bytes": [units],
    "semver.compare": [semver, semver],
    "semver.is_valid": [one_of(semver, semver, any_term)],
    "uri.is_valid": [one_of(uri, uri, any_term)],
    "uri.parse": [uri],
    "uuid.parse": [uuid],
    "crypto.md5": [string],
    "crypto.sha1": [string],
    "crypto.sha256": [string],
    "crypto.hmac.md5": [string, string],
    "crypto.hmac.sha1": [string, string],
    "crypto.hmac.sha256": [string, string],
    "crypto.hmac.sha512": [string, string],
    "crypto.hmac.equal": [pick(["", "a", "ab", "é"]), pick(["", "a", "ab", "é"])],
    "internal.template_string": [array(one_of(string, set_of(any_term, 1), number))],
}
