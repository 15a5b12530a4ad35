"""Operands: functions from a random.Random to a term. Most choose from a pool of known trouble, or change such a text a little."""

from terms import Number, Object, Set, num, obj

STRINGS = [
    "", " ", "a", "b", "ab", "abc", "aaa", "abcabc", "Hello, World", "hello world", "a,b,c", "a.b.c", "a/b/c", "/", ".", ",", "-",
    "héllo", "e\u0301", "日本語", "😀", "a😀b", "\u0000", "\t\n ", " \u00a0x\u2003 ", "\u0085x\u0085", "İstanbul", "ß", "ǅ", "ﬀ",
    "Σς", "\ufeff", "\ufffd", "\u2028", "<>&'\"", "\"quoted\"", "\\", "\\n", "%d", "$1", "true", "null", "1", "01", "-0", "0x10",
    "1e3", "NaN", "Inf", "  padded  ", "line\nline\r\n", "\x7f", "\x1b[0m", "ÀÉ", "ﬃ", "ı", "K", "\u200b", "a" * 70, "\ud800", "🇩🇪",
    "foo bar baz", "foo", "bar", "xyz.example.com", "UPPER lower",
]
NUMBERS = [
    "0", "1", "-1", "2", "-2", "3", "5", "7", "10", "12", "-10", "16", "31", "32", "63", "64", "65", "100", "255", "256", "1000",
    "65536", "1000000", "2147483647", "2147483648", "-2147483649", "4294967296", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616",
    "100000000000000000000", "123456789012345678901234567890", "-123456789012345678901234567890", "1.0", "1.50", "0.1", "0.2", "-0.5",
    "2.5", "-2.5", "3.5", "0.5", "1.5", "1e3", "1E3", "1e+3", "1e-3", "1e20", "1e21", "1e22", "1e-6", "1e-7", "10e2", "1.5e300",
    "0.30000000000000000001", "123456789.123456789", "999999999999999999999.5", "1e-30", "3.14159", "100.00", "0.0", "0e10", "2.0",
    "1e6", "1234567.0", "12345678901234567.5", "0.1e1",
]
EXTREME = ["1e400", "-1e400", "1e-400", "1e308", "1.8e308", "5e-324", "1e1000", "1e-1000"]


def pick(pool):
    return lambda r: r.choice(pool)


def one_of(*makers):
    return lambda r: r.choice(makers)(r)


def weighted(*pairs):
    makers = [maker for maker, weight in pairs for _ in range(weight)]
    return lambda r: r.choice(makers)(r)


def constant(term):
    return lambda r: term


def mutated(pool, alphabet, most=3):
    """A text of the pool, half the time changed in up to `most` places."""

    def make(r):
        text = r.choice(pool)
        if r.random() < 0.4:
            return text
        for _ in range(r.randint(1, most)):
            at = r.randint(0, len(text))
            how = r.random()
            if how < 0.35:
                text = text[:at] + r.choice(alphabet) + text[at:]
            elif how < 0.6:
                text = text[:at] + text[at + 1 :]
            elif how < 0.85:
                text = text[:at] + r.choice(alphabet) + text[at + 1 :]
            elif how < 0.95:
                end = min(len(text), at + r.randint(1, 6))
                text = text[:at] + text[at:end] + text[at:]
            else:
                other = r.choice(pool)
                text = text[:at] + other[r.randint(0, len(other)) :]
        return text

    return make


string = weighted((pick(STRINGS), 5), (mutated(STRINGS, "aäb .😀%\n"), 3))
integer = lambda r: num(r.choice(NUMBERS[:37]))
small = lambda r: num(r.choice([-3, -2, -1, 0, 0, 1, 1, 2, 3, 4, 5, 7, 10, 20, 100]))
number = lambda r: num(r.choice(NUMBERS + EXTREME) if r.random() < 0.9 else str(r.randint(-(10**6), 10**6) / 1000))
boolean = lambda r: r.random() < 0.5
null = constant(None)
scalar = one_of(string, number, boolean, null, string, number)


def nested(depth=3):
    def make(r):
        if depth == 0 or r.random() < 0.4:
            return scalar(r)
        kind = r.random()
        inner = nested(depth - 1)
        size = r.choice([0, 1, 1, 2, 2, 3])
        if kind < 0.4:
            return [inner(r) for _ in range(size)]
        if kind < 0.7:
            return unique_object(r, string if r.random() < 0.8 else inner, inner, size)
        return Set(inner(r) for _ in range(size))

    return make


def unique_object(r, key, value, size):
    members, seen = Object(), []
    for _ in range(size):
        k = key(r)
        if k not in seen:
            seen.append(k)
            members.append((k, value(r)))
    return members


any_term = nested()


def array(item, most=4):
    return lambda r: [item(r) for _ in range(r.randint(0, most))]


def set_of(item, most=4):
    return lambda r: Set(item(r) for _ in range(r.randint(0, most)))


def object_of(key, value, most=4):
    return lambda r: unique_object(r, key, value, r.randint(0, most))


def collection(item, most=4):
    return one_of(array(item, most), set_of(item, most))


def pair(*makers):
    return lambda r: [make(r) for make in makers]


key = weighted((pick(["a", "b", "c", "d", "x", "0", "1", "a/b", "m~n", ""]), 8), (number, 1), (any_term, 1))
few = weighted((pick(["a", "b", "c", num("1"), num("1.0"), num("2"), True, None]), 6), (any_term, 2))


def tree(depth=3):
    """Documents whose keys meet often."""

    def make(r):
        if depth == 0 or r.random() < 0.3:
            return few(r)
        inner = tree(depth - 1)
        kind = r.random()
        if kind < 0.35:
            return [inner(r) for _ in range(r.randint(0, 3))]
        if kind < 0.85:
            return unique_object(r, key, inner, r.randint(0, 4))
        return Set(inner(r) for _ in range(r.randint(0, 3)))

    return make


def tree_object(r):
    return unique_object(r, key, tree(), r.randint(0, 4))


def member_of(r, options):
    """An object of `options`: name to maker; each member is there half the time, and some other now and then."""
    members = Object()
    for name, make in options.items():
        if r.random() < 0.5:
            members.append((name, make(r)))
    if r.random() < 0.1:
        members.append((string(r), any_term(r)))
    return members


__all__ = [name for name in dir() if not name.startswith("_")]
